"""Rows of functions of two or three numbers, elementwise, with broadcasting and promotion of dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import binary, join, slope, value
from .ops_elementwise import sigmoid
from .plans import broadcast, pair, several
from .row import ALL, ANY, BOOL, FLOATS, NUMBERS, POSITIVE, Domain, Row, in_place, real

Array = np.ndarray
NUMBER = (0.5, 1.5, -2.0, 3, 2)


def arithmetic(name: str, operator: str, oracle: Callable[..., Any], **more: Any) -> Row:
    more.setdefault("plan", pair(NUMBER))
    more.setdefault("result", "promoted")
    aliases = more.pop("aliases", ())
    more.setdefault("spellings", (name, f".{name}", operator, operator, *aliases, *(f".{a}" for a in aliases)))
    changing = (*in_place(name, *aliases), f"{operator}=")
    return Row(name, oracle, in_place=changing, covers=(*aliases, DUNDER[operator]), **more)


DUNDER = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "**": "__pow__", "//": "__floordiv__",
    "%": "__mod__", "&": "__and__", "|": "__or__", "^": "__xor__", "==": "__eq__", "!=": "__ne__", "<": "__lt__",
    "<=": "__le__", ">": "__gt__", ">=": "__ge__",
}  # fmt: skip


def function(name: str, oracle: Callable[..., Any], **more: Any) -> Row:
    """One row of a function that is a method, and in place, and takes no numbers."""
    more.setdefault("plan", pair())
    more.setdefault("result", "promoted")
    more.setdefault("spellings", (name, f".{name}"))
    more["in_place"] = in_place(*dict.fromkeys(way.strip(".") for way in more["spellings"]))
    return Row(name, oracle, **more)


def apart(a: Any, b: Any, **_: Any) -> bool:
    """Tell whether no two floats that meet are nearly equal."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind not in "fc" and b.dtype.kind not in "fc":
        return True
    try:
        return bool((abs(value(a) - value(b)) > 1e-3).all())
    except ValueError:
        return True


def unlike(a: Any, b: Any, **_: Any) -> bool:
    """Tell whether floats that meet are equal, or apart by more than a rounding."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind not in "fc" and b.dtype.kind not in "fc":
        return True
    d = abs(value(a) - value(b))
    return bool(((d > 1e-3) | (d == 0)).all())


def not_whole(a: Any, b: Any, **_: Any) -> bool:
    """Tell whether no quotient of floats is nearly whole."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind not in "fc" and b.dtype.kind not in "fc":
        return bool((b != 0).all())
    u, v = value(a), value(b)
    if not (abs(v) > 0.05).all():
        return False
    q = u / v
    return bool((abs(q - np.rint(q)) > 1e-3).all())


def away(a: Any, b: Any, **_: Any) -> bool:
    """Tell whether the divisor is away from 0."""
    return bool((abs(value(b)) > 0.05).all())


def power(a: Any, b: Any) -> Any:
    if np.asarray(a).dtype.kind in "iu" and np.asarray(b).dtype.kind in "iu":
        return np.power(a, b)
    return _power(a, b)


_power = binary(lambda a, b: a**b, lambda a, b, y: b * a ** (b - 1.0), lambda a, b, y: y * np.log(a))


