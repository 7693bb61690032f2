"""The rules of the graph: who wants a gradient, what backward leaves behind, what no_grad means, and what in-place
operations do to saved values.
"""

from __future__ import annotations

import gc
import os
import re
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, leaf, ours, pg, refused

MODIFIED = "modified by an inplace operation"


def grad(t):
    return array(t.grad).tolist()


# ---- wanting a gradient ---------------------------------------------------------------------------------------------


def test_tensors_want_no_gradient_unless_told():
    assert not pg.ones(2).requires_grad
    assert pg.ones(2, requires_grad=True).requires_grad
    assert pg.tensor([1.0], requires_grad=True).requires_grad
    x = pg.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not x.requires_grad
    assert not x.requires_grad_(False).requires_grad


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_only_floats_can_want_a_gradient(dtype):
    with pytest.raises(RuntimeError, match=r"(?i)float"):
        pg.ones(2, dtype=getattr(pg, dtype), requires_grad=True)
    with pytest.raises(RuntimeError, match=r"(?i)float"):
        pg.ones(2, dtype=getattr(pg, dtype)).requires_grad_()


def test_result_wants_a_gradient_if_any_operand_does():
    x, c = leaf([1.0, 2.0]), pg.ones(2, dtype=pg.float64)
    assert (x + c).requires_grad
    assert (c + x).requires_grad
    assert not (c + c).requires_grad
    assert not (x > c).requires_grad
    assert not x.argmax().requires_grad
    assert not x.long().requires_grad


def test_flag_of_a_result_cannot_be_cleared():
    y = leaf([1.0]) * 2
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad = False
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad_(False)
    y.requires_grad_(True)


def test_leaves_and_results_are_told_apart():
    x = leaf([1.0])
    y = x * 2
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.grad_fn is not None
    assert pg.ones(2).is_leaf
    assert (pg.ones(2) * 2).is_leaf
    assert y.detach().is_leaf


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: x + 1, "Add"), (lambda x: x * x, "Mul"), (lambda x: x - x, "Sub"), (lambda x: x / x, "Div"),
        (lambda x: x.exp(), "Exp"), (lambda x: pg.tanh(x), "Tanh"), (lambda x: pg.relu(x), "Relu"),
        (lambda x: -x, "Neg"),
        (lambda x: x.sum(), "Sum"), (lambda x: x.mean(), "Mean"), (lambda x: x @ x, "(Mm|Dot|Matmul)"),
        (lambda x: x.reshape(2, 1), "(View|Reshape)"), (lambda x: pg.sigmoid(x), "Sigmoid"), (lambda x: x**2, "Pow"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_grad_fn_names_its_op(f, name):
    assert re.match(rf"(?i){name}.*Backward\d*$", f(leaf([1.0, 2.0])).grad_fn.name())


def test_next_functions_are_the_nodes_of_the_inputs():
    x, c = leaf([1.0]), pg.ones(1, dtype=pg.float64)
    y = x * 2
    z = y + x + c
    (first, number), (second, _) = z.grad_fn.next_functions
    assert number == 0
    assert "Add" in first.name() or "add" in first.name().lower()
    assert second is None  # c wants no gradient
    inner = [node for node, _ in first.next_functions]
    assert "mul" in inner[0].name().lower()
    assert "accumulate" in inner[1].name().lower()
    assert inner[0] == y.grad_fn


def test_graph_can_be_walked_to_its_leaves():
    x = leaf([1.0, 2.0])
    node, names = ((x * 3).exp() + 1).sum().grad_fn, []
    while node is not None:
        names.append(node.name().lower())
        node = node.next_functions[0][0] if node.next_functions else None
    assert [w in n for w, n in zip(["sum", "add", "exp", "mul", "accumulate"], names, strict=True)] == [True] * 5


# ---- backward -------------------------------------------------------------------------------------------------------


def test_gradient_is_none_before_and_accumulates_after():
    x = leaf([1.0, 2.0])
    assert x.grad is None
    (x * 3).sum().backward()
    assert grad(x) == [3.0, 3.0]
    (x * x).sum().backward()
    assert grad(x) == [5.0, 7.0]


def test_accumulation_keeps_the_gradient_object():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    first = x.grad
    (x * 4).sum().backward()
    assert x.grad is first
    assert array(first).tolist() == [7.0, 7.0]


def test_gradient_is_no_part_of_a_graph():
    x = leaf([1.0])
    (x * x).sum().backward()
    assert not x.grad.requires_grad
    assert x.grad.is_leaf


def test_gradients_of_two_leaves_share_no_memory():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (x + y).sum().backward()
    with pg.no_grad():
        x.grad.mul_(10.0)
    assert grad(y) == [1.0, 1.0]
    cotangent = pg.ones(2, dtype=pg.float64)
    z = leaf([1.0, 2.0])
    z.clone().backward(cotangent)
    z.grad.mul_(5.0)
    assert cotangent.tolist() == [1.0, 1.0]


def test_backward_of_a_leaf_gives_it_the_cotangent():
    x = leaf(3.0)
    x.backward()
    assert x.grad.item() == 1.0
    y = leaf([1.0, 2.0])
    y.backward(pg.tensor([5.0, 6.0], dtype=pg.float64))
    assert grad(y) == [5.0, 6.0]


def test_gradient_can_be_set_and_deleted():
    x = leaf([1.0, 2.0])
    x.grad = pg.tensor([5.0, 6.0], dtype=pg.float64)
    (x * 1).sum().backward()
    assert grad(x) == [6.0, 7.0]
    x.grad = None
    assert x.grad is None


def test_gradient_of_another_shape_or_dtype_or_class_is_refused():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError):
        x.grad = pg.ones(3, dtype=pg.float64)
    with pytest.raises(RuntimeError):
        x.grad = pg.ones(2)
    with pytest.raises(TypeError):
        x.grad = 1.0
    assert x.grad is None


