"""Rows of reading by indices and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

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


def method(name: str) -> Callable[..., Any]:
    """Call a function whose dim stands before the index."""
    return lambda m, t, index, *rest, dim, **o: getattr(m, name)(t, dim, index, *rest, **o)


def embedding_plan(make: Any, row: Row, x: Any) -> Planned:
    dtype = "float64" if make.wide else make.choice(FLOATS)
    return [make.operand(row, 1, dtype, (4, make.choice(make.sizes)))], {}


def one_hot(a: Array, num_classes: int) -> Array:
    return np.eye(num_classes, dtype=np.int64)[a]


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
    along("gather", gather, gather_plan, exact=True),
    along("index_select", lambda a, index, dim: np.take(a, index, dim), index_select_plan, exact=True),
    Row("take_along_dim", take_along_dim, take_along_plan, dtypes=NUMBERS, rank=(1, 4), exact=True,
        spellings=("take_along_dim", ".take_along_dim")),
    Row("masked_select", masked_select, lambda make, row, x: ([mask_beside(make, row, x)], {}), dtypes=NUMBERS,
        exact=True, spellings=("masked_select", ".masked_select"), domains=(ANY, BOOL)),
    Row("one_hot", one_hot, lambda make, row, x: ([], {"num_classes": 4 + make.below(2)}), dtypes=("int64",),
        domains=(below(4),), result="int64", spellings=("one_hot",), rank=(0, 3)),
    Row("embedding", lambda index, w: w[index], embedding_plan, dtypes=("int64",), domains=(below(4), ANY),
        result="second", spellings=("embedding",), exact=True, rank=(0, 2)),
)  # fmt: skip
