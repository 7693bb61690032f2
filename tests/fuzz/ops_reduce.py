"""Rows of what goes over one dimension, several or all: sums, extremes, orders, running sums, softmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import join, slope, value
from .plans import alone, axes, axis, options, over
from .row import ALL, FLOATS, NUMBERS, Domain, Row

Array = np.ndarray
Planned = tuple[list[Any], dict[str, Any]]


def along(a: Array, dim: Any) -> Any:
    """Return numpy's axis for PyTorch's dim, which also accepts 0 and -1 of a 0-d tensor."""
    return None if a.ndim == 0 else dim


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim=None, keepdim=False: function(a, axis=along(a, dim), keepdims=keepdim and a.ndim > 0)


def count(a: Array) -> float:
    return max(float(a.size), 1.0)


def no_ties(a: Array, margin: float = 1e-3) -> bool:
    """Tell whether no two floats are nearly equal."""
    if a.dtype.kind not in "fc":
        return True
    flat = np.sort(a.real, axis=None)
    return bool((np.diff(flat) > margin).all()) if a.ndim else True


def distinct(a: Array, **_: Any) -> bool:
    return no_ties(a)


def filled(a: Array, dim: Any = None, **_: Any) -> bool:
    """Tell whether there is something along dim, or at all."""
    if dim is None or a.ndim == 0:
        return a.size > 0
    return all(a.shape[d] > 0 for d in (dim if isinstance(dim, tuple) else (dim,)))


def ties_are_exact(a: Array, **_: Any) -> bool:
    """Tell whether floats are equal, which has its rule, or apart by more than a rounding."""
    if a.dtype.kind not in "fc" or a.size == 0:
        return True
    d = np.diff(np.sort(a.real, axis=None))
    return bool(((d > 1e-3) | (d == 0)).all())


def filled_and_distinct(a: Array, dim: Any = None, **_: Any) -> bool:
    return filled(a, dim) and no_ties(a)


def extreme(arg: Callable[..., Any]) -> Callable[..., Array]:
    """Take the largest or smallest, which are not tied."""

    def function(a: Array, dim: Any = None, keepdim: bool = False) -> Array:
        if a.ndim == 0:
            return a
        dims = tuple(range(a.ndim)) if dim is None else tuple(d % a.ndim for d in np.atleast_1d(dim))
        last = np.moveaxis(a, dims, range(a.ndim - len(dims), a.ndim))
        outer = last.shape[: a.ndim - len(dims)]
        flat = last.reshape((*outer, math.prod(last.shape[len(outer) :])))
        at = np.expand_dims(arg(flat.real, axis=-1), -1)
        out = np.take_along_axis(flat, at, -1)[..., 0]
        return np.expand_dims(out, dims) if keepdim else out

    return function


def arg_extreme(arg: Callable[..., Any]) -> Callable[..., Any]:
    def function(a: Array, dim: Any = None, keepdim: bool = False) -> Any:
        return arg(a.real, axis=along(a, dim), keepdims=keepdim and a.ndim > 0)

    return function


def with_places(arg: Callable[..., Any]) -> Callable[..., Any]:
    """Return the extremes along dim and where they are."""
    values, places = extreme(arg), arg_extreme(arg)
    return lambda a, dim, keepdim=False: (values(a, dim, keepdim), np.asarray(places(a, dim, keepdim)))


def squeezed(out: Array, dim: Any, keepdim: bool, ndim: int) -> Array:
    if keepdim or ndim == 0:
        return out
    return out.reshape(()) if dim is None else out.squeeze(dim)


def tie_or_apart(a: Array, dim: Any = None, **_: Any) -> bool:
    return filled(a, dim) and ties_are_exact(a)


def amax(function: Callable[..., Any]) -> Callable[..., Any]:
    def oracle(a: Array, dim: Any = None, keepdim: bool = False) -> Any:
        if a.dtype.kind not in "fc":
            return reduction(function)(a, dim, keepdim)
        top = np.asarray(function(a.real, axis=along(a, dim), keepdims=a.ndim > 0))
        mask = a.real == top
        n = np.asarray(mask.sum(axis=along(a, dim), keepdims=a.ndim > 0))
        dy = np.asarray((mask * slope(a)).sum(axis=along(a, dim), keepdims=a.ndim > 0)) / n
        return squeezed(join(top, dy), dim, keepdim, a.ndim)

    return oracle


def logsumexp(a: Array, dim: Any, keepdim: bool = False) -> Array:
    x = value(a)
    if a.ndim == 0:
        return a
    top = x.max(axis=dim, keepdims=True) if a.size else 0.0
    e = np.exp(x - top)
    s = e.sum(axis=dim, keepdims=True)
    return squeezed(join(top + np.log(s), (e * slope(a)).sum(axis=dim, keepdims=True) / s), dim, keepdim, a.ndim)


def softmax(a: Array, dim: int) -> Array:
    x = value(a)
    if a.ndim == 0:
        return join(1.0, 0.0)
    e = np.exp(x - (x.max(axis=dim, keepdims=True) if a.size else 0.0))
    p = e / e.sum(axis=dim, keepdims=True)
    dx = slope(a)
    return join(p, p * (dx - (p * dx).sum(axis=dim, keepdims=True)))


def log_softmax(a: Array, dim: int) -> Array:
    return a - logsumexp(a, dim, True) if a.ndim else join(0.0, 0.0)


def variance(a: Array, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Array:
    axis_ = along(a, dim)
    mean = a.mean(axis=axis_, keepdims=True)
    n = a.size / max(mean.size, 1)
    return ((a - mean) ** 2).sum(axis=axis_, keepdims=keepdim and a.ndim > 0) / (n - correction)


def root(z: Array) -> Array:
    y = np.sqrt(z.real)
    return join(y, 0.5 * z.imag / y)


def deviation(a: Array, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Array:
    return root(np.asarray(variance(a, dim, correction, keepdim)))


def spread_out(a: Array, dim: Any = None, correction: float = 1, keepdim: bool = False) -> bool:
    """Tell whether there is more than one number along dim, and they are not all alike."""
    if a.size == 0 or a.ndim == 0:
        return False
    n = a.size / max(np.sum(a.real, axis=dim, keepdims=True).size, 1)
    return n > 1 and bool((np.var(a.real, axis=dim) > 1e-2).all())


def norm(a: Array, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Array:
    axis_, keep = along(a, dim), a.ndim > 0
    x = a.real
    size = abs(x)
    if p == 0:
        return join(np.sum(size > 0, axis=axis_, keepdims=keepdim and keep), 0.0)
    if isinstance(p, float) and math.isinf(p):
        return amax(np.max if p > 0 else np.min)(join(size, np.sign(x) * slope(a)), dim, keepdim)
    order = 2 if p == "fro" else p
    y = np.sum(size**order, axis=axis_, keepdims=keep) ** (1 / order)
    dy = (size ** (order - 1) * np.sign(x) * slope(a)).sum(axis=axis_, keepdims=keep) * y ** (1 - order)
    return squeezed(join(y, dy), dim, keepdim, a.ndim)


def norm_is_smooth(a: Array, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> bool:
    if not filled(a, dim):
        return False
    return bool((abs(a.real) > 0.05).all()) and (not isinstance(p, float) or not math.isinf(p) or no_ties(abs(a.real)))


def ordered(a: Array, dim: int = -1, descending: bool = False, k: int | None = None, largest: bool = True) -> Any:
    x = np.atleast_1d(a)
    backwards = descending if k is None else largest
    key = x.real if x.dtype.kind in "fc" else x.astype(np.int64)
    order = np.argsort(-key if backwards else key, axis=dim, kind="stable")
    if k is not None:
        order = np.take(order, range(k), dim)
    values = np.take_along_axis(x, order, dim)
    return (values, order) if a.ndim else (values.reshape(()), order.reshape(()))


def argsort(a: Array, dim: int = -1, descending: bool = False) -> Array:
    return ordered(a, dim, descending)[1]


def topk_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    n = x.z.shape[dim] if x.z.ndim else 1
    return [], {"k": make.below(n + 1) if x.z.ndim else 1, "dim": dim, "largest": make.chance(0.5)}


def median(a: Array) -> Any:
    flat = a.reshape(-1)
    return flat[np.argsort(flat.real, kind="stable")[(flat.size - 1) // 2]]


def median_along(a: Array, dim: int, keepdim: bool = False) -> Any:
    if a.ndim == 0:
        return a, np.zeros((), np.int64)
    order = np.argsort(a.real, axis=dim, kind="stable")
    at = np.take(order, [(a.shape[dim] - 1) // 2], dim)
    values = np.take_along_axis(a, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    def oracle(a: Array, dim: int) -> Any:
        wide = a if a.dtype.kind in "fc" else a.astype(np.int64)
        return function(np.atleast_1d(wide), axis=dim).reshape(a.shape)

    return oracle


def wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add up integers as int64."""

    def oracle(a: Array, dim: Any = None, keepdim: bool = False) -> Any:
        x = a if a.dtype.kind in "fc" else a.astype(np.int64)
        return function(x, axis=along(a, dim), keepdims=keepdim and a.ndim > 0)

    return oracle


