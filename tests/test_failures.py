"""Allocations that fail: MemoryError, nothing leaked, everything usable.

`pg_fail_allocation(n, forever)` lets the nth allocation of the engine fail. Each operation here is tried with n = 1,
2, 3... until it gets through, so that every one of its allocations has failed once, alone and with all that follow.
"""

import copy
import gc
import itertools
import pickle
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pygrad import Value, functional
from pygrad._engine import ffi, lib, op_table
from pygrad.nn import MLP, Layer, Neuron
from pygrad.optim import SGD, Adam


class Node(Value):
    """A subclass: its instances come from Python's allocator."""


class OwnNeuron(Neuron):
    """A neuron of the user's, which the engine calls as any Python object."""

    def __call__(self, x: Any) -> Value:
        return super().__call__(x) * 1.0


def with_rule(x: Value) -> Value:
    out = Value(3 * x.data, (x,), "triple")

    def _backward() -> None:
        x.grad += 3 * out.grad

    out._backward = _backward
    return out


class Inputs:
    """What the operations work on; it outlives them, so that it shows what they leave behind."""

    def __init__(self) -> None:
        self.x, self.y = Value(0.75), Value(2.0, label="y")
        self.xs = [Value(0.25 * i) for i in range(1, 5)]
        self.mixed = [self.x, 1.0, self.y, np.float64(2)]
        self.numbers = [0.5, 1, Fraction(1, 4), np.float32(2)]
        self.array = np.array([0.5, 2.0, 1.0])
        self.neuron = Neuron(4, activation="tanh", seed=0)
        self.layer = Layer(4, 3, seed=1, activation="leaky_relu")
        self.layer.neurons[1] = OwnNeuron(4, seed=2)
        self.mlp = MLP(4, [3, 2], seed=3)
        self.root = functional.sum([with_rule(v * self.x) for v in self.xs]).tanh()
        self.sgd = SGD(self.mlp.parameters(), lr=0.1, momentum=0.9)
        self.adam = Adam(self.mlp.parameters(), lr=0.1)
        self.many = [Value(float(i)) for i in range(50)]

    def leaves(self) -> list[Value]:
        parameters = [*self.neuron.parameters(), *self.layer.parameters(), *self.mlp.parameters()]
        return [self.x, self.y, *self.xs, *parameters, self.root]


def operations() -> Iterator[tuple[str, Callable[[Inputs], object]]]:
    for row in op_table():
        name = _text(row.name)
        f = getattr(Value, name)
        if row.arity == 1:
            yield name, lambda i, f=f: f(i.x)
        else:
            yield f"{name} of values", lambda i, f=f: f(i.x, i.y)
            yield f"{name} with a number", lambda i, f=f: f(i.x, 2.0)
            yield f"{name} with a fraction", lambda i, f=f: f(i.x, Fraction(1, 2))
    yield from OPERATIONS.items()


def _text(name: Any) -> str:
    return str(ffi.string(name).decode())


def _set(v: Value, name: str, value: object) -> Value:
    setattr(v, name, value)
    return v


def _label_all(i: Inputs) -> object:
    return [_set(Node(v.data), "label", "x") for v in i.many]


