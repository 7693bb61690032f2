"""What runs when values die: destructors that revive, build, free and collect; long chains."""

import gc
import sys
import weakref

import pytest
from gc_support import (
    STEPS,
    Witness,
    in_fresh_process,
    no_garbage_of_others,  # noqa: F401
    square,
)

from pygrad import Value
from pygrad._engine import lib

# ---- destructors ----------------------------------------------------------------------------------------------------


def test_destructors_of_subclasses_run_once_each():
    died = []

    class Mortal(Value):
        def __del__(self) -> None:
            died.append(self.data)

    v = Mortal(0.0)
    for i in range(1, 1000):
        v = Mortal(float(i), (v * 2, Value(1.0)))
    del v
    assert died == [float(i) for i in reversed(range(1000))]


def test_resurrected_node_is_whole():
    saved = []

    class Undead(Value):
        def __del__(self) -> None:
            saved.append(self)

    x = Value(3.0)
    y = Undead(9.0, (x,), (6.0,))
    z = y * 2 + x
    del y, z
    (y,) = saved
    saved.clear()
    y.backward()
    assert (x.grad, y.grad, y._prev) == (6.0, 1.0, {x})
    (y * 2).backward()
    assert x.grad == 18.0
    type(y).__del__ = lambda self: None
    del y
    assert sys.getrefcount(x) == 2


def test_node_resurrected_out_of_a_cycle_is_whole():
    saved = []

    class Undead(Value):
        def __del__(self) -> None:
            saved.append(self)

    def build() -> None:
        y = Undead(4.0, (Value(2.0),))
        y._backward = lambda: y

    build()
    gc.collect()
    (y,) = saved
    y._backward()
    y.backward()
    assert y.grad == 1.0
    saved.clear()
    type(y).__del__ = lambda self: None


def test_destructor_may_build_differentiate_and_free_graphs():
    results = []

    class Worker:
        def __del__(self) -> None:
            x = Value(2.0)
            y = x
            for _ in range(1000):
                y = y + x
            y.backward()
            results.append(x.grad)

    v = Value(1.0)
    for _ in range(200):
        w = v * 2
        w.worker = Worker()
        v = w + Value(1.0)
    del w, v
    assert results == [1001.0] * 200


def test_nodes_that_wait_for_their_death_cannot_be_seen():
    """While one input of a dying node dies, its destructor asks the collector for everything that it knows."""
    out = in_fresh_process(
        """
        import gc
        from pygrad import Value

        seen = []

        class Spy:
            def __del__(self):
                seen.extend(o for o in gc.get_objects() if isinstance(o, Value))

        class Node(Value):
            def __del__(self):
                seen.extend(o for o in gc.get_objects() if type(o) is Value)

        for kind in Value, Node:
            inputs = [Value(float(i)) for i in range(5)] + [kind(7.0)]
            for v in inputs:
                v.spy = Spy()
            parent = Value(0.0, inputs)
            del inputs, v
            del parent
        others = [Value(-1.0) for _ in range(100)]
        gc.collect()
        print([type(v) for v in seen if type(v) is Value])
        """
    )
    assert out.strip() == "[]"


def test_destructor_may_run_the_collector():
    class Collector:
        def __del__(self) -> None:
            gc.collect()

    v = Value(1.0)
    for _ in range(100):
        v = square(v * 0.1)
        v.collector = Collector()
        side = v + 1
        side.collector = Collector()
        v = v + side
    v.backward()
    live = lib.pg_live_bytes()
    del v, side
    gc.collect()
    assert lib.pg_live_bytes() <= live


@pytest.mark.parametrize(
    "link",
    [
        "node._backward = types.MethodType(print, last)",
        "node._backward = functools.partial(print, last)",
        "node._backward = (lambda last: lambda: last)(last)",
        "node._backward = last._backward",
        "node.next = last",
        "node.next = [last]",
        "node.next = types.MethodType(print, last)",
        "node.next = types.CellType(last)",
        "node.next = (last * 2).tanh()",
        "node = Node(1.0, (last,))",
        "node = Node(1.0, (last * 2, last))",
        "node = Node(1.0); node._backward = types.MethodType(print, last)",
        "node = Node(1.0); node.next = last",
        "node = Mortal(1.0, (last * 2, last))",
    ],
)
def test_long_chains_of_all_kinds_die_without_overflow(link):
    """200,000 links, none of which may cost a level of recursion of the C stack."""
    out = in_fresh_process(
        f"""
        import functools, gc, types
        from pygrad import Value

        class Node(Value):
            pass

        class Mortal(Value):
            died = 0
            def __del__(self):
                Mortal.died += 1

        last = Value(0.0)
        for _ in range({200_000 // STEPS}):
            node = Value(1.0)
            {link}
            last = node
        del node
        del last
        gc.collect()
        print(sum(isinstance(o, Value) for o in gc.get_objects()), Mortal.died)
        """
    )
    assert out.split() == ["0", str(200_000 // STEPS) if "Mortal" in link else "0"]


def test_deep_chain_of_custom_ops_is_collected():
    alive = weakref.WeakSet()
    v = Value(1.0)
    for i in range(20_000):
        witness = Witness()
        if i % 100 == 0:
            alive.add(witness)
        v = square(v, witness)
    assert len(alive) == 200
    del v, witness
    gc.collect()
    assert len(alive) == 0
