"""Hooks: functions that see, or replace, gradients on their way."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, Self

from .._engine import Tensor, native
from .._method import method

__all__ = ["RemovableHandle"]

_ids = itertools.count()


class RemovableHandle:
    """What takes a hook off again: `remove()`, or the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks = hooks
        self._key = key

    def remove(self) -> None:
        """Take the hook off; nothing happens the second time."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def _add(t: Tensor, hook: Callable[..., Any], post: bool) -> RemovableHandle:
    hooks, key = native.tensor_hooks(t, post), next(_ids)
    hooks[key] = hook
    return RemovableHandle(hooks, key)


@method
def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Let `hook` see, or replace, the gradient of this tensor in every backward pass, before it goes on.

    Hooks run in the order in which they were registered, once the whole gradient has arrived, and before a leaf adds it
    to its `grad`. A hook that refers to its own tensor keeps it alive until it is removed.

    Parameters
    ----------
    hook : callable
        From the gradient to None, or to the gradient to go on with, of the same shape and dtype.

    Raises
    ------
    RuntimeError
        When the tensor requires no gradient. What a hook raises stops the backward pass and comes out unchanged.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0], requires_grad=True)
    >>> handle = x.register_hook(lambda gradient: gradient * 10)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([20., 40.])
    >>> handle.remove()
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: cannot register a hook on a tensor that doesn't require gradient")
    return _add(self, hook, False)


@method
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Call `hook` with this leaf each time a backward pass has added to its `grad`.

    Raises
    ------
    RuntimeError
        When the tensor requires no gradient, or is no leaf.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0], requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
    >>> (x * 3).sum().backward()
    tensor([3.])
    """
    if not self.requires_grad:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: cannot register a hook on a tensor that doesn't require gradient"
        )
    if not self.is_leaf:
        raise RuntimeError("register_post_accumulate_grad_hook: post accumulate grad hooks are for leaf tensors")
    reference = weakref.ref(self)

    def call() -> None:
        leaf = reference()
        if leaf is not None:
            hook(leaf)

    return _add(self, call, True)
