"""Every row of the op table: its value, its derivatives, and that the pure-Python engine has the same.

The rows are taken from the engine, the wanted numbers from `oracle` and from the pure-Python engine.
"""

from __future__ import annotations

import itertools
import random
from math import inf, nan

import oracle
import pytest
from ops_support import BINARY, ROWS, UNARY, derivatives, points, smooth_points, text
from oracle import EPS, apply, close, same

from pygrad import Value, reference
from pygrad._engine import ffi, find_op, lib, op_table

# ---- the table ------------------------------------------------------------------------------------------------------


def test_every_row_has_an_oracle_and_every_oracle_a_row():
    assert set(oracle.VALUE) == set(ROWS)
    assert set(oracle.KINKS) | set(oracle.KINKS_OF_TWO) | set(oracle.REACH) | oracle.DIFFERENCE_OF_ONES <= set(ROWS)


def test_there_is_every_function_that_was_promised():
    promised = "neg exp log sqrt abs sin cos relu sigmoid tanh gelu gelu_tanh silu softplus selu mish hardtanh relu6"
    assert set(promised.split()) | {"logsigmoid"} <= set(UNARY)
    assert set("add sub mul div pow maximum minimum leaky_relu elu swish bce_with_logits".split()) <= set(BINARY)


@pytest.mark.parametrize("name", ROWS)
def test_row_is_found_by_its_name_and_is_a_documented_method(name):
    assert text(lib.pg_op_row(find_op(name)).name) == name
    method = getattr(Value, name)
    assert callable(method)
    assert method.__doc__
    low, high = ROWS[name].domain[0]
    assert low < high


def test_names_and_symbols_are_unique():
    symbols = [text(row.symbol) for row in ROWS.values()]
    assert len(set(symbols)) == len(symbols)
    assert len(ROWS) == len(op_table())


def test_unknown_row_is_a_value_error():
    with pytest.raises(ValueError, match="'nonsense'"):
        find_op("nonsense")


@pytest.mark.parametrize("name", ROWS)
def test_symbol_is_what_op_shows(name):
    operands = [Value(0.5), Value(0.25)][: ROWS[name].arity]
    assert apply(name, *operands)._op == text(ROWS[name].symbol)


@pytest.mark.parametrize("name", BINARY)
def test_method_of_two_operands_is_the_operator_of_that_name(name):
    for a, b in points(name):
        assert same(getattr(Value(a), name)(Value(b)).data, apply(name, Value(a), Value(b)).data)
        assert same(getattr(Value(a), name)(b).data, apply(name, Value(a), b).data)


# ---- values and derivatives against the oracle ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_value_is_right_to_eight_roundings(name):
    assert len(points(name)) >= 9
    for operands in points(name):
        wanted, room = oracle.value_and_room(name, *operands)
        actual = apply(name, *map(Value, operands)).data
        assert close(actual, wanted, room), (operands, actual, wanted)


@pytest.mark.parametrize("name", ROWS)
def test_derivative_is_right_to_eight_roundings(name):
    assert len(smooth_points(name)) >= 8
    for operands in smooth_points(name):
        _, gradients = derivatives(name, *operands)
        for i, actual in enumerate(gradients):
            wanted, room = oracle.slope_and_room(name, i, *operands)
            assert close(actual, wanted, room), (operands, i, actual, wanted)


@pytest.mark.parametrize("name", ROWS)
def test_derivative_is_the_central_difference_of_the_engines_own_values(name):
    # Truncation h^2 |f'''| / 6 with |f'''| < 700 on the domains (1/x at 0.2), rounding 2 eps |f| / h.
    h = 1e-5
    inside = [
        tuple(low + (high - low) * t for (low, high), t in zip(ROWS[name].domain, (t, u), strict=True))
        for t in (0.1, 0.37, 0.62, 0.9)
        for u in (0.15, 0.8)
    ]
    for operands in {p[: ROWS[name].arity] for p in inside}:
        _, gradients = derivatives(name, *operands)
        for i, actual in enumerate(gradients):
            low, high = list(operands), list(operands)
            low[i] -= h
            high[i] += h
            numeric = (apply(name, *map(Value, high)).data - apply(name, *map(Value, low)).data) / (2 * h)
            assert actual == pytest.approx(numeric, rel=1e-7, abs=1e-8), (operands, i)


@pytest.mark.parametrize("name", BINARY)
def test_number_on_either_side_gives_the_numbers_of_a_value_there(name):
    for a, b in points(name):
        both, (da, db) = derivatives(name, a, b)
        x = Value(a)
        y = apply(name, x, b)
        y.backward()
        assert same(y.data, both) and same(x.grad, da), (a, b)
        assert y._prev == {x}
        if name in ("add", "sub", "mul", "div", "pow"):
            x = Value(b)
            y = apply(name, a, x)
            y.backward()
            assert same(y.data, both) and same(x.grad, db), (a, b)
            assert y._prev == {x}


