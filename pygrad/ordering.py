"""Tensors put in order: sorted, their largest, their middle, what occurs in them and where.

nan counts as the largest number, and of equal elements the first comes first: every order is stable. Where a function
returns the places of elements, gradients go back to those places.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, overload

from ._engine import Tensor, native
from ._method import method
from .creation import arange, ones, tensor
from .shapes import cat

__all__ = ["argsort", "median", "nonzero", "sort", "topk", "unique"]


class Ordered(NamedTuple):
    """Elements of a dimension, and where they stood."""

    values: Tensor
    indices: Tensor


@method
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Ordered:
    """Return the elements in order along a dimension, and where they stood.

    Parameters
    ----------
    input
        Of any shape and dtype.
    dim
        One dimension.
    descending
        The largest first.
    stable
        Equal elements keep their order, whatever is given here.

    Examples
    --------
    >>> import pygrad
    >>> values, indices = pygrad.tensor([3.0, 1.0, 2.0]).sort()
    >>> values.tolist(), indices.tolist()
    ([1.0, 2.0, 3.0], [1, 2, 0])
    """
    return Ordered(*native.tensor_sort(input, dim, descending))


@method
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return the indices that put the elements in order along a dimension: those of `sort`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([3.0, 1.0, 2.0]).argsort().tolist()
    [1, 2, 0]
    """
    return native.tensor_sort(input.detach(), dim, descending)[1]


@method
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ordered:
    """Return the k largest elements along a dimension, the largest first, and where they stood.

    Parameters
    ----------
    input
        Of any shape and dtype.
    k
        How many, at most the size of the dimension.
    dim
        One dimension.
    largest
        False: the smallest, the smallest first.
    sorted
        They are in order, whatever is given here.

    Raises
    ------
    RuntimeError
        When there are fewer than k.

    Examples
    --------
    >>> import pygrad
    >>> values, indices = pygrad.tensor([3.0, 1.0, 2.0]).topk(2)
    >>> values.tolist(), indices.tolist()
    ([3.0, 2.0], [0, 2])
    """
    return Ordered(*native.tensor_topk(input, k, dim, largest))


@overload
def median(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> Ordered: ...
@method
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the middle element of everything, or along one dimension with its place; the lower of two middle ones.

    It is nan where there is a nan. The gradient goes to the one place along a dimension; of everything, all that are
    equal to the median share it.

    Parameters
    ----------
    input
        Numbers of any shape, not bools.
    dim, keepdim
        See `pygrad.reductions`.

    Raises
    ------
    IndexError
        When the dimension has no elements.
    RuntimeError
        When the elements are bools, or integers of which there are none.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[4.0, 1.0, 3.0, 2.0]])
    >>> x.median().item(), x.median(dim=1).indices.tolist()
    (2.0, [3])
    """
    if dim is None:
        return native.tensor_median(input)
    return Ordered(*native.tensor_median_along(input, dim, keepdim))


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
@method
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the indices of the elements other than 0, in row-major order.

    Parameters
    ----------
    input
        Of any shape and dtype.
    as_tuple
        One tensor of n indices for each dimension, as an index takes them, in place of a tensor (n, ndim).

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[0, 5], [7, 0]])
    >>> x.nonzero().tolist(), x[x.nonzero(as_tuple=True)].tolist()
    ([[0, 1], [1, 0]], [5, 7])
    """
    if not as_tuple:
        return native.tensor_nonzero(input)
    found = native.tensor_nonzero(input.reshape(1) if input.ndim == 0 else input)
    return tuple(found[:, d].contiguous() for d in range(found.shape[1]))


# ---- what occurs -------------------------------------------------------------------------------------------------


def _starts(ordered: Tensor) -> Tensor:
    """Return for each row of an ordered (n, m) whether it differs from the one before."""
    n = ordered.shape[0]
    return cat([ones(min(n, 1), dtype="bool"), (ordered[1:] != ordered[:-1]).any(1)])


@method
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the elements that occur, each once and in order; every nan is another one.

    Parameters
    ----------
    input
        Of any shape and dtype.
    sorted
        They are in order, whatever is given here.
    return_inverse
        Return also where each element is in the result: ``values[inverse]`` is the input again.
    return_counts
        Return also how often each occurs.
    dim
        Compare the slices along this dimension, in lexicographic order, in place of elements.

    Raises
    ------
    IndexError
        When the dimension is out of range.

    Returns
    -------
    Tensor or tuple of Tensor
        The values, then the inverse (int64, of the input's shape, or of the size of `dim`), then the counts (int64).

    Examples
    --------
    >>> import pygrad
    >>> values, counts = pygrad.tensor([3, 1, 3]).unique(return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    x = input.detach()
    if dim is None:
        rows = x.reshape(-1, 1)
    else:
        if not -x.ndim <= dim < x.ndim:
            raise IndexError(f"unique: dim {dim} is out of range for shape {tuple(x.shape)}")
        dims = list(range(x.ndim))
        moved = x.permute(dims.pop(dim), *dims)
        n = moved.shape[0]
        rows = moved.reshape(n, moved.numel() // n if n > 0 else 0)
    order = arange(rows.shape[0])
    for column in reversed(range(rows.shape[1])):
        order = order[argsort(rows[order, column], 0)]
    starts = _starts(rows[order])
    if dim is None:
        values = rows[order][starts][:, 0]
    else:
        dims = list(range(1, x.ndim))
        dims.insert(dim % x.ndim, 0)
        values = moved[order][starts].permute(*dims)
    found = [values.contiguous()]
    if return_inverse:
        inverse = (starts.cumsum(0) - 1)[argsort(order, 0)]
        found.append(inverse.reshape(input.shape) if dim is None else inverse)
    if return_counts:
        first = nonzero(starts)[:, 0]
        found.append(cat([first[1:], tensor([rows.shape[0]])[: min(rows.shape[0], 1)]]) - first)
    return found[0] if len(found) == 1 else tuple(found)
