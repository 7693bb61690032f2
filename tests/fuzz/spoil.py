"""Turn a call that is right into one that has to be refused: sizes that do not go together, dimensions, places."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .program import Invalid, Step
from .row import CATEGORY, Domain, Row

DIMENSIONS = ("dim", "dim0", "dim1", "axis0", "axis1", "source", "destination", "start_dim")
PAIRS = ("+", "-", "*", "/", "**", "//", "%", "==", "<", "&", "|", "^")
PRODUCTS = ("matmul", "mm", "bmm", "mv", "dot", "linear", "addmm", "baddbmm")
INDEXED = ("gather", "index_select", "scatter", "scatter_add", "index_add", "embedding", "take_along_dim")


def wrong_dimension(make: Any, row: Row, step: Step) -> bool:
    """Name a dimension that there is not."""
    names = [k for k in DIMENSIONS if isinstance(step.options.get(k), int)]
    if not names:
        return False
    step.options[make.choice(names)] = make.choice([7, -8, 2**40])
    return True


def wrong_size(make: Any, row: Row, step: Step) -> bool:
    """Put beside the first operand one that does not broadcast, or does not continue it."""
    if len(step.ins) < 2 or not all(isinstance(k, int) for k in step.ins[:2]):
        return False
    first, second = (make.session.live[k] for k in step.ins[:2])
    if any(w in PAIRS for w in row.ways) or row.op in ("maximum", "hypot", "atan2", "mse_loss"):
        n = first.z.shape[-1] if first.z.ndim else 0
        if n < 2:
            return False
        shape: tuple[int, ...] = (n + 1,)
    elif row.op in PRODUCTS and second.z.ndim:
        shape = tuple(n + 1 for n in second.z.shape)
    elif row.op == "stack" or (row.op == "cat" and first.z.ndim > 1):
        shape = (*first.z.shape, 2)
    else:
        return False
    step.ins[1] = make.leaf(second.dtype, shape, row.domain(1))
    return True


def wrong_shape(make: Any, row: Row, step: Step) -> bool:
    """Ask for a shape, a part or a repetition that is impossible."""
    o, z = step.options, make.session.live[step.ins[0]].z
    if row.op in ("reshape", "view"):
        o["shape"] = make.choice([[z.size + 1], [-1, -1], [z.size, -2], [2**40, 2**40]])
    elif row.op in ("expand", "broadcast_to"):
        o["size"] = make.choice([[n + 1 if n != 1 else -2 for n in z.shape], list(z.shape[1:])]) if z.ndim else [-3]
    elif row.op == "permute":
        o["dims"] = [0] * (z.ndim + 1)
    elif row.op == "narrow":
        o["length"] = z.shape[o["dim"]] + 1
    elif row.op == "select":
        o["index"] = make.choice([z.shape[o["dim"]], -z.shape[o["dim"]] - 1])
    elif row.op == "split" and isinstance(o["split_size"], list):
        o["split_size"] = [*o["split_size"], 1]
    elif row.op == "topk" and z.ndim:
        o["k"] = z.shape[o["dim"]] + 1
    elif row.op == "unflatten":
        o["sizes"] = [z.shape[o["dim"]] + 1, 1]
    else:
        return False
    return True


def wrong_place(make: Any, row: Row, step: Step) -> bool:
    """Read or write beyond the end."""
    if row.name not in INDEXED:
        return False
    at = 0 if row.op == "embedding" else 1
    index = make.session.live[step.ins[at]]
    if index.z.size == 0:
        return False
    step.ins[at] = make.leaf("int64", index.z.shape, Domain(5000, 5999))
    return True


def wrong_dtype(make: Any, row: Row, step: Step) -> bool:
    """Take a float for a place, or for bits."""
    if row.name in INDEXED:
        at = 0 if row.op == "embedding" else 1
        shape = make.session.live[step.ins[at]].z.shape
    elif row.op in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"):
        at, shape = 0, make.session.live[step.ins[0]].z.shape
    else:
        return False
    step.ins[at] = make.leaf("float32", shape, Domain(0, 1), grad=False)
    return True


def wrong_target(make: Any, row: Row, step: Step) -> bool:
    """Change in place a leaf that wants a gradient, a tensor that is expanded, or integers by floats."""
    if row.view or not row.in_place or not step.how.strip("[]=") or CATEGORY[make.session.live[step.ins[0]].dtype] < 2:
        return False
    first = make.session.live[step.ins[0]]
    if first.z.size == 0 or first.z.ndim == 0:
        return False
    shape, kind = first.z.shape, make.below(2)
    try:
        if kind == 0:
            step.ins[0] = make.leaf(first.dtype, shape, row.domain(0), grad=True)
        elif shape[0] == 3:
            step.ins[0] = make.leaf(first.dtype, shape, row.domain(0), "expanded", grad=False)
            made = make.session.live[step.ins[0]]
            if made.z.shape != shape:
                return False
        else:
            return False
    except Invalid:
        return False
    step.how = make.choice(row.in_place)
    return True


WRONG = (wrong_dimension, wrong_size, wrong_shape, wrong_place, wrong_dtype, wrong_target)


def spoil(make: Any, row: Row, step: Step) -> Step | None:
    """Return a step that has to be refused, made from one that is right; None where none of the ways applies."""
    operands = [make.session.live[k].z for k in step.ins if isinstance(k, int)]
    if not isinstance(step.ins[0], int) or not all(z.size for z in operands):
        return None  # of nothing, nothing is read
    spoilt = deepcopy(step)
    spoilt.raises, spoilt.no_grad = True, False
    start = make.below(len(WRONG))
    for wrong in WRONG[start:] + WRONG[:start]:
        if wrong(make, row, spoilt):
            return spoilt
    return None
