"""Trading time for memory: what a part of a computation saves is computed again when backward needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._engine import Tensor, native
from .function import Function
from .modes import enable_grad, is_grad_enabled

__all__ = ["checkpoint"]


class CheckpointFunction(Function):
    @staticmethod
    def forward(ctx: Any, fn: Callable[..., Any], *inputs: Any) -> Any:
        ctx.fn = fn
        ctx.others = [None if isinstance(x, Tensor) else x for x in inputs]
        ctx.save_for_backward(*(x for x in inputs if isinstance(x, Tensor)))
        return fn(*inputs)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if is_grad_enabled():
            raise RuntimeError("checkpoint: a gradient through a checkpoint cannot be differentiated in turn")
        saved = iter(ctx.saved_tensors)
        wanted = ctx.needs_input_grad[1:]
        inputs = []
        for other, want in zip(ctx.others, wanted, strict=True):
            tensor = next(saved).detach() if other is None else other
            inputs.append(tensor.requires_grad_() if want else tensor)
        with enable_grad():
            outputs = ctx.fn(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        total = None
        for out, g in zip(outputs, grads, strict=True):
            if out.requires_grad:
                with enable_grad():
                    part = (out * g).sum()
                    total = part if total is None else total + part
        if total is not None:
            native.tensor_backward(total, None, 0)
        return None, *(x.grad if want else None for x, want in zip(inputs, wanted, strict=True))


def checkpoint(fn: Callable[..., Any], *inputs: Any) -> Any:
    """Return ``fn(*inputs)`` without keeping what its gradient needs; backward calls `fn` once more to get that.

    A chain of n steps in k checkpoints holds n/k steps at a time instead of n, for one more forward pass.

    Parameters
    ----------
    fn : callable
        Returns a tensor or a tuple of them; the same both times: it draws no random numbers.
    inputs : Tensor or anything
        At least one tensor that requires a gradient, or nothing is recorded. Parameters that `fn` finds elsewhere get
        their gradients in backward.

    Raises
    ------
    RuntimeError
        In backward, when the gradient is to be differentiated in turn (`create_graph`), or an input was changed in
        place.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x * 2).exp(), x).sum().backward()
    >>> x.grad
    tensor([ 14.7781, 109.1963])
    """
    return CheckpointFunction.apply(fn, *inputs)
