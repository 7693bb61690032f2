"""Make programs: choose an operation, a dtype and a layout, find or make operands that suit, run, go on.

The generator looks at the values which the session has, so that operands are inside domains and away from kinks. All
chance comes from one object with a method `random`: a seeded one, or hypothesis's, which shrinks.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from .layout import base_shape
from .program import Invalid, Step
from .row import CATEGORY, WIDE, Domain, Row
from .session import Session, Var
from .spoil import spoil
from .table import CELLS, ROWS, Cells

Shape = tuple[int, ...]


class Make:
    """What plans draw from: chance, and tensors.

    Parameters
    ----------
    rng : random.Random or alike
        The source of all chance.
    session : Session
        Where steps run as they are made.
    cells : Cells
        What there is to hit.
    hits : Counter
        How often each cell of the table was hit, in programs before this one too.
    """

    def __init__(self, rng: Any, session: Session, hits: Counter[Any], cells: Cells = CELLS) -> None:
        self.random, self.session, self.hits, self.cells = rng.random, session, hits, cells
        self.torch = session.mirror is not None
        self.count = 0
        sizes = [1, 2, 3, 3, 4, 5]
        self.sizes = [self.choice(sizes) for _ in range(3)]
        if self.chance(0.03):
            self.sizes[0] = self.choice([7, 9, 17, 33, 67])
        self.changes = self.chance(0.4)
        self.wide = self.torch or self.chance(0.5)  # float64 alone, so that gradients are compared to many digits
        self.twice = self.wide and self.chance(0.2)  # second derivatives, which probes would disturb
        self.errors = self.chance(0.15)

    # ---- chance ----------------------------------------------------------------------------------------------------

    def below(self, n: int) -> int:
        return int(self.random() * n)

    def choice(self, of: Any) -> Any:
        return of[int(self.random() * len(of))]

    def chance(self, p: float) -> bool:
        return self.random() >= 1.0 - p

    def shape(self, low: int = 0, high: int = 3) -> Shape:
        n = low + self.below(min(high, 3) - low + 1)
        return tuple(self.choice(self.sizes) for _ in range(n))

    # ---- tensors ---------------------------------------------------------------------------------------------------

    def run(self, step: Step) -> list[int]:
        self.last = step
        made = self.session.apply(step, checked=True)
        if step.out and not made and not step.raises and not step.in_place:
            raise Invalid("it was refused")
        return made

    def number(self) -> int:
        self.count += 1
        return self.count

    def leaf(
        self, dtype: str, shape: Shape, domain: Domain, layout: str = "contiguous", grad: bool | None = None
    ) -> int:
        """Make a leaf; `Invalid` if the shape can have no such layout."""
        axis = 0
        if layout == "expanded":
            if not shape:
                raise Invalid("nothing to expand")
            axis = self.below(len(shape))
            shape = (*shape[:axis], 3, *shape[axis + 1 :])
        options: dict[str, Any] = {"shape": base_shape(shape, layout, axis), "dtype": dtype, "at": self.below(4096)}
        # Unsigned integers go below 0, and so around, only where as large ones are accepted.
        low = max(domain.low, 0) if dtype == "uint8" and domain.bound != WIDE else domain.low
        options |= {"low": low, "high": domain.high, "layout": layout}
        if axis:
            options["axis"] = axis
        if CATEGORY[dtype] == 2 and (self.chance(0.7) if grad is None else grad):
            options["grad"] = True
        k = self.number()
        self.run(Step("leaf", [k], [], options))
        var = self.session.live[k]
        if not domain.has(var.z):
            del self.session.live[k]
            raise Invalid("the leaf is too near a kink")
        return k

    def find(self, dtype: str, domain: Domain, fits: Any, tries: int = 6) -> int | None:
        """Return a tensor of this dtype that fits, most likely a late one."""
        live = list(self.session.live.items())
        n = len(live)
        for _ in range(tries if n else 0):
            r = self.random()
            k, v = live[n - 1 - int(r * r * n)]
            if v.dtype == dtype and fits(v) and domain.has(v.z):
                return k
        return None

    def first(self, row: Row, dtype: str, layout: str, target: bool = False) -> int:
        """Return a first operand for the row, of this dtype and layout."""
        low, high = row.rank
        domain = row.domain(0)

        def fits(v: Var) -> bool:
            return (
                v.layout == layout
                and low <= v.z.ndim <= high
                and v.z.size <= 200
                and not (target and v.family.leaf and v.family.grad)
            )

        found = self.find(dtype, domain, fits, 12) if self.chance(0.8) else None
        if found is not None:
            return found
        grad = False if target else None
        if layout == "scalar":
            return self.leaf(dtype, (), domain, grad=grad)
        low = max(low, 2 if layout == "transposed" else 1)
        shape = self.shape(low, high)
        if layout == "empty":
            at = self.below(len(shape))
            return self.leaf(dtype, (*shape[:at], 0, *shape[at + 1 :]), domain, grad=grad)
        if layout != "contiguous" and CATEGORY[dtype] == 2 and self.chance(0.5):
            k = self.derived(dtype, domain, layout, low, high)
            if k is not None:
                return k
        if layout in ("transposed", "strided"):
            shape = tuple(max(n, 2) for n in shape)
        return self.leaf(dtype, shape, domain, layout, grad)

    def derived(self, dtype: str, domain: Domain, layout: str, low: int, high: int) -> int | None:
        """Make a view of this layout from a tensor that there is."""

        def fits(v: Var) -> bool:
            return low <= v.z.ndim <= high and v.z.size > 1 and v.layout in ("contiguous", "offset")

        k = self.find(dtype, domain, fits)
        if k is None:
            return None
        z = self.session.live[k].z
        axis = self.below(z.ndim)
        n = z.shape[axis]
        if layout == "transposed":
            step = Step("permute", [], [k], {"dims": list(range(z.ndim))[::-1]})
        elif layout == "offset":
            step = Step("narrow", [], [k], {"dim": 0, "start": 1, "length": z.shape[0] - 1})
        elif layout == "strided":
            step = Step(
                "getitem", [], [k], {"index": [["s", None, None, None]] * axis + [["s", self.below(2), None, 2]]}
            )
        else:
            if n != 1:
                return None
            step = Step("expand", [], [k], {"size": [*z.shape[:axis], 3, *z.shape[axis + 1 :]]})
        step.out = [self.number()]
        self.run(step)
        return step.out[0] if self.session.live[step.out[0]].layout == layout else None

    def operand(self, row: Row, i: int, dtype: str, shape: Shape, new: bool = False) -> int:
        """Return a tensor of exactly this shape for the row's operand i."""
        domain = row.domain(i)
        found = None if new else self.find(dtype, domain, lambda v: v.z.shape == shape)
        if found is not None:
            return found
        layouts = ["contiguous"] * 3
        if shape and 0 not in shape:
            layouts += ["strided", "offset"]
        if len(shape) > 1:
            layouts.append("transposed")
        return self.leaf(dtype, shape, domain, self.choice(layouts))

    def beside(self, row: Row, i: int, dtype: str, shape: Shape, grow: bool = True) -> int:
        """Return a tensor that broadcasts with this shape."""

        def fits(v: Var) -> bool:
            mine = v.z.shape
            if not grow and len(mine) > len(shape):
                return False
            return all(
                m == n or m == 1 or (grow and n == 1) for m, n in zip(reversed(mine), reversed(shape), strict=False)
            )

        found = self.find(dtype, row.domain(i), fits) if self.chance(0.85) else None
        if found is not None:
            return found
        dims = [1 if self.chance(0.2) else n for n in shape]
        if grow and len(dims) < 3 and self.chance(0.1):
            dims.insert(0, self.choice(self.sizes))
        if grow:
            dims = [self.choice(self.sizes) if n == 1 and self.chance(0.3) else n for n in dims]
        if self.chance(0.25):
            dims = dims[self.below(len(dims) + 1) :]
        return self.operand(row, i, dtype, tuple(dims), new=self.chance(0.5))

    def dtype_beside(self, row: Row, dtype: str) -> str:
        """Return the dtype of a further operand: mostly the first one's."""
        of = row.others or row.dtypes
        if dtype in of and (self.wide or self.chance(0.85)):
            return dtype
        return self.choice([d for d in of if not (self.wide and d == "float32")] or of)

    # ---- programs --------------------------------------------------------------------------------------------------

    def rarer(self, cells: Any) -> Any:
        """Return one of ten cells, the one that was hit less often."""
        return min([self.choice(cells) for _ in range(10)], key=self.hits.__getitem__)

    def start(self) -> tuple[Any, int] | None:
        """Return a cell of the table, and the first operand: what there is, most often, or what the cell wants."""
        if self.chance(0.55):
            live = list(self.session.live.items())
            if not live:
                return None
            r = self.random()
            k, v = live[len(live) - 1 - int(r * r * len(live))]
            if (CATEGORY[v.dtype] < 2 and self.chance(0.7)) or v.z.size > 200:
                return None
            for _ in range(4):
                cell = self.rarer(self.cells.of[v.dtype, v.layout])
                low, high = ROWS[cell[0]].rank
                if (self.changes or not cell[1]) and low <= v.z.ndim <= high and ROWS[cell[0]].domain(0).has(v.z):
                    return cell, k
            return None
        cells = self.cells.changes if self.changes and self.chance(0.4) else self.cells.all
        cell = self.rarer(self.cells.floats if cells is self.cells.all and self.chance(0.4) else cells)
        name, changes, dtype, layout = cell
        if (changes and not self.changes) or (self.wide and dtype == "float32"):
            return None
        return cell, self.first(ROWS[name], dtype, layout, changes)

    def step(self) -> bool:
        """Add an operation; False if it came to nothing."""
        try:
            started = self.start()
            if started is None:
                return False
            (name, changes, _, _), first = started
            row = ROWS[name]
            others, options = row.plan(self, row, self.session.live[first])
            step = Step(name, [], [first, *others], options, self.choice(row.in_place if changes else row.ways))
            if any(isinstance(k, list) for k in others) and not changes:
                step.how = self.choice(row.number_ways)
                if step.how in SWAPPED and self.chance(0.4):
                    step.ins = step.ins[::-1]
            step.no_grad = self.chance(0.04)
            step.out = [self.number() for _ in range(row.results(step, self.session))]
            if self.errors and self.chance(0.15):
                spoilt = spoil(self, row, step)
                if spoilt is not None:
                    self.run(spoilt)
            made = self.run(step)
        except Invalid:
            return False
        if made and not self.twice and self.chance(0.05):
            self.extra(Step("probe", [], [made[0]], {"at": self.below(4096)}))
        return True

    def extra(self, step: Step) -> None:
        try:
            self.run(step)
        except Invalid:
            pass

    def aside(self) -> None:
        """Do what is no operation: let go of a tensor, detach one, walk a part of the graph."""
        live = list(self.session.live)
        if not live:
            return
        r = self.random()
        if r > 0.6:
            self.extra(Step("del", [], [self.choice(live)]))
        elif r > 0.4:
            self.extra(Step("detach", [self.number()], [self.choice(live)]))
        else:
            self.backward(retain=r > 0.02, most=2)

    def backward(self, retain: bool, most: int = 4) -> None:
        roots = [k for k, v in self.session.live.items() if v.grad and not v.family.leaf]
        if not roots:
            return
        chosen = sorted(
            {roots[len(roots) - 1 - int(self.random() ** 2 * len(roots))] for _ in range(1 + self.below(most))}
        )
        options: dict[str, Any] = {"at": self.below(4096), "kind": self.choice(["each", "loss", "grad"])}
        if options["kind"] == "each" and len(chosen) > 1:
            chosen = chosen[:1]
        if retain:
            options["retain"] = True
        self.extra(Step("backward", [], chosen, options))

    def second(self) -> None:
        """Compare second derivatives of the first tensor that allows it."""
        roots = [k for k, v in self.session.live.items() if v.grad and not v.family.leaf and v.z.size]
        for _ in range(min(len(roots), 6)):
            try:
                self.run(Step("second", [], [self.choice(roots)], {"at": self.below(4096)}))
                return
            except Invalid:
                continue

    def program(self, length: int) -> None:
        done, tries = 0, 0
        while done < length and tries < 6 * length:
            tries += 1
            done += self.step()
            if self.chance(0.06):
                self.aside()
        if self.twice:
            self.second()
        self.backward(retain=self.chance(0.3))
        if self.chance(0.2):
            self.aside()


SWAPPED = ("+", "-", "*", "/", "**", "==", "<", "<=", ">", ">=", "!=", "//", "%")
