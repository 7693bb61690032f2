"""Functions and arithmetic, element by element."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from tensor_backend import pg

from .rows import ANY, POSITIVE, THREE_TENSORS, TRUTH, TWO_TENSORS, Array, Input, Row, fixed, grid, real, strange, unary

erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _gelu(x: Array, approximate: str = "none") -> Array:
    if approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))


def _softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    return np.where(beta * x > threshold, x, np.logaddexp(0.0, beta * x) / beta)


def _selu(x: Array) -> Array:
    # The constants of Klambauer et al., 2017, "Self-Normalizing Neural Networks", appendix 4.
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    return np.where(x > 0, x, negative_slope * x)


ELEMENTWISE = (
    unary("neg", ANY, np.negative, roundings=0),
    unary("exp", real(-3, 3), np.exp),
    unary("log", POSITIVE, np.log),
    unary("log1p", real(-0.7, 3), np.log1p),
    unary("expm1", ANY, np.expm1),
    unary("exp2", real(-3, 3), lambda x: 2.0**x),
    unary("log2", POSITIVE, np.log2),
    unary("log10", POSITIVE, np.log10),
    unary("sqrt", POSITIVE, np.sqrt),
    unary("rsqrt", POSITIVE, lambda x: 1.0 / np.sqrt(x)),
    unary("square", ANY, lambda x: x * x),
    unary("reciprocal", POSITIVE, lambda x: 1.0 / x),
    unary("abs", real(-2, 2, 0), np.abs, roundings=0),
    unary("sign", real(-2, 2, 0), np.sign, roundings=0),
    unary("sin", real(-6, 6), np.sin),
    unary("cos", real(-6, 6), np.cos),
    unary("tan", real(-1.2, 1.2), np.tan),
    unary("asin", real(-0.9, 0.9), np.arcsin),
    unary("acos", real(-0.9, 0.9), np.arccos),
    unary("atan", real(-4, 4), np.arctan),
    unary("sinh", real(-3, 3), np.sinh),
    unary("cosh", real(-3, 3), np.cosh),
    unary("floor", real(-2.4, 2.4, -2, -1, 0, 1, 2), np.floor, roundings=0),
    unary("ceil", real(-2.4, 2.4, -2, -1, 0, 1, 2), np.ceil, roundings=0),
    unary("trunc", real(-2.4, 2.4, -2, -1, 0, 1, 2), np.trunc, roundings=0),
    unary("round", real(-2.4, 2.4, -1.5, -0.5, 0.5, 1.5), np.rint, roundings=0),
    unary("round(1)", Input(lambda rng, shape: rng.integers(-30, 30, shape) / 10 + 0.03),
          lambda x, decimals: np.round(x, decimals), options={"decimals": 1}),
    unary("round(-1)", Input(lambda rng, shape: rng.integers(-30, 30, shape) * 10 + 3.0),
          lambda x, decimals: np.round(x, decimals), options={"decimals": -1}),
    unary("tanh", real(-4, 4), np.tanh),
    unary("sigmoid", real(-8, 8), _sigmoid),
    unary("erf", real(-3, 3), erf),
    unary("erfc", real(-3, 3), np.vectorize(math.erfc, otypes=[np.float64])),
    unary("pow(2)", ANY, lambda x, exponent: x * x, options={"exponent": 2}),
    unary("pow(3)", ANY, lambda x, exponent: x * x * x, options={"exponent": 3}),
    unary("pow(0.5)", POSITIVE, lambda x, exponent: np.sqrt(x), options={"exponent": 0.5}),
    unary("pow(-1.5)", POSITIVE, lambda x, exponent: x**-1.5, options={"exponent": -1.5}),
    unary("pow(2**x)", ANY, np.exp2, method=False, call=lambda x: 2.0**x),
    unary("clamp(both)", real(-2, 2, -1, 0.5), lambda x, min, max: np.clip(x, min, max),
          options={"min": -1.0, "max": 0.5}, roundings=0),
    unary("clamp(min)", real(-2, 2, 0.25), lambda x, min: np.maximum(x, min), options={"min": 0.25}, roundings=0),
    unary("clamp(max)", real(-2, 2, 0.25), lambda x, max: np.minimum(x, max), options={"max": 0.25}, roundings=0),
    unary("clamp_min", real(-2, 2, 0.25), lambda x, min: np.maximum(x, min), options={"min": 0.25}, roundings=0),
    unary("clamp_max", real(-2, 2, 0.25), lambda x, max: np.minimum(x, max), options={"max": 0.25}, roundings=0),
    unary("nan_to_num", ANY, lambda x: x, roundings=0),
    unary("nan_to_num(strange)", fixed(strange), lambda x, **numbers: np.nan_to_num(x, **numbers),
          options={"nan": 0.5, "posinf": 9.0, "neginf": -8.0}, roundings=0, scale=lambda x: 9.0),
    unary("relu", real(-2, 2, 0), lambda x: np.maximum(x, 0.0), roundings=0),
    unary("leaky_relu", real(-2, 2, 0), _leaky_relu, method=False),
    unary("leaky_relu(0.2)", real(-2, 2, 0), _leaky_relu, method=False, options={"negative_slope": 0.2}),
    unary("elu", real(-3, 2, 0), _elu, method=False),
    unary("elu(0.7)", real(-3, 2, 0), _elu, method=False, options={"alpha": 0.7}),
    unary("gelu", real(-4, 4), _gelu, method=False),
    unary("gelu(tanh)", real(-4, 4), _gelu, method=False, options={"approximate": "tanh"}, covers=("gelu_tanh",)),
    unary("silu", real(-6, 6), lambda x: x * _sigmoid(x), method=False, covers=("swish",)),
    unary("softplus", real(-6, 25, 20), _softplus, method=False),
    unary("softplus(2)", real(-3, 6, 5), _softplus, method=False, options={"beta": 2.0, "threshold": 10.0}),
    unary("selu", real(-3, 3, 0), _selu, method=False),
    unary("mish", real(-6, 6), lambda x: x * np.tanh(np.logaddexp(0.0, x)), method=False),
    unary("hardtanh", real(-3, 3, -1, 1), lambda x: np.clip(x, -1.0, 1.0), method=False, roundings=0),
    unary("hardtanh(-2,0.5)", real(-3, 3, -2, 0.5), lambda x, min_val, max_val: np.clip(x, min_val, max_val),
          method=False, options={"min_val": -2.0, "max_val": 0.5}, roundings=0),
    unary("relu6", real(-2, 8, 0, 6), lambda x: np.clip(x, 0.0, 6.0), method=False, roundings=0),
    unary("logsigmoid", real(-8, 8), lambda x: -np.logaddexp(0.0, -x), method=False),
)  # fmt: skip


def _lerp(a: Array, b: Array, w: Any) -> Array:
    return (1.0 - w) * a + w * b


# With the odd sixteenths of the dividend: no quotient is whole, or nearly so.
DIVISOR = Input(lambda rng, shape: rng.choice([-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0], shape))

BINARY = (
    Row("add", (ANY, ANY), np.add, TWO_TENSORS, methods=("add", "__add__")),
    Row("sub", (ANY, ANY), np.subtract, TWO_TENSORS, methods=("sub", "__sub__")),
    Row("mul", (ANY, ANY), np.multiply, TWO_TENSORS, methods=("mul", "__mul__")),
    Row("div", (ANY, POSITIVE), np.divide, TWO_TENSORS, methods=("div", "__truediv__")),
    Row("pow", (POSITIVE, ANY), np.power, TWO_TENSORS, methods=("pow", "__pow__"), roundings=16),
    Row("maximum", (grid(0), grid(0.125)), np.maximum, TWO_TENSORS, methods=("maximum",), roundings=0),
    Row("minimum", (grid(0), grid(0.125)), np.minimum, TWO_TENSORS, methods=("minimum",), roundings=0),
    Row("fmax", (grid(0), grid(0.125)), np.fmax, TWO_TENSORS, methods=("fmax",), roundings=0),
    Row("fmin", (grid(0), grid(0.125)), np.fmin, TWO_TENSORS, methods=("fmin",), roundings=0),
    Row("remainder", (grid(0.0625), DIVISOR), np.remainder, TWO_TENSORS, methods=("remainder", "__mod__")),
    Row("fmod", (grid(0.0625), DIVISOR), np.fmod, TWO_TENSORS, methods=("fmod",)),
    # No gradient here: PyTorch refuses one.
    Row("floor_divide", (fixed(grid(0.0625).sample), fixed(DIVISOR.sample)), np.floor_divide, TWO_TENSORS,
        methods=("floor_divide", "__floordiv__")),
    Row("hypot", (real(-3, 3), POSITIVE), np.hypot, TWO_TENSORS, methods=("hypot",)),
    Row("atan2", (real(-3, 3), POSITIVE), np.arctan2, TWO_TENSORS, methods=("atan2",)),
    Row("logaddexp", (ANY, ANY), np.logaddexp, TWO_TENSORS, methods=("logaddexp",)),
    Row("lerp", (ANY, ANY, real(-0.2, 1.2)), _lerp, THREE_TENSORS, methods=("lerp",)),
    Row("lerp(0.3)", (ANY, ANY), functools.partial(_lerp, w=0.3), TWO_TENSORS,
        call=lambda a, b: pg.lerp(a, b, 0.3)),
    Row("lerp(0.8)", (ANY, ANY), functools.partial(_lerp, w=0.8), TWO_TENSORS,
        call=lambda a, b: pg.lerp(a, b, 0.8)),
    Row("where", (TRUTH, ANY, ANY), np.where, THREE_TENSORS, roundings=0),
    Row("clamp(tensors)", (grid(0), grid(0.125, -7, -2), grid(0.0625, 1, 6)), lambda x, a, b: np.clip(x, a, b),
        [c for c in THREE_TENSORS if () not in c.shapes or set(c.shapes) == {()}], methods=("clamp",), roundings=0),
)  # fmt: skip
