"""The functions of `math` with IEEE 754 results instead of exceptions.

Python raises where C returns inf or nan: ``1.0 / 0.0``, ``math.log(0.0)``, ``math.exp(1000.0)``; and its
``(-8.0) ** (1 / 3)`` is a complex number. A learning rate that is too high has to end in nan, not in a
traceback, so the engine computes with these.
"""

from __future__ import annotations

import math
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
