"""`autograd.checkpoint`: the same gradients, computed again instead of kept."""

from __future__ import annotations

import numpy as np
import pytest

import pygrad
from pygrad import nn
from pygrad._engine import lib
from pygrad.autograd import checkpoint


def leaf(x):
    return pygrad.tensor(np.asarray(x, float), requires_grad=True)


def test_gradients_are_those_without_a_checkpoint():
    a, b = leaf([0.5, -1.0]), leaf([2.0, 3.0])
    (pygrad.tanh(a * b) * a).sum().backward()
    wanted = a.grad.tolist(), b.grad.tolist()
    a.grad = b.grad = None
    checkpoint(lambda a, b: pygrad.tanh(a * b) * a, a, b).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == wanted


def test_function_runs_again_in_backward():
    calls = []

    def function(x):
        calls.append(x.requires_grad)
        return x * x

    x = leaf([3.0])
    y = checkpoint(function, x)
    y.sum().backward()
    assert len(calls) == 2 and x.grad.tolist() == [6.0]


def test_parameters_inside_get_their_gradients_also_those_that_are_used_outside():
    model = nn.MLP([3, 8, 2], seed=0, dtype="float64")
    x = leaf(np.random.default_rng(0).standard_normal((4, 3)))
    model(model(x) @ pygrad.ones(2, 3, dtype="float64")).sum().backward()
    wanted = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    x.grad = None
    model(checkpoint(model, x) @ pygrad.ones(2, 3, dtype="float64")).sum().backward()
    for p, g in zip(model.parameters(), wanted, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=1e-13)


def test_hooks_of_parameters_run_inside_a_checkpoint():
    w, x = leaf([2.0]), leaf([1.0])
    w.register_hook(lambda g: g * 10)
    (checkpoint(lambda x: x * w, x) * w).sum().backward()
    # d(x w w)/dw = x w + x w, each part seen by the hook when it arrives
    assert w.grad.tolist() == [40.0]


def test_checkpoints_hold_less():
    x = leaf(np.zeros(10_000))

    def steps(x):
        for _ in range(20):
            x = pygrad.tanh(x)
        return x

    def held(run):
        before = lib.pg_live_bytes() - lib.pg_cached_bytes()
        y = run()
        after = lib.pg_live_bytes() - lib.pg_cached_bytes()
        y.sum().backward()
        return after - before

    def in_parts():
        y = x
        for _ in range(5):
            y = checkpoint(steps, y)
        return y

    def whole():
        y = x
        for _ in range(5):
            y = steps(y)
        return y

    assert held(in_parts) < held(whole) / 10


def test_several_outputs_and_arguments_that_are_no_tensors():
    x = leaf([1.0, 2.0])
    a, b = checkpoint(lambda x, n, unused: (x**n, x * 2), x, 3, "unused")
    (a + b).sum().backward()
    assert x.grad.tolist() == [5.0, 14.0]


def test_input_that_was_changed_in_place_is_noticed():
    x = leaf([1.0, 2.0])
    y = x * 1
    z = checkpoint(lambda y: y * y, y)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_gradient_of_a_gradient_is_refused():
    x = leaf([1.0])
    y = checkpoint(lambda x: x**3, x)
    with pytest.raises(RuntimeError, match="checkpoint"):
        pygrad.autograd.grad(y.sum(), x, create_graph=True)


def test_nothing_is_recorded_where_nothing_wants_a_gradient():
    assert not checkpoint(lambda x: x * 2, pygrad.ones(2)).requires_grad
