"""Rows of products: matrices, vectors, batches, and Einstein's sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import join, slope, value
from .plans import need
from .row import ANY, FLOATS, Row

Array = np.ndarray
Planned = tuple[list[Any], dict[str, Any]]


def length(a: Array, *_: Any) -> float:
    return max(float(a.shape[-1] if a.ndim else 1), 1.0)


def product_scale(a: Array, b: Array, *rest: Any, **_: Any) -> float:
    """The largest possible sum of the terms."""
    top = abs(a.real).max(initial=0.0) * abs(b.real).max(initial=0.0)
    return length(a) * float(top) + max([float(abs(c.real).max(initial=0.0)) for c in rest if c is not None] or [0.0])


def product(a: Array, b: Array) -> Array:
    """Multiply values and derivatives apart: no terms of one are lost beside those of the other."""
    x, y = value(a), value(b)
    return join(x @ y, slope(a) @ y + x @ slope(b) if a.dtype.kind == "c" and b.dtype.kind == "c" else (
        (slope(a) @ y if a.dtype.kind == "c" else 0.0) + (x @ slope(b) if b.dtype.kind == "c" else 0.0)))  # fmt: skip


def matmul_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = x.z.shape
    inner = shape[-1]
    n = make.choice(make.sizes)
    choices: list[tuple[int, ...]] = [(inner,), (inner, n)]
    if len(shape) > 2:
        choices += [(*shape[:-2], inner, n), (1, inner, n)]
    else:
        choices += [(2, inner, n)]
    return [make.operand(row, 1, x.dtype, make.choice(choices))], {}


def matrix_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.operand(row, 1, x.dtype, (x.z.shape[-1], make.choice(make.sizes)))], {}


def batch_plan(make: Any, row: Row, x: Any) -> Planned:
    b, _, k = x.z.shape
    return [make.operand(row, 1, x.dtype, (b, k, make.choice(make.sizes)))], {}


def vector_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.operand(row, 1, x.dtype, (x.z.shape[-1],))], {}


def outer_plan(make: Any, row: Row, x: Any) -> Planned:
    return [make.operand(row, 1, x.dtype, (make.choice(make.sizes),))], {}


def scaled(make: Any) -> dict[str, Any]:
    return {k: make.choice([0.5, -2, 2]) for k in ("beta", "alpha") if make.chance(0.3)}


def addmm_plan(make: Any, row: Row, x: Any) -> Planned:
    m, n = x.z.shape
    k = make.choice(make.sizes)
    return [make.operand(row, 1, x.dtype, (m, k)), make.operand(row, 2, x.dtype, (k, n))], scaled(make)


def baddbmm_plan(make: Any, row: Row, x: Any) -> Planned:
    b, m, n = x.z.shape
    k = make.choice(make.sizes)
    return [make.operand(row, 1, x.dtype, (b, m, k)), make.operand(row, 2, x.dtype, (b, k, n))], scaled(make)


def addmm(c: Array, a: Array, b: Array, beta: float = 1, alpha: float = 1) -> Array:
    return beta * c + alpha * product(a, b)


def linear_plan(make: Any, row: Row, x: Any) -> Planned:
    n = make.choice(make.sizes)
    others = [make.operand(row, 1, x.dtype, (n, x.z.shape[-1]))]
    return (others, {}) if make.chance(0.4) else ([*others, make.operand(row, 2, x.dtype, (n,))], {})


def linear(x: Array, w: Array, b: Array | None = None) -> Array:
    y = product(x, w.T)
    return y if b is None else y + b


EQUATIONS = {  # by the rank of the first operand
    1: ("i,i", "i,i->i", "i,j->ij", "i,ij->j", "i->"),
    2: ("ij,jk->ik", "ij,jk", "ij->ji", "ba", "ij->", "ij->i", "ij,ij->i", "ij,kj->ik", "ij,j->i", "i...->...",
        "ij,ij->", "ij,kj,k->i"),
    3: ("ijk,ij->k", "bij,bjk->bik", "...ij,...jk", "ijk->kji", "ijk,lk->ijl", "i...,i...->i...", "ijk->"),
}  # fmt: skip


def einsum_plan(make: Any, row: Row, x: Any) -> Planned:
    equation = make.choice(EQUATIONS[x.z.ndim])
    terms = equation.partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    shape = list(x.z.shape)
    if "..." in terms[0]:
        head, tail = terms[0].split("...")
        dots = shape[len(head) : len(shape) - len(tail)]
        letters = [*head, *(f"dot{i}" for i in range(len(dots))), *tail]
    else:
        dots, letters = [], list(terms[0])
    for letter, n in zip(letters, shape, strict=True):
        if sizes.setdefault(letter, n) != n:
            need(False)
    others = []
    for term in terms[1:]:
        mine: list[int] = []
        head, _, tail = term.partition("...")
        mine += [sizes.setdefault(c, make.choice(make.sizes)) for c in head]
        if "..." in term:
            mine += dots + [sizes.setdefault(c, make.choice(make.sizes)) for c in tail]
        others.append(make.operand(row, 1, x.dtype, tuple(mine)))
    return others, {"equation": equation}


def einsum(*arrays: Array, equation: str) -> Array:
    """Differentiate by the product rule, operand by operand."""
    values = [value(a) for a in arrays]
    dy: Any = 0.0
    for i, a in enumerate(arrays):
        if a.dtype.kind == "c":
            dy = dy + np.einsum(equation, *values[:i], slope(a), *values[i + 1 :])
    return join(np.einsum(equation, *values), dy)


def einsum_scale(*arrays: Array) -> float:
    top = 1.0
    for a in arrays:
        top *= float(abs(a.real).max(initial=0.0))
    return top * max([a.size for a in arrays])


def matrix(name: str, oracle: Callable[..., Any], plan: Any, rank: tuple[int, int], **more: Any) -> Row:
    more.setdefault("spellings", (name, f".{name}"))
    more.setdefault("scale", product_scale)
    return Row(name, oracle, plan, dtypes=FLOATS, rank=rank, domains=(ANY,), **more)


MATRIX = (
    matrix("matmul", product, matmul_plan, (1, 4), spellings=("matmul", ".matmul", "@"), covers=("__matmul__",)),
    matrix("mm", product, matrix_plan, (2, 2)),
    matrix("bmm", product, batch_plan, (3, 3)),
    matrix("mv", product, vector_plan, (2, 2)),
    matrix("dot", product, vector_plan, (1, 1)),
    matrix("outer", lambda a, b: a[:, None] * b, outer_plan, (1, 1)),
    matrix("addmm", addmm, addmm_plan, (2, 2), in_place=(".addmm_",),
           scale=lambda c, a, b: product_scale(a, b, c) * 3),
    matrix("baddbmm", addmm, baddbmm_plan, (3, 3), in_place=(".baddbmm_",),
           scale=lambda c, a, b: product_scale(a, b, c) * 3),
    matrix("linear", linear, linear_plan, (1, 4), spellings=("linear",)),
    matrix("einsum", einsum, einsum_plan, (1, 3), spellings=(), scale=einsum_scale,
           call=lambda m, *t, equation: m.einsum(equation, *t) if len(t) > 1 else m.einsum(equation, *t).clone()),
)  # fmt: skip
