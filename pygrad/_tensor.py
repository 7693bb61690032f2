"""`Tensor`: an n-dimensional array that remembers how it was computed.

The type itself is C (csrc/python/tensor_*.c): its operators, its attributes, the methods of the op table. The modules
imported here give it the others, each written once, as a function and a method. `_tensor.pyi` has the types.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ._engine import DTypeError, ShapeError, Tensor, native

__all__ = ["DTypeError", "ShapeError", "Tensor"]

Tensor.__doc__ = """An n-dimensional array that remembers how it was computed, so that it can be differentiated.

``Tensor(data)`` copies data into a tensor of the default dtype, float32; `pygrad.tensor` keeps the dtype of the data.
Names and meanings are PyTorch's. Elements are bool, uint8, int32, int64, float32 or float64; there are at most 8
dimensions. Slices, transposes and the like are views that share memory.

Parameters
----------
data : array_like
    Numbers, nested lists of them, arrays, tensors.
dtype : dtype, optional
requires_grad : bool
    Whether operations on the tensor are recorded.

Attributes
----------
shape : tuple of int
dtype : dtype
grad : Tensor or None
    Of a leaf: the gradient, summed over the calls of `backward()`.
requires_grad, is_leaf : bool
grad_fn : Node or None
    What computed the tensor: ``grad_fn.name()``, ``grad_fn.next_functions``.

Notes
-----
An operation in place moves the version of the memory on; backward refuses to work with a saved tensor whose version has
changed. What is written through numpy, which shares memory, goes unnoticed.

Examples
--------
>>> import pygrad
>>> x = pygrad.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
>>> loss = (x @ x).relu().sum()
>>> loss.backward()
>>> x.grad
tensor([[ 7., 11.],
        [ 9., 13.]])
"""

# numpy leaves `array * tensor` to Tensor.
Tensor.__array_ufunc__ = None

from . import (  # noqa: E402
    arithmetic,  # noqa: F401
    arrange,  # noqa: F401
    autograd,  # noqa: F401
    contraction,  # noqa: F401
    conversion,  # noqa: F401
    creation,
    dtypes,
    elementwise,  # noqa: F401
    filling,  # noqa: F401
    in_place,  # noqa: F401
    indexing,  # noqa: F401
    linalg,  # noqa: F401
    logic,  # noqa: F401
    normalization,  # noqa: F401
    ordering,  # noqa: F401
    pieces,  # noqa: F401
    predicates,  # noqa: F401
    reductions,  # noqa: F401
    shapes,  # noqa: F401
    statistics,  # noqa: F401
    writing,  # noqa: F401
)


def _make(data: Any = (), *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return creation.tensor(data, dtype=kind, requires_grad=requires_grad)


Tensor._make = staticmethod(_make)


def _read_operand(x: object) -> object:
    """Return a number as Python's, an array as a tensor, and NotImplemented for anything else."""
    if isinstance(x, np.ndarray):
        return creation.tensor(x)
    if isinstance(x, np.bool_):
        return bool(x)
    if isinstance(x, numbers.Integral):
        return int(x)
    if isinstance(x, numbers.Real):
        return float(x)
    return NotImplemented


native.set_tensor_helpers(dtypes.BY_CODE, _read_operand)
