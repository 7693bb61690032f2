"""Tensors reduced to fewer elements: sums, means, extremes and their places, softmax.

`dim` counts from the end when negative. Where it may be left out everything is reduced, and it may be several
dimensions unless said otherwise. What is reduced leaves the shape; with `keepdim` it stays in it with size 1. Functions
with `dim` and `keepdim` also take numpy's names for them, `axis` and `keepdims`.

Everywhere IndexError says that a dimension is out of range, and ShapeError that one is named twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, TypedDict, Unpack, overload

from ._engine import Tensor, native
from ._method import method
from ._types import DType, Sizes

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "softmax",
    "sum",
]

Dims: TypeAlias = Sizes | None


class _NumpyNames(TypedDict, total=False):
    axis: Any
    keepdims: bool


class Extremes(NamedTuple):
    """The largest or smallest elements along a dimension, and where they stand."""

    values: Tensor
    indices: Tensor


def _from_numpy(dim: Any, keepdim: bool, names: _NumpyNames) -> tuple[Any, bool]:
    """Return dim and keepdim where they may have been given under numpy's names."""
    unknown = [name for name in names if name not in ("axis", "keepdims")]
    if unknown:
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")
    if "axis" in names:
        if dim is not None:
            raise TypeError("dim and axis are the same: one of them is enough")
        dim = names["axis"]
    return dim, names.get("keepdims", keepdim)


# ---- sums --------------------------------------------------------------------------------------------------------


@method
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None, **names: Unpack[_NumpyNames]
) -> Tensor:
    """Return the sum over dimensions, or of everything.

    float32 is accumulated in float64, and float64 with what its roundings lose, so that the error does not grow with
    the number of terms.

    Parameters
    ----------
    input
        Of any shape and dtype.
    dim, keepdim
        See `pygrad.reductions`.
    dtype
        To convert to before. Otherwise integers and bools are summed in int64.

    Returns
    -------
    Tensor
        0 where there are no elements.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.sum().item(), x.sum(0).tolist(), x.sum(dim=(0, 1), keepdim=True).tolist()
    (10.0, [4.0, 6.0], [[10.0]])
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if dtype is not None:
        input = input.to(dtype)
    if dim is None and not keepdim:
        return native.tensor_sum(input)
    return native.tensor_sum(input, dim, keepdim)


@method
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None, **names: Unpack[_NumpyNames]
) -> Tensor:
    """Return the mean over dimensions, or of everything; nan where there are no elements.

    Parameters
    ----------
    input
        Of any shape.
    dim, keepdim
        See `pygrad.reductions`.
    dtype
        To convert to before; integers and bools need one.

    Raises
    ------
    RuntimeError
        When the elements are not floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1.0, 2.0], [3.0, 6.0]]).mean(dim=1).tolist()
    [1.5, 4.5]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if dtype is not None:
        input = input.to(dtype)
    if dim is None and not keepdim:
        return native.tensor_mean(input)
    return native.tensor_mean(input, dim, keepdim)


# ---- extremes ----------------------------------------------------------------------------------------------------


@method
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False, **names: Unpack[_NumpyNames]) -> Tensor:
    """Return the largest element over dimensions, or of everything; nan where there is one.

    Equal ones share the gradient evenly.

    Raises
    ------
    IndexError, ShapeError
        When there is nothing to choose from: along a dimension of size 0, or in an empty tensor.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> x.amax().backward()
    >>> x.grad.tolist()
    [0.0, 0.5, 0.5]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    return native.tensor_amax(input, dim, keepdim)


@method
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False, **names: Unpack[_NumpyNames]) -> Tensor:
    """Return the smallest element over dimensions, or of everything: see `amax`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1.0, 2.0], [3.0, 0.0]]).amin(dim=0).tolist()
    [1.0, 0.0]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    return native.tensor_amin(input, dim, keepdim)


