"""Indexing, and reading and writing along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tensor_backend import pg

from .rows import ANY, TRUTH, Array, Case, Row, Shape, case, fixed

# Index expressions that mean the same in numpy and in PyTorch.
INDICES: tuple[tuple[Shape, Any], ...] = (
    ((5,), 2), ((5,), -1), ((5,), slice(1, 4)), ((5,), slice(None, None, 2)), ((5,), slice(-3, 100)), ((5,), ...),
    ((5,), slice(4, 1)), ((5,), None), ((4, 5), (1, 2)), ((4, 5), (slice(None), 1)), ((4, 5), (..., -1)),
    ((4, 5), (slice(1, 3), None, slice(0, 5, 3))), ((2, 3, 4), (0, ..., slice(1, 3))), 
    ((2, 3, 4), (None, ..., None, 1)),
    ((5,), [0, 2, 2, -1]), ((5,), np.array([], dtype=np.int64)), ((5,), np.array([[0, 1], [4, 4]])),
    ((4, 5), np.array([3, 0, 3])), ((4, 5), (np.array([0, 1]), np.array([4, 0]))), ((4, 5), (slice(None), [1, 1, 3])),
    ((4, 5), (np.array([[0], [3]]), np.array([1, 2, 2]))), ((2, 3, 4), (slice(None), [0, 2], slice(1, 3))),
    ((2, 3, 4), (np.array([0, 1, 1]), slice(None), np.array([3, 2, 0]))), ((2, 3, 4), (1, [0, 0])),
    ((2, 3, 4), (..., np.array([[1, 0], [2, 3]]))), ((2, 3, 4), (np.array([1, 0]), None, 2)),
    ((5,), np.array([True, False, True, True, False])), ((4, 5), np.array([True, False, False, True])),
    ((2, 3), np.array([[True, False, True], [False, False, True]])), ((5,), np.zeros(5, dtype=bool)),
    ((3, 4), (slice(None), np.array([True, False, True, True]))), ((0, 3), slice(None)), ((3, 0), 1),
)  # fmt: skip


def as_torch_index(index: Any) -> Any:
    """Return the index with tensors where numpy has arrays."""
    if isinstance(index, tuple):
        return tuple(map(as_torch_index, index))
    return pg.tensor(index) if isinstance(index, np.ndarray) else index


READING = (
    Row("getitem", (ANY,), lambda a, index: a[index], [case(shape, index=i) for shape, i in INDICES],
        call=lambda t, index: t[as_torch_index(index)], roundings=0, covers=("__getitem__",)),
)  # fmt: skip


# ---- reading and writing along a dimension --------------------------------------------------------------------------

BELOW_2 = fixed(lambda rng, shape: rng.integers(0, 2, shape), "int64")
BELOW_2_INT32 = fixed(lambda rng, shape: rng.integers(0, 2, shape), "int32")


def _order(rng: np.random.Generator, shape: Shape) -> Array:
    """Indices along the last dimension, none of them twice."""
    return np.argsort(rng.random(shape), axis=-1) if shape else np.zeros((), dtype=np.int64)


ORDER = fixed(_order, "int64")


def _places(a: Array, dim: int, index: Array) -> tuple[Array, ...]:
    """Return numpy's index of what the index names along dim."""
    grids = list(np.indices(index.shape))
    grids[dim] = index
    return tuple(grids)


def _gather(a: Array, index: Array, dim: int) -> Array:
    return a[_places(a, dim, index)] if a.ndim else a


def _scatter(a: Array, index: Array, src: Array | float, dim: int) -> Array:
    out = np.array(a)
    out[_places(a, dim, index) if a.ndim else ()] = src[tuple(map(slice, index.shape))] if np.ndim(src) else src
    return out


def _scatter_add(a: Array, index: Array, src: Array, dim: int) -> Array:
    out = np.array(a)
    np.add.at(out, _places(a, dim, index) if a.ndim else (), src[tuple(map(slice, index.shape))])
    return out


def _index_add(a: Array, index: Array, source: Array, dim: int, alpha: float = 1) -> Array:
    out = np.array(np.moveaxis(a, dim, 0))
    np.add.at(out, index, alpha * np.moveaxis(source, dim, 0))
    return np.moveaxis(out, 0, dim)


def dim_first(function: Callable[..., Any], t: Any, index: Any, *rest: Any, dim: int, **options: Any) -> Any:
    return function(t, dim, index, *rest, **options)


def _at_indices(function: Callable[..., Any], t: Any, *rest: Any, **options: Any) -> Any:
    return function(t, rest[:-1], rest[-1], **options)


