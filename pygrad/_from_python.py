"""What `tensor(data)` is given, as a numpy array: new, contiguous in C order, aligned, in the machine's byte order.

The dtype follows PyTorch: Python's floats make the default dtype, its ints int64, its bools bool; what numpy made keeps
its dtype, alone or in a list; a list takes the largest of what is in it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import chain
from operator import countOf
from typing import Any

import numpy as np

from . import dtypes
from .dtypes import BY_CODE, VALID, as_dtype, dtype, float32, get_default_dtype

__all__ = ["MAX_DIMS", "DataError", "NumberRangeError", "array_from"]

MAX_DIMS = 8

# The codes of what numbers make; a Python float makes the default dtype.
_CODES: dict[type, int] = {bool: dtypes.bool.code, int: dtypes.int64.code}
_CODES |= {kind.numpy.type: kind.code for kind in BY_CODE}


class DataError(TypeError, RuntimeError):
    """Data that are no numbers. PyTorch raises now the one and now the other."""


class NumberRangeError(OverflowError, ValueError, RuntimeError):
    """A number that the dtype cannot hold: an OverflowError as in Python and numpy; PyTorch raises the other two."""


def array_from(data: Any, dtype: dtype | None = None) -> np.ndarray[Any, Any]:
    """Return a new array of numbers that are given in any form.

    Parameters
    ----------
    data : number, nested sequence, numpy array, or object with ``__array__`` or a buffer
        Sequences are nested evenly, up to 8 deep. A buffer (`array.array`, `memoryview`, `bytearray`) counts as the
        sequence of its numbers; an object with ``__array__`` as its array.
    dtype : dtype, optional
        Convert to this one; otherwise it follows from the data.

    Returns
    -------
    numpy.ndarray
        Of one of the six dtypes.

    Raises
    ------
    DataError
        A TypeError: what is neither number nor sequence, or a number next to a sequence.
    ValueError
        Sequences of different lengths side by side, or more than 8 deep, as those inside themselves are.
    NumberRangeError
        An OverflowError: Python numbers outside the range of an integer dtype. Arrays are converted as C does.
    TypeError
        Arrays of another dtype than the six. With `dtype` given, other real numbers are converted.

    Examples
    --------
    >>> array_from([[1, 2], [3, 4.5]])
    array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    # The floats of a training loop: a list of nothing else.
    if type(data) is list and data and type(data[0]) is float and countOf(map(type, data), float) == len(data):
        return _fill(data, dtype or get_default_dtype(), True)
    return _convert(data, dtype, 0)


def _convert(data: Any, dtype: dtype | None, depth: int) -> np.ndarray[Any, Any]:
    """Return any data as an array; `depth` counts the sequences that they stand in."""
    kind = type(data)
    if kind is list or kind is tuple:
        return _from_sequence(data, dtype, depth)
    if isinstance(data, (np.ndarray, np.generic)):
        return _from_numpy(np.asarray(data), dtype)
    if isinstance(data, float):
        return _fill([data], dtype or get_default_dtype(), True).reshape(())
    if isinstance(data, int):
        natural = dtypes.bool if kind is bool else dtypes.int64
        return _fill([data], dtype or natural, False).reshape(())
    if isinstance(data, (str, bytes)):
        raise DataError(f"a tensor is made from numbers, not from text: {data!r:.60}")
    if hasattr(data, "__array__"):
        # A tensor that requires a gradient shows no array; detached it does.
        return _from_numpy(np.asarray(data.detach() if hasattr(data, "detach") else data), dtype)
    if isinstance(data, Sequence) and not isinstance(data, memoryview):
        return _from_sequence(data, dtype, depth)
    return _from_buffer(data, dtype)


def _from_numpy(data: np.ndarray[Any, Any], dtype: dtype | None) -> np.ndarray[Any, Any]:
    """Return a copy of an array, of its own dtype or another; float to int and narrowing go as in C."""
    _check_dims(data.ndim)
    real = data.dtype.kind in "biuf"
    if dtype is None or not real:
        try:
            dtype = as_dtype(data.dtype)
        except TypeError:
            hint = "; with dtype= it is converted" if real else ""
            raise TypeError(f"an array of {data.dtype} makes no tensor, only {VALID} do{hint}") from None
    if data.dtype == dtype.numpy:
        return np.array(data, dtype=dtype.numpy, order="C")
    with np.errstate(all="ignore"):
        return np.array(data, dtype=dtype.numpy, order="C")


