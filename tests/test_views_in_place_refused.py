"""Changes in place among tensors that share memory: what is refused, and what may happen in the middle of one."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from tensor_backend import TORCH, array, leaf, ours, pg

X = np.random.default_rng(5).uniform(0.5, 2.0, (3, 4))


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda v: v.mul_(2), lambda v: v.zero_(), lambda v: v.view(-1).add_(1)])
def test_view_from_no_grad_is_not_changed_outside(change):
    y = leaf(X) * 2
    with pg.no_grad():
        v = y[0]
    before = array(y).copy()
    with pytest.raises(RuntimeError, match="created in no_grad mode and is being modified inplace"):
        change(v)
    np.testing.assert_array_equal(array(y), before)
    with pg.no_grad():
        v.mul_(2)


def test_view_from_no_grad_does_not_outlive_a_recorded_change():
    x = leaf(X)
    y = x * 2
    with pg.no_grad():
        v = y[0]
    y.mul_(x)
    with pytest.raises(RuntimeError, match=r"in place|inplace"):
        (v * x).sum() if not TORCH else v.grad_fn
    assert v.detach().tolist() == y[0].tolist()


@ours("it asks for grad_fn")
def test_change_of_another_family_does_not_make_it_good():
    x = leaf(X)
    y = x * 2
    with pg.no_grad():
        v = y[0]
    y.mul_(x)
    y.detach().add_(x)
    with pytest.raises(RuntimeError, match="in place"):
        (v * x).sum()


@ours("there the gradient follows")
def test_gradient_changed_in_a_graph_is_never_taken_for_what_it_was():
    """`x.grad` is held by no object between two uses, so that the change does not reach it."""
    x = leaf(X)
    (x**3).sum().backward(create_graph=True)
    x.grad.mul_(x)
    with pytest.raises(RuntimeError, match="in place"):
        x.grad.sum()
    np.testing.assert_allclose(array(x.grad.detach()), 3 * X**3)


@ours("it writes, in an order that is not defined")
def test_windows_that_overlap_are_not_written():
    windows = np.lib.stride_tricks.as_strided(np.arange(1.0, 6.0), (4, 2), (8, 8))
    v = pg.from_numpy(windows)
    for change in (lambda: v.mul_(2), lambda: v.mul_(leaf(np.ones((4, 2)))), lambda: v.T.zero_()):
        with pytest.raises(RuntimeError, match="more than one element"):
            change()
    assert windows[:, 0].tolist() == [1, 2, 3, 4]
    v[::2].mul_(2)
    assert windows[:, 0].tolist() == [2, 4, 6, 8]


def test_leaf_is_not_changed_through_an_older_view():
    x, z = leaf(X), pg.zeros(3, 4, dtype=pg.float64)
    v = z[0]
    z.requires_grad_()
    with pytest.raises(RuntimeError, match="view of a leaf"):
        v.add_(x[0])
    assert array(z).tolist() == np.zeros((3, 4)).tolist()
    assert z.is_leaf


# ---- code that runs when a history goes -----------------------------------------------------------------------------


class Goodbye:
    """A hook that does something when it dies, which is with the history that it hangs on."""

    def __init__(self, act):
        self.act = act

    def __call__(self, gradient):
        return None

    def __del__(self):
        self.act()


@ours("a history lives there until its tensor is looked at")
def test_change_from_within_a_change():
    """The inner one, of the same tensor, comes after the outer one, in the numbers as in the history."""
    x = leaf(X)
    y = x * 2
    whole = y[:]
    whole.register_hook(Goodbye(lambda: y.mul_(x)))
    y.mul_(x)
    np.testing.assert_allclose(array(y), 2 * X**3)
    y.sum().backward()
    np.testing.assert_allclose(array(x.grad), 6 * X**2)
    np.testing.assert_allclose(array(whole), array(y))


@ours("a history lives there until its tensor is looked at")
@pytest.mark.parametrize("order", ["hooked first", "hooked last"])
def test_tensor_that_is_seen_again_while_others_go(order):
    """A dying history's code asks for the gradient of `p`, which nobody holds and which has just been replaced, too."""
    x, p, seen = leaf(X), leaf(X), []
    base = x * 2

    def hooked():
        view = base[:]
        view.register_hook(Goodbye(lambda: seen.append(p.grad)))
        return view

    def gradient():
        p.grad = base[:]
        return p.grad

    views = [make() for make in ((hooked, gradient) if order == "hooked first" else (gradient, hooked))]
    for _ in range(3):
        base.mul_(x)
    assert len(seen) == 1
    sum(views, base).sum().backward()
    np.testing.assert_allclose(array(x.grad), 3 * 8 * X**3)


def test_hook_changes_what_is_being_differentiated():
    x = leaf(X)
    y = x * 2
    row = y[0]
    z = y * 1

    def change(gradient):
        with pg.enable_grad():
            y.mul_(x)
            row.mul_(3)
            z.mul_(x)

    z.register_hook(change)
    ones = pg.ones(3, 4, dtype=pg.float64)
    by_y, by_row, by_x = pg.autograd.grad(z, [y, row, x], grad_outputs=ones, allow_unused=True)
    assert by_row is None
    np.testing.assert_allclose(array(by_y), 1)
    np.testing.assert_allclose(array(by_x), 2)


class Cycle:
    """Garbage for the collector, which has it act."""

    def __init__(self, act):
        self.self = self
        self.act = act

    def __del__(self):
        self.act()


@pytest.mark.parametrize("look", [lambda y: tuple(y.shape), lambda y: y.stride(), lambda y: y.detach().numpy().shape])
def test_collection_while_a_tensor_is_looked_at(look):
    """The collector starts where a tuple is made, unless one can be used again: those of before are kept."""
    x, kept, acted = leaf(X), [], []
    before = gc.get_threshold()
    for _ in range(20):
        y = x * 2
        expected = look(y)

        def act(y=y):
            acted.append(y.mul_(x))

        kept.append([tuple([i] * k) for k in range(1, 6) for i in range(50)])
        gc.disable()
        Cycle(act)
        gc.set_threshold(1, 1, 1)
        try:
            gc.enable()
            assert look(y) == expected
        finally:
            gc.set_threshold(*before)
    gc.collect()
    assert len(acted) == 20
