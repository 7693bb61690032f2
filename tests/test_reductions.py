"""Reductions and losses where the general table of ops does not look: accuracy over length, tails, memory."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pygrad
from pygrad import functional as F
from pygrad.creation import from_numpy, tensor

RNG = np.random.default_rng(5)
EPS = {"float32": 2.0**-24, "float64": 2.0**-53}  # the relative error of one rounding


def leaf(x: np.ndarray, dtype: str = "float64") -> pygrad.Tensor:
    return from_numpy(np.array(x, dtype=dtype)).requires_grad_()


# ---- sums ------------------------------------------------------------------------------------------------------------


def test_sum_of_ten_million_float32_is_rounded_once():
    x = RNG.random(10_000_000, dtype=np.float32)
    exact = math.fsum(x.tolist())
    assert from_numpy(x).sum().item() == pytest.approx(exact, rel=EPS["float32"])
    assert from_numpy(x).mean().item() == pytest.approx(exact / x.size, rel=EPS["float32"])


def test_sum_of_one_number_many_times_does_not_drift():
    x = np.full(10_000_000, 0.1, dtype=np.float32)
    assert from_numpy(x).sum().item() == pytest.approx(1e7 * float(x[0]), rel=EPS["float32"])


@pytest.mark.parametrize("view", ["row", "column", "every second"])
def test_sum_of_float64_keeps_its_digits_in_every_layout(view):
    # The terms nearly cancel. A block of 512 is added plainly, in 8 lanes or along a column, so its error is at most
    # 512 roundings of the sum of its absolute values, and what blocks lose among each other is carried along.
    x = RNG.standard_normal(1_000_000)
    x[::2] -= x.mean()
    layouts = {
        "row": lambda: (from_numpy(x), x),
        "column": lambda: (from_numpy(np.stack([x, x], axis=1)).T[1], x),
        "every second": lambda: (from_numpy(x)[::2], x[::2]),
    }
    t, values = layouts[view]()
    bound = 512 * EPS["float64"] * math.fsum(np.abs(values))
    assert t.sum().item() == pytest.approx(math.fsum(values), abs=bound)


def test_sums_along_both_dimensions_are_rounded_once():
    x = RNG.standard_normal((3000, 130)).astype(np.float32)
    for dim in (0, 1):
        exact = np.sum(x.astype(np.float64), axis=dim)
        size = np.abs(x).sum(axis=dim, dtype=np.float64)
        wrong = np.abs(from_numpy(x).sum(dim).numpy() - exact)
        assert (wrong <= EPS["float32"] * np.abs(exact) + 3000 * EPS["float64"] * size).all()


def test_an_infinite_sum_is_infinite():
    assert tensor([math.inf, 1.0, 2.0]).sum().item() == math.inf
    assert tensor([1e308, 1e308], dtype=pygrad.float64).sum().item() == math.inf
    assert math.isnan(tensor([math.inf, -math.inf]).sum().item())


def test_sum_of_integers_is_int64_and_wraps():
    assert tensor([200, 100], dtype=pygrad.uint8).sum().item() == 300
    assert tensor([2**31 - 1, 1], dtype=pygrad.int32).sum().item() == 2**31
    assert tensor([2**63 - 1, 1]).sum().item() == -(2**63)


def test_gradient_of_a_sum_allocates_no_data():
    x = leaf(np.zeros(100_000))
    (gradient,) = pygrad.autograd.grad(x.sum() * 2.0, [x])
    assert gradient.shape == (100_000,) and gradient.stride() == (0,)


# ---- names -----------------------------------------------------------------------------------------------------------


def test_numpys_names_of_dimensions_are_understood():
    x = RNG.standard_normal((3, 4))
    t = from_numpy(x)
    for name in ("sum", "mean", "amax", "amin"):
        ours = getattr(t, name)(axis=1, keepdims=True)
        assert np.allclose(ours.numpy(), getattr(np, name)(x, axis=1, keepdims=True), rtol=16 * EPS["float64"])
    assert t.max(axis=1).indices.tolist() == x.argmax(1).tolist() == t.argmax(axis=1).tolist()
    assert t.min(axis=0).indices.tolist() == x.argmin(0).tolist() == t.argmin(axis=0).tolist()


def test_a_dimension_under_both_names_and_unknown_names_are_refused():
    t = tensor([1.0])
    with pytest.raises(TypeError, match="axis"):
        t.sum(0, axis=0)
    with pytest.raises(TypeError, match="axes"):
        t.max(axes=0)


def test_max_of_two_tensors_is_maximum():
    a, b = tensor([1.0, 5.0]), tensor([3.0, 2.0])
    assert a.max(b).tolist() == a.max(other=b).tolist() == [3.0, 5.0]
    assert a.min(b).tolist() == a.min(other=b).tolist() == [1.0, 2.0]


# ---- closed forms of losses ------------------------------------------------------------------------------------------


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_gradient_of_cross_entropy_with_everything_is_its_closed_form():
    n, c, s, ignored = 700, 11, 0.15, 3
    z, w, y = 3 * RNG.standard_normal((n, c)), RNG.random(c), RNG.integers(0, c, n)
    q = w * ((1 - s) * np.eye(c)[y] + s / c)
    counted = (y != ignored)[:, None]
    per_sample = -(q * np.log(softmax(z))).sum(1, keepdims=True) * counted
    divisor = (w[y][:, None] * counted).sum()
    t = leaf(z)
    loss = F.cross_entropy(t, tensor(y), tensor(w), ignore_index=ignored, label_smoothing=s)
    loss.backward()
    # of n * c terms, each a few roundings of numbers up to 20
    assert loss.item() == pytest.approx(per_sample.sum() / divisor, rel=64 * EPS["float64"])
    wanted = counted * (softmax(z) * q.sum(1, keepdims=True) - q) / divisor
    assert np.allclose(t.grad.numpy(), wanted, rtol=0, atol=64 * EPS["float64"] / divisor)


def test_bce_with_logits_keeps_the_digits_of_small_gradients():
    # sigma(z) - y, where y is 0 for z < 0 and 1 for z > 0, is of the size of exp(-|z|)
    z = np.array([-80.0, -40.0, -20.0, 20.0, 40.0, 80.0])
    t = leaf(z)
    F.binary_cross_entropy_with_logits(t, tensor((z > 0).astype(float)), reduction="sum").backward()
    wanted = -np.sign(z) * np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z)))
    assert np.allclose(t.grad.numpy(), wanted, rtol=8 * EPS["float64"], atol=0)


@pytest.mark.parametrize("n", [1, 511, 512, 513, 1500])
def test_pointwise_losses_do_not_depend_on_the_blocks_they_are_computed_in(n):
    x, y, w = RNG.standard_normal(n), RNG.random(n), RNG.random(n)
    soft = np.logaddexp(0, -x)
    formulas = {
        "mse_loss": (x - y) ** 2,
        "l1_loss": np.abs(x - y),
        "huber_loss": np.where(np.abs(x - y) < 1, (x - y) ** 2 / 2, np.abs(x - y) - 0.5),
        "binary_cross_entropy_with_logits": (1 - y) * x + soft,
    }
    for name, values in formulas.items():
        loss = getattr(F, name)
        each = loss(leaf(x), tensor(y), reduction="none").detach().numpy()
        assert np.allclose(each, values, rtol=16 * EPS["float64"], atol=16 * EPS["float64"])
        mean = loss(leaf(x), tensor(y)).item()
        assert mean == pytest.approx(values.mean(), rel=64 * EPS["float64"])
    weighted = F.binary_cross_entropy_with_logits(leaf(x), tensor(y), tensor(w), reduction="sum").item()
    assert weighted == pytest.approx((w * ((1 - y) * x + soft)).sum(), rel=64 * EPS["float64"])


def test_gradients_keep_the_dtype_of_what_they_belong_to():
    x, y = leaf(RNG.random(5), "float32"), leaf(RNG.random(5), "float64")
    loss = F.mse_loss(x, y)
    loss.backward()
    assert loss.dtype == pygrad.float64
    assert x.grad.dtype == pygrad.float32 and y.grad.dtype == pygrad.float64


def test_weights_that_want_a_gradient_are_refused_by_name():
    w = leaf(np.ones(3))
    with pytest.raises(RuntimeError, match="pos_weight"):
        F.binary_cross_entropy_with_logits(tensor([0.0] * 3), tensor([0.0] * 3), pos_weight=w)
    with pytest.raises(RuntimeError, match="weight"):
        F.cross_entropy(tensor([[0.0] * 3]), tensor([1]), w)
    with pygrad.no_grad():
        F.cross_entropy(tensor([[0.0] * 3]), tensor([1]), w.float())


def test_a_class_out_of_bounds_is_named():
    for loss in (F.cross_entropy, F.nll_loss):
        with pytest.raises(IndexError, match=r"Target 3 is out of bounds.*3 classes"):
            loss(leaf(np.zeros((2, 3))), tensor([0, 3]))


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_reductions_and_losses_leave_no_memory_behind():
    lib = pygrad._engine.lib
    z, y, p = leaf(RNG.random((6, 4))), tensor([0, 1, 2, 3, 0, 1]), from_numpy(RNG.random((6, 4)))

    def step() -> None:
        for loss in (
            F.cross_entropy(z, y, label_smoothing=0.1),
            F.cross_entropy(z, p),
            F.nll_loss(z.log_softmax(1), y),
            F.binary_cross_entropy(z, p),
            F.binary_cross_entropy_with_logits(z, p, pos_weight=p[0]),
            F.huber_loss(z, p),
            z.max(0).values.sum() + z.amin(1).mean() + z.max() + z.logsumexp((0, 1)) + z.softmax(0).sum(),
        ):
            loss.backward()

    step()
    before = lib.pg_live_bytes() - lib.pg_cached_bytes()
    for _ in range(50):
        step()
    assert lib.pg_live_bytes() - lib.pg_cached_bytes() == before


def test_every_failed_allocation_is_a_memory_error_and_leaves_nothing_behind():
    lib = pygrad._engine.lib
    z, y, p = leaf(RNG.random((6, 4))), tensor([0, 1, 2, 3, 0, 1]), from_numpy(RNG.random((6, 4)))
    w = tensor([1, 2, 3, 4])
    operations = (
        lambda: z.sum(0),
        lambda: z.mean(),
        lambda: z.amax(0),
        lambda: z.max(1).values,
        lambda: z.T.argmax(),
        lambda: z.logsumexp(0),
        lambda: z.softmax(0),
        lambda: F.cross_entropy(z, y, w),
        lambda: F.cross_entropy(z, p, w, label_smoothing=0.1),
        lambda: F.binary_cross_entropy(z, p, w),
    )
    for forward in operations:

        def operation(forward=forward):
            y = forward()
            return pygrad.autograd.grad(y.sum(), [z]) if y.requires_grad else y

        operation()
        before = lib.pg_live_bytes() - lib.pg_cached_bytes()
        for nth in range(1, 100):
            lib.pg_fail_allocation(nth, False)
            try:
                result = operation()
            except MemoryError:
                result = None
            finally:
                lib.pg_fail_allocation(0, False)
            if result is not None:
                break
            assert lib.pg_live_bytes() - lib.pg_cached_bytes() == before
        assert result is not None and nth > 1
        del result
