"""Changes in place among tensors that share memory: all of them have the right history afterwards.

The oracle is numpy, whose views share memory too and know nothing of graphs: the same lines run on complex arrays, and
the derivative in x_i is the imaginary part that a tiny imaginary step of x_i leads to.
"""

from __future__ import annotations

import gc
import random

import numpy as np
import pytest
from tensor_backend import TORCH, array, leaf, ours, pg

if not TORCH:
    from pygrad._engine import lib

X = np.random.default_rng(5).uniform(0.5, 2.0, (3, 4))


def complex_step(program, x):
    """Return the value and the gradient of a program that returns one number."""
    gradient = np.empty_like(x)
    for at in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[at] += 1e-30j
        gradient[at] = program(moved).imag / 1e-30
    return program(x.astype(complex)).real, gradient


def check(program, x=X):
    t = leaf(x)
    out = program(t)
    out.backward()
    value, gradient = complex_step(program, x)
    np.testing.assert_allclose(array(out), value, rtol=1e-13)
    np.testing.assert_allclose(array(t.grad), gradient, rtol=1e-12, atol=1e-12)


def weighted(t):
    """A sum in which no two elements count alike."""
    n = int(np.prod(tuple(t.shape)))
    weights = 1 + 0.1 * np.arange(n).reshape(tuple(t.shape))
    return (t * t * (weights if isinstance(t, np.ndarray) else pg.tensor(weights))).sum()


# ---- where the history goes -----------------------------------------------------------------------------------------

VIEWS = {
    "row": lambda y: y[1],
    "column": lambda y: y[:, 2],
    "block": lambda y: y[1:, 1:3],
    "every other": lambda y: y[::2, ::3],
    "transposed": lambda y: y.T,
    "turned": lambda y: y.reshape(12)[2:10],
    "view of a view": lambda y: y.T[1:3][:, 1:],
    "element": lambda y: y[2:, 3:],
    "whole": lambda y: y[:],
    "nothing": lambda y: y[1:1],
    "squares": lambda y: y.reshape(2, 2, 3)[:, 0],
}


@pytest.mark.parametrize("looks_at", VIEWS)
@pytest.mark.parametrize("changed", VIEWS)
def test_every_view_sees_what_happened_to_another(changed, looks_at):
    def program(x):
        y = x * 2
        seen = VIEWS[looks_at](y)
        v = VIEWS[changed](y)
        v *= v + 0
        w = VIEWS[looks_at](y)
        return weighted(y) + 3 * weighted(seen.reshape(-1)) + 5 * weighted(w.reshape(-1)) + 7 * weighted(v)

    check(program)


@pytest.mark.parametrize("changed", VIEWS)
def test_views_see_what_happened_to_the_base(changed):
    def program(x):
        y = x * 2
        v = VIEWS[changed](y)
        y *= x
        v += 1
        y *= y + 0
        return weighted(v) + y.sum()

    check(program)


def test_item_assignment_through_a_view():
    def program(x):
        y = x * 2
        y[0][1:3] = x[1, :2]
        y.T[3] = 0
        y[2] += 10
        return weighted(y)

    check(program)


def test_constant_base_gets_a_history():
    def program(x):
        z = x.detach() * 0 if not isinstance(x, np.ndarray) else np.zeros_like(x)
        row = z[1]
        row += x[0]
        row *= x[2]
        return weighted(z) + weighted(row)

    check(program)


def test_base_that_nobody_holds():
    def program(x):
        a, b = (lambda y: (y[:2], y[1:]))(x * 2)
        a *= x[:2]
        b *= b + 0
        return weighted(a) + weighted(b)

    check(program)


def test_expanded_view_sees_the_change_everywhere():
    x = leaf(X[0])
    y = x * 2
    e = y.expand(3, 4)
    y.mul_(x)
    weights = pg.tensor(np.arange(12.0).reshape(3, 4))
    (e * weights).sum().backward()
    np.testing.assert_allclose(array(x.grad), 4 * X[0] * np.arange(12.0).reshape(3, 4).sum(0))


def test_one_row_after_another():
    """As a recurrence is often written."""

    def program(x):
        y = x * 1
        for i in range(1, 3):
            row = y[i]
            row *= y[i - 1] + 0
        return weighted(y)

    check(program)


