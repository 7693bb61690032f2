"""Values and Python's garbage collector: what it sees, what it finds, what it may do at any moment.

Programs that could bring the interpreter down run in one of their own.
"""

import functools
import gc
import os
import subprocess
import sys
import textwrap
import types
import weakref

import numpy as np
import pytest

from pygrad import Value, dot, logsumexp
from pygrad import sum as value_sum
from pygrad._engine import lib
from pygrad.nn import Layer, Neuron

STEPS = 2 if "PYGRAD_SANITIZE" in os.environ else 1  # a sanitized process is slow: divide long programs by it


def in_fresh_process(program: str, *options: str, **environment: str) -> str:
    """Run a program that has to end well and without a word on stderr; return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class Witness:
    """What a weak reference can watch, to tell when a graph has died."""


def square(x: Value, *more: object) -> Value:
    """The custom op as micrograd's users write it: a closure over its own output, which is a cycle."""
    out = Value(x.data * x.data, (x,), "square")

    def _backward() -> None:
        x.grad += 2 * x.data * out.grad
        assert more is not None

    out._backward = _backward
    return out


def dies(make) -> bool:
    """Whether one collection finds the cycle that `make(witness)` builds."""
    witness = Witness()
    alive = weakref.ref(witness)
    make(witness)
    del witness
    gc.collect()
    return alive() is None


@pytest.fixture(autouse=True)
def no_garbage_of_others():
    gc.collect()


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


# ---- destructors ----------------------------------------------------------------------------------------------------


def test_destructors_of_subclasses_run_once_each():
    died = []

    class Mortal(Value):
        def __del__(self) -> None:
            died.append(self.data)

    v = Mortal(0.0)
    for i in range(1, 1000):
        v = Mortal(float(i), (v * 2, Value(1.0)))
    del v
    assert died == [float(i) for i in reversed(range(1000))]


def test_resurrected_node_is_whole():
    saved = []

    class Undead(Value):
        def __del__(self) -> None:
            saved.append(self)

    x = Value(3.0)
    y = Undead(9.0, (x,), (6.0,))
    z = y * 2 + x
    del y, z
    (y,) = saved
    saved.clear()
    y.backward()
    assert (x.grad, y.grad, y._prev) == (6.0, 1.0, {x})
    (y * 2).backward()
    assert x.grad == 18.0
    type(y).__del__ = lambda self: None
    del y
    assert sys.getrefcount(x) == 2


def test_node_resurrected_out_of_a_cycle_is_whole():
    saved = []

    class Undead(Value):
        def __del__(self) -> None:
            saved.append(self)

    def build() -> None:
        y = Undead(4.0, (Value(2.0),))
        y._backward = lambda: y

    build()
    gc.collect()
    (y,) = saved
    y._backward()
    y.backward()
    assert y.grad == 1.0
    saved.clear()
    type(y).__del__ = lambda self: None


def test_destructor_may_build_differentiate_and_free_graphs():
    results = []

    class Worker:
        def __del__(self) -> None:
            x = Value(2.0)
            y = x
            for _ in range(1000):
                y = y + x
            y.backward()
            results.append(x.grad)

    v = Value(1.0)
    for _ in range(200):
        w = v * 2
        w.worker = Worker()
        v = w + Value(1.0)
    del w, v
    assert results == [1001.0] * 200


def test_nodes_that_wait_for_their_death_cannot_be_seen():
    """While one input of a dying node dies, its destructor asks the collector for everything that it knows."""
    out = in_fresh_process(
        """
        import gc
        from pygrad import Value

        seen = []

        class Spy:
            def __del__(self):
                seen.extend(o for o in gc.get_objects() if isinstance(o, Value))

        class Node(Value):
            def __del__(self):
                seen.extend(o for o in gc.get_objects() if type(o) is Value)

        for kind in Value, Node:
            inputs = [Value(float(i)) for i in range(5)] + [kind(7.0)]
            for v in inputs:
                v.spy = Spy()
            parent = Value(0.0, inputs)
            del inputs, v
            del parent
        others = [Value(-1.0) for _ in range(100)]
        gc.collect()
        print([type(v) for v in seen if type(v) is Value])
        """
    )
    assert out.strip() == "[]"


