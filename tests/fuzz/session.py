"""Run a program step by step on the engine and on the oracle, and compare after every step.

The values of float results are compared, and then the oracle goes on with those that the engine has: so errors do not
add up, and a tolerance is a few roundings of one operation. The derivatives along one direction per leaf stay the
oracle's own; gradients are compared at the end, by their inner product with the directions.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import numpy as np

import pygrad
from pygrad import autograd

from .dual import H
from .layout import lay_out, layout_of
from .program import Failure, Invalid, Step, tuples
from .row import CATEGORY, IN_PLACE, OPERATORS, Row, promoted
from .table import ROWS

Array = np.ndarray
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
REFUSED = re.compile(r"in.?place|single memory location|second time|overlap")
LARGEST = 1e3  # of values and of derivatives
STORED = {"float32": np.complex128, "float64": np.complex128, "bool": np.bool_, "uint8": np.uint8,
          "int32": np.int32, "int64": np.int64}  # fmt: skip
_source = random.Random(0)
POOL = np.array([_source.random() for _ in range(8192)])


def numbers(at: int, shape: tuple[int, ...], low: float, high: float, dtype: str) -> Array:
    """Return random numbers of a dtype, the same ones for the same place in the pool."""
    n = 1
    for size in shape:
        n *= size
    x = POOL[at % 4096 : at % 4096 + n] if n <= 4096 else np.resize(POOL, n)
    x = low + (high - low) * x.reshape(shape)
    if CATEGORY[dtype] == 2:
        return np.asarray(x).astype(np.float32).astype(dtype)
    if dtype == "bool":
        return np.asarray(x > (low + high) / 2)
    return np.asarray(np.clip(np.floor(x + 0.5), np.ceil(low), np.floor(high))).astype(dtype)


def directions(at: int, shape: tuple[int, ...]) -> Array:
    return numbers(at + 4099, shape, -1.0, 1.0, "float64")


class Family:
    """Tensors that share memory and a history: a tensor and its views."""

    __slots__ = ("alive", "grad", "leaf", "members", "probed", "root", "unrecorded")

    def __init__(self, grad: bool, leaf: bool = False, alive: bool = True) -> None:
        self.grad, self.leaf, self.probed, self.members = grad, leaf, False, 1
        self.unrecorded = False  # there are views whose making was not recorded
        self.alive = alive  # the derivative that lies in its memory is its own, not that of what it was detached from
        self.root: Any = None


class Var:
    """One tensor: the engine's `t`, and the oracle's `z`, whose imaginary part is h times the derivative."""

    __slots__ = ("dtype", "family", "layout", "t", "z")

    def __init__(self, t: Any, z: Array, dtype: str, family: Family) -> None:
        self.t, self.z, self.dtype, self.family = t, z, dtype, family
        self.layout = layout_of(z)
        if family.root is None:
            family.root = self


def array(t: Any) -> Array:
    return t.numpy(force=True)


def name_of(t: Any) -> str:
    return NAMES[t.dtype]


NAMES = {getattr(pygrad, name): name for name in STORED}


class Session:
    """What a program has so far.

    Attributes
    ----------
    live : dict of int to Var
        The tensors that steps can name.
    steps : list of Step
        What has been run.
    hits : Counter
        Of (row, dtype, layout of the first operand), in place or not as the spelling says.
    """

    def __init__(self) -> None:
        self.live: dict[int, Var] = {}
        self.steps: list[Step] = []
        self.hits: Counter[Any] = Counter()
        self.refusals: Counter[str] = Counter()
        self.sources: list[tuple[Var, Array]] = []  # leaves and probes, and their directions
        self.expected = 0.0  # the derivative of everything that backward was called on
        self.size = 0.0
        self.tainted = False  # a backward was refused, so gradients are not complete
        self.single = False  # whether float32 occurs
        self.used_up = False  # a graph was walked without retain_graph
        self.mirror: Any = None

    # ---- steps ---------------------------------------------------------------------------------------------------

    def apply(self, step: Step, checked: bool = False) -> list[int]:
        """Run a step, compare, and return the numbers of what it made; `Invalid` leaves everything as it was."""
        special = getattr(self, "do_" + step.op, None) if step.op not in ROWS else None
        if special is not None:
            made = special(step)
        else:
            made = self.call(step, ROWS[step.op], checked)
        self.steps.append(step)
        return made

    def operations(self) -> int:
        return sum(step.op in ROWS for step in self.steps)

    def var(self, k: int) -> Var:
        try:
            return self.live[k]
        except KeyError:
            raise Invalid(f"there is no v{k}") from None

    def call(self, step: Step, row: Row, checked: bool) -> list[int]:
        operands = [self.var(i) if isinstance(i, int) else i[0] for i in step.ins]
        tensors = [x for x in operands if isinstance(x, Var)]
        options = tuples(step.options)
        if step.raises:
            return self.refuse(step, row, operands, options)
        arrays = [(x.z if row.view or x.family.alive else x.z.real) if isinstance(x, Var) else x for x in operands]
        try:
            row.check(arrays, options, checked)
        except ValueError:
            pass  # shapes that do not go together
        into = tensors[0] if is_in_place(step.how) else None
        dtypes = self.dtypes(row, operands, options, into)
        recorded = not step.no_grad
        if into is not None:
            self.check_target(into, tensors, recorded)
        if row.result in ("promoted", "chosen"):
            wide = self.common(operands)
            if CATEGORY[wide] < 2 and row.result == "promoted":
                arrays = [np.asarray(a).astype(wide) for a in arrays]
        try:
            with np.errstate(all="ignore"):
                wanted = row.oracle(*arrays, **options)
        except (ValueError, IndexError):
            wanted = None  # it is for the engine to refuse as well
        if wanted is None or (into is not None and np.shape(wanted) != into.z.shape):
            step.raises = True
            return self.refuse(step, row, operands, options)
        wanted = list(wanted) if isinstance(wanted, tuple) else [wanted]
        dtypes *= len(wanted) if len(dtypes) == 1 else 1
        for w in wanted:
            check_size(w)
        got = self.run(step, row, operands, options)
        if got is None:
            return []
        if len(got) != len(wanted):
            raise Failure(f"{len(got)} results instead of {len(wanted)}")
        self.hits[row.name, bool(into), tensors[0].dtype, tensors[0].layout] += 1
        self.hits[row.op, step.how or row.name] += 1
        if into is not None:
            self.write(row, into, tensors, wanted[0], got[0], arrays, recorded)
            return []
        if dtypes[0] == "python":
            if got != wanted or type(got[0]) is not type(wanted[0]):
                raise Failure(f"got {got[0]!r} instead of {wanted[0]!r}")
            return []
        made = []
        for k, w, t, dtype in zip(step.out, wanted, got, dtypes, strict=False):
            self.live[k] = self.new(row, tensors, w, t, dtype, arrays, recorded, mixed(tensors, dtype))
            made.append(k)
        return made

    def run(self, step: Step, row: Row, operands: list[Any], options: dict[str, Any]) -> list[Any] | None:
        """Call the engine; None if it refuses an in-place change."""
        tensors = [x.t if isinstance(x, Var) else x for x in operands]
        try:
            if step.no_grad:
                with pygrad.no_grad():
                    got = invoke(pygrad, row, step.how, tensors, options)
            else:
                got = invoke(pygrad, row, step.how, tensors, options)
        except RuntimeError as error:
            if REFUSED.search(str(error)):
                self.refusals[f"{step.op}: {str(error)[:60]}"] += 1
                return None
            raise Failure(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            raise Failure(f"{type(error).__name__}: {error}") from error
        return list(got) if isinstance(got, tuple | list) else [got]

    def common(self, operands: list[Any]) -> str:
        kinds = [
            (2 if x.z.ndim else 1, x.dtype) if isinstance(x, Var) else (0, NUMBER[type(x)])
            for x in operands
            if x is not None
        ]
        return promoted(kinds)

    def dtypes(self, row: Row, operands: list[Any], options: dict[str, Any], into: Var | None) -> list[str]:
        if into is not None:
            wide = self.common(operands) if row.result in ("promoted", "float") else into.dtype
            if CATEGORY[wide] > CATEGORY[into.dtype] or (row.result == "float" and CATEGORY[into.dtype] < 2):
                raise Invalid("no such cast")
            return [into.dtype]
        if row.result == "same":
            return [operands[0].dtype]
        if row.result in ("promoted", "float"):
            wide = self.common(operands)
            return [wide if row.result == "promoted" or CATEGORY[wide] == 2 else "float32"]
        if row.result == "chosen":
            return [self.common(operands[1:])]
        if row.result == "second":
            return [operands[1].dtype]
        if row.result == "truth":
            return ["uint8" if operands[0].dtype == "uint8" else "bool"]
        if row.result == "summed":
            return [operands[0].dtype if CATEGORY[operands[0].dtype] == 2 else "int64"]
        if row.result.startswith("python"):
            return ["python"]
        return [operands[0].dtype if name == "same" else name for name in row.result.split()]

    # ---- results -------------------------------------------------------------------------------------------------

    def new(
        self, row: Row, tensors: list[Var], w: Any, t: Any, dtype: str, arrays: list[Any], recorded: bool, rounded: bool
    ) -> Var:
        w = np.asarray(w)
        first = tensors[0]
        self.compare_kind(t, w.shape, dtype)
        floating = CATEGORY[dtype] == 2
        shared = row.view and (t is first.t or np.may_share_memory(w, first.z))
        a = array(t)
        if row.view:
            tensors = tensors[:1]
        if not shared and w.size and np.may_share_memory(a, array(first.t)):
            raise Failure("the result is a view of the operand, and should not be")
        if shared:
            if w.size and not np.may_share_memory(a, array(first.t)):
                raise Failure("the result should be a view of the operand")
            same = recorded or not floating or t is first.t
            family = first.family
            if not same:
                family.unrecorded = True
                family = Family(False, alive=False)
            family.members += 1
        else:
            grad = recorded and floating and row.differentiable and any(v.family.grad for v in tensors)
            family = Family(grad)
            z = np.empty(w.shape, STORED[dtype])
            z[...] = w
            if floating and not grad:
                z.imag = 0.0
            w = z
        self.compare(row, a, w, dtype, arrays, shared, rounded)
        if t.requires_grad != (family.grad and floating):
            raise Failure(f"requires_grad is {t.requires_grad}")
        if not shared and floating:
            w.real = a
        self.single = self.single or dtype == "float32"
        return Var(t, w, dtype, family)

    def compare_kind(self, t: Any, shape: tuple[int, ...], dtype: str) -> None:
        if not isinstance(t, pygrad.Tensor):
            raise Failure(f"the result is a {type(t).__name__}")
        if t.shape != shape:
            raise Failure(f"shape {t.shape} instead of {shape}")
        if name_of(t) != dtype:
            raise Failure(f"dtype {name_of(t)} instead of {dtype}")

    def compare(
        self, row: Row, got: Array, wanted: Array, dtype: str, arrays: list[Any], shared: bool, rounded: bool
    ) -> None:
        if CATEGORY[dtype] < 2 or shared or (row.exact and not rounded):
            if not np.array_equal(got, wanted.real):
                raise Failure(f"got\n{got}\ninstead of\n{wanted.real}")
            return
        w = wanted.real
        off = abs(got - w)
        if not off.size:
            return
        worst = float(np.maximum.reduce(off, axis=None))
        # Equality is the common case, and needs no scale.
        if worst == 0.0:
            return
        if row.scale is not None:
            scale: Any = row.scale(*arrays)
        else:
            terms = row.terms(*arrays) if row.terms is not None else 1.0
            scale = terms * max(
                [
                    float(np.maximum.reduce(abs(x.real), axis=None))
                    for x in arrays
                    if isinstance(x, np.ndarray) and x.size
                ]
                or [1.0]
            )
        tolerance = row.roundings * UNIT[dtype] * (abs(w) + scale + 1e-30)
        if not (off <= tolerance).all():
            raise Failure(f"off by {worst:.3g}, allowed is {np.max(tolerance):.3g}: got\n{got}\ninstead of\n{w}")

    # ---- in place ------------------------------------------------------------------------------------------------

    def check_target(self, into: Var, tensors: list[Var], recorded: bool) -> None:
        """Leave out what has to be refused (steps marked so are for that) and what the oracle cannot follow."""
        family = into.family
        if into.layout in ("expanded", "empty"):
            raise Invalid("no target")
        if not recorded:
            if family.probed:
                raise Invalid("its gradient is compared")
            return
        if family.grad and family.leaf:
            raise Invalid("a leaf")
        wants = any(v.family.grad for v in tensors)
        if CATEGORY[into.dtype] == 2 and wants and (not family.alive or family.probed or family.unrecorded):
            raise Invalid("no place for the derivative")

    def write(self, row: Row, into: Var, tensors: list[Var], w: Any, t: Any, arrays: list[Any], recorded: bool) -> None:
        w = np.asarray(w)
        if t is not into.t:
            raise Failure("an operation in place returned another tensor")
        dtype = into.dtype
        self.compare_kind(t, w.shape, dtype)
        a = array(t)
        floating = CATEGORY[dtype] == 2
        if not floating:
            w = w.astype(dtype)
        self.compare(row, a, w, dtype, arrays, False, mixed(tensors, dtype))
        if floating:
            into.z.real[...] = a
            if recorded and into.family.alive:
                into.family.grad = into.family.grad or any(v.family.grad for v in tensors if CATEGORY[v.dtype] == 2)
                into.z.imag[...] = (w.imag if row.differentiable else 0.0) if into.family.grad else 0.0
        else:
            into.z[...] = w
        if t.requires_grad != (into.family.grad and floating):
            raise Failure(f"requires_grad is {t.requires_grad} after a change in place")
        root = into.family.root
        if root is not into and not np.array_equal(array(root.t), root.z.real):
            raise Failure(f"a change in place wrote elsewhere: its base is\n{array(root.t)}\ninstead of\n{root.z.real}")

    # ---- errors --------------------------------------------------------------------------------------------------

    def refuse(self, step: Step, row: Row, operands: list[Any], options: dict[str, Any]) -> list[int]:
        tensors = [x for x in operands if isinstance(x, Var)]
        before = [v.t._version for v in tensors]
        args = [x.t if isinstance(x, Var) else x for x in operands]
        try:
            got = invoke(pygrad, row, step.how, args, options)
        except Exception:
            pass
        else:
            raise Failure(f"no error, but {got}")
        if [v.t._version for v in tensors] != before:
            raise Failure("a call that was refused changed the version of an operand")
        for v in tensors:
            if not np.array_equal(array(v.t), v.z.real):
                raise Failure("a call that was refused changed an operand")
        self.hits[row.name, "refused"] += 1
        return []

    # ---- leaves, gradients, lifetimes ----------------------------------------------------------------------------

    def do_leaf(self, step: Step) -> list[int]:
        o = step.options
        dtype = o["dtype"]
        base = numbers(o["at"], tuples(o["shape"]), o["low"], o["high"], dtype)
        t = lay_out(pygrad.tensor(base), o["layout"], o.get("axis", 0))
        base = base.astype(STORED[dtype])
        grad = o.get("grad", False)
        if grad:
            t.requires_grad_()
            base.imag = H * directions(o["at"], base.shape)
        z = lay_out(base, o["layout"], o.get("axis", 0))
        var = Var(t, z, dtype, Family(grad, leaf=True))
        self.single = self.single or dtype == "float32"
        if grad:
            self.sources.append((var, z.imag / H))
        if not np.array_equal(array(t), z.real):
            raise Failure("a new tensor has other values than it was given")
        self.live[step.out[0]] = var
        return step.out

    def do_probe(self, step: Step) -> list[int]:
        """Compare the gradient of an intermediate too, as if it were a leaf added to it."""
        var = self.var(step.ins[0])
        family = var.family
        if not family.grad or family.leaf or family.probed or family.members > 1:
            raise Invalid("no fresh intermediate")
        var.t.retain_grad()
        family.probed = True
        u = directions(step.options["at"], var.z.shape)
        var.z.imag += H * u
        self.sources.append((var, u))
        return []

    def do_detach(self, step: Step) -> list[int]:
        var = self.var(step.ins[0])
        if CATEGORY[var.dtype] < 2:
            raise Invalid("no float")
        t = var.t.detach()
        if t.requires_grad or (var.z.size and not np.may_share_memory(array(t), array(var.t))):
            raise Failure("detach gave no view, or one with a gradient")
        self.live[step.out[0]] = Var(t, var.z, var.dtype, Family(False, alive=False))
        return step.out

    def do_del(self, step: Step) -> list[int]:
        self.var(step.ins[0])
        del self.live[step.ins[0]]
        return []

    def do_backward(self, step: Step) -> list[int]:
        roots = [self.var(i) for i in step.ins]
        if not all(v.family.grad and CATEGORY[v.dtype] == 2 for v in roots):
            raise Invalid("no gradient")
        o = step.options
        weights = [numbers(o["at"] + 17 * i, v.z.shape, -1.0, 1.0, v.dtype) for i, v in enumerate(roots)]
        terms = [np.sum(w * v.z.imag) / H for w, v in zip(weights, roots, strict=True)]
        expected = float(sum(terms))
        size = float(sum(np.sum(abs(w * v.z.imag)) / H for w, v in zip(weights, roots, strict=True)))
        retain, how = o.get("retain", False), o["kind"]
        tensors = [pygrad.tensor(w) for w in weights]
        inputs = [v.t for v, _ in self.sources]
        gradients = None
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
                return []
            raise Failure(f"backward: {type(error).__name__}: {error}") from error
        self.used_up = self.used_up or not retain
        if gradients is not None:
            self.compare_gradients(gradients, expected, size)
        else:
            self.expected += expected
            self.size += size
        self.hits["backward", how] += 1
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
        tolerance = (3e-4 if self.single else 1e-11) * (worst + 1e-3)
        if not abs(total - expected) <= tolerance:
            raise Failure(
                f"the derivative by the gradients is {total!r}, by the oracle {expected!r} (+- {tolerance:.2g})"
            )

    def finish(self) -> None:
        """Compare the gradients that have come together, and that nothing was changed meanwhile."""
        if not self.tainted:
            self.compare_gradients([v.t.grad for v, _ in self.sources], self.expected, self.size)
        for k, v in self.live.items():
            if not np.array_equal(array(v.t), v.z.real):
                raise Failure(f"v{k} has changed: it is\n{array(v.t)}\nand should be\n{v.z.real}")


NUMBER = {bool: "bool", int: "int64", float: "float32"}


def mixed(tensors: list[Var], dtype: str) -> bool:
    """Whether float operands of another dtype are rounded."""
    return any(v.dtype != dtype and CATEGORY[v.dtype] == 2 for v in tensors) or (
        dtype == "float32" and any(CATEGORY[v.dtype] == 1 for v in tensors)
    )


def check_size(w: Any) -> None:
    w = np.asarray(w)
    if w.dtype.kind not in "fc" or not w.size:
        return
    top = max(np.maximum.reduce(w.real, axis=None), -np.minimum.reduce(w.real, axis=None))
    if not top <= LARGEST:
        raise Invalid("too large")
    if w.dtype.kind == "c":
        top = max(np.maximum.reduce(w.imag, axis=None), -np.minimum.reduce(w.imag, axis=None))
        if not top <= LARGEST * H:
            raise Invalid("too steep")


def is_in_place(how: str) -> bool:
    return how in IN_PLACE or how == "[]=" or how.endswith("_")


def invoke(module: Any, row: Row, how: str, tensors: list[Any], options: dict[str, Any]) -> Any:
    if row.call is not None and (not how or how == "[]="):
        return row.call(module, *tensors, **options)
    if row.call is not None:  # in place, with the dimension before the index
        dim = (options.pop("dim"),) if "dim" in options else ()
        return getattr(tensors[0], how)(*dim, *tensors[1:], **options)
    how = how or row.op
    if how in OPERATORS:
        return OPERATORS[how](*tensors, **options)
    if how in IN_PLACE:
        return IN_PLACE[how](*tensors, **options)
    if how.startswith("."):
        return getattr(tensors[0], how[1:])(*tensors[1:], **options)
    return getattr(module, how)(*tensors, **options)
