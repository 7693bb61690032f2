"""Tensors from data, and tensors of regular numbers.

Sizes are given as in PyTorch: ``zeros(2, 3)``, ``zeros((2, 3))`` or ``zeros(size=(2, 3))``. Everywhere `dtype` is one
of `pygrad.dtypes` or what `as_dtype` takes for one, and `requires_grad` asks for gradients of the result, a leaf.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from . import dtypes
from ._engine import DTypeError, Tensor, native
from ._from_python import NumberRangeError, array_from
from ._types import DType, Operand, Sizes
from .dtypes import BY_CODE, VALID, as_dtype, dtype, get_default_dtype

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


class ArgumentError(RuntimeError, ValueError):
    """A number that makes no sense to a function. (PyTorch raises a RuntimeError, numpy a ValueError.)"""


native.set_creation_helpers(np.ndarray, tuple(kind.numpy for kind in BY_CODE), ArgumentError, DTypeError)

# In the machine's byte order: another one's dtypes are others.
_BY_ARRAY = {kind.numpy: kind for kind in BY_CODE}


# ---- from data ---------------------------------------------------------------------------------------------------


def tensor(data: Any, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a new tensor with a copy of the data.

    Parameters
    ----------
    data : number, nested sequence, numpy array, or Tensor
        Sequences are nested evenly, at most 8 deep.
    dtype : dtype, optional
        Otherwise it follows from the data: Python's floats make the default dtype, its ints int64, its bools bool;
        arrays and tensors keep theirs.
    requires_grad : bool
        Whether to compute gradients with respect to it.

    Raises
    ------
    TypeError
        When something in the data is no number.
    ValueError
        When sequences side by side differ in length.
    OverflowError
        When a number does not fit an integer dtype.
    RuntimeError
        When gradients are asked for of integers.

    Notes
    -----
    A Tensor is copied without its history, and without the warning that PyTorch gives.

    Examples
    --------
    >>> tensor([[1, 2.5], [3, 4]])
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]])
    >>> tensor([1, 2]).dtype
    pygrad.int64
    """
    kind = None if dtype is None else as_dtype(dtype)
    return _finish(_owning(array_from(data, kind)), requires_grad)


def as_tensor(data: Any, dtype: DType = None) -> Tensor:
    """Return the data as a tensor, of their own memory where that is possible.

    Parameters
    ----------
    data : number, nested sequence, numpy array, or Tensor
        A Tensor that has the dtype is returned itself, history and all. An array is shared as by `from_numpy` where
        that does, and copied where it would refuse.
    dtype : dtype, optional
        Convert to this one.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> _ = as_tensor(a).add_(5.0)
    >>> a
    array([5., 5.])
    """
    kind = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Tensor):
        made: Tensor = data if kind is None or data.dtype is kind else native.tensor_to(data, kind)
        return made
    if isinstance(data, np.ndarray) and data.dtype in _BY_ARRAY and kind in (None, _BY_ARRAY[data.dtype]):
        try:
            return from_numpy(data)
        except ValueError:
            pass
    return _owning(array_from(data, kind))


asarray = as_tensor


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """Return a tensor that shares the memory of an array: a change of the one is a change of the other.

    Parameters
    ----------
    array : numpy.ndarray
        Of one of the six dtypes in the machine's byte order, writable, aligned, with strides that are not negative and
        are multiples of the element size: any layout that slicing with positive steps and transposing make.

    Raises
    ------
    TypeError
        When it is no array, or its dtype is none of the six.
    ValueError
        When its memory cannot be shared; `tensor` copies it.

    Notes
    -----
    A read-only array is refused, where PyTorch warns and lets it be written. Changes that are made through numpy
    are not seen by the version counters: what backward saved is then silently not what it was.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.arange(3.0)
    >>> t = from_numpy(a)
    >>> a[0] = 7.0
    >>> t
    tensor([7., 1., 2.], dtype=pygrad.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(array).__name__}); tensor() takes other data")
    kind = _BY_ARRAY.get(array.dtype)
    if kind is None:
        if array.dtype.newbyteorder("=") not in _BY_ARRAY:
            raise TypeError(f"from_numpy: an array of {array.dtype} makes no tensor, only {VALID} do")
        raise ValueError(
            f"from_numpy: the array's byte order ({array.dtype.str}) is not the machine's, so that a tensor cannot "
            "share its memory: use tensor(array), which copies it"
        )
    return native.tensor_from_array(array, kind)


def _owning(array: np.ndarray[Any, Any]) -> Tensor:
    """Return a tensor with a copy of a C-contiguous array in memory of its own, which numpy's is not aligned like."""
    kind = _BY_ARRAY.get(array.dtype) or as_dtype(array.dtype)
    return native.tensor_copy_array(array, kind)


