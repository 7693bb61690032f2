"""The graph of the pure-Python engine: nodes, operands, backward, copies."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import weakref
from collections.abc import Callable
from math import nan

import numpy as np
import pytest
from reference_support import derivative

from pygrad.reference import Value

# ---- the graph ---------------------------------------------------------------------------------------------


def test_nodes_know_their_inputs_and_operation() -> None:
    a, b = Value(2.0, label="a"), Value(3.0)
    c = a * b
    assert c._prev == {a, b} and c._op == "*"
    assert a._prev == set() and a._op == "" and a.label == "a"
    assert [n._op for n in (a + b, a - b, a / b, a**b, -a, a.relu())] == ["+", "-", "/", "**", "neg", "ReLU"]
    assert [n._op for n in (a**3, a**2.0, a**0.5, a**-1)] == ["**3", "**2.0", "**0.5", "**-1"]
    assert (a**3)._prev == {a}
    assert len((a + 1)._prev) == 2
    assert repr(c) == "Value(data=6.0, grad=0.0)"
    a.colour = "red"
    assert a.colour == "red"


def test_data_becomes_a_float() -> None:
    for x in (3, True, np.int32(3), np.float32(3), np.uint8(3), np.float64(3)):
        assert type(Value(x).data) is float


@pytest.mark.parametrize("bad", ["x", "2", None, [1], (1,), 1j, b"1", np.array([1.0, 2.0]), Value(1.0)])
def test_what_is_not_a_real_number_is_refused_by_name(bad: object) -> None:
    with pytest.raises(TypeError, match=f"Value.*{type(bad).__name__}"):
        Value(bad)


@pytest.mark.parametrize("bad", ["x", None, [1], 1j])
@pytest.mark.parametrize(
    "apply",
    [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt, operator.ge],
)
def test_operators_with_what_is_not_a_number_raise_type_error_that_names_both(
    apply: Callable[[object, object], object], bad: object
) -> None:
    with pytest.raises(TypeError) as error:
        apply(Value(1.0), bad)
    assert "Value" in str(error.value)
    if apply is not operator.mul:  # of sequences Python says "can't multiply sequence by non-int of type 'Value'"
        assert type(bad).__name__ in str(error.value)
    with pytest.raises(TypeError, match="Value"):
        apply(bad, Value(1.0))


@pytest.mark.parametrize("bad", ["x", None])
@pytest.mark.parametrize("name", ["maximum", "minimum", "leaky_relu", "elu", "swish", "bce_with_logits"])
def test_methods_with_what_is_not_a_number_raise_type_error(name: str, bad: object) -> None:
    with pytest.raises(TypeError, match=type(bad).__name__):
        getattr(Value(1.0), name)(bad)


def test_unknown_approximation_of_gelu_is_refused() -> None:
    with pytest.raises(ValueError, match="'none' or 'tanh', not 'fast'"):
        Value(1.0).gelu(approximate="fast")


@pytest.mark.parametrize("number", [3, 2.5, True, np.float64(1.5), np.float32(1.5), np.int64(2), np.int8(2)])
@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_numbers_mix_on_either_side(apply: Callable[[object, object], object], number: float) -> None:
    for left, right, wanted in (
        (Value(1.25), number, apply(1.25, float(number))),
        (number, Value(1.25), apply(float(number), 1.25)),
    ):
        y = apply(left, right)
        assert type(y) is Value and type(y.data) is float
        assert y.data == wanted
        y.backward()


def test_arrays_mix_on_either_side_element_by_element() -> None:
    v, array = Value(2.0), np.array([1.0, 3.0])
    for product in (v * array, array * v):
        assert product.dtype == object
        assert [y.data for y in product] == [2.0, 6.0]


def test_builtin_sum_and_abs() -> None:
    x = Value(-2.0)
    y = sum([x, x, 1]) + abs(x)
    y.backward()
    assert (y.data, x.grad) == (-1.0, 1.0)


def test_comparisons_look_at_data_and_record_nothing() -> None:
    a, b = Value(1.0), Value(2.0)
    assert a < b and a <= b and b > a and b >= a and a <= 1 and a >= 1.0 and 0 < a and np.float64(3) > a
    assert not (a < a or a > a or Value(nan) < a or Value(nan) >= a)
    assert type(a < b) is bool and type(a < np.float64(2)) is bool
    assert a._prev == set()


def test_equality_and_hash_are_of_identity() -> None:
    a, b = Value(1.0), Value(1.0)
    assert a != b and a == a and len({a, b, a}) == 2
    assert not a == 1.0


def test_a_value_used_on_several_paths_sums_them() -> None:
    x = Value(3.0)
    y = x + x * x + x / x - x
    y.backward()
    assert x.grad == pytest.approx(6.0, rel=1e-15)
    d = Value(2.0)
    e = d * d  # used twice: d**4
    (e * e).backward()
    assert d.grad == 32.0


def test_leaves_accumulate_over_graphs() -> None:
    x = Value(3.0)
    (x * x).backward()
    (x * 5).backward()
    assert x.grad == 11.0


def test_second_backward_does_not_feed_stale_gradients() -> None:
    x = Value(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0  # not reset: a leaf accumulates


def test_an_inner_node_can_be_differentiated_after_the_whole() -> None:
    x = Value(3.0)
    square = x * x
    y = square * x
    y.backward()
    x.grad = 0.0
    square.backward()
    assert x.grad == 6.0 and y.grad == 1.0


def test_deep_chain_needs_no_recursion() -> None:
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert y.data == 100_001.0 and x.grad == 1.0
    del y
    gc.collect()  # freeing must not recurse either


def test_a_deep_chain_of_diamonds_is_visited_once_a_node() -> None:
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y  # 2**60 paths
    y.backward()
    assert x.grad == 2.0**60


def test_graphs_are_collected() -> None:
    x = Value(1.0)
    y = (x * 2).tanh() + x**2
    y.backward()
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


def test_closures_read_inputs_as_they_stand_and_outputs_as_computed() -> None:
    x = Value(2.0)
    square, root = x * x, x.exp()
    x.data = 10.0
    square.backward()
    assert x.grad == 20.0
    x.grad = 0.0
    root.backward()
    assert x.grad == math.exp(2.0)


def test_backward_of_one_node_can_be_called_by_hand() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    c.grad = 10.0
    c._backward()
    assert (a.grad, b.grad) == (30.0, 20.0)


def test_a_custom_operation_takes_part() -> None:
    def cube(x: Value) -> Value:
        out = Value(x.data**3, (x,), "cube")

        def _backward() -> None:
            x.grad += 3 * x.data**2 * out.grad

        out._backward = _backward
        return out

    x = Value(2.0)
    y = cube(x * 3) + x
    y.backward()
    assert y.data == 218.0 and x.grad == 3 * 36.0 * 3 + 1


def test_an_error_in_a_closure_comes_out_and_stops_the_walk() -> None:
    x = Value(2.0)
    inner = x * 3
    outer = inner * 2

    def fail() -> None:
        raise ZeroDivisionError("mine")

    outer._backward = fail
    with pytest.raises(ZeroDivisionError, match="mine"):
        outer.backward()
    assert x.grad == 0.0


def test_leaves_can_be_copied_and_pickled() -> None:
    x = Value(2.0, label="x")
    x.grad, x.colour = 3.0, "red"
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin is not x
        assert (twin.data, twin.grad, twin.label, twin.colour) == (2.0, 3.0, "x", "red")
        (twin * twin).backward()
        assert (twin.grad, x.grad) == (7.0, 3.0)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_computed_values_cannot_be_copied(duplicate: Callable[[Value], object]) -> None:
    with pytest.raises(TypeError, match=r"only leaves .* '\*'"):
        duplicate(Value(2.0) * 3)


def test_operators_of_a_subclass_return_plain_values() -> None:
    class Special(Value):
        pass

    assert type(Special(1.0) + 1) is Value


def test_a_large_mixed_expression_has_the_gradient_of_central_differences() -> None:
    def expression(x: list[Value]) -> Value:
        a, b, c, d = x
        e = (a * b + c).tanh() / (1.5 + d.sin())
        f = (e - a).softplus() ** (0.5 + b.sigmoid())
        return (f + e * e).log1p() - 2**c + (a - d).gelu() * abs(e).maximum(0.1) + (3 - f).sqrt() ** 3

    at = [0.3, -0.7, 0.4, 1.1]
    leaves = [Value(x) for x in at]
    expression(leaves).backward()
    for i, leaf in enumerate(leaves):

        def along(x: float, i: int = i) -> float:
            return expression([Value(x if j == i else xj) for j, xj in enumerate(at)]).data

        assert leaf.grad == pytest.approx(derivative(along, at[i]), rel=1e-9)
