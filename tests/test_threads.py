"""Several threads, and several backward passes at once: exact or a RuntimeError, never a wrong number.

A pass holds the values that it has still to work on; another that meets one of them gives up. Only a rule written in
Python lets others run in the middle of a pass, so the tests meet there.
"""

import gc
import random
import threading
from collections.abc import Callable

import pytest
from threads_support import (
    SANITIZED,
    switching_often,  # noqa: F401
    with_rule,
)

from pygrad import Value, dot
from pygrad import sum as value_sum
from pygrad._engine import lib
from pygrad.nn import MLP

THREADS = 4


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
