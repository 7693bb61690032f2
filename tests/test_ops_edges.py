"""Every row of the op table at its edges, and at the numbers of the curriculum; the wanted numbers are formulas."""

from __future__ import annotations

import math
from math import inf, nan

import numpy as np
import pytest
from ops_support import BINARY, UNARY, derivatives
from oracle import EPS, close, same

from pygrad import Value

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
