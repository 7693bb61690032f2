"""Adam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._engine import Tensor, native
from ..value import Value
from .optimizer import Optimizer, checked

__all__ = ["Adam"]


class Adam(Optimizer):
    """Adam.

    With g the gradient plus ``weight_decay * p`` and t the number of the step, from 1::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    Algorithm 1 of the paper, eps outside the square root of the corrected moment; not the paper's variant with
    "epsilon hat". Each tensor counts its own steps, those at which it has a gradient.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of Value
        Leaves, all of one kind.
    lr, eps, weight_decay : float
        As above.
    betas : (float, float)
        beta1 and beta2.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`.

    References
    ----------
    D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> p = Value(5.0)
    >>> optimizer = Adam([p], lr=0.1)
    >>> for gradient in 2.0, 1.5, 3.0:
    ...     p.grad = gradient
    ...     optimizer.step()
    >>> round(p.data, 6)
    4.70405
    """

    settings = ("lr", "betas", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.betas = (checked("beta1", betas[0], 0.0, 1.0), checked("beta2", betas[1], 0.0, 1.0))
        self.eps = checked("eps", eps)
        self.weight_decay = checked("weight_decay", weight_decay)

    def _state_names(self) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _update_values(self, step: int, params: list[Value], *states: NDArray[np.float64]) -> None:
        m, v = states
        native.adam_step(params, step, m, v, self.lr, *self.betas, self.eps, self.weight_decay)

    def _update_tensors(self, step: int, params: list[Tensor], *states: list[Tensor]) -> None:
        m, v = states
        native.tensor_adam_step(params, m, v, step, self.lr, *self.betas, self.eps, self.weight_decay)
