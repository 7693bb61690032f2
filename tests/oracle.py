"""What every row of the op table has to compute, independently of the engine.

Values are formulas in another form than the engine's, evaluated in 150 decimal digits; derivatives are differences of
these formulas, which leaves 50 digits. So an oracle is exact, and a test can ask for what float64 arithmetic owes: a
few roundings, amplified by the condition of the function at that point.

Without traps: log(-1) is nan and 1/0 inf, as in IEEE arithmetic.
"""

from __future__ import annotations

import decimal
import functools
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

EPS = 2.0**-53
TINIEST = 5e-324  # what one rounding may cost near 0, where floats are no closer than that

_CONTEXT = decimal.Context(prec=150, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
ONE, TWO, HALF = Decimal(1), Decimal(2), Decimal("0.5")


# ---- functions that decimal does not have ---------------------------------------------------------------------------


def _taylor(first: Decimal, ratio: Callable[[int], Decimal]) -> Decimal:
    """Return first * (1 + ratio(1) + ratio(1) ratio(2) + ...), whose terms fall in the end, with guard digits."""
    total, term, n = first, first, 0
    while term != 0 and (n < 4 or abs(term) > abs(total) * Decimal(10) ** -(decimal.getcontext().prec + 2)):
        n += 1
        term *= ratio(n)
        total += term
    return total


def _with_digits(extra: float, function: Callable[[], Decimal]) -> Decimal:
    with decimal.localcontext() as context:
        context.prec += 10 + int(extra)
        result = function()
    return +result


@functools.cache
def _pi_to(digits: int) -> Decimal:
    def arctan_of_inverse(n: int) -> Decimal:
        total, power, k = Decimal(0), ONE / n, 1
        while power > Decimal(10) ** -(digits + 5):
            total += power / k if k % 4 == 1 else -power / k
            power /= n * n
            k += 2
        return total

    # Machin, 1706
    return _with_digits(0, lambda: 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239))


def pi() -> Decimal:
    """Return the number to the digits of the context."""
    return _pi_to(decimal.getcontext().prec)


def sin(x: Decimal) -> Decimal:
    """x - x^3/3! + x^5/5! - ..., with the digits that cancel added beforehand."""
    return _with_digits(abs(float(x)), lambda: _taylor(x, lambda n: -x * x / (2 * n * (2 * n + 1))))


def cos(x: Decimal) -> Decimal:
    """1 - x^2/2! + x^4/4! - ..."""
    return _with_digits(abs(float(x)), lambda: _taylor(ONE, lambda n: -x * x / (2 * n * (2 * n - 1))))


def atan(x: Decimal) -> Decimal:
    """x - x^3/3 + x^5/5 - ..., of a sixteenth of the angle."""

    def series() -> Decimal:
        t = x
        for _ in range(4):
            t = t / (1 + (1 + t * t).sqrt())
        return 16 * _taylor(t, lambda n: -t * t * (2 * n - 1) / (2 * n + 1))

    return _with_digits(0, series)


def asin(x: Decimal) -> Decimal:
    """The angle of the triangle with sides x and sqrt(1 - x^2)."""
    return x if x == 0 else 2 * atan(x / (1 + ((1 - x) * (1 + x)).sqrt()))


def atan2(a: Decimal, b: Decimal) -> Decimal:
    """Twice the angle that sees the chord from (-r, 0), r = sqrt(a^2 + b^2), to (b, a)."""
    return 2 * atan(a / ((a * a + b * b).sqrt() + b))


def quotient(a: Decimal, b: Decimal, rounding: str) -> Decimal:
    """a / b as a whole number."""
    return (a / b).to_integral_value(rounding)


def erf(x: Decimal) -> Decimal:
    """2/sqrt(pi) exp(-x^2) (x + 2/3 x^3 + 4/15 x^5 + ...), all terms of one sign."""
    if x * x > 3 * decimal.getcontext().prec:  # 1 to all digits
        return ONE.copy_sign(x)
    return _taylor(TWO / pi().sqrt() * (-x * x).exp() * x, lambda n: 2 * x * x / (2 * n + 1))


def erfc(x: Decimal) -> Decimal:
    """1 - erf(x), with as many digits more as it has zeros."""
    return _with_digits(0.44 * float(x) ** 2 if x > 0 else 0, lambda: 1 - erf(x))


def log1p(x: Decimal) -> Decimal:
    """log(1 + x), with as many digits more as 1 + x would lose."""
    return _with_digits(max(0, -x.adjusted()), lambda: (1 + x).ln())


def expm1(x: Decimal) -> Decimal:
    """e^x - 1, with as many digits more as that loses."""
    return _with_digits(max(0, -x.adjusted()), lambda: x.exp() - 1)


