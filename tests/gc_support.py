"""What the tests of the garbage collector share: programs in an interpreter of their own, and witnesses."""

import gc
import os
import subprocess
import sys
import textwrap

import pytest

from pygrad import Value

STEPS = 2 if "PYGRAD_SANITIZE" in os.environ else 1  # a sanitized process is slow: divide long programs by it


def in_fresh_process(program: str, *options: str, **environment: str) -> str:
    """Run a program that has to end well and without a word on stderr; return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class Witness:
    """What a weak reference can watch, to tell when a graph has died."""


def square(x: Value, *more: object) -> Value:
    """The custom op as micrograd's users write it: a closure over its own output, which is a cycle."""
    out = Value(x.data * x.data, (x,), "square")

    def _backward() -> None:
        x.grad += 2 * x.data * out.grad
        assert more is not None

    out._backward = _backward
    return out


@pytest.fixture(autouse=True)
def no_garbage_of_others():
    gc.collect()
