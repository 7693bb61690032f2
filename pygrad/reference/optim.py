"""Optimisers over lists of values, with PyTorch's equations and defaults."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from pygrad.reference._ieee import divide
from pygrad.reference.engine import Value


class Optimizer:
    """What the optimisers share: the list of parameters, and `zero_grad`.

    Examples
    --------
    >>> w = Value(1.0)
    >>> w.grad = 3.0
    >>> Optimizer([w], lr=0.1).zero_grad()
    >>> w.grad
    0.0
    """

    def __init__(self, params: Iterable[Value], lr: float) -> None:
        self.params = list(params)
        if not self.params:
            raise ValueError("the optimiser got an empty list of parameters")
        self.lr = lr

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.params:
            p.grad = 0.0


class SGD(Optimizer):
    """Stochastic gradient descent with momentum mu, dampening tau and weight decay lambda.

    With g = dL/dp + lambda p,

        b = g at the first step, then mu b + (1 - tau) g
        p = p - lr b                (nesterov: p - lr (g + mu b); no momentum: p - lr g)

    Examples
    --------
    >>> w = Value(1.0)
    >>> w.grad = 3.0
    >>> SGD([w], lr=0.1).step()
    >>> round(w.data, 12)
    0.7
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
        if nesterov and (momentum <= 0.0 or dampening != 0.0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        self.momentum, self.dampening = momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov
        self.b: list[float] | None = None

    def step(self) -> None:
        """Change every parameter by its gradient."""
        mu, tau = self.momentum, self.dampening
        gs = [p.grad + self.weight_decay * p.data for p in self.params]
        if mu != 0.0:
            old = self.b
            self.b = gs if old is None else [mu * b + (1.0 - tau) * g for b, g in zip(old, gs, strict=True)]
            gs = [g + mu * b for g, b in zip(gs, self.b, strict=True)] if self.nesterov else self.b
        for p, g in zip(self.params, gs, strict=True):
            p.data -= self.lr * g


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015, algorithm 1): running means of the gradient and its square scale the step.

    With g = dL/dp + lambda p, at step t = 1, 2, ...

        m = beta1 m + (1 - beta1) g         v = beta2 v + (1 - beta2) g**2
        p = p - lr (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    The divisions by 1 - beta**t undo the pull of the start, m = v = 0. Weight decay lambda is part of the
    gradient here; AdamW is the variant where it is not.

    Examples
    --------
    >>> w = Value(5.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> for w.grad in [2.0, 1.5, 3.0]:
    ...     optimizer.step()
    ...     print(f"{w.data:.6f}")
    4.900000
    4.801742
    4.704050
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
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.t = 0
        self.m = [0.0] * len(self.params)
        self.v = [0.0] * len(self.params)

    def step(self) -> None:
        """Change every parameter by its gradient."""
        beta1, beta2 = self.betas
        self.t += 1
        for i, p in enumerate(self.params):
            g = p.grad + self.weight_decay * p.data
            self.m[i] = beta1 * self.m[i] + (1.0 - beta1) * g
            self.v[i] = beta2 * self.v[i] + (1.0 - beta2) * (g * g)
            m_hat = self.m[i] / (1.0 - beta1**self.t)
            v_hat = self.v[i] / (1.0 - beta2**self.t)
            p.data -= self.lr * divide(m_hat, sqrt(v_hat) + self.eps)
