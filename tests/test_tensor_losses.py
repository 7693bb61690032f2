"""The fused losses beyond the table: worked numbers, tails, options, what is refused, and the gradients by formula."""

from __future__ import annotations

import math
from math import inf

import numpy as np
import pytest
from tensor_backend import ShapeError, array, dtype_name, leaf, ours, pg, refused

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
DTYPES = pytest.mark.parametrize("dtype", UNIT)


def tensor(x, dtype="float64"):
    return pg.tensor(np.asarray(x, dtype=dtype))


def printed(x):
    """A number printed with 6 decimals, and a float32's roundings."""
    return pytest.approx(x, abs=1e-6)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- numbers and formulas -------------------------------------------------------------------------------------------


@DTYPES
def test_worked_numbers_of_the_curriculum(dtype):
    for p, mse, ce in [((0.1, 0.7, 0.2), 0.046667, 0.356675), ((0.1, 0.1, 0.8), 0.486667, 2.302585)]:
        assert pg.mse_loss(tensor(p, dtype), tensor([0, 1, 0], dtype)).item() == printed(mse)
        assert pg.nll_loss(tensor(p, dtype).log(), pg.tensor(1)).item() == printed(ce)
        assert pg.cross_entropy(tensor(p, dtype).log(), pg.tensor(1)).item() == printed(ce)
    w, x, b, y = leaf(0.5, dtype), tensor(2.0, dtype), leaf(-0.3, dtype), tensor(1.0, dtype)
    loss = pg.binary_cross_entropy_with_logits(w * x + b, y)
    loss.backward()
    assert loss.item() == printed(0.403186)
    assert w.grad.item() == printed(-0.663624)
    assert b.grad.item() == printed(-0.331812)
    p = leaf(1 / (1 + math.exp(-0.7)), dtype)
    pg.binary_cross_entropy(p, y).backward()
    assert p.grad.item() == printed(-1.496585)


def test_gradient_of_cross_entropy_is_softmax_minus_onehot():
    rng = np.random.default_rng(0)
    z0, y0 = rng.normal(size=(7, 5)), rng.integers(0, 5, 7)
    z = leaf(z0)
    pg.cross_entropy(z, pg.tensor(y0)).backward()
    np.testing.assert_allclose(array(z.grad), (softmax(z0) - np.eye(5)[y0]) / 7, rtol=1e-13, atol=1e-17)


def test_gradient_of_mse_is_two_differences_over_the_number_of_elements():
    rng = np.random.default_rng(1)
    p0, y0 = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    p, y = leaf(p0), leaf(y0)
    pg.mse_loss(p, y).backward()
    np.testing.assert_allclose(array(p.grad), 2 * (p0 - y0) / 12, rtol=1e-14)
    np.testing.assert_allclose(array(y.grad), -2 * (p0 - y0) / 12, rtol=1e-14)


def test_losses_are_the_compositions_they_replace():
    rng = np.random.default_rng(2)
    z0, y0 = rng.normal(0, 3, (6, 4)), rng.integers(0, 4, 6)
    y, target = pg.tensor(y0), pg.tensor(rng.random((6, 4)))
    for fused, composed in [
        (lambda z: pg.cross_entropy(z, y), lambda z: pg.nll_loss(pg.log_softmax(z, 1), y)),
        (lambda z: pg.cross_entropy(z, y), lambda z: -pg.log_softmax(z, 1)[pg.arange(6), y].mean()),
        (lambda z: pg.binary_cross_entropy_with_logits(z, target),
         lambda z: pg.binary_cross_entropy(pg.sigmoid(z), target)),
        (lambda z: pg.mse_loss(z, target), lambda z: ((z - target) ** 2).mean()),
        (lambda z: pg.l1_loss(z, target), lambda z: (z - target).abs().mean()),
    ]:  # fmt: skip
        a, b = leaf(z0), leaf(z0)
        la, lb = fused(a), composed(b)
        la.backward()
        lb.backward()
        assert la.item() == pytest.approx(lb.item(), rel=1e-13)
        np.testing.assert_allclose(array(a.grad), array(b.grad), rtol=1e-11, atol=1e-15)


# ---- tails ----------------------------------------------------------------------------------------------------------


@DTYPES
@pytest.mark.parametrize(
    ("logit", "label", "loss", "gradient"),
    [(1000, 0, 1000, 1), (-1000, 1, 1000, -1), (1000, 1, 0, 0), (-1000, 0, 0, 0), (0, 1, math.log(2), -0.5),
     (0, 0, math.log(2), 0.5), (inf, 0, inf, 1)],
)  # fmt: skip
def test_bce_with_logits_in_the_tails(logit, label, loss, gradient, dtype):
    z = leaf([float(logit)], dtype)
    y = pg.binary_cross_entropy_with_logits(z, tensor([label], dtype))
    y.backward()
    assert y.item() == pytest.approx(loss, rel=4 * UNIT[dtype])
    assert z.grad.item() == gradient


