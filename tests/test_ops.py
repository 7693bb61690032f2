"""Every row of the op table: its value, its derivatives, its edges, and what it may read when backward comes.

The rows are taken from the engine, the wanted numbers from `oracle`, from formulas at the edges, and from the
pure-Python engine.
"""

from __future__ import annotations

import itertools
import math
import random
from math import inf, nan

import numpy as np
import oracle
import pytest
from oracle import EPS, apply, close, same

from pygrad import Value, reference
from pygrad._engine import ffi, find_op, lib, op_table


def text(c_string):
    return ffi.string(c_string).decode()


ROWS = {text(row.name): row for row in op_table()}
UNARY = [name for name, row in ROWS.items() if row.arity == 1]
BINARY = [name for name, row in ROWS.items() if row.arity == 2]
SAVES = {lib.PG_SAVES_NOTHING: "nothing", lib.PG_SAVES_INPUT: "input", lib.PG_SAVES_OUTPUT: "output"}

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


# ---- edges, by hand: where PyTorch and IEEE arithmetic say what a formula does not ----------------------------------

EDGES_OF_ONE = {
    "neg": [(0.0, -0.0, -1.0), (inf, -inf, -1.0), (nan, nan, -1.0)],
    "exp": [(1000.0, inf, inf), (-1000.0, 0.0, 0.0), (inf, inf, inf), (-inf, 0.0, 0.0), (0.0, 1.0, 1.0)],
    "expm1": [(1000.0, inf, inf), (-1000.0, -1.0, 0.0), (-0.0, -0.0, 1.0), (1e-20, 1e-20, 1.0)],
    "exp2": [(1024.0, inf, inf), (-1100.0, 0.0, 0.0), (3.0, 8.0, 8 * math.log(2)), (inf, inf, inf), (-inf, 0.0, 0.0)],
    "log": [(0.0, -inf, inf), (-0.0, -inf, -inf), (-1.0, nan, -1.0), (inf, inf, 0.0), (1.0, 0.0, 1.0)],
    "log2": [
        (0.0, -inf, inf), (-0.0, -inf, -inf), (-1.0, nan, -1 / math.log(2)), (inf, inf, 0.0),
        (8.0, 3.0, 0.125 / math.log(2)),
    ],
    "log10": [
        (0.0, -inf, inf), (-0.0, -inf, -inf), (-1.0, nan, -1 / math.log(10)), (inf, inf, 0.0),
        (1e3, 3.0, 1e-3 / math.log(10)),
    ],
    "log1p": [(-1.0, -inf, inf), (-2.0, nan, -1.0), (1e-20, 1e-20, 1.0), (inf, inf, 0.0)],
    "sqrt": [(0.0, 0.0, inf), (-1.0, nan, nan), (inf, inf, 0.0), (4.0, 2.0, 0.25)],
    "rsqrt": [(0.0, inf, -inf), (-1.0, nan, nan), (inf, 0.0, -0.0), (4.0, 0.5, -0.0625)],
    "square": [(0.0, 0.0, 0.0), (-3.0, 9.0, -6.0), (-inf, inf, -inf), (1e200, inf, 2e200)],
    "reciprocal": [(0.0, inf, -inf), (-0.0, -inf, -inf), (inf, 0.0, -0.0), (-2.0, -0.5, -0.25)],
    "abs": [(0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (nan, nan, 0.0), (-inf, inf, -1.0), (inf, inf, 1.0)],
    "sign": [(0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (-5e-324, -1.0, 0.0), (inf, 1.0, 0.0), (-inf, -1.0, 0.0)],
    "floor": [
        (-0.0, -0.0, 0.0), (-0.5, -1.0, 0.0), (2.5, 2.0, 0.0), (3.0, 3.0, 0.0), (inf, inf, 0.0), (1e300, 1e300, 0.0),
    ],
    "ceil": [
        (-0.0, -0.0, 0.0), (-0.5, -0.0, 0.0), (2.5, 3.0, 0.0), (3.0, 3.0, 0.0), (-inf, -inf, 0.0),
        (1e300, 1e300, 0.0),
    ],
    "round": [
        (-0.0, -0.0, 0.0), (-0.5, -0.0, 0.0), (0.5, 0.0, 0.0), (1.5, 2.0, 0.0), (2.5, 2.0, 0.0), (-2.5, -2.0, 0.0),
        (inf, inf, 0.0),
    ],
    "trunc": [
        (-0.0, -0.0, 0.0), (-0.5, -0.0, 0.0), (-2.5, -2.0, 0.0), (2.5, 2.0, 0.0), (-inf, -inf, 0.0),
        (2.0**52 + 1, 2.0**52 + 1, 0.0),
    ],
    "sin": [(0.0, 0.0, 1.0), (inf, nan, nan), (-inf, nan, nan)],
    "cos": [(0.0, 1.0, -0.0), (inf, nan, nan)],
    "tan": [(0.0, 0.0, 1.0), (-0.0, -0.0, 1.0), (inf, nan, nan), (-inf, nan, nan)],
    "asin": [(1.0, math.pi / 2, inf), (-1.0, -math.pi / 2, inf), (-0.0, -0.0, 1.0), (1.5, nan, nan), (-inf, nan, nan)],
    "acos": [(1.0, 0.0, -inf), (-1.0, math.pi, -inf), (0.0, math.pi / 2, -1.0), (1.5, nan, nan), (inf, nan, nan)],
    "atan": [
        (0.0, 0.0, 1.0), (-0.0, -0.0, 1.0), (inf, math.pi / 2, 0.0), (-inf, -math.pi / 2, 0.0),
        (1e200, math.pi / 2, 0.0),
    ],
    "sinh": [(1000.0, inf, inf), (-1000.0, -inf, inf), (-0.0, -0.0, 1.0), (inf, inf, inf), (-inf, -inf, inf)],
    "cosh": [(1000.0, inf, inf), (-1000.0, inf, -inf), (0.0, 1.0, 0.0), (inf, inf, inf), (-inf, inf, -inf)],
    "erf": [(inf, 1.0, 0.0), (-inf, -1.0, 0.0), (1000.0, 1.0, 0.0)],
    "erfc": [(inf, 0.0, -0.0), (-inf, 2.0, -0.0), (1000.0, 0.0, -0.0)],
    "tanh": [(1000.0, 1.0, 0.0), (-1000.0, -1.0, 0.0), (inf, 1.0, 0.0), (-inf, -1.0, 0.0), (0.0, 0.0, 1.0)],
    "sigmoid": [(1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0), (inf, 1.0, 0.0), (-inf, 0.0, 0.0), (0.0, 0.5, 0.25)],
    "relu": [
        (0.0, 0.0, 0.0), (-0.0, -0.0, 0.0), (nan, nan, 1.0), (-inf, 0.0, 0.0), (inf, inf, 1.0),
        (5e-324, 5e-324, 1.0),
    ],
    "relu6": [(0.0, 0.0, 0.0), (6.0, 6.0, 0.0), (inf, 6.0, 0.0), (-inf, 0.0, 0.0), (nan, nan, 1.0)],
    "hardtanh": [(-1.0, -1.0, 0.0), (1.0, 1.0, 0.0), (inf, 1.0, 0.0), (-inf, -1.0, 0.0), (nan, nan, 1.0)],
    "gelu": [(0.0, 0.0, 0.5), (1000.0, 1000.0, 1.0), (-1000.0, -0.0, 0.0)],
    "gelu_tanh": [(0.0, 0.0, 0.5), (1000.0, 1000.0, 1.0), (-1000.0, -0.0, 0.0)],
    "silu": [(0.0, 0.0, 0.5), (1000.0, 1000.0, 1.0), (-1000.0, -0.0, -0.0)],
    "softplus": [
        (20.5, 20.5, 1.0), (1000.0, 1000.0, 1.0), (-1000.0, 0.0, 0.0), (inf, inf, 1.0), (-inf, 0.0, 0.0),
    ],
    "logsigmoid": [(-1000.0, -1000.0, 1.0), (1000.0, 0.0, 0.0), (-inf, -inf, 1.0)],
    "selu": [
        (0.0, 0.0, 1.7580993408473769), (-1000.0, -1.7580993408473769, 0.0),
        (1e300, 1.0507009873554805e300, 1.0507009873554805),
    ],
    "mish": [(1000.0, 1000.0, 1.0), (-1000.0, -0.0, 0.0), (0.0, 0.0, 0.6)],
}  # fmt: skip

EDGES_OF_TWO = {
    "add": [(inf, -inf, nan, 1.0, 1.0), (1e308, 1e308, inf, 1.0, 1.0)],
    "sub": [(inf, inf, nan, 1.0, -1.0)],
    "mul": [(0.0, inf, nan, inf, 0.0), (1e200, 1e200, inf, 1e200, 1e200), (-0.0, 5.0, -0.0, 5.0, 0.0)],
    "div": [
        (1.0, 0.0, inf, inf, -inf), (-1.0, 0.0, -inf, inf, inf), (1.0, -0.0, -inf, -inf, -inf),
        (0.0, 0.0, nan, inf, nan),
        (3.0, inf, 0.0, 0.0, 0.0),
    ],
    "pow": [
        (0.0, 0.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 1.0, 0.0), (0.0, 2.0, 0.0, 0.0, 0.0),
        (0.0, 0.5, 0.0, inf, 0.0),
        (0.0, -1.0, inf, -inf, -inf), (-2.0, 2.0, 4.0, -4.0, nan), (-2.0, 3.0, -8.0, 12.0, nan),
        (-8.0, 1 / 3, nan, nan, nan),
        (nan, 0.0, 1.0, 0.0, nan), (2.0, 0.0, 1.0, 0.0, math.log(2.0)), (10.0, 400.0, inf, inf, inf),
        (-0.0, -1.0, -inf, -inf, inf), (1.0, 5.0, 1.0, 5.0, 0.0),
    ],
    "maximum": [
        (2.0, 2.0, 2.0, 0.5, 0.5), (nan, 1.0, nan, 1.0, 1.0), (1.0, nan, nan, 1.0, 1.0),
        (inf, -inf, inf, 1.0, 0.0),
        (inf, inf, inf, 0.5, 0.5), (0.0, -0.0, 0.0, 0.5, 0.5),
    ],
    "minimum": [
        (2.0, 2.0, 2.0, 0.5, 0.5), (nan, 1.0, nan, 1.0, 1.0), (1.0, nan, nan, 1.0, 1.0),
        (inf, -inf, -inf, 0.0, 1.0),
        (-inf, -inf, -inf, 0.5, 0.5),
    ],
    "fmax": [
        (2.0, 2.0, 2.0, 1.0, 0.0), (nan, 1.0, 1.0, 0.0, 1.0), (1.0, nan, 1.0, 1.0, 0.0), (nan, nan, nan, 1.0, 0.0),
        (inf, -inf, inf, 1.0, 0.0), (-0.0, 0.0, -0.0, 1.0, 0.0), (1.0, 2.0, 2.0, 0.0, 1.0),
    ],
    "fmin": [
        (2.0, 2.0, 2.0, 1.0, 0.0), (nan, 1.0, 1.0, 0.0, 1.0), (1.0, nan, 1.0, 1.0, 0.0), (nan, nan, nan, 1.0, 0.0),
        (inf, -inf, -inf, 0.0, 1.0), (0.0, -0.0, 0.0, 1.0, 0.0), (1.0, 2.0, 1.0, 1.0, 0.0),
    ],
    "floor_divide": [
        (7.0, 2.0, 3.0, 0.0, 0.0), (-7.0, 2.0, -4.0, 0.0, 0.0), (7.0, -2.0, -4.0, 0.0, 0.0), (6.0, 0.1, 59.0, 0.0, 0.0),
        (1.0, 0.0, inf, 0.0, 0.0), (-1.0, 0.0, -inf, 0.0, 0.0), (0.0, 0.0, nan, 0.0, 0.0), (inf, 2.0, nan, 0.0, 0.0),
        (-2.5, inf, -1.0, 0.0, 0.0), (-0.0, 2.0, -0.0, 0.0, 0.0), (1.0, inf, 0.0, 0.0, 0.0),
        (1e-300, -1e-300, -1.0, 0.0, 0.0),
    ],
    "remainder": [
        (7.0, 2.0, 1.0, 1.0, -3.0), (-7.0, 2.0, 1.0, 1.0, 4.0), (7.0, -2.0, -1.0, 1.0, 4.0),
        (-7.0, -2.0, -1.0, 1.0, -3.0),
        (1.0, 0.0, nan, 1.0, -inf), (1.0, -0.0, nan, 1.0, inf), (0.0, 0.0, nan, 1.0, nan), (inf, 2.0, nan, 1.0, nan),
        (-2.5, inf, inf, 1.0, 1.0), (2.5, inf, 2.5, 1.0, 0.0), (-0.0, 2.5, -0.0, 1.0, 0.0), (-1.0, 1.0, -0.0, 1.0, 1.0),
    ],
    "fmod": [
        (7.0, 2.0, 1.0, 1.0, -3.0), (-7.0, 2.0, -1.0, 1.0, 3.0), (7.0, -2.0, 1.0, 1.0, 3.0),
        (-7.0, -2.0, -1.0, 1.0, -3.0),
        (1.0, 0.0, nan, 1.0, -inf), (0.0, 0.0, nan, 1.0, nan), (inf, 2.0, nan, 1.0, -inf), (-2.5, inf, -2.5, 1.0, 0.0),
        (-2.0, 1.0, -0.0, 1.0, 2.0),
    ],
    "hypot": [
        (3.0, 4.0, 5.0, 0.6, 0.8), (-3.0, 4.0, 5.0, -0.6, 0.8), (0.0, 0.0, 0.0, nan, nan), (inf, 1.0, inf, nan, 0.0),
        (inf, nan, inf, nan, nan), (3e200, 4e200, 5e200, 0.6, 0.8), (3e-200, 4e-200, 5e-200, 0.6, 0.8),
        (0.0, -2.0, 2.0, 0.0, -1.0),
    ],
    "atan2": [
        (0.0, 0.0, 0.0, 0.0, 0.0), (0.0, -0.0, math.pi, 0.0, 0.0), (-0.0, -0.0, -math.pi, 0.0, 0.0),
        (0.0, -1.0, math.pi, -1.0, 0.0), (1.0, 0.0, math.pi / 2, 0.0, -1.0), (-1.0, -1.0, -0.75 * math.pi, -0.5, 0.5),
        (inf, 2.5, math.pi / 2, 0.0, nan), (2.5, inf, 0.0, nan, 0.0), (inf, inf, math.pi / 4, nan, nan),
        (1e-200, 1e-200, math.pi / 4, 5e199, -5e199), (1e200, 1e200, math.pi / 4, 5e-201, -5e-201),
    ],
    "logaddexp": [
        (0.0, 0.0, math.log(2.0), 0.5, 0.5), (1000.0, 1000.0, 1000.0 + math.log(2.0), 0.5, 0.5),
        (1000.0, 0.0, 1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0, 0.0, 1.0), (-inf, 2.5, 2.5, 0.0, 1.0),
        (inf, -inf, inf, 1.0, 0.0), (inf, inf, inf, nan, nan), (-inf, -inf, -inf, nan, nan),
    ],
    "leaky_relu": [
        (0.0, 0.25, 0.0, 0.25, 0.0), (-0.0, 0.25, -0.0, 0.25, 0.0), (-inf, 0.5, -inf, 0.5, -inf),
        (inf, 0.5, inf, 1.0, 0.0),
    ],
    "elu": [
        (0.0, 1.0, 0.0, 1.0, 0.0), (0.0, 2.0, 0.0, 2.0, 0.0), (-1000.0, 1.0, -1.0, 0.0, -1.0),
        (-inf, 2.0, -2.0, 0.0, -1.0),
    ],
    "swish": [
        (0.0, 1.0, 0.0, 0.5, 0.0), (-1000.0, 1.0, -0.0, 0.0, 0.0), (1000.0, 1.0, 1000.0, 1.0, 0.0),
        (5.0, 0.0, 2.5, 0.5, 6.25),
    ],
    "bce_with_logits": [
        (1000.0, 0.0, 1000.0, 1.0, -1000.0), (1000.0, 1.0, 0.0, 0.0, -1000.0),
        (-1000.0, 0.0, 0.0, 0.0, 1000.0),
        (-1000.0, 1.0, 1000.0, -1.0, 1000.0), (0.0, 1.0, math.log(2.0), -0.5, 0.0),
        (0.0, 0.0, math.log(2.0), 0.5, 0.0),
    ],
}  # fmt: skip


def edge(actual, wanted):
    """Compare at an edge: what comes out of an exact formula is exact, math.log and the like may be an ulp off."""
    # A gradient is added to 0.0, from which -0.0 does not come back.
    return same(actual, wanted) or close(actual, wanted, 2 * EPS * abs(wanted))


def test_every_row_has_its_edges_written_down():
    assert set(EDGES_OF_ONE) == set(UNARY)
    assert set(EDGES_OF_TWO) == set(BINARY)


@pytest.mark.parametrize(("name", "x", "value", "gradient"), [(n, *e) for n, es in EDGES_OF_ONE.items() for e in es])
def test_edge_of_one_operand(name, x, value, gradient):
    actual, (actual_gradient,) = derivatives(name, x)
    assert same(actual, value), actual
    assert edge(actual_gradient, gradient), actual_gradient


@pytest.mark.parametrize(
    ("name", "a", "b", "value", "da", "db"), [(n, *e) for n, es in EDGES_OF_TWO.items() for e in es]
)
def test_edge_of_two_operands(name, a, b, value, da, db):
    actual, (actual_da, actual_db) = derivatives(name, a, b)
    assert same(actual, value) or edge(actual, value), actual
    assert edge(actual_da, da) and edge(actual_db, db), (actual_da, actual_db)


@pytest.mark.parametrize("name", UNARY)
def test_nan_comes_out_where_nan_goes_in(name):
    value, _ = derivatives(name, nan)
    # A sign has no room for nan: PyTorch makes it 0.
    assert value == 0.0 if name == "sign" else math.isnan(value)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("operands", [(nan, 0.5), (-0.5, nan), (nan, nan)])
def test_nan_comes_out_where_nan_is_one_operand(name, operands):
    value, _ = derivatives(name, *operands)
    if name in ("fmax", "fmin"):  # whose purpose it is to look away from it
        assert math.isnan(value) == all(map(math.isnan, operands))
    else:
        assert math.isnan(value)


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -3.0, inf, nan])
def test_power_zero_is_one_and_flat_for_every_base(x):
    for exponent in (0, 0.0, Value(0.0)):
        base = Value(x)
        y = base**exponent
        y.backward()
        assert (y.data, base.grad) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("exponent", "value", "gradient"), [(1, 0.0, 1.0), (2, 0.0, 0.0), (0.5, 0.0, inf), (-1, inf, -inf), (3, 0.0, 0.0)]
)
def test_power_of_zero_by_a_number(exponent, value, gradient):
    x = Value(0.0)
    y = x**exponent
    y.backward()
    assert (y.data, x.grad) == (value, gradient)


