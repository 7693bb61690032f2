"""`pygrad.Value`: the interface that code written for micrograd and its descendants expects."""

from __future__ import annotations

import inspect
import math
import operator
import pydoc
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from oracle import same
from value_support import NUMBERS, identity

import pygrad
from pygrad import Value

JUNK = [
    "x",
    "1.0",
    b"1",
    None,
    [1],
    (1,),
    {},
    1j,
    np.complex128(1.0),
    np.array([1.0]),
    np.array(["x"]),
    object(),
    Value,
]


# ---- the type -------------------------------------------------------------------------------------------------------


def test_type_is_pygrad_value():
    assert Value is pygrad.Value
    assert (Value.__module__, Value.__name__, Value.__qualname__) == ("pygrad", "Value", "Value")
    assert repr(Value) == "<class 'pygrad.Value'>"
    assert type(Value(1.0) + 1) is Value


def test_signature_and_help_tell_what_there_is():
    assert list(inspect.signature(Value).parameters) == ["data", "children", "op", "label"]
    page = pydoc.plain(pydoc.render_doc(Value))
    for word in [
        "Value(data, children=(), op='', label='')", "backward(self, /)", "local_grads", "_children", "_prev", "_op",
        "_backward", "label", "grad", "IEEE", "relu(self, /)", "leaky_relu(self", "hyperbolic tangent",
        "micrograd", "to_dot", "tanh(self, /)", "identity", "accumulates",
    ]:  # fmt: skip
        assert word in page, word
    for name in ("data", "grad", "label", "_prev", "_op", "_backward", "backward", "exp", "gelu", "maximum"):
        assert getattr(Value, name).__doc__, name


def test_repr_shows_data_and_gradient():
    x = Value(2)
    assert repr(x) == "Value(data=2.0, grad=0.0)"
    x.grad = -0.5
    assert repr(x) == str(x) == "Value(data=2.0, grad=-0.5)"
    assert repr(Value(inf)) == "Value(data=inf, grad=0.0)"
    assert repr(Value(nan)) == "Value(data=nan, grad=0.0)"
    assert repr(Value(0.1)) == "Value(data=0.1, grad=0.0)"


def test_value_is_no_number_that_would_silently_lose_its_graph():
    x = Value(2.0)
    for convert in (float, int, complex, math.exp, math.sqrt, round, math.floor, operator.index):
        with pytest.raises(TypeError):
            convert(x)
    with pytest.raises(TypeError):
        np.array([1.0, 2.0])[0:1].__setitem__(0, x)
    with pytest.raises(TypeError):
        np.asarray([x], dtype=float)


def test_truth_length_and_iteration_are_those_of_any_object():
    assert bool(Value(0.0)) is True
    assert bool(Value(nan)) is True
    for ask in (len, iter, list, lambda v: v[0], lambda v: 1 in v):
        with pytest.raises(TypeError, match=r"pygrad\.Value"):
            ask(Value(1.0))
    with pytest.raises(TypeError):
        Value(1.0)()


# ---- the constructor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda d, c, o, lb: Value(d, c, o, lb),
        lambda d, c, o, lb: Value(d, c, o, label=lb),
        lambda d, c, o, lb: Value(d, children=c, op=o, label=lb),
        lambda d, c, o, lb: Value(d, _children=c, _op=o, label=lb),
        lambda d, c, o, lb: Value(d, _prev=c, _op=o, label=lb),
        lambda d, c, o, lb: Value(d, _prev=c, op=o, label=lb),
        lambda d, c, o, lb: Value(data=d, _children=c, _op=o, label=lb),
        lambda d, c, o, lb: Value(label=lb, op=o, children=list(c), data=d),
        lambda d, c, o, lb: Value(d, set(c), o, lb),
        lambda d, c, o, lb: Value(d, iter(c), o, lb),
    ],
)
def test_every_spelling_of_the_constructor_makes_the_same_node(make):
    a, b = Value(1.0), Value(2.0)
    node = make(7.0, (a, b), "mine", "name")
    assert (node.data, node.grad, node._op, node.label) == (7.0, 0.0, "mine", "name")
    assert node._prev == {a, b}
    assert all(any(child is given for given in (a, b)) for child in node._prev)
    node.backward()  # an op without a rule hands nothing on
    assert (a.grad, b.grad, node.grad) == (0.0, 0.0, 1.0)


def test_leaf_has_the_defaults():
    x = Value(2)
    assert (x.data, x.grad, x._prev, x._op, x.label) == (2.0, 0.0, set(), "", "")
    assert type(x.data) is float and type(x.grad) is float and type(x._prev) is set
    assert Value(2.0, ())._prev == Value(2.0, [], "")._prev == Value(2.0, children=())._prev == set()
    assert Value(1.0, label="w").label == "w"
    assert Value(1.0, (), "", "w").label == "w"


@pytest.mark.parametrize(
    "make",
    [
        lambda d, c, g: Value(d, c, g),
        lambda d, c, g: Value(d, c, list(g)),
        lambda d, c, g: Value(d, c, local_grads=g),
        lambda d, c, g: Value(d, c, _local_grads=g),
        lambda d, c, g: Value(d, children=c, local_grads=g),
        lambda d, c, g: Value(d, _children=c, local_grads=np.array(g)),
        lambda d, c, g: Value(d, c, "product", local_grads=g),
        lambda d, c, g: Value(d, c, local_grads=(np.float32(g[0]), *map(int, g[1:]))),
    ],
)
def test_local_gradients_complete_an_op_of_any_number_of_inputs(make):
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    product = make(24.0, (a, b, c), (12.0, 8.0, 6.0))
    assert product._prev == {a, b, c}
    (product * 0.5).backward()
    assert (a.grad, b.grad, c.grad) == (6.0, 4.0, 3.0)