@DTYPES
def test_bce_clamps_its_logarithm_at_minus_100(dtype):
    for p0, y0, loss in [(0.0, 1.0, 100.0), (1.0, 0.0, 100.0), (0.0, 0.0, 0.0), (1.0, 1.0, 0.0)]:
        p = leaf([p0], dtype)
        y = pg.binary_cross_entropy(p, tensor([y0], dtype))
        y.backward()
        assert y.item() == loss
        assert math.isfinite(p.grad.item())


@DTYPES
def test_cross_entropy_is_finite_for_large_logits(dtype):
    z = leaf([[1e4, -1e4, 0.0]], dtype)
    loss = pg.cross_entropy(z, pg.tensor([1]))
    loss.backward()
    assert loss.item() == 2e4
    assert array(z.grad).tolist() == [[1.0, -1.0, 0.0]]
    masked = pg.cross_entropy(tensor([[-inf, 0.0, 0.0]], dtype), pg.tensor([1]))
    assert masked.item() == pytest.approx(math.log(2), rel=4 * UNIT[dtype])


def test_weighted_cross_entropy_of_a_class_of_weight_zero():
    w = pg.tensor([0.0, 1.0], dtype=pg.float64)
    assert math.isnan(pg.cross_entropy(tensor([[1.0, 2.0]]), pg.tensor([0]), weight=w).item())
    assert pg.cross_entropy(tensor([[1.0, 2.0]]), pg.tensor([0]), weight=w, reduction="sum").item() == 0.0


# ---- options --------------------------------------------------------------------------------------------------------


def test_ignored_targets_count_for_nothing():
    rng = np.random.default_rng(3)
    z0, y0 = rng.normal(size=(6, 4)), np.array([0, -100, 3, -100, 1, 2])
    z, kept = leaf(z0), leaf(z0[y0 >= 0])
    loss = pg.cross_entropy(z, pg.tensor(y0))
    wanted = pg.cross_entropy(kept, pg.tensor(y0[y0 >= 0]))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-14)
    loss.backward()
    wanted.backward()
    np.testing.assert_allclose(array(z.grad)[y0 >= 0], array(kept.grad), rtol=1e-14)
    assert (array(z.grad)[y0 < 0] == 0).all()


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_mean_over_ignored_targets_only_is_nan_and_their_sum_zero(name):
    f, y = getattr(pg, name), pg.tensor([-100, -100])
    assert math.isnan(f(pg.zeros(2, 3), y).item())
    assert f(pg.zeros(2, 3), y, reduction="sum").item() == 0.0
    assert f(pg.zeros(2, 3), y, reduction="none").tolist() == [0.0, 0.0]
    x = leaf(np.zeros((2, 3)))
    f(x, y, reduction="sum").backward()
    assert array(x.grad).tolist() == [[0.0] * 3] * 2


def test_ignore_index_may_be_a_class():
    z = tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    both = pg.cross_entropy(z, pg.tensor([0, 2]), ignore_index=2)
    assert both.item() == pytest.approx(pg.cross_entropy(z[:1], pg.tensor([0])).item(), rel=1e-14)


def test_class_targets_may_be_uint8():
    z, y = tensor(np.random.default_rng(4).normal(size=(5, 3))), np.array([0, 2, 1, 1, 0])
    assert pg.cross_entropy(z, pg.tensor(y.astype(np.uint8))).item() == pg.cross_entropy(z, pg.tensor(y)).item()


def test_one_hot_probabilities_are_classes():
    rng = np.random.default_rng(5)
    z, y = rng.normal(size=(5, 3)), rng.integers(0, 3, 5)
    for options in ({}, {"label_smoothing": 0.2}, {"reduction": "sum"}):
        a = pg.cross_entropy(tensor(z), pg.tensor(y), **options)
        b = pg.cross_entropy(tensor(z), tensor(np.eye(3)[y]), **options)
        assert a.item() == pytest.approx(b.item(), rel=1e-13)


def test_huber_is_continuous_at_delta_and_its_gradient_is_bounded():
    for delta in (0.5, 1.0, 3.0):
        e = leaf([delta * (1 - 1e-12), delta, delta * (1 + 1e-12), 1e6])
        loss = pg.huber_loss(e, pg.zeros(4, dtype=pg.float64), delta=delta, reduction="none")
        np.testing.assert_allclose(array(loss)[:3], delta**2 / 2, rtol=1e-11)
        loss.sum().backward()
        np.testing.assert_allclose(array(e.grad), delta, rtol=1e-11)


