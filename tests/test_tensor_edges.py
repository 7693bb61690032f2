"""Kinks, ties, overflow, NaN and infinity: what PyTorch computes there, value and gradient, in both precisions."""

from __future__ import annotations

import math
import warnings
from math import inf, nan

import numpy as np
import pytest
from tensor_backend import array, leaf, pg, refused

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
DTYPES = pytest.mark.parametrize("dtype", UNIT)
SELU_SCALE = 1.0507009873554804934193349852946
SELU_SLOPE = SELU_SCALE * 1.6732632423543772848170429916717


def assert_same(got, wanted, dtype, roundings=4):
    """Equal up to roundings; NaN where NaN is wanted; -0 is 0 here."""
    got = np.asarray(got, dtype=np.float64)
    wanted = np.asarray(wanted, dtype=np.float64)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_allclose(got, wanted, rtol=roundings * UNIT[dtype], atol=0)


def edge(name, f, *triples):
    return [pytest.param(f, *t, id=f"{name}({t[0]})") for t in triples]


# value -> (value of the function, its gradient)
ONE_INPUT = [
    *edge("relu", lambda x: pg.relu(x), (0.0, 0.0, 0.0), (-0.0, -0.0, 0.0), (nan, nan, 1.0), (-1.0, 0.0, 0.0),
          (inf, inf, 1.0), (-inf, 0.0, 0.0)),
    *edge("leaky_relu", lambda x: pg.leaky_relu(x), (0.0, 0.0, 0.01), (-0.0, -0.0, 0.01), (inf, inf, 1.0)),
    *edge("elu", lambda x: pg.elu(x), (0.0, 0.0, 1.0), (-inf, -1.0, 0.0), (inf, inf, 1.0)),
    *edge("relu6", lambda x: pg.relu6(x), (0.0, 0.0, 0.0), (6.0, 6.0, 0.0), (7.0, 6.0, 0.0), (inf, 6.0, 0.0)),
    *edge("hardtanh", lambda x: pg.hardtanh(x), (1.0, 1.0, 0.0), (-1.0, -1.0, 0.0), (inf, 1.0, 0.0)),
    *edge("softplus", lambda x: pg.softplus(x), (25.0, 25.0, 1.0), (1000.0, 1000.0, 1.0), (-1000.0, 0.0, 0.0),
          (inf, inf, 1.0), (-inf, 0.0, 0.0), (0.0, math.log(2), 0.5)),
    *edge("silu", lambda x: pg.silu(x), (-1000.0, -0.0, -0.0), (0.0, 0.0, 0.5), (1000.0, 1000.0, 1.0)),
    *edge("gelu", lambda x: pg.gelu(x), (0.0, 0.0, 0.5), (100.0, 100.0, 1.0), (-100.0, -0.0, 0.0)),
    *edge("gelu tanh", lambda x: pg.gelu(x, approximate="tanh"), (0.0, 0.0, 0.5), (100.0, 100.0, 1.0),
          (-100.0, -0.0, 0.0)),
    *edge("selu", lambda x: pg.selu(x), (0.0, 0.0, SELU_SLOPE), (-inf, -SELU_SLOPE, 0.0), 
          (1.0, SELU_SCALE, SELU_SCALE)),
    *edge("mish", lambda x: pg.mish(x), (0.0, 0.0, 0.6), (1000.0, 1000.0, 1.0), (-1000.0, -0.0, 0.0)),
    *edge("sigmoid", lambda x: pg.sigmoid(x), (1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0), (0.0, 0.5, 0.25),
          (inf, 1.0, 0.0), (-inf, 0.0, 0.0), (nan, nan, nan)),
    *edge("logsigmoid", lambda x: pg.logsigmoid(x), (-1000.0, -1000.0, 1.0), (1000.0, -0.0, 0.0),
          (0.0, -math.log(2), 0.5)),
    *edge("tanh", lambda x: pg.tanh(x), (1000.0, 1.0, 0.0), (-1000.0, -1.0, 0.0), (0.0, 0.0, 1.0), (-0.0, -0.0, 1.0),
          (inf, 1.0, 0.0), (nan, nan, nan)),
    *edge("erf", lambda x: pg.erf(x), (0.0, 0.0, 2 / math.sqrt(math.pi)), (inf, 1.0, 0.0), (-inf, -1.0, 0.0)),
    *edge("abs", lambda x: x.abs(), (0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (nan, nan, 0.0), (-inf, inf, -1.0)),
    *edge("sign", lambda x: pg.sign(x), (2.0, 1.0, 0.0), (-3.0, -1.0, 0.0), (0.0, 0.0, 0.0), (nan, 0.0, 0.0)),
    *edge("sqrt", lambda x: x.sqrt(), (0.0, 0.0, inf), (-1.0, nan, nan), (inf, inf, 0.0)),
    *edge("rsqrt", lambda x: pg.rsqrt(x), (0.0, inf, -inf), (inf, 0.0, -0.0), (-1.0, nan, nan)),
    *edge("log", lambda x: x.log(), (0.0, -inf, inf), (-1.0, nan, -1.0), (-2.0, nan, -0.5), (inf, inf, 0.0)),
    *edge("log1p", lambda x: pg.log1p(x), (-1.0, -inf, inf), (0.0, 0.0, 1.0), (inf, inf, 0.0)),
    *edge("expm1", lambda x: pg.expm1(x), (0.0, 0.0, 1.0), (-inf, -1.0, 0.0), (inf, inf, inf)),
    *edge("exp", lambda x: x.exp(), (1000.0, inf, inf), (-1000.0, 0.0, 0.0), (-inf, 0.0, 0.0), (nan, nan, nan)),
    *edge("reciprocal", lambda x: pg.reciprocal(x), (0.0, inf, -inf), (-0.0, -inf, -inf), (inf, 0.0, -0.0)),
    *edge("1/x", lambda x: 1.0 / x, (0.0, inf, -inf), (inf, 0.0, -0.0)),
    *edge("sin", lambda x: pg.sin(x), (inf, nan, nan), (0.0, 0.0, 1.0)),
    *edge("cos", lambda x: pg.cos(x), (inf, nan, nan), (0.0, 1.0, -0.0)),
    *edge("exp2", lambda x: pg.exp2(x), (1100.0, inf, inf), (-1100.0, 0.0, 0.0), (-inf, 0.0, 0.0), (nan, nan, nan),
          (0.0, 1.0, math.log(2))),
    *edge("log2", lambda x: pg.log2(x), (0.0, -inf, inf), (-1.0, nan, -1 / math.log(2)), (inf, inf, 0.0)),
    *edge("log10", lambda x: pg.log10(x), (0.0, -inf, inf), (-1.0, nan, -1 / math.log(10)), (inf, inf, 0.0)),
    *edge("tan", lambda x: pg.tan(x), (inf, nan, nan), (0.0, 0.0, 1.0), (-0.0, -0.0, 1.0)),
    *edge("asin", lambda x: pg.asin(x), (1.0, math.pi / 2, inf), (-1.0, -math.pi / 2, inf), (1.5, nan, nan)),
    *edge("acos", lambda x: pg.acos(x), (1.0, 0.0, -inf), (-1.0, math.pi, -inf), (-1.5, nan, nan)),
    *edge("atan", lambda x: pg.atan(x), (inf, math.pi / 2, 0.0), (-inf, -math.pi / 2, 0.0), (nan, nan, nan)),
    *edge("sinh", lambda x: pg.sinh(x), (1000.0, inf, inf), (-1000.0, -inf, inf), (-0.0, -0.0, 1.0)),
    *edge("cosh", lambda x: pg.cosh(x), (1000.0, inf, inf), (-1000.0, inf, -inf), (0.0, 1.0, 0.0)),
    *edge("floor", lambda x: pg.floor(x), (-0.5, -1.0, 0.0), (2.0, 2.0, 0.0), (inf, inf, 0.0), (nan, nan, 0.0)),
    *edge("ceil", lambda x: pg.ceil(x), (-0.5, -0.0, 0.0), (2.0, 2.0, 0.0), (-inf, -inf, 0.0), (nan, nan, 0.0)),
    *edge("trunc", lambda x: pg.trunc(x), (-0.5, -0.0, 0.0), (-2.5, -2.0, 0.0), (inf, inf, 0.0), (nan, nan, 0.0)),
    *edge("round", lambda x: pg.round(x), (0.5, 0.0, 0.0), (1.5, 2.0, 0.0), (2.5, 2.0, 0.0), (-0.5, -0.0, 0.0),
          (-1.5, -2.0, 0.0), (inf, inf, 0.0), (nan, nan, 0.0)),
    *edge("x%1", lambda x: x % 1, (-0.25, 0.75, 1.0), (2.0, 0.0, 1.0), (inf, nan, 1.0)),
    *edge("1%x", lambda x: pg.ones_like(x) % x, (0.0, nan, -inf), (-3.0, -2.0, 1.0), (inf, 1.0, 0.0),
          (-inf, -inf, 1.0)),
    *edge("x**0", lambda x: x**0, (0.0, 1.0, 0.0), (nan, 1.0, 0.0), (inf, 1.0, 0.0), (-2.0, 1.0, 0.0)),
    *edge("x**1", lambda x: x**1, (0.0, 0.0, 1.0), (-2.0, -2.0, 1.0)),
    *edge("x**2", lambda x: x**2, (0.0, 0.0, 0.0), (-3.0, 9.0, -6.0), (inf, inf, inf)),
    *edge("x**3", lambda x: x**3, (-2.0, -8.0, 12.0), (0.0, 0.0, 0.0)),
    *edge("x**0.5", lambda x: x**0.5, (0.0, 0.0, inf), (-1.0, nan, nan)),
    *edge("x**-1", lambda x: x**-1, (0.0, inf, -inf), (-2.0, -0.5, -0.25)),
    *edge("0**x", lambda x: 0.0**x, (0.0, 1.0, 0.0), (-1.0, inf, -inf), (2.0, 0.0, 0.0)),
    *edge("clamp(-1,1)", lambda x: x.clamp(-1.0, 1.0), (1.0, 1.0, 1.0), (-1.0, -1.0, 1.0), (1.5, 1.0, 0.0),
          (-1.5, -1.0, 0.0), (nan, nan, 0.0), (inf, 1.0, 0.0)),
    *edge("clamp(2,1)", lambda x: x.clamp(2.0, 1.0), (0.0, 1.0, 0.0), (1.5, 1.0, 0.0), (3.0, 1.0, 0.0)),
    *edge("clamp(min=0)", lambda x: x.clamp(min=0.0), (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)),
    *edge("clamp(max=0)", lambda x: x.clamp(max=0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    *edge("where(x>0,sqrt(x),0)", lambda x: pg.where(x > 0, x.sqrt(), pg.zeros_like(x)), (0.0, 0.0, nan)),
]  # fmt: skip


@DTYPES
@pytest.mark.parametrize(("f", "at", "value", "gradient"), ONE_INPUT)
def test_value_and_gradient_at_an_edge(f, at, value, gradient, dtype):
    x = leaf(at, dtype)
    y = f(x)
    y.backward()
    assert_same(array(y), value, dtype)
    assert_same(array(x.grad), gradient, dtype)


@DTYPES
@pytest.mark.parametrize(("f", "at", "value", "gradient"), ONE_INPUT)
def test_edge_is_the_same_in_the_middle_of_a_vector(f, at, value, gradient, dtype):
    # Vector kernels have a body and a tail, and both have to know the edge.
    x = leaf(np.full(37, at), dtype)
    y = f(x)
    y.backward(pg.ones_like(y))
    assert_same(array(y), np.full(37, value), dtype)
    assert_same(array(x.grad), np.full(37, gradient), dtype)


@DTYPES
@pytest.mark.parametrize("name", ["elu", "selu", "gelu", "silu", "softplus", "mish", "hardtanh", "relu6", "logsigmoid"])
def test_nan_travels_through_every_activation(name, dtype):
    # Its gradient there is not asked for: PyTorch's own differs between the body and the tail of a vector.
    assert np.isnan(array(getattr(pg, name)(pg.tensor(np.full(37, nan, dtype=dtype))))).all()


@DTYPES
@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: pg.relu(x), -0.0), (lambda x: -x, 0.0), (lambda x: x.sqrt(), -0.0), (lambda x: pg.tanh(x), -0.0),
        (lambda x: pg.sin(x), -0.0), (lambda x: pg.expm1(x), -0.0), (lambda x: pg.silu(x), -1000.0),
        (lambda x: x * 0.0, -1.0),
    ],
    ids=["relu", "neg", "sqrt", "tanh", "sin", "expm1", "silu", "mul"],
)  # fmt: skip
def test_zero_keeps_its_minus(f, at, dtype):
    y = array(f(leaf(at, dtype)))
    assert y == 0.0
    assert np.signbit(y)


