"""What the tests of the op table share: its rows, and the points at which they are tried."""

from __future__ import annotations

import itertools
import math
from math import inf

import numpy as np
import oracle
from oracle import apply

from pygrad import Value
from pygrad._engine import ffi, op_table


def text(c_string):
    return ffi.string(c_string).decode()


ROWS = {text(row.name): row for row in op_table()}
UNARY = [name for name, row in ROWS.items() if row.arity == 1]
BINARY = [name for name, row in ROWS.items() if row.arity == 2]

# Both tails, both sides of every threshold, and close to 0.
BEYOND = [-700.0, -40.0, -25.0, -12.5, -6.5, -2.2, -0.9, -0.3, -1e-8, 1e-8, 0.3, 0.9, 2.2, 6.5, 12.5, 21.0, 40.0, 700.0]
BEYOND_PAIRS = [
    (-700.0, 0.3), (-40.0, 1.2), (-5.0, 0.9), (-0.3, -0.7), (0.4, -2.0), (2.5, 1.5), (30.0, -3.0),
    (700.0, 0.2),
    (1e-8, 2.0), (3.5, 3.25), (20.0, -20.0), (1e-3, 1e-3),
]  # fmt: skip


def domain(name, operand, count):
    low, high = ROWS[name].domain[operand]
    return np.linspace(low, high, count).tolist()


def points(name):
    """Return operands inside the row's domain and beyond it, where the oracle has a value."""
    if ROWS[name].arity == 1:
        inside = [(x,) for x in domain(name, 0, 9)]
        beyond = [(x,) for x in BEYOND]
    else:
        inside = list(itertools.product(domain(name, 0, 5), domain(name, 1, 5)))
        beyond = [*BEYOND_PAIRS, *((b, a) for a, b in BEYOND_PAIRS)]
    reach = oracle.REACH.get(name, inf)
    return [
        p
        for p in inside + beyond
        if max(map(abs, p)) <= reach and not math.isnan(float(oracle.exactly(oracle.VALUE[name], *p)))
    ]


def smooth_points(name):
    kink = oracle.KINKS_OF_TWO.get(name)
    return [p for p in points(name) if p[0] not in oracle.KINKS.get(name, ()) and not (kink and kink(*p))]


def derivatives(name, *operands, engine=Value):
    """Return the value of a row and the gradients of its operands, floats becoming leaves."""
    leaves = [engine(x) for x in operands]
    y = apply(name, *leaves)
    y.backward()
    return y.data, [leaf.grad for leaf in leaves]
