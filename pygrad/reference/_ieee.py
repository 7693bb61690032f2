"""The functions of `math` with IEEE 754 results instead of exceptions.

Python raises where C returns inf or nan: ``1.0 / 0.0``, ``math.log(0.0)``, ``math.exp(1000.0)``; and its
``(-8.0) ** (1 / 3)`` is a complex number. A learning rate that is too high has to end in nan, not in a
traceback, so the engine computes with these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf, nan


def divide(a: float, b: float) -> float:
    """Return a / b: for b = 0 inf with the sign of the quotient, or nan if a is 0 too."""
    try:
        return a / b
    except ZeroDivisionError:
        return a * math.copysign(inf, b)


def power(a: float, b: float) -> float:
    """Return a**b: nan for a negative base with a fractional exponent, inf at overflow and for 0**-1."""
    try:
        return math.pow(a, b)
    except ValueError:
        if a != 0.0:
            return nan
    except OverflowError:
        pass
    # The base keeps its sign, which -0.0 has too, only through an odd exponent.
    return math.copysign(inf, a) if abs(math.fmod(b, 2.0)) == 1.0 else inf


def exp(x: float) -> float:
    """Return e**x, inf where it overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return inf


def expm1(x: float) -> float:
    """Return e**x - 1 without cancellation near 0, inf where it overflows."""
    try:
        return math.expm1(x)
    except OverflowError:
        return inf


def log(x: float) -> float:
    """Return the natural logarithm: -inf at 0, nan below."""
    if x == 0.0:
        return -inf
    return math.log(x) if x > 0.0 else nan


def log1p(x: float) -> float:
    """Return log(1 + x) without cancellation near 0: -inf at -1, nan below."""
    if x == -1.0:
        return -inf
    return math.log1p(x) if x > -1.0 else nan


def sqrt(x: float) -> float:
    """Return the square root, nan below 0."""
    return math.sqrt(x) if x >= 0.0 else nan


def sin(x: float) -> float:
    """Return the sine of x radians, nan at the infinities."""
    return math.sin(x) if math.isfinite(x) else nan


def cos(x: float) -> float:
    """Return the cosine of x radians, nan at the infinities."""
    return math.cos(x) if math.isfinite(x) else nan


def exp2(x: float) -> float:
    """Return 2**x, inf where it overflows."""
    try:
        return math.exp2(x)
    except OverflowError:
        return inf


def log2(x: float) -> float:
    """Return the logarithm to base 2: -inf at 0, nan below."""
    if x == 0.0:
        return -inf
    return math.log2(x) if x > 0.0 else nan


def log10(x: float) -> float:
    """Return the logarithm to base 10: -inf at 0, nan below."""
    if x == 0.0:
        return -inf
    return math.log10(x) if x > 0.0 else nan


def tan(x: float) -> float:
    """Return the tangent of x radians, nan at the infinities."""
    return math.tan(x) if math.isfinite(x) else nan


def asin(x: float) -> float:
    """Return the inverse sine, nan beyond -1 and 1."""
    return math.asin(x) if -1.0 <= x <= 1.0 else nan


def acos(x: float) -> float:
    """Return the inverse cosine, nan beyond -1 and 1."""
    return math.acos(x) if -1.0 <= x <= 1.0 else nan


def sinh(x: float) -> float:
    """Return the hyperbolic sine, an infinity where it overflows."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(inf, x)


def cosh(x: float) -> float:
    """Return the hyperbolic cosine, inf where it overflows."""
    try:
        return math.cosh(x)
    except OverflowError:
        return inf


def whole(rule: Callable[[float], int], x: float) -> float:
    """Return the whole number that `rule`, such as `math.floor`, makes of x; 0 with the sign of x."""
    return math.copysign(float(rule(x)), x) if math.isfinite(x) else x


def fmod(a: float, b: float) -> float:
    """Return what is left of a after b was taken away as often as it fits, with the sign of a; nan for b = 0."""
    return math.fmod(a, b) if math.isfinite(a) and b != 0.0 else nan


def remainder(a: float, b: float) -> float:
    """Return `fmod`, or the number that is b away from it and has the sign of b."""
    rest = fmod(a, b)
    return rest + b if rest * sign(b) < 0.0 else rest


def trunc_divide(a: float, b: float) -> float:
    """Return the whole number next to a / b towards 0, from what is left rather than the rounded quotient."""
    rest = fmod(a, b)
    return divide(a, b) if math.isnan(rest) else whole(round, (a - rest) / b)


def floor_divide(a: float, b: float) -> float:
    """Return the next whole number below a / b, from what is left rather than the rounded quotient."""
    if b == 0.0:
        return divide(a, b)
    rest = fmod(a, b)
    quotient = whole(round, (a - rest) / b) - float(rest * sign(b) < 0.0)
    return quotient if quotient != 0.0 else math.copysign(0.0, a / b)


def sign(x: float) -> float:
    """Return -1, 0 or 1; for nan 0, as PyTorch does."""
    return float((x > 0.0) - (x < 0.0))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e**-x); on either side the form whose exponential cannot overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """Return log(1 + e**x); above 20 x itself, as PyTorch does (they differ by less than e**-20)."""
    return x if x > 20.0 else math.log1p(math.exp(x))


def normal_cdf(x: float) -> float:
    """Return Phi(x), the standard normal distribution; by erfc, because 1 + erf cancels in the left tail."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_pdf(x: float) -> float:
    """Return phi(x) = Phi'(x), the density of the standard normal distribution."""
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
