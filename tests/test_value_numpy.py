"""Values in arrays of numpy's."""

from __future__ import annotations

import math
import warnings
from math import inf, nan

import numpy as np
import pytest
from oracle import same
from value_support import OPERATORS, gradients

from pygrad import Value, reference

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