def test_an_input_given_twice_to_a_custom_op_gets_both_local_gradients():
    x = Value(3.0)
    y = Value(9.0, (x, x), (3.0, 3.0))
    assert y._prev == {x}
    y.backward()
    assert x.grad == 6.0


@pytest.mark.parametrize("junk", JUNK, ids=identity)
def test_data_that_is_no_real_number_is_a_type_error_that_names_both(junk):
    with pytest.raises(TypeError) as caught:
        Value(junk)
    assert "real number" in str(caught.value)
    assert "data" in str(caught.value)
    assert type(junk).__name__ in str(caught.value)


def test_a_value_is_no_data():
    with pytest.raises(TypeError, match=r"real number.*Value"):
        Value(Value(1.0))


@pytest.mark.parametrize("children", [("x",), (1.0,), [None], (Value(1.0), 2), "ab"], ids=identity)
def test_children_that_are_no_values_are_a_type_error_that_names_both(children):
    with pytest.raises(TypeError, match="children have to be Values") as caught:
        Value(1.0, children)
    wrong = next(child for child in children if not isinstance(child, Value))
    assert type(wrong).__name__ in str(caught.value)


@pytest.mark.parametrize("children", [2, None, Value(1.0)], ids=identity)
def test_children_that_are_no_iterable_are_a_type_error_that_says_children(children):
    with pytest.raises(TypeError, match="children"):
        Value(1.0, children)


def test_local_gradients_have_to_be_as_many_as_the_children_and_numbers():
    x = Value(1.0)
    for given, count in (((1.0, 2.0), 2), ((), 0)):
        with pytest.raises(ValueError, match=f"1 children and {count} local_grads"):
            Value(1.0, (x,), given)
    with pytest.raises(ValueError, match="0 children and 1 local_grads"):
        Value(1.0, local_grads=(1.0,))
    for wrong in ("x", None, 1j):
        with pytest.raises(TypeError, match=r"local_grads.*real number"):
            Value(1.0, (x,), (wrong,))
    with pytest.raises(TypeError, match="local_grads"):
        Value(1.0, (x,), (Value(1.0),))
    assert x._prev == set() and x.grad == 0.0


def test_wrong_arguments_are_type_errors_that_say_what_there_is():
    x = Value(1.0)
    with pytest.raises(TypeError, match="needs data"):
        Value()
    with pytest.raises(TypeError, match="needs data"):
        Value(label="w")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'name'.*data.*children.*op.*label.*local_grads"):
        Value(1.0, name="w")
    with pytest.raises(TypeError, match="several values for 'children'"):
        Value(1.0, (x,), children=(x,))
    with pytest.raises(TypeError, match=r"several values for '_?op'"):
        Value(1.0, (x,), "a", _op="b")
    with pytest.raises(TypeError, match="at most 4"):
        Value(1.0, (x,), "a", "b", "c")
    with pytest.raises(TypeError, match=r"_op has to be a str, not 3"):
        Value(1.0, (x,), 3)
    with pytest.raises(TypeError, match=r"label has to be a str, not 3"):
        Value(1.0, label=3)


def test_init_cannot_run_twice():
    x = Value(1.0)
    with pytest.raises(RuntimeError, match="twice"):
        x.__init__(2.0)
    assert x.data == 1.0


# ---- data and grad --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS, ids=identity)
def test_numbers_of_python_and_numpy_are_data_and_gradients(number):
    wanted = float(number)
    x = Value(number)
    assert same(x.data, wanted) and type(x.data) is float
    x.data = 0.125
    x.data = number
    assert same(x.data, wanted)
    x.grad = number
    assert same(x.grad, wanted) and type(x.grad) is float
    x.grad += 1
    assert x.grad == wanted + 1


@pytest.mark.parametrize("junk", JUNK, ids=identity)
@pytest.mark.parametrize("field", ["data", "grad"])
def test_assigning_what_is_no_real_number_is_a_type_error_that_names_both(field, junk):
    x = Value(1.5)
    with pytest.raises(TypeError, match=rf"Value\.{field} has to be a real number, not ") as caught:
        setattr(x, field, junk)
    assert type(junk).__name__ in str(caught.value)
    assert (x.data, x.grad) == (1.5, 0.0)


def test_data_and_gradient_cannot_be_deleted():
    x = Value(1.5)
    for field in ("data", "grad"):
        with pytest.raises(AttributeError, match=field):
            delattr(x, field)
    assert (x.data, x.grad) == (1.5, 0.0)


def test_integers_too_large_for_a_float_are_overflow_errors():
    x = Value(1.5)
    for attempt in (
        lambda: Value(10**400),
        lambda: x + 10**400,
        lambda: 10**400 * x,
        lambda: x ** (10**400),
        lambda: x < 10**400,
        lambda: setattr(x, "data", 10**400),
        lambda: setattr(x, "grad", -(10**400)),
        lambda: Value(Fraction(10**400, 3)),
        lambda: x.maximum(10**400),
        lambda: Value(1.0, (x,), (10**400,)),
    ):
        with pytest.raises(OverflowError):
            attempt()
    assert (x.data, x.grad) == (1.5, 0.0)
