"""Values and Python's garbage collector: what it sees, what it finds, what it may do at any moment.

Programs that could bring the interpreter down run in one of their own.
"""

import functools
import gc
import sys
import types
import weakref

import numpy as np
import pytest
from gc_support import (
    Witness,
    no_garbage_of_others,  # noqa: F401
    square,
)

from pygrad import Value, dot, logsumexp
from pygrad import sum as value_sum
from pygrad._engine import lib
from pygrad.nn import Layer


def dies(make) -> bool:
    """Whether one collection finds the cycle that `make(witness)` builds."""
    witness = Witness()
    alive = weakref.ref(witness)
    make(witness)
    del witness
    gc.collect()
    return alive() is None


# ---- what the collector is told of ---------------------------------------------------------------------------------


def test_results_of_operators_are_not_tracked():
    x, y = Value(2.0), Value(3.0)
    results = [x, x + y, x * 2, 2 - x, -x, x**2, x / y, x.tanh(), x.maximum(y), value_sum([x, y, 1.0]), dot([x], [y])]
    results += [logsumexp([x, y]), *Layer(2, 3, seed=0)([x, y]), *Layer(2, 3, seed=0)([1.0, 2.0]), Value(1.0, (x, y))]
    results += [Value(1.0, (x,), (2.0,)), np.float64(2) * x, *(np.array([1.0, 2.0]) * x)]
    assert not any(gc.is_tracked(v) for v in results)


@pytest.mark.parametrize("attribute", ["red", 3, 2.5, None, True, b"x", 1j])
def test_plain_attributes_do_not_make_a_node_tracked(attribute):
    x = Value(2.0, label="x", op="input")
    x.note = attribute
    x.label = "other"
    assert not gc.is_tracked(x)
    assert not gc.is_tracked(x * 2)


@pytest.mark.parametrize("attribute", [[], {}, set(), (lambda: None), Witness(), Value(1.0), ValueError()])
def test_attributes_that_can_close_a_cycle_make_a_node_tracked(attribute):
    x = Value(2.0)
    x.note = attribute
    assert gc.is_tracked(x)
    assert not gc.is_tracked(x * 2)


def test_dict_shows_the_attributes_and_cannot_be_written_to():
    x = Value(2.0)
    assert dict(vars(x)) == {}
    x.note = 3
    assert dict(vars(x)) == {"note": 3}
    with pytest.raises(TypeError):
        vars(x)["me"] = x
    assert not gc.is_tracked(x)


def test_closure_makes_its_node_and_what_is_built_on_it_tracked():
    x = Value(2.0)
    y = square(x)
    assert not gc.is_tracked(x)
    assert gc.is_tracked(y)
    later = [y + 1, 1 - y, y * x, y.tanh(), value_sum([x, y]), dot([y], [x]), Value(0.0, (y,)), Layer(2, 2)([x, y])[1]]
    assert all(gc.is_tracked(v) for v in later)
    assert gc.is_tracked(later[0] * 2)


def test_instances_of_subclasses_are_tracked_from_birth():
    class Named(Value):
        pass

    assert gc.is_tracked(Named(1.0))


def test_collector_sees_exactly_the_references_that_a_node_owns():
    x, y = Value(2.0), Value(3.0)

    def inputs(v: Value) -> list[Value]:
        return [r for r in gc.get_referents(v) if isinstance(r, Value)]

    assert inputs(x) == []
    assert inputs(x * x) == [x, x]
    assert inputs(x * 2) == [x]
    assert inputs(value_sum([x, y, x])) == [x, y, x]
    assert inputs(dot([x, y], [y, y])) == [x, y, y, y]
    z = square(x)
    z.note = [1]
    z.label = "z"
    assert inputs(z) == [x]
    assert z._backward in gc.get_referents(z)
    assert {"note": [1]} in gc.get_referents(z)
    assert gc.get_referents(z).count(Value) == 1


# ---- cycles ---------------------------------------------------------------------------------------------------------


def test_custom_op_is_found_by_one_collection():
    assert dies(lambda witness: square(Value(2.0), witness))


def test_custom_op_dies_at_once_when_its_closure_does_not_know_it():
    witness = Witness()
    alive = weakref.ref(witness)
    x = Value(2.0)
    y = Value(4.0, (x,), "square")
    y._backward = functools.partial(lambda w, x: None, witness, x)
    del y, witness
    assert alive() is None


