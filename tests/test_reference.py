"""The pure-Python engine: values against formulas in numpy, gradients against differences of these formulas.

The oracles are formulas of another form than the engine's, so that one mistake cannot be in both.

Tolerances: a value passes through a handful of roundings, of 2**-53 each, on numbers up to about 20; 1e-13 is
room for a hundred. The five-point difference with h = 2e-4 has a rounding error near 1.5 * 2**-52 |f| / h, or
2e-12 |f|, and a truncation error of h**4 / 30 |f'''''|, at most 2e-10 where it is worst, for 1 / x**2 at 0.3.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from reference_support import derivative

from pygrad.reference import Value, _ieee

VALUE_TOLERANCE = 1e-13
DIFFERENCE_TOLERANCE = 1e-9
NEAR = 5e-4  # how close to a kink the five points, of which the outer ones are 4e-4 away, may come
OPS_DEF = Path(__file__).resolve().parent.parent / "csrc" / "ops" / "ops.def"


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
