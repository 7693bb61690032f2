"""The six kinds of elements that a tensor can have.

Aliases are PyTorch's: `float` is `float32`, `double` is `float64`, `int` is `int32`, `long` is `int64`. `float`, `int`
and `bool` are names of builtins too: here they are attributes of the module, and stay out of ``__all__``.
"""

from __future__ import annotations

import builtins
from typing import Any, Final, NoReturn, final

import numpy as np

__all__ = [
    "as_dtype",
    "double",
    "dtype",
    "finfo",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int32",
    "int64",
    "long",
    "set_default_dtype",
    "uint8",
]


@final
class dtype:
    """The kind of a tensor's elements: one of six objects, which are compared with ``is``.

    Attributes
    ----------
    name : str
        The name, as in ``pygrad.float32``.
    code : int
        The number of the kind in C. A larger code is what a smaller one is promoted to.
    itemsize : int
        Bytes of an element.
    is_floating_point : bool
        Whether elements can have gradients.
    numpy : numpy.dtype
        numpy's name for the same, in the machine's byte order.

    Examples
    --------
    >>> float64
    pygrad.float64
    >>> float64.itemsize, float64.is_floating_point, float64.numpy
    (8, True, dtype('float64'))
    """

    __slots__ = ("code", "is_floating_point", "itemsize", "name", "numpy")

    name: builtins.str
    code: builtins.int
    itemsize: builtins.int
    is_floating_point: builtins.bool
    numpy: np.dtype[Any]

    def __new__(cls, *args: object) -> dtype:
        """Refuse: the six are made below."""
        raise TypeError(f"there are no other dtypes than {VALID}; pygrad.as_dtype finds one by its name")

    def __setattr__(self, name: builtins.str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r} of {self!r}: dtypes do not change")

    def __delattr__(self, name: builtins.str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r} of {self!r}: dtypes do not change")

    def __repr__(self) -> builtins.str:
        return f"pygrad.{self.name}"

    def __reduce__(self) -> builtins.str:
        # The name of a global of this module: copies and pickles are the object itself.
        return self.name


VALID: Final = "bool, uint8, int32, int64, float32 and float64"


def _make(code: builtins.int, name: builtins.str) -> dtype:
    made = object.__new__(dtype)
    kind = np.dtype(name)
    values = {
        "code": code,
        "name": name,
        "numpy": kind,
        "itemsize": kind.itemsize,
        "is_floating_point": kind.kind == "f",
    }
    for attribute, value in values.items():
        object.__setattr__(made, attribute, value)
    return made


bool = _make(0, "bool")
uint8 = _make(1, "uint8")
int32 = _make(2, "int32")
int64 = _make(3, "int64")
float32 = _make(4, "float32")
float64 = _make(5, "float64")

BY_CODE: Final = (bool, uint8, int32, int64, float32, float64)

long, double = int64, float64
int, float = int32, float32

_default = float32
_BY_NAME = {kind.name: kind for kind in BY_CODE}
# By kind and size, not by numpy's dtype: its long long is our int64 too, and so is a foreign byte order's.
_BY_NUMPY = {(kind.numpy.kind, kind.itemsize): kind for kind in BY_CODE}
_NUMPY_SCALARS = frozenset(np.sctypeDict.values())


def as_dtype(x: Any) -> dtype:
    """Return the dtype that is meant by one of ours, numpy's, Python's number types, or a name.

    Parameters
    ----------
    x : dtype, numpy.dtype, type or str
        Of Python's types, `float` stands for the default dtype, `int` for int64, `bool` for bool.

    Raises
    ------
    TypeError
        When it is none of the six.

    Examples
    --------
    >>> import numpy as np
    >>> as_dtype("float64"), as_dtype(np.int32), as_dtype(np.dtype(">f4"))
    (pygrad.float64, pygrad.int32, pygrad.float32)
    """
    if isinstance(x, dtype):
        return x
    found = None
    if isinstance(x, np.dtype) or (isinstance(x, type) and x in _NUMPY_SCALARS):
        kind: np.dtype[Any] = np.dtype(x)
        found = _BY_NUMPY.get((kind.kind, kind.itemsize))
    elif isinstance(x, str):
        found = _BY_NAME.get(x)
    elif x is builtins.float:
        found = _default
    elif x is builtins.int:
        found = int64
    elif x is builtins.bool:
        found = bool
    if found is None:
        raise TypeError(f"{x!r} is not a dtype of pygrad; those are {VALID}")
    return found


def get_default_dtype() -> dtype:
    """Return the dtype of tensors that are made from Python's floats: float32, unless set otherwise.

    Examples
    --------
    >>> get_default_dtype()
    pygrad.float32
    """
    return _default


def set_default_dtype(x: Any) -> None:
    """Set the dtype of tensors that are made from Python's floats, for all threads.

    Parameters
    ----------
    x : dtype
        float32 or float64, in any form that `as_dtype` takes.

    Raises
    ------
    TypeError
        When it is neither.

    Examples
    --------
    >>> import pygrad
    >>> set_default_dtype(float64)
    >>> pygrad.tensor([0.5]).dtype
    pygrad.float64
    >>> set_default_dtype(float32)
    """
    global _default
    wanted = as_dtype(x)
    if not wanted.is_floating_point:
        raise TypeError(f"the default dtype has to be float32 or float64, not {wanted.name}")
    _default = wanted


def finfo(x: Any = None) -> np.finfo[Any]:
    """Return numpy's limits of a floating-point dtype (`eps`, `max`, `min`, `tiny`); of the default one by default.

    Examples
    --------
    >>> print(finfo(float64).eps)
    2.220446049250313e-16
    """
    kind = get_default_dtype() if x is None else as_dtype(x)
    if not kind.is_floating_point:
        raise TypeError(f"finfo is for float32 and float64, not {kind.name}; see iinfo")
    return np.finfo(kind.numpy)


def iinfo(x: Any) -> np.iinfo[Any]:
    """Return numpy's limits of an integer dtype (`min`, `max`).

    Examples
    --------
    >>> iinfo("int32").max
    2147483647
    """
    kind = as_dtype(x)
    if kind.numpy.kind not in "iu":
        raise TypeError(f"iinfo is for uint8, int32 and int64, not {kind.name}")
    return np.iinfo(kind.numpy)
