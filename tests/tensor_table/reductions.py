"""Sums and their kin, what runs along an axis, statistics and sorting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from tensor_backend import pg

from .rows import (
    ALONG,
    ANY,
    ONE_TENSOR,
    OVER_ONE_AXIS,
    POSITIVE,
    REDUCTIONS,
    SEVERAL_AXES,
    SMALL_INTS,
    UNIQUE,
    Array,
    Case,
    Row,
    case,
    fixed,
    grid,
    real,
)


def _axes(a: Array, dim: Any) -> Any:
    """Numpy's axis for PyTorch's dim, which also accepts 0 and -1 of a 0-d tensor."""
    return None if a.ndim == 0 else dim


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim=None, keepdim=False: function(a, axis=_axes(a, dim), keepdims=keepdim and a.ndim > 0)


def _logsumexp(a: Array, axis: Any, keepdims: bool) -> Array:
    if a.ndim == 0:
        return a
    top = a.max(axis=axis, keepdims=True) if a.size else 0.0
    total = top + np.log(np.exp(a - top).sum(axis=axis, keepdims=True))
    return total if keepdims else total.squeeze(axis)


def log_softmax(a: Array, dim: int) -> Array:
    return a - _logsumexp(a, dim, True) if a.ndim else np.zeros_like(a)


EMPTY_SUMS = (case((0,)), case((0, 3), dim=0), case((2, 0, 3), dim=1, keepdim=True), case((0,), dim=0))

REDUCING = (
    Row("sum", (ANY,), reduction(np.sum), (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS), methods=("sum",)),
    Row("mean", (ANY,), reduction(np.mean), (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS), methods=("mean",)),
    Row("max(all)", (UNIQUE,), np.max, [case((3, 4)), case(()), case((131,))], methods=("max",), roundings=0),
    Row("min(all)", (UNIQUE,), np.min, [case((3, 4)), case(()), case((131,))], methods=("min",), roundings=0),
    Row("max(dim)", (UNIQUE,), reduction(np.max), OVER_ONE_AXIS, call=lambda a, **o: pg.max(a, **o)[0], roundings=0),
    Row("min(dim)", (UNIQUE,), reduction(np.min), OVER_ONE_AXIS, call=lambda a, **o: pg.min(a, **o)[0], roundings=0),
    Row("amax", (UNIQUE,), reduction(np.max), (*REDUCTIONS, *SEVERAL_AXES), methods=("amax",), roundings=0),
    Row("amin", (UNIQUE,), reduction(np.min), (*REDUCTIONS, *SEVERAL_AXES), methods=("amin",), roundings=0),
    Row(
        "all",
        (grid(0, -1, 1),),
        reduction(np.all),
        (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS),
        methods=("all",),
        result="bool",
        roundings=0,
    ),
    Row(
        "any",
        (grid(0, -1, 1),),
        reduction(np.any),
        (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS),
        methods=("any",),
        result="bool",
        roundings=0,
    ),
    Row("argmax", (UNIQUE,), reduction(np.argmax), REDUCTIONS, methods=("argmax",), result="int64", roundings=0),
    Row("argmin", (UNIQUE,), reduction(np.argmin), REDUCTIONS, methods=("argmin",), result="int64", roundings=0),
    Row("logsumexp", (ANY,), reduction(_logsumexp), (*OVER_ONE_AXIS, *SEVERAL_AXES), methods=("logsumexp",)),
    Row("softmax", (ANY,), lambda a, dim: np.exp(log_softmax(a, dim)), ALONG, methods=("softmax",)),
    Row("log_softmax", (ANY,), log_softmax, ALONG, methods=("log_softmax",)),
)

# ---- statistics -----------------------------------------------------------------------------------------------------


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim=None, correction=1, keepdim=False: function(
        a, axis=_axes(a, dim), ddof=correction, keepdims=keepdim and a.ndim > 0
    )


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim: function(np.atleast_1d(a), axis=dim).reshape(a.shape)


def _norm(a: Array, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Array:
    axis, keepdims, size = _axes(a, dim), keepdim and a.ndim > 0, abs(a)
    if p == 0:
        return np.count_nonzero(a, axis=axis, keepdims=keepdims) * 1.0
    if isinstance(p, float) and math.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    order = 2 if p == "fro" else p
    return np.sum(size**order, axis=axis, keepdims=keepdims) ** (1 / order)


OVER_ALL = (*REDUCTIONS, *SEVERAL_AXES)
OF_SEVERAL = tuple(c for c in OVER_ALL if math.prod(c.shapes[0]) != 1)
RUNS = (*ALONG, case((), dim=-1), case((2, 5, 3), dim=-2), case((131,), dim=0))
AROUND_ZERO = grid(0, -2, 3)


def ordered(part: int) -> Callable[..., Array]:
    """Sort along a dimension, or take its first k: the values, or the places."""

    def function(
        a: Array, dim: int = -1, descending: bool = False, k: int | None = None, largest: bool = True
    ) -> Array:
        backwards = descending if k is None else largest
        order = np.argsort(np.atleast_1d(-a if backwards else a), axis=dim, kind="stable")
        order = order if k is None else order.take(range(k), dim)
        found = order if part else np.take_along_axis(np.atleast_1d(a), order, dim)
        return found if a.ndim else found.reshape(())

    return function


def _median(a: Array, dim: Any = None, keepdim: bool = False) -> Array:
    axis = _axes(a, dim)
    flat = a.reshape(-1) if axis is None else a
    n = flat.shape[-1 if axis is None else axis]
    middle = np.sort(flat, axis=-1 if axis is None else axis).take((n - 1) // 2, -1 if axis is None else axis)
    return np.expand_dims(middle, axis) if keepdim and axis is not None else middle


SORTED = (
    *ALONG,
    *(Case(c.shapes, {**c.options, "descending": True}) for c in ALONG),
    case((3, 4)),
    case((2, 700), dim=1),
)
TOP = (
    case((3, 4), k=2), case((3, 4), k=2, dim=0), case((3, 4), k=3, dim=1, largest=False), case((2, 3, 4), k=1, dim=1),
    case((131,), k=131), case((700,), k=33, largest=False), case((700,), k=32), case((), k=1), case((3, 4), k=0),
    case((0, 3), k=2, dim=1),
)  # fmt: skip

STATISTICS = (
    Row("prod", (real(0.5, 1.5),), reduction(np.prod), (*REDUCTIONS, *EMPTY_SUMS), methods=("prod",)),
    Row("prod(zeros)", (AROUND_ZERO,), reduction(np.prod), [c for c in REDUCTIONS if c.shapes != ((5, 67),)]),
    Row("cumsum", (ANY,), running(np.cumsum), RUNS, methods=("cumsum",)),
    Row("cumprod", (real(-1.3, 1.3),), running(np.cumprod), RUNS, methods=("cumprod",)),
    Row("cumprod(zeros)", (AROUND_ZERO,), running(np.cumprod), ALONG[:4]),
    Row("var", (ANY,), spread(np.var), OF_SEVERAL, methods=("var",)),
    Row("var(0)", (ANY,), spread(np.var), [Case(c.shapes, {**c.options, "correction": 0}) for c in REDUCTIONS]),
    Row("std", (ANY,), spread(np.std), OF_SEVERAL, methods=("std",)),
    Row("std(0.5)", (ANY,), spread(np.std), [Case(c.shapes, {**c.options, "correction": 0.5}) for c in OF_SEVERAL]),
    *(
        Row(f"{name}_mean({part})", (ANY,), spread(oracle), OF_SEVERAL, call=lambda a, i=i, f=f"{name}_mean", **o:
            getattr(pg, f)(a, **o)[i])
        for name, function in [("var", np.var), ("std", np.std)]
        for i, part, oracle in [(0, name, function), (1, "mean", lambda a, ddof, **o: np.mean(a, **o))]
    ),
    *(
        Row(f"norm({p})", (domain,), _norm,
            [Case(c.shapes, {**c.options, "p": p}) for c in OVER_ALL])
        for p, domain in [
            (0, fixed(ANY.sample)), (0.5, real(-2, 2, 0)), (1, real(-2, 2, 0)), (1.5, real(-2, 2, 0)),
            (2, real(-2, 2, 0)), (3, real(-2, 2, 0)), (-1, POSITIVE), (math.inf, UNIQUE), (-math.inf, UNIQUE),
        ]
    ),
    *(
        Row(f"sort({part})", (UNIQUE,), ordered(i), SORTED, call=lambda a, i=i, **o: pg.sort(a, **o)[i],
            result=result, roundings=0, covers=("sort",))
        for i, part, result in [(0, "values", "float"), (1, "indices", "int64")]
    ),
    Row("argsort", (UNIQUE,), ordered(1), SORTED, methods=("argsort",), result="int64", roundings=0),
    *(
        Row(f"topk({part})", (UNIQUE,), ordered(i), TOP, call=lambda a, i=i, **o: pg.topk(a, **o)[i],
            result=result, roundings=0, covers=("topk",))
        for i, part, result in [(0, "values", "float"), (1, "indices", "int64")]
    ),
    Row("median", (UNIQUE,), _median, [case((3, 4)), case(()), case((131,)), case((2, 3, 3))], methods=("median",),
        roundings=0),
    Row("median(dim)", (UNIQUE,), _median, (*OVER_ONE_AXIS[1:], OVER_ONE_AXIS[0]),
        call=lambda a, **o: pg.median(a, **o)[0], roundings=0),
    Row("nonzero", (fixed(AROUND_ZERO.sample),), lambda a: np.argwhere(a), ONE_TENSOR, methods=("nonzero",),
        result="int64", roundings=0),
    Row("unique", (fixed(SMALL_INTS.sample, "int64"),), np.unique, ONE_TENSOR, methods=("unique",), result="int64",
        roundings=0),
    Row("norm", (real(-2, 2, 0),), _norm, (*REDUCTIONS, *SEVERAL_AXES[:2]), methods=("norm",)),
)  # fmt: skip
