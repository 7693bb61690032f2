"""Functions over lists of values: one node each, exact where a list of exponentials would overflow."""

from __future__ import annotations

import decimal
import math
import random
from decimal import Decimal
from math import inf, nan

import numpy as np
import pytest
from oracle import EPS, same

import pygrad
from pygrad import Value, functional, reference

WIDE = [
    [0.3, -1.2, 2.0],
    [5.0],
    [0.0, 0.0],
    [1000.0, -1000.0, 999.0],
    [-1000.0, -1001.0],
    [1e300, 0.0],
    [-745.0, 710.0, 3.0],
    [-0.5, 40.0, 39.5, -40.0],
    [1e-300, -1e-300],
]


def leaves(numbers):
    return [Value(x) for x in numbers]


def gradients(inputs, root):
    for v in inputs:
        v.grad = 0.0
    root.backward()
    return [v.grad for v in inputs]


def exact_logsumexp(numbers):
    with decimal.localcontext(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]):
        largest = max(map(Decimal, numbers))
        return largest + sum((Decimal(x) - largest).exp() for x in numbers).ln()


def exact_softmax(numbers):
    with decimal.localcontext(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]):
        largest = max(map(Decimal, numbers))
        exponentials = [(Decimal(x) - largest).exp() for x in numbers]
        total = sum(exponentials)
        return [float(e / total) for e in exponentials]


def room_of_softmax(numbers):
    """Return the relative error that the rounding of logsumexp, which is about as large as the inputs, may cause."""
    return 4 * EPS * (max(map(abs, numbers)) + len(numbers) + 4)


def test_every_function_is_offered_at_the_top_as_well():
    for name in functional.__all__:
        assert getattr(pygrad, name) is getattr(functional, name)
        assert getattr(functional, name).__doc__


# ---- sum and dot ----------------------------------------------------------------------------------------------------


def test_sum_is_one_node_over_the_very_values():
    values = leaves([1.0, 2.0, -4.5])
    total = pygrad.sum(values)
    assert (total.data, total._op) == (-1.5, "sum")
    assert total._prev == set(values) and total._children == tuple(values)
    assert gradients(values, total * 3) == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("make", [list, tuple, iter, lambda v: (x for x in v), lambda v: np.array(v, dtype=object)])
def test_sum_takes_any_iterable_of_values_and_numbers(make):
    a, b = Value(1.0), Value(2.0)
    total = pygrad.sum(make([a, 3, b, np.float64(0.5), True, a, np.int64(2)]))
    assert total.data == 10.5
    assert total._prev == {a, b}
    assert gradients([a, b], total) == [2.0, 1.0]


def test_sum_adds_in_the_order_of_the_list():
    numbers = [random.Random(5).gauss(0, 1) * 10.0 ** (i % 17) for i in range(1000)]
    total = 0.0
    for x in numbers:
        total += x
    assert pygrad.sum(leaves(numbers)).data == total
    assert pygrad.sum(numbers).data == total


def test_sums_of_nothing_and_of_one():
    assert pygrad.sum([]).data == 0.0
    assert pygrad.dot([], []).data == 0.0
    x = Value(4.0)
    assert gradients([x], pygrad.sum([x])) == [1.0]
    empty = pygrad.sum([])
    empty.backward()
    assert empty.grad == 1.0


def test_sum_of_a_hundred_thousand_is_one_node():
    values = [Value(1.0)] * 100_000
    total = pygrad.sum(values)
    assert total.data == 100_000.0 and len(total._prev) == 1
    assert gradients(values[:1], total) == [100_000.0]


@pytest.mark.parametrize("kind", ["values", "first numbers", "second numbers", "mixed", "all numbers", "arrays"])
def test_dot_is_the_sum_of_products_whatever_the_operands(kind):
    xs, ws = [2.0, -3.0, 0.5], [0.25, 4.0, -8.0]
    x, w = leaves(xs), leaves(ws)
    operands = {
        "values": (x, w),
        "first numbers": (xs, w),
        "second numbers": (x, ws),
        "mixed": ([x[0], -3, x[2]], [w[0], w[1], np.float32(-8.0)]),
        "all numbers": (xs, ws),
        "arrays": (np.array(xs), np.array(w, dtype=object)),
    }[kind]
    y = pygrad.dot(*operands)
    assert y.data == 2.0 * 0.25 - 12.0 - 4.0
    assert y._op == "dot"
    got = gradients(x + w, y * 2)
    wanted = [0.5, 8.0, -16.0, 4.0, -6.0, 1.0]
    present = [any(v is operand for side in operands for operand in side) for v in x + w]
    assert got == [g if there else 0.0 for g, there in zip(wanted, present, strict=True)]