@pytest.mark.parametrize("name", BINARY)
def test_one_value_on_both_sides_gets_both_gradients(name):
    def twice(x):
        return oracle.VALUE[name](x, x)

    checked = 0
    for point in (0.35, 0.9, 1.7, 2.3, -0.7, -2.1):
        wanted = oracle.slope(twice, 0, point)
        if wanted.is_nan():
            continue
        x = Value(point)
        y = apply(name, x, x)
        assert y._prev == {x}
        y.backward()
        room = sum(oracle.slope_and_room(name, i, point, point)[1] for i in (0, 1))
        assert close(x.grad, float(wanted), room + 4 * EPS), (point, x.grad, wanted)
        checked += 1
    assert checked >= 4


@pytest.mark.parametrize("name", ROWS)
def test_gradient_is_added_to_what_is_there_and_scaled_by_what_comes_in(name):
    operands = points(name)[3]
    _, once = derivatives(name, *operands)
    leaves = [Value(x) for x in operands]
    for leaf in leaves:
        leaf.grad = 16.0
    (apply(name, *leaves) * 4.0).backward()
    for leaf, gradient in zip(leaves, once, strict=True):
        # A power of two scales exactly; the sum rounds once.
        assert leaf.grad == 16.0 + 4.0 * gradient


@pytest.mark.parametrize("name", ROWS)
def test_c_functions_of_a_row_are_what_value_computes(name):
    op = find_op(name)
    out = ffi.new("double[2]")
    for operands in points(name):
        value, gradients = derivatives(name, *operands)
        a, b = (*operands, 0.0)[:2]
        assert same(lib.pg_op_value(op, a, b), value)
        lib.pg_op_gradient(op, 1.0, a, b, value, out)
        assert all(same(0.0 + d, g) for d, g in zip(list(out), gradients, strict=False)), operands


# ---- the same as the pure-Python engine -----------------------------------------------------------------------------

SPECIAL = [
    0.0, -0.0, inf, -inf, nan, 5e-324, -5e-324, 1e-300, -1e-300, 1e-8, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0,
    -2.0, 3.0,
    -3.0, 6.0, 6.000001, 20.0, 20.000001, 36.5, -36.5, 88.0, -88.0, 709.0, 710.0, -745.0, -746.0, 1000.0,
    -1000.0, 1e10,
    -1e10, 1e155, -1e155, 1e300, -1e300,
]  # fmt: skip


def check_against_reference(name, operands):
    value, gradients = derivatives(name, *operands)
    wanted, wanted_gradients = derivatives(name, *operands, engine=reference.Value)
    # The two write the same formulas, in which a constant or the order of a product may round otherwise; in the tail
    # of erfc, which gelu uses, one rounding of x counts for x^2.
    tail = 1.0 + (min(abs(operands[0]), 39.0) ** 2 if name == "gelu" else 0.0)
    ones = 1.0 if name in oracle.DIFFERENCE_OF_ONES else 0.0
    room = 16 * EPS * tail * abs(wanted) + 2 * oracle.TINIEST
    assert close(value, wanted, room), (operands, value, wanted)
    for actual, gradient in zip(gradients, wanted_gradients, strict=True):
        room = 16 * EPS * (tail * abs(gradient) + ones) + 2 * oracle.TINIEST
        assert close(actual, gradient, room), (operands, actual, gradient)


def supported(name, x):
    # Libraries may differ in how they reduce a huge angle; nothing here depends on that.
    return not (name in ("sin", "cos", "tan") and 1e6 < abs(x) < inf)


@pytest.mark.parametrize("name", UNARY)
def test_row_of_one_operand_agrees_with_the_reference_everywhere(name):
    generator = random.Random(43)
    spread = [generator.gauss(0.0, 1.0) * 10.0 ** generator.uniform(-3, 3) for _ in range(300)]
    for x in SPECIAL + spread:
        if supported(name, x):
            check_against_reference(name, (x,))


@pytest.mark.parametrize("name", BINARY)
def test_row_of_two_operands_agrees_with_the_reference_everywhere(name):
    generator = random.Random(47)
    spread = [tuple(generator.gauss(0.0, 1.0) * 10.0 ** generator.uniform(-2, 2) for _ in range(2)) for _ in range(300)]
    for operands in [*itertools.product(SPECIAL, SPECIAL), *spread]:
        check_against_reference(name, operands)
