"""Automatic differentiation on the CPU: exact, small, and in C underneath.

>>> from pygrad import Value
>>> a, b, c = Value(2.0), Value(3.0), Value(5.0)
>>> loss = (a + b) * c
>>> loss.backward()
>>> loss.data, a.grad, b.grad, c.grad
(25.0, 5.0, 5.0, 5.0)
"""

from __future__ import annotations

from typing import Any

from . import data, functional, init, nn, optim, random
from ._version import __version__
from .functional import *  # noqa: F403
from .value import Value

# Not the functions: `from pygrad import *` shall leave Python's sum alone.
__all__ = [
    "Value",
    "__version__",
    "data",
    "draw",
    "functional",
    "init",
    "nn",
    "optim",
    "random",
]


def draw(value: Value, max_nodes: int = 200) -> Any:
    """Draw the graph behind a value: shown by itself in a notebook; see `pygrad.viz.draw`."""
    from .viz import draw

    return draw(value, max_nodes=max_nodes)
