"""Tensors of random numbers.

They come from one default generator, which `manual_seed` starts, or from the `pygrad.random.Generator` given. For one
seed they are the same in every run: element i depends on the seed, on what was drawn before, and on i alone.
"""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

from . import dtypes
from ._engine import Tensor, native
from ._types import DType, Sizes
from .creation import like, read_dtype, read_size, read_whole
from .dtypes import as_dtype
from .random import Generator, address_of, manual_seed

__all__ = [
    "manual_seed",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def _finish(t: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        t.requires_grad = True
    return t


def rand(
    *args: Sizes,
    size: Sizes | None = None,
    generator: Generator | None = None,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor (size) of numbers uniform on [0, 1): float32 of 24 random bits, float64 of 53.

    Raises
    ------
    TypeError
        When the dtype is no floating-point one, or the generator none of ours.

    Notes
    -----
    The numbers are those of ``numpy.random.Generator(numpy.random.Philox(key=seed)).random(size, dtype)``.

    Examples
    --------
    >>> x = rand(2, 3, generator=Generator(1))
    >>> x.shape, max(max(x.tolist())) < 1
    ((2, 3), True)
    """
    made = native.tensor_rand(read_size("rand", args, size), read_dtype(dtype), address_of(generator))
    return _finish(made, requires_grad)


def randn(
    *args: Sizes,
    size: Sizes | None = None,
    generator: Generator | None = None,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor (size) of normal numbers, of mean 0 and variance 1.

    Raises
    ------
    TypeError
        When the dtype is no floating-point one, or the generator none of ours.

    Notes
    -----
    By the transform of two uniform numbers u and v: sqrt(-2 ln u) cos(2 pi v).

    References
    ----------
    G. Box, M. Muller, "A note on the generation of random normal deviates", 1958.

    Examples
    --------
    >>> _ = manual_seed(3)
    >>> x = randn(4)
    >>> _ = manual_seed(3)
    >>> x.tolist() == randn(4).tolist()
    True
    """
    made = native.tensor_randn(read_size("randn", args, size), read_dtype(dtype), address_of(generator))
    return _finish(made, requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Sizes | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of integers from low to high - 1, all equally likely.

    Parameters
    ----------
    low : int
        0 unless given: ``randint(high, size)`` is enough.
    high : int
        One more than the largest.
    size : sequence of int
        The size of each dimension.
    generator : Generator, optional
        Where to draw from.
    dtype : dtype, optional
        int64 unless given; floating-point ones too.
    requires_grad : bool
        As for the others.

    Raises
    ------
    RuntimeError
        When low is not less than high, or the dtype cannot hold them all. (It is a ValueError too.)

    References
    ----------
    D. Lemire, "Fast random integer generation in an interval", 2019.

    Examples
    --------
    >>> x = randint(2, 5, (100,))
    >>> sorted(set(x.tolist())), x.dtype
    ([2, 3, 4], pygrad.int64)
    """
    if size is None:
        low, high, size = None, low, high
    elif high is None:
        low, high = None, low
    if high is None or size is None:
        raise TypeError("randint() needs high and size: randint(10, (2, 3))")
    kind = dtypes.int64 if dtype is None else as_dtype(dtype)
    first, end = (read_whole("randint", operator.index(x)) for x in (0 if low is None else low, high))
    return _finish(native.tensor_randint(first, end, size, kind, address_of(generator)), requires_grad)


def randperm(n: SupportsIndex, *, generator: Generator | None = None, dtype: DType = None) -> Tensor:
    """Return the integers 0 to n - 1 in an order of which all are equally likely, int64 unless a dtype is given.

    Raises
    ------
    RuntimeError
        When n is negative.

    Examples
    --------
    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    made: Tensor = native.tensor_randperm(operator.index(n), address_of(generator))
    return made if dtype is None else native.tensor_to(made, as_dtype(dtype))


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return numbers uniform on [0, 1) in the shape of another tensor, and of its dtype unless one is given.

    Examples
    --------
    >>> import pygrad
    >>> rand_like(pygrad.zeros(2, 3)).shape
    (2, 3)
    """
    return _finish(native.tensor_rand(*like("rand_like", input, dtype), address_of(generator)), requires_grad)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return normal numbers in the shape of another tensor, and of its dtype unless one is given.

    Examples
    --------
    >>> import pygrad
    >>> randn_like(pygrad.zeros(2, 3, dtype="float64")).dtype
    pygrad.float64
    """
    return _finish(native.tensor_randn(*like("randn_like", input, dtype), address_of(generator)), requires_grad)


def randint_like(
    input: Tensor,
    low: SupportsIndex | None = None,
    high: SupportsIndex | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return integers from low (0) to high - 1 in the shape of another tensor, and of its dtype unless one is given.

    Examples
    --------
    >>> import pygrad
    >>> randint_like(pygrad.zeros(2), 7, 8)
    tensor([7., 7.])
    """
    first, end = (0, low) if high is None else (low, high)
    size, kind = like("randint_like", input, dtype)
    return randint(first, end, size, generator=generator, dtype=kind, requires_grad=requires_grad)