TWO_INPUTS = [
    *edge("a/b", lambda a, b: a / b, (1.0, 0.0, inf, inf, -inf), (0.0, 0.0, nan, inf, nan), (-1.0, 0.0, -inf, inf, inf),
          (1.0, inf, 0.0, 0.0, -0.0)),
    *edge("pow", lambda a, b: a**b, (0.0, 0.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 1.0, 0.0), (0.0, 0.5, 0.0, inf, 0.0),
          (0.0, -1.0, inf, -inf, -inf), (-2.0, 2.0, 4.0, -4.0, nan), (2.0, 3.0, 8.0, 12.0, 8.0 * math.log(2.0)),
          (nan, 0.0, 1.0, 0.0, nan), (-8.0, 1.0 / 3.0, nan, nan, nan)),
    *edge("maximum", lambda a, b: pg.maximum(a, b), (1.0, 1.0, 1.0, 0.5, 0.5), (nan, 1.0, nan, 1.0, 1.0),
          (1.0, nan, nan, 1.0, 1.0), (2.0, 1.0, 2.0, 1.0, 0.0), (-inf, inf, inf, 0.0, 1.0)),
    *edge("minimum", lambda a, b: pg.minimum(a, b), (1.0, 1.0, 1.0, 0.5, 0.5), (nan, 1.0, nan, 1.0, 1.0),
          (1.0, nan, nan, 1.0, 1.0), (2.0, 1.0, 1.0, 0.0, 1.0)),
    *edge("fmax", lambda a, b: pg.fmax(a, b), (1.0, 1.0, 1.0, 1.0, 0.0), (nan, 1.0, 1.0, 0.0, 1.0),
          (1.0, nan, 1.0, 1.0, 0.0), (nan, nan, nan, 1.0, 0.0), (-inf, inf, inf, 0.0, 1.0)),
    *edge("fmin", lambda a, b: pg.fmin(a, b), (1.0, 1.0, 1.0, 1.0, 0.0), (nan, 1.0, 1.0, 0.0, 1.0),
          (1.0, nan, 1.0, 1.0, 0.0), (nan, nan, nan, 1.0, 0.0), (-inf, inf, -inf, 1.0, 0.0)),
    *edge("a%b", lambda a, b: a % b, (7.0, 2.0, 1.0, 1.0, -3.0), (-7.0, 2.0, 1.0, 1.0, 4.0),
          (7.0, -2.0, -1.0, 1.0, 4.0), (1.0, 0.0, nan, 1.0, -inf), (0.0, 0.0, nan, 1.0, nan), (inf, 2.5, nan, 1.0, nan),
          (-2.5, inf, inf, 1.0, 1.0), (2.5, inf, 2.5, 1.0, 0.0)),
    *edge("fmod", lambda a, b: pg.fmod(a, b), (7.0, 2.0, 1.0, 1.0, -3.0), (-7.0, 2.0, -1.0, 1.0, 3.0),
          (1.0, 0.0, nan, 1.0, -inf), (inf, 2.5, nan, 1.0, -inf), (-2.5, inf, -2.5, 1.0, 0.0)),
    *edge("hypot", lambda a, b: pg.hypot(a, b), (0.0, 0.0, 0.0, nan, nan), (3.0, -4.0, 5.0, 0.6, -0.8),
          (inf, 1.0, inf, nan, 0.0), (inf, nan, inf, nan, nan), (3e30, 4e30, 5e30, 0.6, 0.8)),
    *edge("atan2", lambda a, b: pg.atan2(a, b), (0.0, 0.0, 0.0, 0.0, 0.0), (0.0, -0.0, math.pi, 0.0, 0.0),
          (0.0, -1.0, math.pi, -1.0, 0.0), (-1.0, -1.0, -0.75 * math.pi, -0.5, 0.5), (inf, 2.5, math.pi / 2, 0.0, nan),
          (2.5, inf, 0.0, nan, 0.0), (nan, 1.0, nan, nan, nan)),
    *edge("logaddexp", lambda a, b: pg.logaddexp(a, b), (1000.0, 1000.0, 1000 + math.log(2), 0.5, 0.5),
          (1000.0, 0.0, 1000.0, 1.0, 0.0), (-inf, 2.5, 2.5, 0.0, 1.0), (inf, inf, inf, nan, nan),
          (-inf, -inf, -inf, nan, nan), (nan, 1.0, nan, nan, nan)),
    *edge("lerp", lambda a, b: pg.lerp(a, b, 0.25), (1.0, 5.0, 2.0, 0.75, 0.25), (inf, 1.0, nan, 0.75, 0.25)),
    *edge("x*y", lambda a, b: a * b, (0.0, inf, nan, inf, 0.0), (nan, 0.0, nan, 0.0, nan)),
    *edge("x-y", lambda a, b: a - b, (inf, inf, nan, 1.0, -1.0)),
    *edge("clamp(x,min)", lambda a, b: a.clamp(min=b), (1.0, 1.0, 1.0, 1.0, 0.0), (0.0, 1.0, 1.0, 0.0, 1.0)),
    *edge("clamp(x,max)", lambda a, b: a.clamp(max=b), (1.0, 1.0, 1.0, 1.0, 0.0), (2.0, 1.0, 1.0, 0.0, 1.0)),
    *edge("where(true)", lambda a, b: pg.where(a == a, a, b), (1.0, nan, 1.0, 1.0, 0.0)),
    *edge("mse", lambda a, b: pg.mse_loss(a, b), (2.0, 2.0, 0.0, 0.0, -0.0), (1e10, -1e10, 4e20, 4e10, -4e10)),
    *edge("l1", lambda a, b: pg.l1_loss(a, b), (2.0, 2.0, 0.0, 0.0, -0.0), (3.0, 1.0, 2.0, 1.0, -1.0)),
    *edge("huber", lambda a, b: pg.huber_loss(a, b), (1.0, 0.0, 0.5, 1.0, -1.0), (0.0, 1.0, 0.5, -1.0, 1.0),
          (0.0, 0.0, 0.0, 0.0, 0.0), (5.0, 0.0, 4.5, 1.0, -1.0)),
    *edge("smooth_l1", lambda a, b: pg.smooth_l1_loss(a, b, beta=2.0), (2.0, 0.0, 1.0, 1.0, -1.0),
          (0.0, 2.0, 1.0, -1.0, 1.0), (1.0, 0.0, 0.25, 0.5, -0.5), (nan, 0.0, nan, nan, nan)),
    *edge("smooth_l1(0)", lambda a, b: pg.smooth_l1_loss(a, b, beta=0.0), (1.0, 1.0, 0.0, 0.0, 0.0),
          (3.0, 1.0, 2.0, 1.0, -1.0)),
    *edge("kl_div", lambda a, b: pg.kl_div(a, b, reduction="sum"), (-1.0, 0.0, 0.0, 0.0, nan),
          (0.0, 1.0, 0.0, -1.0, 1.0), (-1.0, -1.0, nan, 1.0, nan), (-inf, 1.0, inf, -1.0, inf)),
    *edge("kl_div(log)", lambda a, b: pg.kl_div(a, b, reduction="sum", log_target=True),
          (-1.0, 0.0, 1.0, -1.0, 2.0), (-1.0, -inf, nan, 0.0, nan)),
]  # fmt: skip


