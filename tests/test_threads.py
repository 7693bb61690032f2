"""Several threads, and several backward passes at once: exact or a RuntimeError, never a wrong number.

A pass holds the values that it has still to work on; another that meets one of them gives up. Only a rule written in
Python lets others run in the middle of a pass, so the tests meet there.
"""

import gc
import os
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator

import pytest

from pygrad import Value, dot
from pygrad import sum as value_sum
from pygrad._engine import lib
from pygrad.nn import MLP

SANITIZED = "PYGRAD_SANITIZE" in os.environ
THREADS = 4


def in_fresh_process(program: str) -> None:
    """Run a program that has to end well and without a word on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")


def in_threads(work: Callable[[int], object], n: int = THREADS) -> list[object]:
    """Run work(0) to work(n - 1) at once and return their results; an error in one is an error here."""
    results: list[object] = [None] * n
    errors: list[BaseException] = []
    barrier = threading.Barrier(n)

    def target(i: int) -> None:
        try:
            barrier.wait()
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=target, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error
    return results


@pytest.fixture(autouse=True)
def switching_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def with_rule(x: Value, rule: Callable[[], object] = lambda: None) -> Value:
    """3 * x, by a closure that calls `rule` in the middle of the walk, before it reads its own gradient."""
    out = Value(3 * x.data, (x,), "pause")

    def _backward() -> None:
        rule()
        x.grad += 3 * out.grad

    out._backward = _backward
    return out


# ---- graphs of their own -------------------------------------------------------------------------------------------


def work_of_its_own(seed: int) -> list[float]:
    """Build, differentiate and free graphs of every kind; return all that came out."""
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1, 1)) for _ in range(6)]
    results = []
    for step in range(5 if SANITIZED else 60):
        nodes = list(leaves)
        for _ in range(150):
            a, b = rng.choice(nodes), rng.choice(nodes)
            kind = rng.randrange(7)
            if kind == 0:
                nodes.append((a + b) * 0.5)
            elif kind == 1:
                nodes.append(a * b - 0.125)
            elif kind == 2:
                nodes.append(a.tanh())
            elif kind == 3:
                nodes.append(value_sum(rng.choices(nodes, k=5)) * 0.1)
            elif kind == 4:
                nodes.append(dot(rng.choices(nodes, k=4), rng.choices(nodes, k=4)).tanh())
            elif kind == 5:
                nodes.append(with_rule(a) * 0.25)
                nodes[-1].note = [step]
            else:
                del nodes[rng.randrange(len(leaves), len(nodes) + 1) :]
        value_sum(nodes).backward()
        results += [v.grad for v in leaves] + [v.data for v in nodes]
    return results


def test_threads_with_graphs_of_their_own_are_exact():
    alone = [work_of_its_own(seed) for seed in range(THREADS)]
    assert in_threads(work_of_its_own) == alone


def test_threads_return_their_memory():
    in_threads(work_of_its_own)
    gc.collect()
    live = lib.pg_live_bytes()
    for _ in range(3):
        in_threads(work_of_its_own)
    gc.collect()
    assert lib.pg_live_bytes() <= live + (2 << 20)


def test_nodes_may_be_freed_by_another_thread():
    def make(i: int) -> list[Value]:
        leaves = [Value(float(i + j)) for j in range(10)]
        nodes = list(leaves)
        for j in range(5_000):
            nodes.append(nodes[-1] * 0.5 + nodes[j % len(nodes)])
            if j % 50 == 0:
                nodes[-1] = with_rule(nodes[-1])
        return nodes

    made: list[list[Value]] = in_threads(make)  # type: ignore[assignment]

    def free(i: int) -> None:
        nodes = made[(i + 1) % THREADS]
        made[(i + 1) % THREADS] = []
        random.Random(i).shuffle(nodes)
        while nodes:
            nodes.pop()
            if len(nodes) % 100 == 0:
                Value(1.0) * 2

    in_threads(free)
    gc.collect()
    x = Value(1.0)
    (x * 2).backward()
    assert x.grad == 2.0


def test_graph_may_be_built_here_and_differentiated_there():
    def build(i: int) -> tuple[Value, Value]:
        x = Value(2.0)
        y = x
        for _ in range(1000):
            y = with_rule(y) * (1 / 3) + 1
        return x, y

    graphs = in_threads(build)
    in_threads(lambda i: graphs[(i + 1) % THREADS][1].backward())  # type: ignore[index]
    for x, _ in graphs:  # type: ignore[misc]
        assert x.grad == pytest.approx(1.0, rel=1e-12)


# ---- shared parameters ----------------------------------------------------------------------------------------------


def test_two_passes_over_shared_leaves_are_each_exact_or_refused():
    """Every pass that returns has added its whole contribution, and a refused one nothing."""
    shared = [Value(0.5) for _ in range(8)]

    def work(i: int) -> int:
        passes = 0
        for _ in range(20 if SANITIZED else 300):
            total = value_sum(shared)
            try:
                (with_rule(total, lambda: list(range(50))) + total).backward()
            except RuntimeError as error:
                assert "another backward pass" in str(error)
            else:
                passes += 1
        return passes

    passes = sum(in_threads(work))  # type: ignore[arg-type]
    assert passes > 0
    assert {p.grad for p in shared} == {4.0 * passes}


def test_models_may_share_parameters_between_threads():
    model = MLP(3, [4, 1], activation="tanh", seed=0)
    x = [0.5, -1.0, 2.0]
    model(x).backward()
    once = [p.grad for p in model.parameters()]
    model.zero_grad()
    # No Python code runs in these passes, so none can meet another, and each adds the same numbers.
    in_threads(lambda i: [model(x).backward() for _ in range(8)])
    assert [p.grad for p in model.parameters()] == pytest.approx([32 * g for g in once], rel=1e-12)


class Meeting:
    """A pass in another thread that stops in the middle of a rule, until it is told to go on."""

    def __init__(self) -> None:
        self.inside, self.go = threading.Event(), threading.Event()
        self.errors: list[BaseException] = []

    def rule(self) -> None:
        self.inside.set()
        assert self.go.wait(60)

    def start(self, root: Value) -> None:
        def target() -> None:
            try:
                root.backward()
            except BaseException as error:
                self.errors.append(error)

        self.thread = threading.Thread(target=target)
        self.thread.start()
        assert self.inside.wait(60)

    def finish(self) -> None:
        self.go.set()
        self.thread.join()
        assert self.errors == []


def test_pass_that_meets_a_sleeping_one_is_refused_and_harms_neither():
    x, y = Value(2.0), Value(5.0)
    meeting = Meeting()
    middle = with_rule(x, meeting.rule)
    first = middle * y
    second = x * y * 7
    meeting.start(first)
    with pytest.raises(RuntimeError, match="another backward pass"):
        second.backward()
    assert x.grad == 0.0
    meeting.finish()
    assert (x.grad, y.grad) == (15.0, 6.0)
    second.backward()
    assert (x.grad, y.grad) == (15.0 + 35.0, 6.0 + 14.0)


@pytest.mark.parametrize("at", ["the sleeping node", "a node above it", "a node below it", "a leaf below it"])
def test_refused_pass_leaves_every_gradient_of_the_sleeping_one_exact(at):
    x = Value(2.0)
    below = x * 5
    meeting = Meeting()
    sleeping = with_rule(below, meeting.rule)
    above = sleeping * 7
    first = above + x
    meeting.start(first)
    node = {"the sleeping node": sleeping, "a node above it": above, "a node below it": below, "a leaf below it": x}[at]
    with pytest.raises(RuntimeError, match="another backward pass"):
        (node * 11).backward()
    with pytest.raises(RuntimeError, match="another backward pass"):
        node.backward()
    meeting.finish()
    assert (below.grad, x.grad) == (21.0, 106.0)
    assert (first.grad, above.grad, sleeping.grad) == (1.0, 1.0, 7.0)


def test_pass_over_what_the_sleeping_one_may_have_finished_is_exact_or_refused():
    x, y = Value(2.0), Value(3.0)
    meeting = Meeting()
    sleeping = with_rule(x, meeting.rule)
    other = y * 5  # whether it comes first is the engine's affair
    first = other + sleeping * 7
    meeting.start(first)
    passes = 2
    try:
        other.backward()
    except RuntimeError:
        passes = 1
    meeting.finish()
    assert (x.grad, y.grad) == (21.0, 5.0 * passes)
    assert other.grad == 1.0


def test_disjoint_graphs_pass_a_sleeping_one():
    x = Value(2.0)
    meeting = Meeting()
    meeting.start(with_rule(x, meeting.rule) * 2)
    for seed in range(2):
        work_of_its_own(seed)
    y = Value(1.0)
    (y * y * y).backward()
    assert y.grad == 3.0
    meeting.finish()
    assert x.grad == 6.0


def test_graph_may_be_extended_and_dropped_while_a_pass_sleeps_in_it():
    x = Value(2.0)
    meeting = Meeting()
    sleeping = with_rule(x * 1.0, meeting.rule)
    root = sleeping * 2
    meeting.start(root)
    more = [sleeping * i + root for i in range(100)]
    del root, sleeping, more
    gc.collect()
    meeting.finish()
    assert x.grad == 6.0


def test_values_may_be_freed_while_a_destructor_of_another_thread_sleeps():
    """Its memory comes back at once: no thread waits for another's destructors."""
    inside, go = threading.Event(), threading.Event()

    class Slow:
        def __del__(self) -> None:
            inside.set()
            go.wait(60)

    def free_slowly() -> None:
        v = Value(1.0)
        v.slow = Slow()
        w = v * 2
        del v
        del w

    thread = threading.Thread(target=free_slowly)
    thread.start()
    assert inside.wait(60)

    class Witness:
        died = 0

        def __del__(self) -> None:
            Witness.died += 1

    for _ in range(10):
        v = Value(1.0)
        v.witness = Witness()
        for _ in range(100):
            v = v * 2
        del v
    died = Witness.died
    go.set()
    thread.join()
    assert died == 10


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
    in_fresh_process(
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
    in_fresh_process(
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
    in_fresh_process(program)