def test_destructor_may_run_the_collector():
    class Collector:
        def __del__(self) -> None:
            gc.collect()

    v = Value(1.0)
    for _ in range(100):
        v = square(v * 0.1)
        v.collector = Collector()
        side = v + 1
        side.collector = Collector()
        v = v + side
    v.backward()
    live = lib.pg_live_bytes()
    del v, side
    gc.collect()
    assert lib.pg_live_bytes() <= live


@pytest.mark.parametrize(
    "link",
    [
        "node._backward = types.MethodType(print, last)",
        "node._backward = functools.partial(print, last)",
        "node._backward = (lambda last: lambda: last)(last)",
        "node._backward = last._backward",
        "node.next = last",
        "node.next = [last]",
        "node.next = types.MethodType(print, last)",
        "node.next = types.CellType(last)",
        "node.next = (last * 2).tanh()",
        "node = Node(1.0, (last,))",
        "node = Node(1.0, (last * 2, last))",
        "node = Node(1.0); node._backward = types.MethodType(print, last)",
        "node = Node(1.0); node.next = last",
        "node = Mortal(1.0, (last * 2, last))",
    ],
)
def test_long_chains_of_all_kinds_die_without_overflow(link):
    """200,000 links, none of which may cost a level of recursion of the C stack."""
    out = in_fresh_process(
        f"""
        import functools, gc, types
        from pygrad import Value

        class Node(Value):
            pass

        class Mortal(Value):
            died = 0
            def __del__(self):
                Mortal.died += 1

        last = Value(0.0)
        for _ in range({200_000 // STEPS}):
            node = Value(1.0)
            {link}
            last = node
        del node
        del last
        gc.collect()
        print(sum(isinstance(o, Value) for o in gc.get_objects()), Mortal.died)
        """
    )
    assert out.split() == ["0", str(200_000 // STEPS) if "Mortal" in link else "0"]


def test_deep_chain_of_custom_ops_is_collected():
    alive = weakref.WeakSet()
    v = Value(1.0)
    for i in range(20_000):
        witness = Witness()
        if i % 100 == 0:
            alive.add(witness)
        v = square(v, witness)
    assert len(alive) == 200
    del v, witness
    gc.collect()
    assert len(alive) == 0


# ---- what a program may do to objects ------------------------------------------------------------------------------


def test_weak_references_are_refused():
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(Value(1.0))


def test_subclasses_can_be_referred_to_weakly():
    class Named(Value):
        pass

    v = Named(1.0)
    alive = weakref.ref(v)
    w = v * 2
    del v
    assert alive() is not None
    del w
    assert alive() is None


def test_looking_at_everything_does_no_harm():
    x = Value(2.0)
    nodes = [square(x * i) for i in range(20)]
    nodes[3].note = nodes
    total = value_sum(nodes)
    for o in gc.get_objects():
        if isinstance(o, Value):
            gc.get_referents(o)
            gc.get_referrers(o)
            repr(o)
    gc.freeze()
    gc.collect()
    total.backward()
    gc.unfreeze()
    gc.collect()
    assert x.grad == sum(2 * (2.0 * i) * i for i in range(20))
    del o
    nodes.clear()


@pytest.mark.parametrize(
    "change",
    [
        "v = Value(1.0); set_class(v, Slim)",
        "v = Value(1.0) * 2; set_class(v, Slim)",
        "v = Slim(1.0); set_class(v, Value)",
        "v = Slim(1.0); v.__class__ = Value",
        "v = Value(1.0); v.note = []; set_class(v, Slim)",
    ],
)
def test_class_of_an_object_stays_or_changes_safely(change):
    """A subclass with empty slots has the layout of `Value`, though its instances come from another allocator."""
    in_fresh_process(
        f"""
        import gc
        from pygrad import Value

        class Slim(Value):
            __slots__ = ()

        set_class = object.__dict__["__class__"].__set__
        for _ in range(100):
            try:
                {change}
            except TypeError:
                pass
            w = v * 3
            w.backward()
            del v, w
            gc.collect()
            others = [Value(float(i)) for i in range(1000)]
            assert [v.data for v in others] == list(range(1000))
            del others
        """
    )


def test_class_cannot_be_hidden_behind_an_attribute():
    class Slim(Value):
        __slots__ = ()

    v = Value(1.0)
    with pytest.raises(TypeError):
        v.__class__ = Slim
    assert v.__class__ is Value


@pytest.mark.parametrize(
    "again",
    [
        "y = a * b; y.__init__(5.0, (c,))",
        "y = a * b; y.__init__(5.0, (c,), (1.0,))",
        "y = value_sum([a, b]); y.__init__(5.0, (c,))",
        "y = a.tanh(); y.__init__(5.0)",
        "y = Value(1.0, (a,)); y.__init__(5.0, (c,))",
        "y = Value(1.0); y.__init__(5.0, (c,))",
    ],
)
def test_node_cannot_be_initialised_again(again):
    in_fresh_process(
        f"""
        from pygrad import Value, sum as value_sum

        a, b, c = Value(2.0), Value(3.0), Value(4.0)
        try:
            {again}
        except RuntimeError:
            pass
        else:
            raise AssertionError("it could")
        y._children
        y.backward()
        del y
        for v in a, b, c:
            (v * 2).backward()
        """
    )


def test_node_cannot_be_initialised_while_it_is_being_initialised():
    in_fresh_process(
        """
        import numbers
        from pygrad import Value

        @numbers.Real.register
        class Number:
            def __float__(self):
                try:
                    v.__init__(3.0, (a, b), (1.0, 1.0))
                except RuntimeError:
                    pass
                return 5.0

        a, b = Value(1.0), Value(2.0)
        v = Value.__new__(Value)
        try:
            v.__init__(Number(), (a,))
        except RuntimeError:
            pass
        v._children, v._prev
        v.backward()
        del v
        for x in a, b:
            (x * 2).backward()
        """
    )


def test_value_cannot_be_used_before_it_is_initialised():
    """Or it could be given its own consumer as a child: inputs have to be free of cycles."""
    v, x = Value.__new__(Value), Value(3.0)
    uses = [lambda: v * 2, lambda: x + v, lambda: -v, lambda: value_sum([x, v]), lambda: dot([x], [v])]
    uses += [lambda: Value(1.0, (v,)), lambda: v.__init__(1.0, (v,)), lambda: Layer(2, 2)([x, v])]
    for use in uses:
        with pytest.raises(RuntimeError, match=r"initialised|__init__"):
            use()
    v.__init__(1.0, (x,), (2.0,))
    (v * 2).backward()
    assert x.grad == 4.0


def test_value_of_a_subclass_that_forgot_its_base_says_so():
    class Forgetful(Value):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match="__init__"):
        Forgetful() + 1
    with pytest.raises(RuntimeError, match="__init__"):
        Forgetful().tanh()


def test_children_cannot_smuggle_in_a_consumer():
    v = Value.__new__(Value)

    def children():
        v.data = 1.0  # which makes it usable
        yield v * 2

    with pytest.raises(RuntimeError):
        v.__init__(3.0, children())
    assert v._children == ()
    v.backward()


def test_helpers_may_be_replaced_while_they_are_in_use():
    in_fresh_process(
        """
        import weakref
        import numpy as np
        from pygrad import Value, _engine

        def reader(operand):
            return float(operand)

        _engine.native.set_helpers(reader, _engine._elementwise)
        watch = weakref.ref(reader, lambda _: Value(1.0) + np.float32(2))
        del reader
        _engine.native.set_helpers(_engine._read_operand, _engine._elementwise)
        assert (Value(1.0) + np.float32(2)).data == 3.0
        """
    )


def test_descriptors_of_subclasses_are_not_asked_for_their_value_on_assignment():
    class Stored:
        values = {}  # noqa: RUF012

        def __get__(self, instance: object, owner: type) -> object:
            return self.values[id(instance)]

        def __set__(self, instance: object, value: object) -> None:
            self.values[id(instance)] = value

    class Node(Value):
        rate = Stored()

    v = Node(1.0)
    v.rate = 3
    assert v.rate == 3


# ---- lists that change while they are read --------------------------------------------------------------------------


def test_list_may_change_while_its_items_are_read():
    out = in_fresh_process(
        """
        import gc
        import numbers
        from pygrad import Value, dot, logsumexp, sum as value_sum

        @numbers.Real.register
        class Number:
            def __init__(self, action):
                self.action = action
            def __float__(self):
                self.action()
                gc.collect()
                return 1.0

        for function in value_sum, logsumexp, lambda v: dot(v, v), lambda v: Value(0.0, (Value(1.0),), v):
            for action in list.clear, lambda v: v.append(Value(1.0)), list.reverse, lambda v: v.__setitem__(0, None):
                values = [Value(1.0) for _ in range(50)]
                values.insert(25, Number(lambda: action(values)))
                try:
                    v = function(values)
                    v.backward()
                    print("done")
                except (TypeError, ValueError):
                    print("refused")
        """
    )
    assert len(out.split()) == 16


def test_layer_may_change_while_it_is_applied():
    class Changing(Neuron):
        def __call__(self, x):
            layer.neurons.clear()
            gc.collect()
            return super().__call__(x)

    layer = Layer(2, 5, seed=0)
    layer.neurons[2] = Changing(2, seed=1)
    assert len(layer([Value(1.0), 2.0])) == 3


# ---- the collector at any moment ------------------------------------------------------------------------------------

MIXED = """
import gc
import numpy as np
import pygrad
from pygrad import reference

def program(engine, functional):
    V = engine.Value
    class Node(V):
        pass
    def square(x):
        out = V(x.data**2, (x,), "square")
        def _backward():
            x.grad += 2 * x.data * out.grad
        out._backward = _backward
        return out
    leaves = [V(0.1 * i - 0.35) for i in range(8)]
    grads = []
    for k in range(STEPS):
        h = [(a * b + 1.5).tanh() - np.float64(0.25) for a, b in zip(leaves, leaves[1:])]
        h += [square(h[k % 7]), Node(leaves[1].data) * leaves[1], 2 ** leaves[2], leaves[3].exp()]
        h[0].note, h[1].note, h[2].label = [h], {"self": h[1]}, "h2"
        s = functional.sum(h) + functional.dot(h, h[::-1]) * 0.1 + functional.logsumexp(h[:4])
        loss = square(s) * 0.01
        for v in leaves:
            v.grad = 0.0
        loss.backward()
        grads.append([v.grad for v in leaves] + [v.grad for v in h] + [loss.data])
        leaves[k % 8].data += 0.01
        del h, s, loss
    return grads
"""


@pytest.mark.parametrize("threshold", [(1,), (3, 2, 2), (0,)])
def test_collector_running_all_the_time_changes_nothing(threshold):
    in_fresh_process(
        MIXED.replace("STEPS", str(40 // STEPS))
        + f"""
gc.set_threshold(*{threshold})
ours = program(pygrad, pygrad.functional)
gc.set_threshold(700)
theirs = program(reference, reference.functional)
np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
""",
    )


# ---- the end of the interpreter -------------------------------------------------------------------------------------

SHUTDOWN = """
import gc
import sys
import threading
import time
from pygrad import MLP_OR_NOTHING

class Node(Value):
    pass

class Loud(Value):
    def __del__(self):
        (Value(1.0) * 2 + self.data).backward()

def square(x):
    out = Value(x.data**2, (x,), "square")
    def _backward():
        x.grad += 2 * x.data * out.grad
    out._backward = _backward
    return out

x = Value(2.0)
chain = x
for _ in range(10_000):
    chain = chain + x
custom = square(square(chain * 1e-4))
custom.note = [custom]
kept = Node(1.0, (custom,))
kept.self = kept
loud = Loud(1.0, (kept,))
loud.self = loud
model = MLP(2, [8, 1], seed=0)
loss = model([x, custom])
loss.backward()
sys.modules["kept_by_a_module"] = [loss, square(loss)]
sys.graph = square(loss)

def forever():
    y = Value(1.0)
    while True:
        z = square(y * 2)
        z.backward()

def asleep():
    z = Value(1.0) * 2
    z._backward = lambda: time.sleep(1000)
    (z + 1).backward()

if THREADS:
    for target in forever, asleep:
        threading.Thread(target=target, daemon=True).start()
    time.sleep(0.05)
gc.disable()
""".replace("from pygrad import MLP_OR_NOTHING", "from pygrad import Value\nfrom pygrad.nn import MLP")


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ((), {}),
        (("-X", "dev"), {}),
        ((), {"PYTHONMALLOC": "debug"}),
        (("-W", "error"), {}),
        (("-O",), {}),
    ],
    ids=["plain", "dev mode", "debug malloc", "warnings are errors", "optimised"],
)
def test_interpreter_ends_silently_over_live_graphs(options, environment, threads):
    in_fresh_process(SHUTDOWN.replace("THREADS", str(threads)), *options, **environment)


# ---- attributes of one value are not those of all --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["__len__", "__setattr__", "__new__", "__module__", "__name__", "__call__", "__float__", "__eq__", "mro"]
)
def test_attribute_of_one_value_with_a_special_name_changes_no_other(name):
    """Refused or kept, it is that one's: the type goes on as before."""
    in_fresh_process(
        f"""
        import gc, pickle
        import numpy as np
        from pygrad import Value

        def marvel(*_):
            raise AssertionError("called")

        before = repr(Value), Value.__module__, Value.__name__, callable(Value(1.0)), Value.mro()
        v, w = Value(1.0), Value(2.0)
        try:
            setattr(v, {name!r}, marvel)
        except (AttributeError, TypeError):
            pass
        del v
        assert (repr(Value), Value.__module__, Value.__name__, callable(Value(1.0)), Value.mro()) == before
        assert w and bool(w + w)
        w.data = 3.0
        w.note = [w]
        assert not hasattr(w, "nothing") and w == w and w in {{w}}
        assert pickle.loads(pickle.dumps(Value(5.0))).data == 5.0
        assert type(np.array([w])[0]) is Value
        for convert in float, list, len, iter:
            try:
                convert(w)
            except TypeError:
                pass
            else:
                raise AssertionError(convert)
        y = w * 2 + 1
        y.backward()
        assert (y.data, w.grad) == (7.0, 2.0)
        del w, y
        gc.collect()
        """
    )


