"""Rows of what changes shapes and moves numbers, and rounds none; views where the engine's are views."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from .plans import alone, axis, need, options
from .row import ALL, FLOATS, NUMBERS, Row

Array = np.ndarray
Planned = tuple[list[Any], dict[str, Any]]


def moving(name: str, oracle: Callable[..., Any], plan: Any, **more: Any) -> Row:
    more.setdefault("dtypes", ALL)
    more.setdefault("spellings", (name, f".{name}"))
    return Row(name, oracle, plan, exact=True, **more)


def viewing(name: str, oracle: Callable[..., Any], plan: Any, **more: Any) -> Row:
    return moving(name, oracle, plan, view=True, **more)


def factors(make: Any, n: int) -> list[int]:
    """Return sizes whose product is n."""
    if n == 0:
        return make.choice([[0], [0, 2], [3, 0]])
    sizes = []
    for p in (2, 3, 5):
        while n % p == 0 and len(sizes) < 3:
            n //= p
            sizes.append(p)
    sizes.append(n)
    if make.chance(0.5) and len(sizes) > 1:
        sizes[0:2] = [sizes[0] * sizes[1]]
    if make.chance(0.2):
        sizes.insert(make.below(len(sizes) + 1), 1)
    return sizes[::-1] if make.chance(0.5) else sizes


def reshape_plan(make: Any, row: Row, x: Any) -> Planned:
    sizes = factors(make, x.z.size)
    if x.z.size and make.chance(0.2):
        sizes[make.below(len(sizes))] = -1
    return [], {"shape": sizes}


def flatten(a: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    start, end = start_dim % max(a.ndim, 1), end_dim % max(a.ndim, 1)
    return a.reshape((*a.shape[:start], math.prod(a.shape[start : end + 1]), *a.shape[end + 1 :]))


def flatten_plan(make: Any, row: Row, x: Any) -> Planned:
    if make.chance(0.4) or x.z.ndim < 2:
        return [], {}
    start = make.below(x.z.ndim)
    return [], {"start_dim": start, "end_dim": start + make.below(x.z.ndim - start)}


def squeeze(a: Array, dim: Any = None) -> Array:
    dims = range(a.ndim) if dim is None else [d % max(a.ndim, 1) for d in (dim if isinstance(dim, tuple) else (dim,))]
    return a[(*(0 if d in dims and n == 1 else slice(None) for d, n in enumerate(a.shape)), ...)]


def squeeze_plan(make: Any, row: Row, x: Any) -> Planned:
    return [], {} if make.chance(0.4) else {"dim": axis(make, x)}


def unsqueeze_plan(make: Any, row: Row, x: Any) -> Planned:
    n = x.z.ndim + 1
    return [], {"dim": make.below(n) - (n if make.chance(0.4) else 0)}


def two_axes(first: str, second: str) -> Any:
    return options(**{first: axis, second: axis})


def order(make: Any, n: int) -> list[int]:
    left, found = list(range(n)), []
    while left:
        found.append(left.pop(make.below(len(left))))
    return [d - n if make.chance(0.2) else d for d in found]


def permute_plan(make: Any, row: Row, x: Any) -> Planned:
    return [], {"dims": order(make, x.z.ndim)}


def expand_sizes(make: Any, x: Any) -> list[int]:
    sizes = [make.choice([2, 3, 1]) if n == 1 else n for n in x.z.shape]
    return [make.choice([1, 2, 3]), *sizes] if len(sizes) < 3 and make.chance(0.5) else sizes


def writeable(view: Array) -> Array:
    """Undo numpy's caution: what must not be written to is known by its layout."""
    view.flags.writeable = True
    return view


def expand(a: Array, size: tuple[int, ...]) -> Array:
    return writeable(np.broadcast_to(a, size))


