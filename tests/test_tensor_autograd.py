"""The rules of the graph of tensors: who wants a gradient, what backward leaves behind, shapes of graphs."""

from __future__ import annotations

import gc
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from tensor_backend import TORCH, array, grad, leaf, pg, refused

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
