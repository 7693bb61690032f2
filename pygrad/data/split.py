"""Holding a part of the data back, to measure on what was not learnt from."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def train_test_split(
    X: ArrayLike,
    y: ArrayLike,
    test_size: float | int = 0.2,
    seed: int | np.random.Generator | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Shuffle samples and their labels together and split them in two.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Samples along the first axis.
    y : array_like, shape (n, ...)
        As many labels.
    test_size : float or int, default 0.2
        A float between 0 and 1 is the fraction that is held back, rounded up to whole samples; an int is the
        number of samples.
    seed : int, numpy.random.Generator or None
        The same int gives the same split; None gives a new one every time.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Copies, in scikit-learn's order and in the dtypes of `X` and `y`.

    Raises
    ------
    TypeError
        `test_size` is not a number.
    ValueError
        `X` and `y` differ in length or are single numbers, or one of the two parts would be empty.

    Examples
    --------
    >>> from pygrad.data import digits, train_test_split
    >>> X_train, X_test, y_train, y_test = train_test_split(*digits(), test_size=0.2, seed=0)
    >>> X_train.shape, X_test.shape, y_train.shape, y_test.shape
    ((1437, 64), (360, 64), (1437,), (360,))
    """
    samples, labels = np.asarray(X), np.asarray(y)
    if samples.ndim == 0 or labels.ndim == 0:
        raise ValueError("X and y must have a first axis to split along, got a single number")
    n = len(samples)
    if len(labels) != n:
        raise ValueError(f"X has {n} samples and y {len(labels)} labels; they must be as many")
    n_test = _test_count(test_size, n)
    order = np.random.default_rng(seed).permutation(n)
    test, train = order[:n_test], order[n_test:]
    return samples[train], samples[test], labels[train], labels[test]


def _test_count(test_size: object, n: int) -> int:
    if isinstance(test_size, bool) or not isinstance(test_size, Real):
        raise TypeError(f"test_size must be an int or a float, got {type(test_size).__name__}")
    if isinstance(test_size, Integral):
        count = int(test_size)
    elif 0.0 < float(test_size) < 1.0:
        count = math.ceil(float(test_size) * n)
    else:
        raise ValueError(f"test_size as a fraction must lie between 0 and 1, got {test_size}")
    if not 0 < count < n:
        raise ValueError(f"test_size={test_size} of {n} samples would leave one part empty")
    return count