def test_chains_of_custom_ops_are_found_by_one_collection():
    witnesses = [Witness() for _ in range(50)]
    alive = [weakref.ref(w) for w in witnesses]
    v = Value(1.0)
    for w in witnesses:
        v = square(v * 0.5 + 1, w)
        v = value_sum([v.tanh(), v * 0.1, 1.0]) - 2
    v.backward()
    del v, w
    witnesses.clear()
    gc.collect()
    assert sum(a() is not None for a in alive) == 0


@pytest.mark.parametrize("width", [1, 3])
def test_chains_of_custom_ops_and_layers_are_found_by_one_collection(width):
    """The neurons of a layer share the block of their inputs, whose references are none's alone."""
    alive = []

    def build() -> None:
        x = [Value(1.0) for _ in range(width)]
        for depth in range(4):
            outputs = Layer(width, width, seed=depth)(x)
            x = []
            for output in outputs if isinstance(outputs, list) else [outputs]:
                witness = Witness()
                alive.append(weakref.ref(witness))
                x.append(square(output, witness))

    build()
    gc.collect()
    assert sum(a() is not None for a in alive) == 0


@pytest.mark.parametrize("width", [1, 2])
def test_cycle_through_the_outputs_of_a_layer_is_found(width):
    def build(witness: Witness) -> None:
        outputs = []
        x = square(Value(2.0), witness, outputs)
        outputs.append(Layer(1, width, seed=0)([x]))

    assert dies(build)


def test_training_with_custom_ops_returns_its_memory():
    w = Value(0.5)
    references = sys.getrefcount(w)
    alive = weakref.WeakSet()

    def step() -> None:
        witness = Witness()
        alive.add(witness)
        loss = square(square(w * 1.1, witness) + 1, witness) * 0.1
        w.grad = 0.0
        loss.backward()
        w.data -= 0.01 * w.grad

    def hundred_steps() -> int:
        gc.disable()  # so that both rounds make the same garbage
        try:
            for _ in range(100):
                step()
        finally:
            gc.enable()
        gc.collect()
        return lib.pg_live_bytes()

    live = hundred_steps()
    assert hundred_steps() == live
    assert len(alive) == 0
    assert sys.getrefcount(w) == references


def test_cycles_through_attributes_are_found():
    def of_one(witness: Witness) -> None:
        x = Value(1.0)
        x.me, x.witness = x, witness

    def of_two(witness: Witness) -> None:
        x, y = Value(1.0), Value(2.0)
        x.other, y.others = y, {"x": [x]}
        y.witness = witness

    def to_inputs(witness: Witness) -> None:
        x = Value(1.0)
        y = (x * 2).tanh()
        z = y + 1
        z.trace = [x, y, z]
        z.witness = witness

    def through_its_dict(witness: Witness) -> None:
        x = Value(1.0)
        x.witness = witness
        x.attributes = vars(x)

    def through_the_rule_of_a_node(witness: Witness) -> None:
        x = Value(1.0) * 2
        x.rule, x.witness = x._backward, witness

    def through_a_method(witness: Witness) -> None:
        x = Value(1.0) * 2
        x._backward = types.MethodType(lambda self: witness, x)

    for build in of_one, of_two, to_inputs, through_its_dict, through_the_rule_of_a_node, through_a_method:
        assert dies(build), build.__name__


@pytest.mark.parametrize("name", ["label", "_op"])
def test_text_that_refers_back_to_its_node_keeps_nothing_alive(name):
    class Text(str):
        pass

    def build(witness: Witness) -> None:
        x = Value(1.0)
        text = Text("x")
        text.owner, text.witness = x, witness
        setattr(x, name, text)

    assert dies(build)


def test_cycles_through_instances_of_subclasses_are_found():
    class Neuronal(Value):
        pass

    def build(witness: Witness) -> None:
        x = Neuronal(1.0)
        x.consumer = Neuronal(2.0, (x,))
        x.witness = witness

    assert dies(build)


def test_rule_taken_off_again_leaves_a_working_node():
    x = Value(3.0)
    y = x * x
    rule = y._backward
    y._backward = lambda: rule()
    y.backward()
    assert x.grad == 6.0
    y._backward = None
    x.grad = 0.0
    y.backward()
    assert x.grad == 6.0
    del y._backward
    y.backward()
    assert x.grad == 12.0
