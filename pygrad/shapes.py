"""Tensors in other shapes, joined, and read by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._engine import Tensor, native
from ._method import method
from ._types import Sizes

__all__ = [
    "cat",
    "clone",
    "concat",
    "concatenate",
    "contiguous",
    "expand",
    "expand_as",
    "flatten",
    "narrow",
    "permute",
    "ravel",
    "reshape",
    "select",
    "squeeze",
    "stack",
    "t",
    "transpose",
    "unsqueeze",
    "view",
]


def _given(name: str, sizes: tuple[Sizes, ...], keyword: Sizes | None = None) -> Any:
    """Return the sizes of ``f(2, 3)``, of ``f((2, 3))`` and of the keyword form alike."""
    if keyword is not None and not sizes:
        return keyword
    if len(sizes) == 1:
        return sizes[0]
    if not sizes:
        raise TypeError(f"{name}() needs sizes or dimensions, such as {name}(x, 2, 3) or {name}(x, (2, 3))")
    return sizes


@method
def reshape(x: Tensor, *sizes: Sizes, shape: Sizes | None = None) -> Tensor:
    """Return the elements in the same order in another shape: a view where memory allows it, else a copy.

    Parameters
    ----------
    x
        Of any shape.
    sizes, or shape
        The new sizes, as numbers or as one sequence; one of them may be -1 and is inferred.

    Raises
    ------
    ShapeError
        When the sizes do not multiply to the number of elements, or more than one is -1.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.arange(6)
    >>> x.reshape(2, 3).tolist(), x.reshape((3, -1)).shape
    ([[0, 1, 2], [3, 4, 5]], (3, 2))
    """
    return native.tensor_reshape(x, _given("reshape", sizes, shape))


@method
def view(x: Tensor, *shape: Sizes) -> Tensor:
    """Return the elements in the same order in another shape, always sharing memory with `x`.

    As `reshape`, which copies where this raises.

    Raises
    ------
    ShapeError
        When a dimension would have to span elements that are not evenly spaced, and whenever `reshape` raises.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(2, 3)
    >>> x.view(-1).shape
    (6,)
    >>> x.T.view(-1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    pygrad...ShapeError: view size is not compatible with input tensor's size and stride: ...
    """
    return native.tensor_view(x, _given("view", shape))


@method
def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return `x` with the dimensions from `start_dim` to `end_dim`, both included, as one: a view where possible.

    A tensor without dimensions becomes one of shape (1,).

    Raises
    ------
    IndexError
        When there is no such dimension.
    ShapeError
        When `start_dim` comes after `end_dim`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(8, 28, 28).flatten(1).shape
    (8, 784)
    """
    return native.tensor_flatten(x, start_dim, end_dim)


@method
def ravel(x: Tensor) -> Tensor:
    """Return the elements in one dimension, side by side in memory: a view where they are so in `x`, else a copy.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 2], [3, 4]]).T.ravel().tolist()
    [1, 3, 2, 4]
    """
    return native.tensor_view(native.tensor_contiguous(x), -1)


@method
def squeeze(x: Tensor, dim: Sizes | None = None) -> Tensor:
    """Return a view without dimensions of size 1: without all of them, or those of `dim`.

    Dimensions of other sizes stay, also when `dim` names them.

    Raises
    ------
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(1, 3, 1)
    >>> x.squeeze().shape, x.squeeze(0).shape, x.squeeze(1).shape, x.squeeze((0, 2)).shape
    ((3,), (3, 1), (1, 3, 1), (3,))
    """
    return native.tensor_squeeze(x, dim)


@method
def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """Return a view with one dimension more, of size 1, at `dim` of the result.

    Raises
    ------
    IndexError
        When the result has no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(3)
    >>> x.unsqueeze(0).shape, x.unsqueeze(-1).shape
    ((1, 3), (3, 1))
    """
    return native.tensor_unsqueeze(x, dim)


@method
def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions swapped.

    Raises
    ------
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).transpose(0, -1).shape
    (4, 3, 2)
    """
    return native.tensor_transpose(x, dim0, dim1)


@method
def t(x: Tensor) -> Tensor:
    """Return the transpose of a matrix, as a view; a tensor of fewer dimensions as it is.

    Raises
    ------
    ShapeError
        When `x` has more than two dimensions; `transpose` and `permute` take those.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3).t().shape
    (3, 2)
    """
    return native.tensor_t(x)


@method
def permute(x: Tensor, *order: Sizes, dims: Sizes | None = None) -> Tensor:
    """Return a view with the dimensions in another order: dimension i of the result is dimension ``dims[i]`` of `x`.

    Raises
    ------
    ShapeError
        When `dims` does not name each dimension once.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).permute(2, 0, 1).shape
    (4, 2, 3)
    """
    return native.tensor_permute(x, _given("permute", order, dims))


@method
def expand(x: Tensor, *sizes: Sizes) -> Tensor:
    """Return a view in which dimensions of size 1 are stretched, without copying their elements.

    The gradient is summed over what was stretched.

    Parameters
    ----------
    x
        Of a shape that broadcasts to `sizes`.
    sizes
        As numbers or as one sequence; -1 keeps a size; sizes in front of those of `x` are new dimensions.

    Raises
    ------
    ShapeError
        When a size other than 1 would change.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1], [2]])
    >>> x.expand(2, 3).tolist(), x.expand(4, -1, 3).shape
    ([[1, 1, 1], [2, 2, 2]], (4, 2, 3))
    """
    return native.tensor_expand(x, _given("expand", sizes))


@method
def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """Return ``x.expand(other.shape)``.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.ones(3).expand_as(pygrad.zeros(2, 3)).shape
    (2, 3)
    """
    return native.tensor_expand(x, other.shape)


@method
def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return the view ``x[start : start + length]`` along dimension `dim`.

    Raises
    ------
    IndexError
        When there is no such dimension, or `start` is not in it.
    ShapeError
        When `length` is negative or leads beyond the end.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.arange(6).narrow(0, 2, 3).tolist()
    [2, 3, 4]
    """
    return native.tensor_narrow(x, dim, start, length)


