"""Rows of reading and writing by indices and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import join, slope, value
from .plans import need
from .row import ALL, ANY, BOOL, FLOATS, NUMBERS, Domain, Row

Array = np.ndarray
Planned = tuple[list[Any], dict[str, Any]]


def index_of(items: Any, tensors: Any) -> Any:
    """Return the index that the data stand for: ["i", 2], ["s", a, b, c], ["n"], ["e"], or ["t", which tensor]."""
    made = tuple(
        item[1] if item[0] == "i"
        else slice(*item[1:]) if item[0] == "s"
        else None if item[0] == "n"
        else ... if item[0] == "e"
        else tensors[item[1]]
        for item in items
    )  # fmt: skip
    return made[0] if len(made) == 1 else made


def below(n: int) -> Domain:
    """Whole numbers from 0 to n - 1."""
    return Domain(-0.499, n - 0.501, bound=(0, n - 1))


def indices(make: Any, n: int, shape: tuple[int, ...]) -> int:
    """Make a tensor of places along a dimension of size n."""
    need(n > 0)
    return make.leaf("int64", shape, below(n))


def mask(make: Any, shape: tuple[int, ...]) -> int:
    found = make.find("bool", BOOL, lambda v: v.z.shape == shape)
    return make.leaf("bool", shape, BOOL) if found is None else found


def random_slice(make: Any, n: int) -> list[Any]:
    def end() -> Any:
        return None if make.chance(0.4) else make.below(2 * n + 3) - n - 1

    return ["s", end(), end(), make.choice([None, None, 1, 2, 3] if make.torch else [None, 1, 2, 3, -1, -2])]


def basic(make: Any, shape: tuple[int, ...]) -> list[Any]:
    items: list[Any] = []
    for n in shape[: 1 + make.below(len(shape))] if shape else ():
        r = make.below(5)
        items.append(["i", make.below(2 * n) - n] if r == 0 and n else random_slice(make, n))
        if r == 4 and ["n"] not in items and len(shape) < 4:
            items.append(["n"])
    if make.chance(0.2):
        items.insert(0 if make.chance(0.5) and len(items) <= 1 else len(items), ["e"])
    if items[:1] == [["e"]] and len(items) == 2 and items[1] != ["n"]:
        items = [["e"], ["s", None, None, 2]]
    return items or [["e"]]


def basic_plan(make: Any, row: Row, x: Any) -> Planned:
    return [], {"index": basic(make, x.z.shape)}


def advanced(make: Any, shape: tuple[int, ...], start: int) -> tuple[list[int], list[Any]]:
    """Make an index with one or two tensors, or a mask."""
    need(len(shape) > 0 and 0 not in shape)
    r = make.below(4)
    if r == 0:
        n = 1 + make.below(min(len(shape), 2))
        return [mask(make, shape[:n])], [["t", start]]
    common = tuple(make.choice([1, 2, 3]) for _ in range(1 + make.below(2)))
    at = make.below(len(shape))
    items: list[Any] = [random_slice(make, n) if make.chance(0.5) else ["s", None, None, None] for n in shape[:at]]
    others = [indices(make, shape[at], common)]
    items.append(["t", start])
    if r == 1 and at + 1 < len(shape):
        others.append(indices(make, shape[at + 1], common))
        items.append(["t", start + 1])
    return others, items


def advanced_plan(make: Any, row: Row, x: Any) -> Planned:
    others, items = advanced(make, x.z.shape, 0)
    return others, {"index": items}


def getitem(a: Array, *tensors: Array, index: Any) -> Array:
    found = index_of(index, tensors)
    if not isinstance(found, tuple):
        found = (found,)
    # With dots numpy gives a view even where no dimension is left.
    return a[found if tensors or ... in found else (*found, ...)]


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


def grid(a: Array, dim: int, index: Array) -> tuple[Array, ...]:
    grids = list(np.indices(index.shape))
    grids[dim] = index
    return tuple(grids)


def gather(a: Array, index: Array, dim: int) -> Array:
    return a[grid(a, dim, index)] if a.ndim else a


def smaller(make: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(1, n - make.below(2)) if n else 0 for n in shape)


def gather_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = x.z.shape
    dim = make.below(len(shape))
    wanted = list(smaller(make, shape))
    wanted[dim] = make.choice([1, 2, 3, 4])
    return [indices(make, shape[dim], tuple(wanted))], {"dim": dim - len(shape) if make.chance(0.3) else dim}


def part(a: Array, index: Array) -> Array:
    return a[tuple(map(slice, index.shape))]


def scatter(a: Array, index: Array, src: Any = None, dim: int = 0, number: Any = None) -> Array:
    out = copied(a, src)
    out[grid(a, dim, index)] = number if src is None else part(src, index)
    return out


def once(a: Array, index: Array, *_: Any, dim: int, **__: Any) -> bool:
    seen = np.zeros(a.shape, np.int64)
    np.add.at(seen, grid(a, dim, index), 1)
    return bool((seen <= 1).all())


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


def index_select_plan(make: Any, row: Row, x: Any) -> Planned:
    dim = make.below(x.z.ndim)
    return [indices(make, x.z.shape[dim], (make.choice([1, 2, 4]),))], {"dim": dim}


def take_along_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = x.z.shape
    if make.chance(0.3):
        return [indices(make, x.z.size, (3,))], {}
    dim = make.below(len(shape))
    return [indices(make, shape[dim], (*shape[:dim], 2, *shape[dim + 1 :]))], {"dim": dim}


def take_along_dim(a: Array, index: Array, dim: int | None = None) -> Array:
    return np.take_along_axis(a.ravel(), index.ravel(), 0) if dim is None else np.take_along_axis(a, index, dim)


def masked_select(a: Array, where: Array) -> Array:
    shape = np.broadcast_shapes(a.shape, where.shape)
    return np.broadcast_to(a, shape)[np.broadcast_to(where, shape)]


def mask_beside(make: Any, row: Row, x: Any) -> int:
    return make.beside(row, 1, "bool", x.z.shape)


def masked_fill_plan(make: Any, row: Row, x: Any) -> Planned:
    where = mask_beside(make, row, x)
    if make.chance(0.5):
        return [where], {"value": make.choice([1.5, -2.0, 0]) if x.dtype in FLOATS else 1}
    return [where, make.operand(row, 2, x.dtype, ())], {}


def masked_fill(a: Array, where: Array, number: Any = None, value: Any = None) -> Array:
    return np.where(where, value if number is None else number, a)


def method(name: str) -> Callable[..., Any]:
    """Call a function whose dim stands before the index."""
    return lambda m, t, index, *rest, dim, **o: getattr(m, name)(t, dim, index, *rest, **o)


def scattered_number(m: Any, t: Any, index: Any, dim: int, number: Any) -> Any:
    return m.scatter(t, dim, index, number)


def embedding_plan(make: Any, row: Row, x: Any) -> Planned:
    dtype = "float64" if make.wide else make.choice(FLOATS)
    return [make.operand(row, 1, dtype, (4, make.choice(make.sizes)))], {}


def one_hot(a: Array, num_classes: int) -> Array:
    return np.eye(num_classes, dtype=np.int64)[a]


def copy_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.beside(row, 1, make.dtype_beside(row, x.dtype), x.z.shape, grow=False)], {}


def along(row_name: str, oracle: Callable[..., Any], plan: Any, **more: Any) -> Row:
    """One row of a function with the dimension in the middle; in place it is a method."""
    more.setdefault("dtypes", NUMBERS)
    return Row(row_name, oracle, plan, rank=(1, 4), spellings=(), call=method(row_name.partition("(")[0]), **more)


INDEX = (
    Row("getitem", getitem, basic_plan, dtypes=ALL, spellings=(), call=lambda m, t, *rest, index: t[index_of(index,
        rest)], view=True, exact=True, rank=(1, 4), covers=("__getitem__",)),
    Row("getitem(tensors)", getitem, advanced_plan, dtypes=ALL, spellings=(),
        call=lambda m, t, *rest, index: t[index_of(index, rest)], exact=True, rank=(1, 4),
        domains=(ANY, Domain(0, 1, bound=(0, 1e3))), without=("empty",)),
    Row("setitem", setitem, setitem_plan, dtypes=ALL, spellings=None, in_place=("[]=",), call=set_item, exact=True,
        rank=(1, 4), guard=places_differ, covers=("__setitem__",), domains=(ANY, ANY, Domain(0, 1, bound=(0, 1e3)))),
    along("gather", gather, gather_plan, exact=True),
    along("index_select", lambda a, index, dim: np.take(a, index, dim), index_select_plan, exact=True),
    Row("take_along_dim", take_along_dim, take_along_plan, dtypes=NUMBERS, rank=(1, 4), exact=True,
        spellings=("take_along_dim", ".take_along_dim")),
    Row("masked_select", masked_select, lambda make, row, x: ([mask_beside(make, row, x)], {}), dtypes=NUMBERS,
        exact=True, spellings=("masked_select", ".masked_select"), domains=(ANY, BOOL)),
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
    Row("one_hot", one_hot, lambda make, row, x: ([], {"num_classes": 4 + make.below(2)}), dtypes=("int64",),
        domains=(below(4),), result="int64", spellings=("one_hot",), rank=(0, 3)),
    Row("embedding", lambda index, w: w[index], embedding_plan, dtypes=("int64",), domains=(below(4), ANY),
        result="second", spellings=("embedding",), exact=True, rank=(0, 2)),
    Row("copy_", lambda a, b: join(np.broadcast_to(value(b), a.shape), np.broadcast_to(slope(b), a.shape)) if
        a.dtype.kind in "fc" else np.broadcast_to(b, a.shape), copy_plan, dtypes=FLOATS, spellings=None,
        in_place=(".copy_",), exact=True),
    Row("fill_", lambda a, b: np.broadcast_to(b, a.shape), lambda make, row, x: (
        [[2]] if make.chance(0.7) else [make.operand(row, 1, x.dtype, ())], {}), dtypes=NUMBERS, spellings=None,
        in_place=(".fill_",), exact=True),
    Row("zero_", np.zeros_like, lambda make, row, x: ([], {}), dtypes=ALL, spellings=None, in_place=(".zero_",),
        exact=True),
)  # fmt: skip
