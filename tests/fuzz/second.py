"""Second derivatives, against differences of the oracle's first ones.

The engine differentiates the derivative along the program's directions u, and that gradient is multiplied with other
directions v. The oracle runs the part of the program again, alone, with the leaves moved along v.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pygrad
from pygrad import autograd

from .dual import H
from .layout import lay_out
from .program import Failure, Invalid, Step, tuples
from .tensors import STORED, Array, array, directions, numbers

STEP = 1e-3


def ancestors(session: Any, rows: Any, root: int) -> list[Step]:
    """Return the steps that a tensor comes from; `Invalid` if they cannot be run again by the oracle alone."""
    wanted, found = {root}, []
    for step in reversed(session.steps):
        mine = [k for k in step.ins if isinstance(k, int)]
        if step.raises:
            continue
        if step.in_place:
            raise Invalid("changed in place")
        if not wanted & set(step.out):
            continue
        row = rows.get(step.op)
        if step.op != "leaf" and (row is None or not row.smooth or step.no_grad):
            raise Invalid("not smooth")
        if any(session.made.get(k) == "float32" for k in step.out):
            raise Invalid("not precise")
        wanted |= set(mine)
        found.append(step)
    return found[::-1]


def again(rows: Any, steps: list[Step], root: int, weights: Array, move: float) -> float:
    """Return the derivative along u of <weights, root>, with the leaves moved along v."""
    made: dict[int, Any] = {}
    for step in steps:
        o = step.options
        if step.op == "leaf":
            base = numbers(o["at"], tuples(o["shape"]), o["low"], o["high"], o["dtype"]).astype(STORED[o["dtype"]])
            if o.get("grad"):
                base.imag = H * directions(o["at"], base.shape)
                base.real += move * directions(o["at"] + 777, base.shape)
            made[step.out[0]] = lay_out(base, o["layout"], o.get("axis", 0))
            continue
        row = rows[step.op]
        arrays = [made[k] if isinstance(k, int) else k[0] for k in step.ins]
        if row.result == "promoted" and not any(np.iscomplexobj(a) for a in arrays):
            raise Invalid("integers")
        got = row.oracle(*arrays, **tuples(o))
        made.update(zip(step.out, map(np.asarray, got if isinstance(got, tuple) else [got]), strict=False))
    return float(np.sum(weights * made[root].imag)) / H


def compare_second(session: Any, rows: Any, root: int, at: int) -> None:
    var = session.var(root)
    if session.used_up or not var.grad:
        raise Invalid("not precise")
    if any(v.family.probed for v, _ in session.sources):
        raise Invalid("probes")
    steps = ancestors(session, rows, root)
    weights = numbers(at, var.z.shape, -1.0, 1.0, "float64")
    leaves = [v for v, _ in session.sources]
    ends = [again(rows, steps, root, weights, m * STEP) for m in (1, -1, 0.5, -0.5)]
    coarse, fine = (ends[0] - ends[1]) / (2 * STEP), (ends[2] - ends[3]) / STEP
    expected, unsure = (4 * fine - coarse) / 3, abs(fine - coarse)
    try:
        first = autograd.grad(
            [var.t], [v.t for v in leaves], [pygrad.tensor(weights)], create_graph=True, allow_unused=True
        )
        along = [
            (g * pygrad.tensor(u)).sum() for g, (_, u) in zip(first, session.sources, strict=True) if g is not None
        ]
        total = sum(along)
        second = (
            autograd.grad([total], [v.t for v in leaves], retain_graph=True, allow_unused=True)
            if isinstance(total, pygrad.Tensor) and total.requires_grad
            else [None] * len(leaves)
        )
    except RuntimeError as error:
        raise Failure(f"second derivative: {error}") from error
    got, size = 0.0, abs(expected) + sum(map(abs, ends)) + 1.0
    for step in steps:
        if step.op == "leaf" and step.options.get("grad"):
            where = session.origin[step.out[0]]
            if second[where] is not None:
                base = directions(step.options["at"] + 777, tuples(step.options["shape"]))
                v = lay_out(base, step.options["layout"], step.options.get("axis", 0))
                each = array(second[where]) * v
                got += float(np.sum(each))
                size += float(np.sum(abs(each)))
    if unsure > 1e-4 * size:
        raise Invalid("the differences are not precise enough")
    if not abs(got - expected) <= 0.1 * unsure + 1e-7 * size:
        raise Failure(f"second derivative {got!r}, by differences {expected!r} (+- {0.1 * unsure + 1e-7 * size:.2g})")
