"""Operators of `pygrad.Value`: numbers on either side, what IEEE arithmetic answers, comparison."""

from __future__ import annotations

import gc
import math
import operator
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from oracle import same
from value_support import NUMBERS, OPERATORS, gradients, identity

from pygrad import Value, reference

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