def reducing(name: str, oracle: Callable[..., Any], plan: Any, **more: Any) -> Row:
    more.setdefault("spellings", (name.partition("(")[0], "." + name.partition("(")[0]))
    more.setdefault("terms", count)
    return Row(name, oracle, plan, **more)


PRODUCT = Domain(0.5, 1.5, bound=(-3, 3))
BEST = {"max": np.argmax, "min": np.argmin}
ALL_OF = {"max": np.max, "min": np.min}

REDUCE = (
    reducing("sum", wide(np.sum), over(axes), dtypes=ALL, result="summed"),
    reducing("mean", reduction(np.mean), over(axes), guard=filled),
    reducing("prod", wide(np.prod), over(lambda make, x: axis(make, x) if make.chance(0.7) else None), dtypes=ALL,
             result="summed", domains=(PRODUCT,), scale=lambda a: 3.0 * count(a)),
    *(
        Row(f"{name}(all)", amax(ALL_OF[name]), alone, dtypes=ALL, exact=True, guard=tie_or_apart, without=("empty",),
            spellings=(name, f".{name}"), smooth=False)
        for name in ("max", "min")
    ),
    *(
        Row(f"{name}(dim)", with_places(BEST[name]), over(axis), dtypes=ALL, result="same int64", exact=True, outputs=2,
            guard=tie_or_apart, spellings=(name, f".{name}"), smooth=False)
        for name in ("max", "min")
    ),
    *(
        Row(f"a{name}", amax(ALL_OF[name]), over(axes), dtypes=ALL, exact=True, guard=tie_or_apart, smooth=False,
            spellings=(f"a{name}", f".a{name}"))
        for name in ("max", "min")
    ),
    *(
        Row(f"arg{name}", arg_extreme(BEST[name]), over(lambda make, x: axis(make, x) if make.chance(0.7) else None),
            dtypes=NUMBERS, result="int64", guard=tie_or_apart, spellings=(f"arg{name}", f".arg{name}"))
        for name in ("max", "min")
    ),
    reducing("all", lambda a, dim=None, keepdim=False: reduction(np.all)(a.real, dim, keepdim), over(axes), dtypes=ALL,
             result="truth"),
    reducing("any", lambda a, dim=None, keepdim=False: reduction(np.any)(a.real, dim, keepdim), over(axes), dtypes=ALL,
             result="truth"),
    reducing("logsumexp", logsumexp, over(lambda make, x: axes(make, x) or axis(make, x)), guard=filled),
    Row("softmax", softmax, options(dim=axis), spellings=("softmax", ".softmax")),
    Row("log_softmax", log_softmax, options(dim=axis), spellings=("log_softmax", ".log_softmax"), terms=count),
    reducing("var", variance, over(axes, correction=[1, 0, 0.5]), guard=spread_out, without=("empty", "scalar"),
             scale=lambda a: 4 * count(a) * float(abs(a.real).max()) ** 2),
    reducing("std", deviation, over(axes, correction=[1, 0]), guard=spread_out, without=("empty", "scalar"),
             scale=lambda a: 40 * count(a) * float(abs(a.real).max()) ** 2),
    *(
        Row(f"{name}_mean", lambda a, dim=None, correction=1, keepdim=False, f=f: (
                f(a, dim, correction, keepdim), a.mean(axis=along(a, dim), keepdims=keepdim)),
            over(axes, correction=[1, 0]), outputs=2, guard=spread_out, result="same same",
            without=("empty", "scalar"),
            scale=lambda a: 40 * count(a) * float(abs(a.real).max()) ** 2 + 1)
        for name, f in [("var", variance), ("std", deviation)]
    ),
    reducing("norm", norm, over(axes), guard=norm_is_smooth, scale=count),
    reducing("norm(p)", norm, over(axes, p=[1, 2, 3, 1.5, math.inf, -math.inf]), guard=norm_is_smooth, terms=count,
             roundings=24, smooth=False),
    reducing("cumsum", running(np.cumsum), options(dim=axis), dtypes=ALL, result="summed", in_place=(".cumsum_",)),
    reducing("cumprod", running(np.cumprod), options(dim=axis), dtypes=ALL, result="summed", domains=(PRODUCT,),
             in_place=(".cumprod_",),
             scale=lambda a: 3.0 * count(a)),
    Row("sort", ordered, options(dim=axis, descending=[False, True]), dtypes=NUMBERS, result="same int64", outputs=2,
        exact=True, guard=ties_are_exact, spellings=("sort", ".sort"), smooth=False),
    Row("argsort", argsort, options(dim=axis, descending=[False, True]), dtypes=FLOATS, result="int64",
        guard=ties_are_exact, spellings=("argsort", ".argsort")),
    Row("topk", ordered, topk_plan, dtypes=FLOATS, result="same int64", outputs=2, exact=True, guard=distinct,
        without=("expanded",),
        spellings=("topk", ".topk"), smooth=False),
    Row("median", median, alone, dtypes=NUMBERS, exact=True, guard=filled_and_distinct, smooth=False,
        without=("expanded", "empty"),
        spellings=("median", ".median")),
    Row("median(dim)", median_along, over(axis), result="same int64", outputs=2, exact=True,
        guard=filled_and_distinct, without=("expanded", "empty"), spellings=("median", ".median"), smooth=False),
    Row("nonzero", lambda a: np.argwhere(a.real), alone, dtypes=ALL, result="int64", spellings=("nonzero", ".nonzero")),
    Row("unique", lambda a: np.unique(a.real), alone, dtypes=NUMBERS, spellings=("unique", ".unique"), exact=True,
        differentiable=False, smooth=False),
    Row("trace", np.trace, alone, rank=(2, 2), spellings=("trace", ".trace"), terms=count),
)  # fmt: skip
