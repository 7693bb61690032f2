"""One row per tensor op: how to call it, what inputs it takes, and what it has to compute.

The oracles are numpy in float64 or formulas written out; none of them knows the engine. Samplers stay away from kinks,
jumps and ties, so that central differences of the oracle are the derivative; the edges have tests of their own.

`test_tensor_ops` derives from a row its tests of values, gradients, layouts, broadcasting and reuse.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tensor_backend import TORCH, pg

Array = np.ndarray
Shape = tuple[int, ...]
Sampler = Callable[[np.random.Generator, Shape], Array]


# ---- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Input:
    """One tensor argument: a sampler, and what may be done with it."""

    sample: Sampler
    differentiable: bool = True  # a float input whose gradient is checked
    dtype: str = "float"  # "float" (float32 and float64 are both tried), or the one dtype it has


def _single(x: Any) -> Array:
    """Round to float32, so that both precisions get the very same inputs."""
    return np.asarray(x).astype(np.float32).astype(np.float64)


def real(low: float, high: float, *kinks: float) -> Input:
    """Numbers between low and high, and at least 0.05 from each kink."""

    def sample(rng: np.random.Generator, shape: Shape) -> Array:
        x = np.asarray(rng.uniform(low, high, shape))
        for kink in kinks:
            x = np.where(abs(x - kink) < 0.05, kink + np.where(x < kink, -0.1, 0.1), x)
        return _single(x)

    return Input(sample)


def grid(offset: float, low: int = -8, high: int = 8) -> Input:
    """Quarters moved by an offset: two inputs with different offsets never tie."""
    return Input(lambda rng, shape: rng.integers(low, high, shape) / 4.0 + offset)


def distinct(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers no two of which are closer than 0.2."""
    n = math.prod(shape)
    return _single((rng.permutation(n).reshape(shape) - n / 2) * 0.37)


def fixed(sample: Sampler, dtype: str = "float") -> Input:
    return Input(sample, differentiable=False, dtype=dtype)


def labels(classes: int, ignored: int | None = None) -> Input:
    """Class numbers; with `ignored`, about one in three is that."""

    def sample(rng: np.random.Generator, shape: Shape) -> Array:
        y = rng.integers(0, classes, shape)
        return y if ignored is None else np.where(rng.random(shape) < 0.35, ignored, y)

    return fixed(sample, "int64")


