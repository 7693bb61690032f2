"""Writing at indices and masks what an assignment to them could write: in place, or into a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._engine import DTypeError, ShapeError, Tensor, native
from ._method import method
from ._types import Operand
from .creation import arange, zeros

__all__ = ["index_copy", "index_fill", "index_put", "masked_scatter", "put"]


def _at(op: str, input: Tensor, dim: int, index: Tensor) -> tuple[Any, ...]:
    """Return the key of the slices that a vector of indices names, or of the only element."""
    if not isinstance(index, Tensor) or index.dtype.name not in ("int32", "int64"):
        raise DTypeError(f"{op}: the index has to be a tensor of integers, not {getattr(index, 'dtype', index)!r}")
    if index.ndim > 1:
        raise ShapeError(f"{op}: the index has to be a vector, not of shape {list(index.shape)}")
    if not -max(input.ndim, 1) <= dim < max(input.ndim, 1):
        raise IndexError(f"{op}: Dimension out of range: {dim} of a tensor of shape {list(input.shape)}")
    places = index.reshape(-1)
    if input.ndim > 0:
        return (*[slice(None)] * (dim % input.ndim), places)
    return (zeros(1)[places].numel() > 0,)  # which also checks that the places are there


def _same_dtype(op: str, input: Tensor, other: Tensor, name: str) -> None:
    if not isinstance(other, Tensor):
        raise TypeError(f"{op}: {name} has to be a Tensor, not {other!r}")
    if other.dtype != input.dtype:
        raise DTypeError(f"{op}: {name} has to be of the dtype {input.dtype} of what is written to, not {other.dtype}")


@method
def index_fill_(input: Tensor, dim: int, index: Tensor, value: Operand) -> Tensor:
    """Do `index_fill` in place."""
    if isinstance(value, Tensor) and value.ndim > 0:
        raise ShapeError(f"index_fill: the value has to be without dimensions, not of shape {list(value.shape)}")
    key = _at("index_fill", input, dim, index)
    if input.ndim > 0:  # a place that is named twice is written once, and gives its gradient once
        key = (*key[:-1], arange(input.shape[dim])[key[-1]].unique())
    input[key] = value
    return input


@method
def index_fill(input: Tensor, dim: int, index: Tensor, value: Operand) -> Tensor:
    """Return a copy with a value in the slices of a dimension that a vector of indices names.

    Parameters
    ----------
    input
        Of any shape.
    dim
        The dimension that is indexed.
    index
        A vector of integers; negative ones count from the end.
    value
        A number, or a tensor without dimensions, which gets a gradient too; converted to the input's dtype.

    Raises
    ------
    IndexError
        When an index or the dimension is out of range.
    DTypeError
        When the index is no tensor of integers.
    ShapeError
        When the index has more than one dimension, or the value any.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.index_fill(pygrad.zeros(2, 3), 1, pygrad.tensor([0, -1]), 5.0)
    tensor([[5., 0., 5.],
            [5., 0., 5.]])
    """
    return index_fill_(input.clone(), dim, index, value)


@method
def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Do `index_copy` in place."""
    _same_dtype("index_copy", input, source, "the source")
    key = _at("index_copy", input, dim, index)
    slices = list(input.shape or (1,))
    slices[dim] = index.numel()
    if list(source.shape) != slices and not (source.ndim == 0 and slices == [1]):
        raise ShapeError(f"index_copy: the source has to be of shape {slices}, not {list(source.shape)}")
    input[key] = source
    return input


