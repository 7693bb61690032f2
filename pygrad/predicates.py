"""What kind of numbers a tensor holds, and whether two tensors hold nearly the same."""

from __future__ import annotations

import math

from ._engine import DTypeError, Tensor
from ._method import method
from .dtypes import get_default_dtype

__all__ = ["allclose", "isclose", "isfinite", "isinf", "isnan"]


@method
def isnan(input: Tensor) -> Tensor:
    """Return a bool tensor: where the input is nan, which integers never are.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.isnan(pygrad.tensor([1.0, float("nan"), float("inf")]))
    tensor([False,  True, False])
    """
    return input != input


@method
def isinf(input: Tensor) -> Tensor:
    """Return a bool tensor: where the input is infinite, with either sign.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.isinf(pygrad.tensor([1.0, float("nan"), float("-inf")]))
    tensor([False, False,  True])
    """
    return (input == math.inf) | (input == -math.inf)


@method
def isfinite(input: Tensor) -> Tensor:
    """Return a bool tensor: where the input is neither infinite nor nan.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.isfinite(pygrad.tensor([1.0, float("nan"), float("inf")]))
    tensor([ True, False, False])
    """
    return (input > -math.inf) & (input < math.inf)


@method
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Return a bool tensor: where ``|input - other| <= atol + rtol * |other|``, broadcast.

    Infinities are close to themselves only; nan is close to nothing, and to nan with `equal_nan`.

    Parameters
    ----------
    input, other : Tensor
        Of one dtype.
    rtol, atol : float
        Not negative.
    equal_nan : bool

    Raises
    ------
    DTypeError
        When the dtypes differ.
    RuntimeError
        When a tolerance is negative.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.isclose(pygrad.tensor([1.0, 100.0]), pygrad.tensor([1.1, 100.0001]))
    tensor([False,  True])
    """
    for x in (input, other):
        if not isinstance(x, Tensor):
            raise TypeError(f"isclose takes two Tensors, not {x!r} of type {type(x).__name__}")
    if input.dtype != other.dtype:
        raise DTypeError(f"isclose: {input.dtype} did not match {other.dtype}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"isclose: {name} must be greater than or equal to zero, but got {tolerance}")
    a, b = input.detach(), other.detach()
    close = a == b
    if equal_nan and a.is_floating_point():
        close = close | (isnan(a) & isnan(b))
    if rtol == 0 and atol == 0:
        return close
    if not b.is_floating_point():
        b = b.to(get_default_dtype())
    error = (a - b).abs()
    return close | (isfinite(error) & (error <= atol + (rtol * b).abs()))


@method
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Tell whether all elements are close: see `isclose`, which takes the same and raises the same.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.allclose(pygrad.tensor([0.1 + 0.2]), pygrad.tensor([0.3]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())
