"""A program, run by the engine and by `pygrad.reference` side by side and compared after each step."""

import gc
import math
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from value_bounds import EPS, Bounds, Node
from value_programs import (
    ACTIVATIONS,
    BINARY,
    CUSTOM,
    NARY,
    OPERATORS,
    ROUNDED_OTHERWISE,
    UNARY,
    Program,
)

import pygrad
from pygrad import functional, reference
from pygrad._engine import find_op
from pygrad.nn import Neuron


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


def run(program: Program) -> None:
    Run(program).finish()