@pytest.mark.parametrize(("exponent", "value", "gradient"), [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, inf, -inf)])
def test_zero_to_the_power_of_a_value(exponent, value, gradient):
    x = Value(exponent)
    y = 0**x
    y.backward()
    assert (y.data, x.grad) == (value, gradient)


def test_powers_of_negative_numbers_by_integers_are_exact():
    for base in (-3, -2, -1, 2, 5):
        for n in range(-4, 9):
            x = Value(base)
            y = x**n
            y.backward()
            assert y.data == float(base) ** n
            assert x.grad == (0.0 if n == 0 else n * float(base) ** (n - 1))


@pytest.mark.parametrize(
    "name", ["sigmoid", "tanh", "logsigmoid", "softplus", "silu", "gelu", "gelu_tanh", "mish", "selu"]
)
def test_no_finite_input_up_to_a_million_gives_an_infinity_or_a_nan(name):
    for x in (*np.linspace(-50, 50, 101), -1e3, 1e3, -1e6, 1e6, -746.0, 710.0):
        value, (gradient,) = derivatives(name, float(x))
        assert math.isfinite(value) and math.isfinite(gradient), x


def test_tails_keep_their_digits():
    # Where 1 - erf, log(1 + e^-x) and 1 / (1 + e^-x) lose them: asymptotic expansions, by hand.
    x = -30.0
    density = math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    mills = 1 - 1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8  # the next term is 945 / 30**10, under 2e-12
    assert Value(x).gelu().data == pytest.approx(-density * mills, rel=3e-12)
    assert Value(40.0).logsigmoid().data == pytest.approx(-math.exp(-40.0), rel=1e-15)
    assert Value(-40.0).softplus().data == pytest.approx(math.exp(-40.0), rel=1e-15)
    assert Value(-40.0).sigmoid().data == pytest.approx(math.exp(-40.0), rel=1e-15)


