"""`pygrad.Value`: the interface that code written for micrograd and its descendants expects."""

from __future__ import annotations

import copy
import gc
import inspect
import itertools
import math
import operator
import pickle
import pydoc
import subprocess
import sys
import warnings
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from oracle import same

import pygrad
from pygrad import Value, reference

NUMBERS = [
    3, -2, 0, True, 2.5, -0.0, Fraction(1, 4), np.float64(1.5), np.float32(0.75), np.float16(0.5), np.int64(-3),
    np.int8(7), np.uint64(5), np.bool_(True), np.array(2.5), np.array(3), np.array(True), np.longdouble(1.25), 2**70,
]  # fmt: skip
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
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


def identity(x):
    return getattr(x, "__name__", None) or f"{type(x).__name__}:{x!r}"[:40]


def gradients(leaves, root):
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


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


# ---- operators ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("number", NUMBERS, ids=identity)
def test_number_on_either_side_gives_a_value_with_the_right_gradient(op, number):
    plain = float(number)
    for x_data in (1.75, 0.5):
        for result, wanted in (
            (lambda x: op(x, number), lambda x: op(x, reference.Value(plain))),
            (lambda x: op(number, x), lambda x: op(reference.Value(plain), x)),
        ):
            x, twin = Value(x_data), reference.Value(x_data)
            y, twin_y = result(x), wanted(twin)
            assert type(y) is Value
            y.backward()
            twin_y.backward()
            assert y.data == pytest.approx(twin_y.data, rel=1e-15, nan_ok=True)
            assert x.grad == pytest.approx(twin.grad, rel=1e-15, nan_ok=True)
            assert y._prev == {x}  # the number is no leaf of the graph


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("junk", ["x", None, [1.0], (1.0,), {}, 1j, np.complex128(1.0), b"1", object()], ids=identity)
def test_operator_with_what_is_no_number_is_a_type_error_that_names_both(op, junk):
    x = Value(1.0)
    with pytest.raises(TypeError) as caught:
        op(x, junk)
    assert "Value" in str(caught.value)
    # Of a product with a sequence Python itself says "can't multiply sequence by non-int of type 'pygrad.Value'"; a
    # complex128 of numpy is a complex.
    names = [kind.__name__ for kind in type(junk).__mro__ if kind is not object or type(junk) is object]
    assert any(name in str(caught.value) for name in names) or "multiply sequence" in str(caught.value)
    with pytest.raises(TypeError) as caught:
        op(junk, x)
    assert "Value" in str(caught.value)


def test_operators_that_a_value_does_not_have_are_type_errors():
    x = Value(7.0)
    for attempt in (
        lambda: x // 2,
        lambda: x % 2,
        lambda: 2 // x,
        lambda: divmod(x, 2),
        lambda: x @ x,
        lambda: x & 1,
        lambda: x << 1,
        lambda: ~x,
        lambda: pow(x, 2, 5),
        lambda: pow(2, x, 5),
    ):
        with pytest.raises(TypeError):
            attempt()
    assert pow(x, 2).data == pow(x, 2, None).data == 49.0


def test_unary_operators():
    x = Value(-3.0)
    assert (+x) is x
    assert (-x).data == 3.0
    assert abs(x).data == 3.0
    assert gradients([x], +x + 2 * -x + 4 * abs(x)) == [1.0 - 2.0 - 4.0]


def test_in_place_operators_make_new_nodes():
    x = start = Value(3.0)
    x += 1
    x -= 0.5
    x *= Value(2.0)
    x /= 4
    x **= 2
    assert x is not start
    assert start.data == 3.0
    assert x.data == (3.5 * 2 / 4) ** 2
    assert gradients([start], x) == [2 * 1.75 * 0.5]


def test_sum_of_a_list_starts_at_pythons_zero():
    values = [Value(1.0), Value(2.0), Value(3.5)]
    total = sum(values)
    assert type(total) is Value and total.data == 6.5
    assert gradients(values, total) == [1.0, 1.0, 1.0]
    assert sum([1, values[0], 2.5]).data == 4.5


