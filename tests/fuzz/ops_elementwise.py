"""Rows of functions of one number, elementwise; derivatives written out, at kinks as PyTorch has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import constant, join, slope, unary, value
from .plans import alone, options
from .row import ALL, ANY, FLOATS, NUMBERS, POSITIVE, Domain, Row, in_place, real

Array = np.ndarray
erf = np.vectorize(math.erf, otypes=[np.float64])
erfc = np.vectorize(math.erfc, otypes=[np.float64])
SQRT_2_PI = math.sqrt(2.0 / math.pi)
# The constants of Klambauer et al., 2017, "Self-Normalizing Neural Networks", appendix 4.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def normal_cdf(x: Any) -> Any:
    return 0.5 * erfc(-x / math.sqrt(2.0))


def normal_pdf(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1.0 + np.tanh(SQRT_2_PI * (x + 0.044715 * x**3)))


def gelu_tanh_slope(x: Any, y: Any) -> Any:
    t = np.tanh(SQRT_2_PI * (x + 0.044715 * x**3))
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * SQRT_2_PI * (1.0 + 3 * 0.044715 * x * x)


def mish_slope(x: Any, y: Any) -> Any:
    t = np.tanh(np.logaddexp(0.0, x))
    return t + x * (1.0 - t * t) * sigmoid(x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def zero(x: Any, y: Any) -> Any:
    return 0.0


def whole(f: Callable[..., Any]) -> Callable[..., Any]:
    """Keep integers as they are, and differentiate to 0."""
    flat = constant(f)
    return lambda x, **o: flat(x, **o) if x.dtype.kind in "fc" else np.array(x)


def same_type(f: Callable[..., Any], g: Callable[..., Any]) -> Callable[..., Any]:
    """Use f for floats and g for integers."""
    return lambda x, **o: f(x, **o) if x.dtype.kind in "fc" else g(x, **o)


def row(name: str, oracle: Callable[..., Any], domain: Domain, **more: Any) -> Row:
    """One elementwise row: function, method and in place, for floats and, giving floats, for integers."""
    changed = more.pop("changed", True)
    function = more.pop("function", True)
    op = name.partition("(")[0]
    more.setdefault("spellings", ((op,) if function else ()) + (f".{op}",))
    names = dict.fromkeys(way.strip(".") for way in more["spellings"])
    more.setdefault("dtypes", ALL)
    more.setdefault("result", "float")
    more.setdefault("plan", alone)
    return Row(name, oracle, domains=(domain,), in_place=in_place(*names) if changed else (), **more)


EXP = real(-3, 3, bound=(-6, 6))
INTEGER = NUMBERS[:3]
SIGNED = ("int32", "int64", *FLOATS)
JUMPS = Domain(-2.4, 2.4, bound=(-1e3, 1e3))


def off_grid(x: Array, step: float = 1.0, offset: float = 0.0, **_: Any) -> bool:
    """Tell whether nothing is near a jump at a multiple of the step."""
    if x.size == 0 or x.dtype.kind not in "fc":
        return True
    part = (x.real - offset) / step
    return bool((abs(part - np.rint(part)) > 1e-3).all())


def jump(name: str, f: Callable[..., Any], offset: float = 0.0) -> Row:
    return row(name, whole(f), JUMPS, dtypes=NUMBERS, result="same", exact=True,
               guard=lambda x: off_grid(x, 1.0, offset))  # fmt: skip


def kinked(name: str, f: Callable[..., Any], df: Callable[..., Any], *kinks: float, **more: Any) -> Row:
    """Build a row of floats alone with kinks."""
    more.setdefault("dtypes", FLOATS)
    more.setdefault("exact", True)
    return row(name, unary(f, df), real(-3, 3, *kinks), result="same", **more)


def _round(x: Array, decimals: int) -> Any:
    return np.round(value(x), decimals)


ELEMENTWISE = (
    row("neg", np.negative, ANY, dtypes=SIGNED, result="same", exact=True, spellings=("neg", ".neg", "-x", "negative",
        ".negative"), covers=("negative", "__neg__")),
    row("exp", unary(np.exp, lambda x, y: y), EXP),
    row("expm1", unary(np.expm1, lambda x, y: y + 1.0), EXP),
    row("exp2", unary(np.exp2, lambda x, y: y * math.log(2.0)), EXP),
    row("log", unary(np.log, lambda x, y: 1.0 / x), POSITIVE),
    row("log2", unary(np.log2, lambda x, y: 1.0 / (x * math.log(2.0))), POSITIVE),
    row("log10", unary(np.log10, lambda x, y: 1.0 / (x * math.log(10.0))), POSITIVE),
    row("log1p", unary(np.log1p, lambda x, y: 1.0 / (1.0 + x)), real(-0.7, 3, bound=(-0.9, 1e3))),
    row("sqrt", unary(np.sqrt, lambda x, y: 0.5 / y), POSITIVE),
    row("rsqrt", unary(lambda x: 1.0 / np.sqrt(x), lambda x, y: -0.5 * y / x), POSITIVE),
    row("square", lambda x: x * x, ANY, dtypes=NUMBERS, result="same"),
    row("reciprocal", unary(lambda x: 1.0 / x, lambda x, y: -y * y), POSITIVE),
    row("abs", same_type(unary(np.abs, lambda x, y: np.sign(x)), np.abs), real(-2, 2, 0), dtypes=FLOATS, result="same",
        exact=True, spellings=("abs", ".abs", "abs()", "absolute", ".absolute"), covers=("absolute", "__abs__")),
    row("abs(integers)", np.abs, ANY, dtypes=INTEGER, result="same"),
    row("sign", constant(np.sign), real(-2, 2, 0), dtypes=FLOATS, result="same", exact=True),
    row("sign(integers)", np.sign, ANY, dtypes=INTEGER, result="same"),
    row("sin", unary(np.sin, lambda x, y: np.cos(x)), real(-6, 6)),
    row("cos", unary(np.cos, lambda x, y: -np.sin(x)), real(-6, 6)),
    row("tan", unary(np.tan, lambda x, y: 1.0 + y * y), real(-1.2, 1.2, bound=(-1.3, 1.3))),
    row("asin", unary(np.arcsin, lambda x, y: 1.0 / np.sqrt((1.0 - x) * (1.0 + x))), real(-0.9, 0.9,
        bound=(-0.95, 0.95)), spellings=("asin", ".asin", "arcsin", ".arcsin"), covers=("arcsin",)),
    row("acos", unary(np.arccos, lambda x, y: -1.0 / np.sqrt((1.0 - x) * (1.0 + x))), real(-0.9, 0.9,
        bound=(-0.95, 0.95)), spellings=("acos", ".acos", "arccos", ".arccos"), covers=("arccos",)),
    row("atan", unary(np.arctan, lambda x, y: 1.0 / (1.0 + x * x)), real(-4, 4), spellings=("atan", ".atan", "arctan",
        ".arctan"), covers=("arctan",)),
    row("sinh", unary(np.sinh, lambda x, y: np.cosh(x)), EXP),
    row("cosh", unary(np.cosh, lambda x, y: np.sinh(x)), EXP),
    row("erf", unary(erf, lambda x, y: 2.0 / math.sqrt(math.pi) * np.exp(-x * x)), real(-3, 3)),
    row("erfc", unary(erfc, lambda x, y: -2.0 / math.sqrt(math.pi) * np.exp(-x * x)), real(-3, 3)),
    row("tanh", unary(np.tanh, lambda x, y: 1.0 - y * y), real(-4, 4)),
    row("sigmoid", unary(sigmoid, lambda x, y: y * (1.0 - y)), real(-8, 8)),
    row("gelu", unary(lambda x: x * normal_cdf(x), lambda x, y: normal_cdf(x) + x * normal_pdf(x)), real(-4, 4),
        dtypes=FLOATS, result="same"),
    row("gelu(tanh)", unary(lambda x, approximate: gelu_tanh(x), lambda x, y, approximate: gelu_tanh_slope(x, y)),
        real(-4, 4), dtypes=FLOATS, result="same", plan=options(approximate=["tanh"])),
    row("gelu_tanh", unary(gelu_tanh, gelu_tanh_slope), real(-4, 4), dtypes=FLOATS, result="same", torch=False),
    row("silu", unary(lambda x: x * sigmoid(x), lambda x, y: sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))), real(-6, 6),
        dtypes=FLOATS, result="same"),
    row("logsigmoid", unary(lambda x: -np.logaddexp(0.0, -x), lambda x, y: sigmoid(-x)), real(-8, 8), dtypes=FLOATS,
        result="same"),
    row("mish", unary(lambda x: x * np.tanh(np.logaddexp(0.0, x)), mish_slope), real(-6, 6), dtypes=FLOATS,
        result="same"),
    row("selu", unary(lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
                      lambda x, y: SELU_SCALE * np.where(x > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0)))),
        real(-3, 3, 0), dtypes=FLOATS, result="same"),
    row("softplus", unary(lambda x: np.where(x > 20.0, x, np.logaddexp(0.0, x)),
                          lambda x, y: np.where(x > 20.0, 1.0, sigmoid(x))), real(-6, 25, 20), dtypes=FLOATS,
        result="same"),
    row("softplus(beta)", unary(
        lambda x, beta, threshold: np.where(beta * x > threshold, x, np.logaddexp(0.0, beta * x) / beta),
        lambda x, y, beta, threshold: np.where(beta * x > threshold, 1.0, sigmoid(beta * x))), real(-3, 6, 5),
        dtypes=FLOATS, result="same", plan=options(beta=[2.0], threshold=[10.0])),
    jump("floor", np.floor),
    jump("ceil", np.ceil),
    jump("trunc", np.trunc),
    jump("round", np.rint, 0.5),
    row("fix", whole(np.trunc), JUMPS, dtypes=FLOATS, result="same", exact=True, guard=off_grid),
    row("round(decimals)", constant(_round), JUMPS, dtypes=FLOATS, result="same", plan=options(decimals=[1, -1, 2]),
        guard=lambda x, decimals: off_grid(x, 10.0**-decimals, 0.5 * 10.0**-decimals)),
    kinked("relu", lambda x: np.maximum(x, 0.0), lambda x, y: x > 0, 0.0),
    row("relu(integers)", lambda x: np.maximum(x, 0), ANY, dtypes=INTEGER, result="same"),
    kinked("relu6", lambda x: np.clip(x, 0.0, 6.0), lambda x, y: (x > 0) & (x < 6), 0.0, 6.0),
    kinked("hardtanh", lambda x: np.clip(x, -1.0, 1.0), lambda x, y: abs(x) < 1.0, -1.0, 1.0),
    kinked("hardtanh(bounds)", lambda x, min_val, max_val: np.clip(x, min_val, max_val),
           lambda x, y, min_val, max_val: (x > min_val) & (x < max_val), -2.0, 0.5,
           plan=options(min_val=[-2.0], max_val=[0.5])),
    kinked("leaky_relu", lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
           lambda x, y, negative_slope=0.01: np.where(x > 0, 1.0, negative_slope), 0.0, exact=False,
           plan=lambda make, row, x: ([], {"negative_slope": 0.2} if make.chance(0.5) else {})),
    kinked("elu", elu, lambda x, y, alpha=1.0: np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))), 0.0,
           exact=False, plan=lambda make, row, x: ([], {"alpha": 0.7} if make.chance(0.5) else {})),
    row("swish", unary(
        lambda x, beta=1.0: x * sigmoid(beta * x),
        lambda x, y, beta=1.0: sigmoid(beta * x) * (1.0 + beta * x * (1.0 - sigmoid(beta * x)))), real(-6, 6),
        dtypes=FLOATS, result="same", torch=False,
        plan=lambda make, row, x: ([], {"beta": 1.5} if make.chance(0.5) else {})),
    kinked("clamp(both)", lambda x, min, max: np.clip(x, min, max), lambda x, y, min, max: (x > min) & (x < max), -1.0,
           0.5, plan=options(min=[-1.0], max=[0.5]),
           spellings=("clamp", ".clamp", "clip", ".clip"), covers=("clip",)),
    kinked("clamp(min)", lambda x, min: np.maximum(x, min), lambda x, y, min: x > min, 0.25,
           plan=options(min=[0.25])),
    kinked("clamp(max)", lambda x, max: np.minimum(x, max), lambda x, y, max: x < max, 0.25,
           plan=options(max=[0.25])),
    kinked("clamp_min", lambda x, min: np.maximum(x, min), lambda x, y, min: x > min, 0.25,
           plan=options(min=[0.25])),
    kinked("clamp_max", lambda x, max: np.minimum(x, max), lambda x, y, max: x < max, 0.25,
           plan=options(max=[0.25])),
    row("clamp(integers)", lambda x, min, max: np.clip(x, min, max), ANY, dtypes=("int32", "int64"), result="same",
        plan=options(min=[-1, 0], max=[1, 2])),
    row("logical_not", lambda x: np.logical_not(x.real), ANY, result="bool", smooth=False),
    *(
        row(name, lambda x, f=f: f(x.real), ANY, result="bool", changed=False)
        for name, f in [("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite)]
    ),
    Row("double", lambda x: join(value(x), slope(x)), alone, dtypes=(*ALL[:4], "float32"), result="float64",
        spellings=(".double",), exact=True),
    Row("float", lambda x: join(value(x), slope(x)), alone, dtypes=(*ALL[:4], "float64"), result="float32",
        spellings=(".float",), roundings=1),
    Row("long", lambda x: np.trunc(value(x)).astype(np.int64), alone, dtypes=("bool", "uint8", "int32", *FLOATS),
        result="int64", spellings=(".long",), guard=off_grid),
    Row("bool", lambda x: x.real != 0, alone, dtypes=NUMBERS, result="bool", spellings=(".bool",)),
    row("nan_to_num", lambda x: x, ANY, dtypes=FLOATS, result="same", exact=True),
    Row("bitwise_not", np.invert, alone, dtypes=ALL[:4], spellings=("~", "bitwise_not", ".bitwise_not"),
        in_place=in_place("bitwise_not"), covers=("__invert__",)),
)  # fmt: skip
