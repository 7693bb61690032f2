"""Python code that runs in the middle of a call, and what changes behind the back of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tensor_backend import array, many, ours, pg

# ---- Python code that runs in the middle of a call -------------------------------------------------------------------


class Rewriting:
    """A number whose conversion changes a tensor in place, which gives that tensor another handle."""

    def __init__(self, x: Any, value: int) -> None:
        self.x, self.value = x, value

    def _change(self) -> None:
        self.x.mul_(1.0)
        self.junk = [pg.ones(4) * 2 for _ in range(20)]

    def __index__(self) -> int:
        self._change()
        return self.value

    def __float__(self) -> float:
        self._change()
        return float(self.value)

    def __bool__(self) -> bool:
        self._change()
        return bool(self.value)


@ours("it does not take such numbers everywhere")
@pytest.mark.parametrize(
    "call",
    [
        lambda x, n: x.reshape(n(2), 2),
        lambda x, n: x.view(n(4)),
        lambda x, n: x.expand(2, n(4)),
        lambda x, n: x.transpose(n(0), n(0)),
        lambda x, n: x.permute(n(0)),
        lambda x, n: x.squeeze(n(0)),
        lambda x, n: x.unsqueeze(n(0)),
        lambda x, n: x.flatten(n(0), n(0)),
        lambda x, n: x.sum(n(0)),
        lambda x, n: x.mean(n(0), keepdim=n(1)),
        lambda x, n: x.max(n(0), keepdim=n(0))[0],
        lambda x, n: x.argmax(n(0)),
        lambda x, n: x.softmax(n(0)),
        lambda x, n: x.log_softmax(n(0)),
        lambda x, n: x.logsumexp(n(0)),
        lambda x, n: x.prod(n(0)),
        lambda x, n: x.cumsum(n(0)),
        lambda x, n: x.cumprod(n(0)),
        lambda x, n: x.var(n(0), correction=n(1)),
        lambda x, n: x.std(n(0), keepdim=n(1)),
        lambda x, n: x.norm(n(2), dim=n(0)),
        lambda x, n: x.sort(n(0), descending=n(1))[0],
        lambda x, n: x.topk(n(2), dim=n(0))[0],
        lambda x, n: x.median(n(0), keepdim=n(1))[0],
        lambda x, n: x.any(n(0), keepdim=n(1)),
        lambda x, n: x[n(1)],
        lambda x, n: x[n(0) : n(2)],
        lambda x, n: x[pg.tensor([1]), None, n(0)],
        lambda x, n: x + n(2),
        lambda x, n: n(2) * x,
        lambda x, n: x.clamp(n(0), n(1)),
        lambda x, n: pg.where(x > 0, x, n(1)),
        lambda x, n: pg.where(x > 0, n(1), x),
        lambda x, n: pg.huber_loss(x, x.detach(), delta=n(1)),
        lambda x, n: pg.cross_entropy(x, pg.tensor(1), label_smoothing=n(0)),
        lambda x, n: x.backward(pg.ones(4), retain_graph=n(1)),
        lambda x, n: pg.cat([x, x], n(0)),
        lambda x, n: x.add_(n(1)),
        lambda x, n: x.fill_(n(1)),
        lambda x, n: x.requires_grad_(n(1)),
        lambda x, n: x.uniform_(n(0), n(1)),
    ],
)
def test_argument_may_change_the_tensor_while_it_is_read(call: Any) -> None:
    """The old handle was used after the conversion of an argument had freed it."""
    x = pg.tensor([1.0, 2.0, 3.0, 4.0]).requires_grad_() * 1
    try:
        out = call(x, lambda value: Rewriting(x, value))
    except (TypeError, RuntimeError, IndexError):  # such a number is not taken, or what it did is noticed
        out = x
    many()
    if out is not None:
        assert np.isfinite(array(out)).all()


# ---- histories that are not what the memory holds -------------------------------------------------------------------


@ours("it has gradients with respect to weights")
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy_with_logits"])
def test_weight_that_was_changed_through_a_recorded_view_is_refused(loss: str) -> None:
    """It requires no gradient itself, and was taken for a constant."""
    weight, factor = pg.ones(2), pg.tensor([2.0]).requires_grad_()
    weight[:1].mul_(factor)
    target = pg.tensor([0]) if loss == "cross_entropy" else pg.zeros(1, 2)
    with pytest.raises(RuntimeError, match="no gradient with respect to weight"):
        getattr(pg, loss)(pg.zeros(1, 2), target, weight=weight)


def test_data_of_another_shape_cannot_meet_old_gradients() -> None:
    """Two gradients of different shapes were added element by element, past the end of the shorter one."""
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    y = (x * x).sum()
    x.data = pg.zeros(100_000)
    with pytest.raises(RuntimeError):
        (y + (x * x).sum()).backward()
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    (x * x).sum().backward()
    x.data = pg.zeros(100_000)
    with pytest.raises(RuntimeError):
        (x * x).sum().backward()


@ours("it notices in backward")
def test_data_of_a_computed_tensor_keeps_its_shape() -> None:
    """The rule of the operation behind it read its saved tensors past their end."""
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    y = x * x
    with pytest.raises(RuntimeError, match="shape"):
        y.data = pg.zeros(100_000)
    y.data = pg.tensor([7.0, 7.0, 7.0])
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


@ours("it adds float64 to float32")
def test_gradient_of_another_dtype_is_not_added_to() -> None:
    """The bytes of doubles were added as if they were floats."""
    x = pg.tensor([1.0, 2.0, 3.0])
    x.grad = pg.ones(3)
    x.data = pg.zeros(3, dtype=pg.float64)
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="dtype"):
        (x * x).sum().backward()


def test_leaf_that_no_longer_requires_a_gradient_gets_none() -> None:
    x = pg.tensor([1.0, 2.0]).requires_grad_()
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward(retain_graph=True)
    assert x.grad is None
    x.requires_grad_()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_grad_of_no_inputs_is_refused() -> None:
    """No inputs stood for all leaves, whose gradients it changed."""
    x = pg.tensor([1.0, 2.0]).requires_grad_()
    with pytest.raises(RuntimeError, match="empty"):
        pg.autograd.grad((x * 2).sum(), [])
    assert x.grad is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e19])
def test_fill_refuses_what_an_integer_cannot_be(value: float) -> None:
    """The conversion is undefined in C."""
    x = pg.tensor([1, 2])
    with pytest.raises(RuntimeError, match="cannot be converted"):
        x.fill_(value)
    assert x.tolist() == [1, 2]


# ---- gradients of the extremes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [float("nan"), float("inf")])
def test_max_gives_what_it_does_not_take_no_gradient(seed: float) -> None:
    """A mask times nan or infinity is nan."""
    x = pg.tensor([1.0, 3.0, 2.0]).requires_grad_()
    x.max().backward(pg.tensor(seed))
    got = array(x.grad).tolist()
    assert (got[0], got[2]) == (0.0, 0.0)
    assert not np.isfinite(got[1])


def test_more_ties_than_a_float_can_count_share_the_gradient() -> None:
    """2^24 + 1 is 2^24 in float32."""
    n = (1 << 24) + (1 << 22)
    x = pg.zeros(n).requires_grad_()
    x.max().backward()
    assert x.grad[0].item() == np.float32(1 / n)
