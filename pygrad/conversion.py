"""Methods that take a tensor to numpy, to Python's numbers, to another dtype, to text, to a copy or a pickle.

A pickle or deep copy holds each tensor by itself: views that shared memory do not afterwards, and elements lie in
row-major order. Gradients go into deep copies, not into pickles.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, SupportsIndex

import numpy as np

from . import dtypes
from ._engine import Tensor, native
from ._method import method
from ._printing import tensor_repr
from ._types import DType
from .dtypes import as_dtype, dtype

__all__: list[str] = []

Array = np.ndarray[Any, Any]


class ScalarError(RuntimeError, ValueError):
    """A tensor of no or several elements where one number is wanted. PyTorch raises now the one and now the other."""


# ---- numpy -------------------------------------------------------------------------------------------------------


@method
def numpy(self: Tensor, *, force: bool = False) -> Array:
    """Return an array that shares the tensor's memory: a change of the one is a change of the other.

    Parameters
    ----------
    force : bool
        Detach a tensor that requires a gradient.

    Returns
    -------
    numpy.ndarray
        Of the same shape and strides. Of an expanded tensor it is read-only.

    Raises
    ------
    RuntimeError
        When the tensor requires a gradient, since what numpy does is not recorded.

    Notes
    -----
    Changes that are made through the array are not seen by the version counters: what backward saved is then silently
    not what it was.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(2)
    >>> x.numpy()[0] = 3.0
    >>> x
    tensor([3., 0.])
    """
    if not force and self.requires_grad:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    return native.tensor_to_array(self)


def _array(self: Tensor, dtype: np.dtype[Any] | type | None = None, copy: bool | None = None) -> Array:
    """Return the tensor as an array for numpy: shared memory where the dtype is the same, unless `copy` says else."""
    array = numpy(self)
    if dtype is None or array.dtype == dtype:
        return array.copy() if copy else array
    if copy is False:
        raise ValueError(f"a tensor of {self.dtype.name} cannot be an array of {np.dtype(dtype)} without a copy")
    return array.astype(dtype)


def _dlpack(self: Tensor, **protocol: Any) -> Any:
    """Return a capsule by which another library takes the memory, as `numpy()` shares it (DLPack, on the CPU)."""
    return numpy(self).__dlpack__(**protocol)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """Return (1, 0): DLPack's name for the CPU."""
    return (1, 0)


# ---- Python's numbers --------------------------------------------------------------------------------------------


@method
def tolist(self: Tensor) -> Any:
    """Return the elements as nested lists of Python's numbers, and that of a 0-d tensor as a number.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return native.tensor_to_array(self).tolist()


@method
def item(self: Tensor) -> Any:
    """Return the only element as a bool, int or float of Python's.

    Raises
    ------
    RuntimeError
        When there are no or several elements.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([2.5]).item()
    2.5
    """
    return native.tensor_item(self)


def _only(self: Tensor) -> Any:
    try:
        return native.tensor_item(self)
    except RuntimeError as error:
        raise ScalarError(str(error)) from None


def _float(self: Tensor) -> float:
    return float(_only(self))


def _int(self: Tensor) -> int:
    return int(_only(self))


def _complex(self: Tensor) -> complex:
    return complex(_only(self))


def _bool(self: Tensor) -> bool:
    try:
        return bool(native.tensor_item(self))
    except RuntimeError:
        n = "more than one value" if self.numel() else "no values"
        raise ScalarError(f"Boolean value of Tensor with {n} is ambiguous") from None


def _index(self: Tensor) -> int:
    if self.dtype.is_floating_point or self.numel() != 1:
        raise TypeError(
            "only integer tensors of a single element can be converted to an index, not one of shape "
            f"{list(self.shape)} and dtype {self.dtype.name}"
        )
    return int(native.tensor_item(self))


# ---- other dtypes ------------------------------------------------------------------------------------------------


@method
def to(self: Tensor, *args: Any, dtype: DType = None, copy: bool = False, **ignored: Any) -> Tensor:
    """Return the tensor in another dtype; itself when it has that already.

    Parameters
    ----------
    *args : dtype or Tensor or 'cpu'
        The dtype, or a tensor that has it; or the only device there is.
    dtype : dtype, optional
        The same by keyword.
    copy : bool
        Return a copy in any case.
    **ignored
        `device`, which can only be 'cpu', and `non_blocking`.

    Raises
    ------
    TypeError
        When that is no dtype.
    RuntimeError
        When another device is named.

    Notes
    -----
    Between floating-point dtypes gradients pass. Floats become integers as in C, rounded towards zero.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1.5, -1.5]).to(pygrad.dtypes.int64)
    tensor([ 1, -1])
    """
    device = ignored.pop("device", None)
    ignored.pop("non_blocking", None)
    if ignored:
        raise TypeError(f"to() got an unexpected keyword argument {next(iter(ignored))!r}")
    for arg in (*args, device):
        if isinstance(arg, str) and arg.split(":")[0] in _DEVICES:
            if arg.split(":")[0] != "cpu":
                raise RuntimeError(f"to() cannot reach the device {arg!r}: there is only 'cpu'")
        elif isinstance(arg, Tensor):
            dtype = arg.dtype
        elif arg is not None and not isinstance(arg, bool):  # a bool is non_blocking
            dtype = arg
    result = self if dtype is None else _cast(self, as_dtype(dtype))
    return result.clone() if copy and result is self else result


_DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


def _cast(t: Tensor, kind: dtype) -> Tensor:
    made: Tensor = t if t.dtype is kind else native.tensor_to(t, kind)
    return made


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the dtype of another one; itself when it has that already.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1.5]).type_as(pygrad.tensor([1]))
    tensor([1])
    """
    return _cast(self, other.dtype)


