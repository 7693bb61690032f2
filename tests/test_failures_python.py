"""Python's own allocations fail, or a machine has no more memory: MemoryError, everything usable."""

import os
import sys

import pytest
from processes import run

SANITIZED = "PYGRAD_SANITIZE" in os.environ


# ---- Python's own allocations --------------------------------------------------------------------------------------

PYTHON_FAILS = """
import gc
import sys
import _testcapi
import numpy as np
from fractions import Fraction
from pygrad import Value, functional
from pygrad._engine import lib
from pygrad.nn import Layer

x, y = Value(0.75), Value(2.0)
xs = [Value(1.0), Value(2.0)]
mixed = [x, 1.0, y]
pair = [x, 2]
layer = Layer(2, 2, seed=0)

class Node(Value):
    pass

def rule():
    pass

def attribute():
    v = Value(1.0)
    v.note = xs
    return v

def closure():
    v = Value(1.0, (x,))
    v._backward = rule
    return v

def text():
    v = x * 2
    v.label = "label"
    return v

def get_prev():
    return (x * y)._prev

operations = [
    lambda: x + y, lambda: x * 2, lambda: 2 ** x, lambda: x + Fraction(1, 2), lambda: x.tanh(), lambda: x ** 2,
    lambda: Value(1.0), lambda: Value(1.0, (x, y)), lambda: Value(1.0, xs, (1.0, 2.0)), lambda: Value(1.0, label="l"),
    lambda: Node(1.0), lambda: Node(1.0, {x, y}, "op", "label"), attribute, closure, text, get_prev,
    lambda: (x * y)._children, lambda: (x ** 3)._op, lambda: (x ** 2.5)._op, lambda: repr(x), lambda: x < 2,
    lambda: functional.sum(xs), lambda: functional.sum(mixed), lambda: functional.sum({x, y}),
    lambda: functional.dot(xs, (1.0, 2.0)), lambda: functional.dot(mixed, mixed),
    lambda: functional.logsumexp(mixed), lambda: layer(xs), lambda: layer((1.0, 2)), lambda: layer(pair),
    lambda: closure().backward(), lambda: vars(x * 2), lambda: (x * 2)._backward, lambda: layer.zero_grad(),
]
if sys.version_info >= (3, 13):  # which before leaks a list when there is no memory to copy it
    operations += [lambda: functional.sum(iter(mixed)), lambda: layer([x, 2])]

def attempt(operation, n):
    _testcapi.set_nomemory(n, n + 1)
    try:
        operation()
    except MemoryError:
        return 1
    finally:
        _testcapi.remove_mem_hooks()
    return 0

watched = [x, y, *xs, *layer.parameters()]
failed = 0
for number, operation in enumerate(operations):
    operation(), operation()
    for n in range(40):
        before = [sys.getrefcount(v) for v in watched]
        live = lib.pg_live_bytes()
        failed += attempt(operation, n)
        gc.collect(0)
        assert [sys.getrefcount(v) for v in watched] == before, (number, n)
        assert lib.pg_live_bytes() == live, (number, n)
        (x * y).backward()
        assert (x.data, y.data) == (0.75, 2.0)
print(failed)
"""


def test_python_may_run_out_of_memory_at_any_point():
    pytest.importorskip("_testcapi")
    assert int(run(PYTHON_FAILS)) > 50


@pytest.mark.parametrize("n", range(6))
def test_python_may_run_out_of_memory_at_the_first_call(n):
    """What is made once, such as the names of attributes, is made by the first call."""
    pytest.importorskip("_testcapi")
    run(
        f"""
        import _testcapi
        from pygrad import Value
        from pygrad.nn import Neuron

        x, neuron = Value(1.0), Neuron(1, seed=0, activation="leaky_relu")

        def set_data():
            x.data = 2.0

        for operation in set_data, lambda: neuron([x]):
            _testcapi.set_nomemory({n}, {n + 1})
            try:
                operation()
            except MemoryError:
                pass
            finally:
                _testcapi.remove_mem_hooks()
            operation()
        assert x.data == 2.0
        """
    )


# ---- a machine that has no more ------------------------------------------------------------------------------------


@pytest.mark.skipif(SANITIZED or sys.platform != "linux", reason="the sanitizer needs terabytes of addresses")
def test_interpreter_that_hits_its_limit_of_memory_stays_usable():
    out = run(
        """
        import gc
        import resource
        from pygrad import Value, sum as value_sum
        from pygrad._engine import lib

        def address_space():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[0]) * resource.getpagesize()

        live = lib.pg_live_bytes()
        limit = address_space() + (256 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for _ in range(3):
            x = Value(1.0)
            y, n = x, 0
            try:
                while True:
                    y = y + x
                    n += 1
            except MemoryError:
                pass
            assert n > 2_000_000, n
            try:
                y.backward()
                raise AssertionError("8 bytes a node were left")
            except MemoryError:
                pass
            assert x.grad == 0.0
            del y
            y = x
            for _ in range(100_000):
                y = y + x
            y.backward()
            assert x.grad == 100_001.0
            del y
        wide = [x] * 1_000_000
        rows = []
        try:
            while True:
                rows.append(value_sum(wide))
        except MemoryError:
            pass
        assert len(rows) > 10
        del rows
        gc.collect()
        value_sum(wide).backward()
        assert x.grad == 1_100_001.0
        assert lib.pg_live_bytes() <= live + (40 << 20)
        print("usable")
        """
    )
    assert out.strip() == "usable"
