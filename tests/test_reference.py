"""The pure-Python engine: values against formulas in numpy, gradients against differences of these formulas.

The oracles are formulas of another form than the engine's, so that one mistake cannot be in both.

Tolerances: a value passes through a handful of roundings, of 2**-53 each, on numbers up to about 20; 1e-13 is
room for a hundred. The five-point difference with h = 2e-4 has a rounding error near 1.5 * 2**-52 |f| / h, or
2e-12 |f|, and a truncation error of h**4 / 30 |f'''''|, at most 2e-10 where it is worst, for 1 / x**2 at 0.3.
"""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import re
import weakref
from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

from pygrad.reference import Value, _ieee, functional

VALUE_TOLERANCE = 1e-13
DIFFERENCE_TOLERANCE = 1e-9
NEAR = 5e-4  # how close to a kink the five points, of which the outer ones are 4e-4 away, may come
OPS_DEF = Path(__file__).resolve().parent.parent / "csrc" / "ops" / "ops.def"


def derivative(f: Callable[[float], float], x: float, h: float = 2e-4) -> float:
    """Return f'(x) by five points: (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h."""
    return float((f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h))


def same(actual: float, wanted: float) -> bool:
    """Tell whether two floats are the same, nan and the sign of zero included."""
    if math.isnan(wanted):
        return math.isnan(actual)
    return actual == wanted and math.copysign(1.0, actual) == math.copysign(1.0, wanted)