@pytest.mark.parametrize(
    ("build", "op", "inputs"),
    [
        (lambda a, b: a + b, "+", 2),
        (lambda a, b: a + 1, "+", 1),
        (lambda a, b: 1 + a, "+", 1),
        (lambda a, b: a * b, "*", 2),
        (lambda a, b: 2.0 * a, "*", 1),
        (lambda a, b: a - b, "-", 2),
        (lambda a, b: 1 - a, "-", 1),
        (lambda a, b: a / b, "/", 2),
        (lambda a, b: 1 / a, "/", 1),
        (lambda a, b: -a, "neg", 1),
        (lambda a, b: abs(a), "abs", 1),
        (lambda a, b: a**3, "**3", 1),
        (lambda a, b: a**3.0, "**3.0", 1),
        (lambda a, b: a**0.5, "**0.5", 1),
        (lambda a, b: a**-1, "**-1", 1),
        (lambda a, b: a**-2.5, "**-2.5", 1),
        (lambda a, b: a**b, "**", 2),
        (lambda a, b: a.relu(), "ReLU", 1),
        (lambda a, b: a.tanh(), "tanh", 1),
        (lambda a, b: a.exp(), "exp", 1),
        (lambda a, b: a * a, "*", 1),
        (lambda a, b: a + a, "+", 1),
    ],
)
def test_op_is_named_and_inputs_are_the_very_objects_without_constants(build, op, inputs):
    a, b = Value(1.5), Value(2.5)
    node = build(a, b)
    assert node._op == op
    assert len(node._prev) == inputs
    assert all(child is a or child is b for child in node._prev)
    assert node._prev == ({a, b} if inputs == 2 else {a})


def test_prev_is_a_copy_that_cannot_damage_the_graph():
    a, b = Value(2.0), Value(3.0)
    y = a * b
    y._prev.clear()
    assert y._prev == {a, b}
    with pytest.raises(AttributeError):
        y._prev = set()
    assert gradients([a, b], y) == [3.0, 2.0]


def test_inputs_live_as_long_as_what_was_computed_from_them():
    def build():
        x = Value(2.0, label="x")
        x.colour = "red"
        return (x * 3).exp()

    y = build()
    gc.collect()
    (product,) = y._prev
    (x,) = product._prev
    assert (x.label, x.colour, x.data) == ("x", "red", 2.0)
    y.backward()
    assert x.grad == 3 * math.exp(6.0)


def test_op_can_be_renamed_for_drawings_only():
    x = Value(2.0)
    y = x * x
    y._op = "square"
    assert y._op == "square"
    assert gradients([x], y) == [4.0]


# ---- no exception for what IEEE arithmetic answers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compute", "value", "gradient"),
    [
        (lambda x: 1 / (x - 2), inf, -inf),
        (lambda x: -1 / (x - 2), -inf, inf),
        (lambda x: x / 0, inf, inf),
        (lambda x: (x - 2) / 0, nan, inf),
        (lambda x: (x - 2).log(), -inf, inf),
        (lambda x: (x - 3).log(), nan, -1.0),
        (lambda x: (x - 3).sqrt(), nan, nan),
        (lambda x: (x * 1000).exp(), inf, inf),
        (lambda x: x**2000, inf, inf),
        (lambda x: (x - 10) ** 0.5, nan, nan),
        (lambda x: (x - 2) ** -1, inf, -inf),
        (lambda x: x * 1e308 * 10, inf, inf),
        (lambda x: x * inf - x * inf, nan, nan),
        (lambda x: x * nan, nan, nan),
    ],
)
def test_ieee_results_instead_of_exceptions(compute, value, gradient):
    x = Value(2.0)
    y = compute(x)
    assert same(y.data, value)
    y.backward()
    assert same(x.grad, gradient)


def test_division_and_logarithm_at_zero_and_below():
    assert (1 / Value(0)).data == inf
    assert math.copysign(1, (1 / Value(-0.0)).data) == -1
    assert Value(0).log().data == -inf
    assert math.isnan(Value(-1).log().data)
    assert Value(1e200).exp().data == inf


# ---- comparison, equality, hash -------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize(
    "other",
    [1, 2, 2.0, 3.5, True, np.float64(2.0), np.float32(2.5), np.int64(1), np.array(2.0), Fraction(5, 2), inf, nan],
)
def test_comparison_compares_data_with_numbers_on_either_side(op, other):
    x = Value(2.0)
    assert bool(op(x, other)) is op(2.0, float(other))
    assert bool(op(other, x)) is op(float(other), 2.0)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge])
