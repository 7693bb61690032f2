"""Random programs, run by the engine and by `pygrad.reference` side by side: the same values, the same gradients.

A program is a list of numbers (the leaves) and a list of steps. Every step names its operands by position among the
values made so far, so that any list of steps is a program and a failing one can be cut down.

How far may the two differ? After each step the reference takes over the engine's number, so that roundings do not
pile up in the values: a value is compared to what one op may round. The gradients are compared with the bound of a
running error analysis: `Bounds` walks the graph as backward does and carries with each gradient how large the sum of
its paths' absolute values is and how far the two may have drifted apart. Nothing in it is fitted to results.
"""

import gc
import math
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pygrad
from pygrad import functional, reference
from pygrad._engine import find_op, lib
from pygrad.nn import Neuron

SANITIZED = "PYGRAD_SANITIZE" in os.environ
PROGRAMS = int(os.environ.get("PYGRAD_FUZZ_PROGRAMS", "60" if SANITIZED else "600"))

EPS = 2.0**-52
TINY = 5e-323

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


@dataclass
class Node:
    ours: pygrad.Value | None  # None when the program has let go of it
    theirs: reference.Value
    inputs: list[int] = field(default_factory=list)  # one used twice twice
    again: Callable[..., reference.Value] | None = None  # the reference's op, on other inputs
    slack: float = 0.0  # rounding of the derivative beyond its own size
    condition: float = 1.0  # and relative to it
    drift: float = 0.0  # how far the two gradients may be apart
    open: bool = False  # an overflow that depends on the order of a sum: anything may come out


# ---- running a program --------------------------------------------------------------------------------------------


def written(number: float, how: int) -> Any:
    """A number as a user may write it."""
    kinds: list[Callable[[float], Any]] = [float, np.float64, np.array, float, int, Fraction]
    kind = kinds[how % len(kinds)]
    if kind in (int, Fraction) and not (math.isfinite(number) and abs(number) < 1e6):
        kind = float
    return kind(int(number)) if kind is int else kind(number)


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def rule_of_square(engine: Any, x: Any, out: Any) -> None:
    def _backward() -> None:
        x.grad += 2.0 * x.data * out.grad

    out._backward = _backward


def square(engine: Any, x: Any) -> Any:
    out = engine.Value(x.data * x.data, (x,), "square")
    rule_of_square(engine, x, out)
    return out


def wrapped_product(engine: Any, a: Any, b: Any) -> Any:
    """An op whose rule is replaced by one that calls it."""
    out = a * b
    rule = out._backward
    out._backward = lambda: rule()
    return out


def local_product(da: float, db: float, a: Any, b: Any) -> Any:
    """The reference of Value(data, children, local_grads), whose gradients are numbers."""
    out = reference.Value(da * db, (a, b), "product")

    def _backward() -> None:
        a.grad += da * out.grad
        b.grad += db * out.grad

    out._backward = _backward
    return out


def composed_neuron(activation: str, n: int, *values: Any) -> Any:
    x, w, b = values[:n], values[n : 2 * n], values[2 * n]
    total = b
    for one, weight in zip(x, w, strict=True):
        total = total + weight * one
    return total if activation == "linear" else getattr(total, activation)()


def fused_neuron(activation: str, n: int, *values: Any) -> Any:
    neuron = Neuron.__new__(Neuron)
    neuron.w, neuron.b = list(values[n : 2 * n]), values[2 * n]
    neuron._op = -1 if activation == "linear" else find_op(activation)
    neuron._parameter = 0.0
    return neuron(list(values[:n]))