def positive_base(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return bool((b >= 0).all() and (b <= 3).all())
    return bool((value(a) > 0.05).all() and (abs(value(b)) < 6).all())


def scalar_power(x: Array, exponent: float) -> Array:
    r = value(x)
    return join(r**exponent, exponent * r ** (exponent - 1) * slope(x))


def powers_plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
    low = float(x.z.real.min()) if x.z.size else 1.0
    return [], {"exponent": make.choice([2, 3, 2.0, 1, 0] if low <= 0.05 else [2, 3, 0.5, -0.5, -1, -1.5, 2.5, -2])}


def pick(take_a: Callable[..., Any]) -> Callable[..., Any]:
    """Build a choice of one of two numbers, with promotion."""
    ints = {"gt": np.maximum, "lt": np.minimum}

    def oracle(a: Any, b: Any) -> Any:
        if np.asarray(a).dtype.kind in "biu" and np.asarray(b).dtype.kind in "biu":
            return ints[take_a.__name__](a, b)
        return np.where(take_a(value(a), value(b)), a, b)

    return oracle


def gt(a: Any, b: Any) -> Any:
    return a > b


def lt(a: Any, b: Any) -> Any:
    return a < b


def lerp(a: Any, b: Any, w: Any) -> Any:
    return a + w * (b - a)


def lerp_plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
    if make.chance(0.5):
        return [make.beside(row, 1, x.dtype, x.z.shape)], {"weight": make.choice([0.3, 0.8, 0, 1])}
    return several(3)(make, row, x)


def where_plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
    dtype = make.choice(FLOATS[1:] if make.wide else NUMBERS)
    first = make.beside(row, 1, dtype, x.z.shape)
    shape = broadcast(x.z.shape, make.session.live[first].z.shape)
    return [first, make.beside(row, 2, make.dtype_beside(row, dtype), shape)], {}


def clamp_plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
    shape = x.z.shape
    low = make.operand(row, 1, x.dtype, shape)
    return [low, make.operand(row, 2, x.dtype, shape)], {}


def comparison(name: str, operator: str, f: Callable[..., Any]) -> Row:
    return Row(
        name,
        lambda a, b: f(value(a), value(b)),
        pair((1, 0, 0.5, -1)),
        dtypes=ALL,
        result="compared",
        spellings=(name, f".{name}", operator),
        in_place=in_place(name),
        guard=unlike,
        covers=(DUNDER[operator],),
    )


def bits(name: str, operator: str, f: Callable[..., Any]) -> Row:
    return Row(name, f, pair((1, 3, 0)), dtypes=ALL[:4], result="promoted", spellings=(operator, name, f".{name}"),
               in_place=(*in_place(name), f"{operator}="), covers=(DUNDER[operator],))  # fmt: skip


PARAMETRIC = {
    "leaky_relu": (
        lambda a, b: np.where(a > 0, a, a * b),
        lambda a, b, y: np.where(a > 0, 1.0, b),
        lambda a, b, y: np.where(a > 0, 0.0, a),
    ),
    "elu": (
        lambda a, b: np.where(a > 0, a, b * np.expm1(np.minimum(a, 0))),
        lambda a, b, y: np.where(a > 0, 1.0, b * np.exp(np.minimum(a, 0))),
        lambda a, b, y: np.where(a > 0, 0.0, np.expm1(np.minimum(a, 0))),
    ),
    "swish": (
        lambda a, b: a * sigmoid(a * b),
        lambda a, b, y: sigmoid(a * b) * (1.0 + a * b * (1.0 - sigmoid(a * b))),
        lambda a, b, y: a * a * sigmoid(a * b) * (1.0 - sigmoid(a * b)),
    ),
}


def bce(x: Any, y: Any) -> Any:
    return np.logaddexp(0.0, x) - x * y


BINARY = (
    arithmetic("add", "+", lambda a, b: a + b, dtypes=ALL),
    arithmetic("sub", "-", lambda a, b: a - b, dtypes=NUMBERS, aliases=("subtract",)),
    arithmetic("mul", "*", lambda a, b: a * b, dtypes=ALL, aliases=("multiply",)),
    arithmetic("div", "/", binary(lambda a, b: a / b, lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b), dtypes=NUMBERS,
               result="float", domains=(ANY, Domain(0.3, 3, bound=(-1e3, 1e3))), guard=away,
               aliases=("divide", "true_divide")),
    arithmetic("pow", "**", power, dtypes=NUMBERS[1:], domains=(real(0.3, 3, bound=(-10, 50)), ANY),
               guard=positive_base, plan=pair((2, 3, 0.5)), roundings=24),
    Row("pow(number)", scalar_power, powers_plan, dtypes=FLOATS, spellings=("pow", ".pow"), in_place=(".pow_",),
        roundings=16),
    arithmetic("remainder", "%", binary(np.remainder, lambda a, b, y: 1.0, lambda a, b, y: -np.floor(a / b)),
               dtypes=NUMBERS, guard=not_whole, domains=(ANY, Domain(0.4, 3, bound=(-1e3, 1e3))), smooth=False),
    arithmetic("floor_divide", "//", lambda a, b: np.floor_divide(a, b) if np.asarray(a).dtype.kind in "iu" and
               np.asarray(b).dtype.kind in "iu" else join(np.floor_divide(value(a), value(b)), 0.0),
               dtypes=NUMBERS, guard=not_whole, domains=(ANY, Domain(0.4, 3, bound=(-1e3, 1e3))), smooth=False),
    function("fmod", binary(np.fmod, lambda a, b, y: 1.0, lambda a, b, y: -np.trunc(a / b)), dtypes=NUMBERS,
             guard=not_whole, domains=(ANY, Domain(0.4, 3, bound=(-1e3, 1e3))), smooth=False),
    *(
        function(name, pick(which), dtypes=NUMBERS, guard=apart, exact=True)
        for name, which in [("maximum", gt), ("fmax", gt), ("minimum", lt), ("fmin", lt)]
    ),
    function("hypot", binary(np.hypot, lambda a, b, y: a / y, lambda a, b, y: b / y), domains=(ANY, POSITIVE)),
    function("atan2", binary(np.arctan2, lambda a, b, y: b / (a * a + b * b), lambda a, b, y: -a / (a * a + b * b)),
             domains=(ANY, POSITIVE), spellings=("atan2", ".atan2", "arctan2", ".arctan2"), covers=("arctan2",)),
    function("logaddexp", binary(np.logaddexp, lambda a, b, y: sigmoid(a - b), lambda a, b, y: sigmoid(b - a))),
    function("bce_with_logits", binary(bce, lambda a, b, y: sigmoid(a) - b, lambda a, b, y: -a), torch=False,
             domains=(real(-8, 8), ANY)),
    *(
        function(f"{name}(operand)", binary(*parts), torch=False, plan=pair((0.2, 1.5)), spellings=(name, f".{name}"),
                 domains=(real(-3, 3, 0), real(0.1, 1)), smooth=False)
        for name, parts in PARAMETRIC.items()
    ),
    function("lerp", lambda a, b, w=None, weight=None: lerp(a, b, w if weight is None else weight), plan=lerp_plan,
             domains=(ANY, ANY, real(-0.2, 1.2)), result="same"),
    Row("where", lambda c, a, b: np.where(c, a, b), where_plan, domains=(BOOL, ANY, ANY), dtypes=("bool",),
        result="chosen", exact=True, others=NUMBERS),
    Row("where(method)", lambda a, c, b: np.where(c, a, b),
        lambda make, row, x: ([make.beside(row, 1, "bool", x.z.shape), make.beside(row, 2, x.dtype, x.z.shape)], {}),
        domains=(ANY, BOOL, ANY), spellings=(".where",), exact=True),
    Row("clamp(tensors)", lambda x, a, b: np.where(x.real < a.real, a, np.where(x.real > b.real, b, x)), clamp_plan,
        domains=(ANY, Domain(-3, -1), Domain(1, 3)), exact=True, spellings=("clamp", ".clamp", ".clip"),
        in_place=in_place("clamp", "clip"),
        guard=lambda x, a, b: apart(x, a) and apart(x, b) and bool((a.real < b.real).all())),
    *(
        comparison(name, operator, f)
        for name, operator, f in [("eq", "==", np.equal), ("ne", "!=", np.not_equal), ("lt", "<", np.less),
                                  ("le", "<=", np.less_equal), ("gt", ">", np.greater), ("ge", ">=", np.greater_equal)]
    ),
    *(bits(f"bitwise_{name}", operator, f) for name, operator, f in
      [("and", "&", np.bitwise_and), ("or", "|", np.bitwise_or), ("xor", "^", np.bitwise_xor)]),
    *(
        Row(name, lambda a, b, f=f: f(value(a), value(b)), pair(), dtypes=ALL, result="bool",
            spellings=(name, f".{name}"), in_place=in_place(name))
        for name, f in [("logical_and", np.logical_and), ("logical_or", np.logical_or), ("logical_xor", np.logical_xor)]
    ),
    Row("isclose", lambda a, b, **o: np.isclose(a.real, b.real, **o),
        lambda make, row, x: ([make.beside(row, 1, x.dtype, x.z.shape)],
                              {"rtol": 0.2, "atol": 0.1} if make.chance(0.5) else {}),
        dtypes=FLOATS, result="bool", spellings=("isclose", ".isclose"),
        guard=lambda a, b, rtol=1e-5, atol=1e-8: unlike(abs(a.real - b.real), atol + rtol * abs(b.real))),
    Row("allclose", lambda a, b: np.allclose(a.real, b.real),
        lambda make, row, x: ([make.beside(row, 1, x.dtype, x.z.shape)], {}), dtypes=FLOATS, result="python bool",
        spellings=("allclose", ".allclose"), guard=unlike),
)  # fmt: skip