def test_comparison_of_values_compares_data_and_records_nothing(op):
    for a, b in ((1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (nan, 2.0), (0.0, -0.0), (inf, inf)):
        x, y = Value(a), Value(b)
        answer = op(x, y)
        assert type(answer) is bool and answer is op(a, b)
        assert (x._prev, y._prev, x.grad, y.grad) == (set(), set(), 0.0, 0.0)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge])
def test_comparison_with_an_array_is_an_array_of_bools(op):
    numbers = np.array([[1.0, 2.0], [3.0, nan]])
    x = Value(2.0)
    for result, wanted in ((op(x, numbers), op(2.0, numbers)), (op(numbers, x), op(numbers, 2.0))):
        assert result.dtype == bool
        np.testing.assert_array_equal(result, wanted)
    values = np.array([Value(1.0), Value(2.0), Value(3.0)])
    np.testing.assert_array_equal(op(values, x), op(np.array([1.0, 2.0, 3.0]), 2.0))


@pytest.mark.parametrize("junk", ["x", None, [1], 1j], ids=identity)
def test_comparison_with_what_is_no_number_is_a_type_error(junk):
    for attempt in (lambda: Value(1.0) < junk, lambda: junk < Value(1.0), lambda: Value(1.0) >= junk):
        with pytest.raises(TypeError):
            attempt()


def test_values_can_be_sorted_and_have_a_largest():
    values = [Value(3.0), Value(-1.0), Value(2.0)]
    assert [v.data for v in sorted(values)] == [-1.0, 2.0, 3.0]
    assert max(values) is values[0]
    assert min(values) is values[1]


def test_equality_and_hash_are_those_of_identity():
    a, b = Value(2.0), Value(2.0)
    assert a == a and not a != a
    assert a != b and not a == b
    assert a != 2.0 and not a == 2 and 2.0 != a and np.float64(2.0) != a
    assert hash(a) == object.__hash__(a)
    before = hash(a)
    a.data = 5.0
    assert hash(a) == before


def test_values_are_members_of_sets_and_keys_of_dicts():
    values = [Value(1.0) for _ in range(1000)]
    seen = set(values)
    assert len(seen) == 1000
    assert all(v in seen for v in values)
    assert Value(1.0) not in seen
    index = {v: i for i, v in enumerate(values)}
    assert all(index[v] == i for i, v in enumerate(values))
    assert values.index(values[7]) == 7
    assert Value(1.0) not in values


# ---- backward -------------------------------------------------------------------------------------------------------


def test_a_value_used_twice_sums_over_both_paths():
    a, b = Value(2.0), Value(3.0)
    y = (a + b) * (a - b) + a * a
    assert gradients([a, b], y) == [2 * 2.0 + 2 * 2.0, -2 * 3.0]


