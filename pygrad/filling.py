"""Methods that fill a tensor with random numbers; see `sampling` for where those come from."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from . import dtypes
from ._engine import DTypeError, Tensor, native
from ._method import method
from .creation import empty
from .random import Generator, address_of
from .sampling import rand, randint

# In the order of PyTorch's signatures, whose defaults these are.


@method
def uniform_(self: Tensor, low: float = 0.0, high: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with numbers uniform on [low, high), and return it.

    Raises
    ------
    RuntimeError
        When it is a leaf that requires a gradient, outside `no_grad`; or has one element in several places.
    ValueError
        When low is greater than high, or one is not finite.
    TypeError
        When its dtype is no floating-point one.

    Notes
    -----
    The gradient of what was there before is 0.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(3).uniform_(2, 3)
    >>> min(x.tolist()) >= 2
    True
    """
    return native.tensor_uniform_(self, low, high, address_of(generator))


@method
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with normal numbers of this mean and standard deviation, and return it.

    Raises
    ------
    RuntimeError
        When it is a leaf that requires a gradient, outside `no_grad`; or has one element in several places.
    ValueError
        When the standard deviation is negative.
    TypeError
        When its dtype is no floating-point one.

    Notes
    -----
    The gradient of what was there before is 0.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2).normal_(5.0, 0.0)
    tensor([5., 5.])
    """
    return native.tensor_normal_(self, mean, std, address_of(generator))


# These are drawn in float64 beside the tensor, and converted.


def _bernoulli(input: Tensor, p: Tensor | float, generator: Generator | None) -> Tensor:
    return rand(input.shape, generator=generator, dtype=dtypes.float64) < p


@method
def bernoulli_(self: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with 1 with probability p, else 0, and return it.

    Parameters
    ----------
    p
        A number, or a tensor of floats that broadcasts to self.

    Raises
    ------
    RuntimeError
        When it is a leaf that requires a gradient, outside `no_grad`; or has one element in several places.
    ValueError
        When a probability is not between 0 and 1.
    ShapeError
        When p does not broadcast to the tensor.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(3).bernoulli_(1.0)
    tensor([1., 1., 1.])
    """
    inside = (p >= 0) & (p <= 1)
    if not (inside.all() if isinstance(inside, Tensor) else inside):
        raise ValueError(f"bernoulli_: probabilities have to be between 0 and 1, not {p!r}")
    return native.tensor_in_place("bernoulli_", _bernoulli, self, p, generator)


def _need_floats(op: str, input: Tensor) -> None:
    if not input.is_floating_point():
        raise DTypeError(f"{op}: only a tensor of floats can hold the numbers, not one of {input.dtype}")


def _exponential(input: Tensor, lambd: float, generator: Generator | None) -> Tensor:
    return rand(input.shape, generator=generator, dtype=dtypes.float64).neg_().log1p_().div_(-lambd)


@method
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with exponential numbers, of density ``lambd * exp(-lambd * x)``, and return it.

    Raises
    ------
    RuntimeError
        When it is a leaf that requires a gradient, outside `no_grad`; or has one element in several places.
    ValueError
        When lambd is not positive.
    DTypeError
        When its dtype is no floating-point one.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(1000).exponential_(4.0, generator=Generator(0))
    >>> abs(x.mean().item() - 1 / 4) < 0.03
    True
    """
    _need_floats("exponential_", self)
    if not lambd > 0:
        raise ValueError(f"exponential_: lambd has to be positive, not {lambd!r}")
    return native.tensor_in_place("exponential_", _exponential, self, lambd, generator)


def _log_normal(input: Tensor, mean: float, std: float, generator: Generator | None) -> Tensor:
    return empty(input.shape, dtype=dtypes.float64).normal_(mean, std, generator=generator).exp_()


@method
def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with numbers whose logarithms are normal, of this mean and standard deviation, and return it.

    Raises
    ------
    RuntimeError
        When it is a leaf that requires a gradient, outside `no_grad`; or has one element in several places.
    ValueError
        When the standard deviation is negative.
    DTypeError
        When its dtype is no floating-point one.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2).log_normal_(0.0, 0.0)
    tensor([1., 1.])
    """
    _need_floats("log_normal_", self)
    return native.tensor_in_place("log_normal_", _log_normal, self, mean, std, generator)


# The largest of the numbers without a gap: what `random_` goes to by itself.
_LAST = {"bool": 1, "uint8": 2**8 - 1, "int32": 2**31 - 1, "int64": 2**63 - 2, "float32": 2**24, "float64": 2**53}


def _randint(input: Tensor, low: int, high: int, generator: Generator | None) -> Tensor:
    return randint(low, high, input.shape, generator=generator, dtype=input.dtype)


@method
def random_(
    self: Tensor,
    low: SupportsIndex | None = None,
    high: SupportsIndex | None = None,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill the tensor with integers from low (0) to high - 1, and return it; ``random_(high)`` is enough.

    Without a bound they go to the largest number of an integer dtype (for int64, to the one before it), and in floats
    to 2**24 or 2**53, below which every integer is a float.

    Raises
    ------
    RuntimeError
        When low is not less than high, or the dtype cannot hold them all. (It is a ValueError too.) When the tensor is
        a leaf that requires a gradient, outside `no_grad`; or has one element in several places.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2).random_(3, 4)
    tensor([3., 3.])
    """
    first, end = (0, low) if high is None else (low, high)
    last = _LAST[self.dtype.name] + 1 if end is None else operator.index(end)
    return native.tensor_in_place("random_", _randint, self, 0 if first is None else first, last, generator)