@DTYPES
@pytest.mark.parametrize(("f", "a0", "b0", "value", "da", "db"), TWO_INPUTS)
def test_value_and_gradients_of_two_inputs_at_an_edge(f, a0, b0, value, da, db, dtype):
    a, b = leaf(a0, dtype), leaf(b0, dtype)
    y = f(a, b)
    y.backward()
    assert_same(array(y), value, dtype, roundings=8)
    assert_same(array(a.grad), da, dtype, roundings=8)
    assert_same(array(b.grad), db, dtype, roundings=8)


# ---- reductions -----------------------------------------------------------------------------------------------------

TIES = [
    ("max()", lambda x: x.max(), [1.0, 3.0, 3.0], 3.0, [0.0, 0.5, 0.5]),
    ("min()", lambda x: x.min(), [1.0, 1.0, 3.0], 1.0, [0.5, 0.5, 0.0]),
    ("amax", lambda x: x.amax(0), [1.0, 3.0, 3.0], 3.0, [0.0, 0.5, 0.5]),
    ("amin", lambda x: x.amin(0), [1.0, 1.0, 1.0, 3.0], 1.0, [1 / 3, 1 / 3, 1 / 3, 0.0]),
    ("max(0)", lambda x: x.max(0)[0], [1.0, 3.0, 3.0], 3.0, [0.0, 1.0, 0.0]),
    ("min(0)", lambda x: x.min(0)[0], [1.0, 1.0, 3.0], 1.0, [1.0, 0.0, 0.0]),
    ("max() NaN", lambda x: x.max(), [1.0, nan, 3.0, nan], nan, [0.0, 0.5, 0.0, 0.5]),
    ("min() NaN", lambda x: x.min(), [1.0, nan, 3.0], nan, [0.0, 1.0, 0.0]),
    ("amax NaN", lambda x: x.amax(0), [1.0, nan], nan, [nan, nan]),
    ("max(0) NaN", lambda x: x.max(0)[0], [1.0, nan, 3.0], nan, [0.0, 1.0, 0.0]),
    ("max() -inf", lambda x: x.max(), [-inf, -inf], -inf, [0.5, 0.5]),
    ("logsumexp -inf", lambda x: x.logsumexp(0), [-inf, -inf], -inf, [nan, nan]),
    ("logsumexp one", lambda x: x.logsumexp(0), [-inf, 2.0], 2.0, [0.0, 1.0]),
    ("logsumexp big", lambda x: x.logsumexp(0), [1000.0, 0.0], 1000.0, [1.0, 0.0]),
    ("logsumexp inf", lambda x: x.logsumexp(0), [inf, 0.0], inf, [nan, 0.0]),
    ("sum inf", lambda x: x.sum(), [inf, -inf, 1.0], nan, [1.0, 1.0, 1.0]),
    ("mean", lambda x: x.mean(), [nan, 1.0], nan, [0.5, 0.5]),
]