def test_reduction_none_has_the_shape_of_the_targets():
    assert pg.cross_entropy(pg.zeros(2, 3, 4, 5), pg.zeros(2, 4, 5, dtype=pg.int64), reduction="none").shape == (
        2,
        4,
        5,
    )
    assert pg.mse_loss(pg.zeros(2, 3), pg.zeros(2, 3), reduction="none").shape == (2, 3)
    assert pg.cross_entropy(pg.zeros(3), pg.tensor(1), reduction="none").shape == ()


def test_losses_of_no_samples():
    for f in (pg.mse_loss, pg.l1_loss, pg.huber_loss):
        assert math.isnan(f(pg.zeros(0), pg.zeros(0)).item())
        assert f(pg.zeros(0), pg.zeros(0), reduction="sum").item() == 0.0
    empty = pg.zeros(0, dtype=pg.int64)
    assert math.isnan(pg.cross_entropy(pg.zeros(0, 3), empty).item())
    assert pg.cross_entropy(pg.zeros(0, 3), empty, reduction="sum").item() == 0.0


@DTYPES
def test_large_batch_loses_no_digits_of_float32(dtype):
    n = 100_000
    z = pg.zeros(n, 10, dtype=getattr(pg, dtype))
    loss = pg.cross_entropy(z, pg.zeros(n, dtype=pg.int64))
    # One after the other in float64: n roundings at worst.
    bound = 8 * UNIT["float32"] if dtype == "float32" else n * UNIT["float64"]
    assert abs(loss.item() - math.log(10)) <= bound * math.log(10)


# ---- what is refused ------------------------------------------------------------------------------------------------


@ours("it warns and broadcasts")
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_differences_of_other_shapes_are_refused(name):
    for a, b in [((3,), (3, 1)), ((2, 3), (3,)), ((4, 1), (4,)), ((2,), ())]:
        with refused(ShapeError, naming=(name, a, b)):
            getattr(pg, name)(pg.zeros(a), pg.zeros(b))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_labels_of_another_shape_are_refused(name):
    with refused(ValueError, naming=(name, (3,), (3, 1))):
        getattr(pg, name)(pg.full((3,), 0.5), pg.zeros(3, 1))


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("label", [3, -1, 1000, -99, 2**40])
def test_label_out_of_range_is_an_index_error(name, label):
    with refused(IndexError, naming=(label,)):
        getattr(pg, name)(pg.zeros(2, 3), pg.tensor([0, label]))
    with refused(IndexError, naming=(label,)):
        getattr(pg, name)(pg.zeros(3), pg.tensor(label))


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_batches_of_different_size_are_refused(name):
    with refused(ValueError, naming=(name, (4, 3), (2,))):
        getattr(pg, name)(pg.zeros(4, 3), pg.zeros(2, dtype=pg.int64))


@pytest.mark.parametrize(
    "f",
    [
        lambda: pg.cross_entropy(pg.zeros(2, 3), pg.zeros(2)),  # float classes
        lambda: pg.cross_entropy(pg.zeros(2, 3), pg.zeros(2, 4)),  # probabilities of other classes
        lambda: pg.cross_entropy(pg.zeros(2, 3), pg.zeros(2, dtype=pg.int64), weight=pg.ones(2)),
        lambda: pg.cross_entropy(pg.zeros(2, 3, 4), pg.zeros(2, 5, dtype=pg.int64)),
        lambda: pg.cross_entropy(pg.zeros(2, 3), pg.zeros(2, dtype=pg.int64), label_smoothing=1.5),
        lambda: pg.nll_loss(pg.zeros(2, 3), pg.zeros(2)),
        lambda: pg.nll_loss(pg.zeros(2, 3), pg.zeros(2, dtype=pg.int64), weight=pg.ones(4)),
        lambda: pg.binary_cross_entropy(pg.tensor([1.5]), pg.tensor([1.0])),  # no probability
        lambda: pg.binary_cross_entropy(pg.tensor([-0.1]), pg.tensor([1.0])),
        lambda: pg.huber_loss(pg.zeros(2), pg.zeros(2), delta=0.0),
        lambda: pg.huber_loss(pg.zeros(2), pg.zeros(2), delta=-1.0),
        lambda: pg.mse_loss(pg.zeros(2), pg.zeros(2), reduction="average"),
        lambda: pg.cross_entropy(pg.zeros(2, 3), pg.zeros(2, dtype=pg.int64), reduction="all"),
    ],
)
def test_bad_options_are_refused(f):
    with pytest.raises((RuntimeError, ValueError)):
        f()