def _from_buffer(data: Any, dtype: dtype | None) -> np.ndarray[Any, Any]:
    """Return the numbers of an object that shows its memory, as the nested list of them would come out."""
    try:
        view = np.asarray(memoryview(data))
    except (TypeError, ValueError):
        raise DataError(f"a tensor is made from numbers and sequences of them, not from {_named(data)}") from None
    if view.dtype.kind not in "biuf":
        raise DataError(f"a tensor is made from real numbers, not from {_named(data)} of {view.dtype}")
    _check_dims(view.ndim)
    return _convert(view.tolist(), dtype, 0)


def _from_sequence(data: Sequence[Any], dtype: dtype | None, depth: int) -> np.ndarray[Any, Any]:
    """Return a sequence as an array: at once where only lists, tuples and common numbers are in it."""
    _check_dims(depth + 1)  # which ends sequences inside themselves too
    shape, items = _flatten(data)
    kinds = set(map(type, items))
    default = get_default_dtype()
    codes = [default.code if kind is float else _CODES.get(kind, -1) for kind in kinds]
    if -1 not in codes:
        natural = BY_CODE[max(codes, default=default.code)]
        return _fill(items, dtype or natural, natural.is_floating_point).reshape(shape)
    parts = [_convert(item, dtype, depth + 1) for item in items]
    _check_even(len(shape), items, parts)
    _check_dims(len(shape) + parts[0].ndim)
    result = np.stack(parts, dtype=BY_CODE[max(as_dtype(part.dtype).code for part in parts)].numpy)
    return result.reshape(*shape, *parts[0].shape)


def _flatten(data: Sequence[Any]) -> tuple[list[int], list[Any]]:
    """Return the lengths of evenly nested lists and tuples, and the items of the innermost."""
    # Along the first items beforehand: [x, x, ...] inside itself would grow without end below.
    first, dims, count = data, 1, len(data)
    while count and type(first[0]) in (list, tuple):
        first = first[0]
        dims, count = dims + 1, count * len(first)
        _check_dims(dims)
    if count > 2**59:
        raise ValueError(f"a nested list of {count} numbers is more than memory can have")
    items, shape = list(data), [len(data)]
    while items and set(map(type, items)) <= {list, tuple}:
        expected = len(items[0])
        for item in items:
            if len(item) != expected:
                raise _ragged(expected, len(shape), len(item))
        shape.append(expected)
        items = list(chain.from_iterable(items))
    return shape, items


def _check_dims(n: int) -> None:
    if n > MAX_DIMS:
        raise ValueError(f"a tensor has at most {MAX_DIMS} dimensions; the data have {n} or more")


def _check_even(dim: int, items: list[Any], parts: list[np.ndarray[Any, Any]]) -> None:
    """Raise unless all parts have one shape."""
    first = parts[0].shape
    for item, part in zip(items, parts, strict=True):
        if part.ndim != len(first):
            raise DataError(
                f"{_named(items[0])} with {len(first)} dimensions stands beside {_named(item)} with {part.ndim}, "
                f"at dim {dim - 1}"
            )
        for axis, (expected, got) in enumerate(zip(first, part.shape, strict=True)):
            if expected != got:
                raise _ragged(expected, dim + axis, got)


def _ragged(expected: int, dim: int, got: int) -> ValueError:
    return ValueError(f"expected sequence of length {expected} at dim {dim} (got {got})")


def _fill(numbers: list[Any], dtype: dtype, floats: bool) -> np.ndarray[Any, Any]:
    """Return an array (n) of n numbers, of which some are floats, or none."""
    if not numbers:
        return np.empty(0, dtype.numpy)
    if dtype is float32:
        # Python's array: numpy would warn of numbers that become infinite, which is no fault.
        return np.frombuffer(array("f", numbers), np.float32)
    if dtype.numpy.kind in "fb":
        return np.array(numbers, dtype.numpy)
    try:
        whole = np.array(list(map(int, numbers)) if floats else numbers, np.int64)
    except (OverflowError, ValueError):  # too large, infinite, or nan
        raise _out_of_range(numbers, dtype) from None
    if dtype is dtypes.int64:
        return whole
    limits = np.iinfo(dtype.numpy)
    if whole.min() < limits.min or whole.max() > limits.max:
        raise _out_of_range(numbers, dtype)
    return whole.astype(dtype.numpy)


def _out_of_range(numbers: list[Any], dtype: dtype) -> NumberRangeError:
    """Return the error that names the first number that an integer dtype cannot hold."""
    low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
    first = next(x for x in numbers if not (-math.inf < x < math.inf and low <= int(x) <= high))
    return NumberRangeError(f"{first} does not fit {dtype.name}, which is from {low} to {high}")


def _named(data: Any) -> str:
    name = type(data).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
