"""docs/ops.md, made from the module, from the engine's op table and from the tests' table: run this file to write it.

Which dtypes an op takes and whether it has a gradient is tried out, on the first case of each of its rows in the tests'
table.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections import defaultdict
from pathlib import Path

import numpy as np
from tensor_table import ALIASES, TABLE
from test_tensor_ops import sampled

import pygrad as pg
from pygrad._engine import ffi, op_table

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"
DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]
INTRODUCTION = """\
# Every op

All functions of tensors and all methods of `Tensor`. The page is made by `tests/ops_page.py`; the tests compare it with
the module, with the op table of the engine and with the table of the tests: all have the same ops.

```python
>>> import pygrad
>>> x = pygrad.tensor([1.0, 4.0])
>>> pygrad.sqrt(x), x.sqrt(), x.sqrt_() is x       # a function, a method, and in place
(tensor([1., 2.]), tensor([1., 2.]), True)

```

- Gradient: "yes" where first and second derivatives are there, both compared with central differences by the tests; "0"
  where the derivative is 0 everywhere; "no" where there is none, the result being places, truths or counts.
- Dtypes: what the numbers may be; indices and masks beside them are integers and bools. "float" is float32 and float64,
  which alone have gradients.
- `help(pygrad.name)` has shapes, options, errors and an example.
"""
FROM_C = {
    "ops.def": "Elementwise: rows of a table that has value, derivative and description; methods of `Value` too.",
    "Tensor": "Operators and attributes of `Tensor`.",
}

# How special methods are written.
OPERATORS = {
    "__abs__": "abs(a)",
    "__add__": "a + b",
    "__and__": "a & b",
    "__eq__": "a == b",
    "__floordiv__": "a // b",
    "__ge__": "a >= b",
    "__getitem__": "a[i]",
    "__gt__": "a > b",
    "__invert__": "~a",
    "__le__": "a <= b",
    "__lt__": "a < b",
    "__matmul__": "a @ b",
    "__mod__": "a % b",
    "__mul__": "a * b",
    "__ne__": "a != b",
    "__neg__": "-a",
    "__or__": "a | b",
    "__pow__": "a**b",
    "__setitem__": "a[i] = b",
    "__sub__": "a - b",
    "__truediv__": "a / b",
    "__xor__": "a ^ b",
}

# Ops that have neither a function nor a method, and no docstring therefore.
OPERATORS_ALONE = {
    "getitem": "Return the elements at integers, slices, lists, index tensors or masks; a view for the first two.",
}


def is_special(name: str) -> bool:
    return name.startswith("__")


def rows_by_op() -> dict[str, list]:
    """Return the rows that check each op: its own, or those that cover it."""
    found = defaultdict(list)
    for row in TABLE:
        for name in {row.op, *row.methods, *row.covers}:
            if not is_special(name):
                found[name].append(row)
    return dict(found)


ROWS = rows_by_op()
ENGINE = {ffi.string(row.name).decode(): ffi.string(row.doc).decode() for row in op_table()}
#: Other names of an op; a name that has a meaning of its own besides, such as swish, is no alias.
OTHER_NAMES = {alias: name for alias, name in ALIASES.items() if alias not in ENGINE}


# ---- what an op does with dtypes and gradients ----------------------------------------------------------------------


def varied(row) -> list[bool]:
    """Return which inputs take the dtype that is tried: not indices and masks beside them."""
    floats = [given.dtype == "float" for given in row.inputs]
    return floats if any(floats) else [True] * len(floats)


def apply(op: str, row, tensors: list, c):
    """Call the op: a row of the engine by itself, where its row in the tests' table is that of another function."""
    return getattr(pg, op)(*tensors) if op in ENGINE and op != row.op else row(*tensors, **c.options)


def takes(op: str, row, dtype: str) -> bool:
    c = row.cases[0]
    tensors = [
        pg.tensor(np.asarray(x if dtype.startswith("float") or not vary else np.ones_like(x), dtype if vary else None))
        for x, vary in zip(sampled(row, c), varied(row), strict=True)
    ]
    try:
        apply(op, row, tensors, c)
    except (RuntimeError, TypeError, ValueError):
        return False
    return True


def dtypes(op: str) -> str:
    taken = [name for name in DTYPES if any(takes(op, row, name) for row in ROWS[op])]
    words = {
        "bool uint8 int32 int64 float32 float64": "all",
        "uint8 int32 int64 float32 float64": "all but bool",
        "bool uint8 int32 int64": "bool, integers",
        "float32 float64": "float",
    }
    return words.get(" ".join(taken), ", ".join(taken))


