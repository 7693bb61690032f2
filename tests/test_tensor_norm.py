"""Normalisation and dropout beyond the table: running statistics, large means, chance, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import TORCH, ShapeError, array, leaf, ours, pg, refused


def t(x, dtype="float64"):
    return pg.tensor(np.asarray(x, dtype=dtype))


X = np.random.default_rng(0).normal(1.0, 2.0, (6, 3, 4))


# ---- batch_norm -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0])
def test_running_statistics_move_by_the_momentum_and_the_variance_is_unbiased(momentum):
    mean, var = t([1.0, 2.0, 3.0]), t([1.0, 0.5, 2.0])
    old = array(mean).copy(), array(var).copy()
    version = mean._version
    pg.batch_norm(t(X), mean, var, training=True, momentum=momentum)
    for got, before, new in zip((mean, var), old, (X.mean((0, 2)), X.var((0, 2), ddof=1)), strict=True):
        np.testing.assert_allclose(array(got), (1 - momentum) * before + momentum * new, rtol=1e-13)
    assert TORCH or mean._version > version


def test_running_statistics_stay_in_evaluation():
    mean, var = t(np.ones(3)), t(np.ones(3))
    pg.batch_norm(t(X), mean, var, training=False)
    assert mean.tolist() == var.tolist() == [1.0] * 3


def test_running_statistics_may_have_gaps():
    stats = t(np.ones((3, 2)))
    pg.batch_norm(t(X), stats[:, 0], stats[:, 1], training=True, momentum=1.0)
    np.testing.assert_allclose(array(stats[:, 0]), X.mean((0, 2)), rtol=1e-13)
    np.testing.assert_allclose(array(stats[:, 1]), X.var((0, 2), ddof=1), rtol=1e-13)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 2, 1, 1)])
def test_one_element_a_channel_is_refused_in_training_only(shape):
    c = shape[1]
    with refused(ValueError, naming=("batch_norm",)):
        pg.batch_norm(pg.ones(*shape), None, None, training=True)
    assert pg.batch_norm(pg.ones(*shape), pg.zeros(c), pg.ones(c)).shape == shape


def test_nothing_changes_when_the_call_is_refused():
    mean, var = t(np.ones(3)), t(np.ones(3))
    with pytest.raises(RuntimeError):
        pg.batch_norm(t(X), mean, var, t(np.ones(2)), training=True)
    assert mean.tolist() == var.tolist() == [1.0] * 3


# ---- accuracy -------------------------------------------------------------------------------------------------------


def test_mean_far_from_zero_costs_no_digits():
    # x - mean is exact in float64 where all x are within a factor of two; one rounding to float32 is left.
    x = (1000.0 + np.arange(64) / 16.0).astype(np.float32)
    wide = x.astype(np.float64)
    wanted = (wide - wide.mean()) / np.sqrt(wide.var() + 1e-5)
    for got in (
        pg.layer_norm(t(x, "float32"), (64,)),
        pg.batch_norm(t(x[:, None], "float32"), None, None, training=True),
    ):
        assert abs(array(got).ravel() - wanted).max() <= (2.0**-24 * 4 if not TORCH else 1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rms_norm_takes_the_precision_of_the_dtype_for_eps(dtype):
    x, eps = np.array([[1e-4, -1e-4, 2e-4]]), np.finfo(dtype).eps
    wanted = x / np.sqrt((x * x).mean() + eps)
    np.testing.assert_allclose(array(pg.rms_norm(t(x, dtype), (3,))), wanted, rtol=1e-6)


# ---- dropout --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_one_minus_p_of_the_elements_and_the_mean(p, dtype):
    pg.manual_seed(3)
    n = 20_000
    x = leaf(np.ones(n), dtype)
    y = pg.dropout(x, p)
    kept = array(y) != 0
    # Five standard deviations of a binomial share.
    assert abs(kept.mean() - (1 - p)) <= 5 * (p * (1 - p) / n) ** 0.5
    np.testing.assert_allclose(array(y)[kept], 1 / (1 - p), rtol=1e-6)
    y.sum().backward()
    np.testing.assert_array_equal(array(x.grad), array(y))


def test_dropout_is_the_same_for_a_seed_and_goes_on_after_it():
    x = pg.ones(50)
    pg.manual_seed(1)
    first, second = pg.dropout(x), pg.dropout(x)
    pg.manual_seed(1)
    assert pg.dropout(x).tolist() == first.tolist() != second.tolist()


def test_dropout_outside_training_is_the_input_itself():
    x = pg.ones(3)
    assert pg.dropout(x, 0.5, training=False) is x
    assert pg.dropout(x, 0.0) is x


# ---- what is refused ------------------------------------------------------------------------------------------------

ONES = pg.ones(3).double()
REFUSED = {
    "layer_norm, shape": (lambda x: pg.layer_norm(x, (3,)), ShapeError, ("layer_norm", [3], [6, 3, 4])),
    "layer_norm, none": (lambda x: pg.layer_norm(x, ()), ShapeError, ("layer_norm",)),
    "layer_norm, more": (lambda x: pg.layer_norm(x, (1, 6, 3, 4)), ShapeError, ("layer_norm", [1, 6, 3, 4])),
    "layer_norm, weight": (lambda x: pg.layer_norm(x, (4,), ONES), ShapeError, ("layer_norm", "weight", [3], [4])),
    "layer_norm, ints": (lambda x: pg.layer_norm(x.long(), (4,)), NotImplementedError, ("layer_norm", "int64")),
    "layer_norm, dtypes": (lambda x: pg.layer_norm(x, (4,), pg.ones(4)), RuntimeError, ("float64", "float32")),
    "rms_norm, shape": (lambda x: pg.rms_norm(x, (3,)), ShapeError, ("rms_norm", [3], [6, 3, 4])),
    "rms_norm, ints": (lambda x: pg.rms_norm(x.long(), (4,)), NotImplementedError, ("rms_norm", "int64")),
    "batch_norm, vector": (lambda x: pg.batch_norm(x[0, 0], None, None, training=True), IndexError,
                           ("batch_norm", [4])),
    "batch_norm, none": (lambda x: pg.batch_norm(x, None, None), RuntimeError, ("running_mean",)),
    "batch_norm, one": (lambda x: pg.batch_norm(x, ONES, None, training=True), ValueError, ("running_var",)),
    "batch_norm, mean": (lambda x: pg.batch_norm(x, ONES[:2], ONES), ShapeError, ("running_mean", 3, [2])),
    "batch_norm, weight": (lambda x: pg.batch_norm(x, ONES, ONES, ONES[:2]), ShapeError, ("weight", 3, [2])),
    "batch_norm, ints": (lambda x: pg.batch_norm(x.long(), None, None, training=True), NotImplementedError, ("int64",)),
    "batch_norm, dtypes": (lambda x: pg.batch_norm(x.float(), ONES, ONES, ONES), RuntimeError, ("float32", "float64")),
    "batch_norm, gradient": (lambda x: pg.batch_norm(x, leaf(np.ones(3)), ONES, training=True), RuntimeError,
                             ("running_mean",)),
    "dropout, large": (lambda x: pg.dropout(x, 1.5), ValueError, ("dropout", 1.5)),
    "dropout, negative": (lambda x: pg.dropout(x, -0.1), ValueError, ("dropout", -0.1)),
    "dropout, ints": (lambda x: pg.dropout(x.long(), 0.5), RuntimeError, ("dropout", "int64")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, error, naming = REFUSED[name]
    with refused(error, naming=[str(n) for n in naming]):
        call(t(X))


@ours("a nan is a RuntimeError there")
def test_dropout_refuses_nan():
    with refused(ValueError, naming=("dropout",)):
        pg.dropout(pg.ones(1), float("nan"))


def test_changed_input_is_found_in_backward():
    x, w = leaf(X), leaf(np.ones(4))
    y = x * 1.0
    z = pg.layer_norm(y, (4,), w)
    y.mul_(2.0)
    with refused(RuntimeError):
        z.sum().backward()
