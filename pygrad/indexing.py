"""Reading and writing at indices and masks.

Indices are int64 or int32 tensors. All of them are checked before anything is written, and what is added to one place
is added in the order of the index, so that a result is the same in every run.
"""

from __future__ import annotations

from ._engine import Tensor, native
from ._method import method
from ._types import Operand

__all__ = [
    "embedding",
    "gather",
    "index_add",
    "index_select",
    "masked_fill",
    "masked_select",
    "one_hot",
    "scatter",
    "scatter_add",
    "take_along_dim",
]

# ---- reading -----------------------------------------------------------------------------------------------------


@method
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return ``out[i][j] = input[index[i][j]][j]`` for dim 0 of two dimensions, and so on.

    Parameters
    ----------
    input
        Of any shape.
    dim
        The dimension along which the index counts.
    index
        With as many dimensions as `input` and no larger than it, apart from `dim`. The result has its shape.

    Raises
    ------
    RuntimeError
        When an index is negative or too large, or the index no tensor of integers.
    ShapeError
        When the shapes do not fit.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> pygrad.gather(x, 1, pygrad.tensor([[0, 0], [1, 0]]))
    tensor([[1., 1.],
            [4., 3.]])
    """
    return native.tensor_gather(input, index, dim)


@method
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the slices of a dimension that a vector of indices names, in its order.

    Raises
    ------
    RuntimeError
        When an index is negative or too large, or the index no tensor of integers.
    IndexError
        When the index has more than one dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.index_select(pygrad.tensor([[1.0, 2.0, 3.0]]), 1, pygrad.tensor([2, 0, 2]))
    tensor([[3., 1., 3.]])
    """
    return native.tensor_index_select(input, index, dim)


@method
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Return `gather` of the two, broadcast apart from `dim`; without `dim`, of both flattened.

    Made for the indices of `argmax` and the like. Negative ones count from the end.

    Raises
    ------
    IndexError
        When an index is out of range. (PyTorch takes the remainder.)
    ShapeError
        When the numbers of dimensions differ or the shapes do not broadcast.
    RuntimeError
        When the indices are no integers.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1.0, 5.0], [4.0, 3.0]])
    >>> pygrad.take_along_dim(x, x.argmax(1, keepdim=True), 1)
    tensor([[5.],
            [4.]])
    """
    if dim is None:
        return native.tensor_take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    return native.tensor_take_along_dim(input, indices, dim)


@method
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where a mask of bools is true, as one dimension; the two are broadcast.

    Raises
    ------
    RuntimeError
        When the mask is not of bools.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, -2.0, 3.0])
    >>> pygrad.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    return native.tensor_masked_select(input, mask)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of a table that indices name.

    Parameters
    ----------
    input
        Indices, of any shape (*).
    weight
        The table, of shape (rows, size). Its gradient adds up where a row is named several times.
    padding_idx
        A row that gets no gradient.

    Returns
    -------
    Tensor of shape (*, size)

    Raises
    ------
    IndexError
        When an index is negative or too large.
    RuntimeError
        When the indices are no integers.
    ShapeError
        When the table does not have two dimensions.
    ValueError
        When `padding_idx` is no row. (PyTorch raises AssertionError.)

    Examples
    --------
    >>> import pygrad
    >>> table = pygrad.tensor([[0.0, 0.0], [1.0, 2.0]])
    >>> pygrad.embedding(pygrad.tensor([1, 0, 1]), table)
    tensor([[1., 2.],
            [0., 0.],
            [1., 2.]])
    """
    return native.tensor_embedding(input, weight, padding_idx)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return int64 zeros with a 1 at the place that each element names, along a new last dimension.

    Parameters
    ----------
    tensor
        Classes, int64, of any shape (*).
    num_classes
        The size of the new dimension; -1: one more than the largest class.

    Raises
    ------
    RuntimeError
        When a class is negative or not below `num_classes`, the dtype is not int64, or there is nothing to count by.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.one_hot(pygrad.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    return native.tensor_one_hot(tensor, num_classes)


# ---- writing, out of place and in place ----------------------------------------------------------------------------


def _one_of(src: Operand | None, value: Operand | None) -> Operand:
    given = value if src is None else src
    if given is None or (src is not None and value is not None):
        raise TypeError("scatter takes one of src and value")
    return given


@method
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Operand | None = None, *, value: Operand | None = None
) -> Tensor:
    """Return a copy with ``out[index[i][j]][j] = src[i][j]`` for dim 0 of two dimensions, and so on.

    Parameters
    ----------
    input
        Of any shape.
    dim
        The dimension along which the index counts.
    index
        With as many dimensions as `input` and `src`; no larger than `src`, nor than `input` apart from `dim`.
    src, or value
        A tensor of the input's dtype, or a number. Both tensors get gradients.

    Raises
    ------
    RuntimeError
        When an index is negative or too large, the index no tensor of integers, or the dtypes differ.
    ShapeError
        When the shapes do not fit.

    Notes
    -----
    Of several elements for one place the last in the order of the index stays, and it alone gets a gradient. (PyTorch
    leaves that open, and gives all of them one.)

    Examples
    --------
    >>> import pygrad
    >>> pygrad.scatter(pygrad.zeros(2, 3), 1, pygrad.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return native.tensor_scatter(input, index, _one_of(src, value), dim)


@method
def scatter_(
    input: Tensor, dim: int, index: Tensor, src: Operand | None = None, *, value: Operand | None = None
) -> Tensor:
    """Do `scatter` in place."""
    return native.tensor_scatter_(input, index, _one_of(src, value), dim)


@method
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return a copy with ``out[index[i][j]][j] += src[i][j]`` for dim 0 of two dimensions, and so on.

    Parameters and errors are those of `scatter`; several elements for one place add up.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.scatter_add(pygrad.zeros(3), 0, pygrad.tensor([0, 2, 0]), pygrad.tensor([1.0, 2.0, 4.0]))
    tensor([5., 0., 2.])
    """
    return native.tensor_scatter_add(input, index, src, dim)


