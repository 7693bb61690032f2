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


BESIDE = {
    "rows": (lambda z: z[0], lambda z: z[2]),
    "columns": (lambda z: z[:, 1], lambda z: z[:, 3]),
    "odd and even": (lambda z: z.view(12)[::2], lambda z: z.view(12)[1::2]),
    "blocks of columns": (lambda z: z[:, ::2], lambda z: z[1:, 1::2]),
    "elements": (lambda z: z[1, 1], lambda z: z[1, 2]),
}


@ours("it gives every view of the base a gradient")
@pytest.mark.parametrize("views", BESIDE)
def test_view_beside_the_change_stays_as_it_was(views):
    x, z = leaf(X), pg.zeros(3, 4, dtype=pg.float64)
    first, last = (view(z) for view in BESIDE[views])
    first.add_(x.sum())
    assert z.requires_grad
    assert not last.requires_grad
    last.add_(1)
    z.sum().backward()
    np.testing.assert_allclose(array(x.grad), first.numel())
    assert array(z).sum() == pytest.approx(first.numel() * X.sum() + last.numel())


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
