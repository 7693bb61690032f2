"""One tensor of a program, the engine's and the oracle's; the numbers that there are; how calls are spelled."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import pygrad

from .dual import H
from .layout import layout_of
from .program import Failure, Invalid
from .row import CATEGORY, IN_PLACE, OPERATORS, Row

Array = np.ndarray
LARGEST = 1e3  # of values and of derivatives
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
STORED = {"float32": np.complex128, "float64": np.complex128, "bool": np.bool_, "uint8": np.uint8,
          "int32": np.int32, "int64": np.int64}  # fmt: skip
_source = random.Random(0)
POOL = np.array([_source.random() for _ in range(8192)])


def numbers(at: int, shape: tuple[int, ...], low: float, high: float, dtype: str) -> Array:
    """Return random numbers of a dtype, the same ones for the same place in the pool."""
    n = 1
    for size in shape:
        n *= size
    x = POOL[at % 4096 : at % 4096 + n] if n <= 4096 else np.resize(POOL, n)
    x = low + (high - low) * x.reshape(shape)
    if CATEGORY[dtype] == 2:
        return np.asarray(x).astype(np.float32).astype(dtype)
    return np.asarray(np.clip(np.floor(x + 0.5), np.ceil(low), np.floor(high))).astype(dtype)


def directions(at: int, shape: tuple[int, ...]) -> Array:
    return numbers(at + 4099, shape, -1.0, 1.0, "float64")


class Family:
    """Tensors that share memory and a history: a tensor and its views."""

    __slots__ = ("alive", "grad", "late", "leaf", "members", "probed", "root", "unrecorded")

    def __init__(self, grad: bool, leaf: bool = False, alive: bool = True) -> None:
        self.grad, self.leaf, self.probed, self.members = grad, leaf, False, 1
        self.late = False  # it had no gradient before a change in place
        self.unrecorded = False  # there are views whose making was not recorded
        self.alive = alive  # the derivative that lies in its memory is its own, not that of what it was detached from
        self.root: Any = None


class Var:
    """One tensor: the engine's `t`, and the oracle's `z`, whose imaginary part is h times the derivative."""

    __slots__ = ("dtype", "family", "layout", "t", "z")

    def __init__(self, t: Any, z: Array, dtype: str, family: Family) -> None:
        self.t, self.z, self.dtype, self.family = t, z, dtype, family
        self.layout = layout_of(z)
        if family.root is None:
            family.root = self

    @property
    def grad(self) -> bool:
        """Whether it wants a gradient.

        Where a change in place brought one into the family, a view of other elements may go without.
        """
        if self.family.late and not self.t.requires_grad:
            if self.z.imag.any():
                raise Failure("requires_grad is False of a tensor that has a derivative")
            return False
        return self.family.grad


def array(t: Any) -> Array:
    return t.numpy(force=True)


def name_of(t: Any) -> str:
    return NAMES[t.dtype]


NAMES = {getattr(pygrad, name): name for name in STORED}


NUMBER = {bool: "bool", int: "int64", float: "float32"}


def mixed(tensors: list[Var], dtype: str) -> bool:
    """Whether float operands of another dtype are rounded."""
    return any(v.dtype != dtype and CATEGORY[v.dtype] == 2 for v in tensors) or (
        dtype == "float32" and any(CATEGORY[v.dtype] == 1 for v in tensors)
    )


def check_size(w: Any) -> None:
    w = np.asarray(w)
    if w.dtype.kind not in "fc" or not w.size:
        return
    top = max(np.maximum.reduce(w.real, axis=None), -np.minimum.reduce(w.real, axis=None))
    if not top <= LARGEST:
        raise Invalid("too large")
    if w.dtype.kind == "c":
        top = max(np.maximum.reduce(w.imag, axis=None), -np.minimum.reduce(w.imag, axis=None))
        if not top <= LARGEST * H:
            raise Invalid("too steep")


def invoke(module: Any, row: Row, how: str, tensors: list[Any], options: dict[str, Any]) -> Any:
    if row.call is not None and (not how or how == "[]="):
        return row.call(module, *tensors, **options)
    if row.call is not None:  # in place, with the dimension before the index
        if how == "index_put_":
            return tensors[0].index_put_(tensors[2:], tensors[1], **options)
        dim = (options.pop("dim"),) if "dim" in options else ()
        return getattr(tensors[0], how)(*dim, *tensors[1:], **options)
    how = how or row.op
    if how in OPERATORS:
        return OPERATORS[how](*tensors, **options)
    if how in IN_PLACE:
        return IN_PLACE[how](*tensors, **options)
    if how.startswith("."):
        return getattr(tensors[0], how[1:])(*tensors[1:], **options)
    return getattr(module, how)(*tensors, **options)
