"""One definition for a function and the method of the same name, and for the method that does the same in place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from ._engine import Tensor, native

P = ParamSpec("P")
R = TypeVar("R")


def method(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function whose first argument is a tensor a method of `Tensor` too."""
    setattr(Tensor, function.__name__, function)
    return function


def _add(function: Callable[..., Tensor], change: Callable[..., Tensor]) -> None:
    name = f"{function.__name__}_"

    @functools.wraps(function)
    def rewrite(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return change(name, function, self, *args, **kwargs)

    rewrite.__name__ = rewrite.__qualname__ = name
    rewrite.__doc__ = f"Do `{function.__name__}` in place."
    method(rewrite)


def in_place(function: Callable[..., Tensor]) -> None:
    """Add the method of `Tensor`, named with a ``_`` more, that puts what the function returns into the tensor.

    The tensor is overwritten last, after all checks: its shape and dtype have to hold the result. It takes over the
    history of the result; where that has none, what the tensor was before gets a gradient of 0.
    """
    _add(function, native.tensor_in_place)


def view_in_place(function: Callable[..., Tensor]) -> None:
    """Add the method of `Tensor`, named with a ``_`` more, that makes the tensor the view of it that is returned.

    The elements stay where they are, and other views as they were.
    """
    _add(function, native.tensor_view_in_place)
