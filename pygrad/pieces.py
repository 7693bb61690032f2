"""Tensors in pieces, and their diagonals: views, except for `diag`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex

from . import dtypes
from ._engine import DTypeError, ShapeError, Tensor, native
from ._method import method
from ._types import Sizes

__all__ = ["chunk", "diag", "diagonal", "split", "trace", "unbind"]


def _size(op: str, x: Tensor, dim: SupportsIndex) -> int:
    """Return the size of a dimension.

    Raises
    ------
    ShapeError
        When there are no dimensions.
    IndexError
        When there is no such dimension.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{op} takes a Tensor, not {x!r} of type {type(x).__name__}")
    shape, at = x.shape, operator.index(dim)
    if not shape:
        raise ShapeError(f"{op}: expects at least a 1-dimensional tensor")
    if not -len(shape) <= at < len(shape):
        raise IndexError(
            f"{op}: Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got {at})"
        )
    return shape[at]


def split(tensor: Tensor, split_size_or_sections: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of consecutive parts along a dimension.

    Parameters
    ----------
    tensor
        Of one dimension or more.
    split_size_or_sections
        The size of each part but the last, which may be smaller; or the sizes of all of them. The method calls it
        `split_size`.
    dim
        Counted from the end when negative.

    Raises
    ------
    ShapeError
        When a size is negative, 0 for a dimension that has elements, or the sizes do not sum to the dimension's.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> [part.tolist() for part in pygrad.arange(5).split(2)]
    [[0, 1], [2, 3], [4]]
    >>> [part.tolist() for part in pygrad.arange(5).split([1, 4])]
    [[0], [1, 2, 3, 4]]
    """
    size = _size("split", tensor, dim)
    if isinstance(split_size_or_sections, Sequence):
        return native.tensor_split(tensor, [operator.index(n) for n in split_size_or_sections], dim)
    step = operator.index(split_size_or_sections)
    if step < 0 or (step == 0 and size > 0):
        raise ShapeError(
            f"split: the size of a part has to be positive (0 only for a dimension of size 0), not {step} for "
            f"dimension {dim} of the shape {list(tensor.shape)}"
        )
    whole, rest = divmod(size, step) if step > 0 else (0, 0)
    sizes = [step] * whole + ([rest] if rest > 0 or whole == 0 else [])
    return native.tensor_split(tensor, sizes, dim)


def _split_method(self: Tensor, split_size: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    return split(self, split_size, dim)


_split_method.__name__ = "split"
_split_method.__doc__ = split.__doc__
method(_split_method)


@method
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return at most `chunks` views of consecutive parts along a dimension, alike in size but for the last.

    Each has ``ceil(size / chunks)``, which may make them fewer than `chunks`.

    Raises
    ------
    ShapeError
        When `chunks` is not positive, or `input` has no dimensions.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> [part.tolist() for part in pygrad.arange(7).chunk(5)]
    [[0, 1], [2, 3], [4, 5], [6]]
    """
    size, n = _size("chunk", input, dim), operator.index(chunks)
    if n <= 0:
        raise ShapeError(f"chunk: chunks has to be greater than 0, not {n}")
    if size == 0:
        return native.tensor_split(input, [0] * n, dim)
    return split(input, -(-size // n), dim)


@method
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the view ``x[i]`` along dimension `dim`, which the results do not have, for every i.

    Raises
    ------
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> [row.tolist() for row in pygrad.tensor([[1, 2], [3, 4]]).unbind(1)]
    [[1, 3], [2, 4]]
    """
    return native.tensor_unbind(input, dim)


@method
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the view of the elements whose index in `dim2` is that in `dim1` plus `offset`.

    The result has the other dimensions of `input`, and the diagonal as its last.

    Parameters
    ----------
    input
        Of two dimensions or more.
    offset
        Which diagonal: positive ones lie above the main one. One outside of the matrix is empty.
    dim1, dim2
        The dimensions of the matrices.

    Raises
    ------
    ShapeError
        When the dimensions are the same.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.arange(6).reshape(2, 3)
    >>> x.diagonal().tolist(), x.diagonal(1).tolist()
    ([0, 4], [1, 5])
    """
    return native.tensor_diagonal(input, offset, dim1, dim2)


@method
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a copy of a diagonal of a matrix; of a vector the matrix with it as that diagonal, and zeros elsewhere.

    Raises
    ------
    ShapeError
        When `input` has neither one nor two dimensions.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1, 2]).diag().tolist(), pygrad.tensor([[1, 2], [3, 4]]).diag(1).tolist()
    ([[1, 0], [0, 2]], [2])
    """
    return native.tensor_diag(input, diagonal)


@method
def trace(input: Tensor) -> Tensor:
    """Return the sum of the main diagonal of a matrix; of integers in int64.

    Raises
    ------
    ShapeError
        When `input` is no matrix.
    DTypeError
        When its elements are bools.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1.0, 2.0], [3.0, 4.0]]).trace()
    tensor(5.)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got a tensor of shape {list(input.shape)}")
    if input.dtype is dtypes.bool:
        raise DTypeError("trace: not defined for bool tensors")
    return native.tensor_sum(native.tensor_diagonal(input, 0, 0, 1))