# ---- numbers of the curriculum --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "value", "gradient"),
    [(-2.0, 0.119203, 0.104994), (0.0, 0.5, 0.25), (0.75, 0.679179, 0.217895), (3.0, 0.952574, 0.045177)],
)
def test_sigmoid_has_the_numbers_of_the_table(x, value, gradient):
    actual, (slope,) = derivatives("sigmoid", x)
    assert (round(actual, 6), round(slope, 6)) == (value, gradient)


def slope_of(name, x):
    return derivatives(name, float(x))[1][0]


@pytest.mark.parametrize(
    ("name", "at", "lowest"),
    [("gelu", -0.75179, -0.16997), ("gelu_tanh", None, -0.17004), ("silu", -1.27846, -0.27846)],
)
def test_lowest_point_is_where_it_was_published(name, at, lowest):
    low, high = -2.0, -0.1
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope_of(name, middle) < 0 else (low, middle)
    assert round(derivatives(name, low)[0], 5) == lowest
    if at is not None:
        assert round(low, 5) == at


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("gelu", -0.12890, 1.12890),
        ("silu", -0.09984, 1.09984),
        ("sigmoid", None, 0.25),
        ("tanh", None, 1.0),
        ("relu", 0.0, 1.0),
        ("softplus", None, None),
    ],
)
def test_slopes_have_the_published_range(name, least, most):
    # A step of 0.001 misses an extremum by less than max|f'''| 0.0005^2 / 2, under 1e-6.
    slopes = [slope_of(name, x) for x in np.linspace(-9, 9, 18001)]
    if least is not None:
        assert round(min(slopes), 5) == least
    if most is not None:
        assert round(max(slopes), 5) == most
    if least is None:
        assert min(slopes) > 0.0
    if most is None:
        assert max(slopes) < 1.0


