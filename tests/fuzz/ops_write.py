"""Rows of writing: at indices, by masks, and over everything; beside the tensor and in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dual import join, slope, value
from .ops_index import Array, Planned, advanced, along, basic, grid, index_of, indices, mask_beside, smaller
from .plans import need
from .row import ALL, ANY, BOOL, FLOATS, NUMBERS, Domain, Row


def copied(a: Array, b: Any) -> Array:
    """Return a copy that can take up the derivative of b."""
    return np.array(a, np.complex128 if a.dtype.kind == "c" or np.iscomplexobj(b) else a.dtype)


def setitem(a: Array, *rest: Any, index: Any) -> Array:
    out = copied(a, rest[0])
    out[index_of(index, rest[1:])] = rest[0]
    return out


def places_differ(a: Array, *rest: Any, index: Any) -> bool:
    """Tell whether no place is written twice."""
    seen = np.zeros(a.shape, np.int64)
    np.add.at(seen, index_of(index, rest[1:]), 1)
    return bool((seen <= 1).all())


def setitem_plan(make: Any, row: Row, x: Any) -> Planned:
    others, items = ([], basic(make, x.z.shape)) if make.chance(0.6) else advanced(make, x.z.shape, 0)
    tensors = [make.session.live[k].z for k in others]
    try:
        part = x.z[index_of(items, tensors)]
    except IndexError:
        need(False)
    if make.chance(0.2):
        return [[1.5 if x.dtype in FLOATS else 1], *others], {"index": items}
    return [make.beside(row, 1, x.dtype, part.shape, grow=False), *others], {"index": items}


def set_item(m: Any, t: Any, *rest: Any, index: Any) -> Any:
    t[index_of(index, rest[1:])] = rest[0]
    return t


def part(a: Array, index: Array) -> Array:
    return a[tuple(map(slice, index.shape))]


def scatter(a: Array, index: Array, src: Any = None, dim: int = 0, number: Any = None) -> Array:
    out = copied(a, src)
    out[grid(a, dim, index)] = number if src is None else part(src, index)
    return out


def scatter_plan(number: bool) -> Any:
    def plan(make: Any, row: Row, x: Any) -> Planned:
        shape = x.z.shape
        dim = make.below(len(shape))
        wanted = list(smaller(make, shape))
        if not number:
            index = indices(make, shape[dim], tuple(wanted))
            src = make.operand(row, 1, x.dtype, tuple(n + make.below(2) for n in wanted))
            return [index, src], {"dim": dim}
        wanted[dim] = 1
        return [indices(make, shape[dim], tuple(wanted))], {"dim": dim, "number": 1.5 if x.dtype in FLOATS else 2}

    return plan


def scatter_once_plan(make: Any, row: Row, x: Any) -> Planned:
    """One index along the dimension: no place twice."""
    shape = x.z.shape
    dim = make.below(len(shape))
    wanted = list(smaller(make, shape))
    wanted[dim] = 1
    return [indices(make, shape[dim], tuple(wanted)), make.operand(row, 1, x.dtype, tuple(wanted))], {"dim": dim}


def add_at(out: Array, places: Any, x: Array) -> None:
    np.add.at(out, places, x)


def scatter_add(a: Array, index: Array, src: Array, dim: int) -> Array:
    out = copied(a, src)
    add_at(out, grid(a, dim, index), part(src, index))
    return out


def index_add(a: Array, index: Array, source: Array, dim: int, alpha: float = 1) -> Array:
    out = copied(a, source)
    add_at(np.moveaxis(out, dim, 0), index, alpha * np.moveaxis(source, dim, 0))
    return out


def index_add_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = x.z.shape
    dim, k = make.below(len(shape)), make.choice([1, 2, 4])
    source = make.operand(row, 1, x.dtype, (*shape[:dim], k, *shape[dim + 1 :]))
    options: dict[str, Any] = {"dim": dim}
    if make.chance(0.3):
        options["alpha"] = -0.5 if x.dtype in FLOATS else 2
    return [indices(make, shape[dim], (k,)), source], options


def index_fill(a: Array, index: Array, b: Any = None, dim: int = 0, number: Any = None) -> Array:
    out = copied(a, b)
    out[(slice(None),) * dim + (index,)] = number if b is None else b
    return out


def index_fill_plan(make: Any, row: Row, x: Any) -> Planned:
    dim, k = make.below(x.z.ndim), make.choice([1, 2, 4])
    index = indices(make, x.z.shape[dim], (k,))
    if make.chance(0.5):
        return [index, make.operand(row, 2, x.dtype, ())], {"dim": dim}
    return [index, [1.5 if x.dtype in FLOATS else 1]], {"dim": dim}


def index_copy(a: Array, index: Array, source: Array, dim: int) -> Array:
    out = copied(a, source)
    out[(slice(None),) * dim + (index,)] = source
    return out


def index_copy_plan(make: Any, row: Row, x: Any) -> Planned:
    """One index: no place twice."""
    shape = x.z.shape
    dim = make.below(len(shape))
    source = make.operand(row, 2, x.dtype, (*shape[:dim], 1, *shape[dim + 1 :]))
    return [indices(make, shape[dim], (1,)), source], {"dim": dim}


def index_put(a: Array, values: Array, *places: Array, accumulate: bool) -> Array:
    out = copied(a, values)
    if accumulate:
        np.add.at(out, places, values)
    else:
        out[places] = values
    return out


def index_put_plan(make: Any, row: Row, x: Any) -> Planned:
    """Several places where they are added to, and one otherwise."""
    shape = x.z.shape
    add = make.chance(0.5)
    n = make.choice([1, 2, 3]) if add else 1
    used = 1 + make.below(len(shape))
    values = make.beside(row, 1, x.dtype, (n, *shape[used:]), grow=False)
    return [values, *(indices(make, size, (n,)) for size in shape[:used])], {"accumulate": add}


def index_put_call(m: Any, t: Any, values: Any, *places: Any, accumulate: bool) -> Any:
    return m.index_put(t, places, values, accumulate)


def put(a: Array, index: Array, source: Array, accumulate: bool) -> Array:
    return index_put(a.ravel(), source.ravel(), index.ravel(), accumulate=accumulate).reshape(a.shape)


def put_plan(make: Any, row: Row, x: Any) -> Planned:
    add = make.chance(0.5)
    shape = (make.choice([1, 2, 3]),) if add else (1,)
    return [indices(make, x.z.size, shape), make.operand(row, 2, x.dtype, shape)], {"accumulate": add}


def masked_scatter(a: Array, where: Array, source: Array) -> Array:
    shape = np.broadcast_shapes(a.shape, where.shape)
    out = copied(np.broadcast_to(a, shape), source)
    whole = np.broadcast_to(where, shape)
    out[whole] = source.ravel()[: int(whole.sum())]
    return out


def masked_scatter_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.beside(row, 1, "bool", x.z.shape, grow=False), make.operand(row, 2, x.dtype, x.z.shape)], {}


def fill_diagonal(a: Array, fill_value: Any, wrap: bool) -> Array:
    out = np.array(a)
    np.fill_diagonal(out, fill_value, wrap)
    return out


def masked_fill_plan(make: Any, row: Row, x: Any) -> Planned:
    where = mask_beside(make, row, x)
    if make.chance(0.5):
        return [where], {"value": make.choice([1.5, -2.0, 0]) if x.dtype in FLOATS else 1}
    return [where, make.operand(row, 2, x.dtype, ())], {}


def masked_fill(a: Array, where: Array, number: Any = None, value: Any = None) -> Array:
    return np.where(where, value if number is None else number, a)


def scattered_number(m: Any, t: Any, index: Any, dim: int, number: Any) -> Any:
    return m.scatter(t, dim, index, number)


def copy_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.beside(row, 1, make.dtype_beside(row, x.dtype), x.z.shape, grow=False)], {}


WRITE = (
    Row("setitem", setitem, setitem_plan, dtypes=ALL, spellings=None, in_place=("[]=",), call=set_item, exact=True,
        rank=(1, 4), guard=places_differ, covers=("__setitem__",), domains=(ANY, ANY, Domain(0, 1, bound=(0, 1e3)))),
    Row("masked_fill", masked_fill, masked_fill_plan, dtypes=NUMBERS[1:], exact=True, domains=(ANY, BOOL, ANY),
        spellings=("masked_fill", ".masked_fill"), in_place=(".masked_fill_",)),
    along("scatter", scatter, scatter_once_plan, exact=True, in_place=("scatter_",)),
    Row("scatter(number)", scatter, scatter_plan(True), dtypes=NUMBERS, rank=(1, 4), exact=True, spellings=(),
        call=scattered_number),
    along("scatter_add", scatter_add, scatter_plan(False), in_place=("scatter_add_",), terms=lambda a, *_: 16.0),
    along("index_add", index_add, index_add_plan, in_place=("index_add_",), terms=lambda a, *_: 16.0),
    along("index_fill", index_fill, index_fill_plan, exact=True, in_place=("index_fill_",)),
    along("index_copy", index_copy, index_copy_plan, exact=True, in_place=("index_copy_",)),
    Row("index_put", index_put, index_put_plan, dtypes=NUMBERS, rank=(1, 4), spellings=(), in_place=("index_put_",),
        call=index_put_call, domains=(ANY, ANY, Domain(0, 1, bound=(0, 1e3))), terms=lambda a, *_: 16.0,
        without=("empty",)),
    Row("put", put, put_plan, dtypes=NUMBERS, spellings=("put", ".put"), in_place=(".put_",), terms=lambda a, *_: 16.0,
        without=("empty",), domains=(ANY, Domain(0, 1, bound=(0, 1e3)), ANY)),
    Row("masked_scatter", masked_scatter, masked_scatter_plan, dtypes=NUMBERS, exact=True, domains=(ANY, BOOL, ANY),
        spellings=("masked_scatter", ".masked_scatter"), in_place=(".masked_scatter_",)),
    Row("fill_diagonal_", fill_diagonal, lambda make, row, x: ([], {"fill_value": 2, "wrap": make.chance(0.5)}),
        dtypes=NUMBERS, rank=(2, 2), spellings=None, in_place=(".fill_diagonal_",), exact=True),
    Row("copy_", lambda a, b: join(np.broadcast_to(value(b), a.shape), np.broadcast_to(slope(b), a.shape)) if
        a.dtype.kind in "fc" else np.broadcast_to(b, a.shape), copy_plan, dtypes=FLOATS, spellings=None,
        in_place=(".copy_",), exact=True),
    Row("fill_", lambda a, b: np.broadcast_to(b, a.shape), lambda make, row, x: (
        [[2]] if make.chance(0.7) else [make.operand(row, 1, x.dtype, ())], {}), dtypes=NUMBERS, spellings=None,
        in_place=(".fill_",), exact=True),
    Row("zero_", np.zeros_like, lambda make, row, x: ([], {}), dtypes=ALL, spellings=None, in_place=(".zero_",),
        exact=True),
)  # fmt: skip