def _index_fill(a: Array, index: Array, value: Array | float, dim: int) -> Array:
    out = np.array(a)
    out[(*[slice(None)] * (dim % max(a.ndim, 1)), index) if a.ndim else ...] = value
    return out


def _index_copy(a: Array, index: Array, source: Array, dim: int) -> Array:
    out = np.array(np.moveaxis(a, dim, 0))
    out[index] = np.moveaxis(source, dim, 0)
    return np.moveaxis(out, 0, dim)


def _index_put(a: Array, *rest: Array, accumulate: bool = False) -> Array:
    out = np.array(a)
    if accumulate:
        np.add.at(out, rest[:-1], rest[-1])
    else:
        out[rest[:-1]] = rest[-1]
    return out


def _put(a: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    return _index_put(a.ravel(), index.ravel(), source.ravel(), accumulate=accumulate).reshape(a.shape)


def _masked_scatter(a: Array, mask: Array, source: Array) -> Array:
    out = np.array(np.broadcast_to(a, np.broadcast_shapes(a.shape, mask.shape)))
    whole = np.broadcast_to(mask, out.shape)
    out[whole] = source.ravel()[: whole.sum()]
    return out


GATHERS = (
    case((2, 3), (2, 5), dim=1), case((2, 3), (4, 3), dim=0), case((2, 3, 4), (2, 1, 4), dim=-2),
    case((5,), (7,), dim=0), case((3, 4), (2, 1), dim=-1), case((), (), dim=0), case((3, 2), (0, 2), dim=0),
    case((131, 2), (131, 3), dim=1),
)  # fmt: skip
SCATTERS = (
    case((2, 3), (2, 3), (2, 3), dim=1), case((5, 3), (2, 3), (2, 3), dim=1), case((2, 3), (1, 2), (1, 2), dim=-1),
    case((2, 2, 3), (2, 1, 3), (2, 1, 3), dim=2), case((), (), (), dim=0), case((3,), (0,), (0,), dim=0),
)  # fmt: skip
ALONG_AXIS = (
    Row("gather", (ANY, BELOW_2), _gather, GATHERS, order=dim_first, roundings=0),
    Row("gather(int32)", (ANY, BELOW_2_INT32), _gather, GATHERS[:3], order=dim_first, roundings=0),
    Row("index_select", (ANY, BELOW_2), lambda a, index, dim: np.take(a, index, dim) if a.ndim else a,
        [case((4, 3), (5,), dim=0), case((4, 3), (5,), dim=1), case((2, 3, 4), (2,), dim=-2), case((3,), (0,), dim=0),
         case((4, 3), (1,), dim=-1)], order=dim_first, roundings=0),
    Row("take_along_dim", (ANY, BELOW_2), lambda a, index, dim=None: np.take_along_axis(
            *((a, np.broadcast_to(index, np.broadcast_shapes(a.shape[:1], index.shape[:1]) + index.shape[1:]))
              if dim == 1 else (a, index) if dim is not None else (a.ravel(), index.ravel())), dim or 0),
        [case((4, 3), (4, 2), dim=1), case((4, 3), (1, 2), dim=1), case((4, 3), (2, 3), dim=0), case((4, 3), (5,)),
         case((4, 3), (5, 1))], methods=("take_along_dim",), roundings=0),
    Row("masked_select", (ANY, fixed(lambda rng, shape: rng.random(shape) < 0.5, "bool")),
        lambda a, mask: np.broadcast_to(a, np.broadcast_shapes(a.shape, mask.shape))[
            np.broadcast_to(mask, np.broadcast_shapes(a.shape, mask.shape))],
        [case((3, 4), (3, 4)), case((4,), (3, 4)), case((3, 4), (4,)), case((3, 1), (4,)), case((), ()),
         case((0,), (0,)), case((131,), (131,))], methods=("masked_select",), roundings=0),
    Row("masked_fill", (ANY, TRUTH), lambda a, mask, value: np.where(mask, value, a),
        [case((3, 4), (3, 4), value=2.5), case((4,), (3, 4), value=0), case((3, 4), (4,), value=True),
         case((3, 1), (4,), value=-1.5), case((), (), value=3), case((0,), (0,), value=1.0),
         case((131,), (131,), value=-1e9)], methods=("masked_fill",), roundings=0),
    Row("masked_fill(tensor)", (ANY, TRUTH, ANY), lambda a, mask, value: np.where(mask, value, a),
        [case((3, 4), (3, 4), ()), case((3, 4), (4,), ()), case((), (), ())], methods=("masked_fill",), roundings=0),
    Row("scatter", (ANY, ORDER, ANY), _scatter, SCATTERS, order=dim_first, roundings=0),
    Row("scatter(number)", (ANY, ORDER), lambda a, index, dim: _scatter(a, index, 1.5, dim),
        [Case(c.shapes[:2], c.options) for c in SCATTERS], call=lambda t, index, dim: pg.scatter(t, dim, index, 1.5),
        roundings=0),
    Row("scatter_add", (ANY, BELOW_2, ANY), _scatter_add,
        (*SCATTERS[:4], case((2, 3), (4, 3), (4, 3), dim=0), case((4,), (131,), (131,), dim=0)),
        order=dim_first),
    Row("index_add", (ANY, BELOW_2, ANY), _index_add,
        [case((4, 3), (5,), (5, 3), dim=0), case((4, 3), (5,), (4, 5), dim=1), case((2, 3, 4), (2,), (2, 2, 4), dim=-2),
         case((4, 3), (2,), (4, 2), dim=-1, alpha=-0.5), case((3,), (0,), (0,), dim=0)],
        order=dim_first),
    Row("index_fill", (ANY, BELOW_2), _index_fill,
        [case((4, 3), (5,), dim=0, value=2.5), case((4, 3), (1,), dim=-1, value=0),
         case((2, 3, 4), (2,), dim=-2, value=1), case((3,), (0,), dim=0, value=1.5),
         case((4, 3), (), dim=1, value=-1.0)],
        order=lambda f, t, index, dim, value: f(t, dim, index, value), roundings=0),
    Row("index_fill(tensor)", (ANY, ORDER, ANY), _index_fill,
        [case((4, 3), (4,), (), dim=0), case((4, 3), (1,), (), dim=-1), case((3,), (0,), (), dim=0)], order=dim_first,
        roundings=0),
    Row("index_copy", (ANY, ORDER, ANY), _index_copy,
        [case((4, 3), (4,), (4, 3), dim=0), case((4, 3), (3,), (4, 3), dim=1), case((2, 3, 4), (2,), (2, 2, 4), dim=-2),
         case((3,), (0,), (0,), dim=0), case((4, 3), (1,), (4, 1), dim=-1)], order=dim_first, roundings=0),
    Row("index_put", (ANY, ORDER, ORDER, ANY), _index_put,
        [case((4, 3), (3,), (3,), (3,)), case((4, 3), (3,), (3,), ()), case((3, 3, 2), (3,), (3,), (3, 2)),
         case((3, 3, 2), (3,), (1,), (2,)), case((2, 2), (0,), (0,), (0,))], order=_at_indices, roundings=0),
    Row("index_put(mask)", (ANY, TRUTH, ANY), _index_put, [case((4, 3), (4, 3), ()), case((4, 3), (4,), (3,))],
        order=_at_indices, roundings=0),
    Row("index_put(accumulate)", (ANY, BELOW_2, BELOW_2, ANY), _index_put,
        [case((4, 3), (5,), (5,), (5,), accumulate=True), case((4, 3), (5,), (1,), (), accumulate=True),
         case((3, 3, 2), (2, 2), (2,), (2, 2, 2), accumulate=True), case((2, 2), (0,), (0,), (0,), accumulate=True)],
        order=_at_indices),
    Row("put", (ANY, ORDER, ANY), _put,
        [case((4, 3), (5,), (5,)), case((4, 3), (1, 4), (2, 2)), case((2, 2), (0,), (0,)), case((), (), ())],
        methods=("put",), roundings=0),
    Row("put(accumulate)", (ANY, BELOW_2, ANY), _put,
        [case((4, 3), (5,), (5,), accumulate=True), case((4, 3), (2, 2), (4,), accumulate=True)]),
    Row("masked_scatter", (ANY, TRUTH, ANY), _masked_scatter,
        [case((3, 4), (3, 4), (3, 4)), case((3, 4), (4,), (13,)), case((4,), (3, 4), (2, 6)), case((), (), (1,)),
         case((0,), (0,), (0,))], methods=("masked_scatter",), roundings=0),
    Row("one_hot", (fixed(lambda rng, shape: rng.integers(0, 4, shape), "int64"),),
        lambda a, num_classes: np.eye(num_classes, dtype=np.int64)[a],
        [case((3, 4), num_classes=4), case((), num_classes=5), case((0,), num_classes=4)], result="int64", roundings=0),
    Row("embedding", (BELOW_2, ANY), lambda index, w: w[index],
        [case((5,), (4, 3)), case((2, 3), (2, 5)), case((), (3, 2)), case((0,), (3, 2))], roundings=0),
)  # fmt: skip
