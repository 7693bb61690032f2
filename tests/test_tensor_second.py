"""Second derivatives of every row of the tensor table.

The first gradient is a function like any other: what `create_graph` gives of it has to be the derivative that central
differences of the first gradient give, and the recorded first gradient has to be the same as the one that is not.
"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from tensor_backend import array, leaf, ours, pg
from tensor_table import TABLE
from test_tensor_ops import SAMPLE, cotangent, sampled, tensors_of

# Their inputs come in pairs of one size and two signs, where the first gradient jumps.
JUMPING = {"norm(inf)", "norm(-inf)"}

SECOND_CASES = [
    pytest.param(row, c, id=f"{row.name}-{c}"[:80])
    for row in TABLE
    if row.differentiable() and row.name not in JUMPING
    for c in [c for c in row.cases if sum(map(prod, c.shapes)) <= 40][: max(1, 6 // SAMPLE)]
]


def inputs_of(row, arrays):
    return tensors_of(row, arrays, "float64")


def first_gradients(row, tensors, c, g, **how):
    """Return the gradients of sum(g * op), zeros where there is none."""
    wanted = [tensors[i] for i in row.differentiable()]
    out = row(*tensors, **c.options)
    found = pg.autograd.grad(out, wanted, g, allow_unused=True, **how)
    return [pg.zeros_like(t) if f is None else f for t, f in zip(wanted, found, strict=True)]


def weighted(gradients, weights):
    """Return the sum of all gradients' elements, each with a weight of its own."""
    return sum((f * w).sum() for f, w in zip(gradients, weights, strict=True))


@pytest.mark.parametrize(("row", "c"), SECOND_CASES)
def test_second_derivative_is_that_of_central_differences(row, c):
    arrays = sampled(row, c)
    tensors = inputs_of(row, arrays)
    shape = row(*tensors, **c.options).shape
    g = leaf(cotangent(shape, 3))
    plain = first_gradients(row, tensors, c, g.detach())
    recorded = first_gradients(row, tensors, c, g, create_graph=True)
    weights = [pg.tensor(cotangent(f.shape, 4 + k)) for k, f in enumerate(plain)]
    for a, b in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(array(b.detach()), array(a), rtol=1e-12, atol=1e-13)
    total = weighted(recorded, weights)
    leaves = [*(tensors[i] for i in row.differentiable()), g]
    found = pg.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)

    def at(which, moved):
        """Return the weighted first gradient with leaf `which` replaced."""
        others = list(arrays)
        seed = array(g.detach())
        if which == len(leaves) - 1:
            seed = moved
        else:
            others[row.differentiable()[which]] = moved
        gradients = first_gradients(row, inputs_of(row, others), c, pg.tensor(seed))
        return float(weighted(gradients, weights).item())

    eps = 1e-5
    for which, got in enumerate(found):
        base = array(leaves[which].detach()).copy()
        wanted = np.zeros(base.shape)
        for place in np.ndindex(*base.shape):
            ends = []
            for sign in (1.0, -1.0):
                moved = base.copy()
                moved[place] += sign * eps
                ends.append(at(which, moved))
            wanted[place] = (ends[0] - ends[1]) / (2 * eps)
        got = np.zeros(base.shape) if got is None else array(got)
        # eps**2 of the third derivative, and 1e-16 / eps of rounding, for functions of size 1 to 100.
        assert np.linalg.norm(got - wanted) <= 1e-6 * max(1e-1, np.linalg.norm(wanted)), (which, got, wanted)


def test_third_derivative_of_a_power():
    x = leaf([2.0])
    y = x**5
    for wanted in (80.0, 160.0, 240.0):
        (y,) = pg.autograd.grad(y.sum(), x, create_graph=True)
        assert array(y.detach()).tolist() == [wanted]


def test_backward_with_a_graph_leaves_gradients_that_can_be_differentiated():
    x = leaf([1.0, 2.0])
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.grad = None
    first.sum().backward()
    assert array(x.grad).tolist() == [6.0, 12.0]


def test_penalty_on_a_gradient_trains_through_layers():
    rng = np.random.default_rng(0)
    x, w, v = (leaf(rng.standard_normal(shape)) for shape in [(4, 3), (5, 3), (1, 5)])

    def penalty(w_values):
        weight = leaf(w_values)
        out = pg.tanh(x @ weight.T) @ v.T
        (gradient,) = pg.autograd.grad(out.sum(), x, create_graph=True)
        return weight, (gradient**2).sum()

    values = array(w.detach()).copy()
    weight, loss = penalty(values)
    loss.backward()
    wanted = np.zeros_like(values)
    for place in np.ndindex(*values.shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = values.copy()
            moved[place] += sign * 1e-5
            ends.append(float(penalty(moved)[1].item()))
        wanted[place] = (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(array(weight.grad), wanted, rtol=1e-7, atol=1e-8)


def test_graph_is_kept_by_create_graph_and_freed_on_demand():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    pg.autograd.grad(y, x, create_graph=True)
    pg.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        pg.autograd.grad(y, x)


@ours("the names of its nodes are its own")
def test_gradient_without_a_graph_has_no_history():
    x = leaf([1.0, 2.0])
    (plain,) = pg.autograd.grad((x * x).sum(), x)
    (recorded,) = pg.autograd.grad((x * x).sum(), x, create_graph=True)
    assert not plain.requires_grad
    assert recorded.grad_fn is not None
