"""Attributes of values, subclasses, copies and pickles."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import pydoc
import subprocess
import sys
from math import inf, nan

import pytest
from oracle import same
from value_support import closure_op, gradients, twins

import pygrad
from pygrad import Value

# ---- attributes -----------------------------------------------------------------------------------------------------


def test_label_is_a_str_that_can_be_set():
    x = Value(1.0)
    assert x.label == ""
    x.label = "weight"
    assert x.label == "weight"
    y = x * 2
    y.label = "b\u00fcro \U0001f600"
    assert y.label == "b\u00fcro \U0001f600"
    with pytest.raises(TypeError, match="label has to be a str, not 3"):
        y.label = 3
    assert y.label == "b\u00fcro \U0001f600"


@pytest.mark.parametrize("make", [lambda: Value(1.0), lambda: Value(1.0) * 2], ids=["leaf", "interior"])
def test_any_other_attribute_can_be_set_read_and_deleted(make):
    v = make()
    v.colour = "red"
    v.moments = {"m": 0.0, "v": 1.0}
    v.moments["m"] += 0.5
    v.layer = 3
    assert (v.colour, v.moments, v.layer) == ("red", {"m": 0.5, "v": 1.0}, 3)
    assert hasattr(v, "colour") and not hasattr(v, "shape")
    assert v.__dict__ == vars(v) == {"colour": "red", "moments": {"m": 0.5, "v": 1.0}, "layer": 3}
    del v.colour
    with pytest.raises(AttributeError, match="colour"):
        v.colour  # noqa: B018
    with pytest.raises(AttributeError, match="colour"):
        del v.colour
    assert "layer" in dir(v) and "colour" not in dir(v)
    assert v.grad == 0.0
    try:
        v.__dict__["direct"] = 1
    except TypeError:
        assert not hasattr(v, "direct")
    else:
        assert v.direct == 1


def test_missing_attribute_is_an_attribute_error_that_names_type_and_attribute():
    with pytest.raises(AttributeError, match=r"Value.*'shape'"):
        Value(1.0).shape  # noqa: B018
    assert getattr(Value(1.0), "shape", 7) == 7
    with pytest.raises(AttributeError, match="shape"):
        del Value(1.0).shape


def test_attributes_die_with_their_value():
    class Witness:
        count = 0

        def __del__(self):
            Witness.count += 1

    for _ in range(100):
        v = Value(1.0) * 2
        v.witness = Witness()
        v.label = "x"
    del v
    gc.collect()
    assert Witness.count == 100
    assert not hasattr(Value(1.0) * 2, "witness")  # whatever cell it came from


def test_attribute_on_one_value_is_not_on_another():
    values = [Value(float(i)) for i in range(500)]
    for i, v in enumerate(values):
        if i % 3 == 0:
            v.index = i
            v.label = str(i)
    for i, v in enumerate(values):
        assert getattr(v, "index", None) == (i if i % 3 == 0 else None)
        assert v.label == (str(i) if i % 3 == 0 else "")


def test_instance_attribute_comes_before_a_method_of_that_name():
    v = Value(1.0)
    v.relu = lambda: "mine"
    assert v.relu() == "mine"
    assert Value(1.0).relu().data == 1.0
    del v.relu
    assert v.relu().data == 1.0


def test_attribute_that_the_type_gets_later_comes_before_that_of_an_instance():
    """As documented: the descriptor that finds the attributes of instances stands under the same name."""
    v, other = Value(1.0), Value(2.0)
    v.colour = "red"
    try:
        Value.colour = "black"
        assert (v.colour, other.colour) == ("black", "black")
        v.colour = "blue"
        assert (v.colour, other.colour) == ("blue", "black")
    finally:
        del Value.colour
    v.colour = "red"
    assert v.colour == "red" and not hasattr(other, "colour")


def test_default_on_the_type_is_there_until_an_instance_has_its_own():
    Value.shade = "grey"
    try:
        v, other = Value(1.0), Value(2.0)
        v.shade = "blue"
        assert (v.shade, other.shade, Value.shade) == ("blue", "grey", "grey")
        del v.shade
        assert v.shade == "grey"
    finally:
        del Value.shade
    assert not hasattr(Value(1.0), "shade")


SPECIAL_NAMES = """
from pygrad import Value
v, other = Value(2.0), Value(3.0)
try:
    setattr(v, NAME, lambda *a: 7)
except (AttributeError, TypeError):
    pass