class Run:
    """One program in the two engines."""

    def __init__(self, program: Program) -> None:
        self.nodes = [Node(pygrad.Value(x), reference.Value(x)) for x in program.leaves]
        self.leaves = len(self.nodes)
        self.reassigned = False
        self.log: list[str] = []
        for step in program.steps:
            self.step(*step)

    def pick(self, i: int) -> tuple[int, Node]:
        """The i-th of the values that the program still holds."""
        held = [k for k, node in enumerate(self.nodes) if node.ours is not None]
        k = held[i % len(held)]
        return k, self.nodes[k]

    def step(self, what: str, operands: tuple[int, ...], number: float, how: int) -> None:
        picked = [self.pick(i) for i in operands]
        self.log.append(f"{what} {[k for k, _ in picked]} {number!r} {how}")
        if what in UNARY:
            if what == "gelu_tanh" and abs(picked[0][1].theirs.data) > 1e150:
                return  # where x**2 overflows, which the two do at different x
            self.apply(what, picked[:1], lambda a: getattr(a, what)())
        elif what in BINARY:
            self.binary(what, picked[:2], number, how)
        elif what in NARY:
            self.nary(what, picked, number, how)
        elif what in CUSTOM:
            self.custom(what, picked[:2])
        else:
            getattr(self, what.replace(" ", "_"))(*picked[0], number, how)

    def apply(
        self,
        what: str,
        picked: list[tuple[int, Node]],
        op: Callable[..., Any],
        theirs: Callable[..., Any] | None = None,
        **more: float,
    ) -> None:
        theirs = theirs or op
        node = Node(
            op(*[n.ours for _, n in picked]),
            theirs(*[n.theirs for _, n in picked]),
            [k for k, _ in picked],
            theirs,
            **more,  # type: ignore[arg-type]
        )
        if what in ROUNDED_OTHERWISE:
            node.slack = 1.0
        assert type(node.ours) is pygrad.Value
        a, b = node.ours.data, node.theirs.data
        scale = sum(abs(n.theirs.data) for _, n in picked if math.isfinite(n.theirs.data))
        room = 16 * EPS * (abs(b) + (scale if node.slack or node.condition > 1.0 else 0.0))
        assert same(a, b) or abs(a - b) <= room, self.report(f"{what} gives {a!r}, the reference {b!r}")
        node.theirs.data = a
        self.nodes.append(node)

    def binary(self, what: str, picked: list[tuple[int, Node]], number: float, how: int) -> None:
        op = OPERATORS.get(what, lambda a, b: getattr(a, what)(b))
        side = how % 3
        if side == 0:
            self.apply(what, picked, op)
            return
        n, plain = written(number, how // 3), float(written(number, how // 3))
        if side == 1:
            self.apply(what, picked[:1], lambda a: op(a, n), lambda a: op(a, plain))
        elif what in OPERATORS:
            self.apply(what, picked[:1], lambda b: op(n, b), lambda b: op(plain, b))
        else:
            self.apply(what, picked[:1] * 2, op)  # two edges, whose derivatives may cancel

    def nary(self, what: str, picked: list[tuple[int, Node]], number: float, how: int) -> None:
        values = [n.theirs.data for _, n in picked]
        if what == "sum":
            extra = [number] * (how % 3)
            self.apply(what, picked, lambda *v: functional.sum([*v, *extra]), lambda *v: reference.sum([*v, *extra]))
        elif what == "logsumexp":
            # Composed it would mix old numbers with new ones, and cannot shift by inf.
            if self.reassigned or math.inf in values:
                return
            # exp(x - y): the rounding of y, relative to y, is an absolute error of the exponent.
            size = 1.0 + 2.0 * min(max(map(abs, values)), 1e300) + math.log(len(values))
            condition = 4.0 * size if not math.isnan(size) else 1.0
            self.apply(
                what, picked, lambda *v: functional.logsumexp(v), lambda *v: reference.logsumexp(v), condition=condition
            )
        elif what == "dot":
            half = len(picked) // 2
            picked = picked[: 2 * half]
            if half == 0:
                return
            numbers = [number + i for i in range(half)]
            if how % 3 == 0:
                self.apply(
                    what,
                    picked,
                    lambda *v: functional.dot(v[:half], v[half:]),
                    lambda *v: reference.dot(v[:half], v[half:]),
                )
            elif how % 3 == 1:
                self.apply(
                    what, picked[:half], lambda *v: functional.dot(v, numbers), lambda *v: reference.dot(v, numbers)
                )
            else:
                self.apply(
                    what, picked[:half], lambda *v: functional.dot(numbers, v), lambda *v: reference.dot(v, numbers)
                )
        else:
            n = (len(picked) - 1) // 2
            if n == 0:  # composed, a linear one would be its bias itself
                return
            activation = ACTIVATIONS[how % len(ACTIVATIONS)]
            self.apply(
                what, picked[: 2 * n + 1], partial(fused_neuron, activation, n), partial(composed_neuron, activation, n)
            )

    def custom(self, what: str, picked: list[tuple[int, Node]]) -> None:
        if what == "closure":
            self.apply(what, picked[:1], partial(square, pygrad), partial(square, reference))
        elif what == "closure over a closure":
            self.apply(what, picked, partial(wrapped_product, pygrad), partial(wrapped_product, reference))
        else:
            a, b = (n.theirs.data for _, n in picked)
            self.apply(what, picked, lambda x, y: pygrad.Value(a * b, (x, y), (b, a)), partial(local_product, b, a))

    # What follows changes no value that there is.

    def label(self, k: int, node: Node, number: float, how: int) -> None:
        node.ours.label = f"v{k}"

    def attribute(self, k: int, node: Node, number: float, how: int) -> None:
        node.ours.note = [number, [how], {"k": k}, "text"][how % 4]

    def cycle(self, k: int, node: Node, number: float, how: int) -> None:
        node.ours.me = [node.ours]

    def let_go(self, k: int, node: Node, number: float, how: int) -> None:
        if k >= self.leaves:
            node.ours = None

    def collect(self, k: int, node: Node, number: float, how: int) -> None:
        gc.collect(how % 2)

    def look(self, k: int, node: Node, number: float, how: int) -> None:
        assert same(node.ours.data, node.theirs.data)
        inputs = {self.nodes[i].ours for i in node.inputs}
        if node.ours._op not in ("sum", "dot", "logsumexp") and None not in inputs:
            assert node.ours._prev == inputs
        repr(node.ours)

    # And this does.

    def set_data(self, k: int, node: Node, number: float, how: int) -> None:
        """Rules read inputs as they stand and outputs as they were computed, so only leaves are changed."""
        k %= self.leaves
        if any("logsumexp" in line for line in self.log):
            return
        self.reassigned = True
        self.nodes[k].ours.data = self.nodes[k].theirs.data = number

    def zero_leaves(self, k: int, node: Node, number: float, how: int) -> None:
        for leaf in self.nodes[: self.leaves]:
            leaf.ours.grad = leaf.theirs.grad = leaf.drift = 0.0
            leaf.open = False

    def rule_of_a_leaf(self, k: int, node: Node, number: float, how: int) -> None:
        leaf = self.nodes[k % self.leaves]
        leaf.ours._backward = leaf.theirs._backward = lambda: None

    def own_rule(self, k: int, node: Node, number: float, how: int) -> None:
        """Its own rule, set as a closure: a walk has to call it, and it does what it did."""
        if k >= self.leaves:
            node.ours._backward = node.ours._backward

    def backward(self, k: int, node: Node, number: float, how: int) -> None:
        Bounds(self, k).walk()
        node.ours.backward()
        node.theirs.backward()
        for i, n in enumerate(self.nodes):
            if n.ours is None or n.open:
                continue
            a, b = n.ours.grad, n.theirs.grad
            assert same(a, b) or abs(a - b) <= n.drift, self.report(
                f"the gradient of {i} from {k} is {a!r}, the reference's {b!r}, and they may be {n.drift:.2g} apart"
            )

    def report(self, what: str) -> str:
        numbers = [n.theirs.data for n in self.nodes]
        return "\n".join([what, f"leaves {numbers[: self.leaves]}", *self.log, f"values {numbers}"])

    def finish(self) -> None:
        """Let go of everything but the leaves: nobody may have kept a reference to them."""
        leaves = [n.ours for n in self.nodes[: self.leaves]]
        tracked = any(line.split()[0] in ("closure", "cycle", "own") for line in self.log)
        order = list(range(self.leaves, len(self.nodes)))
        random.Random(len(self.log)).shuffle(order)
        for k in order:
            self.nodes[k].ours = None
        for leaf in leaves:
            for name in list(vars(leaf)):
                delattr(leaf, name)
            leaf._backward = None
        del leaf
        self.nodes.clear()
        while tracked and gc.collect():  # a cycle below nodes that are not tracked is found when these have died
            pass
        alone = pygrad.Value(0.0)
        counts = [sys.getrefcount(leaf) for leaf in leaves]
        assert set(counts) <= {sys.getrefcount(alone) + 1}, f"{counts} references\n" + "\n".join(self.log)


class Bounds:
    """How far the two gradients of every value below a root may be apart, as `drift` of its node.

    For each value: `size`, the sum over all paths to the root of the absolute product of the derivatives on it, and
    `drift`. Along an edge with derivative d: size grows by |d| * size, drift by |d| * drift and by the rounding of the
    product, a few EPS of |d| * size; a sum of k terms adds k roundings of size. Underflow, of d or of a product, adds
    TINY.
    """

    def __init__(self, run: Run, root: int) -> None:
        self.run, self.root = run, root
        n = len(run.nodes)
        self.size, self.drift = [0.0] * n, [0.0] * n
        self.open, self.reached, self.uses = [False] * n, [False] * n, [0] * n

    def walk(self) -> None:
        self.reached[self.root], self.size[self.root] = True, 1.0
        for k in range(self.root, -1, -1):
            if self.reached[k]:
                self.drift[k] += self.uses[k] * EPS * finite(self.size[k])
                if self.run.nodes[k].inputs:
                    self.pass_on(k)
        for k, node in enumerate(self.run.nodes):
            if not self.reached[k]:
                continue
            if node.inputs:
                node.drift, node.open = self.drift[k], self.open[k]
            else:  # a leaf adds to what it has
                node.drift += self.drift[k] + EPS * (finite(abs(node.theirs.grad)) + finite(self.size[k]))
                node.open = node.open or self.open[k] or math.isinf(abs(node.theirs.grad) + self.size[k])

    def pass_on(self, k: int) -> None:
        node = self.run.nodes[k]
        for i, d in zip(node.inputs, derivatives(self.run.nodes, node), strict=True):
            size, drift = times(abs(d), self.size[k]), times(abs(d), self.drift[k])
            rounding = (8 * EPS * (node.condition * finite(abs(d)) + node.slack) + TINY) * finite(self.size[k])
            largest = 2 * (self.size[i] + size + self.drift[i] + drift)
            overflow = math.isfinite(d) and math.isfinite(self.size[k]) and not math.isfinite(largest)
            unsure = not math.isfinite(d) and self.drift[k] > 0.0  # 0 * inf or small * inf
            self.open[i] |= self.open[k] or overflow or unsure or math.isnan(self.size[k])
            self.reached[i] = True
            self.uses[i] += 1
            self.size[i] += size
            self.drift[i] += (math.inf if math.inf in (size, drift) else finite(drift)) + rounding + TINY


def finite(x: float) -> float:
    return x if math.isfinite(x) else 0.0


def times(a: float, b: float) -> float:
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def derivatives(nodes: list[Node], node: Node) -> list[float]:
    """The derivative by each operand, one used twice twice, by the reference: inputs now, output then."""
    assert node.again is not None
    copies = [reference.Value(nodes[i].theirs.data) for i in node.inputs]
    y = node.again(*copies)
    y.data = node.theirs.data
    y.backward()
    return [c.grad for c in copies]


def run(program: Program) -> None:
    Run(program).finish()


# ---- programs -------------------------------------------------------------------------------------------------------

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


# ---- tests ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def collections_see_only_these_programs() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@settings(max_examples=50 if SANITIZED else 300)
@given(programs())
def test_any_program_gives_the_numbers_of_the_reference(program):
    run(program)


def test_seeded_programs_give_the_numbers_of_the_reference():
    for seed in range(PROGRAMS):
        try:
            run(random_program(seed))
        except AssertionError as error:
            raise AssertionError(f"program {seed}: {error}") from error


def test_programs_return_all_their_memory():
    def some(first: int) -> int:
        for seed in range(first, first + 50):
            run(random_program(seed))
        gc.collect()
        return lib.pg_live_bytes()

    live = some(0)
    assert some(50) <= live + (2 << 20)
    assert some(0) <= live + (2 << 20)


@pytest.mark.parametrize("threshold", [1, 10])
def test_programs_are_exact_while_the_collector_runs_all_the_time(threshold):
    thresholds = gc.get_threshold()
    gc.set_threshold(threshold, threshold, threshold)
    try:
        for seed in range(10_000, 10_000 + (5 if SANITIZED else 60)):
            run(random_program(seed))
    finally:
        gc.set_threshold(*thresholds)


def test_every_op_of_the_table_takes_part():
    assert {*UNARY, *BINARY} == {row for row in dir(pygrad.Value) if find_or_none(row) is not None}


def find_or_none(name: str) -> int | None:
    try:
        return find_op(name)
    except ValueError:
        return None


def test_comparison_notices_a_wrong_derivative(monkeypatch):
    """The bounds are of use only if they are tight: a relative error of 1e-12 has to show."""
    rule = reference.Value.tanh

    def slightly_wrong(self: Any) -> Any:
        out = rule(self)
        right = out._backward

        def _backward() -> None:
            before = self.grad
            right()
            self.grad = before + (self.grad - before) * (1 + 1e-12)

        out._backward = _backward
        return out

    monkeypatch.setattr(reference.Value, "tanh", slightly_wrong)
    steps: list[Step] = [("add", (0, 1), 0.0, 0), ("tanh", (-1, 0), 0.0, 0), ("mul", (-1, 0), 0.0, 0)]
    with pytest.raises(AssertionError, match="the gradient of"):
        run(Program([0.3, 0.2], [*steps, ("backward", (-1,), 0.0, 0)]))


# ---- what was found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [pygrad, reference])
def test_leaf_with_a_rule_still_accumulates(engine):
    """A leaf is what has no inputs. micrograd gives each one a rule that does nothing."""
    w = engine.Value(3.0)
    w._backward = lambda: None
    for _ in range(2):
        (w * 2).backward()
    assert w.grad == 4.0


@pytest.mark.parametrize(
    ("exponent", "name"),
    [(2.5, "**2.5"), (math.inf, "**inf"), (math.nan, "**nan"), (-1e300, "**-1e+300")],
)
def test_exponent_in_an_array_without_axes_is_shown_as_the_number_that_it_is(exponent, name):
    """Such an array says that it can be an index, whatever its type."""
    assert (pygrad.Value(2.0) ** np.array(exponent))._op == name
    assert (pygrad.Value(2.0) ** np.float64(exponent))._op == name
