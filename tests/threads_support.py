"""What the tests of several threads and passes share."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from pygrad import Value

SANITIZED = "PYGRAD_SANITIZE" in os.environ


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