def test_refused_label_leaves_no_trace():
    x = leaf(np.zeros((2, 3)))
    with pytest.raises(IndexError):
        pg.cross_entropy(x, pg.tensor([0, 7])).backward()
    assert x.grad is None


def test_losses_of_float32_are_float32():
    z, y = leaf(np.zeros((2, 3)), "float32"), pg.tensor([0, 1])
    loss = pg.cross_entropy(z, y)
    assert dtype_name(loss) == "float32"
    loss.backward()
    assert dtype_name(z.grad) == "float32"


def test_why_cross_entropy_and_not_mse():
    # Confidently wrong: p (1 - p) takes the gradient of the squared error away, and not that of the cross-entropy.
    z1, z2, y = leaf([-10.0]), leaf([-10.0]), tensor([1.0])
    pg.mse_loss(pg.sigmoid(z1), y).backward()
    pg.binary_cross_entropy_with_logits(z2, y).backward()
    p = 1 / (1 + math.exp(10))
    assert z1.grad.item() == pytest.approx(2 * (p - 1) * p * (1 - p), rel=1e-12)
    assert z2.grad.item() == pytest.approx(p - 1, rel=1e-14)
    assert abs(z1.grad.item()) < 1e-4 < 0.99 < abs(z2.grad.item())


# ---- margins --------------------------------------------------------------------------------------------------------


@ours("it has no hinge_loss")
@DTYPES
def test_hinge_loss_at_its_corner_and_around_it(dtype):
    s = leaf([1.0, 0.5, -3.0, 2.0, -1.0], dtype)
    y = pg.hinge_loss(s, pg.tensor([1, 1, 1, -1, -1]), reduction="none")
    assert y.tolist() == [0.0, 0.5, 4.0, 3.0, 0.0]
    y.sum().backward()
    assert s.grad.tolist() == [0.0, -1.0, -1.0, 1.0, 0.0]


@ours("it has no hinge_loss")
def test_hinge_loss_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(8)
    s, y = rng.normal(0, 2, 50), rng.choice([-1, 1], 50)
    assert pg.hinge_loss(tensor(s), pg.tensor(y)).item() == pytest.approx(metrics.hinge_loss(y, s), rel=1e-14)


@DTYPES
def test_hinge_embedding_loss_at_its_corner_and_for_other_labels(dtype):
    x = leaf([1.0, 0.5, 3.0, -2.0, 0.25], dtype)
    y = pg.hinge_embedding_loss(x, tensor([-1, -1, -1, 1, 0], dtype), reduction="none")
    assert y.tolist() == [0.0, 0.5, 0.0, -2.0, 1.0]
    y.sum().backward()
    assert x.grad.tolist() == [-1.0, -1.0, 0.0, 1.0, 0.0]


def test_target_of_hinge_embedding_loss_gets_no_gradient():
    x, y = leaf([0.5, 2.0]), leaf([1.0, -1.0])
    pg.hinge_embedding_loss(x, y).backward()
    assert y.grad is None


@DTYPES
def test_dtype_of_labels_says_nothing_about_the_loss(dtype):
    y = pg.tensor([1, -1])
    for labels in (y, y.double(), y.int()):
        assert dtype_name(pg.hinge_embedding_loss(tensor([0.5, 2.0], dtype), labels)) == dtype


def test_what_the_other_losses_refuse():
    x = tensor(np.ones((2, 3)))
    with refused(RuntimeError, naming=("smooth_l1_loss", "beta", -1)):
        pg.smooth_l1_loss(x, x, beta=-1.0)
    with refused(RuntimeError, naming=("kl_div", "int64")):
        pg.kl_div(x, x.long(), reduction="sum")
    with refused(ValueError, naming=("batch",)):
        pg.kl_div(x, x, reduction="batch")


@ours("it broadcasts")
@pytest.mark.parametrize("name", ["kl_div", "smooth_l1_loss", "hinge_embedding_loss", "hinge_loss"])
def test_shapes_of_the_other_losses_have_to_be_the_same(name):
    with refused(ShapeError, naming=(name, "[2, 3]", "[3]")):
        getattr(pg, name)(tensor(np.ones((2, 3))), tensor(np.ones(3)))


@ours("it takes them, and gives integers")
@pytest.mark.parametrize("name", ["hinge_embedding_loss", "hinge_loss"])
def test_scores_have_to_be_floats(name):
    with refused(RuntimeError, naming=(name, "int64")):
        getattr(pg, name)(pg.tensor([1, 2]), pg.tensor([1, -1]))
