"""One definition for a function and the method of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ._engine import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def method(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function whose first argument is a tensor a method of `Tensor` too."""
    setattr(Tensor, function.__name__, function)
    return function