def test_attribute_that_hides_a_method_hides_it_on_that_value_alone():
    v, w = Value(-1.0), Value(-2.0)
    v.relu = "mine"
    assert v.relu == "mine"
    assert w.relu().data == 0.0
    assert Value.relu(v).data == 0.0
    del v.relu
    assert v.relu().data == 0.0


def test_class_attribute_of_a_subclass_without_a_dict_stays_its_own():
    class Slim(Value):
        __slots__ = ()
        unit = "metre"

    v = Slim(1.0)
    try:
        v.unit = "foot"
    except AttributeError:
        assert v.unit == "metre"
    else:
        assert v.unit == "foot"
    assert Slim(2.0).unit == "metre"
    assert not hasattr(Value(3.0), "unit")


def test_what_the_type_holds_cannot_be_applied_to_other_objects():
    """A descriptor of a C type that is called with any object must not take it for one of its own."""
    in_fresh_process(
        """
        from pygrad import Value

        v = Value(1.0)
        v.colour = "red"

        class Other:
            __slots__ = ()

        def use(attribute, other):
            for call in (
                lambda: attribute.__get__(other, type(other)),
                lambda: attribute.__set__(other, 1.0),
                lambda: attribute.__delete__(other),
                lambda: attribute(other),
                lambda: attribute(other, v),
                lambda: attribute(v, other),
            ):
                try:
                    call()
                except (TypeError, AttributeError, ValueError, RuntimeError):
                    pass

        for name, attribute in list(vars(Value).items()):
            if name not in ("__new__", "__init__", "to_dot"):
                for other in Other(), 5, "text" * 100, None, [1.0]:
                    use(attribute, other)
        Copy = type("Copy", (), {"colour": vars(Value)["colour"], "data": vars(Value)["data"]})
        for name in "colour", "data":
            try:
                getattr(Copy(), name)
            except (TypeError, AttributeError):
                pass
            else:
                raise AssertionError(name)
        v.backward()
        """
    )


def test_values_with_attributes_that_die_inside_a_destructor_die_at_once():
    alive = weakref.WeakSet()
    most = 0

    class Maker:
        def __del__(self) -> None:
            nonlocal most
            for _ in range(1000):
                v = Value(1.0)
                v.witness = Witness()
                alive.add(v.witness)
                del v
                most = max(most, len(alive))

    v = Value(1.0)
    v.maker = Maker()
    del v
    assert most <= 1