@method
def select(x: Tensor, dim: int, index: int) -> Tensor:
    """Return the view ``x[index]`` along dimension `dim`, which the result does not have.

    Raises
    ------
    IndexError
        When there is no such dimension or index.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 2], [3, 4]]).select(1, 0).tolist()
    [1, 3]
    """
    return native.tensor_select(x, dim, index)


@method
def contiguous(x: Tensor) -> Tensor:
    """Return `x` itself when its elements lie in row-major order without gaps, else a copy in which they do.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(2, 3)
    >>> x.contiguous() is x, x.T.contiguous().stride()
    (True, (2, 1))
    """
    return native.tensor_contiguous(x)


@method
def clone(x: Tensor) -> Tensor:
    """Return a copy that gradients flow through, in row-major order whatever the layout of `x`.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.ones(2, requires_grad=True)
    >>> x.clone().sum().backward()
    >>> x.grad.tolist()
    [1.0, 1.0]
    """
    return native.tensor_clone(x)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return tensors joined one behind the other along an existing dimension.

    Parameters
    ----------
    tensors
        Alike in all sizes but that of dimension `dim`. Different dtypes meet in the widest. One of shape (0,) is
        skipped, whatever the others' shape.
    dim
        Counted from the end when negative.

    Raises
    ------
    ValueError
        When there are no tensors.
    ShapeError
        When the shapes do not go together, or a tensor has no dimensions (`stack` takes those).
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> a, b = pygrad.tensor([[1, 2]]), pygrad.tensor([[3, 4], [5, 6]])
    >>> pygrad.cat([a, b]).tolist()
    [[1, 2], [3, 4], [5, 6]]
    """
    return native.tensor_cat(tensors, dim)


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new dimension, at `dim` of the result.

    Raises
    ------
    ValueError
        When there are no tensors.
    ShapeError
        When the shapes differ.
    IndexError
        When the result has no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> a, b = pygrad.tensor([1, 2]), pygrad.tensor([3, 4])
    >>> pygrad.stack([a, b]).tolist(), pygrad.stack([a, b], dim=1).tolist()
    ([[1, 2], [3, 4]], [[1, 3], [2, 4]])
    """
    return native.tensor_stack(tensors, dim)


def _index_array(index: object) -> NDArray[Any]:
    """Return what stands in an index and is no tensor, slice or integer as an array of int64, or of bools for a mask.

    Raises
    ------
    IndexError
        When it is nothing of the kind.
    """
    try:
        array = np.asarray(index)
    except ValueError as error:  # a ragged list
        raise IndexError(f"index: {index!r} has no shape ({error})") from None
    if array.size == 0 and not isinstance(index, np.ndarray):
        array = array.astype(np.int64)  # the empty list
    if array.dtype == np.uint8:
        raise IndexError(
            "index: an array of uint8 is a mask to PyTorch and indices to numpy: convert it with .astype(bool) or "
            ".astype(int)"
        )
    if array.dtype.kind not in "biu":
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None, and tensors, arrays or lists of integers or bools "
            f"are valid indices, not {index!r} of type {type(index).__name__}"
        )
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise IndexError(f"index: {array.max()} is out of bounds for every tensor")
    return np.ascontiguousarray(array, dtype=bool if array.dtype.kind == "b" else np.int64).reshape(array.shape)


native.set_index_helper(_index_array)
