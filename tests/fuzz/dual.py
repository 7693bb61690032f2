"""Values and their derivative along one direction, in one complex array: x + i h u.

h is so small that its square vanishes beside every value: sums, products, matrix products, indexing and everything
else that is linear or a polynomial carries the derivative by itself, without the error of a difference. A function
which complex numbers do not serve is given by its value and its derivative. Views of such an array are numpy's views,
and what is written through one is seen through the others, values and derivatives alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
H = 2.0**-100


def value(x: Any) -> Any:
    """Return the float64 values, without a copy where they are floats."""
    x = np.asarray(x)
    return x.real if x.dtype.kind in "fc" else x.astype(np.float64)


def slope(x: Any) -> Any:
    """Return h times the derivative; 0 of what has none."""
    return x.imag if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "c" else 0.0


def join(y: Any, dy: Any) -> Array:
    y = np.asarray(y)
    z = np.empty(y.shape, np.complex128)
    z.real = y
    z.imag = dy
    return z


def unary(f: Callable[..., Any], df: Callable[..., Any]) -> Callable[..., Array]:
    """Build an elementwise function from f(x) and its derivative df(x, y) where y = f(x)."""

    def function(x: Any, **options: Any) -> Array:
        r = value(x)
        y = f(r, **options)
        return join(y, df(r, y, **options) * slope(x))

    return function


def binary(f: Callable[..., Any], da: Callable[..., Any], db: Callable[..., Any]) -> Callable[..., Array]:
    """Build a function of two numbers from f(a, b) and its derivatives da(a, b, y) and db(a, b, y).

    Integers stay integers where f keeps them.
    """

    def function(a: Any, b: Any, **options: Any) -> Array:
        if isinstance(a, Array) and isinstance(b, Array) and a.dtype.kind in "biu" and b.dtype.kind in "biu":
            return f(a, b, **options)
        u, v = value(a), value(b)
        y = f(u, v, **options)
        return join(y, da(u, v, y, **options) * slope(a) + db(u, v, y, **options) * slope(b))

    return function


def constant(f: Callable[..., Any]) -> Callable[..., Array]:
    """Build a function whose derivative is 0 wherever it has one."""
    return lambda *xs, **options: join(f(*map(value, xs), **options), 0.0)
