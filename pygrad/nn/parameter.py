"""The tensors that training changes."""

from __future__ import annotations

from typing import Any

from .._engine import Tensor, native
from ..creation import tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A leaf tensor that a `Module` finds among its attributes.

    Parameters
    ----------
    data : Tensor or array_like
        The start values. A Tensor lends its memory, whatever graph it came from; anything else is copied.
    requires_grad : bool
        Whether `backward` computes its gradient.

    Raises
    ------
    RuntimeError
        When gradients are wanted of whole numbers or booleans.

    Examples
    --------
    >>> w = Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> w.grad.tolist()
    [2.0, -4.0]
    """

    def __new__(cls, data: Any, requires_grad: bool = True) -> Parameter:
        """Return a parameter that holds `data`."""
        source = data if isinstance(data, Tensor) else tensor(data)
        parameter: Parameter = native.tensor_subclass(cls, source, requires_grad)
        return parameter

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