@DTYPES
@pytest.mark.parametrize(("f", "at", "value", "gradient"), [pytest.param(*t[1:], id=t[0]) for t in TIES])
def test_reduction_at_an_edge(f, at, value, gradient, dtype):
    x = leaf(at, dtype)
    y = f(x)
    y.backward()
    assert_same(array(y), value, dtype)
    assert_same(array(x.grad), gradient, dtype)


@DTYPES
def test_max_and_min_over_a_dim_give_values_and_indices(dtype):
    x = leaf([[1.0, 5.0, 5.0], [7.0, 2.0, -1.0]], dtype)
    for f, wanted, at in [(pg.max, [5.0, 7.0], [1, 0]), (pg.min, [1.0, -1.0], [0, 2])]:
        got = f(x, dim=1)
        assert array(got.values).tolist() == wanted
        assert array(got.indices).tolist() == at
        assert str(got.indices.dtype).endswith("int64")
        assert not got.indices.requires_grad
        values, _indices = f(x, 1, keepdim=True)
        assert values.shape == (2, 1)


@DTYPES
def test_argmax_is_the_first_and_nan_counts_as_largest(dtype):
    t = pg.tensor(np.array([[1.0, 3.0, 3.0], [nan, 5.0, nan], [-inf, -inf, -inf]], dtype=dtype))
    assert t.argmax(1).tolist() == [1, 0, 0]
    assert (-t).argmin(1).tolist() == [1, 0, 0]
    assert t.argmax().item() == 3


