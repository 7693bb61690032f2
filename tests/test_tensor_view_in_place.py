"""Tensors that become views of what they were: `squeeze_`, `transpose_` and their kind."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import TORCH, array, leaf, ours, pg

CASES = [
    ("squeeze", (1, 3, 1), ()),
    ("squeeze", (1, 3, 1), (0,)),
    ("squeeze", (2, 3), ()),
    ("unsqueeze", (2, 3), (1,)),
    ("unsqueeze", (), (0,)),
    ("t", (2, 3), ()),
    ("t", (3,), ()),
    ("transpose", (2, 3, 4), (0, 2)),
    ("swapaxes", (2, 3, 4), (-1, 1)),
    ("swapdims", (2, 0), (0, 1)),
]
every_case = pytest.mark.parametrize(("name", "shape", "args"), CASES)


def numbers(shape):
    return np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape)


@every_case
def test_tensor_becomes_the_view(name, shape, args):
    t = pg.tensor(numbers(shape))
    view = getattr(t, name)(*args)
    before, address = t, t.data_ptr()
    assert getattr(t, f"{name}_")(*args) is before
    assert t.shape == view.shape
    assert t.stride() == view.stride()
    assert t.data_ptr() == address
    assert t._version == 1
    assert array(t).tolist() == array(view).tolist()


@every_case
def test_history_goes_on(name, shape, args):
    x = leaf(numbers(shape))
    y = x * x
    getattr(y, f"{name}_")(*args)
    weights = np.cos(np.arange(y.numel())).reshape(tuple(y.shape))
    (y * pg.tensor(weights)).sum().backward()
    wanted = leaf(numbers(shape))
    (getattr(wanted * wanted, name)(*args) * pg.tensor(weights)).sum().backward()
    np.testing.assert_array_equal(array(x.grad), array(wanted.grad))


def test_view_that_was_turned_is_still_a_view():
    x = leaf(numbers((2, 3)))
    y = x * 2
    row = y[0]
    row.unsqueeze_(1)
    row.mul_(x.t()[:, :1])
    assert array(y[0]).tolist() == array(row)[:, 0].tolist()
    y.sum().backward()
    np.testing.assert_allclose(array(x.grad), [4 * numbers((2, 3))[0], [2, 2, 2]])


def test_other_views_keep_their_shape():
    y = leaf(numbers((2, 3))) * 1
    row = y[0]
    y.t_()
    assert tuple(row.shape) == (3,)
    assert tuple(y.shape) == (3, 2)


def test_what_was_saved_before_is_refused_afterwards():
    y = leaf(numbers((2, 3))) * 1
    s = y.sin().sum()
    y.t_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        s.backward()


def test_leaf_that_wants_a_gradient():
    x = leaf(numbers((2, 3)))
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.t_()
    assert tuple(x.shape) == (2, 3)
    with pg.no_grad():
        x.t_()
    assert x.is_leaf
    assert x.requires_grad
    (x * x).sum().backward()
    np.testing.assert_allclose(array(x.grad), 2 * array(x))


@ours("there the gradients have the wrong shape")
@pytest.mark.parametrize("depends", ["a gradient", "a graph", "a hook"])
def test_leaf_on_whose_shape_something_depends(depends):
    x = leaf(numbers((2, 3)))
    y = (x * x).sum()
    if depends != "a graph":
        y.backward()
        del y
    if depends == "a hook":
        x.grad = None
        x.register_hook(lambda g: g)
    with pg.no_grad(), pytest.raises(RuntimeError, match="use a view of it"):
        x.t_()
    assert tuple(x.shape) == (2, 3)


@ours("there the shape changes and the history does not")
def test_history_goes_on_under_no_grad():
    x = leaf(numbers((2, 3)))
    y = x * x
    with pg.no_grad():
        y.t_()
    (y * pg.tensor(np.arange(6.0).reshape(3, 2))).sum().backward()
    np.testing.assert_allclose(array(x.grad), 2 * array(x) * np.arange(6.0).reshape(3, 2).T)


def test_expanded_tensor_may_turn():
    y = pg.tensor([1.0, 2.0, 3.0]).expand(4, 3)
    y.t_()
    assert tuple(y.shape) == (3, 4)


@ours("its gradient keeps the old shape")
def test_retained_gradient_has_the_new_shape():
    y = leaf(numbers((2, 3))) * 1
    y.retain_grad()
    y.t_()
    y.sum().backward()
    assert tuple(y.grad.shape) == (3, 2)


@pytest.mark.parametrize("dims", [(0, 2), (-3, 0)])
def test_dimensions_out_of_range_change_nothing(dims):
    y = leaf(numbers((2, 3))) * 1
    with pytest.raises(IndexError):
        y.transpose_(*dims)
    assert tuple(y.shape) == (2, 3)
    if not TORCH:
        assert y._version == 0