def strange(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers, infinities and nan, with repetitions."""
    return rng.choice([0.0, 1.0, 1.0, -2.0, np.inf, -np.inf, np.nan], shape)


def distribution(rng: np.random.Generator, shape: Shape) -> Array:
    """Probabilities that sum to 1 over the classes."""
    p = rng.uniform(0.1, 1.0, shape)
    return _single(p / p.sum(axis=0 if len(shape) == 1 else 1, keepdims=True))


ANY = real(-2.0, 2.0)
POSITIVE = real(0.3, 3.0)
TRUTH = fixed(lambda rng, shape: rng.random(shape) < 0.5, "bool")
SMALL_INTS = fixed(lambda rng, shape: rng.integers(-3, 4, shape), "int64")
NONZERO_INTS = fixed(lambda rng, shape: rng.choice([-3, -2, -1, 1, 2, 3], shape), "int64")
UNIQUE = Input(distinct)


# ---- cases ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """The shapes of the inputs and the options of one call."""

    shapes: tuple[Shape, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [*map(str, self.shapes), *(f"{k}={v}" for k, v in self.options.items())]
        return "-".join(words).replace(" ", "")


def case(*shapes: Shape, **options: Any) -> Case:
    return Case(shapes, options)


def options(cases: Sequence[Case], **more: Any) -> list[Case]:
    return [Case(c.shapes, {**c.options, **more}) for c in cases]


# 0-d, size 1, longer than a vector and not a multiple of it, several axes, nothing at all.
ONE_TENSOR = tuple(case(s) for s in [(3, 5), (2, 1, 3), (), (1,), (131,), (0,), (2, 0, 3)])

# Same shapes; added axes; size-1 axes in one and in both operands; 0-d; zero-size.
TWO_TENSORS = tuple(
    case(a, b)
    for a, b in [
        ((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((3, 4), (3, 1)), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)),
        ((2, 3, 2), (2, 1, 2)), ((), (3,)), ((2, 3), ()), ((), ()), ((1, 1), (2,)), ((1,), (1, 1, 1)), ((131,), (131,)),
        ((3, 67), (67,)), ((0,), (1,)), ((2, 0, 3), (3,)), ((0, 3), ()), ((1, 3), (0, 1)),
    ]
)  # fmt: skip

THREE_TENSORS = (
    case((3, 4), (3, 4), (3, 4)), case((3, 4), (4,), (3, 1)), case((2, 1), (3,), ()), case((), (), ()),
    case((), (2, 3), (3,)), case((131,), (131,), (1,)), case((0, 3), (3,), (1, 1)),
)  # fmt: skip

REDUCTIONS = (
    case((3, 4)), case((3, 4), dim=0), case((3, 4), dim=-1), case((3, 4), dim=1, keepdim=True), case((2, 3, 4), dim=1),
    case((2, 3, 4), dim=-2, keepdim=True), case((5, 67), dim=0), case((5, 67), dim=1), case((), ), case((1,), dim=0),
    case((), dim=0), case((), dim=-1), case((0, 3), dim=1), case((2, 0, 3), dim=0, keepdim=True),
)  # fmt: skip
SEVERAL_AXES = (
    case((2, 3, 4), dim=(0, 2)), case((2, 3, 4), dim=(-1, 0), keepdim=True), case((2, 3, 4), dim=(0, 1, 2)),
    case((2, 3, 4), dim=(1,)),
)  # fmt: skip
OVER_ONE_AXIS = tuple(c for c in REDUCTIONS if "dim" in c.options)
ALONG = tuple(
    case(s, dim=d) for s, d in [((3, 4), 1), ((3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((67,), 0), ((), 0),
                                ((0, 3), 1), ((0, 3), 0), ((3, 1), 1)]
)  # fmt: skip


# ---- rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """An op: `call(*tensors, **options)` has to compute `oracle(*arrays, **options)`.

    Parameters
    ----------
    name : str
        What test reports call it. Up to the bracket, PyTorch's name of the op.
    inputs : sequence of Input
        Its tensor arguments.
    oracle : callable
        The value, from float64 arrays.
    cases : sequence of Case
        Shapes and options to try.
    call : callable, optional
        The call, where it is not ``pg.<name>(*tensors, **options)``.
    methods : tuple of str
        Methods of the first input that take the others and must agree bit for bit.
    result : str
        "float", as the inputs; or the dtype of the result.
    roundings : int
        What the value may be off by, in roundings at its own scale or the inputs'.
    scale : callable, optional
        A bound of the terms that are added up and their number's product, from the arrays; where it is not the
        largest input, times the inputs per result.
    covers : tuple of str
        Names of the engine's rows and of methods that this row checks, its own name excepted.
    """

    name: str
    inputs: Sequence[Input]
    oracle: Callable[..., Any]
    cases: Sequence[Case]
    call: Callable[..., Any] | None = None
    methods: tuple[str, ...] = ()
    result: str = "float"
    roundings: int = 8
    scale: Callable[..., float] | None = None
    covers: tuple[str, ...] = ()

    @property
    def op(self) -> str:
        return self.name.partition("(")[0]

    def __call__(self, *tensors: Any, **options: Any) -> Any:
        if self.call is not None:
            return self.call(*tensors, **options)
        return getattr(pg, self.op)(*tensors, **options)

    def wanted(self, *arrays: Array, **options: Any) -> Array:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing
            return np.asarray(self.oracle(*arrays, **options))

    def differentiable(self) -> list[int]:
        return [i for i, given in enumerate(self.inputs) if given.differentiable and self.result == "float"]


def unary(name: str, domain: Input, oracle: Callable[..., Any], method: bool = True, **more: Any) -> Row:
    options = more.pop("options", {})
    cases = [Case(c.shapes, options) for c in ONE_TENSOR]
    return Row(name, (domain,), oracle, cases, methods=(name.partition("(")[0],) if method else (), **more)


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


def _ints(result: str, **names: Callable[..., Any]) -> tuple[Row, ...]:
    return tuple(
        Row(name, (SMALL_INTS, SMALL_INTS), oracle, TWO_TENSORS, methods=(name,), result=result, roundings=0)
        for name, oracle in names.items()
    )


def _one(*_: Array) -> float:
    """The scale of what may be infinite, and whose result is a bool."""
    return 1.0


def _operator(symbol: str) -> Callable[..., Any]:
    # A string of Python, so that the operator itself is what is tried.
    return eval(f"lambda a, b: a {symbol} b")


COMPARISONS = (
    *_ints("bool", eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater, ge=np.greater_equal),
    *_ints("bool", logical_and=np.logical_and, logical_or=np.logical_or, logical_xor=np.logical_xor),
    *(
        Row(f"{name}(operator)", (grid(0), grid(0)), oracle, TWO_TENSORS, call=_operator(symbol), result="bool",
            roundings=0, covers=(f"__{name}__",))
        for name, symbol, oracle in [
            ("eq", "==", np.equal), ("ne", "!=", np.not_equal), ("lt", "<", np.less), ("le", "<=", np.less_equal),
            ("gt", ">", np.greater), ("ge", ">=", np.greater_equal),
        ]
    ),
    *(
        Row(f"{name}({kind})", (given, given), oracle, TWO_TENSORS, call=_operator(symbol), result=kind, roundings=0,
            covers=(f"__{name[8:]}__",))
        for name, symbol, oracle in [("bitwise_and", "&", np.bitwise_and), ("bitwise_or", "|", np.bitwise_or),
                                     ("bitwise_xor", "^", np.bitwise_xor)]
        for kind, given in [("bool", TRUTH), ("int64", SMALL_INTS)]
    ),
    *(
        Row(f"bitwise_not({kind})", (given,), np.invert, ONE_TENSOR, call=lambda a: ~a, result=kind, roundings=0,
            covers=("__invert__",))
        for kind, given in [("bool", TRUTH), ("int64", SMALL_INTS)]
    ),
    *(
        Row(f"{name}(int64)", (SMALL_INTS, NONZERO_INTS), oracle, TWO_TENSORS, methods=(name,), result="int64",
            roundings=0)
        for name, oracle in [("remainder", np.remainder), ("fmod", np.fmod), ("floor_divide", np.floor_divide),
                             ("fmax", np.fmax), ("fmin", np.fmin)]
    ),
    *(
        Row(f"{name}(int64)", (SMALL_INTS,), oracle, ONE_TENSOR, methods=(name,), result="int64", roundings=0)
        for name, oracle in [("floor", np.floor), ("ceil", np.ceil), ("round", np.round), ("trunc", np.trunc)]
    ),
    *(
        Row(name, (fixed(strange),), oracle, ONE_TENSOR, methods=(name,), result="bool", roundings=0, scale=_one)
        for name, oracle in [("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite)]
    ),
    Row("isclose", (fixed(strange), fixed(strange)), np.isclose, TWO_TENSORS, methods=("isclose",), result="bool",
        roundings=0, scale=_one, covers=("allclose",)),
    Row("isclose(tolerances)", (fixed(ANY.sample), fixed(ANY.sample)), np.isclose,
        options(TWO_TENSORS, rtol=0.2, atol=0.1), methods=("isclose",), result="bool", roundings=0),
    Row("isclose(nan)", (fixed(strange), fixed(strange)), np.isclose, options(TWO_TENSORS, equal_nan=True),
        methods=("isclose",), result="bool", roundings=0, scale=_one),
    Row("logical_not", (SMALL_INTS,), np.logical_not, ONE_TENSOR, methods=("logical_not",), result="bool",
        roundings=0),
    Row("logical_and(float)", (grid(0, -1, 2), grid(0, -1, 2)), np.logical_and, TWO_TENSORS, result="bool",
        roundings=0),
)  # fmt: skip


def _axes(a: Array, dim: Any) -> Any:
    """Numpy's axis for PyTorch's dim, which also accepts 0 and -1 of a 0-d tensor."""
    return None if a.ndim == 0 else dim


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim=None, keepdim=False: function(a, axis=_axes(a, dim), keepdims=keepdim and a.ndim > 0)


def _logsumexp(a: Array, axis: Any, keepdims: bool) -> Array:
    if a.ndim == 0:
        return a
    top = a.max(axis=axis, keepdims=True) if a.size else 0.0
    total = top + np.log(np.exp(a - top).sum(axis=axis, keepdims=True))
    return total if keepdims else total.squeeze(axis)


def _log_softmax(a: Array, dim: int) -> Array:
    return a - _logsumexp(a, dim, True) if a.ndim else np.zeros_like(a)


EMPTY_SUMS = (case((0,)), case((0, 3), dim=0), case((2, 0, 3), dim=1, keepdim=True), case((0,), dim=0))

REDUCING = (
    Row("sum", (ANY,), reduction(np.sum), (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS), methods=("sum",)),
    Row("mean", (ANY,), reduction(np.mean), (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS), methods=("mean",)),
    Row("max(all)", (UNIQUE,), np.max, [case((3, 4)), case(()), case((131,))], methods=("max",), roundings=0),
    Row("min(all)", (UNIQUE,), np.min, [case((3, 4)), case(()), case((131,))], methods=("min",), roundings=0),
    Row("max(dim)", (UNIQUE,), reduction(np.max), OVER_ONE_AXIS, call=lambda a, **o: pg.max(a, **o)[0], roundings=0),
    Row("min(dim)", (UNIQUE,), reduction(np.min), OVER_ONE_AXIS, call=lambda a, **o: pg.min(a, **o)[0], roundings=0),
    Row("amax", (UNIQUE,), reduction(np.max), (*REDUCTIONS, *SEVERAL_AXES), methods=("amax",), roundings=0),
    Row("amin", (UNIQUE,), reduction(np.min), (*REDUCTIONS, *SEVERAL_AXES), methods=("amin",), roundings=0),
    Row(
        "all",
        (grid(0, -1, 1),),
        reduction(np.all),
        (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS),
        methods=("all",),
        result="bool",
        roundings=0,
    ),
    Row(
        "any",
        (grid(0, -1, 1),),
        reduction(np.any),
        (*REDUCTIONS, *SEVERAL_AXES, *EMPTY_SUMS),
        methods=("any",),
        result="bool",
        roundings=0,
    ),
    Row("argmax", (UNIQUE,), reduction(np.argmax), REDUCTIONS, methods=("argmax",), result="int64", roundings=0),
    Row("argmin", (UNIQUE,), reduction(np.argmin), REDUCTIONS, methods=("argmin",), result="int64", roundings=0),
    Row("logsumexp", (ANY,), reduction(_logsumexp), (*OVER_ONE_AXIS, *SEVERAL_AXES), methods=("logsumexp",)),
    Row("softmax", (ANY,), lambda a, dim: np.exp(_log_softmax(a, dim)), ALONG, methods=("softmax",)),
    Row("log_softmax", (ANY,), _log_softmax, ALONG, methods=("log_softmax",)),
)

# ---- statistics -----------------------------------------------------------------------------------------------------


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim=None, correction=1, keepdim=False: function(
        a, axis=_axes(a, dim), ddof=correction, keepdims=keepdim and a.ndim > 0
    )


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, dim: function(np.atleast_1d(a), axis=dim).reshape(a.shape)


def _norm(a: Array, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Array:
    axis, keepdims, size = _axes(a, dim), keepdim and a.ndim > 0, abs(a)
    if p == 0:
        return np.count_nonzero(a, axis=axis, keepdims=keepdims) * 1.0
    if isinstance(p, float) and math.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    order = 2 if p == "fro" else p
    return np.sum(size**order, axis=axis, keepdims=keepdims) ** (1 / order)


OVER_ALL = (*REDUCTIONS, *SEVERAL_AXES)
OF_SEVERAL = tuple(c for c in OVER_ALL if math.prod(c.shapes[0]) != 1)
RUNS = (*ALONG, case((), dim=-1), case((2, 5, 3), dim=-2), case((131,), dim=0))
AROUND_ZERO = grid(0, -2, 3)


def ordered(part: int) -> Callable[..., Array]:
    """Sort along a dimension, or take its first k: the values, or the places."""

    def function(
        a: Array, dim: int = -1, descending: bool = False, k: int | None = None, largest: bool = True
    ) -> Array:
        backwards = descending if k is None else largest
        order = np.argsort(np.atleast_1d(-a if backwards else a), axis=dim, kind="stable")
        order = order if k is None else order.take(range(k), dim)
        found = order if part else np.take_along_axis(np.atleast_1d(a), order, dim)
        return found if a.ndim else found.reshape(())

    return function


def _median(a: Array, dim: Any = None, keepdim: bool = False) -> Array:
    axis = _axes(a, dim)
    flat = a.reshape(-1) if axis is None else a
    n = flat.shape[-1 if axis is None else axis]
    middle = np.sort(flat, axis=-1 if axis is None else axis).take((n - 1) // 2, -1 if axis is None else axis)
    return np.expand_dims(middle, axis) if keepdim and axis is not None else middle


SORTED = (
    *ALONG,
    *(Case(c.shapes, {**c.options, "descending": True}) for c in ALONG),
    case((3, 4)),
    case((2, 700), dim=1),
)
TOP = (
    case((3, 4), k=2), case((3, 4), k=2, dim=0), case((3, 4), k=3, dim=1, largest=False), case((2, 3, 4), k=1, dim=1),
    case((131,), k=131), case((700,), k=33, largest=False), case((700,), k=32), case((), k=1), case((3, 4), k=0),
    case((0, 3), k=2, dim=1),
)  # fmt: skip

STATISTICS = (
    Row("prod", (real(0.5, 1.5),), reduction(np.prod), (*REDUCTIONS, *EMPTY_SUMS), methods=("prod",)),
    Row("prod(zeros)", (AROUND_ZERO,), reduction(np.prod), [c for c in REDUCTIONS if c.shapes != ((5, 67),)]),
    Row("cumsum", (ANY,), running(np.cumsum), RUNS, methods=("cumsum",)),
    Row("cumprod", (real(-1.3, 1.3),), running(np.cumprod), RUNS, methods=("cumprod",)),
    Row("cumprod(zeros)", (AROUND_ZERO,), running(np.cumprod), ALONG[:4]),
    Row("var", (ANY,), spread(np.var), OF_SEVERAL, methods=("var",)),
    Row("var(0)", (ANY,), spread(np.var), [Case(c.shapes, {**c.options, "correction": 0}) for c in REDUCTIONS]),
    Row("std", (ANY,), spread(np.std), OF_SEVERAL, methods=("std",)),
    Row("std(0.5)", (ANY,), spread(np.std), [Case(c.shapes, {**c.options, "correction": 0.5}) for c in OF_SEVERAL]),
    *(
        Row(f"{name}_mean({part})", (ANY,), spread(oracle), OF_SEVERAL, call=lambda a, i=i, f=f"{name}_mean", **o:
            getattr(pg, f)(a, **o)[i])
        for name, function in [("var", np.var), ("std", np.std)]
        for i, part, oracle in [(0, name, function), (1, "mean", lambda a, ddof, **o: np.mean(a, **o))]
    ),
    *(
        Row(f"norm({p})", (domain,), _norm,
            [Case(c.shapes, {**c.options, "p": p}) for c in OVER_ALL])
        for p, domain in [
            (0, fixed(ANY.sample)), (0.5, real(-2, 2, 0)), (1, real(-2, 2, 0)), (1.5, real(-2, 2, 0)),
            (2, real(-2, 2, 0)), (3, real(-2, 2, 0)), (-1, POSITIVE), (math.inf, UNIQUE), (-math.inf, UNIQUE),
        ]
    ),
    *(
        Row(f"sort({part})", (UNIQUE,), ordered(i), SORTED, call=lambda a, i=i, **o: pg.sort(a, **o)[i],
            result=result, roundings=0, covers=("sort",))
        for i, part, result in [(0, "values", "float"), (1, "indices", "int64")]
    ),
    Row("argsort", (UNIQUE,), ordered(1), SORTED, methods=("argsort",), result="int64", roundings=0),
    *(
        Row(f"topk({part})", (UNIQUE,), ordered(i), TOP, call=lambda a, i=i, **o: pg.topk(a, **o)[i],
            result=result, roundings=0, covers=("topk",))
        for i, part, result in [(0, "values", "float"), (1, "indices", "int64")]
    ),
    Row("median", (UNIQUE,), _median, [case((3, 4)), case(()), case((131,)), case((2, 3, 3))], methods=("median",),
        roundings=0),
    Row("median(dim)", (UNIQUE,), _median, (*OVER_ONE_AXIS[1:], OVER_ONE_AXIS[0]),
        call=lambda a, **o: pg.median(a, **o)[0], roundings=0),
    Row("nonzero", (fixed(AROUND_ZERO.sample),), lambda a: np.argwhere(a), ONE_TENSOR, methods=("nonzero",),
        result="int64", roundings=0),
    Row("unique", (fixed(SMALL_INTS.sample, "int64"),), np.unique, ONE_TENSOR, methods=("unique",), result="int64",
        roundings=0),
    Row("norm", (real(-2, 2, 0),), _norm, (*REDUCTIONS, *SEVERAL_AXES[:2]), methods=("norm",)),
)  # fmt: skip

PRODUCTS = (
    *(case(a, b) for a, b in [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((17, 33), (33, 19)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((5, 2, 3), (3,)),
        ((3,), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 2)),
        ((64, 70), (70, 66)),
    ]),
)  # fmt: skip


def _scale_of_product(x: Array, w: Array, *_: Array) -> float:
    return x.shape[-1] * float(abs(x).max(initial=0.0) * abs(w).max(initial=0.0))


def _linear(x: Array, w: Array, b: Array | None = None) -> Array:
    y = x @ w.T
    return y if b is None else y + b


MATRICES = (
    Row("matmul", (ANY, ANY), np.matmul, PRODUCTS, methods=("matmul", "__matmul__"),
        scale=_scale_of_product),
    Row("linear", (ANY, ANY, ANY), _linear,
        [case((5, 3), (2, 3), (2,)), case((3,), (2, 3), (2,)), case((2, 4, 3), (5, 3), (5,)),
         case((0, 3), (2, 3), (2,)), case((2, 0), (3, 0), (3,)), case((65, 33), (17, 33), (17,))],
        scale=_scale_of_product),
    Row("linear(no bias)", (ANY, ANY), _linear,
        [case((5, 3), (2, 3)), case((3,), (2, 3)), case((2, 4, 3), (5, 3)), case((1, 1), (1, 1))],
        scale=_scale_of_product),
)  # fmt: skip


def _flatten(a: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    start, end = start_dim % max(a.ndim, 1), end_dim % max(a.ndim, 1)
    return a.reshape((*a.shape[:start], math.prod(a.shape[start : end + 1]), *a.shape[end + 1 :]))


def _squeeze(a: Array, dim: Any = None) -> Array:
    dims = range(a.ndim) if dim is None else [d % max(a.ndim, 1) for d in (dim if isinstance(dim, tuple) else (dim,))]
    return a.reshape([n for d, n in enumerate(a.shape) if d not in dims or n != 1])


def shaping(name: str, oracle: Callable[..., Any], *cases: Case, **more: Any) -> Row:
    return Row(name, (ANY,), oracle, cases, roundings=0, **more)


SHAPES = (
    shaping("reshape", lambda a, shape: a.reshape(shape), case((2, 6), shape=(3, 4)), case((2, 6), shape=(-1,)),
            case((2, 6), shape=(2, -1, 3)), case((), shape=(1, 1)), case((1,), shape=()), case((0, 3), shape=(3, 0)),
            case((131,), shape=(131, 1)), methods=("reshape",)),
    shaping("view", lambda a, shape: a.reshape(shape), case((2, 6), shape=(3, 4)), case((2, 6), shape=(12,)),
            case((2, 6), shape=(-1, 2)), case((), shape=(1,)), case((0, 3), shape=(0,)),
            call=lambda t, shape: t.contiguous().view(*shape), covers=("contiguous",)),
    shaping("flatten", _flatten, case((2, 3, 4)), case((2, 3, 4), start_dim=1), case((2, 3, 4), end_dim=-2), case(()),
            case((2, 0, 3), start_dim=1), methods=("flatten",)),
    shaping("squeeze", _squeeze, case((1, 3, 1)), case((1, 3, 1), dim=0), case((1, 3, 1), dim=-1), case((1, 3), dim=1),
            case(()), case((1, 2, 1, 1), dim=(0, 2)), methods=("squeeze",)),
    shaping("unsqueeze", lambda a, dim: np.expand_dims(a, dim), case((2, 3), dim=0), case((2, 3), dim=1),
            case((2, 3), dim=-1), case((2, 3), dim=-3), case((), dim=0), case((0, 2), dim=1), methods=("unsqueeze",)),
    shaping("transpose", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), case((2, 3, 4), dim0=0, dim1=2),
            case((2, 3, 4), dim0=-1, dim1=1), case((2, 3), dim0=1, dim1=1), case((0, 3), dim0=0, dim1=1),
            methods=("transpose",)),
    shaping("permute", lambda a, dims: np.transpose(a, dims), case((2, 3, 4), dims=(2, 0, 1)),
            case((2, 3, 4), dims=(-1, 1, 0)), case((3,), dims=(0,)), case((), dims=()), case((0, 2), dims=(1, 0)),
            methods=("permute",)),
    shaping("T", lambda a: a.T, case((2, 3)), case((1, 5)), case((0, 3)), call=lambda t: t.T),
    shaping("expand", lambda a, sizes: np.broadcast_to(a, sizes), case((2, 1), sizes=(2, 3)),
            case((3,), sizes=(2, 2, 3)), case((), sizes=(2, 3)), case((1, 3), sizes=(0, 3)), case((2, 3), sizes=(2, 3)),
            call=lambda t, sizes: t.expand(*sizes)),
    shaping("expand(-1)", lambda a: np.broadcast_to(a, (4, 2, 3)), case((2, 1)), call=lambda t: t.expand(4, -1, 3)),
    shaping("t", lambda a: a.T, case((2, 3)), case((4,)), case(()), methods=("t",)),
    shaping("ravel", np.ravel, case((2, 3)), case(()), case((0, 2)), methods=("ravel",)),
    shaping("narrow", lambda a, dim, start, length: a.take(range(start, start + length), dim),
            case((4, 5), dim=1, start=1, length=3), case((4, 5), dim=-2, start=2, length=0), methods=("narrow",)),
    shaping("select", lambda a, dim, index: a.take(index, dim), case((2, 3, 4), dim=1, index=-1),
            case((2, 3), dim=0, index=1), methods=("select",)),
    shaping("expand_as", lambda a: np.broadcast_to(a, (2, 4, 3)), case((4, 1)),
            call=lambda t: t.expand_as(pg.zeros(2, 4, 3))),
    shaping("clone", lambda a: a, *ONE_TENSOR, methods=("clone",)),
    Row("cat", (ANY, ANY, ANY), lambda *a, dim=0: np.concatenate(a, dim),
        [case((2, 3), (1, 3), (4, 3)), case((2, 3), (2, 1), (2, 2), dim=1), case((2, 3), (2, 3), (2, 3), dim=-1),
         case((0, 3), (2, 3), (1, 3)), case((5,), (0,), (2,)), case((0,), (0,), (0,))],
        call=lambda *t, dim=0: pg.cat(t, dim=dim), roundings=0),
    Row("stack", (ANY, ANY, ANY), lambda *a, dim=0: np.stack(a, dim),
        [case((2, 3), (2, 3), (2, 3)), case((2, 3), (2, 3), (2, 3), dim=1), case((2, 3), (2, 3), (2, 3), dim=-1),
         case((), (), ()), case((0,), (0,), (0,))],
        call=lambda *t, dim=0: pg.stack(t, dim=dim), roundings=0),
)  # fmt: skip


def _each_times(parts: Sequence[Any]) -> list[Any]:
    """Tell the pieces apart, by factors that round nothing."""
    return [part * 2.0 ** (k % 5) for k, part in enumerate(parts)]


def _numpy_split(a: Array, size: Any, dim: int = 0) -> Array:
    ends = np.arange(size, a.shape[dim], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return np.concatenate(_each_times(np.split(a, ends, dim)), dim)


def _numpy_chunk(a: Array, chunks: int, dim: int = 0) -> Array:
    return _numpy_split(a, -(-a.shape[dim] // chunks), dim)


def _unflatten(a: Array, dim: int, sizes: Shape) -> Array:
    at = dim % a.ndim
    return a.reshape(a.shape[:at] + sizes + a.shape[at + 1 :])


def _numpy_pad(a: Array, pad: Shape, mode: str = "constant", value: float = 0.0) -> Array:
    widths = [(0, 0)] * (a.ndim - len(pad) // 2) + [pad[i : i + 2] for i in range(len(pad) - 2, -1, -2)]
    for axis, (before, after) in enumerate(widths):
        a = a.take(range(max(-before, 0), a.shape[axis] - max(-after, 0)), axis)
    widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    return np.pad(a, widths, how, **({"constant_values": value} if mode == "constant" else {}))


ARRANGED = (
    shaping("unflatten", _unflatten, case((2, 6), dim=1, sizes=(3, 2)), case((6, 2), dim=-2, sizes=(1, 6)),
            case((2, 6), dim=-1, sizes=(2, -1)), case((0, 3), dim=0, sizes=(0, 2)), methods=("unflatten",)),
    *(
        shaping(name, lambda a, source, destination: np.moveaxis(a, source, destination),
                case((2, 3, 4), source=0, destination=2), case((2, 3, 4), source=-1, destination=0),
                case((2, 3, 4), source=(0, 2), destination=(1, 0)), case((2, 3), source=(), destination=()),
                case((0, 3), source=0, destination=1), methods=(name,))
        for name in ("movedim", "moveaxis")
    ),
    shaping("swapaxes", lambda a, axis0, axis1: np.swapaxes(a, axis0, axis1), case((2, 3, 4), axis0=0, axis1=-1),
            case((0, 3), axis0=1, axis1=0), methods=("swapaxes",)),
    shaping("swapdims", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), case((2, 3, 4), dim0=1, dim1=-1),
            case((0, 3), dim0=1, dim1=0), methods=("swapdims",)),
    shaping("broadcast_to", lambda a, size: np.broadcast_to(a, size), case((2, 1), size=(2, 3)), case((), size=(2, 3)),
            case((1, 3), size=(0, 3)), case((3,), size=(2, 2, 3)), methods=("broadcast_to",)),
    shaping("repeat", lambda a, repeats: np.tile(a, repeats), case((2, 3), repeats=(2, 3)), case((3,), repeats=(2, 1)),
            case((2, 3), repeats=(1, 1)), case((1,), repeats=(4,)), case((), repeats=()), case((), repeats=(2, 3)),
            case((2, 3), repeats=(0, 2)), case((0, 3), repeats=(2, 2)), case((2, 1, 3), repeats=(2, 1, 2, 3)),
            call=lambda t, repeats: t.repeat(*repeats) if repeats else t.repeat(()), methods=("repeat",)),
    shaping("tile", lambda a, dims: np.tile(a, dims), case((2, 3), dims=(2,)), case((2, 3), dims=(2, 1, 2)),
            case((2, 3), dims=()), case((0, 3), dims=(2, 2)), methods=("tile",)),
    shaping("flip", lambda a, dims: np.flip(a, dims), case((2, 3), dims=(0,)), case((2, 3, 4), dims=(0, -1)),
            case((2, 3), dims=()), case((131,), dims=(0,)), case((0, 3), dims=(0,)), case((), dims=()),
            methods=("flip",)),
    shaping("roll", lambda a, shifts, dims=None: np.roll(a, shifts, dims), case((2, 3), shifts=1),
            case((2, 3), shifts=-2, dims=1), case((3, 4, 5), shifts=(1, -7), dims=(0, 2)), case((), shifts=3),
            case((4, 5), shifts=(1, 2), dims=(0, 0)), case((131,), shifts=17, dims=0), case((0, 3), shifts=1, dims=0),
            case((3, 2, 2), shifts=(2, 1, 1), dims=(-3, 1, 2)), case((4,), shifts=4, dims=0), methods=("roll",)),
    *(
        shaping(name, oracle, case((3, 3)), case((3, 5), diagonal=1), case((5, 3), diagonal=-2), case((2, 3, 4)),
                case((3, 4), diagonal=9), case((3, 4), diagonal=-9), case((0, 3)), case((3, 0)), methods=(name,))
        for name, oracle in [("tril", lambda a, diagonal=0: np.tril(a, diagonal)),
                             ("triu", lambda a, diagonal=0: np.triu(a, diagonal))]
    ),
    shaping("diagonal", lambda a, offset=0, dim1=0, dim2=1: np.diagonal(a, offset, dim1, dim2), case((3, 3)),
            case((3, 5), offset=1), case((3, 5), offset=-2), case((2, 3, 4), dim1=-1, dim2=0, offset=-1),
            case((2, 3, 4), offset=1, dim1=1, dim2=2), case((3, 4), offset=9), case((0, 3)), methods=("diagonal",)),
    shaping("diag", lambda a, diagonal=0: np.diag(a, diagonal), case((3,)), case((3,), diagonal=-2), case((3, 4)),
            case((3, 4), diagonal=1), case((4, 3), diagonal=-5), case((0,)), methods=("diag",)),
    Row("trace", (ANY,), np.trace, [case((3, 3)), case((2, 5)), case((0, 3)), case((1, 1))], methods=("trace",)),
    shaping("split", _numpy_split, case((5, 2), size=2), case((2, 5), size=2, dim=1), case((4, 3), size=2, dim=-2),
            case((5, 3), size=(1, 0, 4)), case((2, 3), size=(3,), dim=1), case((131,), size=7), case((2, 3), size=9),
            call=lambda t, size, dim=0: pg.cat(_each_times(pg.split(t, size, dim)), dim), covers=("split",)),
    shaping("chunk", _numpy_chunk, case((7, 2), chunks=5), case((2, 6), chunks=3, dim=-1), case((3,), chunks=9),
            call=lambda t, chunks, dim=0: pg.cat(_each_times(t.chunk(chunks, dim)), dim), covers=("chunk",)),
    shaping("unbind", lambda a, dim=0: np.stack(_each_times(np.moveaxis(a, dim, 0))), case((3, 2)),
            case((2, 3, 4), dim=1), case((5,)), case((2, 3), dim=-1), case((3, 0)),
            call=lambda t, dim=0: pg.stack(_each_times(t.unbind(dim))), covers=("unbind",)),
    shaping("pad", _numpy_pad, case((2, 3), pad=(1, 2)), case((2, 3), pad=(1, 0, 0, 2), value=1.5),
            case((2, 3), pad=(-1, 1)), case((3, 4), pad=(-1, -2, 2, -1)), case((2, 3), pad=()),
            case((2, 0), pad=(1, 1)), case((2, 3), pad=(-3, 1)), case((2, 3, 4), pad=(1, 1, 0, 0, 2, 0), value=-1.0)),
    *(
        shaping(f"pad({mode})", _numpy_pad, case((2, 5), pad=(1, 2), mode=mode),
                case((2, 4, 3), pad=(2, 1, 1, 2), mode=mode), case((1, 2, 3), pad=(0, 1), mode=mode),
                case((1, 1, 3, 2, 3), pad=(1, 2, 0, 1, 2, 1), mode=mode),
                call=lambda t, pad, mode: pg.pad(t, pad, mode))
        for mode in ("reflect", "replicate", "circular")
    ),
)  # fmt: skip


def _einsum(equation: str, *cases: Case, **more: Any) -> Row:
    n = equation.partition("->")[0].count(",") + 1
    return Row(f"einsum({equation})", (ANY,) * n, lambda *a: np.einsum(equation, *a), cases,
               call=lambda *t: pg.einsum(equation, *t), roundings=32, **more)  # fmt: skip


PRODUCTS_OF_ONE_KIND = (
    Row("mm", (ANY, ANY), np.matmul,
        [case((3, 3), (3, 3)), *(c for c in PRODUCTS if {len(s) for s in c.shapes} == {2})],
        methods=("mm",), scale=_scale_of_product),
    Row("bmm", (ANY, ANY), np.matmul,
        [case((4, 2, 3), (4, 3, 5)), case((1, 2, 2), (1, 2, 2)), case((0, 2, 3), (0, 3, 2)), case((2, 0, 3), (2, 3, 4)),
         case((2, 3, 0), (2, 0, 4))], methods=("bmm",), scale=_scale_of_product),
    Row("mv", (ANY, ANY), np.matmul, [case((2, 3), (3,)), case((3, 3), (3,)), case((2, 0), (0,)), case((0, 3), (3,))],
        methods=("mv",), scale=_scale_of_product),
    Row("dot", (ANY, ANY), np.dot, [case((3,), (3,)), case((131,), (131,)), case((0,), (0,))], methods=("dot",),
        scale=_scale_of_product),
    Row("outer", (ANY, ANY), np.outer, [case((3,), (3,)), case((2,), (5,)), case((0,), (3,))], methods=("outer",)),
    Row("addmm", (ANY, ANY, ANY), lambda c, a, b, beta=1, alpha=1: beta * c + alpha * (a @ b),
        [case((2, 4), (2, 3), (3, 4)), case((4,), (2, 3), (3, 4), alpha=0.5), case((), (2, 3), (3, 4), beta=-2),
         case((2, 1), (2, 3), (3, 4), beta=0.5, alpha=2), case((2, 2), (2, 0), (0, 2)),
         case((2, 2), (2, 3), (3, 2), beta=0), case((2, 2), (2, 3), (3, 2), alpha=0)],
        methods=("addmm",), roundings=32),
    Row("baddbmm", (ANY, ANY, ANY), lambda c, a, b, beta=1, alpha=1: beta * c + alpha * (a @ b),
        [case((2, 3, 5), (2, 3, 4), (2, 4, 5)), case((3, 1), (2, 3, 4), (2, 4, 5), beta=2, alpha=0.5)],
        methods=("baddbmm",), roundings=32),
    _einsum("ij,jk->ik", case((2, 3), (3, 4)), case((3, 3), (3, 3)), case((2, 0), (0, 3))),
    _einsum("ij,jk", case((2, 3), (3, 4)), case((3, 3), (3, 3))),
    _einsum("ij->ji", case((2, 3))),
    _einsum("ba", case((2, 3))),
    _einsum("ij->", case((2, 3)), case((0, 3))),
    _einsum("ii", case((3, 3))),
    _einsum("ii->i", case((3, 3))),
    _einsum("iij->ji", case((3, 3, 2))),
    _einsum("iii", case((3, 3, 3))),
    _einsum("...ii->...i", case((2, 3, 3)), case((3, 3))),
    _einsum("...ij,...jk", case((2, 1, 2, 3), (4, 3, 2)), case((2, 3), (4, 3, 2)), case((3, 3), (3, 3))),
    _einsum("i...->...", case((2, 3, 4)), case((3,))),
    _einsum("i...,i...->i...", case((2, 3), (2, 3)), case((2, 3), (2, 1))),
    _einsum("i,j->ij", case((3,), (3,)), case((2,), (4,))),
    _einsum("i,i->i", case((3,), (3,))),
    _einsum("i,i", case((3,), (3,)), case((0,), (0,))),
    _einsum(",ij->ij", case((), (2, 3))),
    _einsum("bhqd,bhkd->bhqk", case((2, 2, 3, 4), (2, 2, 5, 4))),
    _einsum("bqhd,bkhd->bhqk", case((2, 3, 2, 4), (2, 5, 2, 4))),
    _einsum("ik,jkl,il->ij", case((2, 3), (4, 3, 5), (2, 5))),
    _einsum("ij,kl,jl->ik", case((2, 3), (4, 5), (3, 5))),
    _einsum("a,b,c->cab", case((2,), (3,), (4,))),
    _einsum("ijk,ij->k", case((2, 3, 4), (2, 3))),
    _einsum("ab,cd->", case((2, 3), (4, 5)), case((2, 2), (2, 2))),
    _einsum("ij,ij->i", case((2, 3), (1, 3)), case((2, 3), (2, 1)), case((2, 3), (2, 3))),
)  # fmt: skip

# Index expressions that mean the same in numpy and in PyTorch.
INDICES: tuple[tuple[Shape, Any], ...] = (
    ((5,), 2), ((5,), -1), ((5,), slice(1, 4)), ((5,), slice(None, None, 2)), ((5,), slice(-3, 100)), ((5,), ...),
    ((5,), slice(4, 1)), ((5,), None), ((4, 5), (1, 2)), ((4, 5), (slice(None), 1)), ((4, 5), (..., -1)),
    ((4, 5), (slice(1, 3), None, slice(0, 5, 3))), ((2, 3, 4), (0, ..., slice(1, 3))), 
    ((2, 3, 4), (None, ..., None, 1)),
    ((5,), [0, 2, 2, -1]), ((5,), np.array([], dtype=np.int64)), ((5,), np.array([[0, 1], [4, 4]])),
    ((4, 5), np.array([3, 0, 3])), ((4, 5), (np.array([0, 1]), np.array([4, 0]))), ((4, 5), (slice(None), [1, 1, 3])),
    ((4, 5), (np.array([[0], [3]]), np.array([1, 2, 2]))), ((2, 3, 4), (slice(None), [0, 2], slice(1, 3))),
    ((2, 3, 4), (np.array([0, 1, 1]), slice(None), np.array([3, 2, 0]))), ((2, 3, 4), (1, [0, 0])),
    ((2, 3, 4), (..., np.array([[1, 0], [2, 3]]))), ((2, 3, 4), (np.array([1, 0]), None, 2)),
    ((5,), np.array([True, False, True, True, False])), ((4, 5), np.array([True, False, False, True])),
    ((2, 3), np.array([[True, False, True], [False, False, True]])), ((5,), np.zeros(5, dtype=bool)),
    ((3, 4), (slice(None), np.array([True, False, True, True]))), ((0, 3), slice(None)), ((3, 0), 1),
)  # fmt: skip


def as_torch_index(index: Any) -> Any:
    """Return the index with tensors where numpy has arrays."""
    if isinstance(index, tuple):
        return tuple(map(as_torch_index, index))
    return pg.tensor(index) if isinstance(index, np.ndarray) else index


READING = (
    Row("getitem", (ANY,), lambda a, index: a[index], [case(shape, index=i) for shape, i in INDICES],
        call=lambda t, index: t[as_torch_index(index)], roundings=0, covers=("__getitem__",)),
)  # fmt: skip


# ---- reading and writing along a dimension --------------------------------------------------------------------------

BELOW_2 = fixed(lambda rng, shape: rng.integers(0, 2, shape), "int64")
BELOW_2_INT32 = fixed(lambda rng, shape: rng.integers(0, 2, shape), "int32")


def _order(rng: np.random.Generator, shape: Shape) -> Array:
    """Indices along the last dimension, none of them twice."""
    return np.argsort(rng.random(shape), axis=-1) if shape else np.zeros((), dtype=np.int64)


ORDER = fixed(_order, "int64")


def _places(a: Array, dim: int, index: Array) -> tuple[Array, ...]:
    """Return numpy's index of what the index names along dim."""
    grids = list(np.indices(index.shape))
    grids[dim] = index
    return tuple(grids)


def _gather(a: Array, index: Array, dim: int) -> Array:
    return a[_places(a, dim, index)] if a.ndim else a


def _scatter(a: Array, index: Array, src: Array | float, dim: int) -> Array:
    out = np.array(a)
    out[_places(a, dim, index) if a.ndim else ()] = src[tuple(map(slice, index.shape))] if np.ndim(src) else src
    return out


def _scatter_add(a: Array, index: Array, src: Array, dim: int) -> Array:
    out = np.array(a)
    np.add.at(out, _places(a, dim, index) if a.ndim else (), src[tuple(map(slice, index.shape))])
    return out


def _index_add(a: Array, index: Array, source: Array, dim: int, alpha: float = 1) -> Array:
    out = np.array(np.moveaxis(a, dim, 0))
    np.add.at(out, index, alpha * np.moveaxis(source, dim, 0))
    return np.moveaxis(out, 0, dim)


def _index_second(name: str) -> Callable[..., Any]:
    """Call a function or method whose dim stands before the index."""
    return lambda t, index, *rest, dim, **options: getattr(pg, name)(t, dim, index, *rest, **options)


GATHERS = (
    case((2, 3), (2, 5), dim=1), case((2, 3), (4, 3), dim=0), case((2, 3, 4), (2, 1, 4), dim=-2),
    case((5,), (7,), dim=0), case((3, 4), (2, 1), dim=-1), case((), (), dim=0), case((3, 2), (0, 2), dim=0),
    case((131, 2), (131, 3), dim=1),
)  # fmt: skip
SCATTERS = (
    case((2, 3), (2, 3), (2, 3), dim=1), case((5, 3), (2, 3), (2, 3), dim=1), case((2, 3), (1, 2), (1, 2), dim=-1),
    case((2, 2, 3), (2, 1, 3), (2, 1, 3), dim=2), case((), (), (), dim=0), case((3,), (0,), (0,), dim=0),
)  # fmt: skip
ALONG_AXIS = (
    Row("gather", (ANY, BELOW_2), _gather, GATHERS, call=_index_second("gather"), roundings=0),
    Row("gather(int32)", (ANY, BELOW_2_INT32), _gather, GATHERS[:3], call=_index_second("gather"), roundings=0),
    Row("index_select", (ANY, BELOW_2), lambda a, index, dim: np.take(a, index, dim) if a.ndim else a,
        [case((4, 3), (5,), dim=0), case((4, 3), (5,), dim=1), case((2, 3, 4), (2,), dim=-2), case((3,), (0,), dim=0),
         case((4, 3), (1,), dim=-1)], call=_index_second("index_select"), roundings=0),
    Row("take_along_dim", (ANY, BELOW_2), lambda a, index, dim=None: np.take_along_axis(
            *((a, np.broadcast_to(index, np.broadcast_shapes(a.shape[:1], index.shape[:1]) + index.shape[1:]))
              if dim == 1 else (a, index) if dim is not None else (a.ravel(), index.ravel())), dim or 0),
        [case((4, 3), (4, 2), dim=1), case((4, 3), (1, 2), dim=1), case((4, 3), (2, 3), dim=0), case((4, 3), (5,)),
         case((4, 3), (5, 1))], methods=("take_along_dim",), roundings=0),
    Row("masked_select", (ANY, fixed(lambda rng, shape: rng.random(shape) < 0.5, "bool")),
        lambda a, mask: np.broadcast_to(a, np.broadcast_shapes(a.shape, mask.shape))[
            np.broadcast_to(mask, np.broadcast_shapes(a.shape, mask.shape))],
        [case((3, 4), (3, 4)), case((4,), (3, 4)), case((3, 4), (4,)), case((3, 1), (4,)), case((), ()),
         case((0,), (0,)), case((131,), (131,))], methods=("masked_select",), roundings=0),
    Row("masked_fill", (ANY, TRUTH), lambda a, mask, value: np.where(mask, value, a),
        [case((3, 4), (3, 4), value=2.5), case((4,), (3, 4), value=0), case((3, 4), (4,), value=True),
         case((3, 1), (4,), value=-1.5), case((), (), value=3), case((0,), (0,), value=1.0),
         case((131,), (131,), value=-1e9)], methods=("masked_fill",), roundings=0),
    Row("masked_fill(tensor)", (ANY, TRUTH, ANY), lambda a, mask, value: np.where(mask, value, a),
        [case((3, 4), (3, 4), ()), case((3, 4), (4,), ()), case((), (), ())], methods=("masked_fill",), roundings=0),
    Row("scatter", (ANY, ORDER, ANY), _scatter, SCATTERS, call=_index_second("scatter"), roundings=0),
    Row("scatter(number)", (ANY, ORDER), lambda a, index, dim: _scatter(a, index, 1.5, dim),
        [Case(c.shapes[:2], c.options) for c in SCATTERS], call=lambda t, index, dim: pg.scatter(t, dim, index, 1.5),
        roundings=0),
    Row("scatter_add", (ANY, BELOW_2, ANY), _scatter_add,
        (*SCATTERS[:4], case((2, 3), (4, 3), (4, 3), dim=0), case((4,), (131,), (131,), dim=0)),
        call=_index_second("scatter_add")),
    Row("index_add", (ANY, BELOW_2, ANY), _index_add,
        [case((4, 3), (5,), (5, 3), dim=0), case((4, 3), (5,), (4, 5), dim=1), case((2, 3, 4), (2,), (2, 2, 4), dim=-2),
         case((4, 3), (2,), (4, 2), dim=-1, alpha=-0.5), case((3,), (0,), (0,), dim=0)],
        call=_index_second("index_add")),
    Row("one_hot", (fixed(lambda rng, shape: rng.integers(0, 4, shape), "int64"),),
        lambda a, num_classes: np.eye(num_classes, dtype=np.int64)[a],
        [case((3, 4), num_classes=4), case((), num_classes=5), case((0,), num_classes=4)], result="int64", roundings=0),
    Row("embedding", (BELOW_2, ANY), lambda index, w: w[index],
        [case((5,), (4, 3)), case((2, 3), (2, 5)), case((), (3, 2)), case((0,), (3, 2))], roundings=0),
)  # fmt: skip


# ---- normalisation --------------------------------------------------------------------------------------------------


def _standard(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + eps)


def _last_axes(shape: Shape) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))


