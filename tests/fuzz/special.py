"""The steps that are no operations: leaves, gradients, and the ends of tensors."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

import pygrad
from pygrad import autograd

from .dual import H
from .layout import lay_out
from .program import Failure, Invalid, Step, tuples
from .row import CATEGORY
from .second import compare_second
from .tensors import STORED, Array, Family, Var, array, directions, numbers

REFUSED = re.compile(r"in.?place|single memory location|second time|overlap")


class Special:
    """What a program has so far, and the steps of the generator's own.

    Attributes
    ----------
    live : dict of int to Var
        The tensors that steps can name.
    steps : list of Step
        What has been run.
    hits : Counter
        Of (row, in place or not, dtype, layout of the first operand), and of spellings.
    refusals : Counter
        Of messages by which changes in place were refused.
    sources : list
        Leaves and probes, and their directions.
    """

    def __init__(self, mirror: Any = None) -> None:
        self.live: dict[int, Var] = {}
        self.steps: list[Step] = []
        self.hits: Counter[Any] = Counter()
        self.refusals: Counter[str] = Counter()
        self.sources: list[tuple[Var, Array]] = []
        self.origin: dict[int, int] = {}  # where in the sources a leaf is
        self.expected = 0.0  # the derivative of everything that backward was called on
        self.size = 0.0
        self.tainted = False  # a backward was refused, so gradients are not complete
        self.single = False  # whether a gradient may have been rounded to float32
        self.made: dict[int, str] = {}  # the dtype of everything that there was
        self.used_up = False  # a graph was walked without retain_graph
        self.mirror = mirror  # PyTorch's side, as long as it takes part
        self.known: Counter[str] = mirror.known if mirror is not None else Counter()

    def var(self, k: int) -> Var:
        try:
            return self.live[k]
        except KeyError:
            raise Invalid(f"there is no v{k}") from None

    def do_leaf(self, step: Step) -> list[int]:
        o = step.options
        dtype = o["dtype"]
        values = numbers(o["at"], tuples(o["shape"]), o["low"], o["high"], dtype)
        t = lay_out(pygrad.tensor(values), o["layout"], o.get("axis", 0))
        base = values.astype(STORED[dtype])
        grad = o.get("grad", False)
        if grad:
            t.requires_grad_()
            base.imag = H * directions(o["at"], base.shape)
        z = lay_out(base, o["layout"], o.get("axis", 0))
        var = Var(t, z, dtype, Family(grad, leaf=True))
        self.single = self.single or (dtype == "float32" and grad)
        self.made[step.out[0]] = dtype
        if grad:
            self.origin[step.out[0]] = len(self.sources)
            self.sources.append((var, z.imag / H))
        if self.mirror is not None:
            self.mirror.leaf(step, values)
        if not np.array_equal(array(t), z.real):
            raise Failure("a new tensor has other values than it was given")
        self.live[step.out[0]] = var
        return step.out

    def do_probe(self, step: Step) -> list[int]:
        """Compare the gradient of an intermediate too, as if it were a leaf added to it."""
        var = self.var(step.ins[0])
        family = var.family
        if not var.grad or family.leaf or family.probed or family.members > 1:
            raise Invalid("no fresh intermediate")
        var.t.retain_grad()
        family.probed = True
        u = directions(step.options["at"], var.z.shape)
        var.z.imag += H * u
        self.sources.append((var, u))
        if self.mirror is not None:
            self.mirror.probe(step.ins[0])
        return []

    def do_detach(self, step: Step) -> list[int]:
        var = self.var(step.ins[0])
        if CATEGORY[var.dtype] < 2:
            raise Invalid("no float")
        t = var.t.detach()
        if t.requires_grad or (var.z.size and not np.may_share_memory(array(t), array(var.t))):
            raise Failure("detach gave no view, or one with a gradient")
        self.live[step.out[0]] = Var(t, var.z, var.dtype, Family(False, alive=False))
        if self.mirror is not None:
            self.mirror.live[step.out[0]] = self.mirror.live[step.ins[0]].detach()
        return step.out

    def do_del(self, step: Step) -> list[int]:
        self.var(step.ins[0])
        del self.live[step.ins[0]]
        return []

    def do_backward(self, step: Step) -> list[int]:
        roots = [self.var(i) for i in step.ins]
        if not all(v.grad and CATEGORY[v.dtype] == 2 for v in roots):
            raise Invalid("no gradient")
        o = step.options
        weights = [numbers(o["at"] + 17 * i, v.z.shape, -1.0, 1.0, v.dtype) for i, v in enumerate(roots)]
        terms = [np.sum(w * v.z.imag) / H for w, v in zip(weights, roots, strict=True)]
        expected = float(sum(terms))
        size = float(sum(np.sum(abs(w * v.z.imag)) / H for w, v in zip(weights, roots, strict=True)))
        retain, how = o.get("retain", False), o["kind"]
        tensors = [pygrad.tensor(w) for w in weights]
        inputs = [v.t for v, _ in self.sources]
        gradients = theirs = None
        if self.mirror is not None:
            theirs = self.mirror.backward(step.ins, weights, how, retain)
        try:
            if how == "grad":
                gradients = autograd.grad([v.t for v in roots], inputs, tensors, retain_graph=retain, allow_unused=True)
            elif how == "loss":
                loss = sum((v.t * w).sum().double() for v, w in zip(roots, tensors, strict=True))
                loss.backward(retain_graph=retain)
            else:
                for v, w in zip(roots, tensors, strict=True):
                    v.t.backward(w, retain_graph=retain)
        except RuntimeError as error:
            if REFUSED.search(str(error)) and (self.used_up or "second time" not in str(error) or len(roots) > 1):
                self.refusals[f"backward: {str(error)[:60]}"] += 1
                self.tainted = True
                self.used_up = True
                if self.mirror is not None:
                    self.mirror.only_ours(str(error))
                return []
            raise Failure(f"backward: {type(error).__name__}: {error}") from error
        if self.mirror is not None and self.mirror.refusal:
            self.mirror.only_theirs()
            self.tainted = True
        self.used_up = self.used_up or not retain
        if gradients is not None:
            self.compare_gradients(gradients, expected, size)
            if theirs is not None:
                self.mirror.compare_gradients(gradients, theirs)
        else:
            self.expected += expected
            self.size += size
        self.hits["backward", how] += 1
        return []

    def do_second(self, step: Step) -> list[int]:
        compare_second(self, self.rows, step.ins[0], step.options["at"])
        self.hits["second derivatives"] += 1
        return []

    def compare_gradients(self, gradients: Any, expected: float, size: float) -> None:
        total, worst = 0.0, size
        for (var, u), g in zip(self.sources, gradients, strict=True):
            if g is None:
                continue
            if g.shape != var.z.shape or g.dtype != var.t.dtype:
                raise Failure(f"a gradient of {g.shape} {g.dtype} for {var.z.shape} {var.dtype}")
            each = array(g) * u
            total += float(np.add.reduce(each, axis=None))
            worst += float(np.add.reduce(abs(each), axis=None))
        # What cancels, as in x / x, leaves roundings at the scale of its parts, which the sum does not show.
        tolerance = (3e-4 if self.single else 1e-11) * (worst + 0.1)
        if not abs(total - expected) <= tolerance:
            raise Failure(
                f"the derivative by the gradients is {total!r}, by the oracle {expected!r} (+- {tolerance:.2g})"
            )

    def finish(self) -> None:
        """Compare the gradients that have come together, and that nothing was changed meanwhile."""
        if not self.tainted:
            gradients = [v.t.grad for v, _ in self.sources]
            self.compare_gradients(gradients, self.expected, self.size)
            if self.mirror is not None and not self.mirror.lost:
                self.mirror.compare_gradients(gradients, self.mirror.gradients(), last=True)
        for k, v in self.live.items():
            if not np.array_equal(array(v.t), v.z.real):
                raise Failure(f"v{k} has changed: it is\n{array(v.t)}\nand should be\n{v.z.real}")