def test_second_backward_does_not_feed_interior_gradients_again():
    x = Value(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0  # a leaf accumulates until it is reset


def test_gradients_of_leaves_accumulate_over_graphs():
    x, z = Value(3.0), Value(5.0)
    (x * x).backward()
    (x * z).backward()
    assert (x.grad, z.grad) == (6.0 + 5.0, 3.0)


def test_graphs_that_share_an_interior_node_are_exact_one_after_the_other():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared.exp()
    assert gradients([x], first) == [12.0]
    assert shared.grad == 3.0
    assert gradients([x], second) == [4 * math.exp(4.0)]
    assert shared.grad == math.exp(4.0)
    assert gradients([x], shared) == [4.0]


def test_backward_of_a_leaf_sets_its_gradient_to_one():
    x = Value(7.0)
    x.grad = 5.0
    assert x.backward() is None
    assert (x.data, x.grad) == (7.0, 1.0)


def test_gradients_of_interior_nodes_are_there_to_look_at():
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    s = a + b
    y = s * c
    y.backward()
    assert (y.grad, s.grad, a.grad, b.grad, c.grad) == (1.0, 5.0, 5.0, 5.0, 5.0)


def test_values_outside_the_graph_are_not_touched():
    a, b = Value(2.0), Value(3.0)
    other = a * b
    other.grad = 42.0
    b.grad = 7.0
    (a * 2).backward()
    assert (other.grad, b.grad, a.grad) == (42.0, 7.0, 2.0)


def test_data_changed_in_between_is_read_where_inputs_are_and_not_where_outputs_are():
    x = Value(3.0)
    squared, exponential = x * x, x.exp()
    x.data = 5.0
    assert gradients([x], squared) == [10.0]
    assert gradients([x], exponential) == [math.exp(3.0)]


def test_chain_of_two_hundred_thousand_is_an_ordinary_graph():
    x = Value(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1e-6
    assert y.data == pytest.approx(1.2, rel=1e-9)
    y.backward()
    assert x.grad == 1.0
    del y  # and dies without recursion

    x = y = Value(1.0)
    for _ in range(50_000):
        y = y * y if y.data > 1.5 else y + x  # shared inputs: two references each
        y.data = 1.0
    y.backward()
    assert math.isfinite(x.grad)


def test_wide_graph_with_one_leaf_sums_all_paths():
    x = Value(2.0)
    y = sum((x * i for i in range(1, 1001)), Value(0.0))
    assert gradients([x], y) == [500500.0]


# ---- _backward by hand ----------------------------------------------------------------------------------------------


def test_backward_can_be_run_node_by_node():
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    e = a * b
    d = e + c
    t = d.tanh()
    t.grad = 1.0
    for node in (t, d, e, c, b, a):
        assert node._backward() is None
    slope = 1 - math.tanh(4.0) ** 2
    assert (d.grad, e.grad, c.grad) == (slope, slope, slope)
    assert (a.grad, b.grad) == (-3.0 * slope, 2.0 * slope)
    e._backward()
    assert a.grad == 2 * -3.0 * slope  # it adds


def test_backward_of_every_kind_of_node_can_be_called_by_hand():
    x, w = Value(0.5), Value(0.25)
    nodes = [
        x + w, x - w, x * w, x / w, x**w, x**2, 2**x, -x, x.gelu(), pygrad.sum([x, w, 1]), pygrad.dot([x, 1], [w, w]),
        pygrad.logsumexp([x, w]), Value(1.0, (x, w), (3.0, 4.0)), Value(1.0, (x,), "inert"), x,
    ]  # fmt: skip
    for node in nodes:
        by_engine = gradients([x, w], node)
        for leaf in (x, w):
            leaf.grad = 0.0
        node.grad = 1.0
        node._backward()
        if node is not x:
            assert [x.grad, w.grad] == by_engine


def test_backward_takes_no_arguments_and_remembers_its_node():
    x = Value(3.0)
    y = x * x
    rule = y._backward
    with pytest.raises(TypeError):
        rule(1)
    y.grad = 2.0
    rule()
    assert x.grad == 12.0
    del y
    rule()  # keeps its node alive
    assert x.grad == 24.0


def closure_op(x, function, slope):
    out = Value(function(x.data), (x,), "mine")

    def _backward():
        x.grad += slope(x.data) * out.grad

    out._backward = _backward
    return out


def test_closure_takes_part_in_backward_as_an_interior_node():
    x = Value(0.5)
    y = closure_op(x * 3, math.sin, math.cos) ** 2
    assert y.data == math.sin(1.5) ** 2
    assert gradients([x], y) == [pytest.approx(3 * 2 * math.sin(1.5) * math.cos(1.5), rel=1e-15)]


def test_chain_of_closures_and_own_ops_sums_over_all_paths():
    x = Value(0.3)
    y = x
    for _ in range(50):
        y = closure_op(y, math.sin, math.cos) + x * y
    twin = reference.Value(0.3)
    t = twin
    for _ in range(50):
        t = t.sin() + twin * t
    t.backward()
    assert y.data == pytest.approx(t.data, rel=1e-14)
    assert gradients([x], y) == [pytest.approx(twin.grad, rel=1e-13)]


def test_closure_on_a_leaf_runs_when_its_gradient_is_whole():
    x = Value(3.0)
    seen = []
    x._backward = lambda: seen.append(x.grad)
    (x * x + x).backward()
    assert seen == [7.0]


def test_closure_on_the_root_and_on_a_root_that_is_a_leaf_runs_once():
    x = Value(3.0)
    root = x * 1
    calls = []
    root._backward = lambda: calls.append(root.grad)
    root.backward()
    assert calls == [1.0]
    assert x.grad == 0.0  # the closure replaced the rule
    lonely = Value(1.0)
    lonely._backward = lambda: calls.append(lonely.grad)
    lonely.backward()
    assert calls == [1.0, 1.0]


def test_closure_can_wrap_the_rule_that_was_there():
    x = Value(3.0)
    y = x * x
    rule, log = y._backward, []

    def wrapped():
        log.append(y.grad)
        rule()

    y._backward = wrapped
    assert y._backward is wrapped
    (2 * y).backward()
    assert (log, x.grad) == ([2.0], 12.0)


def test_closure_can_be_replaced_and_taken_away():
    x = Value(3.0)
    y = x * x
    y._backward = lambda: setattr(x, "grad", x.grad + 100.0)
    assert gradients([x], y) == [100.0]
    y._backward = lambda: setattr(x, "grad", x.grad + 200.0)
    assert gradients([x], y) == [200.0]
    y._backward = None
    assert gradients([x], y) == [6.0]
    y._backward = lambda: None
    assert gradients([x], y) == [0.0]
    del y._backward
    assert gradients([x], y) == [6.0]


@pytest.mark.parametrize("junk", [3, "x", [], Value(1.0)], ids=identity)
def test_what_cannot_be_called_is_no_closure(junk):
    y = Value(3.0) * 2
    with pytest.raises(TypeError, match=r"_backward has to be callable"):
        y._backward = junk


class Stop(Exception):
    pass


def test_closure_that_raises_stops_the_walk_and_its_error_comes_out_unchanged():
    x, below = Value(2.0), []
    inner = x * x
    deeper = closure_op(inner, lambda d: d, lambda d: below.append(d) or 1.0)
    y = deeper * 3
    error = Stop("reason", 42)
    rule = y._backward

    def fail():
        raise error

    y._backward = fail
    z = y + 1
    for _ in range(3):
        with pytest.raises(Stop) as caught:
            z.backward()
        assert caught.value is error
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        assert "fail" in [entry.name for entry in caught.traceback]
    assert below == [] and x.grad == 0.0  # nothing behind it ran

    y._backward = rule
    z.backward()
    assert x.grad == 12.0  # exact, as if nothing had happened
    assert gradients([x], (x * 5).exp()) == [5 * math.exp(10.0)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration])
def test_no_kind_of_exception_is_swallowed(error):
    x = Value(2.0)
    y = x * 1

    def fail():
        raise error

    y._backward = fail
    with pytest.raises(error):
        (y * 2).backward()
    assert gradients([x], x * x) == [4.0]


def test_failure_in_one_branch_leaves_every_node_usable():
    leaves = [Value(0.1 * i + 0.5) for i in range(6)]
    twins = [reference.Value(v.data) for v in leaves]
    explode = [True]

    def fragile(x):
        def slope(data):
            if explode[0]:
                raise Stop
            return math.cos(data)

        return closure_op(x, math.sin, slope)

    y = sum((fragile(a * b) * a + b.exp() for a, b in itertools.pairwise(leaves)), Value(0.0))
    t = sum(((a * b).sin() * a + b.exp() for a, b in itertools.pairwise(twins)), reference.Value(0.0))
    with pytest.raises(Stop):
        y.backward()
    explode[0] = False
    t.backward()
    for actual, twin in zip(gradients(leaves, y), twins, strict=True):
        assert actual == pytest.approx(twin.grad, rel=1e-14)


def test_backward_inside_a_closure_on_another_graph_is_exact():
    x = Value(2.0)
    inner_results = []
    out = Value(x.data * 10, (x,), "solve")

    def _backward():
        t = Value(3.0)
        (t * t).backward()
        inner_results.append(t.grad)
        x.grad += 10 * out.grad

    out._backward = _backward
    y = out * out
    assert gradients([x], y) == [10 * 2 * 20.0]
    assert inner_results == [6.0]


def test_backward_inside_a_closure_on_the_same_graph_is_exact_or_a_runtime_error():
    x = Value(2.0)
    shared = x * x
    out = Value(shared.data, (shared,), "again")
    errors = []

    def _backward():
        try:
            (shared * 3).backward()
        except RuntimeError as error:
            errors.append(str(error))
        shared.grad += out.grad

    out._backward = _backward
    y = out + shared * 5
    y.backward()
    if errors:
        assert "backward" in errors[0]
        assert x.grad == 6 * 4.0  # the refused walk has changed nothing
    else:
        assert x.grad == 6 * 4.0 + 3 * 4.0
    out._backward = lambda: setattr(shared, "grad", shared.grad + out.grad)
    assert gradients([x], y) == [24.0]


def test_backward_of_the_very_root_inside_its_closure_is_exact_or_a_runtime_error():
    x = Value(2.0)
    y = x * 3
    rule = y._backward

    def _backward():
        y._backward = rule
        y.backward()
        rule()

    y._backward = _backward
    z = y * 1
    try:
        z.backward()
    except RuntimeError:
        y._backward = rule
        assert gradients([x], z) == [3.0]
    else:
        assert x.grad in (3.0, 6.0)


def test_runtime_error_of_a_nested_walk_that_is_not_caught_comes_out():
    x = Value(2.0)
    y = x * 3
    z = y + y * x
    y._backward = lambda: z.backward()
    try:
        z.backward()
    except RuntimeError as error:
        assert "backward" in str(error)
    y._backward = None
    assert gradients([x], z) == [3.0 + 2 * 3 * 2.0]


def test_graph_that_grows_while_backward_runs_is_exact():
    x = Value(2.0)
    grown = []
    out = Value(4.0, (x,), "grow")

    def _backward():
        grown.append((x * out).exp() + 1)  # uses nodes that the walk holds
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    assert gradients([x], out * 3) == [12.0]
    (node,) = grown
    assert gradients([x], node)[0] != 0.0


def test_closure_may_drop_the_last_reference_to_the_graph():
    x = Value(2.0)
    holder = []
    out = Value(4.0, (x,), "square")

    def _backward():
        holder.clear()
        gc.collect()
        x.grad += 4.0 * out.grad

    out._backward = _backward
    holder.append(out * 5)
    holder[0].backward()
    assert x.grad == 20.0


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

    Value.square = lambda self: self * self
    Value.double = property(lambda self: self.data * 2)
    try:
        assert x.square().data == 0.25
        assert x.double == 1.0
        with pytest.raises(AttributeError):
            x.double = 3.0
    finally:
        del Value.square, Value.double
    assert not hasattr(x, "square") and not hasattr(x, "double")


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


# ---- copy and pickle ------------------------------------------------------------------------------------------------


def twins(v):
    yield copy.copy(v)
    yield copy.deepcopy(v)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(v, protocol))


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


