"""What the tests of `pygrad.Value` share: operands, graphs, and the two engines."""

from __future__ import annotations

import copy
import operator
import pickle
from fractions import Fraction

import numpy as np
import pytest

from pygrad import Value, reference

NUMBERS = [
    3, -2, 0, True, 2.5, -0.0, Fraction(1, 4), np.float64(1.5), np.float32(0.75), np.float16(0.5), np.int64(-3),
    np.int8(7), np.uint64(5), np.bool_(True), np.array(2.5), np.array(3), np.array(True), np.longdouble(1.25), 2**70,
]  # fmt: skip
ENGINES = pytest.mark.parametrize("V", [Value, reference.Value], ids=["C", "reference"])
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


def identity(x):
    return getattr(x, "__name__", None) or f"{type(x).__name__}:{x!r}"[:40]


def gradients(leaves, root):
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


def closure_op(x, function, slope):
    out = Value(function(x.data), (x,), "mine")

    def _backward():
        x.grad += slope(x.data) * out.grad

    out._backward = _backward
    return out


# ---- copy and pickle ------------------------------------------------------------------------------------------------


def twins(v):
    yield copy.copy(v)
    yield copy.deepcopy(v)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(v, protocol))
