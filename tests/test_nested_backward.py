"""A backward pass inside a rule, and what rules may do in the middle of one; forks there."""

import gc
import os

import pytest
from processes import run
from threads_support import (
    SANITIZED,
    switching_often,  # noqa: F401
    with_rule,
)

from pygrad import Value, dot
from pygrad import sum as value_sum

# ---- a backward() inside a rule ------------------------------------------------------------------------------------


def test_nested_pass_over_a_disjoint_graph_is_exact():
    x, inner = Value(2.0), Value(4.0)

    def rule() -> None:
        inner.grad = 0.0
        (inner * inner).backward()

    (with_rule(x, rule) * 5).backward()
    assert (x.grad, inner.grad) == (15.0, 8.0)


@pytest.mark.parametrize("caught", [True, False])
@pytest.mark.parametrize("at", ["itself", "a consumer", "an input", "a leaf", "the root"])
def test_nested_pass_over_an_overlapping_graph_is_refused_and_the_outer_one_stays_exact(at, caught):
    x = Value(2.0)
    below = x * 5
    errors: list[RuntimeError] = []

    def rule() -> None:
        try:
            {"itself": node, "a consumer": above, "an input": below, "a leaf": x, "the root": root}[at].backward()
        except RuntimeError as error:
            errors.append(error)
            if not caught:
                raise

    node = with_rule(below, rule)
    above = node * 7
    root = above + x
    if caught:
        root.backward()
        assert (x.grad, below.grad, node.grad, above.grad, root.grad) == (106.0, 21.0, 7.0, 1.0, 1.0)
    else:
        with pytest.raises(RuntimeError, match="another backward pass"):
            root.backward()
        assert len(errors) == 1
    # Usable afterwards, whatever was held.
    caught = True
    node._backward = lambda: setattr(below, "grad", below.grad + 3 * node.grad)
    for _ in range(2):
        x.grad = 0.0
        root.backward()
        assert (x.grad, below.grad, node.grad, above.grad, root.grad) == (106.0, 21.0, 7.0, 1.0, 1.0)


def test_rule_that_raises_leaves_every_node_free():
    x = Value(2.0)
    wide = [x * float(i) for i in range(20)]

    def rule() -> None:
        raise KeyError("no")

    bad = with_rule(value_sum(wide), rule)
    root = dot(wide, [bad] * 20)
    with pytest.raises(KeyError, match="no"):
        root.backward()
    x.grad = 0.0
    for v in wide:
        v.backward()
    assert x.grad == 190.0
    bad._backward = lambda: None
    x.grad = 0.0
    root.backward()
    assert x.grad == 190.0 * bad.data


def test_hundreds_of_nested_passes_end_in_a_runtime_error_and_leave_the_engine_usable():
    run(
        """
        import sys
        from pygrad import Value

        sys.setrecursionlimit(10_000)
        leaves = [Value(float(i)) for i in range(300)]
        depth = 0

        def nest(i):
            global depth
            out = Value(2 * leaves[i].data, (leaves[i],))
            def rule():
                global depth
                depth = max(depth, i)
                if i + 1 < len(leaves):
                    nest(i + 1).backward()
                leaves[i].grad += 2 * out.grad
            out._backward = rule
            return out

        for _ in range(2):
            try:
                nest(0).backward()
            except RuntimeError as error:
                assert "backward passes" in str(error), error
            else:
                raise AssertionError("300 passes at once")
        assert depth >= 200
        # A rule that fails has not run, and those around it failed with it.
        assert {v.grad for v in leaves} == {0.0}
        for v in leaves:
            (v * 2).backward()
        assert {v.grad for v in leaves} == {2.0}
        leaves[280:] = []
        del leaves[200:]
        for v in leaves:
            v.grad = 0.0
        nest(0).backward()
        assert {v.grad for v in leaves} == {2.0}
        """
    )


def test_recursion_error_of_python_comes_out_of_nested_passes():
    x = Value(2.0)

    def rule() -> None:
        nested = Value(1.0, (Value(1.0),))
        nested._backward = rule
        nested.backward()

    outer = Value(1.0, (x,))
    outer._backward = rule
    with pytest.raises(RuntimeError):
        outer.backward()
    (x * 2).backward()
    assert x.grad == 2.0


def test_rules_may_be_set_and_taken_off_in_the_middle_of_a_pass():
    x, y = Value(2.0), Value(3.0)
    called = []

    def rule() -> None:
        below._backward = lambda: (called.append("below"), setattr(x, "grad", x.grad + 5 * below.grad))
        x._backward = lambda: called.append("x")
        y._backward = None
        node._backward = None

    y._backward = lambda: called.append("y")
    below = x * 5
    node = with_rule(below, rule)
    (node * 2 + y).backward()
    assert x.grad == 30.0
    assert "below" in called
    x._backward = None
    x.grad = 0.0
    (x * 2).backward()
    assert x.grad == 2.0


def test_inputs_of_a_running_rule_may_be_let_go():
    def make() -> tuple[Value, Value]:
        x = Value(2.0)
        nodes = [x * 3]

        def rule() -> None:
            (node,) = nodes
            nodes.clear()
            node._prev.pop().grad += 3 * root_grad()
            gc.collect()

        nodes.append(Value(0.0, (nodes.pop(),)))
        nodes[0]._backward = rule
        root = nodes[0] * 7

        def root_grad() -> float:
            return 7.0

        return x, root

    x, root = make()
    root.backward()
    assert x.grad == 63.0


def test_fork_in_the_middle_of_a_pass_leaves_both_sides_working():
    if not hasattr(os, "fork") or SANITIZED:
        pytest.skip("needs fork")
    run(
        """
        import os, sys
        from pygrad import Value

        x = Value(2.0)
        out = Value(6.0, (x,))
        pid = None
        def rule():
            global pid
            pid = os.fork()
            x.grad += 3 * out.grad
        out._backward = rule
        (out * 2).backward()
        assert x.grad == 6.0
        (x * 5).backward()
        assert x.grad == 11.0
        if pid == 0:
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_values_of_a_pass_that_another_thread_was_in_are_free_in_a_forked_child():
    """The child has only the thread that forked, and the pass of the other one never ends there."""
    program = """
    import os, threading, warnings
    from pygrad import Value

    warnings.simplefilter("ignore")  # of a fork with threads, which is what this is about
    w = Value(2.0)
    y = w * 3
    inside, leave = threading.Event(), threading.Event()

    def rule():
        inside.set()
        leave.wait(30)
        w.grad += y.grad * 3

    y._backward = rule
    root = y + 1
    thread = threading.Thread(target=root.backward)
    thread.start()
    inside.wait(30)
    pid = os.fork()
    if pid == 0:
        w.grad = 0.0
        (w * 5).backward()
        z = w * 7
        for _ in range(300):
            z.backward()
        os._exit(0 if w.grad == 5.0 + 300 * 7.0 else 1)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert w.grad == 3.0
    """
    run(program)
