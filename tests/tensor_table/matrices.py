"""Products of matrices, and einsum."""

from __future__ import annotations

from typing import Any

import numpy as np
from tensor_backend import pg

from .rows import ANY, Array, Case, Row, case

PRODUCTS = (
    *(case(a, b) for a, b in [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((17, 33), (33, 19)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((5, 2, 3), (3,)),
        ((3,), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 2)),
        ((64, 70), (70, 66)),
    ]),
)  # fmt: skip


def _scale_of_product(x: Array, w: Array, *_: Array) -> float:
    return x.shape[-1] * float(abs(x).max(initial=0.0) * abs(w).max(initial=0.0))


def _linear(x: Array, w: Array, b: Array | None = None) -> Array:
    y = x @ w.T
    return y if b is None else y + b


MATRICES = (
    Row("matmul", (ANY, ANY), np.matmul, PRODUCTS, methods=("matmul", "__matmul__"),
        scale=_scale_of_product),
    Row("linear", (ANY, ANY, ANY), _linear,
        [case((5, 3), (2, 3), (2,)), case((3,), (2, 3), (2,)), case((2, 4, 3), (5, 3), (5,)),
         case((0, 3), (2, 3), (2,)), case((2, 0), (3, 0), (3,)), case((65, 33), (17, 33), (17,))],
        scale=_scale_of_product),
    Row("linear(no bias)", (ANY, ANY), _linear,
        [case((5, 3), (2, 3)), case((3,), (2, 3)), case((2, 4, 3), (5, 3)), case((1, 1), (1, 1))],
        scale=_scale_of_product),
)  # fmt: skip


def _einsum(equation: str, *cases: Case, **more: Any) -> Row:
    n = equation.partition("->")[0].count(",") + 1
    return Row(f"einsum({equation})", (ANY,) * n, lambda *a: np.einsum(equation, *a), cases,
               call=lambda *t: pg.einsum(equation, *t), roundings=32, **more)  # fmt: skip


PRODUCTS_OF_ONE_KIND = (
    Row("mm", (ANY, ANY), np.matmul,
        [case((3, 3), (3, 3)), *(c for c in PRODUCTS if {len(s) for s in c.shapes} == {2})],
        methods=("mm",), scale=_scale_of_product),
    Row("bmm", (ANY, ANY), np.matmul,
        [case((4, 2, 3), (4, 3, 5)), case((1, 2, 2), (1, 2, 2)), case((0, 2, 3), (0, 3, 2)), case((2, 0, 3), (2, 3, 4)),
         case((2, 3, 0), (2, 0, 4))], methods=("bmm",), scale=_scale_of_product),
    Row("mv", (ANY, ANY), np.matmul, [case((2, 3), (3,)), case((3, 3), (3,)), case((2, 0), (0,)), case((0, 3), (3,))],
        methods=("mv",), scale=_scale_of_product),
    Row("dot", (ANY, ANY), np.dot, [case((3,), (3,)), case((131,), (131,)), case((0,), (0,))], methods=("dot",),
        scale=_scale_of_product),
    Row("outer", (ANY, ANY), np.outer, [case((3,), (3,)), case((2,), (5,)), case((0,), (3,))], methods=("outer",)),
    Row("addmm", (ANY, ANY, ANY), lambda c, a, b, beta=1, alpha=1: beta * c + alpha * (a @ b),
        [case((2, 4), (2, 3), (3, 4)), case((4,), (2, 3), (3, 4), alpha=0.5), case((), (2, 3), (3, 4), beta=-2),
         case((2, 1), (2, 3), (3, 4), beta=0.5, alpha=2), case((2, 2), (2, 0), (0, 2)),
         case((2, 2), (2, 3), (3, 2), beta=0), case((2, 2), (2, 3), (3, 2), alpha=0)],
        methods=("addmm",), roundings=32),
    Row("baddbmm", (ANY, ANY, ANY), lambda c, a, b, beta=1, alpha=1: beta * c + alpha * (a @ b),
        [case((2, 3, 5), (2, 3, 4), (2, 4, 5)), case((3, 1), (2, 3, 4), (2, 4, 5), beta=2, alpha=0.5)],
        methods=("baddbmm",), roundings=32),
    _einsum("ij,jk->ik", case((2, 3), (3, 4)), case((3, 3), (3, 3)), case((2, 0), (0, 3))),
    _einsum("ij,jk", case((2, 3), (3, 4)), case((3, 3), (3, 3))),
    _einsum("ij->ji", case((2, 3))),
    _einsum("ba", case((2, 3))),
    _einsum("ij->", case((2, 3)), case((0, 3))),
    _einsum("ii", case((3, 3))),
    _einsum("ii->i", case((3, 3))),
    _einsum("iij->ji", case((3, 3, 2))),
    _einsum("iii", case((3, 3, 3))),
    _einsum("...ii->...i", case((2, 3, 3)), case((3, 3))),
    _einsum("...ij,...jk", case((2, 1, 2, 3), (4, 3, 2)), case((2, 3), (4, 3, 2)), case((3, 3), (3, 3))),
    _einsum("i...->...", case((2, 3, 4)), case((3,))),
    _einsum("i...,i...->i...", case((2, 3), (2, 3)), case((2, 3), (2, 1))),
    _einsum("i,j->ij", case((3,), (3,)), case((2,), (4,))),
    _einsum("i,i->i", case((3,), (3,))),
    _einsum("i,i", case((3,), (3,)), case((0,), (0,))),
    _einsum(",ij->ij", case((), (2, 3))),
    _einsum("bhqd,bhkd->bhqk", case((2, 2, 3, 4), (2, 2, 5, 4))),
    _einsum("bqhd,bkhd->bhqk", case((2, 3, 2, 4), (2, 5, 2, 4))),
    _einsum("ik,jkl,il->ij", case((2, 3), (4, 3, 5), (2, 5))),
    _einsum("ij,kl,jl->ik", case((2, 3), (4, 5), (3, 5))),
    _einsum("a,b,c->cab", case((2,), (3,), (4,))),
    _einsum("ijk,ij->k", case((2, 3, 4), (2, 3))),
    _einsum("ab,cd->", case((2, 3), (4, 5)), case((2, 2), (2, 2))),
    _einsum("ij,ij->i", case((2, 3), (1, 3)), case((2, 3), (2, 1)), case((2, 3), (2, 3))),
)  # fmt: skip
