"""Data sets made by a formula."""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.typing import NDArray


def moons(
    n: int = 100, noise: float = 0.1, seed: int | np.random.Generator | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points from two interleaving half circles, which no straight line separates.

    With t in equal steps over [0, pi], class 0 lies on (cos t, sin t), class 1 on (1 - cos t, 1/2 - sin t):
    the geometry of scikit-learn's ``make_moons``. Noise and order come from numpy's ``default_rng``, so that
    the same seed gives other points than scikit-learn's.

    Parameters
    ----------
    n : int, default 100
        How many points; half of them are in each class, and class 1 has the odd one.
    noise : float, default 0.1
        Standard deviation of the normal noise added to both coordinates.
    seed : int, numpy.random.Generator or None
        The same int gives the same points; None gives new ones every time.

    Returns
    -------
    X : ndarray of float64, shape (n, 2)
        The points, in random order.
    y : ndarray of int64, shape (n,)
        The class, 0 or 1. A margin loss wants ``2 * y - 1``.

    Raises
    ------
    TypeError
        `n` is not an integer.
    ValueError
        `n` is less than 1, or `noise` is negative or not finite.

    Examples
    --------
    >>> from pygrad.data import moons
    >>> X, y = moons(100, noise=0.1, seed=1337)
    >>> X.shape, y.shape, int(y.sum())
    ((100, 2), (100,), 50)
    """
    count = operator.index(n)
    if count < 1:
        raise ValueError(f"n must be at least 1, got {count}")
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise is a standard deviation, finite and not negative, got {noise}")
    rng = np.random.default_rng(seed)
    outer = np.linspace(0.0, np.pi, count // 2)
    inner = np.linspace(0.0, np.pi, count - count // 2)
    X = np.concatenate(
        [
            np.column_stack([np.cos(outer), np.sin(outer)]),
            np.column_stack([1.0 - np.cos(inner), 0.5 - np.sin(inner)]),
        ]
    )
    y = np.repeat(np.array([0, 1], dtype=np.int64), [outer.size, inner.size])
    order = rng.permutation(count)
    X, y = X[order], y[order]
    X += rng.normal(scale=noise, size=X.shape)
    return X, y


def xor() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the four points of exclusive or, the smallest problem that needs a hidden layer.

    Returns
    -------
    X : ndarray of float64, shape (4, 2)
        (0, 0), (0, 1), (1, 0), (1, 1).
    y : ndarray of int64, shape (4,)
        1 where exactly one of the two is 1. A cross-entropy takes it as it is; a loss from logits wants floats, of
        the network's dtype like `X`.

    Examples
    --------
    >>> from pygrad.data import xor
    >>> X, y = xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0, 1, 1, 0], dtype=np.int64)
    return X, y