def random_program(seed):
    """Return a program of many views and changes; its choices depend on the seed only."""

    def program(x):
        rng = random.Random(seed)
        tensors = [x * 2]
        for _ in range(rng.randrange(4, 12)):
            t = rng.choice(tensors)
            ndim, kind = len(t.shape), rng.randrange(6)
            if kind == 0 and ndim:
                start = rng.randrange(t.shape[0])
                tensors.append(t[start : rng.randrange(start, t.shape[0]) + 1])
            elif kind == 1 and ndim > 1:
                tensors.append(t.T if ndim == 2 else t[:, 0])
            elif kind == 2 and ndim:
                tensors.append(t[rng.randrange(t.shape[0])] if ndim > 1 else t[:: rng.choice([1, 2])])
            elif kind == 3:
                t *= rng.choice([0.5, 1.5])
            elif kind == 4:
                t += rng.choice(tensors).sum() * 0.1
            else:
                t *= 1 + 0.1 * (t + 0) * (t - 1)
        return sum(weighted(t) if len(t.shape) else t * t for t in tensors)

    return program


@pytest.mark.parametrize("seed", range(150))
def test_random_views_and_changes(seed):
    check(random_program(seed))


@pytest.mark.parametrize("seed", range(150, 160))
def test_second_derivatives(seed):
    program, t = random_program(seed), leaf(X)
    (g,) = pg.autograd.grad(program(t), t, create_graph=True)
    direction = np.random.default_rng(seed).normal(size=X.shape)
    (product,) = pg.autograd.grad((g * pg.tensor(direction)).sum(), t)
    step = 1e-5
    ahead, behind = (complex_step(program, X + s * direction)[1] for s in (step, -step))
    np.testing.assert_allclose(array(product), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-4)


# ---- what goes with the history -------------------------------------------------------------------------------------


def test_names_of_the_histories():
    y = leaf(X) * 2
    inside, outside, v = y[0, 1:3], y[:, 1], y[0]
    v.mul_(3)
    assert y.grad_fn.name().endswith("CopySlices")
    assert inside.grad_fn.name() == "AsStridedBackward0"
    assert outside.requires_grad
    assert not y.is_leaf


def test_retained_gradient_is_that_of_the_new_value():
    y = leaf(X) * 2
    y.retain_grad()
    y[0].mul_(3)
    assert y.retains_grad
    (y * y).sum().backward()
    np.testing.assert_allclose(array(y.grad), 2 * array(y))


def test_saved_values_are_guarded_through_views():
    x = leaf(X)
    y = x * 2
    s = y.sin()
    y[0].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        s.sum().backward()


def test_detached_tensors_are_on_their_own():
    x = leaf(X)
    y = x * 2
    d = y.detach()
    part = d[0]
    part.mul_(x[0])
    assert d.requires_grad
    assert part.requires_grad
    assert y.grad_fn.name() == "MulBackward0"
    y.mul_(2)
    assert d.grad_fn.name().endswith("CopySlices")
    other = y.detach()
    y.mul_(x)
    assert not other.requires_grad
    assert not other[0].requires_grad


def test_no_grad_changes_no_history():
    x = leaf(X)
    y = x * 2
    v = y[0]
    with pg.no_grad():
        v.mul_(5)
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    np.testing.assert_allclose(array(x.grad), 2)


def test_gradient_that_shows_stays_with_the_tensor():
    x, z = leaf(X), pg.zeros(3, 4, dtype=pg.float64)
    y = x * 2
    row = y[0]
    row.retain_grad()
    row.sum().backward(retain_graph=True)
    z.grad = pg.ones(3, 4, dtype=pg.float64)
    y.mul_(3)
    z[0].add_(x[0])
    assert row.grad.tolist() == [1.0] * 4
    assert z.grad.tolist() == [[1.0] * 4] * 3
    row.sum().backward()
    assert row.grad.tolist() == [2.0] * 4


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


@ours("it refuses to change one of several views that were made at once")
def test_pieces_of_a_split_are_like_other_views():
    def program(x):
        y = x * 2
        first, second = (y[:1], y[1:]) if isinstance(x, np.ndarray) else y.split([1, 2])
        first *= x[2]
        y *= y + 0
        second += first
        return weighted(y) + weighted(first)

    check(program)


@ours("it gives every view of the base a gradient")
def test_view_beside_the_change_stays_as_it_was():
    x, z = leaf(X), pg.zeros(3, 4, dtype=pg.float64)
    first, last = z[0], z[2]
    first.add_(x[0])
    assert z.requires_grad
    assert not last.requires_grad
    last.add_(1)
    z.sum().backward()
    np.testing.assert_allclose(array(x.grad), np.array([[1.0], [0], [0]]) * np.ones(4))


# ---- memory ---------------------------------------------------------------------------------------------------------


@ours("it has no such counter")
def test_nothing_is_left_of_views_and_changes():
    def run(seed):
        t = leaf(X)
        random_program(seed)(t).backward()
        random_program(seed + 1)(t)  # without a backward pass

    for seed in range(20):
        run(seed)
    gc.collect()
    before = lib.pg_live_bytes() - lib.pg_cached_bytes()
    for seed in range(20):
        run(seed)
    gc.collect()
    assert lib.pg_live_bytes() - lib.pg_cached_bytes() == before
