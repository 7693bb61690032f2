"""Hooks on gradients, and functions whose gradient is written in Python."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from tensor_backend import TORCH, array, leaf, ours, pg

Function = pg.autograd.Function


def values(t):
    return array(t).tolist()


# ---- hooks ----------------------------------------------------------------------------------------------------------


def test_hook_of_a_leaf_replaces_the_gradient_before_it_is_added():
    x = leaf([1.0, 2.0])
    x.grad = leaf([100.0, 100.0]).detach()
    x.register_hook(lambda g: g * 10)
    (x * x).sum().backward()
    assert values(x.grad) == [120.0, 140.0]


def test_hook_of_a_result_replaces_what_goes_on_to_its_inputs():
    x = leaf([1.0, 2.0])
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(values(g)))
    y.register_hook(lambda g: -g)
    (y * y).sum().backward()
    assert seen == [[6.0, 12.0]]
    assert values(x.grad) == [-18.0, -36.0]


def test_hook_sees_the_whole_gradient_of_a_tensor_that_is_used_twice():
    x = leaf([1.0])
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(values(g)))
    (y * 3 + y * 4).sum().backward()
    assert seen == [[7.0]]


def test_hooks_run_in_the_order_of_registration_and_until_they_are_removed():
    x = leaf([1.0])
    order = []
    first = x.register_hook(lambda g: order.append(1))
    x.register_hook(lambda g: order.append(2))
    x.sum().backward()
    first.remove()
    first.remove()
    x.sum().backward()
    assert order == [1, 2, 2]
    with x.register_hook(lambda g: order.append(3)):
        x.sum().backward()
    x.sum().backward()
    assert order == [1, 2, 2, 2, 3, 2]


def test_hook_survives_the_tensor_object_it_was_registered_on():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.register_hook(lambda g: g * 0)
    total = y.sum()
    del y
    gc.collect()
    total.backward()
    assert values(x.grad) == [0.0, 0.0]


def test_hook_is_seen_by_gradients_of_chosen_inputs():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.register_hook(lambda g: g * 2)
    (g,) = pg.autograd.grad(y.sum(), x)
    assert values(g) == [6.0, 6.0]


def test_what_a_hook_raises_comes_out_and_the_graph_can_be_walked_again():
    x = leaf([1.0])
    y = x * 3
    handle = y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert x.grad is None
    handle.remove()
    (y * 1).sum().backward()
    assert values(x.grad) == [3.0]


@pytest.mark.parametrize("wrong", [1.0, "a"])
def test_hook_has_to_return_a_tensor_or_nothing(wrong):
    x = leaf([1.0])
    x.register_hook(lambda g: wrong)
    with pytest.raises((TypeError, RuntimeError)):
        x.sum().backward()


def test_hook_has_to_keep_the_shape():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match="hook"):
        x.sum().backward()


def test_hooks_need_a_gradient():
    with pytest.raises(RuntimeError, match="register"):
        pg.ones(2).register_hook(lambda g: None)
    with pytest.raises(RuntimeError, match="leaf"):
        (leaf([1.0]) * 2).register_post_accumulate_grad_hook(lambda t: None)


def test_hook_may_run_another_backward():
    x, z = leaf([1.0]), leaf([2.0])

    def hook(g):
        with pg.enable_grad():
            (z * z).sum().backward()

    y = x * 3
    y.register_hook(hook)
    y.sum().backward()
    assert values(x.grad) == [3.0]
    assert values(z.grad) == [4.0]


def test_post_accumulate_hook_gets_the_leaf_with_its_gradient():
    x = leaf([1.0, 2.0])
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, values(t.grad))))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen == [(True, [2.0, 2.0]), (True, [4.0, 4.0])]


def test_optimiser_in_a_post_accumulate_hook_updates_the_parameter():
    x = leaf([1.0])

    def step(t):
        with pg.no_grad():
            t -= 0.5 * t.grad
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * 4).sum().backward()
    assert values(x) == [-1.0]
    assert x.grad is None


def test_graph_with_hooks_is_freed():
    class Witness:
        def __call__(self, g):
            return None

    x, witness = leaf([1.0]), Witness()
    y = x * 2
    y.register_hook(witness)
    reference = weakref.ref(witness)
    del witness, y
    gc.collect()
    assert reference() is None


# ---- functions ------------------------------------------------------------------------------------------------------


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class ExpAndDouble(Function):
    """Two outputs; one of them is saved."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y, x * 2

    @staticmethod
    def backward(ctx, g_exp, g_double):
        (y,) = ctx.saved_tensors
        return g_exp * y + g_double * 2


class Scale(Function):
    """An argument that is no tensor."""

    @staticmethod
    def forward(ctx, x, factor, unused=None):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None, None


def test_function_differentiates():
    x = leaf([2.0, -1.0])
    y = Cube.apply(x)
    assert values(y) == [8.0, -1.0]
    assert y.grad_fn.name() == "CubeBackward"
    y.sum().backward()
    assert values(x.grad) == [12.0, 3.0]