def test_dot_of_a_list_with_itself():
    x = leaves([1.0, 2.0, 3.0])
    assert gradients(x, pygrad.dot(x, x)) == [2.0, 4.0, 6.0]
    y = Value(3.0)
    assert gradients([y], pygrad.dot([y, y], [y, 2])) == [2 * 3.0 + 2.0]


def test_dot_of_unequal_lengths_is_a_value_error_that_gives_both():
    for x, w in (([1, 2], [1, 2, 3]), (leaves([1.0]), []), (leaves([1, 2]), [1.0])):
        with pytest.raises(ValueError, match=rf"{len(x)} inputs.*{len(w)} weights|{len(w)} inputs.*{len(x)} weights"):
            pygrad.dot(x, w)


@pytest.mark.parametrize("function", [pygrad.sum, pygrad.logsumexp, pygrad.softmax, lambda v: pygrad.dot(v, v)])
@pytest.mark.parametrize("junk", ["ab", None, 3, [Value(1.0), "x"], [None], [[1.0]], [1j], Value(1.0)])
def test_what_is_no_list_of_numbers_is_a_type_error(function, junk):
    with pytest.raises(TypeError):
        function(junk)


def test_wrong_item_is_named_with_its_place():
    with pytest.raises(TypeError, match=r"sum\(\): item 1 .*'x'.*str"):
        pygrad.sum([Value(1.0), "x"])
    with pytest.raises(TypeError, match=r"dot\(\) w: item 0 .*None"):
        pygrad.dot([Value(1.0)], [None])


# ---- logsumexp, softmax, log_softmax --------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", WIDE)
def test_logsumexp_is_right_to_rounding_and_its_gradient_is_softmax(numbers):
    v = leaves(numbers)
    y = pygrad.logsumexp(v)
    assert y._op == "logsumexp" and y._prev == set(v)
    wanted = float(exact_logsumexp(numbers))
    assert y.data == pytest.approx(wanted, rel=4 * EPS, abs=4 * EPS)
    assert gradients(v, y) == pytest.approx(exact_softmax(numbers), rel=min(1.0, room_of_softmax(numbers)), abs=5e-324)


@pytest.mark.parametrize("numbers", [n for n in WIDE if max(map(abs, n)) < 1e6])
def test_softmax_and_log_softmax_are_right_to_rounding(numbers):
    v = leaves(numbers)
    room = room_of_softmax(numbers)
    p, logs = pygrad.softmax(v), pygrad.log_softmax(v)
    wanted = exact_softmax(numbers)
    assert [x.data for x in p] == pytest.approx(wanted, rel=room, abs=5e-324)
    assert math.fsum(x.data for x in p) == pytest.approx(1.0, rel=room)
    exact = float(exact_logsumexp(numbers))
    assert [x.data for x in logs] == pytest.approx([x - exact for x in numbers], rel=4 * EPS, abs=room)
    for i in range(len(v)):
        # dp_i/dx_j = p_i ((i = j) - p_j); d log p_i/dx_j = (i = j) - p_j
        jacobian = [(i == j) - wanted[j] for j in range(len(v))]
        assert gradients(v, logs[i]) == pytest.approx(jacobian, rel=room, abs=room)
        assert gradients(v, p[i]) == pytest.approx([wanted[i] * d for d in jacobian], rel=room, abs=room)


def test_softmax_has_the_numbers_of_the_table():
    assert [round(p.data, 4) for p in pygrad.softmax(leaves([2.0, 1.0, 0.1]))] == [0.6590, 0.2424, 0.0986]
    assert [round(p.data, 4) for p in pygrad.softmax([2.0, 1.0, 0.1])] == [0.6590, 0.2424, 0.0986]


def test_logsumexp_at_infinities_and_nan():
    assert pygrad.logsumexp([]).data == -inf
    assert pygrad.logsumexp([-inf, -inf]).data == -inf
    assert pygrad.logsumexp([inf, 1.0]).data == inf
    assert math.isnan(pygrad.logsumexp([nan, 1.0]).data)
    assert math.isnan(pygrad.logsumexp([1.0, nan]).data)
    assert math.isnan(pygrad.logsumexp([inf, nan]).data)
    v = leaves([-inf, 0.0])
    y = pygrad.logsumexp(v)
    assert y.data == 0.0
    assert gradients(v, y) == [0.0, 1.0]
    assert [p.data for p in pygrad.softmax(leaves([-inf, 3.0, -inf]))] == [0.0, 1.0, 0.0]