def test_result_has_no_gradient_and_says_so():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.sum().backward()
    with pytest.warns(UserWarning, match="leaf"):
        assert y.grad is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pg.ones(2).grad is None


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(y) == [4.0, 8.0]
    assert grad(x) == [8.0, 16.0]
    x.retain_grad()  # of a leaf: nothing to do
    with pytest.raises(RuntimeError):
        pg.ones(2).retain_grad()


def test_backward_needs_a_scalar_or_a_cotangent():
    x = leaf([1.0, 2.0])
    with refused(RuntimeError, naming=("backward", (2,))):
        (x * 2).backward()
    one = leaf([3.0])
    (one * 2).backward()
    assert grad(one) == [2.0]
    (x * 2).backward(pg.tensor([1.0, 10.0], dtype=pg.float64))
    assert grad(x) == [2.0, 20.0]


def test_cotangent_of_another_shape_is_refused():
    x = leaf([1.0, 2.0])
    with refused(RuntimeError, naming=((3,), (2,))):
        (x * 2).backward(pg.ones(3, dtype=pg.float64))
    assert x.grad is None


def test_backward_without_a_graph_is_refused():
    with pytest.raises(RuntimeError, match=r"require.* grad|grad_fn"):
        pg.ones(1).sum().backward()
    with pg.no_grad():
        y = leaf([1.0]).sum()
    with pytest.raises(RuntimeError, match=r"require.* grad|grad_fn"):
        y.backward()


@pytest.mark.parametrize(
    "f", [lambda x: (x * x).sum(), lambda x: x.exp().sum(), lambda x: x @ x, lambda x: pg.softmax(x, 0)[0]]
)
def test_second_backward_through_freed_values_is_refused(f):
    x = leaf([1.0, 2.0])
    y = f(x)
    y.backward()
    before = grad(x)
    with pytest.raises(RuntimeError, match=r"(?s)second time.*retain_graph"):
        y.backward()
    assert grad(x) == before