@pytest.mark.parametrize("n", [1, 7, 16, 33, 100, 1000])
def test_argmax_is_the_first_of_many(n):
    t = pg.zeros(n)
    assert t.argmax().item() == 0
    assert t.argmin(0).item() == 0
    assert t.max(0)[1].item() == 0


@DTYPES
def test_sum_of_nothing_is_0_and_its_mean_nan(dtype):
    x = leaf([], dtype)
    assert x.sum().item() == 0.0
    assert math.isnan(x.mean().item())
    x.sum().backward()
    assert x.grad.shape == (0,)
    assert pg.zeros(0, 3).sum(0).tolist() == [0.0, 0.0, 0.0]
    assert pg.zeros(3, 0).sum(0).shape == (0,)


@pytest.mark.parametrize("name", ["max", "min"])
def test_largest_of_nothing_is_refused(name):
    with refused(RuntimeError, naming=(name,)):
        getattr(pg.zeros(0), name)()
    with refused(IndexError, naming=(name,)):
        getattr(pg.zeros(0), name)(0)
    with refused(IndexError, naming=(name,)):
        getattr(pg.zeros(2, 0), name)(dim=1)
    with refused(IndexError, naming=(f"a{name}",)):
        getattr(pg.zeros(2, 0), f"a{name}")(1)
    with refused(IndexError, naming=(f"arg{name}",)):
        getattr(pg.zeros(0), f"arg{name}")()
    with refused(IndexError, naming=(f"arg{name}",)):
        getattr(pg.zeros(2, 0), f"arg{name}")(1)
    assert getattr(pg.zeros(0, 3), name)(1)[0].shape == (0,)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_sum_of_integers_is_int64_and_their_mean_refused(dtype):
    t = pg.tensor(np.array([1, 0, 1]).astype(dtype))
    assert str(t.sum().dtype).endswith("int64")
    assert t.sum().item() == 2
    assert str(t.sum(0).dtype).endswith("int64")
    with refused(RuntimeError, naming=("mean",)):
        t.mean()


