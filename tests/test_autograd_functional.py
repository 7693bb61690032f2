"""Jacobians, Hessians and products with them, against written-out derivatives; on PyTorch itself too."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import array, leaf, ours, pg

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


def test_jacobian_and_hessian():
    close(F.jacobian(affine_tanh, tensor(X)), jacobian_of_affine_tanh(X))
    close(F.hessian(cubic, tensor(X)), hessian_of_cubic(X))


def test_products_with_a_hessian():
    v = np.array([1.0, -2.0, 0.5])
    for product in (F.hvp, F.vhp):
        out, found = product(cubic, tensor(X), tensor(v))
        close(out, float((X**3).sum() + X.prod()))
        close(found, hessian_of_cubic(X) @ v)


def test_several_inputs_and_outputs():
    def function(a, b):
        return a * b, (a + b.sum()) ** 2

    a, b = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    (first, second) = F.jacobian(function, (tensor(a), tensor(b)))
    close(first[0], np.diag(b))
    close(first[1], np.diag(a))
    close(second[0], np.diag(2 * (a + b.sum())))
    close(second[1], np.repeat(2 * (a + b.sum())[:, None], 2, axis=1))
    blocks = F.hessian(lambda a, b: (a**2 * b).sum(), (tensor(a), tensor(b)))
    close(blocks[0][0], np.diag(2 * b))
    close(blocks[0][1], np.diag(2 * a))
    close(blocks[1][0], np.diag(2 * a))
    close(blocks[1][1], np.zeros((2, 2)))


def test_jacobian_of_matrices_has_the_shapes_of_both():
    x = np.arange(6.0).reshape(2, 3)
    found = F.jacobian(lambda x: x.T * 2, tensor(x))
    assert tuple(found.shape) == (3, 2, 2, 3)
    wanted = np.zeros((3, 2, 2, 3))
    for i in range(2):
        for j in range(3):
            wanted[j, i, i, j] = 2
    close(found, wanted)


def test_independent_outputs_have_zeros():
    close(F.jacobian(lambda x: tensor([1.0, 2.0]), tensor(X)), np.zeros((2, 3)))


def test_result_with_a_graph_can_be_differentiated():
    x = leaf(X)
    F.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    close(x.grad, 6 * X)


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
