"""The same program on PyTorch, step by step: values, all gradients element by element, and what is refused."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import numpy as np
import torch

from .layout import lay_out
from .program import Failure, Step, tuples
from .row import Row


class Names:
    """Find a name where PyTorch keeps it: pygrad's functions all live in one module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.nn.functional if hasattr(torch.nn.functional, name) else torch, name)


NAMES = Names()


def alike(a: Any, b: Any) -> bool:
    return bool(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())


class Mirror:
    """PyTorch's tensors, by the numbers that steps give them.

    Attributes
    ----------
    known : Counter
        In what PyTorch and pygrad differ without a number being wrong: who refuses what.
    """

    def __init__(self) -> None:
        self.live: dict[int, Any] = {}
        self.sources: list[Any] = []
        self.probes: set[int] = set()  # where in the sources they are
        self.known: Counter[str] = Counter()
        self.rough: set[int] = set()  # what was computed from float32
        self.walked = False  # by autograd.grad, which in PyTorch fills the `grad` of probes too
        self.refusal = ""  # of the last backward
        self.lost = False  # something was refused on one side: gradients are no longer comparable

    def leaf(self, step: Step, base: np.ndarray) -> None:
        o = step.options
        # Its data: of a leaf that is a view PyTorch forgets the gradient once another view was changed in place.
        t = lay_out(torch.tensor(base), o["layout"], o.get("axis", 0)).data
        if o.get("grad"):
            t.requires_grad_()
            self.sources.append(t)
        self.live[step.out[0]] = t

    def invoke(self, step: Step, row: Row, invoke: Any, args: list[Any]) -> Any:
        """Call PyTorch, by the function where it lacks the method, and by a copy where that is in place."""
        how, options = step.how, tuples(step.options)
        if row.op in ("sort", "argsort"):
            options["stable"] = True
        if how.startswith(".") and not hasattr(args[0], how[1:]):
            got = invoke(NAMES, row, how.strip("._"), args, options)
            return args[0].copy_(got) if step.in_place else got
        if row.op == "batch_norm":  # its backward misreads weights with strides
            args = [args[0], *(t.contiguous() for t in args[1:])]
        return invoke(NAMES, row, how, args, options)

    def call(self, step: Step, row: Row, invoke: Any) -> Mirror | None:
        """Run a step; None if PyTorch refuses it, and cannot go on."""
        args = [self.live[i] if isinstance(i, int) else i[0] for i in step.ins]
        try:
            if step.in_place:
                if row.op.startswith("logical") and args[0].requires_grad:
                    return None  # it keeps the history of what it overwrites
                # It reads what it has written already.
                args[1:] = [t.clone() if isinstance(t, torch.Tensor) and alike(t, args[0]) else t for t in args[1:]]
            with torch.no_grad() if step.no_grad else contextlib.nullcontext():
                got = self.invoke(step, row, invoke, args)
        except Exception as error:
            self.known[f"PyTorch alone refuses {step.op}: {str(error)[:100]}"] += 1
            return None
        for k, t in zip(step.out, got if isinstance(got, tuple | list) else [got], strict=False):
            if row.view and step.no_grad and t is not args[0]:
                self.live[k] = t.detach()  # PyTorch lets such a view keep its base's flag
            elif row.view and t is args[0] and row.op != "contiguous":
                self.live[k] = t.view_as(t)  # pygrad makes another tensor
            else:  # its elementwise results keep the strides of their operands, pygrad's do not
                self.live[k] = t.contiguous() if not row.view and isinstance(t, torch.Tensor) else t
            rough = isinstance(t, torch.Tensor) and t.dtype == torch.float32
            if rough or self.rough & {i for i in step.ins if isinstance(i, int)}:
                self.rough |= {k, *(step.ins[:1] if step.in_place else ())}
        return self

    def compare(self, step: Step, k: int, values: np.ndarray, dtype: str) -> Mirror | None:
        """Compare a result; None if PyTorch does not let it be read."""
        t = self.live[k]
        try:
            theirs = t.detach().numpy()
        except RuntimeError as error:
            self.known[f"PyTorch alone refuses to read {step.op}: {str(error)[:80]}"] += 1
            return None
        if tuple(t.shape) != values.shape or str(t.dtype).rpartition(".")[2] != dtype:
            raise Failure(f"PyTorch has {t.dtype} {tuple(t.shape)} for {step}")
        close = 2e-3 if k in self.rough or dtype == "float32" else 1e-9
        if not np.allclose(theirs, values, rtol=close, atol=close, equal_nan=True):
            raise Failure(f"PyTorch has\n{theirs}\ninstead of\n{values}")
        return self

    def refused(self, step: Step, row: Row, invoke: Any) -> Mirror | None:
        """Tell whether PyTorch refuses too; None if it does not, and has changed something."""
        args = [self.live[i] if isinstance(i, int) else i[0] for i in step.ins]
        try:
            invoke(NAMES, row, step.how, args, tuples(step.options))
        except Exception:
            return self
        self.known[f"PyTorch does not refuse {step.op}"] += 1
        return None if step.in_place else self

    def probe(self, k: int) -> None:
        self.live[k].retain_grad()
        self.probes.add(len(self.sources))
        self.sources.append(self.live[k])

    def only_ours(self, message: str) -> None:
        if not self.refusal:
            self.known[f"PyTorch does not refuse backward: {message[:60]}"] += 1
        self.lost, self.refusal = True, ""

    def only_theirs(self) -> None:
        self.known[f"PyTorch alone refuses backward: {self.refusal[:60]}"] += 1
        self.lost, self.refusal = True, ""

    def backward(self, roots: list[int], weights: list[np.ndarray], how: str, retain: bool) -> Any:
        """Walk back; a refusal is kept for comparison with pygrad's."""
        self.refusal = ""
        try:
            return self.walk(roots, weights, how, retain)
        except RuntimeError as error:
            self.refusal = str(error)
            return None

    def walk(self, roots: list[int], weights: list[np.ndarray], how: str, retain: bool) -> Any:
        tensors = [torch.tensor(w) for w in weights]
        outputs = [self.live[k] for k in roots]
        if how == "grad":
            self.walked = True
            return torch.autograd.grad(outputs, self.sources, tensors, retain_graph=retain, allow_unused=True)
        if how == "loss":
            sum((t * w).sum().double() for t, w in zip(outputs, tensors, strict=True)).backward(retain_graph=retain)
        else:
            for t, w in zip(outputs, tensors, strict=True):
                t.backward(w, retain_graph=retain)
        return None

    def gradients(self) -> list[Any]:
        return [t.grad for t in self.sources]

    def compare_gradients(self, ours: Any, theirs: Any, last: bool = False) -> None:
        """Compare element by element; None stands for zeros, which differ by what the graph can reach."""
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if last and self.walked and i in self.probes:
                continue
            if a is None or b is None:
                left = b if a is None else a
                if left is not None and np.any(np.asarray(left.numpy())):
                    raise Failure(f"gradient {i} is None on one side and {left} on the other")
                continue
            a, b = a.numpy(), b.numpy()
            close = 1e-2 if self.rough or a.dtype == np.float32 else 1e-8
            if not np.allclose(a, b, rtol=close, atol=close * max(1.0, float(abs(b).max(initial=0.0)))):
                raise Failure(f"gradient {i} is\n{a}\nand PyTorch's\n{b}")
