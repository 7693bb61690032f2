"""Operations in place, and the versions that tell backward of them."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import MODIFIED, array, grad, leaf, pg, refused

# ---- in-place operations and versions -------------------------------------------------------------------------------

IN_PLACE = {
    "add_": (lambda t, o: t.add_(o), lambda a, b: a + b),
    "sub_": (lambda t, o: t.sub_(o), lambda a, b: a - b),
    "mul_": (lambda t, o: t.mul_(o), lambda a, b: a * b),
    "div_": (lambda t, o: t.div_(o), lambda a, b: a / b),
    "copy_": (lambda t, o: t.copy_(o), lambda a, b: b + 0 * a),
}


SYMBOLS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


def augmented(symbol):
    def run(t, o):
        if symbol == "+=":
            t += o
        elif symbol == "-=":
            t -= o
        elif symbol == "*=":
            t *= o
        else:
            t /= o
        return t

    return run


IN_PLACE |= {
    s: (augmented(s), IN_PLACE[n][1]) for s, n in [("+=", "add_"), ("-=", "sub_"), ("*=", "mul_"), ("/=", "div_")]
}
in_place = pytest.mark.parametrize("name", IN_PLACE)


@in_place
def test_in_place_changes_the_very_tensor_and_counts(name):
    f, plain = IN_PLACE[name]
    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.5, 2.0])
    t = pg.tensor(a)
    same, before = t, t._version
    assert f(t, pg.tensor(b)) is same
    assert array(same).tolist() == plain(a, b).tolist()
    assert same._version == before + 1


@in_place
def test_in_place_broadcasts_its_operand_only(name):
    f, plain = IN_PLACE[name]
    a = np.arange(6.0).reshape(2, 3)
    t = pg.tensor(a)
    f(t, pg.tensor([2.0, 4.0, 8.0], dtype=pg.float64))
    np.testing.assert_allclose(array(t), plain(a, np.array([2.0, 4.0, 8.0])))
    if name != "copy_":
        f(t, 2)
    small = pg.ones(3)
    with refused(RuntimeError, naming=((3,), (2, 3))):
        f(small, pg.ones(2, 3))
    assert small.tolist() == [1.0, 1.0, 1.0]


@in_place
def test_in_place_on_a_result_differentiates(name):
    f, plain = IN_PLACE[name]
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * 2
    f(y, w)
    (y * pg.tensor([1.0, 10.0], dtype=pg.float64)).sum().backward()
    x2, w2 = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (plain(x2 * 2, w2) * pg.tensor([1.0, 10.0], dtype=pg.float64)).sum().backward()
    assert grad(x) == grad(x2)
    assert grad(w) == grad(w2)


def test_fill_and_zero():
    x = leaf([1.0, 2.0])
    y = x * 2
    assert y.fill_(7.0) is y
    assert array(y).tolist() == [7.0, 7.0]
    y.sum().backward()
    assert grad(x) == [0.0, 0.0]
    t = pg.ones(3)
    assert t.zero_() is t
    assert t.tolist() == [0.0, 0.0, 0.0]
    assert t._version == 1


def test_gradient_flows_into_a_constant_that_became_a_result():
    x, buffer = leaf([1.0, 2.0]), pg.zeros(2, dtype=pg.float64)
    buffer += x * 3
    assert buffer.requires_grad
    assert not buffer.is_leaf
    buffer.sum().backward()
    assert grad(x) == [3.0, 3.0]


@in_place
def test_leaf_that_wants_a_gradient_is_not_changed_in_place(name):
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"(?i)leaf.*in.?place"):
        IN_PLACE[name][0](x, pg.ones(2, dtype=pg.float64))
    assert array(x).tolist() == [1.0, 2.0]
    with pg.no_grad():
        IN_PLACE[name][0](x, pg.ones(2, dtype=pg.float64))
    assert x._version == 1
    assert x.requires_grad
    assert x.is_leaf


def test_fill_of_a_leaf_that_wants_a_gradient_is_refused():
    for f in (lambda t: t.zero_(), lambda t: t.fill_(1.0)):
        with pytest.raises(RuntimeError, match=r"(?i)leaf.*in.?place"):
            f(leaf([1.0]))


@pytest.mark.parametrize(
    ("f", "changed"),
    [
        (lambda y: y * y, "input"), (lambda y: y.exp(), "output"), (lambda y: pg.tanh(y), "output"),
        (lambda y: y.log(), "input"), (lambda y: pg.rsqrt(y), "output"), (lambda y: y / y, "input"),
        (lambda y: y**2, "input"), (lambda y: pg.sigmoid(y), "output"), (lambda y: y.sqrt(), "output"),
        (lambda y: pg.softmax(y, 0), "output"),
        (lambda y: y @ pg.ones(2, 2, dtype=pg.float64) @ y, "input"), (lambda y: pg.sin(y), "input"),
        (lambda y: pg.gelu(y), "input"), (lambda y: pg.silu(y), "input"), (lambda y: y.abs(), "input"),
    ],
)  # fmt: skip
def test_change_of_a_saved_value_is_noticed(f, changed):
    x = leaf([0.3, 0.7])
    y = x * 2
    z = f(y)
    with pg.no_grad():
        (y if changed == "input" else z).mul_(3.0)
    with pytest.raises(RuntimeError, match=MODIFIED):
        z.sum().backward()
    assert x.grad is None


def test_change_of_a_value_that_nobody_saved_is_fine():
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y + 1
    y += 1
    z.sum().backward()
    assert grad(x) == [2.0, 2.0]
    x = leaf([1.0, 2.0])
    y = x * 2
    e = y.exp()  # saves its output
    y += 5
    e.sum().backward()
    np.testing.assert_allclose(grad(x), 2 * np.exp([2.0, 4.0]))


def test_parameter_changed_between_forward_and_backward_is_noticed():
    w, x = leaf([[1.0, 2.0]]), leaf([[3.0, 4.0]])
    loss = pg.linear(x, w).sum()
    with pg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match=MODIFIED):
        loss.backward()
    w, x = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = (w * x).sum()
    with pg.no_grad():
        w.copy_(pg.zeros(2, dtype=pg.float64))
    with pytest.raises(RuntimeError, match=MODIFIED):
        loss.backward()


def test_operand_saved_for_the_other_ones_gradient_only_is_checked_only_then():
    # d(w * c)/dw = c: w itself was not kept, so it may change.
    w, c = leaf([1.0, 2.0]), pg.tensor([3.0, 4.0], dtype=pg.float64)
    loss = (w * c).sum()
    with pg.no_grad():
        w -= 0.1
    loss.backward()
    assert grad(w) == [3.0, 4.0]


def test_view_shares_the_version_of_its_base():
    x = pg.zeros(4)
    v = x[1:3]
    v += 1
    assert x.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert x._version == v._version == 1
    d = x.detach()
    d += 1
    assert x._version == 2


def test_change_through_a_detached_tensor_is_noticed():
    x = leaf([1.0, 2.0])
    y = x * 2
    z = (y * y).sum()
    y.detach().mul_(3.0)
    with pytest.raises(RuntimeError, match=MODIFIED):
        z.backward()


def test_expanded_tensor_is_not_written_to():
    t = pg.ones(1).expand(3)
    with refused(RuntimeError, naming=("add",)):
        t.add_(1.0)
    assert t.tolist() == [1.0, 1.0, 1.0]


def test_operand_that_overlaps_is_read_before_it_is_written():
    t = pg.arange(5, dtype=pg.float32)
    t += t
    assert t.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_operand_that_is_a_part_of_what_is_written_is_right_or_refused():
    t = pg.arange(5, dtype=pg.float32)
    try:
        t *= t[2]
    except RuntimeError:
        assert t.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    else:
        assert t.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    t = pg.arange(6, dtype=pg.float32)
    try:
        t[1:].add_(t[:-1])
    except RuntimeError:
        assert t.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    else:
        assert t.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0, 9.0]


def test_sgd_written_by_hand_learns():
    rng = np.random.default_rng(0)
    x, w0 = pg.tensor(rng.normal(size=(50, 3))), np.array([1.0, -2.0, 0.5])
    y, w = x @ pg.tensor(w0), leaf(np.zeros(3))
    for _ in range(200):
        loss = ((x @ w - y) ** 2).mean()
        w.grad = None
        loss.backward()
        with pg.no_grad():
            w -= 0.1 * w.grad
    np.testing.assert_allclose(array(w), w0, atol=1e-6)
