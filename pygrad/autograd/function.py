"""Operations whose gradient is written in Python."""

from __future__ import annotations

from typing import Any

from .._engine import Tensor, native
from .modes import is_grad_enabled, no_grad

__all__ = ["Function", "FunctionContext"]


class FunctionContext:
    """What forward and backward of a `Function` share.

    Attributes
    ----------
    saved_tensors : tuple of Tensor
        In backward: what forward gave to `save_for_backward`.
    needs_input_grad : tuple of bool
        For each argument of forward, whether its gradient is wanted.
    """

    saved_tensors: tuple[Any, ...] = ()
    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self, function: type[Function], arguments: tuple[Any, ...]) -> None:
        self._function = function
        self._where = [i for i, x in enumerate(arguments) if isinstance(x, Tensor)]
        self._shapes = [(x.shape, x.dtype) for x in arguments if isinstance(x, Tensor)]
        self._arguments = len(arguments)
        self._to_save: list[Tensor] = []
        self._plain: list[Tensor] = []
        self.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in arguments)

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep tensors, inputs or outputs, for backward, which notices when one was changed in place meanwhile."""
        for t in tensors:
            if not isinstance(t, Tensor):
                raise TypeError(f"save_for_backward takes Tensors, not {type(t).__name__}")
        self._to_save = list(tensors)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs have no gradient."""
        self._plain = list(outputs)

    def run_backward(self, saved: tuple[Any, ...], grads: tuple[Tensor, ...]) -> tuple[Any, ...]:
        """Return the gradients of the inputs that are tensors, checked; called by the engine."""
        name = self._function.__name__
        self.saved_tensors = saved
        try:
            found = self._function.backward(self, *grads)
        finally:
            self.saved_tensors = ()
        found = found if isinstance(found, tuple) else (found,)
        extra = found[self._arguments :]
        if len(found) < self._arguments or any(g is not None for g in extra):
            raise RuntimeError(
                f"{name}: backward returned {len(found)} gradients for {self._arguments} arguments of forward"
            )
        checked: list[Tensor | None] = []
        for i, g in enumerate(found[: self._arguments]):
            if i not in self._where:
                if g is not None:
                    raise RuntimeError(f"{name}: backward returned a gradient for argument {i}, which is no Tensor")
                continue
            checked.append(self._checked(name, i, g, *self._shapes[len(checked)]))
        return tuple(checked)

    def _checked(self, name: str, i: int, g: Any, shape: tuple[int, ...], dtype: Any) -> Tensor | None:
        if g is None or not self.needs_input_grad[i]:
            return None
        if not isinstance(g, Tensor):
            raise TypeError(f"{name}: backward returned a {type(g).__name__} as gradient {i}, a Tensor is wanted")
        if g.shape != shape:
            raise RuntimeError(
                f"{name}: backward returned an invalid gradient at index {i}: got {list(g.shape)} but expected shape "
                f"compatible with {list(shape)}"
            )
        return g if g.dtype == dtype else g.to(dtype)


class Function:
    """An operation whose gradient is written in Python. Subclass it, and call `apply`.

    ``forward(ctx, *args)`` computes, without recording, a tensor or a tuple of them. ``backward(ctx, *grads)`` is given
    the derivatives of the loss with respect to the outputs, and returns those with respect to each argument of forward,
    None for one that has none. `ctx` is a `FunctionContext`.

    Examples
    --------
    >>> import pygrad
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, gradient):
    ...         (x,) = ctx.saved_tensors
    ...         return gradient * 3 * x**2
    >>> x = pygrad.tensor([2.0], requires_grad=True)
    >>> Cube.apply(x).sum().backward()
    >>> x.grad
    tensor([12.])
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Return the outputs; written by each subclass."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients of the arguments; written by each subclass."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Return forward's outputs, recorded so that backward gives their gradients.

        Raises
        ------
        RuntimeError
            When forward has changed a computed argument in place, of which the argument's history does not tell.
        TypeError
            When it returns anything but Tensors.
        """
        context = FunctionContext(cls, args)
        versions = [x._version if isinstance(x, Tensor) else 0 for x in args]
        with no_grad():
            outputs = cls.forward(context, *args)
        for i, (x, version) in enumerate(zip(args, versions, strict=True)):
            if is_grad_enabled() and isinstance(x, Tensor) and x.grad_fn is not None and x._version != version:
                raise RuntimeError(
                    f"{cls.__name__}: forward changed argument {i}, a computed tensor of shape {list(x.shape)}, in "
                    "place, which its history does not tell: change a clone() of it"
                )
        results = outputs if isinstance(outputs, tuple) else (outputs,)
        for out in results:
            if not isinstance(out, Tensor):
                raise TypeError(f"{cls.__name__}: forward has to return Tensors, not {type(out).__name__}")
        if is_grad_enabled() and any(context.needs_input_grad):
            inputs = [x for x in args if isinstance(x, Tensor)]
            flags = [all(out is not plain for plain in context._plain) for out in results]
            results = native.function_outputs(context, cls.__name__, inputs, context._to_save, list(results), flags)
        context._to_save, context._plain = [], []
        return results if isinstance(outputs, tuple) else results[0]