@method
def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Do `scatter_add` in place."""
    return native.tensor_scatter_add_(input, index, src, dim)


@method
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """Return a copy with ``alpha * source``, slice by slice along `dim`, added to the slices that an index names.

    Parameters
    ----------
    input
        Of any shape.
    dim
        The dimension that is indexed.
    index
        A vector, one element for each slice of `source`.
    source
        Of the input's dtype and, apart from `dim`, shape. Gets a gradient too.
    alpha
        A factor.

    Raises
    ------
    RuntimeError
        When an index is negative or too large, the index no tensor of integers, or the dtypes differ, which they do
        for integers and an `alpha` that is none.
    IndexError
        When the index has more than one dimension.
    ShapeError
        When the shapes do not fit.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.index_add(pygrad.zeros(3), 0, pygrad.tensor([0, 2, 0]), pygrad.tensor([1.0, 2.0, 4.0]))
    tensor([5., 0., 2.])
    """
    return native.tensor_index_add(input, index, source if alpha == 1 else source * alpha, dim)


@method
def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """Do `index_add` in place."""
    return native.tensor_index_add_(input, index, source if alpha == 1 else source * alpha, dim)


@method
def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """Return `value` where a mask of bools is true, the input elsewhere; mask and input are broadcast.

    Parameters
    ----------
    input
        Of any shape.
    mask
        Of bools.
    value
        A number, or a tensor without dimensions, which gets a gradient too; converted to the input's dtype.

    Raises
    ------
    RuntimeError
        When the mask is not of bools, or the value has dimensions or does not fit the dtype.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, -2.0, 3.0])
    >>> pygrad.masked_fill(x, x < 0, 0.0)
    tensor([1., 0., 3.])
    """
    return native.tensor_masked_fill(input, mask, value)


@method
def masked_fill_(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """Do `masked_fill` in place."""
    return native.tensor_masked_fill_(input, mask, value)