@method
def cpu(self: Tensor) -> Tensor:
    """Return the tensor itself: there is no other device.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.zeros(2)
    >>> x.cpu() is x
    True
    """
    return self


def _casting_method(name: str, kind: dtype) -> Callable[[Tensor], Tensor]:
    def cast(self: Tensor) -> Tensor:
        return _cast(self, kind)

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"Return the tensor in {kind.name}; itself when it has that already."
    return method(cast)


for _name, _kind in {
    "float": dtypes.float32,
    "double": dtypes.float64,
    "long": dtypes.int64,
    "int": dtypes.int32,
    "bool": dtypes.bool,
    "byte": dtypes.uint8,
}.items():
    _casting_method(_name, _kind)


# ---- text --------------------------------------------------------------------------------------------------------


def _repr(self: Tensor) -> str:
    grad_fn = self.grad_fn
    return tensor_repr(
        native.tensor_to_array(self),
        dtype=self.dtype,
        requires_grad=self.requires_grad,
        grad_fn_name=None if grad_fn is None else grad_fn.name(),
    )


def _format(self: Tensor, spec: str) -> str:
    """Format the number of a 0-d tensor; any other tensor as its text, which takes no specification."""
    if not spec:
        return str(self) if self.dim() else format(native.tensor_item(self))
    if self.dim():
        raise TypeError(f"only a 0-d Tensor takes the format {spec!r}, not one of shape {list(self.shape)}")
    return format(native.tensor_item(self), spec)


# ---- copies and pickles ------------------------------------------------------------------------------------------


def _rebuild(cls: type[Tensor], array: Array, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    """Return what a pickle describes. The array may lie in memory that is read-only or foreign: it is copied."""
    kind = as_dtype(array.dtype)
    made: Tensor = native.tensor_copy_array(np.ascontiguousarray(array, kind.numpy).reshape(array.shape), kind)
    return _dress(cls, made, requires_grad, attributes)


def _dress(cls: type[Tensor], made: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    if cls is not Tensor or requires_grad:
        made = native.tensor_subclass(cls, made, requires_grad)
    if attributes:
        made.__dict__.update(attributes)
    return made


def _reduce_ex(self: Tensor, protocol: SupportsIndex) -> tuple[Any, ...]:
    """Describe the tensor for a pickle: elements, whether it requires a gradient, class and attributes."""
    return _rebuild, (type(self), native.tensor_to_array(self), self.requires_grad, dict(self.__dict__))


def _copy(self: Tensor) -> Tensor:
    """Return a leaf of the same memory."""
    return _dress(type(self), self.detach(), self.requires_grad, dict(self.__dict__))


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """Return a leaf with copies of elements, gradient and attributes."""
    if id(self) in memo:
        made: Tensor = memo[id(self)]
        return made
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment. "
            "Use tensor.detach() or tensor.clone() for one that was computed."
        )
    made = _rebuild(type(self), native.tensor_to_array(self), self.requires_grad, {})
    memo[id(self)] = made
    if self.grad is not None:
        made.grad = copy.deepcopy(self.grad, memo)
    if self.__dict__:
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return made


for _name, _function in {
    "__array__": _array,
    "__dlpack__": _dlpack,
    "__dlpack_device__": _dlpack_device,
    "__float__": _float,
    "__int__": _int,
    "__complex__": _complex,
    "__bool__": _bool,
    "__index__": _index,
    "__repr__": _repr,
    "__format__": _format,
    "__reduce_ex__": _reduce_ex,
    "__copy__": _copy,
    "__deepcopy__": _deepcopy,
}.items():
    setattr(Tensor, _name, _function)