def gradient_of(op: str, row) -> str:
    c = row.cases[0]
    pairs = zip(row.inputs, sampled(row, c), strict=True)
    tensors = [pg.tensor(np.asarray(x, "float64" if given.dtype == "float" else None)) for given, x in pairs]
    floats = [i for i, given in enumerate(row.inputs) if given.dtype == "float"]
    leaves = [tensors[i].requires_grad_() for i in [i for i in floats if row.inputs[i].differentiable] or floats]
    out = apply(op, row, tensors, c)
    if not out.requires_grad:
        return "no"
    seed = pg.ones_like(out).requires_grad_()
    found = [g for g in pg.autograd.grad(out, leaves, seed, create_graph=True, allow_unused=True) if g is not None]
    if any(g.requires_grad for g in found):
        pg.autograd.grad([g.sum() for g in found if g.requires_grad], seed)
        return "yes"
    assert not any(g.detach().numpy().any() for g in found), row.name
    return "0"


def gradient(op: str) -> str:
    kinds = {gradient_of(op, row) for row in ROWS[op]}
    return next(kind for kind in ("yes", "0", "no") if kind in kinds)


# ---- the page -------------------------------------------------------------------------------------------------------


def forms(op: str) -> str:
    own = [row for row in ROWS[op] if row.op == op]
    specials = {f"__{op}__", *(name for row in own for name in (*row.methods, *row.covers) if is_special(name))}
    found = ["function"] if hasattr(pg, op) else []
    if hasattr(pg.Tensor, op):
        found.append("method" if callable(getattr(pg.Tensor, op)) else "attribute")
    if hasattr(pg.Tensor, f"{op}_"):
        found.append("in place")
    specials |= {"__setitem__"} if op == "getitem" else set()
    found += [f"`{OPERATORS[name]}`" for name in sorted(specials) if name in OPERATORS]
    return ", ".join(found).replace("|", "\\|")


def home(op: str) -> str:
    """Return the table or the module that an op is written in."""
    function = getattr(pg, op, None) or getattr(pg.Tensor, op, None)
    return "ops.def" if op in ENGINE else getattr(function, "__module__", None) or "Tensor"


def what(op: str) -> str:
    if op in ENGINE or op in OPERATORS_ALONE:
        return ENGINE.get(op) or OPERATORS_ALONE[op]
    return inspect.getdoc(getattr(pg, op, None) or getattr(pg.Tensor, op)).splitlines()[0]


def line(op: str) -> str:
    others = ", ".join(f"`{alias}`" for alias, name in OTHER_NAMES.items() if name == op)
    name = f"`{op}`" + (f", also {others}" if others else "")
    text = what(op).replace("|", "\\|")
    return f"| {name} | {forms(op)} | {gradient(op)} | {dtypes(op)} | {text} |"


def section(group: str, ops: list[str]) -> str:
    summary = FROM_C.get(group) or importlib.import_module(group).__doc__.splitlines()[0]
    lines = "\n".join(line(op) for op in sorted(ops))
    return f"## {group}\n\n{summary}\n\n| op | as | gradient | dtypes | what it is |\n|---|---|---|---|---|\n{lines}\n"


def names(words: set[str]) -> str:
    return textwrap.fill(", ".join(f"`{word}`" for word in sorted(words)), 120) + "\n"


def is_public(name: str) -> bool:
    op = name[:-1] if name.endswith("_") and hasattr(pg.Tensor, name) else name
    return not name.startswith("_") and op not in OTHER_NAMES and op not in ROWS


def text() -> str:
    """Return the page."""
    groups: dict[str, list[str]] = {group: [] for group in FROM_C}
    for op in sorted(ROWS, key=home):
        groups.setdefault(home(op), []).append(op)
    known = {*dir(pg), *pg.__all__}  # what is imported when it is asked for is in the second
    functions = {name for name in known if is_public(name) and inspect.isroutine(getattr(pg, name))}
    others = {name for name in dir(pg.Tensor) if is_public(name)}
    methods = {name for name in others if callable(getattr(pg.Tensor, name))}
    return "\n".join(
        [
            INTRODUCTION,
            *(section(group, ops) for group, ops in groups.items()),
            "## Functions that are no ops\n\nMakers of tensors, settings, checks, and functions of values.\n",
            names(functions),
            "## Methods that are no ops\n\nConversions, differentiation, and filling in place.\n",
            names(methods),
            "## Attributes\n",
            names(others - methods),
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
