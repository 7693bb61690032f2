"""What a program may do to values as objects, and to lists while they are read: nothing of it does harm."""

import gc
import weakref

import pytest
from gc_support import (
    in_fresh_process,
    no_garbage_of_others,  # noqa: F401
    square,
)

from pygrad import Value, dot
from pygrad import sum as value_sum
from pygrad.nn import Layer, Neuron

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