def test_logsumexp_and_softmax_take_numbers_among_values():
    x = Value(0.5)
    y = pygrad.logsumexp([x, 1.5, np.float32(-1.0)])
    assert y._prev == {x}
    p = math.exp(0.5) / (math.exp(0.5) + math.exp(1.5) + math.exp(-1.0))
    assert gradients([x], y) == [pytest.approx(p, rel=1e-15)]
    assert gradients([x], pygrad.softmax([1.5, x, -1.0])[1]) == [pytest.approx(p * (1 - p), rel=1e-14)]
    assert gradients([x], pygrad.logsumexp([x, x])) == [pytest.approx(1.0, rel=1e-15)]


# ---- losses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [n for n in WIDE if max(map(abs, n)) < 1e6])
def test_cross_entropy_is_logsumexp_less_the_target_with_gradient_softmax_less_onehot(numbers):
    p = exact_softmax(numbers)
    room = room_of_softmax(numbers)
    for target in range(len(numbers)):
        v = leaves(numbers)
        loss = pygrad.cross_entropy(v, target)
        wanted = float(exact_logsumexp(numbers) - Decimal(numbers[target]))
        assert loss.data == pytest.approx(wanted, rel=4 * EPS, abs=room)
        onehot = [float(i == target) for i in range(len(v))]
        assert gradients(v, loss) == pytest.approx([a - b for a, b in zip(p, onehot, strict=True)], rel=room, abs=room)


@pytest.mark.parametrize(("p", "loss"), [((0.1, 0.7, 0.2), 0.356675), ((0.1, 0.1, 0.8), 2.302585)])
def test_cross_entropy_has_the_numbers_of_the_table(p, loss):
    assert round(pygrad.cross_entropy([Value(math.log(x)) for x in p], 1).data, 6) == loss


def test_cross_entropy_is_finite_at_a_thousand():
    for numbers, target, wanted in (([1000.0, -1000.0], 1, 2000.0), ([1000.0, -1000.0], 0, 0.0)):
        v = leaves(numbers)
        loss = pygrad.cross_entropy(v, target)
        assert loss.data == wanted
        assert all(map(math.isfinite, gradients(v, loss)))


@pytest.mark.parametrize("target", [3, -1, 100, np.int64(3)])
def test_target_that_is_no_class_is_an_index_error_that_names_it(target):
    with pytest.raises(IndexError, match=rf"{target}.*3"):
        pygrad.cross_entropy(leaves([1.0, 2.0, 3.0]), target)


def test_target_may_be_a_numpy_integer_and_logits_an_array():
    v = np.array(leaves([1.0, 2.0, 3.0]))
    assert pygrad.cross_entropy(v, np.int64(2)).data == pygrad.cross_entropy(list(v), 2).data


@pytest.mark.parametrize("target", [1.5, "1", None])
def test_target_that_is_no_integer_is_a_type_error(target):
    with pytest.raises(TypeError):
        pygrad.cross_entropy(leaves([1.0, 2.0, 3.0]), target)


@pytest.mark.parametrize("z", [-1000.0, -40.0, -1.5, 0.0, 0.7, 30.0, 1000.0])
@pytest.mark.parametrize("label", [0, 1, 0.25, True, np.float64(0.5)])
def test_binary_cross_entropy_is_finite_with_gradient_sigma_less_label(z, label):
    logit = Value(z)
    loss = pygrad.binary_cross_entropy_with_logits(logit, label)
    wanted = max(z, 0) - z * float(label) + math.log1p(math.exp(-abs(z)))
    sigma = 1 / (1 + math.exp(-z)) if z > -700 else 0.0
    assert loss.data == pytest.approx(wanted, rel=1e-15, abs=1e-15)
    assert len(loss._prev) == 1
    assert gradients([logit], loss) == [pytest.approx(sigma - float(label), rel=1e-14, abs=1e-15)]


def test_binary_cross_entropy_differentiates_the_label_too():
    z, label = Value(0.75), Value(0.25)
    assert gradients([label], pygrad.binary_cross_entropy_with_logits(z, label)) == [-0.75]


def test_squared_error():
    p, t = Value(7.0), Value(5.0)
    loss = pygrad.squared_error(p, t)
    assert loss.data == 4.0
    assert gradients([p, t], loss) == [4.0, -4.0]
    assert gradients([p], pygrad.squared_error(p, 10)) == [-6.0]