def tanh(x: Decimal) -> Decimal:
    """(1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x."""
    shrunk = (-2 * abs(x)).exp()
    return ((1 - shrunk) / (1 + shrunk)).copy_sign(x)


def logistic(x: Decimal) -> Decimal:
    """1 / (1 + e^-x); there is no overflow here."""
    return 1 / (1 + (-x).exp())


def positive(x: Decimal) -> Decimal:
    """(x + |x|) / 2."""
    return (x + abs(x)) / 2


def softplus(x: Decimal) -> Decimal:
    """log(1 + e^x), and x itself above 20, which is what PyTorch defines."""
    return x if x > 20 else log1p(x.exp())


def selu(x: Decimal) -> Decimal:
    """Klambauer et al. 2017, with the constants as PyTorch publishes them."""
    scale, alpha = Decimal("1.0507009873554804934193349852946"), Decimal("1.6732632423543772848170429916717")
    return scale * (positive(x) + alpha * expm1(-positive(-x)))


def power(a: Decimal, b: Decimal) -> Decimal:
    """exp(b log a), for positive a."""
    return (b * a.ln()).exp()


def bce(z: Decimal, t: Decimal) -> Decimal:
    """-t log p - (1 - t) log(1 - p), p the logistic function of z."""
    return t * log1p((-z).exp()) + (1 - t) * log1p(z.exp())


def mish(x: Decimal) -> Decimal:
    """x tanh(log(1 + e^x)), the hyperbolic tangent written out."""
    n = x.exp() * (x.exp() + 2)
    return x * n / (n + 2)


# ---- the table ------------------------------------------------------------------------------------------------------

#: name of a row -> its value
VALUE: dict[str, Callable[..., Decimal]] = {
    "neg": lambda x: 0 - x,
    "exp": lambda x: 1 / (-x).exp(),
    "expm1": expm1,
    "exp2": lambda x: TWO**x,
    "log": lambda x: x.log10() * Decimal(10).ln(),
    "log2": lambda x: x.ln() / TWO.ln(),
    "log10": lambda x: x.ln() / Decimal(10).ln(),
    "log1p": log1p,
    "sqrt": lambda x: x.sqrt(),
    "rsqrt": lambda x: (1 / x).sqrt(),
    "square": lambda x: x * abs(x) if x > 0 else -x * abs(x),
    "reciprocal": lambda x: x / (x * x),
    "abs": lambda x: max(x, -x),
    "sign": lambda x: x / abs(x),
    "floor": lambda x: x.to_integral_value(decimal.ROUND_FLOOR),
    "ceil": lambda x: x.to_integral_value(decimal.ROUND_CEILING),
    "round": lambda x: x.to_integral_value(decimal.ROUND_HALF_EVEN),
    "trunc": lambda x: x.to_integral_value(decimal.ROUND_DOWN),
    "sin": sin,
    "cos": cos,
    "tan": lambda x: sin(x) / cos(x),
    "asin": asin,
    "acos": lambda x: pi() / 2 - asin(x),
    "atan": atan,
    "sinh": lambda x: (expm1(x) - expm1(-x)) / 2,
    "cosh": lambda x: (x.exp() + (-x).exp()) / 2,
    "erf": erf,
    "erfc": erfc,
    "tanh": tanh,
    "sigmoid": lambda x: HALF + tanh(x / 2) / 2 if x > -1 else x.exp() / (1 + x.exp()),
    "relu": positive,
    "relu6": lambda x: positive(x) - positive(x - 6),
    "hardtanh": lambda x: (abs(x + 1) - abs(x - 1)) / 2,
    "gelu": lambda x: x * erfc(-x / TWO.sqrt()) / 2,
    "gelu_tanh": lambda x: x * logistic(2 * (TWO / pi()).sqrt() * (x + Decimal("0.044715") * x**3)),
    "silu": lambda x: x / (1 + (-x).exp()),
    "softplus": softplus,
    "logsigmoid": lambda x: -log1p((-x).exp()),
    "selu": selu,
    "mish": mish,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: a * (1 / b),
    "pow": power,
    "maximum": lambda a, b: (a + b + abs(a - b)) / 2,
    "minimum": lambda a, b: (a + b - abs(a - b)) / 2,
    "fmax": lambda a, b: (a + b + abs(a - b)) / 2,
    "fmin": lambda a, b: (a + b - abs(a - b)) / 2,
    "floor_divide": lambda a, b: quotient(a, b, decimal.ROUND_FLOOR),
    "remainder": lambda a, b: a - b * quotient(a, b, decimal.ROUND_FLOOR),
    "fmod": lambda a, b: a - b * quotient(a, b, decimal.ROUND_DOWN),
    "hypot": lambda a, b: (a * a + b * b).sqrt(),
    "atan2": atan2,
    "logaddexp": lambda a, b: (a.exp() + b.exp()).ln(),
    "leaky_relu": lambda x, slope: positive(x) - slope * positive(-x),
    "elu": lambda x, alpha: positive(x) + alpha * expm1(-positive(-x)),
    "swish": lambda x, beta: x / (1 + (-beta * x).exp()),
    "bce_with_logits": bce,
}

