"""The one module that imports the compiled engine.

`lib` and `ffi` are cffi's view of csrc/pygrad.h. `native` holds what needs Python objects at C speed: the type
`Value` and functions over lists of values (see csrc/python).
"""

from __future__ import annotations

import ctypes
import numbers
import operator
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ._version import __version__

if "t" in getattr(sys, "abiflags", ""):
    raise ImportError(
        "pygrad does not support free-threaded Python, because the interpreter lock is what protects its graphs: "
        "use a standard build of CPython."
    )

try:
    from ._c import ffi, lib
except ModuleNotFoundError as error:
    if error.name != f"{__package__}._c":  # but what it needs itself, such as cffi
        raise
    raise ImportError(
        "pygrad's C extension is not built: install the package (`pip install .`, or `make build` in a checkout), "
        "and do not import it from an unbuilt source folder"
    ) from error

_built_for = ffi.string(lib.pg_version()).decode()
if _built_for != __version__:
    raise ImportError(
        f"pygrad {__version__} found a C extension that was built for version {_built_for}: "
        "build it again (`pip install .`, or `make clean build` in a checkout)"
    )


_complaint = lib.pg_isa_complaint()
if _complaint != ffi.NULL:
    warnings.warn(ffi.string(_complaint).decode(), RuntimeWarning, stacklevel=2)


def _load_native() -> Any:
    # What Python puts before an object that its collector may track: the engine's own cells start with the same.
    gc_head_bytes = sys.getsizeof([]) - [].__sizeof__()
    address = int(ffi.cast("intptr_t", lib.pg_python_module(gc_head_bytes)))
    if address == 0:
        raise MemoryError("pygrad could not set up its engine")
    return ctypes.cast(address, ctypes.py_object).value


native = _load_native()
Value = native.Value
Tensor = native.Tensor
Node = native.Node
ShapeError = native.ShapeError
DTypeError = native.DTypeError


def _read_operand(operand: object) -> object:
    """Return a number as a float, an array as it is, and NotImplemented for anything else."""
    if isinstance(operand, np.ndarray):
        if operand.ndim > 0 or operand.dtype == object:
            return operand
        operand = operand[()]
    if isinstance(operand, numbers.Real | np.bool_):
        return float(operand)
    return NotImplemented


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    **_COMPARISONS,
}


def _elementwise(name: str, a: object, b: object) -> object:
    """Apply an op to a `Value` and an array, element by element, into an array of objects (of bools to compare)."""
    op = _OPERATORS.get(name) or getattr(Value, name)
    if isinstance(a, np.ndarray):
        array, results = a, [op(x, b) for x in a.ravel().tolist()]
    elif isinstance(b, np.ndarray):
        array, results = b, [op(a, x) for x in b.ravel().tolist()]
    if array.ndim == 0:
        return results[0]
    out = np.empty(len(results), dtype=bool if name in _COMPARISONS else object)
    out[:] = results
    return out.reshape(array.shape)


native.set_helpers(_read_operand, _elementwise)


def op_table() -> list[Any]:
    """Return the rows of the op table as cffi structs with name, symbol, doc, arity, saves and domain."""
    return [lib.pg_op_row(op) for op in range(lib.pg_op_count())]


def find_op(name: str) -> int:
    """Return the number of the op table's row of that name."""
    op = int(lib.pg_op_find(name.encode()))
    if op < 0:
        raise ValueError(f"no op is named {name!r}")
    return op
