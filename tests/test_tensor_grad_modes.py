"""`autograd.grad`, `no_grad` and its kin, `detach`, and what surrounds differentiation."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tensor_backend import MODIFIED, array, dtype_name, grad, leaf, ours, pg, refused

# ---- autograd.grad --------------------------------------------------------------------------------------------------


def test_grad_returns_gradients_and_leaves_none_behind():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    got = pg.autograd.grad((x * w).sum(), [x, w])
    assert isinstance(got, tuple)
    assert [array(g).tolist() for g in got] == [[3.0, 4.0], [1.0, 2.0]]
    assert x.grad is None
    assert w.grad is None
    (one,) = pg.autograd.grad((x * x).sum(), x)
    assert array(one).tolist() == [2.0, 4.0]


def test_grad_with_respect_to_a_result():
    x = leaf([1.0, 2.0])
    y = x * 3
    gy, gx = pg.autograd.grad((y * y).sum(), (y, x))
    assert array(gy).tolist() == [6.0, 12.0]
    assert array(gx).tolist() == [18.0, 36.0]


def test_grad_takes_cotangents():
    x = leaf([1.0, 2.0])
    (g,) = pg.autograd.grad(x * x, x, grad_outputs=pg.tensor([1.0, 10.0], dtype=pg.float64))
    assert array(g).tolist() == [2.0, 40.0]
    (g,) = pg.autograd.grad([x.sum(), (x * 2).sum()], [x])
    assert array(g).tolist() == [3.0, 3.0]


def test_grad_of_an_unused_input_is_refused_or_none():
    x, unused = leaf([1.0]), leaf([2.0])
    with refused(RuntimeError, naming=("allow_unused",)):
        pg.autograd.grad((x * 2).sum(), [x, unused])
    got = pg.autograd.grad((x * 2).sum(), [x, unused], allow_unused=True)
    assert array(got[0]).tolist() == [2.0]
    assert got[1] is None


def test_grad_of_what_wants_none_is_refused():
    x = leaf([1.0])
    with pytest.raises(RuntimeError):
        pg.autograd.grad((x * 2).sum(), [pg.ones(1)])


def test_grad_frees_the_graph_unless_told_to_keep_it():
    x = leaf([1.0])
    y = (x * x).sum()
    pg.autograd.grad(y, x, retain_graph=True)
    pg.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        pg.autograd.grad(y, x)


# ---- no_grad --------------------------------------------------------------------------------------------------------


def test_no_grad_nests_and_ends():
    x = leaf([1.0])
    assert pg.is_grad_enabled()
    with pg.no_grad():
        assert not pg.is_grad_enabled()
        y = x * 2
        assert (y.requires_grad, y.is_leaf, y.grad_fn) == (False, True, None)
        with pg.enable_grad():
            assert (x * 2).requires_grad
            with pg.no_grad():
                assert not (x * 2).requires_grad
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
        assert pg.ones(1, requires_grad=True).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), pg.no_grad():
        raise KeyError
    assert pg.is_grad_enabled()


def test_no_grad_and_enable_grad_are_decorators():
    x = leaf([1.0])

    @pg.no_grad()
    def without(t, factor=2):
        """Return the product."""
        return t * factor

    @pg.enable_grad()
    def having(t):
        return t * 2

    assert not without(x, factor=3).requires_grad
    assert not without(x).requires_grad
    assert without.__name__ == "without"
    assert without.__doc__ == "Return the product."
    with pg.no_grad():
        assert having(x).requires_grad
    assert pg.is_grad_enabled()


def test_set_grad_enabled_works_as_a_call_and_as_a_context():
    x = leaf([1.0])
    with pg.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    pg.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
        with pg.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not pg.is_grad_enabled()
    finally:
        pg.set_grad_enabled(True)


def test_no_grad_is_of_its_thread():
    x, seen = leaf([1.0]), []
    with pg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(((x * 2).requires_grad, pg.is_grad_enabled())))
        thread.start()
        thread.join()
    assert seen == [(True, True)]


# ---- detach and numpy -----------------------------------------------------------------------------------------------


def test_detach_shares_memory_and_cuts_the_graph():
    x = leaf([1.0, 2.0])
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    with pg.no_grad():
        d.mul_(10.0)
    assert array(y).tolist() == [20.0, 40.0]
    (x * x.detach()).sum().backward()
    assert grad(x) == [1.0, 2.0]


def test_numpy_of_a_tensor_that_wants_a_gradient_is_refused():
    x = leaf([1.0, 2.0])
    for f in (lambda: x.numpy(), lambda: np.asarray(x), lambda: np.array(x * 2)):
        with pytest.raises(RuntimeError, match=r"detach\(\)"):
            f()
    assert x.detach().numpy().tolist() == [1.0, 2.0]
    assert x.tolist() == [1.0, 2.0]
    assert x[0].item() == 1.0


def test_clone_is_part_of_the_graph_and_shares_nothing():
    x = leaf([1.0, 2.0])
    c = x.clone()
    assert c.requires_grad
    assert not c.is_leaf
    with pg.no_grad():
        c.zero_()
    assert array(x).tolist() == [1.0, 2.0]
    (x.clone() * 3).sum().backward()
    assert grad(x) == [3.0, 3.0]


def test_view_of_a_leaf_differentiates_and_other_elements_get_zero():
    x = leaf(np.arange(6.0).reshape(2, 3))
    (x[1] * 2).sum().backward()
    assert grad(x) == [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    x.grad = None
    (x[0, 0] + x[0, 0] * 3).backward()
    assert grad(x)[0][0] == 4.0


def test_index_that_repeats_adds_up():
    x = leaf([1.0, 2.0, 3.0])
    x[pg.tensor([0, 0, 2, 0])].sum().backward()
    assert grad(x) == [3.0, 0.0, 1.0]


def test_failed_backward_leaves_no_half_gradient_in_the_leaf():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = w * 2
    z = ((x * y).exp()).sum()
    with pg.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match=MODIFIED):
        z.backward()
    assert x.grad is None
    assert w.grad is None


@ours("Value is pygrad's")
def test_values_and_tensors_do_not_mix():
    for f in (lambda v, t: v + t, lambda v, t: t + v, lambda v, t: t * v, lambda v, t: v / t):
        with pytest.raises(TypeError):
            f(pg.Value(1.0), pg.ones(2))


def test_backward_from_several_threads_each_with_its_graph():
    wrong = []

    def work(seed):
        for k in range(200):
            x = leaf([float(seed), float(k)])
            (x * x).sum().backward()
            if grad(x) != [2.0 * seed, 2.0 * k]:
                wrong.append((seed, k))

    threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_float32_stays_float32_through_a_network():
    w = leaf(np.ones((2, 3)), "float32")
    h = pg.relu(pg.linear(pg.ones(4, 3), w)) * 0.5 + 1
    loss = pg.softmax(h, 1).log().mean()
    assert dtype_name(loss) == "float32"
    loss.backward()
    assert dtype_name(w.grad) == "float32"


@pytest.mark.parametrize(
    "view", [lambda w: w[0:2], lambda w: w.view(3, 1), lambda w: w.unsqueeze(0).T, lambda w: w.expand(1, 3)]
)
def test_view_of_a_leaf_that_wants_a_gradient_is_not_changed_in_place(view):
    w = leaf([1.0, 2.0, 3.0])
    with pytest.raises(RuntimeError, match="view of a leaf"):
        view(w).add_(1)
    assert array(w).tolist() == [1.0, 2.0, 3.0]
    with pg.no_grad():
        view(w).add_(1)
    assert array(w[0]) == 2.0
    (w * 2).sum().backward()
    assert grad(w) == [2.0, 2.0, 2.0]