def _finish(t: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        t.requires_grad = True
    return t


# ---- of one number -----------------------------------------------------------------------------------------------


def read_size(name: str, size: tuple[Sizes, ...], keyword: Sizes | None) -> Any:
    """Return the sizes that were given, as ints one by one, as one sequence or by keyword."""
    if keyword is not None:
        if size:
            raise TypeError(f"{name}() got several values for 'size'")
        return keyword
    if not size:
        raise TypeError(f"{name}() needs a size, such as {name}(2, 3)")
    return size[0] if len(size) == 1 else size


def read_dtype(given: DType) -> dtype:
    """Return the dtype that was given, or the default one."""
    return get_default_dtype() if given is None else as_dtype(given)


def empty(*args: Sizes, size: Sizes | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor (size) whose elements are undefined.

    Raises
    ------
    RuntimeError
        When a size is negative, there are more than 8, or the bytes cannot be addressed.

    Examples
    --------
    >>> empty(2, 0).shape
    (2, 0)
    """
    return _finish(native.tensor_empty(read_size("empty", args, size), read_dtype(dtype)), requires_grad)


def zeros(*args: Sizes, size: Sizes | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor (size) of zeros.

    Raises
    ------
    RuntimeError
        When a size is negative, there are more than 8, or the bytes cannot be addressed.

    Examples
    --------
    >>> zeros(2, 3, dtype="int64")
    tensor([[0, 0, 0],
            [0, 0, 0]])
    """
    return _finish(native.tensor_zeros(read_size("zeros", args, size), read_dtype(dtype)), requires_grad)


def ones(*args: Sizes, size: Sizes | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor (size) of ones.

    Raises
    ------
    RuntimeError
        When a size is negative, there are more than 8, or the bytes cannot be addressed.

    Examples
    --------
    >>> ones((2,))
    tensor([1., 1.])
    """
    return _finish(native.tensor_full_int(read_size("ones", args, size), read_dtype(dtype), 1), requires_grad)


def full(size: Sizes, fill_value: Operand, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor (size) of one number.

    Parameters
    ----------
    size : sequence of int
        The size of each dimension.
    fill_value : number
        Or a tensor or array of one element.
    dtype : dtype, optional
        Otherwise bool for a bool, int64 for an int, and the default dtype for a float.

    Raises
    ------
    OverflowError
        When the dtype cannot hold the number. (It is a RuntimeError too.)

    Examples
    --------
    >>> full((2,), 3.5)
    tensor([3.5000, 3.5000])
    """
    value = read_number("full", fill_value, keep_bool=True)
    if dtype is not None:
        kind = as_dtype(dtype)
    elif isinstance(value, bool):
        kind = dtypes.bool
    else:
        kind = dtypes.int64 if isinstance(value, int) else get_default_dtype()
    return _finish(_full(size, value, kind), requires_grad)


_LARGEST = {kind: float(np.finfo(kind.numpy).max) for kind in (dtypes.float32, dtypes.float64)}
_LIMITS = {
    kind: (int(np.iinfo(kind.numpy).min), int(np.iinfo(kind.numpy).max))
    for kind in (dtypes.uint8, dtypes.int32, dtypes.int64)
}


def _full(size: Sizes, value: float, kind: dtype) -> Tensor:
    if kind is dtypes.bool:
        return native.tensor_full_int(size, kind, value != 0)
    if kind.is_floating_point:
        if abs(value) > _LARGEST[kind] and abs(value) != math.inf:
            raise NumberRangeError(f"full: {value} does not fit {kind.name}")
        return native.tensor_full(size, kind, float(value))
    low, high = _LIMITS[kind]
    if (isinstance(value, float) and not math.isfinite(value)) or not low <= int(value) <= high:
        raise NumberRangeError(f"full: {value} does not fit {kind.name}, which is from {low} to {high}")
    return native.tensor_full_int(size, kind, int(value))


# ---- like another tensor -----------------------------------------------------------------------------------------


def like(name: str, other: Tensor, given: DType) -> tuple[Sequence[int], dtype]:
    """Return the size and dtype of a tensor like another one."""
    if not isinstance(other, Tensor):
        raise TypeError(f"{name}() takes a Tensor, not {type(other).__name__}")
    return other.shape, other.dtype if given is None else as_dtype(given)


def empty_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of the shape of another, and of its dtype unless one is given, whose elements are undefined.

    Examples
    --------
    >>> empty_like(tensor([[1.5, 2]])).shape
    (1, 2)
    """
    return _finish(native.tensor_empty(*like("empty_like", input, dtype)), requires_grad)


def zeros_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return zeros in the shape of another tensor, and of its dtype unless one is given.

    Examples
    --------
    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    return _finish(native.tensor_zeros(*like("zeros_like", input, dtype)), requires_grad)


def ones_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return ones in the shape of another tensor, and of its dtype unless one is given.

    Examples
    --------
    >>> ones_like(tensor([1.5, 2]))
    tensor([1., 1.])
    """
    return _finish(native.tensor_full_int(*like("ones_like", input, dtype), 1), requires_grad)


def full_like(input: Tensor, fill_value: Operand, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return one number in the shape of another tensor, and of its dtype unless one is given.

    Raises
    ------
    OverflowError
        When the dtype cannot hold the number.

    Examples
    --------
    >>> full_like(tensor([1.5, 2]), 7)
    tensor([7., 7.])
    """
    size, kind = like("full_like", input, dtype)
    return _finish(_full(size, read_number("full_like", fill_value), kind), requires_grad)


# ---- ranges ------------------------------------------------------------------------------------------------------


def read_number(name: str, x: Any, keep_bool: bool = False) -> float:
    """Return a number, or the only element of a tensor or array, as Python's int or float."""
    if type(x) is int or type(x) is float:
        return x
    if isinstance(x, (Tensor, np.ndarray, np.generic)):
        x = x.item()
    if isinstance(x, bool) and keep_bool:
        return x
    try:
        return operator.index(x)
    except TypeError:
        pass
    if isinstance(x, (str, bytes)) or not hasattr(x, "__float__"):
        raise TypeError(f"{name}() takes numbers, not {x!r}")
    return float(x)


def arange(
    start: Operand | None = None,
    end: Operand | None = None,
    step: Operand = 1,
    *,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, start + 2 step, ... before end: ceil((end - start) / step) numbers.

    Parameters
    ----------
    start, end, step : number
        One argument is the end; start is 0 and step 1 unless given. The step may be negative.
    dtype : dtype, optional
        Otherwise int64 when all numbers are ints, and the default dtype when not.

    Raises
    ------
    RuntimeError
        When the step is 0 or leads away from the end, or a bound is not finite. (It is a ValueError too.)

    Notes
    -----
    Each number is computed from its index in float64 and rounded once. PyTorch's vector loops round float32 twice, so
    that its numbers can differ in their last bit.

    Examples
    --------
    >>> arange(3), arange(1, 0, -0.25)
    (tensor([0, 1, 2]), tensor([1.0000, 0.7500, 0.5000, 0.2500]))
    """
    if end is None:
        if start is None:
            raise TypeError("arange() needs an end")
        start, end = None, start
    first = 0 if start is None else read_number("arange", start)
    last, by = read_number("arange", end), read_number("arange", step)
    whole = isinstance(first, int) and isinstance(last, int) and isinstance(by, int)
    kind = (dtypes.int64 if whole else get_default_dtype()) if dtype is None else as_dtype(dtype)
    if kind.is_floating_point:
        made = native.tensor_arange(first, last, by, kind)
    else:
        first, last, by = (read_whole("arange", x) for x in (first, last, by))
        made = native.tensor_arange_int(first, last, by, kind)
    return _finish(made, requires_grad)


def read_whole(name: str, x: float) -> int:
    """Return a number without its fraction, checked to fit int64."""
    if (isinstance(x, float) and not math.isfinite(x)) or not -(2**63) <= int(x) < 2**63:
        raise NumberRangeError(f"{name}: {x} does not fit int64")
    return int(x)


def linspace(
    start: Operand, end: Operand, steps: SupportsIndex, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return numbers (steps) at equal distances from start to end, both included.

    Parameters
    ----------
    start, end : number
        In any order.
    steps : int
        How many; of one, it is `start`.
    dtype : dtype, optional
        The default dtype unless given. Integers are rounded towards zero.

    Raises
    ------
    RuntimeError
        When steps is negative. (It is a ValueError too.)

    Notes
    -----
    The first half is counted from start and the second from end, as in PyTorch: ``linspace(-a, a, n)`` is symmetric.

    Examples
    --------
    >>> linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    kind = read_dtype(dtype)
    made = native.tensor_linspace(
        read_number("linspace", start), read_number("linspace", end), operator.index(steps), kind
    )
    return _finish(made, requires_grad)


def eye(
    n: SupportsIndex, m: SupportsIndex | None = None, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return a tensor (n, m), m = n unless given, of ones on the diagonal and zeros elsewhere.

    Raises
    ------
    RuntimeError
        When a size is negative.

    Examples
    --------
    >>> eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows = operator.index(n)
    columns = rows if m is None else operator.index(m)
    return _finish(native.tensor_eye(rows, columns, read_dtype(dtype)), requires_grad)