@pytest.mark.parametrize(
    ("score", "label", "loss", "slope"),
    [(0.25, 1, 0.75, -1.0), (0.25, -1, 1.25, 1.0), (2.0, 1, 0.0, 0.0), (1.0, 1, 0.0, 0.0), (-3.0, 1, 4.0, -1.0)],
)
def test_margin_loss(score, label, loss, slope):
    s = Value(score)
    y = pygrad.margin_loss(s, label)
    assert y.data == loss
    assert gradients([s], y) == [slope]


def test_larger_and_smaller_of_values_and_numbers():
    a, b = Value(2.0), Value(3.0)
    for larger, smaller in (
        (pygrad.maximum(a, b), pygrad.minimum(a, b)),
        (pygrad.maximum(2, b), pygrad.minimum(2, b)),
        (pygrad.maximum(a, 3.0), pygrad.minimum(a, 3.0)),
        (pygrad.maximum(np.float64(2.0), 3), pygrad.minimum(np.float64(2.0), 3)),
    ):
        assert (larger.data, smaller.data) == (3.0, 2.0)
    assert gradients([a, b], pygrad.maximum(a, b)) == [0.0, 1.0]
    assert gradients([a, b], pygrad.minimum(a, b)) == [1.0, 0.0]
    assert gradients([a], pygrad.maximum(a, 2.0)) == [0.5]
    with pytest.raises(TypeError):
        pygrad.maximum("x", a)


# ---- the same as the reference --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "logsumexp", "softmax", "cross_entropy", "dot"])
def test_functions_agree_with_the_reference_on_random_lists(name):
    generator = random.Random(11)
    for n in (1, 2, 7, 40):
        numbers = [generator.gauss(0, 3) for _ in range(n)]
        other = [generator.gauss(0, 1) for _ in range(n)]
        results = []
        for module, V in ((pygrad, Value), (reference, reference.Value)):
            v, w = [V(x) for x in numbers], [V(x) for x in other]
            function = getattr(module, name)
            y = function(v, w) if name == "dot" else function(v, n // 2) if name == "cross_entropy" else function(v)
            if name == "softmax":
                y = sum((p * q for p, q in zip(y, w, strict=True)), V(0.0))
            y.backward()
            results.append([y.data, *(x.grad for x in v), *(x.grad for x in w)])
        # n numbers of about 10, summed in another order
        assert results[0] == pytest.approx(results[1], rel=4 * n * EPS, abs=40 * n * EPS)


def test_lists_are_read_when_the_function_is_called():
    values = leaves([1.0, 2.0])
    total = pygrad.sum(values)
    values.clear()
    assert len(total._prev) == 2
    numbers = np.array([1.0, 2.0])
    w = leaves([3.0, 4.0])
    y = pygrad.dot(numbers, w)
    numbers[:] = 100.0
    assert gradients(w, y) == [1.0, 2.0]


def test_functions_read_inputs_as_they_stand_when_backward_comes():
    x, w = leaves([1.0, 2.0]), leaves([3.0, 4.0])
    y = pygrad.dot(x, w)
    w[0].data = 10.0
    assert gradients(x + w, y) == [10.0, 4.0, 1.0, 2.0]
    v = leaves([0.0, 0.0])
    z = pygrad.logsumexp(v)
    v[0].data = 0.5
    total = math.exp(0.5) + 1  # the softmax of x as it stands
    assert gradients(v, z) == pytest.approx([math.exp(0.5) / total, 1 / total], rel=1e-15)


def test_signed_zeros_survive_where_ieee_keeps_them():
    assert same(pygrad.maximum(Value(-0.0), -1.0).data, -0.0)
    assert same(pygrad.sum([0.0, -0.0]).data, 0.0)


def test_losses_take_numbers_for_predictions():
    assert pygrad.margin_loss(0.5, 1).data == 0.5
    assert pygrad.squared_error(3.0, 5.0).data == 4.0
    assert pygrad.binary_cross_entropy_with_logits(0.0, 1).data == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize("size", [0.0, 1e3, 1e12, 1e16, 1e300])
def test_gradient_of_logsumexp_is_exact_however_large_the_values(size):
    """exp(x - y), with y the rounded result, is off by 2e-5 at 1e12 and by a factor of 2 at 1e16."""
    a, b = Value(size), Value(size)
    pygrad.logsumexp([a, b]).backward()
    assert (a.grad, b.grad) == (0.5, 0.5)


@pytest.mark.parametrize("name", ["exp", "relu", "tanh"])
@pytest.mark.parametrize("wrong", [2.0, "a", None, [1.0]])
def test_functions_of_one_operand_name_what_they_take(name, wrong):
    with pytest.raises(TypeError, match=f"{name} takes a Tensor or a Value, not"):
        getattr(pygrad, name)(wrong)
