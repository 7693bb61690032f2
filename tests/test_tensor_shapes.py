"""Shapes and views: what shares memory, and what is refused by name; broadcasting."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from tensor_backend import array, counted, leaf, ours, pg, refused

# ---- what a tensor says about itself --------------------------------------------------------------------------------


def test_shape_and_its_relatives():
    t = pg.zeros(2, 3, 4)
    assert t.shape == (2, 3, 4)
    assert t.size() == (2, 3, 4)
    assert t.size(1) == t.size(-2) == t.shape[1] == 3
    assert (t.dim(), t.ndim, t.numel(), len(t)) == (3, 3, 24, 2)
    assert t.stride() == (12, 4, 1)
    assert t.stride(0) == 12
    assert isinstance(t.shape, tuple)
    s = pg.tensor(1.0)
    assert (s.shape, s.dim(), s.numel(), s.stride()) == ((), 0, 1, ())
    assert pg.zeros(2, 0, 3).numel() == 0
    with pytest.raises(IndexError):
        t.size(3)


def test_strides_tell_the_layout():
    t = pg.zeros(2, 3)
    assert t.T.stride() == (1, 3)
    assert t.is_contiguous()
    assert not t.T.is_contiguous()
    assert t.T.contiguous().stride() == (2, 1)
    assert t.contiguous() is t
    assert t[:, ::2].stride() == (3, 2)
    assert pg.zeros(3).expand(2, 3).stride() == (0, 1)
    assert pg.zeros(1, 3).expand(2, 3).stride() == (0, 1)


def test_mT_transposes_each_matrix_of_a_stack_and_its_gradient():
    x0 = counted(2, 3, 4)
    x = leaf(x0)
    y = x.mT
    np.testing.assert_array_equal(array(y), x0.swapaxes(1, 2))
    assert y.stride() == (12, 1, 4)
    y.backward(pg.tensor(x0.reshape(2, 4, 3)))
    np.testing.assert_array_equal(array(x.grad), x0.reshape(2, 4, 3).swapaxes(1, 2))
    with refused(RuntimeError):
        pg.zeros(3).mT  # noqa: B018


@pytest.mark.parametrize("rank", range(9))
def test_up_to_eight_dimensions(rank):
    shape = (2,) * rank
    a = np.random.default_rng(rank).normal(size=shape)
    x = leaf(a)
    y = (x * 2 + x.permute(*reversed(range(rank))) if rank else x * 2 + x).sum()
    y.backward()
    np.testing.assert_allclose(array(x.grad), np.full(shape, 3.0))
    assert x.tolist() == a.tolist()
    if rank:
        np.testing.assert_allclose(array(x.sum(rank - 1)), a.sum(rank - 1))
        np.testing.assert_allclose(array(x.amax(0)), a.max(0))


@ours("it has more dimensions")
@pytest.mark.parametrize(
    "f",
    [
        lambda: pg.zeros(*[1] * 9),
        lambda: pg.tensor(np.zeros((1,) * 9)),
        lambda: pg.zeros(*[1] * 8).unsqueeze(0),
        lambda: pg.stack([pg.zeros(*[1] * 8)]),
        lambda: pg.zeros(1).expand(*[1] * 9),
        lambda: pg.zeros(1).reshape(*[1] * 9),
        lambda: pg.zeros(1)[(None,) * 8],
    ],
)
def test_nine_dimensions_are_refused(f):
    with pytest.raises((ValueError, RuntimeError, IndexError), match=r"8"):
        f()


# ---- views share memory ---------------------------------------------------------------------------------------------

VIEWS = {
    "view": lambda t: t.view(4, 6),
    "view(-1)": lambda t: t.view(-1),
    "reshape": lambda t: t.reshape(6, 4),
    "flatten": lambda t: t.flatten(),
    "flatten(1)": lambda t: t.flatten(1),
    "squeeze": lambda t: t.view(2, 1, 12).squeeze(),
    "unsqueeze": lambda t: t.unsqueeze(1),
    "transpose": lambda t: t.transpose(0, 2),
    "permute": lambda t: t.permute(2, 0, 1),
    "T": lambda t: t.view(4, 6).T,
    "int": lambda t: t[1],
    "ints": lambda t: t[1, 2, 3],
    "slice": lambda t: t[:, 1:, ::2],
    "None": lambda t: t[None, :, None],
    "...": lambda t: t[..., 1],
    "detach": lambda t: t.detach(),
    "[:]": lambda t: t[:],
    "chain": lambda t: t.transpose(0, 1)[1:, 0].unsqueeze(0).permute(2, 1, 0)[::2],
}


@pytest.mark.parametrize("name", VIEWS)
def test_view_shares_memory_both_ways(name):
    f = VIEWS[name]
    base = pg.tensor(counted(2, 3, 4))
    view = f(base)
    wanted = array(view).copy()
    assert np.shares_memory(base.numpy(), view.numpy())
    base.mul_(10.0)
    np.testing.assert_array_equal(view.numpy(), 10 * wanted)
    view.add_(0.5)
    touched = array(base) % 1.0 == 0.5
    assert touched.sum() == view.numel()
    np.testing.assert_array_equal(base.numpy()[touched], np.sort(10 * wanted.ravel() + 0.5))
    base.numpy()[...] = -1.0
    assert (view.numpy() == -1.0).all()


@pytest.mark.parametrize("name", VIEWS)
def test_view_keeps_the_memory_of_its_base_alive(name):
    view = VIEWS[name](pg.tensor(counted(2, 3, 4)))
    wanted = array(VIEWS[name](pg.tensor(counted(2, 3, 4)))).copy()
    _others = [pg.zeros(24, dtype=pg.float64) for _ in range(100)]
    np.testing.assert_array_equal(view.numpy(), wanted)


@pytest.mark.parametrize("name", VIEWS)
def test_view_differentiates(name):
    x = leaf(counted(2, 3, 4))
    y = VIEWS[name](x.clone() if name != "detach" else x)
    if name == "detach":
        assert not y.requires_grad
        return
    (y * y).sum().backward()
    reached = np.isin(counted(2, 3, 4), array(y))
    np.testing.assert_array_equal(array(x.grad), np.where(reached, 2 * counted(2, 3, 4), 0.0))


COPIES = {
    "reshape": lambda t: t.T.reshape(-1), "flatten": lambda t: t.T.flatten(), "clone": lambda t: t.clone(),
    "contiguous": lambda t: t.T.contiguous(), "cat": lambda t: pg.cat([t]), "stack": lambda t: pg.stack([t]),
    "ints": lambda t: t[[0, 1]], "bools": lambda t: t[pg.tensor([True, True])], "mask": lambda t: t[t >= 0],
    "tensor": lambda t: pg.tensor(t.numpy()), "+": lambda t: t + 0, "double": lambda t: t.float(),
}  # fmt: skip


@pytest.mark.parametrize("name", COPIES)
def test_copy_shares_nothing(name):
    base = pg.tensor(counted(2, 3))
    copy = COPIES[name](base)
    wanted = array(copy).copy()
    assert not np.shares_memory(base.numpy(), copy.numpy())
    base.zero_()
    np.testing.assert_array_equal(copy.numpy(), wanted)


def test_numpy_of_a_view_has_its_strides():
    t = pg.tensor(counted(4, 6))
    for view, wanted in [(t.T, counted(4, 6).T), (t[1:, ::2], counted(4, 6)[1:, ::2]), (t[2], counted(4, 6)[2]),
                         (t[:, :1].expand(4, 3), np.broadcast_to(counted(4, 6)[:, :1], (4, 3)))]:  # fmt: skip
        np.testing.assert_array_equal(view.numpy(), wanted)
        assert view.numpy().strides == wanted.strides


@ours("it has no negative steps")
def test_negative_step_is_a_view():
    t = pg.tensor(counted(4, 6))
    for index in (np.s_[::-1], np.s_[:, ::-2], np.s_[3:0:-1, 1], np.s_[::-1, ::-1], np.s_[-2::-1], np.s_[0::-3]):
        np.testing.assert_array_equal(t[index].numpy(), counted(4, 6)[index])
        assert np.shares_memory(t.numpy(), t[index].numpy())
    x = leaf([1.0, 2.0, 3.0])
    (x[::-1] * pg.tensor([1.0, 10.0, 100.0], dtype=pg.float64)).sum().backward()
    assert array(x.grad).tolist() == [100.0, 10.0, 1.0]
    assert t[::-1][::-1].is_contiguous()
    np.testing.assert_array_equal(t[::-1].reshape(-1).numpy(), counted(4, 6)[::-1].ravel())


def test_expand_takes_no_memory():
    t = pg.ones(1, 1).expand(1_000_000, 1_000_000)  # four terabytes, if it did
    assert t.shape == (1_000_000, 1_000_000)
    assert t[5, 7].item() == 1.0
    assert t[::250_000, ::500_000].sum().item() == 8.0


# ---- rules of the shape functions -----------------------------------------------------------------------------------


def test_arguments_may_be_spread_or_given_as_a_tuple():
    t = pg.tensor(counted(2, 3, 4))
    for a, b in [(t.reshape(4, 6), t.reshape((4, 6))), (t.view(4, 6), t.view([4, 6])),
                 (t.permute(2, 0, 1), t.permute((2, 0, 1))), (t[:1].expand(5, 3, 4), t[:1].expand((5, 3, 4))),
                 (pg.zeros(2, 3), pg.zeros((2, 3))), (pg.ones(2), pg.ones([2]))]:  # fmt: skip
        assert a.shape == b.shape
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_squeeze_of_a_longer_dimension_does_nothing():
    assert pg.zeros(2, 1).squeeze(0).shape == (2, 1)
    assert pg.zeros(2, 1).squeeze(1).shape == (2,)
    assert pg.zeros(()).squeeze(0).shape == ()


def test_view_of_what_is_not_contiguous():
    t = pg.tensor(counted(2, 3, 4))
    assert t[:, 1:].view(2, 2, 2, 2).shape == (2, 2, 2, 2)  # an axis may always be split
    assert t.transpose(0, 1).view(3, 2, 2, 2).shape == (3, 2, 2, 2)
    assert t[:, :2].view(2, 8).shape == (2, 8)  # rows that follow each other may be joined
    for bad in (lambda: t.transpose(0, 1).view(24), lambda: t[:, 1:].view(-1), lambda: t.permute(2, 1, 0).view(4, 6)):
        with refused(RuntimeError, naming=("view", "reshape")):
            bad()
    assert pg.ones(1).expand(6).reshape(2, 3).sum().item() == 6.0


@pytest.mark.parametrize(
    ("f", "errors", "naming"),
    [
        (lambda t: t.reshape(4), RuntimeError, ("reshape", (4,), (2, 3))),
        (lambda t: t.view(5, -1), RuntimeError, ("view", (5, -1), (2, 3))),
        (lambda t: t.reshape(-1, -1), RuntimeError, ("reshape",)),
        (lambda t: t.reshape(-2, 3), RuntimeError, ("reshape", -2)),
        (lambda t: t.view(0, -1), RuntimeError, ("view",)),
        (lambda t: pg.zeros(0, 3).reshape(-1, 0), RuntimeError, ("reshape",)),
        (lambda t: t.flatten(1, 0), RuntimeError, ("flatten",)),
        (lambda t: t.flatten(2), IndexError, ("flatten", 2)),
        (lambda t: t.unsqueeze(3), IndexError, ("unsqueeze", 3)),
        (lambda t: t.unsqueeze(-4), IndexError, ("unsqueeze", -4)),
        (lambda t: t.squeeze(2), IndexError, ("squeeze", 2)),
        (lambda t: t.transpose(0, 2), IndexError, ("transpose", 2)),
        (lambda t: t.permute(0, 2), IndexError, ("permute", 2)),
        (lambda t: t.permute(0), RuntimeError, ("permute",)),
        (lambda t: t.permute(0, 0), RuntimeError, ("permute",)),
        (lambda t: t.expand(3, 3), RuntimeError, ("expand", (3, 3), (2, 3))),
        (lambda t: t.expand(3), RuntimeError, ("expand", (3,), (2, 3))),
        (lambda t: t.expand(-1, 2, 3), RuntimeError, ("expand",)),
        (lambda t: t.sum(2), IndexError, ("sum", 2)),
        (lambda t: t.sum(-3), IndexError, ("sum", -3)),
        (lambda t: t.sum((0, 0)), RuntimeError, ("sum",)),
        (lambda t: t.sum((0, -2)), RuntimeError, ("sum",)),
        (lambda t: t.mean(5), IndexError, ("mean", 5)),
        (lambda t: t.amax(2), IndexError, ("amax", 2)),
        (lambda t: t.max(2), IndexError, ("max", 2)),
        (lambda t: t.argmin(2), IndexError, ("argmin", 2)),
        (lambda t: pg.softmax(t, 2), IndexError, ("softmax", 2)),
        (lambda t: t.logsumexp(2), IndexError, ("logsumexp", 2)),
        (lambda t: t + pg.zeros(2, 4), RuntimeError, ("add", (2, 3), (2, 4))),
        (lambda t: t * pg.zeros(2), RuntimeError, ("mul", (2, 3), (2,))),
        (lambda t: t / pg.zeros(3, 3), RuntimeError, ("div", (2, 3), (3, 3))),
        (lambda t: t < pg.zeros(5), RuntimeError, ("lt", (2, 3), (5,))),
        (lambda t: pg.maximum(t, pg.zeros(0)), RuntimeError, ("maximum", (2, 3), (0,))),
        (lambda t: pg.where(t > 0, t, pg.zeros(4)), RuntimeError, ("where", (4,), (2, 3))),
        (lambda t: t @ t, RuntimeError, ("matmul", (2, 3))),
        (lambda t: t @ pg.zeros(2), RuntimeError, ("matmul", (2, 3), (2,))),
        (lambda t: pg.zeros(2) @ pg.zeros(3), RuntimeError, ("matmul", (2,), (3,))),
        (lambda t: t @ pg.tensor(1.0), RuntimeError, ("matmul",)),
        (lambda t: pg.zeros(2, 4, 3) @ pg.zeros(3, 3, 4), RuntimeError, ("matmul", (2, 4, 3), (3, 3, 4))),
        (lambda t: pg.linear(t, pg.zeros(4, 2)), RuntimeError, ("linear", (2, 3), (4, 2))),
        (lambda t: pg.linear(t, pg.zeros(4, 3), pg.zeros(3)), RuntimeError, ("linear", (3,))),
        (lambda t: pg.cat([t, pg.zeros(2, 4)]), RuntimeError, ("cat", (2, 3), (2, 4))),
        (lambda t: pg.cat([t, pg.zeros(2)]), RuntimeError, ("cat", (2, 3), (2,))),
        (lambda t: pg.cat([t], dim=2), IndexError, ("cat", 2)),
        (lambda t: pg.cat([]), (RuntimeError, ValueError), ("cat",)),
        (lambda t: pg.cat([pg.tensor(1.0)]), RuntimeError, ("cat",)),
        (lambda t: pg.stack([t, pg.zeros(3, 2)]), RuntimeError, ("stack", (2, 3), (3, 2))),
        (lambda t: pg.stack([]), (RuntimeError, ValueError), ("stack",)),
        (lambda t: pg.stack([t], dim=3), IndexError, ("stack", 3)),
    ],
)
def test_what_does_not_fit_is_refused_by_name(f, errors, naming):
    with refused(*(errors if isinstance(errors, tuple) else (errors,)), naming=naming):
        f(pg.tensor(counted(2, 3)).float())


@ours("its errors are RuntimeErrors only")
def test_errors_of_shapes_are_runtime_and_value_errors():
    t = pg.zeros(2, 3)
    for f in (lambda: t + pg.zeros(4), lambda: t @ t, lambda: t.reshape(5), lambda: t.expand(3, 3), lambda: t.T.view(6),
              lambda: pg.cat([t, pg.zeros(1, 1)]), lambda: pg.stack([t, pg.zeros(1)]), lambda: pg.linear(t, t.T),
              lambda: pg.mse_loss(t, pg.zeros(2))):  # fmt: skip
        with pytest.raises(pg.ShapeError):
            f()
    assert issubclass(pg.ShapeError, RuntimeError)
    assert issubclass(pg.ShapeError, ValueError)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
def test_dims_wrap_around_once(shape):
    t = pg.ones(shape)
    for f in (lambda d: t.sum(d), lambda d: t.unsqueeze(d), lambda d: t.squeeze(d), lambda d: pg.softmax(t, d)):
        for d in (9, -9):
            with pytest.raises(IndexError):
                f(d)


def test_dims_have_to_be_integers():
    t = pg.zeros(2, 3)
    for f in (lambda: t.sum(1.0), lambda: t.transpose("a", 0), lambda: t.reshape(2.0, 3), lambda: t.unsqueeze(None),
              lambda: pg.zeros(2.5), lambda: pg.zeros("a")):  # fmt: skip
        with pytest.raises(TypeError):
            f()


def test_sizes_may_be_numpy_integers():
    assert pg.zeros(np.int64(2), np.int32(3)).shape == (2, 3)
    assert pg.zeros(6).reshape(np.int64(2), -1).shape == (2, 3)
    assert pg.zeros(2, 3).sum(np.int64(1)).shape == (2,)
    assert pg.arange(5)[np.int64(3)].item() == 3


@pytest.mark.parametrize(
    "f",
    [
        lambda: pg.zeros(-1), lambda: pg.ones(2, -3), lambda: pg.empty(-1), lambda: pg.zeros(2**40, 2**40),
        lambda: pg.empty(2**62, 4), lambda: pg.zeros(2**31, 2**31, 2**31), lambda: pg.zeros(0).expand(-2),
    ],
)  # fmt: skip
def test_sizes_that_are_negative_or_overflow_are_refused(f):
    with pytest.raises((RuntimeError, ValueError, MemoryError, OverflowError)):
        f()


# ---- broadcasting ---------------------------------------------------------------------------------------------------

SMALL = [s for n in range(4) for s in itertools.product((0, 1, 2), repeat=n)]


def test_every_pair_of_small_shapes_broadcasts_like_numpy():
    for a, b in itertools.product(SMALL, repeat=2):
        x, y = np.full(a, 2.0), np.full(b, 3.0)
        try:
            wanted = np.broadcast_shapes(a, b)
        except ValueError:
            with pytest.raises(RuntimeError):
                pg.tensor(x) + pg.tensor(y)
            continue
        p, q = leaf(x), leaf(y)
        z = p * q
        assert z.shape == wanted, (a, b)
        z.sum().backward()
        n = math.prod(wanted)
        # Each element is used n / size times, and its factor is the other operand.
        assert p.grad.shape == a
        assert q.grad.shape == b
        assert (array(p.grad) == 3.0 * n / max(x.size, 1)).all(), (a, b)
        assert (array(q.grad) == 2.0 * n / max(y.size, 1)).all(), (a, b)


def test_cat_of_more_tensors_than_fit_sixteen_bits_differentiates():
    # The number of a node's inputs was once kept in sixteen bits.
    x = pg.ones(1, requires_grad=True)
    pg.cat([x] * 70_000).sum().backward()
    assert x.grad.item() == 70_000.0