def test_sum_of_uint8_does_not_wrap():
    assert pg.tensor(np.full(1000, 255, dtype=np.uint8)).sum().item() == 255_000


def test_long_float32_sum_is_good_to_a_few_roundings():
    # Adding one after the other would stop at 2**24.
    assert pg.ones(2**25).sum().item() == 2.0**25
    x = np.random.default_rng(0).random(1_000_003, dtype=np.float32)
    exact = math.fsum(x.tolist())
    assert abs(pg.tensor(x).sum().item() - exact) <= 64 * UNIT["float32"] * exact


@DTYPES
def test_softmax_of_minus_infinities_is_nan(dtype):
    t = pg.tensor(np.array([-inf, -inf], dtype=dtype))
    assert np.isnan(array(pg.softmax(t, 0))).all()
    assert np.isnan(array(pg.log_softmax(t, 0))).all()


@DTYPES
def test_softmax_of_large_numbers_is_exact(dtype):
    x = leaf([1e4, 0.0, -1e4], dtype)
    assert array(pg.log_softmax(x, 0)).tolist() == [0.0, -1e4, -2e4]
    assert array(pg.softmax(x, 0)).tolist() == [1.0, 0.0, 0.0]
    pg.log_softmax(x, 0)[1].backward()
    assert array(x.grad).tolist() == [-1.0, 1.0, 0.0]
    masked = pg.softmax(pg.tensor(np.array([0.0, -inf, 0.0], dtype=dtype)), 0)
    assert masked.tolist() == [0.5, 0.0, 0.5]


