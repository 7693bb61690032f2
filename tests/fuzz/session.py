"""Run a program step by step on the engine and on the oracle, and compare after every step.

The values of float results are compared, and then the oracle goes on with those that the engine has: so errors do not
add up, and a tolerance is a few roundings of one operation. The derivatives along one direction per leaf stay the
oracle's own; gradients are compared at the end, by their inner product with the directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pygrad

from .layout import layout_of
from .program import Failure, Invalid, Step, tuples
from .row import CATEGORY, Row, promoted
from .special import REFUSED, Special
from .table import ROWS
from .tensors import NUMBER, STORED, UNIT, Array, Family, Var, array, check_size, invoke, mixed, name_of


class Session(Special):
    """A program that is run as it grows: `apply` runs one more step."""

    rows = ROWS

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
        into = tensors[0] if step.in_place else None
        dtypes = self.dtypes(row, operands, options, into)
        recorded = not step.no_grad
        if into is not None:
            self.check_target(into, tensors, recorded)
            if row.view and (step.no_grad or into.family.probed):
                raise Invalid("its gradient is compared")
            if row.view and sum(v.t is into.t for v in self.live.values()) > 1:
                raise Invalid("it has several names, of which each would get another shape")
        if row.result in ("promoted", "compared"):
            wide = self.common(operands)
            if CATEGORY[wide] < 2:
                arrays = [np.asarray(a).astype(wide) for a in arrays]
        try:
            with np.errstate(all="ignore"):
                wanted = row.oracle(*arrays, **options)
        except (ValueError, IndexError):
            wanted = None  # it is for the engine to refuse as well
        if wanted is None or (into is not None and not row.view and np.shape(wanted) != into.z.shape):
            step.raises = True
            return self.refuse(step, row, operands, options)
        wanted = list(wanted) if isinstance(wanted, tuple) else [wanted]
        dtypes *= len(wanted) if len(dtypes) == 1 else 1
        for w in wanted:
            check_size(w)
        version = tensors[0].t._version
        got = self.run(step, row, operands, options)
        if got is None:
            return []
        self.mirror = self.mirror and self.mirror.call(step, row, invoke)
        if tensors[0].t._version <= version if into else tensors[0].t._version != version:
            raise Failure(f"the version of the first operand goes from {version} to {tensors[0].t._version}")
        if len(got) != len(wanted):
            raise Failure(f"{len(got)} results instead of {len(wanted)}")
        self.hits[row.name, bool(into), tensors[0].dtype, tensors[0].layout] += 1
        self.hits[row.op, step.how or row.name] += 1
        if into is not None:
            self.write(row, into, tensors, wanted[0], got[0], arrays, recorded)
            self.mirror = self.mirror and self.mirror.compare(step, step.ins[0], array(into.t), into.dtype)
            return []
        if dtypes[0] == "python":
            if got != wanted or type(got[0]) is not type(wanted[0]):
                raise Failure(f"got {got[0]!r} instead of {wanted[0]!r}")
            return []
        made = []
        for k, w, t, dtype in zip(step.out, wanted, got, dtypes, strict=False):
            self.live[k] = self.new(row, tensors, w, t, dtype, arrays, recorded, mixed(tensors, dtype))
            self.made[k] = dtype
            made.append(k)
            self.mirror = self.mirror and self.mirror.compare(step, k, array(t), dtype)
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
            if row.result == "summed" and into.dtype == "bool":
                raise Invalid("no such cast")
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
        if row.result == "compared":
            return ["bool"]
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
            grad = recorded and floating and row.differentiable and any(v.grad for v in tensors)
            family = Family(grad)
            z = np.empty(w.shape, STORED[dtype])
            z[...] = w
            if floating and not grad:
                z.imag = 0.0
            w = z
        self.compare(row, a, w, dtype, arrays, shared, rounded)
        if t is first.t:
            return first
        if not shared and floating:
            w.real = a
        var = Var(t, w, dtype, family)
        self.single = self.single or (dtype == "float32" and var.grad)
        if t.requires_grad != (var.grad and floating):
            raise Failure(f"requires_grad is {t.requires_grad}")
        return var

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
        wants = any(v.grad for v in tensors)
        if CATEGORY[into.dtype] == 2 and wants and (not family.alive or family.probed or family.unrecorded):
            raise Invalid("no place for the derivative")

    def write(self, row: Row, into: Var, tensors: list[Var], w: Any, t: Any, arrays: list[Any], recorded: bool) -> None:
        w = np.asarray(w)
        if t is not into.t:
            raise Failure("an operation in place returned another tensor")
        dtype = into.dtype
        self.compare_kind(t, w.shape, dtype)
        a = array(t)
        if row.view:
            into.z, into.layout = w, layout_of(w)
            self.compare(row, a, w, dtype, arrays, True, False)
            return
        floating = CATEGORY[dtype] == 2
        if not floating:
            w = w.astype(dtype)
        self.compare(row, a, w, dtype, arrays, False, mixed(tensors, dtype))
        if floating:
            into.z.real[...] = a
            if recorded and into.family.alive:
                family = into.family
                if not family.grad and any(v.grad for v in tensors):
                    family.grad = family.late = True
                self.single = self.single or (dtype == "float32" and family.grad)
                into.z.imag[...] = (w.imag if row.differentiable else 0.0) if family.grad else 0.0
        else:
            into.z[...] = w
        if t.requires_grad != (into.grad and floating):
            raise Failure(f"requires_grad is {t.requires_grad} after a change in place")
        root = into.family.root
        if root.t._version != t._version:
            raise Failure("a change in place is not counted in the version of its base")
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
        self.mirror = self.mirror and self.mirror.refused(step, row, invoke)
        return []
