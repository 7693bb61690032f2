"""What a row of the op table may read when backward comes."""

from __future__ import annotations

import itertools
from math import nan

import numpy as np
import pytest
from ops_support import ROWS, derivatives, domain, smooth_points
from oracle import apply

from pygrad import Value
from pygrad._engine import ffi, find_op, lib

SAVES = {lib.PG_SAVES_NOTHING: "nothing", lib.PG_SAVES_INPUT: "input", lib.PG_SAVES_OUTPUT: "output"}


# ---- what a row may read when backward comes ------------------------------------------------------------------------


def run_backward_after(name, operands, change):
    """Compute, let `change(inputs, output)` interfere, and return the gradients and the operands as they now stand."""
    leaves = [Value(x) for x in operands]
    y = apply(name, *leaves)
    change(leaves, y)
    y.backward()
    return [leaf.grad for leaf in leaves], [leaf.data for leaf in leaves]


def inner_points(name):
    if ROWS[name].arity == 1:
        return [(x,) for x in domain(name, 0, 5)[1:-1]]
    return list(itertools.product(domain(name, 0, 5)[1:-1], domain(name, 1, 5)[1:-1]))


def shift_inputs(leaves, _):
    for leaf in leaves:
        leaf.data += 0.05


# Not only nan, which a comparison may let pass.
SPOILED = (nan, -7.0, 0.0, 1e300)


def spoil_inputs(number):
    def spoil(leaves, _):
        for leaf in leaves:
            leaf.data = number

    return spoil


def spoil_output(number):
    def spoil(_, y):
        y.data = number

    return spoil


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.saves == lib.PG_SAVES_NOTHING])
@pytest.mark.parametrize("number", SPOILED)
def test_row_that_saves_nothing_reads_neither_inputs_nor_output(name, number):
    for operands in inner_points(name):
        _, wanted = derivatives(name, *operands)
        assert run_backward_after(name, operands, spoil_inputs(number))[0] == wanted
        assert run_backward_after(name, operands, spoil_output(number))[0] == wanted


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.saves == lib.PG_SAVES_OUTPUT])
def test_row_that_saves_its_output_reads_that_and_not_its_inputs(name):
    def negate_output(_, y):
        y.data = -2.0 * y.data

    for operands in inner_points(name):
        _, wanted = derivatives(name, *operands)
        for number in SPOILED:
            assert run_backward_after(name, operands, spoil_inputs(number))[0] == wanted
        if apply(name, *map(Value, operands)).data != 0.0:
            assert run_backward_after(name, operands, negate_output)[0] != wanted


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.saves == lib.PG_SAVES_INPUT])
def test_row_that_saves_its_inputs_reads_them_as_they_stand_and_not_its_output(name):
    moved = False
    for operands in [*inner_points(name), *(p for p in smooth_points(name) if max(map(abs, p)) < 5)]:
        _, before = derivatives(name, *operands)
        for number in SPOILED:
            assert run_backward_after(name, operands, spoil_output(number))[0] == before
        gradients, now = run_backward_after(name, operands, shift_inputs)
        assert gradients == derivatives(name, *now)[1]
        moved |= gradients != before
    # Piecewise constant slopes do not move; everything else that reads its inputs does.
    assert moved or name in ("abs", "relu6", "hardtanh", "maximum", "minimum", "fmax", "fmin")


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("number", SPOILED)
def test_c_gradient_does_not_read_what_the_row_does_not_save(name, number):
    op, saves = find_op(name), SAVES[ROWS[name].saves]
    out, spoiled = ffi.new("double[2]"), ffi.new("double[2]")
    for operands in inner_points(name):
        a, b = (*operands, 0.0)[:2]
        y = lib.pg_op_value(op, a, b)
        lib.pg_op_gradient(op, 0.7, a, b, y, out)
        a, b = (a, b) if saves == "input" else (number, number)
        lib.pg_op_gradient(op, 0.7, a, b, y if saves == "output" else number, spoiled)
        assert list(out) == list(spoiled), operands


def test_rules_read_inputs_as_they_stand_as_micrograds_do():
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    y.backward()
    assert (y.data, x.grad) == (9.0, 10.0)

    x, z = Value(2.0), Value(4.0)
    y = x * z
    z.data = 10.0
    y.backward()
    assert (y.data, x.grad, z.grad) == (8.0, 10.0, 2.0)


def test_a_number_that_took_part_is_remembered_as_it_was():
    factor = np.array(3.0)
    x = Value(2.0)
    y = x * factor
    factor[...] = 100.0
    y.backward()
    assert (y.data, x.grad) == (6.0, 3.0)