def _layer_norm(
    x: Array, w: Array | float = 1.0, b: Array | float = 0.0, *, normalized_shape: Shape, eps: float = 1e-5
) -> Array:
    return _standard(x, _last_axes(normalized_shape), eps) * w + b


def _rms_norm(x: Array, w: Array | float = 1.0, *, normalized_shape: Shape, eps: float) -> Array:
    return x / np.sqrt((x * x).mean(_last_axes(normalized_shape), keepdims=True) + eps) * w


def _channels(a: Array, x: Array) -> Array:
    return a.reshape(1, -1, *[1] * (x.ndim - 2))


def _batch_norm(x: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    axes = (0, *range(2, x.ndim))
    return _standard(x, axes, eps) * _channels(w, x) + _channels(b, x)


def _batch_norm_eval(x: Array, mean: Array, var: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    z = (x - _channels(mean, x)) / np.sqrt(_channels(var, x) + eps)
    return z * _channels(w, x) + _channels(b, x)


NORMALISED = (
    case((4, 5), normalized_shape=(5,)), case((2, 3, 4), normalized_shape=(3, 4)), case((7,), normalized_shape=(7,)),
    case((3, 2, 131), normalized_shape=(131,)), case((3, 5), normalized_shape=(5,), eps=0.1),
    case((0, 5), normalized_shape=(5,)), case((4, 1), normalized_shape=(1,), eps=0.5),
)  # fmt: skip
SQUARED = [Case(c.shapes, {"eps": 1e-3, **c.options}) for c in NORMALISED]
BATCHES = (
    case((6, 3), (3,), (3,)), case((2, 3, 4), (3,), (3,)), case((3, 2, 2, 3), (2,), (2,)), case((5, 1), (1,), (1,)),
    case((4, 3, 2), (3,), (3,), eps=0.1), case((1, 3, 31), (3,), (3,)), case((0, 3), (3,), (3,)),
)  # fmt: skip


def _affine(cases: Sequence[Case], n: int) -> list[Case]:
    return [Case((c.shapes[0], *[c.options["normalized_shape"]] * n), c.options) for c in cases]


def _root(x: Array, *_: Array) -> float:
    """The scale of a norm: sums, and what is divided by a small root."""
    return 16.0 * max(1.0, x.size**0.5)


NORMALISING = (
    Row("layer_norm", (ANY, ANY, ANY), _layer_norm, _affine(NORMALISED, 2), scale=_root,
        call=lambda x, w, b, **o: pg.layer_norm(x, weight=w, bias=b, **o)),
    Row("layer_norm(weight)", (ANY, ANY), _layer_norm, _affine(NORMALISED, 1), scale=_root,
        call=lambda x, w, **o: pg.layer_norm(x, weight=w, **o)),
    Row("layer_norm(plain)", (ANY,), _layer_norm, NORMALISED, scale=_root),
    Row("rms_norm", (ANY, ANY), _rms_norm, _affine(SQUARED, 1), scale=_root,
        call=lambda x, w, **o: pg.rms_norm(x, weight=w, **o)),
    Row("rms_norm(plain)", (ANY,), _rms_norm, SQUARED, scale=_root),
    Row("batch_norm", (ANY, ANY, ANY), _batch_norm, BATCHES, scale=_root,
        call=lambda x, w, b, **o: pg.batch_norm(x, None, None, w, b, training=True, **o)),
    Row("batch_norm(running)", (ANY, fixed(ANY.sample), fixed(POSITIVE.sample), ANY, ANY), _batch_norm_eval,
        [Case((c.shapes[0], *[c.shapes[1]] * 4), c.options) for c in BATCHES], call=lambda x, *a, **o:
        pg.batch_norm(x, *a, **o), scale=_root),
    Row("dropout", (ANY,), lambda x, p, training: 0.0 * x if training and p else x,
        [case((3, 4), p=1.0, training=True), case((3, 4), p=0.3, training=False), case((3, 4), p=0.0, training=True),
         case((), p=1.0, training=True), case((0,), p=1.0, training=True)], roundings=0),
)  # fmt: skip


# ---- losses ---------------------------------------------------------------------------------------------------------


def reduced(function: Callable[..., Array]) -> Callable[..., Array]:
    """Give an elementwise loss the three reductions."""

    @functools.wraps(function)
    def loss(*arrays: Array, reduction: str = "mean", **options: Any) -> Array:
        values = function(*arrays, **options)
        return {"none": np.asarray, "sum": np.sum, "mean": np.mean}[reduction](values)

    return loss


def _huber(p: Array, y: Array, delta: float = 1.0) -> Array:
    e = abs(p - y)
    return np.where(e <= delta, e * e / 2, delta * (e - delta / 2))


def _smooth_l1(p: Array, y: Array, beta: float = 1.0) -> Array:
    e = abs(p - y)
    return e if beta == 0.0 else np.where(e < beta, e * e / (2 * beta), e - beta / 2)


def _kl_div(x: Array, t: Array, reduction: str = "mean", log_target: bool = False) -> Array:
    values = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
    if reduction == "batchmean":
        return values.sum() / (len(values) if values.ndim else 1)
    return {"none": values, "sum": values.sum(), "mean": values.mean()}[reduction]


def _hinge_embedding(x: Array, y: Array, margin: float = 1.0) -> Array:
    return np.where(y == 1, x, np.maximum(0.0, margin - x))


def _bce(p: Array, y: Array, weight: Array | float = 1.0) -> Array:
    return -weight * (y * np.maximum(np.log(p), -100) + (1 - y) * np.maximum(np.log(1 - p), -100))


def _bce_logits(z: Array, y: Array, weight: Array | float = 1.0, pos_weight: Array | float = 1.0) -> Array:
    # -p y log sigmoid(z) - (1 - y) log(1 - sigmoid(z))
    return weight * (pos_weight * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))


def _pick(scores: Array, y: Array) -> Array:
    """Return scores[n, y[n, ...], ...]; 0 where y is no class."""
    safe = np.where((y >= 0) & (y < scores.shape[1]), y, 0)
    return np.take_along_axis(scores, np.expand_dims(safe, 1), 1).squeeze(1)


def _nll(
    logp: Array, y: Array, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """-w[y] logp[y], the mean being over the weights of the targets that count."""
    if logp.ndim == 1:
        one = _nll(logp[None], y[None], weight, ignore_index, reduction)
        return one[0] if reduction == "none" else one
    weight = np.ones(logp.shape[1]) if weight is None else weight
    w = np.where(y == ignore_index, 0.0, weight[np.where(y == ignore_index, 0, y)])
    values = -w * _pick(logp, y)
    return {"none": lambda: values, "sum": values.sum, "mean": lambda: values.sum() / w.sum()}[reduction]()


def _cross_entropy(
    z: Array,
    y: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    if z.ndim == 1:
        one = _cross_entropy(z[None], y[None], weight, ignore_index, reduction, label_smoothing)
        return one[0] if reduction == "none" else one
    classes = z.shape[1]
    logp = _log_softmax(z, 1)
    per_class = (np.ones(classes) if weight is None else weight).reshape(1, classes, *[1] * (z.ndim - 2))
    if y.dtype.kind == "f":
        soft = y * (1 - label_smoothing) + label_smoothing / classes
        values = -(per_class * soft * logp).sum(1)
        return {"none": lambda: values, "sum": values.sum, "mean": values.mean}[reduction]()
    plain = _nll(logp, y, weight, ignore_index, "none")
    smooth = np.where(y == ignore_index, 0.0, -(per_class * logp).sum(1))
    values = (1 - label_smoothing) * plain + label_smoothing / classes * smooth
    counted = np.where(y == ignore_index, 0.0, per_class.ravel()[np.where(y == ignore_index, 0, y)])
    return {"none": lambda: values, "sum": values.sum, "mean": lambda: values.sum() / counted.sum()}[reduction]()


def _with_weight(name: str, **rename: str) -> Callable[..., Any]:
    """Call a loss whose third tensor is a keyword."""
    keyword = rename.get("keyword", "weight")
    return lambda x, y, w, **options: getattr(pg, name)(x, y, **{keyword: w}, **options)


def reductions_of(*cases: Case) -> list[Case]:
    return [Case(c.shapes, {**c.options, "reduction": how}) for c in cases for how in ("none", "sum", "mean")] + list(
        cases[:1]
    )


PAIRS_OF_A_LOSS = reductions_of(case((4, 3), (4, 3)), case((5,), (5,)), case((), ()), case((2, 3, 2), (2, 3, 2)))
CLASSES = reductions_of(case((6, 4), (6,)), case((4,), ()), case((3, 4, 2), (3, 2)))
WEIGHTED_CLASSES = reductions_of(case((6, 4), (6,), (4,)), case((3, 4, 2), (3, 2), (4,)))
SOFT_CLASSES = reductions_of(case((5, 4), (5, 4)), case((4,), (4,)), case((3, 4, 2), (3, 4, 2)))
PROBABILITY = real(0.05, 0.95)
TARGET = real(0.0, 1.0)
WEIGHT = fixed(POSITIVE.sample)
LOGITS = real(-3, 3)


SIGNS = fixed(lambda rng, shape: rng.integers(0, 2, shape) * 2 - 1, "int64")
BATCH_MEANS = [case((4, 3), (4, 3), reduction="batchmean"), case((), (), reduction="batchmean")]


def _hinge(s: Array, y: Array) -> Array:
    return np.maximum(0.0, 1.0 - y * s)


def _hinge_written_out(s: Any, y: Any, reduction: str = "mean") -> Any:
    """PyTorch has no such function."""
    values = pg.relu(1.0 - y * s)
    return values if reduction == "none" else getattr(values, reduction)()


HINGE = _hinge_written_out if TORCH else None


def options(cases: Sequence[Case], **more: Any) -> list[Case]:
    return [Case(c.shapes, {**c.options, **more}) for c in cases]


LOSSES = (
    Row("mse_loss", (ANY, ANY), reduced(lambda p, y: (p - y) ** 2), PAIRS_OF_A_LOSS),
    Row("l1_loss", (grid(0), grid(0.125)), reduced(lambda p, y: abs(p - y)), PAIRS_OF_A_LOSS),
    Row("huber_loss", (grid(0), grid(0.125)), reduced(_huber), PAIRS_OF_A_LOSS),
    Row("huber_loss(0.5)", (grid(0), grid(0.0625)), reduced(_huber), options(PAIRS_OF_A_LOSS, delta=0.5)),
    Row("smooth_l1_loss", (grid(0), grid(0.125)), reduced(_smooth_l1), PAIRS_OF_A_LOSS),
    Row("smooth_l1_loss(0.5)", (grid(0), grid(0.0625)), reduced(_smooth_l1), options(PAIRS_OF_A_LOSS, beta=0.5)),
    Row("smooth_l1_loss(0)", (grid(0), grid(0.125)), reduced(_smooth_l1), options(PAIRS_OF_A_LOSS, beta=0.0)),
    Row("kl_div", (real(-3, -0.1), PROBABILITY), _kl_div, [*PAIRS_OF_A_LOSS, *BATCH_MEANS]),
    Row("kl_div(log)", (real(-3, -0.1), real(-3, -0.1)), _kl_div,
        options([*PAIRS_OF_A_LOSS, *BATCH_MEANS], log_target=True)),
    Row("hinge_embedding_loss", (real(-2, 3, 1), SIGNS), reduced(_hinge_embedding), PAIRS_OF_A_LOSS),
    Row("hinge_embedding_loss(0.5)", (real(-2, 3, 0.5), SIGNS), reduced(_hinge_embedding),
        options(PAIRS_OF_A_LOSS, margin=0.5)),
    Row("hinge_loss", (real(-3, 3, -1, 1), SIGNS), reduced(_hinge), PAIRS_OF_A_LOSS, call=HINGE),
    Row("hinge_loss(real)", (grid(0), grid(0.125)), reduced(_hinge), PAIRS_OF_A_LOSS, call=HINGE),
    Row("binary_cross_entropy", (PROBABILITY, TARGET), reduced(_bce), PAIRS_OF_A_LOSS),
    Row("binary_cross_entropy(weight)", (PROBABILITY, TARGET, WEIGHT), reduced(_bce),
        reductions_of(case((4, 3), (4, 3), (4, 3)), case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy")),
    Row("binary_cross_entropy_with_logits", (LOGITS, TARGET), reduced(_bce_logits), PAIRS_OF_A_LOSS,
        covers=("bce_with_logits",)),
    Row("binary_cross_entropy_with_logits(weight)", (LOGITS, TARGET, WEIGHT), reduced(_bce_logits),
        reductions_of(case((4, 3), (4, 3), (4, 3)), case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy_with_logits")),
    Row("binary_cross_entropy_with_logits(pos_weight)", (LOGITS, TARGET, WEIGHT),
        reduced(lambda z, y, p: _bce_logits(z, y, pos_weight=p)), reductions_of(case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy_with_logits", keyword="pos_weight")),
    Row("cross_entropy", (LOGITS, labels(4)), _cross_entropy, CLASSES),
    Row("cross_entropy(weight)", (LOGITS, labels(4), WEIGHT), _cross_entropy, WEIGHTED_CLASSES,
        call=_with_weight("cross_entropy")),
    Row("cross_entropy(ignored)", (LOGITS, labels(4, ignored=-100)), _cross_entropy, CLASSES[:3]),
    Row("cross_entropy(ignore_index)", (LOGITS, labels(4)), _cross_entropy, options(CLASSES[:3], ignore_index=2)),
    Row("cross_entropy(smooth)", (LOGITS, labels(4)), _cross_entropy, options(CLASSES, label_smoothing=0.1)),
    Row("cross_entropy(all)", (LOGITS, labels(4, ignored=-1), WEIGHT), _cross_entropy,
        options(WEIGHTED_CLASSES, label_smoothing=0.3, ignore_index=-1), call=_with_weight("cross_entropy")),
    Row("cross_entropy(soft)", (LOGITS, Input(distribution)), _cross_entropy, SOFT_CLASSES),
    Row("cross_entropy(soft, smooth)", (LOGITS, Input(distribution)), _cross_entropy,
        options(SOFT_CLASSES, label_smoothing=0.2)),
    Row("cross_entropy(soft, weight)", (LOGITS, Input(distribution), WEIGHT), _cross_entropy,
        reductions_of(case((5, 4), (5, 4), (4,))), call=_with_weight("cross_entropy")),
    Row("nll_loss", (real(-3, -0.1), labels(4)), _nll, CLASSES),
    Row("nll_loss(weight)", (real(-3, -0.1), labels(4), WEIGHT), _nll, WEIGHTED_CLASSES, call=_with_weight("nll_loss")),
    Row("nll_loss(ignored)", (real(-3, -0.1), labels(4, ignored=-100)), _nll, CLASSES[:3]),
)  # fmt: skip

# Other names of the same functions.
ALIASES = {
    "absolute": "abs", "negative": "neg", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "fix": "trunc",
    "clip": "clamp", "concat": "cat", "concatenate": "cat", "swish": "silu",
}  # fmt: skip

TABLE = (
    *ELEMENTWISE,
    *BINARY,
    *COMPARISONS,
    *REDUCING,
    *STATISTICS,
    *MATRICES,
    *PRODUCTS_OF_ONE_KIND,
    *SHAPES,
    *ARRANGED,
    *READING,
    *ALONG_AXIS,
    *NORMALISING,
    *LOSSES,
)