def test_function_is_part_of_a_larger_graph():
    x = leaf([2.0])
    (Cube.apply(x * 2) * 3).sum().backward()
    assert values(x.grad) == [3 * 3 * 16.0 * 2]


def test_function_with_second_derivatives():
    x = leaf([2.0])
    (g,) = pg.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    (h,) = pg.autograd.grad(g.sum(), x)
    assert values(h) == [12.0]


def test_function_of_several_outputs():
    x = leaf([0.5])
    a, b = ExpAndDouble.apply(x)
    (a * 3 + b).sum().backward()
    np.testing.assert_allclose(array(x.grad), [3 * np.exp(0.5) + 2], rtol=1e-15)


def test_output_that_nothing_depends_on_gives_zeros():
    x = leaf([0.5])
    _, b = ExpAndDouble.apply(x)
    b.sum().backward()
    assert values(x.grad) == [2.0]


def test_function_with_arguments_that_are_no_tensors():
    x = leaf([1.0, 2.0])
    Scale.apply(x, 5.0, "unused").sum().backward()
    assert values(x.grad) == [5.0, 5.0]


def test_function_of_what_wants_no_gradient_is_not_recorded():
    x = leaf([1.0])
    assert not Cube.apply(x.detach()).requires_grad
    with pg.no_grad():
        assert not Cube.apply(x).requires_grad


@ours("the gradients are wrong there, unless forward says mark_dirty")
@pytest.mark.parametrize("change", [lambda t: t.mul_(3), lambda t: t[:1].fill_(0), lambda t: t.zero_()])
def test_function_that_changes_a_computed_argument_is_refused(change):
    class Changes(Function):
        @staticmethod
        def forward(ctx, a, b):
            change(b)
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, g

    x = pg.ones(2, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="Changes: forward changed argument 1"):
        Changes.apply(x * 2, x * 2)
    with pytest.raises(RuntimeError, match="in place"):
        pg.autograd.checkpoint(change, x * 2)
    buffer = pg.ones(2, 2)
    Changes.apply(x * 2, buffer).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_function_notices_that_a_saved_tensor_was_changed():
    x = leaf([1.0, 2.0])
    y = x * 1
    z = Cube.apply(y)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_function_runs_backward_once_unless_the_graph_is_kept():
    x = leaf([1.0])
    y = Cube.apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert values(x.grad) == [6.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def function_with(backward):
    class Made(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

    Made.backward = staticmethod(backward)
    return Made


@pytest.mark.parametrize(
    ("backward", "error"),
    [
        (lambda ctx, g: g, RuntimeError),  # one gradient for two
        (lambda ctx, g: (g, g, g), RuntimeError),
        (lambda ctx, g: (g.sum(), g), RuntimeError),  # of another shape
        (lambda ctx, g: ("a", g), (TypeError, RuntimeError)),
        (lambda ctx, g: 1 / 0, ZeroDivisionError),
    ],
)
def test_wrong_gradients_of_a_function_are_refused(backward, error):
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    with pytest.raises(error):
        function_with(backward).apply(a, b).sum().backward()


def test_function_may_give_no_gradient_for_an_input():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    function_with(lambda ctx, g: (None, g)).apply(a, b).sum().backward()
    assert a.grad is None
    assert values(b.grad) == [1.0, 1.0]


def test_needs_input_grad_says_what_is_wanted():
    asked = []

    def backward(ctx, g):
        asked.append(tuple(ctx.needs_input_grad))
        return g, g

    function_with(backward).apply(leaf([1.0]), leaf([2.0]).detach()).sum().backward()
    assert asked == [(True, False)]


def test_output_marked_non_differentiable_has_no_gradient():
    class Sorted(Function):
        @staticmethod
        def forward(ctx, x):
            count = (x > 0).to(pg.float64)
            ctx.mark_non_differentiable(count)
            return x * 2, count

        @staticmethod
        def backward(ctx, g, unused):
            return g * 2

    y, count = Sorted.apply(leaf([1.0, -1.0]))
    assert y.requires_grad
    assert not count.requires_grad


def test_graph_of_a_function_is_freed():
    class Witness:
        pass

    witness = Witness()

    class Holding(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.held = witness
            y = x * 2
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf([1.0])
    y = Holding.apply(x)
    reference = weakref.ref(y)
    del y
    gc.collect()
    assert reference() is None


@ours("it asks for a static method")
def test_function_without_backward_is_refused():
    class Half(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with pytest.raises(NotImplementedError, match="backward"):
        Half.apply(leaf([1.0])).sum().backward()


def test_forward_has_to_return_tensors():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return "a"

    if TORCH:
        pytest.skip("PyTorch passes other objects through")
    with pytest.raises(TypeError, match="Wrong"):
        Wrong.apply(leaf([1.0]))
