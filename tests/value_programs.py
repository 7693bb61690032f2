"""Random programs for the two scalar engines.

A program is a list of numbers (the leaves) and a list of steps. Every step names its operands by position among the
values made so far, so that any list of steps is a program and a failing one can be cut down.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

UNARY = [
    "neg", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "abs", "sign", "sin", "cos",
    "floor", "ceil", "round", "trunc", "tan", "asin", "acos", "atan", "sinh", "cosh", "exp2", "log2", "log10",
    "erf", "erfc", "tanh", "sigmoid", "relu", "relu6", "hardtanh", "gelu", "gelu_tanh", "silu", "softplus",
    "logsigmoid", "selu", "mish",
]  # fmt: skip
BINARY = [
    "add", "sub", "mul", "div", "pow", "maximum", "minimum", "leaky_relu", "elu", "swish", "bce_with_logits", "fmax",
    "fmin", "floor_divide", "remainder", "fmod", "hypot", "atan2", "logaddexp",
]  # fmt: skip
NARY = ["sum", "dot", "logsumexp", "neuron"]
CUSTOM = ["closure", "local gradients", "closure over a closure"]
#: These change nothing that is computed.
DECORATIONS = ["label", "attribute", "cycle", "let go", "collect", "look"]
#: These change numbers, or make gradients.
ACTIONS = ["set data", "zero leaves", "backward", "rule of a leaf", "own rule"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
}
ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid"]
EDGES = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 20.0, 6.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-200, 1e3]
#: Their derivatives cancel: a sum of terms of size 1, each rounded its own way in the two engines.
ROUNDED_OTHERWISE = {"gelu", "gelu_tanh", "silu", "swish", "mish", "softplus", "logsigmoid", "selu", "elu", "sigmoid"}

Step = tuple[str, tuple[int, ...], float, int]  # what, operands, a number, how to write it


@dataclass
class Program:
    leaves: list[float]
    steps: list[Step]


KINDS = [*UNARY, *BINARY * 4, *NARY * 4, *CUSTOM * 2, *DECORATIONS * 2, *ACTIONS * 3, "backward", "backward"]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    number = st.one_of(st.floats(-4, 4), st.sampled_from(EDGES), st.floats())
    step = st.tuples(
        st.sampled_from(KINDS),
        st.lists(st.integers(0, 60), min_size=2, max_size=7).map(tuple),
        number,
        st.integers(0, 35),
    )
    leaves = draw(st.lists(number, min_size=1, max_size=5))
    steps = draw(st.lists(step, max_size=40))
    return Program(leaves, [*steps, ("backward", (len(steps),), 0.0, 0)])


def random_program(seed: int) -> Program:
    rng = random.Random(seed)
    wild = rng.random() < 0.3

    def number() -> float:
        if wild and rng.random() < 0.3:
            return rng.choice(EDGES)
        return rng.choice([rng.gauss(0, 1), rng.uniform(-4, 4), float(rng.randrange(-3, 4))])

    def step(i: int) -> Step:
        recent = [rng.choice([rng.randrange(1000), -1 - rng.randrange(4)]) for _ in range(rng.randrange(2, 8))]
        return rng.choice(KINDS), tuple(recent), number(), rng.randrange(36)

    steps = [step(i) for i in range(rng.randrange(5, 80))]
    return Program([number() for _ in range(rng.randrange(1, 7))], [*steps, ("backward", (-1,), 0.0, 0)])
