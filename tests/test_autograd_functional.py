"""Jacobians, Hessians and products with them, against written-out derivatives; on PyTorch itself too."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import array, dtype_name, leaf, ours, pg

F = pg.autograd.functional

A = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 2.0]])
X = np.array([0.3, -0.7, 1.1])


def tensor(x):
    return leaf(x).detach()


def affine_tanh(x):
    return pg.tanh(tensor(A) @ x)


def jacobian_of_affine_tanh(x):
    return (1 - np.tanh(A @ x) ** 2)[:, None] * A


def cubic(x):
    return (x**3).sum() + x[0] * x[1] * x[2]


def hessian_of_cubic(x):
    h = np.diag(6 * x)
    h[0, 1] = h[1, 0] = x[2]
    h[0, 2] = h[2, 0] = x[1]
    h[1, 2] = h[2, 1] = x[0]
    return h


# PyTorch wants vectorize=True with the second.
BY_ROWS, BY_COLUMNS = {"strategy": "reverse-mode"}, {"strategy": "forward-mode", "vectorize": True}
both_ways = pytest.mark.parametrize("how", [BY_ROWS, BY_COLUMNS], ids=["rows", "columns"])


def close(t, wanted):
    np.testing.assert_allclose(array(t), wanted, rtol=1e-13, atol=1e-14)


def test_products_with_a_jacobian():
    v, w = np.array([2.0, -1.0]), np.array([1.0, 0.5, -2.0])
    out, product = F.vjp(affine_tanh, tensor(X), tensor(v))
    close(out, np.tanh(A @ X))
    close(product, v @ jacobian_of_affine_tanh(X))
    out, product = F.jvp(affine_tanh, tensor(X), tensor(w))
    close(out, np.tanh(A @ X))
    close(product, jacobian_of_affine_tanh(X) @ w)
    assert not out.requires_grad and not product.requires_grad


@both_ways
def test_jacobian_and_hessian(how):
    close(F.jacobian(affine_tanh, tensor(X), **how), jacobian_of_affine_tanh(X))
    outer = {"outer_jacobian_strategy": how["strategy"], "vectorize": "vectorize" in how}
    close(F.hessian(cubic, tensor(X), **outer), hessian_of_cubic(X))


def test_products_with_a_hessian():
    v = np.array([1.0, -2.0, 0.5])
    for product in (F.hvp, F.vhp):
        out, found = product(cubic, tensor(X), tensor(v))
        close(out, float((X**3).sum() + X.prod()))
        close(found, hessian_of_cubic(X) @ v)


@both_ways
def test_several_inputs_and_outputs(how):
    def function(a, b):
        return a * b, (a + b.sum()) ** 2

    a, b = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    (first, second) = F.jacobian(function, (tensor(a), tensor(b)), **how)
    close(first[0], np.diag(b))
    close(first[1], np.diag(a))
    close(second[0], np.diag(2 * (a + b.sum())))
    close(second[1], np.repeat(2 * (a + b.sum())[:, None], 2, axis=1))
    blocks = F.hessian(lambda a, b: (a**2 * b).sum(), (tensor(a), tensor(b)))
    close(blocks[0][0], np.diag(2 * b))
    close(blocks[0][1], np.diag(2 * a))
    close(blocks[1][0], np.diag(2 * a))
    close(blocks[1][1], np.zeros((2, 2)))


@both_ways
def test_jacobian_of_matrices_has_the_shapes_of_both(how):
    x = np.arange(6.0).reshape(2, 3)
    found = F.jacobian(lambda x: x.T * 2, tensor(x), **how)
    assert tuple(found.shape) == (3, 2, 2, 3)
    wanted = np.zeros((3, 2, 2, 3))
    for i in range(2):
        for j in range(3):
            wanted[j, i, i, j] = 2
    close(found, wanted)


@both_ways
@pytest.mark.parametrize(("inputs", "outputs"), [((), (2,)), ((2,), ()), ((), ()), ((2, 1), (3,))])
def test_jacobian_has_the_shape_of_the_output_and_then_of_the_input(how, inputs, outputs):
    found = F.jacobian(lambda x: x.sum() * pg.ones(outputs, dtype=pg.float64), tensor(np.ones(inputs)), **how)
    assert tuple(found.shape) == outputs + inputs
    close(found, np.ones(outputs + inputs))


@ours("an empty list of rows is an error")
@both_ways
def test_jacobian_of_nothing_is_empty(how):
    assert F.jacobian(lambda x: x * 2, pg.ones(0), **how).shape == (0, 0)
    assert F.jacobian(lambda x: x.sum(), pg.ones(0, 2), **how).shape == (0, 2)
    assert F.jacobian(lambda x: x[:0], pg.ones(3), **how).shape == (0, 3)


@both_ways
def test_independent_outputs_have_zeros(how):
    close(F.jacobian(lambda x: tensor([1.0, 2.0]), tensor(X), **how), np.zeros((2, 3)))
    (first, second) = F.jacobian(lambda a, b: a * 2, (tensor(X), tensor([1.0, 2.0])), **how)
    close(first, 2 * np.eye(3))
    close(second, np.zeros((3, 2)))


@both_ways
def test_dtype_of_a_jacobian(how):
    found = F.jacobian(lambda x: x.double() ** 2, pg.tensor([1.0, 2.0]), **how)
    assert dtype_name(found) == ("float32" if how is BY_ROWS else "float64")
    close(found, np.diag([2.0, 4.0]))


@both_ways
def test_jacobian_through_layers_is_that_of_central_differences(how):
    rng = np.random.default_rng(1)
    x, w, u = rng.normal(size=(2, 4)), rng.normal(size=(4, 3)), rng.normal(size=(3, 2))

    def in_numpy(x):
        h = x @ w
        scores = (h / (1 + np.exp(-h))) @ u  # silu
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def function(x):
        return pg.softmax(pg.silu(x @ tensor(w)) @ tensor(u), 1)

    wanted = np.zeros((2, 2, 2, 4))
    for at in np.ndindex(2, 4):
        step = np.zeros((2, 4))
        step[at] = 1e-5
        wanted[(..., *at)] = (in_numpy(x + step) - in_numpy(x - step)) / 2e-5
    np.testing.assert_allclose(array(F.jacobian(function, tensor(x), **how)), wanted, atol=1e-9)


@pytest.mark.parametrize("how", [BY_ROWS, pytest.param(BY_COLUMNS, marks=ours("columns are not recorded"))])
def test_result_with_a_graph_can_be_differentiated(how):
    x = leaf(X)
    F.jacobian(lambda x: x**3, x, create_graph=True, **how).sum().backward()
    close(x.grad, 6 * X)


@ours("it is an AssertionError")
@pytest.mark.parametrize("strategy", ["forward", "rows", None])
def test_other_strategies_are_refused(strategy):
    with pytest.raises(ValueError, match="'reverse-mode' or 'forward-mode'"):
        F.jacobian(affine_tanh, tensor(X), strategy=strategy)
    with pytest.raises(ValueError, match="'reverse-mode' or 'forward-mode'"):
        F.hessian(cubic, tensor(X), outer_jacobian_strategy=strategy)


def passes(function, n, monkeypatch, how):
    """Return how many backward passes the Jacobian of a function of n numbers takes."""
    from pygrad._engine import native

    walk, count = native.tensor_gradients, 0

    def counted(*arguments):
        nonlocal count
        count += 1
        return walk(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(native, "tensor_gradients", counted)
        F.jacobian(function, pg.rand(n), **how)
    return count


@ours("passes are counted in its own engine")
def test_rows_cost_a_pass_for_each_output_and_columns_for_each_input(monkeypatch):
    for n, m in [(1, 7), (7, 1), (3, 4)]:
        a = pg.rand(m, n)
        assert passes(lambda x, a=a: (a @ x).tanh(), n, monkeypatch, BY_ROWS) == m
        assert passes(lambda x, a=a: (a @ x).tanh(), n, monkeypatch, BY_COLUMNS) == 1 + n


# ---- strict ---------------------------------------------------------------------------------------------------------

PRODUCTS_AND_MATRICES = {
    "vjp": lambda f, inputs, **how: F.vjp(f, inputs, **how),
    "jvp": lambda f, inputs, **how: F.jvp(f, inputs, like(inputs), **how),
    "vhp": lambda f, inputs, **how: F.vhp(f, inputs, like(inputs), **how),
    "hvp": lambda f, inputs, **how: F.hvp(f, inputs, like(inputs), **how),
    "jacobian": lambda f, inputs, **how: F.jacobian(f, inputs, **how),
    "columns": lambda f, inputs, **how: F.jacobian(f, inputs, strategy="forward-mode", **how),
    "hessian": lambda f, inputs, **how: F.hessian(f, inputs, **how),
}
OF_SECOND_ORDER = ("vhp", "hvp", "hessian")
each = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=ours("not with strict")) if n == "columns" else n for n in PRODUCTS_AND_MATRICES]
)


def like(inputs):
    return tuple(pg.ones_like(t) for t in inputs)


@each
def test_strict_takes_what_depends_on_every_input(name):
    inputs = (tensor(X), tensor(2 * X))
    call = PRODUCTS_AND_MATRICES[name]
    for create_graph in (False, True):
        call(lambda a, b: (a**3 * b**3).sum(), inputs, strict=True, create_graph=create_graph)


@each
@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: (a**3).sum(),
        lambda a, b: (a**3 * b.detach() ** 3).sum(),
        lambda a, b: tensor(np.array(1.0)),
        lambda a, b: (a.detach() ** 3 + b.detach() ** 3).sum(),
    ],
)
def test_strict_refuses_what_does_not_depend_on_an_input(name, function):
    inputs = (tensor(X), tensor(2 * X))
    with pytest.raises(RuntimeError, match="strict"):
        PRODUCTS_AND_MATRICES[name](function, inputs, strict=True)
    PRODUCTS_AND_MATRICES[name](function, inputs)


@each
def test_strict_refuses_a_constant_derivative_where_it_is_to_be_differentiated(name):
    def linear(a, b):
        return (a * 2 + b * 3).sum()

    inputs = (tensor(X), tensor(2 * X))
    call = PRODUCTS_AND_MATRICES[name]
    call(linear, inputs, create_graph=True)
    with pytest.raises(RuntimeError, match="strict"):
        call(linear, inputs, strict=True, create_graph=True)
    if name in OF_SECOND_ORDER:
        with pytest.raises(RuntimeError, match="strict"):
            call(linear, inputs, strict=True)
    else:
        call(linear, inputs, strict=True)


@pytest.mark.parametrize("how", [BY_ROWS, pytest.param({"strategy": "forward-mode"}, marks=ours("not with strict"))])
def test_strict_jacobian_looks_at_each_output(how):
    def function(a, b):
        return a * b, a * 2

    inputs = (tensor(X), tensor(2 * X))
    with pytest.raises(RuntimeError, match=r"[Oo]utput 1"):
        F.jacobian(function, inputs, strict=True, **how)
    F.jacobian(lambda a, b: (a * b, a * 2 + b), inputs, strict=True, **how)


def test_it_works_where_recording_is_off():
    with pg.no_grad():
        close(F.jacobian(lambda x: x**2, tensor(X)), np.diag(2 * X))


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.vjp(affine_tanh, tensor(X)),
        lambda: F.vjp(affine_tanh, tensor(X), tensor([1.0])),
        lambda: F.jvp(affine_tanh, tensor(X), tensor([1.0])),
        lambda: F.hessian(affine_tanh, tensor(X)),
        lambda: F.vhp(affine_tanh, tensor(X), tensor(X)),
    ],
)
def test_what_does_not_go_together_is_refused(call):
    with pytest.raises(RuntimeError):
        call()


@ours("they are those of torch.func there")
def test_functions_of_gradients():
    grad, value_and_grad = F.grad, F.value_and_grad
    close(grad(cubic)(tensor(X)), 3 * X**2 + X.prod() / X)
    value, (first, second) = value_and_grad(lambda a, b: (a * b**2).sum(), (0, 1))(tensor(X), tensor(2 * X))
    close(value, float((4 * X**3).sum()))
    close(first, 4 * X**2)
    close(second, 4 * X**2)
    third = grad(grad(grad(lambda x: x**4)))
    close(third(tensor(np.array(2.0))), 48.0)
    with pytest.raises(RuntimeError, match="one element"):
        grad(affine_tanh)(tensor(X))
    x = tensor(X)
    grad(cubic)(x)
    assert not x.requires_grad