def erf(x: float) -> float:
    """Integrate the error function by Gauss and Legendre, exact to rounding for |x| < 3."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    return float(x / math.sqrt(math.pi) * (weights @ np.exp(-((0.5 * x * (nodes + 1)) ** 2))))


def gelu_tanh(x: float) -> float:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


# name -> (oracle, intervals on which the function is smooth)
UNARY: dict[str, tuple[Callable[[float], float], list[tuple[float, float]]]] = {
    "neg": (lambda x: 0.0 - x, [(-3, 3)]),
    "exp": (lambda x: np.exp2(x / np.log(2)), [(-3, 3)]),
    "expm1": (lambda x: np.exp(x) - 1, [(-3, 3)]),
    "exp2": (lambda x: np.exp(x * np.log(2)), [(-3, 3)]),
    "log": (np.log, [(0.2, 5)]),
    "log2": (np.log2, [(0.2, 5)]),
    "log10": (np.log10, [(0.2, 5)]),
    "log1p": (lambda x: np.log(1 + x), [(-0.8, 4)]),
    "sqrt": (lambda x: np.power(x, 0.5), [(0.2, 5)]),
    "rsqrt": (lambda x: np.power(x, -0.5), [(0.2, 5)]),
    "square": (lambda x: np.power(x, 2.0), [(0.2, 3)]),
    "reciprocal": (lambda x: np.power(x, -1.0), [(0.4, 3)]),
    "abs": (np.abs, [(-3, -NEAR), (NEAR, 3)]),
    "sign": (np.sign, [(-3, -NEAR), (NEAR, 3)]),
    "floor": (np.floor, [(-2 + NEAR, -1 - NEAR), (NEAR, 1 - NEAR)]),
    "ceil": (np.ceil, [(-2 + NEAR, -1 - NEAR), (NEAR, 1 - NEAR)]),
    "round": (np.rint, [(-2.5 + NEAR, -1.5 - NEAR), (1.5 + NEAR, 2.5 - NEAR)]),
    "trunc": (np.trunc, [(-2 + NEAR, -1 - NEAR), (NEAR - 1, 1 - NEAR)]),
    "sin": (np.sin, [(-3, 3)]),
    "cos": (np.cos, [(-3, 3)]),
    "tan": (lambda x: np.sin(x) / np.cos(x), [(-1.2, 1.2)]),
    "asin": (np.arcsin, [(-0.9, 0.9)]),
    "acos": (np.arccos, [(-0.9, 0.9)]),
    "atan": (np.arctan, [(-3, 3)]),
    "sinh": (np.sinh, [(-3, 3)]),
    "cosh": (np.cosh, [(-3, 3)]),
    "erf": (erf, [(-2, 2)]),
    "erfc": (lambda x: 1 - erf(x), [(-2, 2)]),
    "tanh": (lambda x: (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1), [(-3, 3)]),
    "sigmoid": (lambda x: 0.5 + 0.5 * np.tanh(0.5 * x), [(-4, 4)]),
    "relu": (lambda x: 0.5 * (x + abs(x)), [(-3, -NEAR), (NEAR, 3)]),
    "relu6": (lambda x: np.clip(x, 0, 6), [(-3, -NEAR), (NEAR, 6 - NEAR), (6 + NEAR, 9)]),
    "hardtanh": (lambda x: np.clip(x, -1, 1), [(-3, -1 - NEAR), (NEAR - 1, 1 - NEAR), (1 + NEAR, 3)]),
    "gelu": (lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))), [(-3, 3)]),
    "gelu_tanh": (gelu_tanh, [(-3, 3)]),
    "silu": (lambda x: x / (1 + np.exp(-x)), [(-4, 4)]),
    "softplus": (lambda x: np.logaddexp(0, x), [(-4, 4)]),
    "logsigmoid": (lambda x: -np.log(1 + np.exp(-x)), [(-4, 4), (-NEAR, NEAR)]),
    "selu": (
        lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (np.exp(x) - 1)),
        [(-3, -NEAR), (NEAR, 3)],
    ),
    "mish": (lambda x: x * np.tanh(np.log(1 + np.exp(x))), [(-4, 4)]),
}

# name -> (method or operator, oracle, pairs of intervals)
Interval = tuple[float, float]
BINARY: dict[
    str,
    tuple[
        Callable[..., Value],
        Callable[[float, float], float],
        list[tuple[Interval, Interval]],
    ],
] = {
    "add": (operator.add, np.add, [((-3, 3), (-3, 3))]),
    "sub": (operator.sub, np.subtract, [((-3, 3), (-3, 3))]),
    "mul": (operator.mul, np.multiply, [((-3, 3), (-3, 3))]),
    "div": (operator.truediv, lambda a, b: a * b**-1.0, [((-3, 3), (0.4, 3)), ((-3, 3), (-3, -0.4))]),
    "pow": (operator.pow, lambda a, b: np.exp(b * np.log(a)), [((0.3, 2.5), (-2, 2.5))]),
    "maximum": (Value.maximum, np.maximum, [((-3, -0.1), (0.1, 3)), ((0.1, 3), (-3, -0.1))]),
    "minimum": (Value.minimum, np.minimum, [((-3, -0.1), (0.1, 3)), ((0.1, 3), (-3, -0.1))]),
    "fmax": (Value.fmax, np.fmax, [((-3, -0.1), (0.1, 3)), ((0.1, 3), (-3, -0.1))]),
    "fmin": (Value.fmin, np.fmin, [((-3, -0.1), (0.1, 3)), ((0.1, 3), (-3, -0.1))]),
    "floor_divide": (Value.floor_divide, np.floor_divide, [((2.2, 2.8), (1, 1.05)), ((-2.8, -2.2), (1, 1.05))]),
    "remainder": (Value.remainder, np.remainder, [((2.2, 2.8), (1, 1.05)), ((-2.8, -2.2), (1, 1.05))]),
    "fmod": (Value.fmod, np.fmod, [((2.2, 2.8), (1, 1.05)), ((-2.8, -2.2), (1, 1.05))]),
    "hypot": (Value.hypot, np.hypot, [((-3, 3), (0.4, 3))]),
    "atan2": (Value.atan2, np.arctan2, [((-3, 3), (0.4, 3)), ((0.4, 3), (-3, 3))]),
    "logaddexp": (Value.logaddexp, np.logaddexp, [((-3, 3), (-3, 3))]),
    "leaky_relu": (
        Value.leaky_relu,
        lambda x, alpha: max(x, 0) + alpha * min(x, 0),
        [((-3, -NEAR), (0.01, 0.5)), ((NEAR, 3), (0.01, 0.5))],
    ),
    "elu": (
        Value.elu,
        lambda x, alpha: max(x, 0) + alpha * (np.exp(min(x, 0)) - 1),
        [((-3, -NEAR), (0.5, 1.5)), ((NEAR, 3), (0.5, 1.5))],
    ),
    "swish": (Value.swish, lambda x, beta: x / (1 + np.exp(-beta * x)), [((-3, 3), (0.5, 2))]),
    "bce_with_logits": (
        Value.bce_with_logits,
        lambda z, t: -t * np.log(1 / (1 + np.exp(-z))) - (1 - t) * np.log(1 / (1 + np.exp(z))),
        [((-4, 4), (0, 1)), ((-NEAR, NEAR), (0, 1))],
    ),
}


@pytest.mark.parametrize("name", UNARY)
def test_function_of_one_value_has_the_value_and_slope_of_its_formula(name: str) -> None:
    oracle, intervals = UNARY[name]
    for low, high in intervals:
        for point in np.linspace(low, high, 9):
            x = Value(point)
            y = getattr(x, name)()
            assert y.data == pytest.approx(oracle(point), rel=VALUE_TOLERANCE, abs=VALUE_TOLERANCE)
            y.backward()
            wanted = derivative(oracle, point)
            assert x.grad == pytest.approx(wanted, rel=DIFFERENCE_TOLERANCE, abs=DIFFERENCE_TOLERANCE)


@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_values_has_the_value_and_slopes_of_its_formula(name: str) -> None:
    function, oracle, domains = BINARY[name]
    tolerance = {"rel": DIFFERENCE_TOLERANCE, "abs": DIFFERENCE_TOLERANCE}
    for domain_a, domain_b in domains:
        for pa in np.linspace(*domain_a, 5):
            for pb in np.linspace(*domain_b, 5):
                a, b = Value(pa), Value(pb)
                y = function(a, b)
                assert y.data == pytest.approx(oracle(pa, pb), rel=VALUE_TOLERANCE, abs=VALUE_TOLERANCE)
                y.backward()
                assert a.grad == pytest.approx(derivative(lambda x, pb=pb: oracle(x, pb), pa), **tolerance)
                assert b.grad == pytest.approx(derivative(lambda x, pa=pa: oracle(pa, x), pb), **tolerance)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_every_op_adds_to_the_gradients_that_are_there(name: str) -> None:
    grads = []
    for start in (0.0, 8.0):
        a, b = Value(0.5), Value(0.25)
        a.grad = b.grad = start
        (getattr(a, name)() if name in UNARY else BINARY[name][0](a, b)).backward()
        grads.append((a.grad, b.grad))
    # One rounding of a number below 16.
    assert grads[1] == pytest.approx((8.0 + grads[0][0], 8.0 + grads[0][1]), abs=2e-15)


def ops_def() -> list[tuple[str, str, str]]:
    text = OPS_DEF.read_text(encoding="utf-8") if OPS_DEF.exists() else ""
    return re.findall(r'^(UNARY|BINARY)\((\w+), "([^"]+)"', text, flags=re.MULTILINE)


@pytest.mark.skipif(not OPS_DEF.exists(), reason="the C sources are not beside the tests")
def test_every_op_of_the_c_engine_is_here_under_its_name_and_symbol_with_an_oracle() -> None:
    rows = ops_def()
    assert {name for kind, name, _ in rows if kind == "UNARY"} == set(UNARY)
    assert {name for kind, name, _ in rows if kind == "BINARY"} == set(BINARY)
    for kind, name, symbol in rows:
        node = getattr(Value(0.5), name)() if kind == "UNARY" else BINARY[name][0](Value(0.5), Value(0.25))
        assert node._op == symbol, name


# ---- edges -------------------------------------------------------------------------------------------------

POWER_OF: dict[str, Callable[[Value], Value]] = {
    "x**0": lambda x: x**0,
    "x**1": lambda x: x**1,
    "x**2": lambda x: x**2,
    "x**0.5": lambda x: x**0.5,
    "x**-1": lambda x: x**-1,
    "x**(1/3)": lambda x: x ** (1 / 3),
    "0**x": lambda x: 0**x,
    "1/x": lambda x: 1 / x,
    "0/x": lambda x: 0 / x,
    "x/0": lambda x: x / 0,
    "leaky_relu": Value.leaky_relu,
    "elu": Value.elu,
    "swish": Value.swish,
    "gelu tanh": lambda x: x.gelu(approximate="tanh"),
    "bce 0": lambda x: x.bce_with_logits(0),
    "bce 1": lambda x: x.bce_with_logits(1),
}


@pytest.mark.parametrize(
    ("name", "x", "value", "grad"),
    [
        ("relu", 0.0, 0.0, 0.0),
        ("relu", -0.0, -0.0, 0.0),
        ("relu", nan, nan, 1.0),
        ("leaky_relu", 0.0, 0.0, 0.01),
        ("elu", 0.0, 0.0, 1.0),
        ("elu", -1000.0, -1.0, 0.0),
        ("relu6", 0.0, 0.0, 0.0),
        ("relu6", 6.0, 6.0, 0.0),
        ("relu6", nan, nan, 1.0),
        ("hardtanh", -1.0, -1.0, 0.0),
        ("hardtanh", 1.0, 1.0, 0.0),
        ("softplus", 20.0, math.log1p(math.exp(20.0)), 1 / (1 + math.exp(-20.0))),
        ("softplus", 20.0005, 20.0005, 1.0),
        ("softplus", 1000.0, 1000.0, 1.0),
        ("softplus", -1000.0, 0.0, 0.0),
        ("silu", -1000.0, -0.0, 0.0),
        ("swish", -1000.0, -0.0, 0.0),
        ("silu", 1000.0, 1000.0, 1.0),
        ("mish", 1000.0, 1000.0, 1.0),
        ("gelu", 0.0, 0.0, 0.5),
        ("gelu tanh", 0.0, 0.0, 0.5),
        ("gelu", 1000.0, 1000.0, 1.0),
        ("sigmoid", 1000.0, 1.0, 0.0),
        ("sigmoid", -1000.0, 0.0, 0.0),
        ("logsigmoid", -1000.0, -1000.0, 1.0),
        ("tanh", 1000.0, 1.0, 0.0),
        ("tanh", -1000.0, -1.0, 0.0),
        ("abs", 0.0, 0.0, 0.0),
        ("abs", -0.0, 0.0, 0.0),
        ("abs", nan, nan, 0.0),
        ("sign", nan, 0.0, 0.0),
        ("sign", 0.0, 0.0, 0.0),
        ("sqrt", 0.0, 0.0, inf),
        ("sqrt", -1.0, nan, nan),
        ("sqrt", inf, inf, 0.0),
        ("log", 0.0, -inf, inf),
        ("log", -1.0, nan, -1.0),
        ("log1p", -1.0, -inf, inf),
        ("log1p", -2.0, nan, -1.0),
        ("log1p", -1.0005, nan, 1 / (1 + -1.0005)),
        ("selu", 0.0, 0.0, 1.7580993408473769),
        ("exp", 1000.0, inf, inf),
        ("exp", -1000.0, 0.0, 0.0),
        ("expm1", 1000.0, inf, inf),
        ("selu", 1e300, 1.0507009873554805e300, 1.0507009873554805),
        ("sin", inf, nan, nan),
        ("cos", -inf, nan, nan),
        ("x**0", 0.0, 1.0, 0.0),
        ("x**0", nan, 1.0, 0.0),
        ("x**0", 3.0, 1.0, 0.0),
        ("x**1", 0.0, 0.0, 1.0),
        ("x**2", 0.0, 0.0, 0.0),
        ("x**2", 1e200, inf, 2e200),
        ("x**0.5", 0.0, 0.0, inf),
        ("x**-1", 0.0, inf, -inf),
        ("x**-1", -0.0, -inf, -inf),
        ("x**(1/3)", -8.0, nan, nan),
        ("0**x", 0.0, 1.0, 0.0),
        ("0**x", 1.0, 0.0, 0.0),
        ("0**x", -1.0, inf, -inf),
        ("1/x", 0.0, inf, -inf),
        ("1/x", -0.0, -inf, -inf),
        ("0/x", 0.0, nan, nan),
        ("x/0", 2.0, inf, inf),
        ("x/0", 0.0, nan, inf),
        ("bce 0", 1000.0, 1000.0, 1.0),
        ("bce 1", 1000.0, 0.0, 0.0),
        ("bce 0", -1000.0, 0.0, 0.0),
        ("bce 1", -1000.0, 1000.0, -1.0),
        ("bce 1", 0.0, math.log(2.0), -0.5),
    ],
)
def test_edges_are_those_of_pytorch(name: str, x: float, value: float, grad: float) -> None:
    leaf = Value(x)
    y = POWER_OF[name](leaf) if name in POWER_OF else getattr(leaf, name)()
    assert same(y.data, value), y
    y.backward()
    assert same(leaf.grad, grad), leaf


@pytest.mark.parametrize(
    ("function", "a", "b", "value", "grad_a", "grad_b"),
    [
        (operator.pow, 0.0, 0.0, 1.0, 0.0, 0.0),
        (operator.pow, 0.0, 1.0, 0.0, 1.0, 0.0),
        (operator.pow, 0.0, 0.5, 0.0, inf, 0.0),
        (operator.pow, 0.0, -1.0, inf, -inf, -inf),
        (operator.pow, -2.0, 2.0, 4.0, -4.0, nan),
        (operator.truediv, 1.0, 0.0, inf, inf, -inf),
        (operator.truediv, 0.0, 0.0, nan, inf, nan),
        (Value.maximum, 2.0, 2.0, 2.0, 0.5, 0.5),
        (Value.minimum, 2.0, 2.0, 2.0, 0.5, 0.5),
        (Value.maximum, nan, 1.0, nan, 1.0, 1.0),
        (Value.maximum, 1.0, nan, nan, 1.0, 1.0),
        (Value.minimum, nan, 1.0, nan, 1.0, 1.0),
        (Value.minimum, 1.0, nan, nan, 1.0, 1.0),
        (Value.leaky_relu, 0.0, 0.25, 0.0, 0.25, 0.0),
        (Value.elu, 0.0, 2.0, 0.0, 2.0, 0.0),
    ],
)
def test_edges_of_two_inputs_are_those_of_pytorch(
    function: Callable[[Value, Value], Value], a: float, b: float, value: float, grad_a: float, grad_b: float
) -> None:
    x, z = Value(a), Value(b)
    y = function(x, z)
    y.backward()
    assert same(y.data, value) and same(x.grad, grad_a) and same(z.grad, grad_b), (y, x, z)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 1e300, -1e300, 1e-300, inf, -inf, nan]


@pytest.mark.parametrize(("mine", "numpys"), [(_ieee.power, np.power), (_ieee.divide, np.divide)])
def test_power_and_division_return_what_ieee_says_where_python_raises(
    mine: Callable[[float, float], float], numpys: np.ufunc
) -> None:
    a, b = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(all="ignore"):
        wanted = numpys(a, b)
    for x, y, z in zip(a.tolist(), b.tolist(), wanted.tolist(), strict=True):
        # numpy's power may be an ulp off the C library's.
        assert same(mine(x, y), z) or mine(x, y) == pytest.approx(z, rel=4e-16, abs=0.0), (x, y)


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos"])
def test_functions_return_what_ieee_says_where_math_raises(name: str) -> None:
    with np.errstate(all="ignore"):
        for x in SPECIAL:
            if name in ("sin", "cos") and abs(x) == 1e300:
                continue  # libraries differ in how they reduce huge angles
            mine, wanted = getattr(_ieee, name)(x), float(getattr(np, name)(np.float64(x)))
            # Two libraries may round differently; both are within an ulp or two.
            assert same(mine, wanted) or mine == pytest.approx(wanted, rel=4e-16, abs=0.0), x


def test_tails_keep_their_digits() -> None:
    # Where the textbook formula cancels: Phi(-10), log(1 + 1e-17), e**1e-17 - 1, 1 - erf(6).
    assert Value(-10.0).gelu().data == pytest.approx(-10 * 7.619853024160527e-24, rel=1e-13)
    assert Value(1e-17).log1p().data == 1e-17
    assert Value(1e-17).expm1().data == 1e-17
    assert Value(6.0).erfc().data == pytest.approx(2.1519736712498913e-17, rel=1e-13)
    assert Value(-40.0).sigmoid().data == pytest.approx(math.exp(-40.0), rel=1e-15)


# ---- worked numbers ----------------------------------------------------------------------------------------


def test_micrograds_readme_example() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_sum_times_factor() -> None:
    a, b, c = Value(2), Value(3), Value(5)
    L = (a + b) * c
    L.backward()
    assert (L.data, a.grad, b.grad, c.grad) == (25.0, 5.0, 5.0, 5.0)


def test_squared_line() -> None:
    x, w, b = Value(2), Value(3), Value(1)
    L = (w * x + b - 5) ** 2
    L.backward()
    assert (L.data, w.grad, x.grad, b.grad) == (4.0, 8.0, 12.0, 4.0)


def test_logistic_neuron() -> None:
    w, x, b = Value(0.5), Value(2), Value(-0.3)
    z = w * x + b
    p = z.sigmoid()
    L = -p.log()
    L.backward()
    numbers = [z.data, p.data, L.data, p.grad, z.grad, w.grad, b.grad]
    wanted = [0.7, 0.668188, 0.403186, -1.496585, -0.331812, -0.663624, -0.331812]
    assert [round(number, 6) for number in numbers] == wanted

    stable = Value(z.data)
    loss = stable.bce_with_logits(1)
    loss.backward()
    assert loss.data == pytest.approx(L.data, rel=1e-15)
    assert stable.grad == pytest.approx(z.grad, rel=1e-15)


def test_two_neurons_in_a_row() -> None:
    x, w1, w2, b = Value(2), Value(3), Value(-1), Value(0.5)
    L = (w2 * (w1 * x + b).relu()) ** 2
    L.backward()
    assert (L.data, w1.grad, w2.grad, b.grad) == (42.25, 26.0, -84.5, 13.0)


@pytest.mark.parametrize(
    ("bias", "z", "loss", "dw", "dx", "db"),
    [
        (0.1, -1.9, 1.0, (0.0, 0.0), (0.0, 0.0), 0.0),
        (2.6, 0.6, 0.16, (-1.6, -2.4), (-0.4, 0.8), -0.8),
    ],
)
def test_dead_neuron_and_its_live_twin(
    bias: float, z: float, loss: float, dw: tuple[float, ...], dx: tuple[float, ...], db: float
) -> None:
    x, w, b = [Value(2), Value(3)], [Value(0.5), Value(-1)], Value(bias)
    pre = w[0] * x[0] + w[1] * x[1] + b
    L = (pre.relu() - 1) ** 2
    L.backward()
    grads = [v.grad for v in (*w, *x, b)]
    # Sums of a few decimal fractions of size 1.
    assert [pre.data, L.data, *grads] == pytest.approx([z, loss, *dw, *dx, db], abs=1e-14)


def test_sigmoid_table() -> None:
    points = [Value(x) for x in (-2, 0, 0.75, 3)]
    ys = [x.sigmoid() for x in points]
    for y in ys:
        y.backward()
    assert [round(y.data, 6) for y in ys] == [0.119203, 0.5, 0.679179, 0.952574]
    assert [round(x.grad, 6) for x in points] == [0.104994, 0.25, 0.217895, 0.045177]


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [("gelu", -0.75179, -0.16997), ("silu", -1.27846, -0.27846), ("swish", -1.27846, -0.27846)],
)
def test_published_minima_of_gelu_and_silu(name: str, x: float, value: float) -> None:
    at = Value(x)
    y = getattr(at, name)()
    y.backward()
    assert y.data == pytest.approx(value, abs=5e-6)
    # The argument is rounded to 5 decimals, and the second derivative there is below 1.
    assert abs(at.grad) < 5e-6


# ---- the graph ---------------------------------------------------------------------------------------------


def test_nodes_know_their_inputs_and_operation() -> None:
    a, b = Value(2.0, label="a"), Value(3.0)
    c = a * b
    assert c._prev == {a, b} and c._op == "*"
    assert a._prev == set() and a._op == "" and a.label == "a"
    assert [n._op for n in (a + b, a - b, a / b, a**b, -a, a.relu())] == ["+", "-", "/", "**", "neg", "ReLU"]
    assert [n._op for n in (a**3, a**2.0, a**0.5, a**-1)] == ["**3", "**2.0", "**0.5", "**-1"]
    assert (a**3)._prev == {a}
    assert len((a + 1)._prev) == 2
    assert repr(c) == "Value(data=6.0, grad=0.0)"
    a.colour = "red"
    assert a.colour == "red"


def test_data_becomes_a_float() -> None:
    for x in (3, True, np.int32(3), np.float32(3), np.uint8(3), np.float64(3)):
        assert type(Value(x).data) is float


@pytest.mark.parametrize("bad", ["x", "2", None, [1], (1,), 1j, b"1", np.array([1.0, 2.0]), Value(1.0)])
def test_what_is_not_a_real_number_is_refused_by_name(bad: object) -> None:
    with pytest.raises(TypeError, match=f"Value.*{type(bad).__name__}"):
        Value(bad)


@pytest.mark.parametrize("bad", ["x", None, [1], 1j])
@pytest.mark.parametrize(
    "apply",
    [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt, operator.ge],
)
def test_operators_with_what_is_not_a_number_raise_type_error_that_names_both(
    apply: Callable[[object, object], object], bad: object
) -> None:
    with pytest.raises(TypeError) as error:
        apply(Value(1.0), bad)
    assert "Value" in str(error.value)
    if apply is not operator.mul:  # of sequences Python says "can't multiply sequence by non-int of type 'Value'"
        assert type(bad).__name__ in str(error.value)
    with pytest.raises(TypeError, match="Value"):
        apply(bad, Value(1.0))


@pytest.mark.parametrize("bad", ["x", None])
@pytest.mark.parametrize("name", ["maximum", "minimum", "leaky_relu", "elu", "swish", "bce_with_logits"])
def test_methods_with_what_is_not_a_number_raise_type_error(name: str, bad: object) -> None:
    with pytest.raises(TypeError, match=type(bad).__name__):
        getattr(Value(1.0), name)(bad)


def test_unknown_approximation_of_gelu_is_refused() -> None:
    with pytest.raises(ValueError, match="'none' or 'tanh', not 'fast'"):
        Value(1.0).gelu(approximate="fast")


@pytest.mark.parametrize("number", [3, 2.5, True, np.float64(1.5), np.float32(1.5), np.int64(2), np.int8(2)])
@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_numbers_mix_on_either_side(apply: Callable[[object, object], object], number: float) -> None:
    for left, right, wanted in (
        (Value(1.25), number, apply(1.25, float(number))),
        (number, Value(1.25), apply(float(number), 1.25)),
    ):
        y = apply(left, right)
        assert type(y) is Value and type(y.data) is float
        assert y.data == wanted
        y.backward()


def test_arrays_mix_on_either_side_element_by_element() -> None:
    v, array = Value(2.0), np.array([1.0, 3.0])
    for product in (v * array, array * v):
        assert product.dtype == object
        assert [y.data for y in product] == [2.0, 6.0]


def test_builtin_sum_and_abs() -> None:
    x = Value(-2.0)
    y = sum([x, x, 1]) + abs(x)
    y.backward()
    assert (y.data, x.grad) == (-1.0, 1.0)


def test_comparisons_look_at_data_and_record_nothing() -> None:
    a, b = Value(1.0), Value(2.0)
    assert a < b and a <= b and b > a and b >= a and a <= 1 and a >= 1.0 and 0 < a and np.float64(3) > a
    assert not (a < a or a > a or Value(nan) < a or Value(nan) >= a)
    assert type(a < b) is bool and type(a < np.float64(2)) is bool
    assert a._prev == set()


def test_equality_and_hash_are_of_identity() -> None:
    a, b = Value(1.0), Value(1.0)
    assert a != b and a == a and len({a, b, a}) == 2
    assert not a == 1.0


def test_a_value_used_on_several_paths_sums_them() -> None:
    x = Value(3.0)
    y = x + x * x + x / x - x
    y.backward()
    assert x.grad == pytest.approx(6.0, rel=1e-15)
    d = Value(2.0)
    e = d * d  # used twice: d**4
    (e * e).backward()
    assert d.grad == 32.0


def test_leaves_accumulate_over_graphs() -> None:
    x = Value(3.0)
    (x * x).backward()
    (x * 5).backward()
    assert x.grad == 11.0


def test_second_backward_does_not_feed_stale_gradients() -> None:
    x = Value(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0  # not reset: a leaf accumulates


def test_an_inner_node_can_be_differentiated_after_the_whole() -> None:
    x = Value(3.0)
    square = x * x
    y = square * x
    y.backward()
    x.grad = 0.0
    square.backward()
    assert x.grad == 6.0 and y.grad == 1.0


def test_deep_chain_needs_no_recursion() -> None:
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert y.data == 100_001.0 and x.grad == 1.0
    del y
    gc.collect()  # freeing must not recurse either


def test_a_deep_chain_of_diamonds_is_visited_once_a_node() -> None:
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y  # 2**60 paths
    y.backward()
    assert x.grad == 2.0**60


def test_graphs_are_collected() -> None:
    x = Value(1.0)
    y = (x * 2).tanh() + x**2
    y.backward()
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


def test_closures_read_inputs_as_they_stand_and_outputs_as_computed() -> None:
    x = Value(2.0)
    square, root = x * x, x.exp()
    x.data = 10.0
    square.backward()
    assert x.grad == 20.0
    x.grad = 0.0
    root.backward()
    assert x.grad == math.exp(2.0)


def test_backward_of_one_node_can_be_called_by_hand() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    c.grad = 10.0
    c._backward()
    assert (a.grad, b.grad) == (30.0, 20.0)


def test_a_custom_operation_takes_part() -> None:
    def cube(x: Value) -> Value:
        out = Value(x.data**3, (x,), "cube")

        def _backward() -> None:
            x.grad += 3 * x.data**2 * out.grad

        out._backward = _backward
        return out

    x = Value(2.0)
    y = cube(x * 3) + x
    y.backward()
    assert y.data == 218.0 and x.grad == 3 * 36.0 * 3 + 1


def test_an_error_in_a_closure_comes_out_and_stops_the_walk() -> None:
    x = Value(2.0)
    inner = x * 3
    outer = inner * 2

    def fail() -> None:
        raise ZeroDivisionError("mine")

    outer._backward = fail
    with pytest.raises(ZeroDivisionError, match="mine"):
        outer.backward()
    assert x.grad == 0.0


def test_leaves_can_be_copied_and_pickled() -> None:
    x = Value(2.0, label="x")
    x.grad, x.colour = 3.0, "red"
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin is not x
        assert (twin.data, twin.grad, twin.label, twin.colour) == (2.0, 3.0, "x", "red")
        (twin * twin).backward()
        assert (twin.grad, x.grad) == (7.0, 3.0)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_computed_values_cannot_be_copied(duplicate: Callable[[Value], object]) -> None:
    with pytest.raises(TypeError, match=r"only leaves .* '\*'"):
        duplicate(Value(2.0) * 3)


def test_operators_of_a_subclass_return_plain_values() -> None:
    class Special(Value):
        pass

    assert type(Special(1.0) + 1) is Value


def test_a_large_mixed_expression_has_the_gradient_of_central_differences() -> None:
    def expression(x: list[Value]) -> Value:
        a, b, c, d = x
        e = (a * b + c).tanh() / (1.5 + d.sin())
        f = (e - a).softplus() ** (0.5 + b.sigmoid())
        return (f + e * e).log1p() - 2**c + (a - d).gelu() * abs(e).maximum(0.1) + (3 - f).sqrt() ** 3

    at = [0.3, -0.7, 0.4, 1.1]
    leaves = [Value(x) for x in at]
    expression(leaves).backward()
    for i, leaf in enumerate(leaves):

        def along(x: float, i: int = i) -> float:
            return expression([Value(x if j == i else xj) for j, xj in enumerate(at)]).data

        assert leaf.grad == pytest.approx(derivative(along, at[i]), rel=1e-9)


# ---- functions of lists ------------------------------------------------------------------------------------


def grads_of(function: Callable[[list[Value]], Value], xs: list[float]) -> tuple[float, list[float]]:
    leaves = [Value(x) for x in xs]
    y = function(leaves)
    y.backward()
    return y.data, [leaf.grad for leaf in leaves]


def test_sum_takes_any_iterable() -> None:
    assert grads_of(functional.sum, [1.0, 2.0, 3.5]) == (6.5, [1.0, 1.0, 1.0])
    assert functional.sum(x for x in (1, 2)).data == 3.0
    assert functional.sum([]).data == 0.0


def test_dot_is_a_weighted_sum_with_a_bias() -> None:
    ws, xs, b = [Value(0.5), Value(-1)], [Value(2), Value(3)], Value(0.1)
    y = functional.dot(ws, xs, b)
    y.backward()
    assert y.data == pytest.approx(-1.9, rel=1e-15)
    assert [v.grad for v in (*ws, *xs, b)] == [2.0, 3.0, 0.5, -1.0, 1.0]
    assert functional.dot([1, 2], [3, 4]).data == 11.0
    assert functional.dot([], []).data == 0.0
    with pytest.raises(ValueError):
        functional.dot([1, 2], [3])


def test_softmax_is_the_published_one_and_sums_to_one() -> None:
    ps = functional.softmax([2.0, 1.0, 0.1])
    assert [round(p.data, 4) for p in ps] == [0.6590, 0.2424, 0.0986]
    assert math.fsum(p.data for p in ps) == pytest.approx(1.0, rel=4e-16)


def test_softmax_has_the_jacobian_p_i_times_delta_ij_minus_p_j() -> None:
    z = np.array([2.0, 1.0, 0.1, -3.0])
    p = np.exp(z) / np.exp(z).sum()
    wanted = np.diag(p) - np.outer(p, p)
    rows = [grads_of(lambda xs, i=i: functional.softmax(xs)[i], list(z))[1] for i in range(4)]
    np.testing.assert_allclose(rows, wanted, rtol=0, atol=1e-15)


def test_logsumexp_has_softmax_as_its_gradient() -> None:
    z = np.array([0.5, -1.5, 2.0])
    value, grads = grads_of(functional.logsumexp, list(z))
    assert value == pytest.approx(np.log(np.exp(z).sum()), rel=1e-15)
    np.testing.assert_allclose(grads, np.exp(z) / np.exp(z).sum(), rtol=1e-14)


def test_cross_entropy_is_minus_the_log_of_the_probability() -> None:
    # Logits that are logarithms of probabilities have these as their softmax.
    for ps, wanted in (((0.1, 0.7, 0.2), 0.356675), ((0.1, 0.1, 0.8), 2.302585)):
        value, grads = grads_of(lambda z: functional.cross_entropy(z, 1), [math.log(p) for p in ps])
        assert round(value, 6) == wanted
        np.testing.assert_allclose(grads, np.array(ps) - [0, 1, 0], rtol=1e-14)


def test_squared_error_gives_the_published_mse() -> None:
    for ps, wanted in (((0.1, 0.7, 0.2), 0.046667), ((0.1, 0.1, 0.8), 0.486667)):
        y = functional.sum(functional.squared_error(p, t) for p, t in zip(ps, (0, 1, 0), strict=True)) / 3
        assert round(y.data, 6) == wanted
    assert grads_of(lambda v: functional.squared_error(*v), [7.0, 5.0]) == (4.0, [4.0, -4.0])


@pytest.mark.parametrize(
    ("score", "label", "loss", "grad"),
    [
        (0.25, 1, 0.75, -1.0),
        (0.25, -1, 1.25, 1.0),
        (3.0, 1, 0.0, 0.0),
        (1.0, 1, 0.0, 0.0),
        (-1000.0, 1, 1001.0, -1.0),
    ],
)
def test_margin_loss(score: float, label: int, loss: float, grad: float) -> None:
    assert grads_of(lambda v: functional.margin_loss(v[0], label), [score]) == (loss, [grad])


def test_losses_are_finite_at_a_thousand() -> None:
    big = [1000.0, -1000.0, 0.0]
    assert grads_of(functional.logsumexp, big) == (1000.0, [1.0, 0.0, 0.0])
    assert grads_of(functional.logsumexp, [-1000.0, -1000.0]) == (
        pytest.approx(-1000 + math.log(2), rel=1e-15),
        [0.5, 0.5],
    )
    assert [p.data for p in functional.softmax(big)] == [1.0, 0.0, 0.0]
    assert grads_of(lambda z: functional.cross_entropy(z, 0), big) == (0.0, [0.0, 0.0, 0.0])
    assert grads_of(lambda z: functional.cross_entropy(z, 1), big) == (2000.0, [1.0, -1.0, 0.0])
    bce = functional.binary_cross_entropy_with_logits
    assert grads_of(lambda z: bce(z[0], 0), [1000.0]) == (1000.0, [1.0])
    assert grads_of(lambda z: bce(z[0], 1), [-1000.0]) == (1000.0, [-1.0])


def test_logsumexp_of_minus_infinity_is_minus_infinity() -> None:
    value, grads = grads_of(functional.logsumexp, [-inf, -inf])
    assert value == -inf and all(math.isnan(g) for g in grads)


@pytest.mark.parametrize("target", [3, -1])
def test_a_target_outside_the_classes_is_refused(target: int) -> None:
    with pytest.raises(IndexError, match=f"target {target} is out of bounds for 3 classes"):
        functional.cross_entropy([1.0, 2.0, 3.0], target)


def test_functions_accept_plain_numbers() -> None:
    assert functional.margin_loss(0.5, 1).data == 0.5
    assert functional.binary_cross_entropy_with_logits(0, 1).data == math.log(2)
    assert functional.cross_entropy([0, 0], np.int64(1)).data == pytest.approx(math.log(2), rel=1e-15)
