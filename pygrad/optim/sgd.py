"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._engine import Tensor, native
from ..value import Value
from .optimizer import Optimizer, checked

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent.

    With g the gradient plus ``weight_decay * p``::

        m = g                                        at the first step
        m = momentum * m + (1 - dampening) * g       at later ones
        p = p - lr * m                               or, nesterov:
        p = p - lr * (g + momentum * m)

    PyTorch's form of momentum: the learning rate multiplies m, not g, and the first step is not dampened. The first
    step of a tensor is the first one at which it has a gradient.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of Value
        Leaves, all of one kind.
    lr, momentum, dampening, weight_decay : float
        As above.
    nesterov : bool
        As above; needs momentum, and no dampening.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep
    learning", ICML 2013 (which multiplies the gradient by lr before it enters m).

    Examples
    --------
    >>> p = Value(5.0)
    >>> optimizer = SGD([p], lr=0.1)
    >>> p.grad = 2.0
    >>> optimizer.step()
    >>> p.data
    4.8
    """

    settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = checked("momentum", momentum)
        self.dampening = float(dampening)
        self.weight_decay = checked("weight_decay", weight_decay)
        self.nesterov = bool(nesterov)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _state_names(self) -> tuple[str, ...]:
        return ("momentum_buffer",) if self.momentum else ()

    def _update_values(self, step: int, params: list[Value], *states: NDArray[np.float64]) -> None:
        m = states[0] if states else None
        native.sgd_step(params, step, m, self.lr, self.momentum, self.dampening, self.weight_decay, self.nesterov)

    def _update_tensors(self, step: int, params: list[Tensor], *states: list[Tensor]) -> None:
        m = states[0] if states else None
        native.tensor_sgd_step(
            params, m, step == 1, self.lr, self.momentum, self.dampening, self.weight_decay, self.nesterov
        )
