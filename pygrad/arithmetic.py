"""Elementwise functions with options: rounding to digits, interpolation, numbers in the place of nan and inf."""

from __future__ import annotations

import math
from collections.abc import Callable

from ._engine import DTypeError, Tensor
from ._method import method
from .dtypes import finfo
from .elementwise import where

__all__ = ["lerp", "nan_to_num", "round"]

# Of C, before the method of the same name below takes its place.
_round: Callable[[Tensor], Tensor] = getattr(Tensor, "round")  # noqa: B009


@method
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Return the nearest whole number, the even one of two, for each element; its gradient is 0.

    Parameters
    ----------
    input : Tensor
        Integers are returned as they are.
    decimals : int
        Digits to keep after the point, of floats; negative ones count before it. What is rounded then is the
        product ``input * 10**decimals``.

    Raises
    ------
    DTypeError
        When decimals are asked of a tensor of integers, or anything of bools.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.round(pygrad.tensor([0.5, 1.5, -2.25]))
    tensor([ 0.,  2., -2.])
    >>> pygrad.round(pygrad.tensor([1.234, 5.678]), decimals=1)
    tensor([1.2000, 5.7000])
    """
    if decimals == 0:
        return _round(input)
    if not input.is_floating_point():
        raise DTypeError(f"round: decimals={decimals} needs a tensor of floats, not of {input.dtype}")
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return _round(input * scale) / scale
    return _round(input / scale) * scale


@method
def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """Return ``input + weight * (end - input)``, broadcast: `input` at weight 0, `end` at weight 1, both exactly.

    Differentiable in all three: ``1 - weight``, ``weight``, and ``end - input``.

    Parameters
    ----------
    input, end : Tensor
        Of one floating dtype.
    weight : Tensor or float
        A tensor has the dtype of the others, or no dimensions.

    Raises
    ------
    DTypeError
        When the tensors are not of one floating dtype.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.lerp(pygrad.tensor([0.0, 10.0]), pygrad.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    _check_dtypes(input, end, weight)
    difference = end - input
    if not isinstance(weight, Tensor):
        return input + weight * difference if abs(weight) < 0.5 else end - (1.0 - weight) * difference
    # Each half from its own end, so that neither end is missed by a rounding.
    return where(weight.abs() < 0.5, input + weight * difference, end - (1.0 - weight) * difference)


def _check_dtypes(input: Tensor, end: Tensor, weight: Tensor | float) -> None:
    if not isinstance(input, Tensor) or not isinstance(end, Tensor):
        raise TypeError(f"lerp takes two Tensors and a weight, not {input!r} and {end!r}")
    if not input.is_floating_point():
        raise DTypeError(f"lerp: not defined for tensors of {input.dtype}, only for floats")
    if end.dtype != input.dtype:
        raise DTypeError(f"lerp: expected dtype {input.dtype} for `end` but got dtype {end.dtype}")
    if isinstance(weight, Tensor) and weight.ndim > 0 and weight.dtype != input.dtype:
        raise DTypeError(f"lerp: expected dtype {input.dtype} for `weight` but got dtype {weight.dtype}")


@method
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return the input with numbers in the place of nan and the infinities, which get a gradient of 0.

    Parameters
    ----------
    nan, posinf, neginf
        What to put for each; 0, the largest and the smallest number of the dtype unless given.

    Examples
    --------
    >>> import math, pygrad
    >>> pygrad.nan_to_num(pygrad.tensor([1.0, math.nan, -math.inf]), neginf=-9)
    tensor([ 1.,  0., -9.])
    """
    if not input.is_floating_point():
        return input.clone()
    largest = finfo(input.dtype).max
    high, low = largest if posinf is None else posinf, -largest if neginf is None else neginf
    known = where(input == math.inf, high, where(input == -math.inf, low, input))
    return where(input != input, 0.0 if nan is None else nan, known)