#: Where a row has no derivative, or a jump: what concerns these points is in the tests of edges.
KINKS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("floor", "ceil", "trunc"), (-700.0, -40.0, -25.0, 21.0, 40.0, 700.0)),
    "round": (-12.5, -6.5, 6.5, 12.5),
    "abs": (0.0,),
    "sign": (0.0,),
    "relu": (0.0,),
    "relu6": (0.0, 6.0),
    "hardtanh": (-1.0, 1.0),
    "softplus": (20.0,),
    "selu": (0.0,),
    "leaky_relu": (0.0,),
    "elu": (0.0,),
}

#: Where a row of two has none: the one jumps where the quotient is whole, the other bends where operands meet.
KINKS_OF_TWO: dict[str, Callable[[float, float], bool]] = {
    **dict.fromkeys(("floor_divide", "remainder", "fmod"), lambda a, b: math.fmod(a, b) == 0.0),
    **dict.fromkeys(("fmax", "fmin"), operator.eq),
}

#: How far from 0 an oracle reaches, where its derivative drowns in a value near 1 beyond.
REACH = {
    "erf": 12.5,
    "erfc": 12.5,
    "gelu": 40.0,
    "selu": 80.0,
    "elu": 80.0,
    "sin": 40.0,
    "cos": 40.0,
    "tan": 40.0,
    "logaddexp": 40.0,
}

#: Rows whose derivative is a difference of numbers near 1, and so has the rounding errors of 1.
DIFFERENCE_OF_ONES = {
    "expm1", "tanh", "sigmoid", "gelu", "gelu_tanh", "silu", "mish", "swish", "bce_with_logits",
}  # fmt: skip

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


def apply(name: str, *operands: Any) -> Any:
    """Apply a row to values of this engine or of the reference, as a user writes it."""
    if name in _OPERATORS:
        return _OPERATORS[name](*operands)
    return getattr(operands[0], name)(*operands[1:])


def exactly(function: Callable[..., Decimal], *at: float | Decimal) -> Decimal:
    """Return function(*at)."""
    with decimal.localcontext(_CONTEXT):
        return function(*(+Decimal(x) for x in at))


def slope(function: Callable[..., Decimal], by: int, *at: float | Decimal) -> Decimal:
    """Return the derivative of function with respect to operand `by`: a central difference."""
    with decimal.localcontext(_CONTEXT):
        low = [+Decimal(x) for x in at]
        high = list(low)
        h = Decimal("1e-50") * (abs(low[by]) if low[by] != 0 else 1)
        low[by] -= h
        high[by] += h
        return (function(*high) - function(*low)) / (2 * h)


def value_and_room(name: str, *at: float) -> tuple[float, float]:
    """Return the value of a row, and how far off float64 arithmetic may be: eight roundings of it or its inputs."""
    value = exactly(VALUE[name], *at)
    room = abs(value) + sum(abs(Decimal(x) * slope(VALUE[name], i, *at)) for i, x in enumerate(at))
    if name == "gelu_tanh":  # 1 + tanh, as it is defined, cancels in the left tail
        room += abs(Decimal(at[0]))
    return float(value), 8 * EPS * float(room) + 2 * TINIEST


def slope_and_room(name: str, by: int, *at: float) -> tuple[float, float]:
    """Return the derivative of a row with respect to operand `by`, and how far off float64 arithmetic may be."""

    def derivative(*point: Decimal) -> Decimal:
        return slope(VALUE[name], by, *point)

    value = derivative(*at)
    room = abs(value) + sum(abs(Decimal(x) * slope(derivative, i, *at)) for i, x in enumerate(at))
    if name in DIFFERENCE_OF_ONES:
        room += 1 + sum(abs(Decimal(x)) for x in at)
    return float(value), 8 * EPS * float(room) + 2 * TINIEST


# ---- comparison -----------------------------------------------------------------------------------------------------


def same(actual: float, wanted: float) -> bool:
    """Tell whether two floats are the same, nan and the sign of zero included."""
    if math.isnan(wanted):
        return math.isnan(actual)
    return actual == wanted and math.copysign(1.0, actual) == math.copysign(1.0, wanted)


def close(actual: float, wanted: float, room: float) -> bool:
    """Tell whether two floats differ by at most `room`; infinities and nans have to be the same."""
    if not math.isfinite(wanted) or not math.isfinite(actual):
        return same(actual, wanted)
    return abs(actual - wanted) <= room
