"""Optimisers, sorted by complexity, with PyTorch's equations and defaults."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .._engine import native
from ..value import Value

__all__ = ["SGD", "Adam", "Optimizer"]


def _check(name: str, value: float, low: float = 0.0, high: float = float("inf")) -> float:
    if not low <= value < high:
        raise ValueError(f"{name} has to be in [{low:g}, {high:g}), not {value}")
    return float(value)


class Optimizer:
    """What all optimisers share: the parameters and the count of steps."""

    def __init__(self, params: Iterable[Value], lr: float) -> None:
        self.params = list(params)
        if not self.params:
            raise ValueError("optimizer got an empty parameter list")
        for p in self.params:
            if not isinstance(p, Value):
                raise TypeError(f"parameters have to be Values, not {p!r} of type {type(p).__name__}")
            if p._children:
                raise ValueError(f"can't optimize a non-leaf Value: {p!r} was made by {p._op!r}")
        self.lr = _check("lr", lr)
        self.steps = 0

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        native.zero_grad(self.params)

    def step(self) -> None:
        """Update the parameters by their gradients."""
        self._update(self.steps + 1)
        self.steps += 1

    def _update(self, step: int) -> None:
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent.

    With g the gradient plus ``weight_decay * p``::

        m = g                                        at the first step
        m = momentum * m + (1 - dampening) * g       at later ones
        p = p - lr * m                               or, nesterov:
        p = p - lr * (g + momentum * m)

    PyTorch's form of momentum: the learning rate multiplies m, not g, and the first step is not dampened.

    Parameters
    ----------
    params : iterable of Value
        Leaves.
    lr, momentum, dampening, weight_decay : float
        As above.
    nesterov : bool
        As above; needs momentum, and no dampening.

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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = _check("momentum", momentum)
        self.dampening = float(dampening)
        self.weight_decay = _check("weight_decay", weight_decay)
        self.nesterov = bool(nesterov)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        self._m = np.zeros(len(self.params)) if momentum else None

    def _update(self, step: int) -> None:
        decay = self.weight_decay
        native.sgd_step(self.params, step, self._m, self.lr, self.momentum, self.dampening, decay, self.nesterov)


class Adam(Optimizer):
    """Adam.

    With g the gradient plus ``weight_decay * p`` and t the number of the step, from 1::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    Algorithm 1 of the paper, eps outside the square root of the corrected moment; not the paper's variant with
    "epsilon hat".

    Parameters
    ----------
    params : iterable of Value
        Leaves.
    lr, eps, weight_decay : float
        As above.
    betas : (float, float)
        beta1 and beta2.

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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.betas = (_check("beta1", betas[0], 0.0, 1.0), _check("beta2", betas[1], 0.0, 1.0))
        self.eps = _check("eps", eps)
        self.weight_decay = _check("weight_decay", weight_decay)
        self._m = np.zeros(len(self.params))
        self._v = np.zeros(len(self.params))

    def _update(self, step: int) -> None:
        decay = self.weight_decay
        native.adam_step(self.params, step, self._m, self._v, self.lr, *self.betas, self.eps, decay)