def diagonal(a: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    return writeable(np.diagonal(a, offset, dim1, dim2))


def narrow(a: Array, dim: int, start: int, length: int) -> Array:
    if start + length > a.shape[dim]:
        raise IndexError("beyond the end")
    return a[(slice(None),) * (dim % a.ndim) + (slice(start, start + length),)]


def narrow_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    n = x.z.shape[dim]
    start = make.below(n + 1)
    return [], {"dim": dim, "start": start, "length": min(1 + make.below(n + 1), n - start)}


def select(a: Array, dim: int, index: int) -> Array:
    return a[(slice(None),) * (dim % a.ndim) + (index, ...)]


def select_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    n = x.z.shape[dim]
    need(n > 0)
    return [], {"dim": dim, "index": make.below(2 * n) - n}


def joined_plan(along: bool, new: bool) -> Any:
    """Two or three tensors to be joined."""

    def plan(make: Any, row: Row, x: Any) -> Planned:
        n = x.z.ndim + new
        dim = make.below(n)
        others = []
        for _ in range(1 + make.below(2)):
            shape = x.z.shape
            if along:
                shape = (*shape[:dim], make.choice([1, 2, shape[dim]]), *shape[dim + 1 :])
            others.append(make.operand(row, 1, make.dtype_beside(row, x.dtype), shape))
        return others, {"dim": dim - n if make.chance(0.3) else dim}

    return plan


def movedim_plan(make: Any, row: Row, x: Any) -> Planned:
    n = x.z.ndim
    k = 1 + make.below(n)
    if k == 1:
        return [], {"source": axis(make, x), "destination": axis(make, x)}
    return [], {"source": order(make, n)[:k], "destination": order(make, n)[:k]}


def repeat_plan(name: str, shorter: bool) -> Any:
    def plan(make: Any, row: Row, x: Any) -> Planned:
        n = x.z.ndim + (make.chance(0.3) if x.z.ndim < 3 else 0)
        need(x.z.size <= 60)
        counts = [make.choice([1, 2, 3, 1]) for _ in range(n)]
        if shorter and make.chance(0.3):
            counts = counts[1:]
        return [], {name: counts}

    return plan


def roll_plan(make: Any, row: Row, x: Any) -> Planned:
    if x.z.ndim == 0 or make.chance(0.3):
        return [], {"shifts": make.below(9) - 4}
    if make.chance(0.5):
        return [], {"shifts": make.below(9) - 4, "dims": axis(make, x)}
    return [], {"shifts": [make.below(9) - 4, make.below(5)], "dims": [axis(make, x), axis(make, x)]}


def diagonal_plan(make: Any, row: Row, x: Any) -> Planned:
    dims = order(make, x.z.ndim)[:2]
    return [], {"offset": make.below(5) - 2, "dim1": dims[0], "dim2": dims[1]}


def pieces(a: Array, split_size: Any, dim: int = 0) -> tuple[Array, ...]:
    n = a.shape[dim]
    if isinstance(split_size, int):
        split_size = [min(split_size, n - i) for i in range(0, n, split_size)] or [0]
    ends = [sum(split_size[:i]) for i in range(len(split_size) + 1)]
    return tuple(narrow(a, dim, i, j - i) for i, j in pairwise(ends))


def split_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    n = x.z.shape[dim]
    need(n > 0)
    if make.chance(0.5):
        return [], {"split_size": 1 + make.below(n), "dim": dim}
    first = make.below(n + 1)
    return [], {"split_size": [first, n - first], "dim": dim}


def chunk(a: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    return pieces(a, -(-a.shape[dim] // chunks), dim)


def chunk_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    need(x.z.shape[dim] > 0)
    return [], {"chunks": 1 + make.below(4), "dim": dim}


def unbind(a: Array, dim: int = 0) -> tuple[Array, ...]:
    return tuple(select(a, dim, i) for i in range(a.shape[dim]))


def unbind_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    need(0 < x.z.shape[dim] < 6)
    return [], {"dim": dim}


def unflatten(a: Array, dim: int, sizes: tuple[int, ...]) -> Array:
    at = dim % a.ndim
    return a.reshape(a.shape[:at] + sizes + a.shape[at + 1 :])


def unflatten_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = axis(make, x)
    return [], {"dim": dim, "sizes": factors(make, x.z.shape[dim])}


def pad(a: Array, pad: tuple[int, ...], mode: str = "constant", value: float = 0.0) -> Array:
    widths = [(0, 0)] * (a.ndim - len(pad) // 2) + [pad[i : i + 2] for i in range(len(pad) - 2, -1, -2)]
    for at, (before, after) in enumerate(widths):
        a = narrow(a, at, max(-before, 0), a.shape[at] - max(-after, 0) - max(-before, 0))
    widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    return np.pad(a, widths, how, **({"constant_values": value} if mode == "constant" else {}))


def pad_plan(make: Any, row: Row, x: Any) -> Planned:
    n = 1 + make.below(x.z.ndim)
    widths = []
    for size in x.z.shape[::-1][:n]:
        widths += [make.below(3), make.choice([0, 1, 2, -1]) if size > 1 else 1]
    return [], {"pad": widths} | ({"value": 1.5} if make.chance(0.3) and x.dtype in FLOATS else {})


def pad_edge_plan(make: Any, row: Row, x: Any) -> Planned:
    n = x.z.ndim - 1
    need(0 < n <= 3 and min(x.z.shape) > 0 and max(x.z.shape) < 8)
    mode = make.choice(["reflect", "replicate", "circular"])
    most = {"reflect": lambda size: size - 1, "circular": lambda size: size, "replicate": lambda size: 2}[mode]
    widths = []
    for size in x.z.shape[::-1][:n]:
        widths += [make.below(min(most(size), 2) + 1), make.below(min(most(size), 2) + 1)]
    return [], {"pad": widths, "mode": mode}


def expand_as_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.operand(row, 1, x.dtype, tuple(expand_sizes(make, x)))], {}


def diag(a: Array, diagonal: int = 0) -> Array:
    return np.diagonal(a, diagonal) if a.ndim == 2 else np.diag(a, diagonal)


SHAPE = (
    viewing("reshape", lambda a, shape: a.reshape(shape), reshape_plan),
    viewing("view", lambda a, shape: np.ascontiguousarray(a).reshape(shape), reshape_plan, spellings=(),
            call=lambda m, t, shape: t.contiguous().view(*shape), covers=("view", "contiguous")),
    viewing("contiguous", lambda a: np.array(a) if not a.flags.c_contiguous else a[...], alone,
            spellings=(".contiguous",)),
    viewing("flatten", flatten, flatten_plan),
    viewing("ravel", lambda a: np.ascontiguousarray(a).reshape(-1), alone),
    viewing("squeeze", squeeze, squeeze_plan, in_place=(".squeeze_",)),
    viewing("unsqueeze", lambda a, dim: np.expand_dims(a, dim), unsqueeze_plan, rank=(0, 3),
            in_place=(".unsqueeze_",)),
    viewing("transpose", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), two_axes("dim0", "dim1"), rank=(1, 4),
            in_place=(".transpose_",)),
    viewing("swapdims", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), two_axes("dim0", "dim1"), rank=(1, 4),
            in_place=(".swapdims_",)),
    viewing("swapaxes", lambda a, axis0, axis1: np.swapaxes(a, axis0, axis1), two_axes("axis0", "axis1"), rank=(1, 4),
            in_place=(".swapaxes_",)),
    viewing("permute", lambda a, dims: np.transpose(a, dims), permute_plan),
    viewing("T", lambda a: a.T, alone, rank=(2, 2), spellings=(), call=lambda m, t: t.T),
    viewing("mT", lambda a: np.swapaxes(a, -1, -2), alone, rank=(2, 4), spellings=(), call=lambda m, t: t.mT),
    viewing("t", lambda a: a.T, alone, rank=(0, 2), in_place=(".t_",)),
    viewing("expand", expand, lambda make, row, x: ([], {"size": expand_sizes(make, x)}), spellings=(),
            call=lambda m, t, size: t.expand(size), rank=(0, 3)),
    viewing("expand_as", lambda a, b: expand(a, b.shape), expand_as_plan, spellings=(),
            call=lambda m, t, like: t.expand_as(like), rank=(0, 3)),
    viewing("broadcast_to", expand, lambda make, row, x: ([], {"size": expand_sizes(make, x)}), rank=(0, 3)),
    viewing("narrow", narrow, narrow_plan, rank=(1, 4)),
    viewing("select", select, select_plan, rank=(1, 4)),
    *(
        viewing(name, lambda a, source, destination: np.moveaxis(a, source, destination), movedim_plan, rank=(1, 4))
        for name in ("movedim", "moveaxis")
    ),
    viewing("unflatten", unflatten, unflatten_plan, rank=(1, 2), spellings=(".unflatten",)),
    viewing("diagonal", diagonal, diagonal_plan,
            rank=(2, 4)),
    viewing("split", pieces, split_plan, rank=(1, 4), outputs=lambda a, split_size, dim=0: len(pieces(a, split_size,
            dim)), spellings=(), call=lambda m, t, split_size, dim: t.split(split_size, dim)),
    viewing("split(function)", pieces, split_plan, rank=(1, 4), outputs=lambda a, split_size, dim=0: len(pieces(a,
            split_size, dim)), spellings=(), call=lambda m, t, split_size, dim: m.split(t, split_size, dim)),
    viewing("chunk", chunk, chunk_plan, rank=(1, 4), outputs=lambda a, chunks, dim=0: len(chunk(a, chunks, dim))),
    viewing("unbind", unbind, unbind_plan, rank=(1, 4), outputs=lambda a, dim=0: a.shape[dim]),
    moving("clone", lambda a: a, alone),
    moving("cat", lambda *a, dim=0: np.concatenate(a, dim), joined_plan(True, False), spellings=(),
           call=lambda m, *t, dim=0: m.cat(t, dim=dim), rank=(1, 4), dtypes=NUMBERS, result="promoted"),
    moving("cat(aliases)", lambda *a, dim=0: np.concatenate(a, dim), joined_plan(True, False), spellings=(),
           call=lambda m, *t, dim=0: (m.concat if len(t) == 2 else m.concatenate)(t, dim=dim), rank=(1, 4),
           dtypes=NUMBERS, result="promoted", covers=("concat", "concatenate")),
    moving("stack", lambda *a, dim=0: np.stack(a, dim), joined_plan(False, True), spellings=(),
           call=lambda m, *t, dim=0: m.stack(t, dim=dim), rank=(0, 3), dtypes=NUMBERS, result="promoted"),
    moving("repeat", lambda a, repeats: np.tile(a, repeats), repeat_plan("repeats", False), spellings=(),
           call=lambda m, t, repeats: t.repeat(*repeats) if repeats else t.repeat(()), covers=("repeat",), rank=(0, 3)),
    moving("tile", lambda a, dims: np.tile(a, dims), repeat_plan("dims", True), rank=(0, 3)),
    moving("flip", lambda a, dims: np.flip(a, dims), lambda make, row, x: (
        [], {"dims": order(make, x.z.ndim)[: make.below(x.z.ndim + 1)]})),
    moving("roll", lambda a, shifts, dims=None: np.roll(a, shifts, dims), roll_plan),
    moving("tril", lambda a, diagonal=0: np.tril(a, diagonal), options(diagonal=[0, 1, -1, 2, -9, 9]), rank=(2, 4),
           in_place=(".tril_",)),
    moving("triu", lambda a, diagonal=0: np.triu(a, diagonal), options(diagonal=[0, 1, -1, 2, -9, 9]), rank=(2, 4),
           in_place=(".triu_",)),
    moving("diag", diag, options(diagonal=[0, 1, -1, 2]), rank=(1, 2)),
    moving("pad", pad, pad_plan, rank=(1, 4), spellings=("pad",), dtypes=FLOATS),
    moving("pad(edges)", pad, pad_edge_plan, rank=(2, 4), spellings=(),
           call=lambda m, t, pad, mode: m.pad(t, pad, mode), dtypes=FLOATS, without=("empty",)),
)  # fmt: skip