OPERATIONS: dict[str, Callable[[Inputs], object]] = {
    "+": lambda i: i.x + i.y,
    "+ int": lambda i: i.x + 1,
    "number - ": lambda i: 1.5 - i.x,
    "numpy number / ": lambda i: np.float32(2) / i.x,
    "int ** ": lambda i: 2**i.x,
    "** int": lambda i: i.x**3,
    "abs": lambda i: abs(i.x),
    "negative": lambda i: -i.x,
    "value * array": lambda i: i.x * i.array,
    "array - value": lambda i: i.array - i.x,
    "a long expression": lambda i: ((i.x * i.y + 2).tanh() * 3 - i.y / i.x).exp() + 1 / i.y,
    "gelu, approximated": lambda i: i.x.gelu("tanh"),
    "Value(number)": lambda i: Value(1.0),
    "Value(numpy number)": lambda i: Value(np.float32(1)),
    "Value(children)": lambda i: Value(1.0, (i.x, i.y), "op"),
    "Value(children as a set)": lambda i: Value(1.0, {i.x, i.y}, _op="op", label="l"),
    "Value(local gradients)": lambda i: Value(1.0, (i.x, i.y), (0.5, np.float64(2))),
    "Value(by keywords)": lambda i: Value(data=1.0, _children=i.xs, local_grads=[1, 2, 3, 4], label="l", op="op"),
    "subclass": lambda i: Node(1.0),
    "subclass with children": lambda i: Node(1.0, [i.x, *i.xs], "op", "label"),
    "label": lambda i: _set(Value(1.0), "label", "l"),
    "attribute": lambda i: _set(Value(1.0), "colour", "red"),
    "container as attribute": lambda i: _set(Value(1.0), "inputs", [i.x, i.y]),
    "attribute of a subclass": lambda i: _set(Node(1.0), "colour", "red"),
    "dict": lambda i: vars(Value(1.0)),
    "closure": lambda i: with_rule(i.x) * 2 + i.y,
    "rule of a node": lambda i: _set(i.x * 2, "_backward", (i.x * 3)._backward),
    "many labels": _label_all,
    "sum of values": lambda i: functional.sum(i.xs),
    "sum of both": lambda i: functional.sum(i.mixed),
    "sum of numbers": lambda i: functional.sum(i.numbers),
    "sum of a generator": lambda i: functional.sum(v * 2 for v in i.xs),
    "sum of an array": lambda i: functional.sum(i.array),
    "logsumexp": lambda i: functional.logsumexp(i.mixed),
    "dot of values": lambda i: functional.dot(i.xs, i.xs),
    "dot with numbers": lambda i: functional.dot(i.xs, i.numbers),
    "dot of numbers with values": lambda i: functional.dot(i.numbers, i.xs),
    "dot of both": lambda i: functional.dot(i.mixed, i.mixed),
    "dot of numbers": lambda i: functional.dot(i.numbers, i.numbers),
    "softmax": lambda i: functional.softmax(i.xs),
    "log_softmax": lambda i: functional.log_softmax(i.mixed),
    "cross_entropy": lambda i: functional.cross_entropy(i.xs, 2),
    "squared_error": lambda i: functional.squared_error(i.x, 2.0),
    "margin_loss": lambda i: functional.margin_loss(i.x, -1),
    "binary_cross_entropy": lambda i: functional.binary_cross_entropy_with_logits(i.x, 1),
    "maximum": lambda i: functional.maximum(1.0, i.x),
    "neuron of values": lambda i: i.neuron(i.xs),
    "neuron of numbers": lambda i: i.neuron(i.numbers),
    "layer of values": lambda i: i.layer(i.xs),
    "layer of both": lambda i: i.layer(i.mixed),
    "MLP": lambda i: i.mlp(i.numbers),
    "MLP of values": lambda i: i.mlp(i.xs),
    "making an MLP": lambda i: MLP(2, [3, 1], seed=0),
    "backward": lambda i: i.root.backward(),
    "backward of all there is": lambda i: functional.sum([i.root, *i.mlp(i.xs), functional.dot(i.xs, i.xs)]).backward(),
    "zero_grad": lambda i: i.mlp.zero_grad(),
    "SGD": lambda i: i.sgd.step(),
    "Adam": lambda i: i.adam.step(),
    "making an optimiser": lambda i: SGD(i.mlp.parameters(), lr=0.1),
    "copy": lambda i: copy.copy(i.y),
    "deepcopy": lambda i: copy.deepcopy([i.y, i.y]),
    "pickle": lambda i: pickle.loads(pickle.dumps(i.y)),
    "to_dot": lambda i: i.root.to_dot(),
    "attributes and comparisons": lambda i: (i.root._prev, i.root._children, i.root._op, repr(i.root), i.x < i.array),
}
ALLOCATE_NOTHING = {"attributes and comparisons", "to_dot", "making an optimiser"}


def state(inputs: Inputs) -> list[object]:
    """Return all that an operation that failed must not have changed."""
    return [(v.data, sys.getrefcount(v)) for v in inputs.leaves()] + [sys.getrefcount(v) for v in inputs.many]


def attempt(operation: Callable[[Inputs], object], inputs: Inputs, n: int, forever: bool) -> bool:
    """Run with the nth allocation failing, drop the result, and return whether it got through."""
    lib.pg_fail_allocation(n, forever)
    try:
        operation(inputs)
    except MemoryError:
        return False
    finally:
        lib.pg_fail_allocation(0, False)
    return True


