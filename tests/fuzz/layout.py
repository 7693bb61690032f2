"""How a tensor's numbers lie in memory: made on purpose, and recognised."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np


def layout_of(z: np.ndarray) -> str:
    """Name the layout of an array; the strides of dimensions of size 1 say nothing."""
    if z.ndim == 0:
        return "scalar"
    if z.size == 0:
        return "empty"
    if z.flags.c_contiguous:
        if z.base is not None and z.__array_interface__["data"][0] != root(z).__array_interface__["data"][0]:
            return "offset"
        return "contiguous"
    strides = [s for s, n in zip(z.strides, z.shape, strict=True) if n > 1]
    if 0 in strides:
        return "expanded"
    return "strided" if all(a >= b for a, b in pairwise(strides)) else "transposed"


def root(z: np.ndarray) -> np.ndarray:
    while z.base is not None:
        z = z.base
    return z


def lay_out(x: Any, layout: str, axis: int) -> Any:
    """Take from a tensor or an array the part, or the order, that has this layout."""
    if layout == "offset":
        return x[1:]
    if layout == "strided":
        return x[..., ::2]
    if layout == "transposed":
        order = tuple(range(x.ndim))[::-1]
        return x.transpose(order) if isinstance(x, np.ndarray) else x.permute(order)
    if layout == "expanded":
        shape = (*x.shape[:axis], 3, *x.shape[axis + 1 :])
        if not isinstance(x, np.ndarray):
            return x.expand(shape)
        x = np.broadcast_to(x, shape)
        x.flags.writeable = True  # what must not be written to is known by its layout
    return x


def base_shape(shape: tuple[int, ...], layout: str, axis: int) -> tuple[int, ...]:
    """Return the shape of what `lay_out` turns into `shape`."""
    if layout == "offset":
        return (shape[0] + 1, *shape[1:])
    if layout == "strided":
        return (*shape[:-1], 2 * shape[-1])
    if layout == "transposed":
        return shape[::-1]
    if layout == "expanded":
        return (*shape[:axis], 1, *shape[axis + 1 :])
    return shape