def test_retained_graph_can_be_walked_again():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert grad(x) == [6.0, 12.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_second_walk_starts_from_clean_interior_gradients():
    x = leaf(2.0)
    y = x * x
    z = y * y
    z.backward(retain_graph=True)
    z.backward()
    assert grad(x) == 2 * 4 * 2.0**3


def test_graph_that_saved_nothing_can_be_walked_again():
    x = leaf([1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert grad(x) == [2.0, 2.0]


def test_shared_part_of_two_graphs_is_freed_by_the_first_walk():
    x = leaf([1.0, 2.0])
    shared = x * x
    a, b = shared.sum(), (shared * 2).sum()
    a.backward()
    with pytest.raises(RuntimeError, match="second time"):
        b.backward()


def test_two_graphs_over_one_leaf_accumulate():
    x = leaf([1.0, 2.0])
    a, b = (x * x).sum(), (x * 3).sum()
    a.backward()
    b.backward()
    assert grad(x) == [5.0, 7.0]


# ---- shapes of graphs -----------------------------------------------------------------------------------------------


def test_diamond_sums_over_both_paths():
    x = leaf([1.0, 2.0])
    y = x * 2
    (y * y + y).sum().backward()
    assert grad(x) == [2 * 2 * 2 * 1.0 + 2, 2 * 2 * 2 * 2.0 + 2]


def test_walk_reaches_a_node_after_all_its_users():
    # A ladder: a walk that went depth first and passed on early would take 2**50 steps or come out wrong.
    x = leaf(1.0)
    y = x
    for _ in range(50):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**50


def test_python_control_flow_differentiates():
    for start in (0.5, 3.0, 10.0):
        x = leaf(start)
        y, doublings = x, 0
        while y.item() < 20:
            y = y * 2 if doublings % 2 == 0 else y + x
            doublings += 1
        y.backward()
        assert x.grad.item() == y.item() / start  # y is a multiple of x


def test_only_what_was_used_gets_a_gradient():
    a, b, c = leaf(1.0), leaf(2.0), leaf(3.0)
    y = a * b
    _unused = c * b
    y.backward()
    assert (a.grad.item(), b.grad.item(), c.grad) == (2.0, 1.0, None)


def test_worked_numbers_of_the_curriculum():
    a, b, c = leaf(2.0), leaf(3.0), leaf(5.0)
    y = (a + b) * c
    y.backward()
    assert (y.item(), a.grad.item(), b.grad.item(), c.grad.item()) == (25.0, 5.0, 5.0, 5.0)
    x, w, b = leaf(2.0), leaf(3.0), leaf(1.0)
    ((w * x + b - 5) ** 2).backward()
    assert (w.grad.item(), x.grad.item(), b.grad.item()) == (8.0, 12.0, 4.0)


def test_worked_network_of_the_curriculum():
    x = pg.tensor([1.0, 0.5], dtype=pg.float64)
    w1, w2 = leaf([[0.3, 0.7], [-0.2, 0.4]]), leaf([[0.5, -0.3], [0.2, 0.6]])
    a1 = pg.sigmoid(w1 @ x)
    loss = pg.cross_entropy(w2 @ a1, pg.tensor(0))
    loss.backward()
    assert round(loss.item(), 6) == 0.827569
    np.testing.assert_allclose(array(w2.grad), [[-0.3698, -0.2814], [0.3698, 0.2814]], atol=5e-5)
    np.testing.assert_allclose(array(w1.grad), [[-0.0381, -0.0190], [0.1267, 0.0633]], atol=5.1e-5)


def test_chain_of_a_million_ops_differentiates_and_is_freed():
    x = leaf(1.0, "float32")
    y = x
    for _ in range(1_000_000 if not TORCH else 100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y  # by an iterative release: a recursive one overruns the stack here


def test_chain_that_saves_values_is_freed_without_a_walk():
    x = leaf(1.0)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    del y
    assert x.grad is None


def resident_bytes():
    statm = Path("/proc/self/statm")
    # Under a sanitizer freed memory is kept apart on purpose.
    if "PYGRAD_SANITIZE" in os.environ or not statm.exists():
        pytest.skip("nothing tells the resident size here")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_is_flat_over_many_steps():
    x = leaf([1.0, 2.0, 3.0, 4.0], "float32")

    def step():
        x.grad = None
        pg.tanh(x * 0.5 + 1.0).sum().backward()

    for _ in range(500):
        step()
    gc.collect()
    before = resident_bytes()
    for _ in range(20_000 if not TORCH else 5_000):
        step()
    # A leak of a single 4-element gradient a step would be 20,000 times 16 bytes and its record: above 1 MB.
    assert resident_bytes() - before < 500_000


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