assert bool(other) is True and bool(Value(0.0)) is True
assert (other + 1).data == 4.0 and (1 + other).data == 4.0 and (other * other).data == 9.0
assert type(v + other) is Value and (v + other).data == 5.0
assert repr(other) == "Value(data=3.0, grad=0.0)" and (other < 5) is True
assert (Value.__module__, Value.__name__, Value.__qualname__) == ("pygrad", "Value", "Value")
for ask in (len, iter, float):
    try:
        ask(other)
    except TypeError:
        pass
    else:
        raise AssertionError(ask)
other.backward()
"""


@pytest.mark.parametrize(
    "name",
    ["__len__", "__bool__", "__add__", "__iter__", "__float__", "__repr__", "__lt__", "__name__", "__module__", "mro"],
)
def test_special_name_set_on_one_value_changes_no_other(name):
    # In a process of its own: should it go wrong, every value of this one is changed.
    subprocess.run([sys.executable, "-c", SPECIAL_NAMES.replace("NAME", repr(name))], check=True, timeout=60)


def test_help_is_there_after_attributes_were_set():
    v = Value(1.0)
    v.some_attribute_for_help = 1
    assert "Arithmetic on values builds a graph" in pydoc.plain(pydoc.render_doc(Value))
    assert inspect.getmembers(Value)


def test_class_of_a_value_stays_what_it_is():
    v = Value(1.0)
    with pytest.raises(TypeError):
        v.__class__ = int
    assert v.__class__ is Value and not isinstance(v, int)


def test_methods_can_be_added_to_the_type_and_taken_back():
    original = Value.tanh

    def tanh(self):
        return closure_op(self, math.tanh, lambda d: 1 - math.tanh(d) ** 2)

    x = Value(0.5)
    try:
        Value.tanh = tanh
        y = x.tanh()
        assert y._op == "mine"
        assert gradients([x], y) == [pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-15)]
    finally:
        Value.tanh = original
    assert x.tanh()._op == "tanh"

    Value.cube = lambda self: self * self * self
    Value.double = property(lambda self: self.data * 2)
    try:
        assert x.cube().data == 0.125
        assert x.double == 1.0
        with pytest.raises(AttributeError):
            x.double = 3.0
    finally:
        del Value.cube, Value.double
    assert not hasattr(x, "cube") and not hasattr(x, "double")


def test_operators_can_be_replaced_on_the_type():
    original = Value.__add__
    try:
        Value.__add__ = lambda self, other: "added"
        assert Value(1.0) + 2 == "added"
    finally:
        Value.__add__ = original
    assert (Value(1.0) + 2).data == 3.0


# ---- subclasses -----------------------------------------------------------------------------------------------------


class Parameter(Value):
    """With a signature and attributes of its own."""

    kind = "parameter"

    def __init__(self, data, name="p", decay=0.0):
        super().__init__(data, label=name)
        self.decay = decay

    def doubled(self):
        return self * 2


class Slotted(Value):
    __slots__ = ("moment",)


class Spying(Value):
    def __getattr__(self, name):
        if name.startswith("spy_"):
            return name[4:]
        raise AttributeError(name)

    def __repr__(self):
        return f"Spying({self.data})"


def test_subclass_has_its_own_signature_attributes_and_methods():
    p = Parameter(2.0, name="w", decay=0.1)
    assert isinstance(p, Value) and type(p) is Parameter
    assert (p.data, p.label, p.decay, p.kind) == (2.0, "w", 0.1, "parameter")
    p.extra = [1]
    assert vars(p) == {"decay": 0.1, "extra": [1]}
    assert p.doubled().data == 4.0
    s = Spying(3)
    assert (s.spy_x, s.data, repr(s)) == ("x", 3.0, "Spying(3.0)")
    assert not hasattr(s, "other")


def test_operators_of_subclasses_return_plain_values_and_differentiate():
    p, v = Parameter(2.0), Value(3.0)
    for result in (p + v, v * p, p - 1, 2 / p, p**2, -p, p.tanh(), pygrad.sum([p, v]), abs(p), p.maximum(1.0)):
        assert type(result) is Value
    y = p * v + p
    assert {type(child) for child in y._prev} == {Value, Parameter}
    assert gradients([p, v], y) == [4.0, 2.0]


def test_subclass_with_slots():
    s = Slotted(2.0)
    s.moment = 0.5
    assert s.moment == 0.5
    assert gradients([s], s * s) == [4.0]
    with pytest.raises(AttributeError):
        Slotted(1.0).moment  # noqa: B018


def test_class_attribute_of_a_subclass_with_slots_is_changed_for_one_or_refused():
    class Kinds(Value):
        __slots__ = ()
        kind = "a"

    k = Kinds(1.0)
    try:
        k.kind = "b"
    except AttributeError as error:
        assert "kind" in str(error) and "str" not in str(error)
        assert k.kind == "a"
    else:
        assert k.kind == "b"
    assert Kinds(1.0).kind == Kinds.kind == "a"
    assert not hasattr(Value(1.0), "kind") and not hasattr(Value, "kind")


def test_subclass_can_override_operators_and_data():
    class Logged(Value):
        def __add__(self, other):
            return "add"

        def __radd__(self, other):
            return "radd"

    assert Logged(1.0) + 1 == "add"
    assert 1 + Logged(1.0) == "radd"
    assert Value(1.0) + Logged(1.0) == "radd"
    assert (Logged(1.0) * 2).data == 2.0

    class Clamped(Value):
        @property
        def data(self):
            return Value.data.__get__(self)

        @data.setter
        def data(self, number):
            Value.data.__set__(self, min(number, 1.0))

    c = Clamped(0.5)
    c.data = 7.0
    assert c.data == 1.0


def test_subclass_with_other_bases_and_as_children():
    class Named:
        def greet(self):
            return f"I am {self.data}"

    class Both(Value, Named):
        pass

    b = Both(2.0)
    assert b.greet() == "I am 2.0"
    out = Value(4.0, (b,), (4.0,))
    assert out._prev == {b}
    assert gradients([b], out) == [4.0]


def test_leaf_is_copied_and_pickled_with_all_it_has():
    x = Value(0.1, label="w")
    x.grad = -2.5
    x.colour = "red"
    x.history = [1, 2]
    for twin in twins(x):
        assert twin is not x and type(twin) is Value
        assert (twin.data, twin.grad, twin.label) == (0.1, -2.5, "w")
        assert (twin.colour, twin.history) == ("red", [1, 2])
        twin.data = 9.0
        twin.label = "other"
        assert (x.data, x.label) == (0.1, "w")
        assert gradients([twin], twin * 2) == [2.0]
    assert copy.copy(x).history is x.history
    assert copy.deepcopy(x).history is not x.history
    for number in (nan, inf, -0.0, 5e-324):
        assert all(same(twin.data, number) for twin in twins(Value(number)))


def test_subclasses_are_copied_and_pickled_as_themselves():
    p = Parameter(2.0, name="w", decay=0.25)
    p.grad = 3.0
    for twin in twins(p):
        assert type(twin) is Parameter
        assert (twin.data, twin.grad, twin.label, twin.decay) == (2.0, 3.0, "w", 0.25)
    s = Slotted(1.5)
    s.moment = 0.5
    s.more = "x"
    for twin in twins(s):
        assert type(twin) is Slotted
        assert (twin.data, twin.moment, twin.more) == (1.5, 0.5, "x")


def test_shared_leaves_stay_shared_in_a_deep_copy():
    x = Value(1.0)
    pair = copy.deepcopy([x, x, Value(2.0)])
    assert pair[0] is pair[1] and pair[0] is not x and pair[2].data == 2.0
    again = pickle.loads(pickle.dumps({"a": x, "b": x}))
    assert again["a"] is again["b"]
    x.itself = x
    twin = copy.deepcopy(x)
    assert twin.itself is twin


def test_model_can_be_copied_and_pickled():
    model = pygrad.nn.MLP(3, [4, 1], seed=1)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]
        assert not set(twin.parameters()) & set(model.parameters())
        assert twin([1.0, 2.0, 3.0]).data == model([1.0, 2.0, 3.0]).data


def closure_leaf():
    x = Value(1.0)
    x._backward = lambda: None
    return x


@pytest.mark.parametrize(
    "make",
    [
        lambda: Value(2.0) * 3,
        lambda: Value(2.0).tanh(),
        lambda: pygrad.sum([Value(1.0), 2]),
        lambda: Value(1.0, (Value(2.0),), "mine"),
        lambda: Value(1.0, (Value(2.0),), (3.0,)),
        closure_leaf,
    ],
)
def test_copying_or_pickling_a_node_with_inputs_is_a_type_error_that_says_why(make):
    node = make()
    attempts = [
        copy.copy,
        copy.deepcopy,
        *(lambda v, p=p: pickle.dumps(v, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ]
    for attempt in attempts:
        with pytest.raises(TypeError, match=r"cannot copy or pickle .*inputs"):
            attempt(node)