# ---- numpy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(
    "array",
    [
        np.array([0.5, 1.5, 2.0]),
        np.array([1, 2, 3]),
        np.array([[0.5, 1.0], [2.0, 3.0]], dtype=np.float32),
        np.array([True, False]),
        np.zeros((0,)),
        np.zeros((2, 0, 3)),
        np.arange(6.0).reshape(2, 3).T[::-1],
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_array_on_either_side_gives_an_array_of_values_with_the_right_gradients(op, array):
    for result, plain in (
        (lambda x: op(x, array), lambda x, e: op(x, reference.Value(float(e)))),
        (lambda x: op(array, x), lambda x, e: op(reference.Value(float(e)), x)),
    ):
        x = Value(1.5)
        out = result(x)
        assert isinstance(out, np.ndarray) and out.dtype == object and out.shape == array.shape
        for element, y in zip(array.ravel(), out.ravel(), strict=True):
            twin = reference.Value(1.5)
            wanted = plain(twin, element)
            wanted.backward()
            assert type(y) is Value
            assert y.data == pytest.approx(wanted.data, rel=1e-15, nan_ok=True)
            assert gradients([x], y) == [pytest.approx(twin.grad, rel=1e-15, nan_ok=True)]


@pytest.mark.parametrize("op", OPERATORS)
def test_array_of_values_works_with_values_numbers_and_arrays(op):
    a, b, x = Value(2.0), Value(3.0), Value(1.5)
    values = np.array([a, b])
    for other, plain in (
        (x, [1.5, 1.5]),
        (2, [2.0, 2.0]),
        (np.array([0.5, 4.0]), [0.5, 4.0]),
        (np.array([x, x]), [1.5, 1.5]),
    ):
        forward, reflected = op(values, other), op(other, values)
        assert forward.dtype == reflected.dtype == object
        for i, left in enumerate((2.0, 3.0)):
            assert forward[i].data == pytest.approx(op(left, plain[i]), rel=1e-15)
            assert reflected[i].data == pytest.approx(op(plain[i], left), rel=1e-15)
    y = (values * x).sum() + (x - values)[0]
    assert gradients([a, b, x], y) == [1.5 - 1.0, 1.5, 5.0 + 1.0]


def test_array_without_axes_that_holds_a_value_is_that_value():
    box = np.array(Value(2.0), dtype=object)
    x = Value(3.0)
    for result in (box * x, x * box):
        y = result[()] if isinstance(result, np.ndarray) else result
        assert type(y) is Value and y.data == 6.0
    squeezed = np.squeeze(np.array([[Value(5.0)]]))
    assert np.asarray(x - squeezed, dtype=object)[()].data == -2.0


@pytest.mark.parametrize(
    "scalar",
    [np.float64(2.0), np.float32(2.0), np.int64(2), np.uint8(2), np.bool_(True), np.float16(2.0), np.longdouble(2.0)],
)
def test_numpy_scalar_times_value_is_one_value(scalar):
    x = Value(3.0)
    for y in (scalar * x, x * scalar):
        assert type(y) is Value
        assert gradients([x], y) == [float(scalar)]


def test_sums_and_products_of_arrays_of_values_differentiate():
    values = np.array([Value(1.0), Value(2.0), Value(3.0)])
    numbers = np.array([0.5, -1.0, 2.0])
    assert gradients(values, np.sum(values)) == [1.0, 1.0, 1.0]
    assert gradients(values, np.dot(values, numbers)) == [0.5, -1.0, 2.0]
    assert gradients(values, np.dot(numbers, values)) == [0.5, -1.0, 2.0]
    assert gradients(values, values @ values) == [2.0, 4.0, 6.0]
    assert gradients(values, np.mean(values)) == pytest.approx([1 / 3] * 3)
    assert gradients(values, np.prod(values)) == [6.0, 3.0, 2.0]
    assert gradients(values, (values**2).sum()) == [2.0, 4.0, 6.0]
    assert gradients(values, np.exp(values)[1]) == [0.0, math.exp(2.0), 0.0]
    matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    (matrix @ np.array([10.0, 100.0]))[1].backward()
    assert [[v.grad for v in row] for row in matrix] == [[0.0, 0.0], [10.0, 100.0]]


def test_in_place_on_an_array_of_values():
    values = np.array([Value(1.0), Value(2.0)])
    x = Value(3.0)
    result = values
    result += 1
    result = result * 2
    result += x
    assert [v.data for v in result] == [7.0, 9.0]
    assert gradients([x], result.sum()) == [2.0]


def test_numpy_functions_of_a_value_do_not_silently_lose_the_graph():
    x = Value(2.0)
    for function in (np.exp, np.sqrt, np.negative, np.isnan):
        try:
            y = function(x)
        except TypeError:
            continue
        assert type(y) is Value


def test_arrays_get_ieee_results_without_warnings():
    x = Value(0.0)
    numbers = np.array([1.0, 0.0, nan])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert [same(y.data, wanted) for y, wanted in zip(numbers / x, (inf, nan, nan), strict=True)] == [True] * 3
        assert (numbers < x).tolist() == [False, False, False]
        assert (x <= numbers).tolist() == [True, True, False]


def test_array_of_text_is_a_type_error():
    with pytest.raises(TypeError):
        np.array(["x"]) * Value(1.0)
    with pytest.raises(TypeError):
        Value(1.0) + np.array([1j])


def test_method_of_two_operands_takes_arrays_too():
    x = Value(1.0)
    out = x.maximum(np.array([0.0, 1.0, 2.0]))
    assert out.dtype == object and [v.data for v in out] == [1.0, 1.0, 2.0]
    assert gradients([x], out.sum()) == [1.0 + 0.5 + 0.0]
