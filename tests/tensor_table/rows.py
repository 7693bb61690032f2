"""What a row of the table is, with the inputs and the cases that many rows share."""

from __future__ import annotations

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
    order : callable, optional
        How to call the function, or a method, that comes as its first argument: where its arguments are the tensors
        and the options, but in another order.
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
    order: Callable[..., Any] | None = None
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
        return self.apply(getattr(pg, self.op), *tensors, **options)

    def apply(self, function: Callable[..., Any], *tensors: Any, **options: Any) -> Any:
        """Call what takes the arguments of the op."""
        return function(*tensors, **options) if self.order is None else self.order(function, *tensors, **options)

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
