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
from tensor_backend import pg

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


def distribution(rng: np.random.Generator, shape: Shape) -> Array:
    """Probabilities that sum to 1 over the classes."""
    p = rng.uniform(0.1, 1.0, shape)
    return _single(p / p.sum(axis=0 if len(shape) == 1 else 1, keepdims=True))


ANY = real(-2.0, 2.0)
POSITIVE = real(0.3, 3.0)
TRUTH = fixed(lambda rng, shape: rng.random(shape) < 0.5, "bool")
SMALL_INTS = fixed(lambda rng, shape: rng.integers(-3, 4, shape), "int64")
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
    unary("sqrt", POSITIVE, np.sqrt),
    unary("rsqrt", POSITIVE, lambda x: 1.0 / np.sqrt(x)),
    unary("square", ANY, lambda x: x * x),
    unary("reciprocal", POSITIVE, lambda x: 1.0 / x),
    unary("abs", real(-2, 2, 0), np.abs, roundings=0),
    unary("sign", real(-2, 2, 0), np.sign, roundings=0),
    unary("sin", real(-6, 6), np.sin),
    unary("cos", real(-6, 6), np.cos),
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

BINARY = (
    Row("add", (ANY, ANY), np.add, TWO_TENSORS, methods=("add", "__add__")),
    Row("sub", (ANY, ANY), np.subtract, TWO_TENSORS, methods=("sub", "__sub__")),
    Row("mul", (ANY, ANY), np.multiply, TWO_TENSORS, methods=("mul", "__mul__")),
    Row("div", (ANY, POSITIVE), np.divide, TWO_TENSORS, methods=("div", "__truediv__")),
    Row("pow", (POSITIVE, ANY), np.power, TWO_TENSORS, methods=("pow", "__pow__"), roundings=16),
    Row("maximum", (grid(0), grid(0.125)), np.maximum, TWO_TENSORS, methods=("maximum",), roundings=0),
    Row("minimum", (grid(0), grid(0.125)), np.minimum, TWO_TENSORS, methods=("minimum",), roundings=0),
    Row("where", (TRUTH, ANY, ANY), np.where, THREE_TENSORS, roundings=0),
    Row("clamp(tensors)", (grid(0), grid(0.125, -7, -2), grid(0.0625, 1, 6)), lambda x, a, b: np.clip(x, a, b),
        [c for c in THREE_TENSORS if () not in c.shapes or set(c.shapes) == {()}], methods=("clamp",), roundings=0),
)  # fmt: skip


def _ints(result: str, **names: Callable[..., Any]) -> tuple[Row, ...]:
    return tuple(
        Row(name, (SMALL_INTS, SMALL_INTS), oracle, TWO_TENSORS, methods=(name,), result=result, roundings=0)
        for name, oracle in names.items()
    )


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


def options(cases: Sequence[Case], **more: Any) -> list[Case]:
    return [Case(c.shapes, {**c.options, **more}) for c in cases]


LOSSES = (
    Row("mse_loss", (ANY, ANY), reduced(lambda p, y: (p - y) ** 2), PAIRS_OF_A_LOSS),
    Row("l1_loss", (grid(0), grid(0.125)), reduced(lambda p, y: abs(p - y)), PAIRS_OF_A_LOSS),
    Row("huber_loss", (grid(0), grid(0.125)), reduced(_huber), PAIRS_OF_A_LOSS),
    Row("huber_loss(0.5)", (grid(0), grid(0.0625)), reduced(_huber), options(PAIRS_OF_A_LOSS, delta=0.5)),
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
    "clip": "clamp", "concat": "cat", "concatenate": "cat", "swish": "silu",
}  # fmt: skip

TABLE = (*ELEMENTWISE, *BINARY, *COMPARISONS, *REDUCING, *MATRICES, *SHAPES, *READING, *LOSSES)
