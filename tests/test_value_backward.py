"""`Value.backward()`, and `_backward`: run by hand, and set to rules of one's own."""

from __future__ import annotations

import gc
import itertools
import math

import pytest
from value_support import closure_op, gradients, identity

import pygrad
from pygrad import Value, reference

# ---- backward -------------------------------------------------------------------------------------------------------


def test_a_value_used_twice_sums_over_both_paths():
    a, b = Value(2.0), Value(3.0)
    y = (a + b) * (a - b) + a * a
    assert gradients([a, b], y) == [2 * 2.0 + 2 * 2.0, -2 * 3.0]


def test_second_backward_does_not_feed_interior_gradients_again():
    x = Value(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0  # a leaf accumulates until it is reset


def test_gradients_of_leaves_accumulate_over_graphs():
    x, z = Value(3.0), Value(5.0)
    (x * x).backward()
    (x * z).backward()
    assert (x.grad, z.grad) == (6.0 + 5.0, 3.0)


def test_graphs_that_share_an_interior_node_are_exact_one_after_the_other():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared.exp()
    assert gradients([x], first) == [12.0]
    assert shared.grad == 3.0
    assert gradients([x], second) == [4 * math.exp(4.0)]
    assert shared.grad == math.exp(4.0)
    assert gradients([x], shared) == [4.0]


def test_backward_of_a_leaf_sets_its_gradient_to_one():
    x = Value(7.0)
    x.grad = 5.0
    assert x.backward() is None
    assert (x.data, x.grad) == (7.0, 1.0)


def test_gradients_of_interior_nodes_are_there_to_look_at():
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    s = a + b
    y = s * c
    y.backward()
    assert (y.grad, s.grad, a.grad, b.grad, c.grad) == (1.0, 5.0, 5.0, 5.0, 5.0)


def test_values_outside_the_graph_are_not_touched():
    a, b = Value(2.0), Value(3.0)
    other = a * b
    other.grad = 42.0
    b.grad = 7.0
    (a * 2).backward()
    assert (other.grad, b.grad, a.grad) == (42.0, 7.0, 2.0)


def test_data_changed_in_between_is_read_where_inputs_are_and_not_where_outputs_are():
    x = Value(3.0)
    squared, exponential = x * x, x.exp()
    x.data = 5.0
    assert gradients([x], squared) == [10.0]
    assert gradients([x], exponential) == [math.exp(3.0)]


def test_chain_of_two_hundred_thousand_is_an_ordinary_graph():
    x = Value(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1e-6
    assert y.data == pytest.approx(1.2, rel=1e-9)
    y.backward()
    assert x.grad == 1.0
    del y  # and dies without recursion

    x = y = Value(1.0)
    for _ in range(50_000):
        y = y * y if y.data > 1.5 else y + x  # shared inputs: two references each
        y.data = 1.0
    y.backward()
    assert math.isfinite(x.grad)


def test_wide_graph_with_one_leaf_sums_all_paths():
    x = Value(2.0)
    y = sum((x * i for i in range(1, 1001)), Value(0.0))
    assert gradients([x], y) == [500500.0]


# ---- _backward by hand ----------------------------------------------------------------------------------------------


def test_backward_can_be_run_node_by_node():
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    e = a * b
    d = e + c
    t = d.tanh()
    t.grad = 1.0
    for node in (t, d, e, c, b, a):
        assert node._backward() is None
    slope = 1 - math.tanh(4.0) ** 2
    assert (d.grad, e.grad, c.grad) == (slope, slope, slope)
    assert (a.grad, b.grad) == (-3.0 * slope, 2.0 * slope)
    e._backward()
    assert a.grad == 2 * -3.0 * slope  # it adds


def test_backward_of_every_kind_of_node_can_be_called_by_hand():
    x, w = Value(0.5), Value(0.25)
    nodes = [
        x + w, x - w, x * w, x / w, x**w, x**2, 2**x, -x, x.gelu(), pygrad.sum([x, w, 1]), pygrad.dot([x, 1], [w, w]),
        pygrad.logsumexp([x, w]), Value(1.0, (x, w), (3.0, 4.0)), Value(1.0, (x,), "inert"), x,
    ]  # fmt: skip
    for node in nodes:
        by_engine = gradients([x, w], node)
        for leaf in (x, w):
            leaf.grad = 0.0
        node.grad = 1.0
        node._backward()
        if node is not x:
            assert [x.grad, w.grad] == by_engine


def test_backward_takes_no_arguments_and_remembers_its_node():
    x = Value(3.0)
    y = x * x
    rule = y._backward
    with pytest.raises(TypeError):
        rule(1)
    y.grad = 2.0
    rule()
    assert x.grad == 12.0
    del y
    rule()  # keeps its node alive
    assert x.grad == 24.0


def test_closure_takes_part_in_backward_as_an_interior_node():
    x = Value(0.5)
    y = closure_op(x * 3, math.sin, math.cos) ** 2
    assert y.data == math.sin(1.5) ** 2
    assert gradients([x], y) == [pytest.approx(3 * 2 * math.sin(1.5) * math.cos(1.5), rel=1e-15)]


def test_chain_of_closures_and_own_ops_sums_over_all_paths():
    x = Value(0.3)
    y = x
    for _ in range(50):
        y = closure_op(y, math.sin, math.cos) + x * y
    twin = reference.Value(0.3)
    t = twin
    for _ in range(50):
        t = t.sin() + twin * t
    t.backward()
    assert y.data == pytest.approx(t.data, rel=1e-14)
    assert gradients([x], y) == [pytest.approx(twin.grad, rel=1e-13)]


def test_closure_on_a_leaf_runs_when_its_gradient_is_whole():
    x = Value(3.0)
    seen = []
    x._backward = lambda: seen.append(x.grad)
    (x * x + x).backward()
    assert seen == [7.0]


def test_closure_on_the_root_and_on_a_root_that_is_a_leaf_runs_once():
    x = Value(3.0)
    root = x * 1
    calls = []
    root._backward = lambda: calls.append(root.grad)
    root.backward()
    assert calls == [1.0]
    assert x.grad == 0.0  # the closure replaced the rule
    lonely = Value(1.0)
    lonely._backward = lambda: calls.append(lonely.grad)
    lonely.backward()
    assert calls == [1.0, 1.0]


def test_closure_can_wrap_the_rule_that_was_there():
    x = Value(3.0)
    y = x * x
    rule, log = y._backward, []

    def wrapped():
        log.append(y.grad)
        rule()

    y._backward = wrapped
    assert y._backward is wrapped
    (2 * y).backward()
    assert (log, x.grad) == ([2.0], 12.0)


def test_closure_can_be_replaced_and_taken_away():
    x = Value(3.0)
    y = x * x
    y._backward = lambda: setattr(x, "grad", x.grad + 100.0)
    assert gradients([x], y) == [100.0]
    y._backward = lambda: setattr(x, "grad", x.grad + 200.0)
    assert gradients([x], y) == [200.0]
    y._backward = None
    assert gradients([x], y) == [6.0]
    y._backward = lambda: None
    assert gradients([x], y) == [0.0]
    del y._backward
    assert gradients([x], y) == [6.0]


@pytest.mark.parametrize("junk", [3, "x", [], Value(1.0)], ids=identity)
def test_what_cannot_be_called_is_no_closure(junk):
    y = Value(3.0) * 2
    with pytest.raises(TypeError, match=r"_backward has to be callable"):
        y._backward = junk


class Stop(Exception):
    pass


def test_closure_that_raises_stops_the_walk_and_its_error_comes_out_unchanged():
    x, below = Value(2.0), []
    inner = x * x
    deeper = closure_op(inner, lambda d: d, lambda d: below.append(d) or 1.0)
    y = deeper * 3
    error = Stop("reason", 42)
    rule = y._backward

    def fail():
        raise error

    y._backward = fail
    z = y + 1
    for _ in range(3):
        with pytest.raises(Stop) as caught:
            z.backward()
        assert caught.value is error
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        assert "fail" in [entry.name for entry in caught.traceback]
    assert below == [] and x.grad == 0.0  # nothing behind it ran

    y._backward = rule
    z.backward()
    assert x.grad == 12.0  # exact, as if nothing had happened
    assert gradients([x], (x * 5).exp()) == [5 * math.exp(10.0)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration])
def test_no_kind_of_exception_is_swallowed(error):
    x = Value(2.0)
    y = x * 1

    def fail():
        raise error

    y._backward = fail
    with pytest.raises(error):
        (y * 2).backward()
    assert gradients([x], x * x) == [4.0]


def test_failure_in_one_branch_leaves_every_node_usable():
    leaves = [Value(0.1 * i + 0.5) for i in range(6)]
    twins = [reference.Value(v.data) for v in leaves]
    explode = [True]

    def fragile(x):
        def slope(data):
            if explode[0]:
                raise Stop
            return math.cos(data)

        return closure_op(x, math.sin, slope)

    y = sum((fragile(a * b) * a + b.exp() for a, b in itertools.pairwise(leaves)), Value(0.0))
    t = sum(((a * b).sin() * a + b.exp() for a, b in itertools.pairwise(twins)), reference.Value(0.0))
    with pytest.raises(Stop):
        y.backward()
    explode[0] = False
    t.backward()
    for actual, twin in zip(gradients(leaves, y), twins, strict=True):
        assert actual == pytest.approx(twin.grad, rel=1e-14)


def test_backward_inside_a_closure_on_another_graph_is_exact():
    x = Value(2.0)
    inner_results = []
    out = Value(x.data * 10, (x,), "solve")

    def _backward():
        t = Value(3.0)
        (t * t).backward()
        inner_results.append(t.grad)
        x.grad += 10 * out.grad

    out._backward = _backward
    y = out * out
    assert gradients([x], y) == [10 * 2 * 20.0]
    assert inner_results == [6.0]


def test_backward_inside_a_closure_on_the_same_graph_is_exact_or_a_runtime_error():
    x = Value(2.0)
    shared = x * x
    out = Value(shared.data, (shared,), "again")
    errors = []

    def _backward():
        try:
            (shared * 3).backward()
        except RuntimeError as error:
            errors.append(str(error))
        shared.grad += out.grad

    out._backward = _backward
    y = out + shared * 5
    y.backward()
    if errors:
        assert "backward" in errors[0]
        assert x.grad == 6 * 4.0  # the refused walk has changed nothing
    else:
        assert x.grad == 6 * 4.0 + 3 * 4.0
    out._backward = lambda: setattr(shared, "grad", shared.grad + out.grad)
    assert gradients([x], y) == [24.0]


def test_backward_of_the_very_root_inside_its_closure_is_exact_or_a_runtime_error():
    x = Value(2.0)
    y = x * 3
    rule = y._backward

    def _backward():
        y._backward = rule
        y.backward()
        rule()

    y._backward = _backward
    z = y * 1
    try:
        z.backward()
    except RuntimeError:
        y._backward = rule
        assert gradients([x], z) == [3.0]
    else:
        assert x.grad in (3.0, 6.0)


def test_runtime_error_of_a_nested_walk_that_is_not_caught_comes_out():
    x = Value(2.0)
    y = x * 3
    z = y + y * x
    y._backward = lambda: z.backward()
    try:
        z.backward()
    except RuntimeError as error:
        assert "backward" in str(error)
    y._backward = None
    assert gradients([x], z) == [3.0 + 2 * 3 * 2.0]


def test_graph_that_grows_while_backward_runs_is_exact():
    x = Value(2.0)
    grown = []
    out = Value(4.0, (x,), "grow")

    def _backward():
        grown.append((x * out).exp() + 1)  # uses nodes that the walk holds
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    assert gradients([x], out * 3) == [12.0]
    (node,) = grown
    assert gradients([x], node)[0] != 0.0


def test_closure_may_drop_the_last_reference_to_the_graph():
    x = Value(2.0)
    holder = []
    out = Value(4.0, (x,), "square")

    def _backward():
        holder.clear()
        gc.collect()
        x.grad += 4.0 * out.grad

    out._backward = _backward
    holder.append(out * 5)
    holder[0].backward()
    assert x.grad == 20.0