@overload
def max(input: Tensor, dim: None = None, *, other: None = None) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@overload
def max(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, **names: Unpack[_NumpyNames]) -> Extremes: ...
@method
def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, **names: Unpack[_NumpyNames]
) -> Any:
    """Return the largest element of everything, or along one dimension with its place.

    Parameters
    ----------
    input
        Of any shape.
    dim
        One dimension. A tensor here, or as `other`, makes this `pygrad.maximum`.
    keepdim
        See `pygrad.reductions`.

    Returns
    -------
    Tensor, or Extremes
        Without `dim` one element; where several are the largest they share the gradient. With `dim` the pair
        ``(values, indices)``; the gradient goes to the place in indices (int64), the first of several. nan counts as
        the largest.

    Raises
    ------
    IndexError, ShapeError
        When there is nothing to choose from: along a dimension of size 0, or in an empty tensor.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1.0, 5.0], [7.0, 7.0]])
    >>> x.max().item()
    7.0
    >>> values, indices = x.max(dim=1)
    >>> values.tolist(), indices.tolist()
    ([5.0, 7.0], [1, 0])
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if other is not None or isinstance(dim, Tensor):
        return input.maximum(dim if other is None else other)
    if dim is None:
        return native.tensor_max(input)
    return Extremes(*native.tensor_max_along(input, dim, keepdim))


@overload
def min(input: Tensor, dim: None = None, *, other: None = None) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, **names: Unpack[_NumpyNames]) -> Extremes: ...
@method
def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, **names: Unpack[_NumpyNames]
) -> Any:
    """Return the smallest element of everything, or along one dimension with its place: see `max`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1.0, 5.0], [7.0, 7.0]]).min(dim=0).indices.tolist()
    [0, 0]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if other is not None or isinstance(dim, Tensor):
        return input.minimum(dim if other is None else other)
    if dim is None:
        return native.tensor_min(input)
    return Extremes(*native.tensor_min_along(input, dim, keepdim))


@method
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, **names: Unpack[_NumpyNames]) -> Tensor:
    """Return the place of the largest element (int64), the first of several; nan counts as the largest.

    Parameters
    ----------
    input
        Of any shape; numbers, not bools.
    dim
        One dimension; without it the place counts in row-major order.
    keepdim
        See `pygrad.reductions`.

    Raises
    ------
    IndexError
        When there is nothing to choose from.
    RuntimeError
        When the elements are bools.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1.0, 5.0], [7.0, 7.0]])
    >>> x.argmax().item(), x.argmax(dim=1).tolist()
    (2, [1, 0])
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    return native.tensor_argmax(input, dim, keepdim)


@method
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, **names: Unpack[_NumpyNames]) -> Tensor:
    """Return the place of the smallest element (int64), the first of several: see `argmax`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1.0, 5.0], [7.0, 7.0]]).argmin(dim=1).tolist()
    [0, 0]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    return native.tensor_argmin(input, dim, keepdim)


# ---- exponentials ------------------------------------------------------------------------------------------------


@method
def logsumexp(input: Tensor, dim: Sizes, keepdim: bool = False) -> Tensor:
    """Return ``log(sum(exp(x)))`` over dimensions, finite for all finite x.

    Computed as ``m + log(sum(exp(x - m)))`` with m the largest; the gradient is softmax(x).

    Parameters
    ----------
    input
        Floats of any shape; integers are converted to the default dtype.
    dim, keepdim
        See `pygrad.reductions`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1000.0, 1000.0], dtype=pygrad.float64).logsumexp(0).item()
    1000.6931471805599
    """
    if not input.dtype.is_floating_point:
        input = input * 1.0
    return native.tensor_logsumexp(input, dim, keepdim)


@method
def softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """Return ``exp(x) / sum(exp(x))`` along one dimension.

    Computed from ``x - m`` with m the largest, so that nothing overflows. The gradient is ``y * (g - sum(g * y))``.

    Parameters
    ----------
    input
        Floats of any shape.
    dim
        The dimension along which the result sums to 1.
    dtype
        To convert to before.

    Raises
    ------
    RuntimeError
        When the elements are not floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[0.0, 0.0], [1000.0, 0.0]]).softmax(dim=1).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    if dtype is not None:
        input = input.to(dtype)
    return native.tensor_softmax(input, dim)


@method
def log_softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """Return ``x - log(sum(exp(x)))`` along one dimension: the logarithm of `softmax`, exact where that is 0.

    The gradient is ``g - exp(y) * sum(g)``.

    Parameters
    ----------
    input
        Floats of any shape.
    dim
        The dimension along which the exponentials of the result sum to 1.
    dtype
        To convert to before.

    Raises
    ------
    RuntimeError
        When the elements are not floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1000.0, 0.0]).log_softmax(dim=0).tolist()
    [0.0, -1000.0]
    """
    if dtype is not None:
        input = input.to(dtype)
    return native.tensor_log_softmax(input, dim)


# ---- of truth ----------------------------------------------------------------------------------------------------


@method
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether every element is other than 0; true where there are none. Bool, but uint8 of uint8.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 0], [2, 3]]).all(1)
    tensor([False,  True])
    """
    return native.tensor_all(input, dim, keepdim)


@method
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether an element is other than 0; false where there are none. Bool, but uint8 of uint8.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 0], [0, 0]]).any(1)
    tensor([ True, False])
    """
    return native.tensor_any(input, dim, keepdim)
