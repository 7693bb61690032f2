"""The pure-Python engine against numbers worked out by hand and published, and its functions of lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf

import numpy as np
import pytest

from pygrad.reference import Value, functional

# ---- worked numbers ----------------------------------------------------------------------------------------


def test_sum_times_factor() -> None:
    a, b, c = Value(2), Value(3), Value(5)
    L = (a + b) * c
    L.backward()
    assert (L.data, a.grad, b.grad, c.grad) == (25.0, 5.0, 5.0, 5.0)


def test_squared_line() -> None:
    x, w, b = Value(2), Value(3), Value(1)
    L = (w * x + b - 5) ** 2
    L.backward()
    assert (L.data, w.grad, x.grad, b.grad) == (4.0, 8.0, 12.0, 4.0)


def test_logistic_neuron() -> None:
    w, x, b = Value(0.5), Value(2), Value(-0.3)
    z = w * x + b
    p = z.sigmoid()
    L = -p.log()
    L.backward()
    numbers = [z.data, p.data, L.data, p.grad, z.grad, w.grad, b.grad]
    wanted = [0.7, 0.668188, 0.403186, -1.496585, -0.331812, -0.663624, -0.331812]
    assert [round(number, 6) for number in numbers] == wanted

    stable = Value(z.data)
    loss = stable.bce_with_logits(1)
    loss.backward()
    assert loss.data == pytest.approx(L.data, rel=1e-15)
    assert stable.grad == pytest.approx(z.grad, rel=1e-15)


def test_two_neurons_in_a_row() -> None:
    x, w1, w2, b = Value(2), Value(3), Value(-1), Value(0.5)
    L = (w2 * (w1 * x + b).relu()) ** 2
    L.backward()
    assert (L.data, w1.grad, w2.grad, b.grad) == (42.25, 26.0, -84.5, 13.0)


@pytest.mark.parametrize(
    ("bias", "z", "loss", "dw", "dx", "db"),
    [
        (0.1, -1.9, 1.0, (0.0, 0.0), (0.0, 0.0), 0.0),
        (2.6, 0.6, 0.16, (-1.6, -2.4), (-0.4, 0.8), -0.8),
    ],
)
def test_dead_neuron_and_its_live_twin(
    bias: float, z: float, loss: float, dw: tuple[float, ...], dx: tuple[float, ...], db: float
) -> None:
    x, w, b = [Value(2), Value(3)], [Value(0.5), Value(-1)], Value(bias)
    pre = w[0] * x[0] + w[1] * x[1] + b
    L = (pre.relu() - 1) ** 2
    L.backward()
    grads = [v.grad for v in (*w, *x, b)]
    # Sums of a few decimal fractions of size 1.
    assert [pre.data, L.data, *grads] == pytest.approx([z, loss, *dw, *dx, db], abs=1e-14)


def test_sigmoid_table() -> None:
    points = [Value(x) for x in (-2, 0, 0.75, 3)]
    ys = [x.sigmoid() for x in points]
    for y in ys:
        y.backward()
    assert [round(y.data, 6) for y in ys] == [0.119203, 0.5, 0.679179, 0.952574]
    assert [round(x.grad, 6) for x in points] == [0.104994, 0.25, 0.217895, 0.045177]


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [("gelu", -0.75179, -0.16997), ("silu", -1.27846, -0.27846), ("swish", -1.27846, -0.27846)],
)
def test_published_minima_of_gelu_and_silu(name: str, x: float, value: float) -> None:
    at = Value(x)
    y = getattr(at, name)()
    y.backward()
    assert y.data == pytest.approx(value, abs=5e-6)
    # The argument is rounded to 5 decimals, and the second derivative there is below 1.
    assert abs(at.grad) < 5e-6


# ---- functions of lists ------------------------------------------------------------------------------------


def grads_of(function: Callable[[list[Value]], Value], xs: list[float]) -> tuple[float, list[float]]:
    leaves = [Value(x) for x in xs]
    y = function(leaves)
    y.backward()
    return y.data, [leaf.grad for leaf in leaves]


def test_sum_takes_any_iterable() -> None:
    assert grads_of(functional.sum, [1.0, 2.0, 3.5]) == (6.5, [1.0, 1.0, 1.0])
    assert functional.sum(x for x in (1, 2)).data == 3.0
    assert functional.sum([]).data == 0.0


def test_dot_is_a_weighted_sum_with_a_bias() -> None:
    ws, xs, b = [Value(0.5), Value(-1)], [Value(2), Value(3)], Value(0.1)
    y = functional.dot(ws, xs, b)
    y.backward()
    assert y.data == pytest.approx(-1.9, rel=1e-15)
    assert [v.grad for v in (*ws, *xs, b)] == [2.0, 3.0, 0.5, -1.0, 1.0]
    assert functional.dot([1, 2], [3, 4]).data == 11.0
    assert functional.dot([], []).data == 0.0
    with pytest.raises(ValueError):
        functional.dot([1, 2], [3])


def test_softmax_is_the_published_one_and_sums_to_one() -> None:
    ps = functional.softmax([2.0, 1.0, 0.1])
    assert [round(p.data, 4) for p in ps] == [0.6590, 0.2424, 0.0986]
    assert math.fsum(p.data for p in ps) == pytest.approx(1.0, rel=4e-16)


def test_softmax_has_the_jacobian_p_i_times_delta_ij_minus_p_j() -> None:
    z = np.array([2.0, 1.0, 0.1, -3.0])
    p = np.exp(z) / np.exp(z).sum()
    wanted = np.diag(p) - np.outer(p, p)
    rows = [grads_of(lambda xs, i=i: functional.softmax(xs)[i], list(z))[1] for i in range(4)]
    np.testing.assert_allclose(rows, wanted, rtol=0, atol=1e-15)


def test_logsumexp_has_softmax_as_its_gradient() -> None:
    z = np.array([0.5, -1.5, 2.0])
    value, grads = grads_of(functional.logsumexp, list(z))
    assert value == pytest.approx(np.log(np.exp(z).sum()), rel=1e-15)
    np.testing.assert_allclose(grads, np.exp(z) / np.exp(z).sum(), rtol=1e-14)


def test_cross_entropy_is_minus_the_log_of_the_probability() -> None:
    # Logits that are logarithms of probabilities have these as their softmax.
    for ps, wanted in (((0.1, 0.7, 0.2), 0.356675), ((0.1, 0.1, 0.8), 2.302585)):
        value, grads = grads_of(lambda z: functional.cross_entropy(z, 1), [math.log(p) for p in ps])
        assert round(value, 6) == wanted
        np.testing.assert_allclose(grads, np.array(ps) - [0, 1, 0], rtol=1e-14)


def test_squared_error_gives_the_published_mse() -> None:
    for ps, wanted in (((0.1, 0.7, 0.2), 0.046667), ((0.1, 0.1, 0.8), 0.486667)):
        y = functional.sum(functional.squared_error(p, t) for p, t in zip(ps, (0, 1, 0), strict=True)) / 3
        assert round(y.data, 6) == wanted
    assert grads_of(lambda v: functional.squared_error(*v), [7.0, 5.0]) == (4.0, [4.0, -4.0])


@pytest.mark.parametrize(
    ("score", "label", "loss", "grad"),
    [
        (0.25, 1, 0.75, -1.0),
        (0.25, -1, 1.25, 1.0),
        (3.0, 1, 0.0, 0.0),
        (1.0, 1, 0.0, 0.0),
        (-1000.0, 1, 1001.0, -1.0),
    ],
)
def test_margin_loss(score: float, label: int, loss: float, grad: float) -> None:
    assert grads_of(lambda v: functional.margin_loss(v[0], label), [score]) == (loss, [grad])


def test_losses_are_finite_at_a_thousand() -> None:
    big = [1000.0, -1000.0, 0.0]
    assert grads_of(functional.logsumexp, big) == (1000.0, [1.0, 0.0, 0.0])
    assert grads_of(functional.logsumexp, [-1000.0, -1000.0]) == (
        pytest.approx(-1000 + math.log(2), rel=1e-15),
        [0.5, 0.5],
    )
    assert [p.data for p in functional.softmax(big)] == [1.0, 0.0, 0.0]
    assert grads_of(lambda z: functional.cross_entropy(z, 0), big) == (0.0, [0.0, 0.0, 0.0])
    assert grads_of(lambda z: functional.cross_entropy(z, 1), big) == (2000.0, [1.0, -1.0, 0.0])
    bce = functional.binary_cross_entropy_with_logits
    assert grads_of(lambda z: bce(z[0], 0), [1000.0]) == (1000.0, [1.0])
    assert grads_of(lambda z: bce(z[0], 1), [-1000.0]) == (1000.0, [-1.0])


def test_logsumexp_of_minus_infinity_is_minus_infinity() -> None:
    value, grads = grads_of(functional.logsumexp, [-inf, -inf])
    assert value == -inf and all(math.isnan(g) for g in grads)


@pytest.mark.parametrize("target", [3, -1])
def test_a_target_outside_the_classes_is_refused(target: int) -> None:
    with pytest.raises(IndexError, match=f"target {target} is out of bounds for 3 classes"):
        functional.cross_entropy([1.0, 2.0, 3.0], target)


def test_functions_accept_plain_numbers() -> None:
    assert functional.margin_loss(0.5, 1).data == 0.5
    assert functional.binary_cross_entropy_with_logits(0, 1).data == math.log(2)
    assert functional.cross_entropy([0, 0], np.int64(1)).data == pytest.approx(math.log(2), rel=1e-15)