def test_softmax_of_the_curriculum():
    assert [round(p, 4) for p in pg.softmax(pg.tensor([2.0, 1.0, 0.1]), 0).tolist()] == [0.659, 0.2424, 0.0986]


def test_rows_of_softmax_sum_to_one():
    p = pg.softmax(pg.tensor(np.random.default_rng(1).normal(0, 30, (50, 13))), 1)
    np.testing.assert_allclose(array(p.sum(1)), np.ones(50), rtol=1e-14)


@DTYPES
def test_infinities_and_nan_travel_through_matmul(dtype):
    a = pg.tensor(np.array([[inf, 0.0], [1.0, nan]], dtype=dtype))
    b = pg.tensor(np.array([[1.0], [0.0]], dtype=dtype))
    assert_same(array(a @ b), [[inf], [nan]], dtype)
    zeros = pg.zeros(2, 2, dtype=getattr(pg, dtype))
    # 0 * inf is nan: no short cut for zeros.
    assert np.isnan(array(zeros @ a)[:, 0]).all()


def test_inner_dimension_of_zero_gives_zeros():
    assert (pg.ones(2, 0) @ pg.ones(0, 3)).tolist() == [[0.0] * 3] * 2
    assert (pg.ones(0) @ pg.ones(0)).item() == 0.0