@pytest.fixture(scope="module")
def inputs() -> Iterator[Inputs]:
    gc.collect()
    gc.freeze()  # collections here are many, and need not look at what other tests have left
    yield Inputs()
    gc.unfreeze()


@pytest.fixture(autouse=True)
def failures_end_with_the_test() -> Iterator[None]:
    yield
    lib.pg_fail_allocation(0, False)


@pytest.mark.parametrize(("name", "operation"), [pytest.param(*case, id=case[0]) for case in operations()])
@pytest.mark.parametrize("forever", [False, True], ids=["one fails", "all fail from there"])
def test_every_allocation_may_fail(name, operation, forever, inputs):
    for _ in range(2):  # so that caches are filled and tables have their size
        operation(inputs)
    gc.collect()
    for n in itertools.count(1):
        before, live = state(inputs), lib.pg_live_bytes()
        passed = attempt(operation, inputs, n, forever)
        if passed:
            break
        gc.collect(0)  # closures over their own output
        assert state(inputs) == before
        gc.collect()
        assert lib.pg_live_bytes() == live
        x = Value(3.0)
        (x * x * x).backward()
        assert x.grad == 27.0
    assert n > 1 or name in ALLOCATE_NOTHING
    operation(inputs)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_optimiser_that_fails_has_not_stepped(kind):
    parameters = [Value(1.0), Value(2.0)]
    optimizer = kind(parameters, lr=0.1)
    for p in parameters:
        p.grad = 1.0
    steps = []
    for n in 1, 2, 3, 4:
        data = [p.data for p in parameters]
        if not attempt(lambda _: optimizer.step(), None, n, False):  # type: ignore[arg-type]
            assert [p.data for p in parameters] == data
            steps.append(optimizer.steps)
    assert set(steps) == {0}


def test_backward_that_fails_leaves_the_gradients_of_leaves_alone():
    x = Value(2.0)
    y = functional.sum([with_rule(x * x) * float(i) for i in range(5)])
    x.grad = 7.0
    lib.pg_fail_allocation(1, False)
    with pytest.raises(MemoryError, match="out of memory"):
        y.backward()
    assert x.grad == 7.0
    y.backward()
    assert x.grad == 7.0 + 2 * 2.0 * 3 * 10


def test_nested_backward_that_fails_ends_the_outer_one_and_both_can_be_repeated():
    x, inner = Value(2.0), Value(5.0)

    def rule() -> None:
        lib.pg_fail_allocation(2 if inner.grad == 0.0 else 0, False)
        try:
            (inner * inner).backward()
        finally:
            lib.pg_fail_allocation(0, False)
        x.grad += 3 * out.grad

    out = Value(6.0, (x,))
    out._backward = rule
    root = out * 7 + x
    with pytest.raises(MemoryError):
        root.backward()
    x.grad, inner.grad = 0.0, 1.0
    root.backward()
    assert (x.grad, inner.grad) == (22.0, 11.0)


def test_label_that_finds_no_memory_is_not_set():
    values = [Value(float(i)) for i in range(5000)]
    failed = 0
    for v in values:
        if not attempt(lambda _, v=v: _set(v, "label", "x"), None, 1, False):  # type: ignore[arg-type, misc]
            failed += 1
            assert v.label == ""
            v.label = "x"
    assert 1 <= failed <= 12  # the table doubles, at most from nothing
    assert {v.label for v in values} == {"x"}


def test_nodes_die_without_allocating():
    """The table of extras would shrink, the pages would go back: neither may need what there is not."""
    live = lib.pg_live_bytes()
    values = [Value(float(i), label="x") for i in range(20_000)]
    root = functional.sum([with_rule(v) for v in values[:100]] + values)
    rest = [Value(float(i), label="y") for i in range(10)]
    lib.pg_fail_allocation(1, True)
    del values, root
    gc.collect()
    lib.pg_fail_allocation(0, False)
    assert [v.label for v in rest] == ["y"] * 10
    rest[0].label = "z"
    del rest
    assert lib.pg_live_bytes() <= live + (4 << 20)