@pytest.mark.parametrize(("name", "edge_of_zone"), [("sigmoid", 2.063), ("tanh", 1.818)])
def test_slope_falls_under_a_tenth_where_the_table_says(name, edge_of_zone):
    for side in (1.0, -1.0):
        assert slope_of(name, side * (edge_of_zone - 0.001)) > 0.1 > slope_of(name, side * (edge_of_zone + 0.001))


def test_defaults_of_the_parametrised_activations():
    for x in (-2.0, -0.1, 0.0, 1.5):
        assert Value(x).leaky_relu().data == (x if x > 0 else 0.01 * x)
        assert Value(x).elu().data == (x if x > 0 else math.expm1(x))
        assert Value(x).swish().data == pytest.approx(x / (1 + math.exp(-x)), rel=1e-15)
        assert Value(x).swish().data == Value(x).silu().data


def test_gelu_is_the_exact_one_unless_tanh_is_asked_for():
    assert Value(1.0).gelu().data == pytest.approx(0.8413447460685429, rel=1e-15)  # Phi(1)
    assert Value(1.0).gelu("none").data == Value(1.0).gelu().data
    assert Value(1.0).gelu(approximate="tanh").data == Value(1.0).gelu_tanh().data != Value(1.0).gelu().data
    with pytest.raises(ValueError, match=r"approximate.*'erf'"):
        Value(1.0).gelu("erf")


@pytest.mark.parametrize(
    ("name", "x", "parameter"), [("leaky_relu", -2.0, 0.3), ("elu", -2.0, 1.2), ("swish", 0.7, 1.5)]
)
def test_parameter_that_is_a_value_learns(name, x, parameter):
    leaf = Value(parameter)
    getattr(Value(x), name)(leaf).backward()
    wanted = {"leaky_relu": x, "elu": math.expm1(x)}
    s = 1 / (1 + math.exp(-parameter * x))
    assert leaf.grad == pytest.approx(wanted.get(name, x * x * s * (1 - s)), rel=1e-14)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("junk", ["x", None, [1.0], 1j, b"1", object()])
def test_method_refuses_what_is_no_number_and_names_it(name, junk):
    with pytest.raises(TypeError) as caught:
        getattr(Value(1.0), name)(junk)
    assert type(junk).__name__ in str(caught.value)
    assert "Value" in str(caught.value)


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