@method
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return a copy with the slices of `source` in the places along a dimension that a vector of indices names.

    Parameters
    ----------
    input
        Of any shape.
    dim
        The dimension that is indexed.
    index
        A vector of integers, one for each slice of the source; negative ones count from the end. (PyTorch refuses
        them.)
    source
        Of the input's dtype and, apart from `dim`, shape. Gets a gradient too.

    Raises
    ------
    IndexError
        When an index or the dimension is out of range.
    DTypeError
        When the index is no tensor of integers, or the dtypes differ.
    ShapeError
        When the shapes do not fit.

    Notes
    -----
    Of several slices for one place the last one stays.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.index_copy(pygrad.zeros(3), 0, pygrad.tensor([2, 0]), pygrad.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    return index_copy_(input.clone(), dim, index, source)


@method
def index_put_(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """Do `index_put` in place."""
    if accumulate:
        return native.tensor_in_place("index_put_", _accumulate, input, indices, values)
    _check_put(input, indices, values)
    input[tuple(indices)] = values
    return input


@method
def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """Return a copy in which ``copy[indices] = values``, or ``+= values``.

    Parameters
    ----------
    input
        Of any shape.
    indices
        Tensors of integers, or masks, one for each of the first dimensions.
    values
        Of the input's dtype, and a shape that broadcasts to that of ``input[indices]``. Gets a gradient too.
    accumulate
        Add; and add up where a place is named several times, which otherwise keeps the last value.

    Raises
    ------
    IndexError
        When an index is out of range.
    DTypeError
        When the dtypes differ.
    ShapeError
        When the values do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> places = (pygrad.tensor([0, 1, 0]), pygrad.tensor([1, 0, 1]))
    >>> pygrad.index_put(pygrad.zeros(2, 2), places, pygrad.tensor(1.0), accumulate=True)
    tensor([[0., 2.],
            [1., 0.]])
    """
    if accumulate:
        return _accumulate(input, indices, values)
    return index_put_(input.clone(), indices, values)


def _check_put(input: Tensor, indices: Sequence[Tensor], values: Tensor) -> None:
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put: the indices have to be a tuple of Tensors, not {indices!r}")
    _same_dtype("index_put", input, values, "values")


def _accumulate(input: Tensor, indices: Sequence[Tensor], values: Tensor) -> Tensor:
    _check_put(input, indices, values)
    places = arange(input.numel()).reshape(input.shape)[tuple(indices)]
    added = values.expand(places.shape).reshape(-1)
    return input.reshape(-1).index_add(0, places.reshape(-1), added).reshape(input.shape)


@method
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Return a copy with the elements of `source` in the places that an index into the flattened input names.

    Parameters
    ----------
    input
        Of any shape.
    index
        Integers, of any shape; negative ones count from the end.
    source
        Of the input's dtype, and as many elements as the index. Gets a gradient too.
    accumulate
        Add; and add up where a place is named several times, which otherwise keeps the last element.

    Raises
    ------
    IndexError
        When an index is out of range.
    DTypeError
        When the dtypes differ.
    ShapeError
        When index and source differ in their number of elements.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.put(pygrad.zeros(2, 2), pygrad.tensor([1, 2]), pygrad.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [6., 0.]])
    """
    if source.numel() != index.numel():
        raise ShapeError(f"put: there are {index.numel()} places for the {source.numel()} elements of the source")
    key = _at("put", input.reshape(-1), 0, index.reshape(-1))
    return index_put(input.reshape(-1), key, source.reshape(-1), accumulate).reshape(input.shape)


@method
def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Do `masked_scatter` in place."""
    _same_dtype("masked_scatter", input, source, "the source")
    if mask.dtype.name != "bool":
        raise DTypeError(f"masked_scatter: the mask has to be of bools, not {mask.dtype}")
    whole = mask.expand(input.shape)
    count = int(whole.sum())
    if source.numel() < count:
        raise ShapeError(f"masked_scatter: the source has {source.numel()} elements for the {count} that are masked")
    input[whole] = source.reshape(-1)[:count]
    return input


@method
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return the input with the first elements of `source` where a mask of bools is true; mask and input are broadcast.

    Parameters
    ----------
    input
        Of any shape.
    mask
        Of bools.
    source
        Of the input's dtype, and at least as many elements as are true. Gets a gradient too.

    Raises
    ------
    DTypeError
        When the mask is not of bools, or the dtypes differ.
    ShapeError
        When the shapes do not broadcast, or the source has too few elements.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, -2.0, -3.0])
    >>> pygrad.masked_scatter(x, x < 0, pygrad.tensor([7.0, 8.0, 9.0]))
    tensor([1., 7., 8.])
    """
    return masked_scatter_(input.masked_fill(mask, 0), mask, source)


@method
def fill_diagonal_(input: Tensor, fill_value: Operand, wrap: bool = False) -> Tensor:
    """Overwrite the diagonal of a matrix, or of a cube in more dimensions, with a number; return the tensor.

    Parameters
    ----------
    input
        Of two dimensions, or of more that are equal.
    fill_value
        A number, or a tensor without dimensions.
    wrap
        Begin again in a tall matrix, one row after the end of the diagonal.

    Raises
    ------
    ShapeError
        For another shape.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3).fill_diagonal_(1.0)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if input.ndim < 2 or (input.ndim > 2 and len(set(input.shape)) > 1):
        raise ShapeError(f"fill_diagonal_: of a matrix, or a tensor of equal dimensions, not of {list(input.shape)}")
    height, width = input.shape[:2]
    last = height if wrap and input.ndim == 2 else min(height, width)
    places = arange(0, last * width, width + 1)
    rows = places // max(width, 1)
    input[(rows, places - rows * width, *[rows] * (input.ndim - 2))] = fill_value
    return input