def test_derivative_outside_the_domain_does_not_raise_or_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for f in (lambda x: x.log(), lambda x: x.sqrt(), lambda x: 1 / x, lambda x: x**0.5, lambda x: pg.rsqrt(x)):
            x = leaf([-1.0, 0.0, nan, inf])
            f(x).sum().backward()


@DTYPES
def test_subnormal_numbers_are_not_flushed(dtype):
    tiny = {"float64": 5e-324, "float32": 2.0**-149}[dtype]
    t = pg.tensor(np.array([tiny, -tiny, 2 * tiny], dtype=dtype))
    assert (t + 0.0).tolist() == [tiny, -tiny, 2 * tiny]
    assert (t * 1.0).tolist() == [tiny, -tiny, 2 * tiny]
    assert t.abs().sum().item() == 4 * tiny


# Accuracy over the whole range, where the samplers of the table do not go.
WIDE = {
    "exp": (np.exp, np.linspace(-80, 80, 999)),
    "tanh": (np.tanh, np.concatenate([np.linspace(-12, 12, 999), 10.0 ** -np.arange(1.0, 30.0)])),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), np.linspace(-80, 80, 999)),
    "expm1": (np.expm1, np.concatenate([np.linspace(-20, 20, 999), 10.0 ** -np.arange(1.0, 30.0)])),
    "log1p": (np.log1p, np.concatenate([np.linspace(-0.99, 20, 999), 10.0 ** -np.arange(1.0, 30.0)])),
    "log": (np.log, np.concatenate([10.0 ** np.arange(-37.0, 38.0), 1 + np.linspace(-1e-3, 1e-3, 100)])),
    "sqrt": (np.sqrt, 10.0 ** np.arange(-37.0, 38.0)),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 10.0 ** np.arange(-37.0, 38.0)),
    "erf": (np.vectorize(math.erf), np.concatenate([np.linspace(-6, 6, 999), 10.0 ** -np.arange(1.0, 30.0)])),
    "softplus": (lambda x: np.logaddexp(0, x), np.linspace(-80, 19.5, 999)),
    "logsigmoid": (lambda x: -np.logaddexp(0, -x), np.linspace(-80, 80, 999)),
    "silu": (lambda x: x / (1 + np.exp(-x)), np.linspace(-80, 80, 999)),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)),
            np.concatenate([np.linspace(-40, 4, 999), -(10.0 ** -np.arange(1.0, 30.0))])),
}  # fmt: skip
# exp(-x) of the formulas above is one rounding of x away from a relative error of x: 80 roundings.
LOOSE = {"sigmoid": 100, "softplus": 100, "logsigmoid": 100, "silu": 100}


@DTYPES
@pytest.mark.parametrize("name", WIDE)
def test_relative_error_is_small_over_the_whole_range(name, dtype):
    oracle, x = WIDE[name]
    x = x.astype(np.float32).astype(np.float64)
    got, wanted = array(getattr(pg, name)(pg.tensor(x.astype(dtype)))).astype(np.float64), oracle(x)
    np.testing.assert_allclose(got, wanted, rtol=LOOSE.get(name, 8) * UNIT[dtype], atol=0)
