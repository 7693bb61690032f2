"""Operations in place, each with what it is beside: from the rows of `tensor_table`, and written out."""

from __future__ import annotations

import os
import zlib

import numpy as np
import pytest
from tensor_backend import TORCH, pg
from tensor_table import TABLE, Row
from tensor_table.rows import ANY, case, real

if TORCH:
    import torch

SAMPLE = int(os.environ.get("PYGRAD_TEST_SAMPLE", "1"))


def method(name):
    """The function that changes the tensor that is its first argument; None where there is none."""
    if TORCH:
        return getattr(torch.Tensor, name, None) or getattr(torch.nn.functional, name, None)
    return getattr(pg.Tensor, name, None)


# ---- what is done ---------------------------------------------------------------------------------------------------


def diagonal_filled(t, fill_value):
    places = np.indices(t.shape)
    on_it = pg.tensor((places == places[0]).all(0))
    return pg.where(on_it, fill_value if fill_value.__class__ is t.__class__ else pg.full_like(t, fill_value), t)


# What is overwritten has no influence any more; here it has the factor 0.
OVERWRITING = (
    Row("copy", (ANY, ANY), None, [case((3, 4), (3, 4)), case((3, 4), (4,)), case((), ()), case((4,), (3, 4))],
        call=lambda t, src: src + 0 * t),
    Row("fill", (ANY, ANY), None, [case((3, 4), ()), case((), ())], call=lambda t, value: value + 0 * t),
    Row("fill(number)", (ANY,), None, [case((3, 4), value=2.5), case((), value=1)],
        call=lambda t, value: value + 0 * t),
    Row("zero", (ANY,), None, [case((3, 4)), case(())], call=lambda t: 0 * t),
    Row("fill_diagonal", (ANY,), None,
        [case(s, fill_value=1.5) for s in [(3, 4), (3, 3), (2, 5), (5, 2), (3, 3, 3), (0, 2)]], call=diagonal_filled),
)  # fmt: skip

# Rows of the engine that the table has under the name of another function, and what PyTorch does not take.
OURS = (
    Row("fill_diagonal(tensor)", (ANY, ANY), None, [case((3, 3), ()), case((2, 4), ())], call=diagonal_filled),
    Row("bce_with_logits", (ANY, real(0, 1)), None, [case((3, 4), (3, 4)), case((3, 4), (4,))],
        call=lambda t, y: t.bce_with_logits(y)),
    Row("gelu_tanh", (ANY,), None, [case((3, 4))], call=lambda t: t.gelu_tanh()),
    Row("swish", (ANY,), None, [case((3, 4)), case((3, 4), beta=0.5)], call=lambda t, beta=1.0: pg.swish(t, beta)),
    Row("swish(tensor)", (ANY, ANY), None, [case((3, 4), (4,))], call=lambda t, beta: pg.swish(t, beta)),
)  # fmt: skip

CANDIDATES = (*OVERWRITING, *(() if TORCH else OURS), *(row for row in TABLE if row.call is None))
OTHER_GEOMETRY = {"squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"}
ROWS = [row for row in CANDIDATES if method(f"{row.op}_") is not None and row.op not in OTHER_GEOMETRY]


def sampled(row, c, dtype="float64"):
    """Arrays for the inputs: the same ones in each test."""
    rng = np.random.default_rng(zlib.crc32(f"{row.name} {c}".encode()))
    return [
        np.asarray(given.sample(rng, shape)).astype(dtype if given.dtype == "float" else given.dtype)
        for given, shape in zip(row.inputs, c.shapes, strict=True)
    ]


def beside(row, tensors, options):
    """The result in self's dtype, which is what the operation in place has to leave."""
    return row(*tensors, **options).to(tensors[0].dtype)


def in_place(row, tensors, options):
    return row.apply(method(f"{row.op}_"), *tensors, **options)


def cases(rows, fitting=True):
    """The cases in which the result has the shape of what it is to replace, or those in which it has not."""
    found = []
    for row in rows:
        chosen = []
        for c in row.cases:
            result = row(*map(pg.tensor, sampled(row, c)), **c.options)
            if (tuple(result.shape) == c.shapes[0]) == fitting:
                chosen.append(c)
        # A few of each: the shapes themselves are the business of what is done beside.
        found += [pytest.param(row, c, id=f"{row.name}-{c}"[:80]) for c in chosen[:6:SAMPLE]]
    return found


FITTING = cases(ROWS)
