"""The step in numpy, with the gradients written by hand: all points at once, and no graph."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from pygrad.bench.contestant import Contestant
from pygrad.bench.workloads import ALPHA, Workload
from pygrad.reference.numpy_mlp import Array, NumpyMLP


def hinge(z: Array, t: Array) -> tuple[Array, Array]:
    """Return ``max(0, 1 - t * z)`` for each score, and the derivative of their mean with respect to the scores."""
    t = t.reshape(z.shape)
    losses = np.maximum(1.0 - t * z, 0.0)
    return losses, np.where(losses > 0.0, -t, 0.0) / z.size


class NumpyByHand(Contestant):
    """`pygrad.reference.NumpyMLP`, to which the loss of the two-moons classifier is added here.

    The terms of the loss are computed with their derivative, once, in the backward part.

    Parameters
    ----------
    workload : Workload
    """

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.net = NumpyMLP(workload.sizes, loss="bce_with_logits")
        self.loss_and_slope = hinge if workload.hinge else self.net.loss_and_slope
        self.net.loss_and_slope = self._loss_and_slope
        self.X, self.y = np.array(workload.X), np.array(workload.y)
        self.output: Any = None
        self.cache: list[Array] = []
        self.grads: dict[str, Array] = {}
        self.mean_loss = 0.0

    def _loss_and_slope(self, z: Array, t: Array) -> tuple[Array, Array]:
        losses, slope = self.loss_and_slope(z, t)
        self.mean_loss = float(losses.mean())
        return losses, slope

    def reset(self) -> None:
        """Set the parameters to the workload's first ones."""
        flat = np.array(self.workload.weights)
        for layer, (n, m) in enumerate(pairwise(self.workload.sizes), start=1):
            block, flat = flat[: m * (n + 1)].reshape(m, n + 1), flat[m * (n + 1) :]
            self.net.params[f"W{layer}"] = block[:, :n].copy()
            self.net.params[f"b{layer}"] = block[:, n].copy()

    def forward(self) -> None:
        """Compute the output and the accuracy."""
        self.output, self.cache = self.net.forward(self.X)
        self.accuracy = ((self.output[:, 0] > 0) == (self.y > 0)).mean()

    def backward(self) -> None:
        """Compute the loss and the gradient of every parameter."""
        self.grads = self.net.backward(self.cache, self.y)
        if self.workload.hinge:
            for name, p in self.net.params.items():
                self.mean_loss += ALPHA * float(np.vdot(p, p))
                self.grads[name] += (2.0 * ALPHA) * p

    def free(self) -> None:
        """Let go of the outputs of the layers."""
        self.output, self.cache = None, []

    def update(self, rate: float) -> None:
        """Take a step of gradient descent."""
        self.net.update(self.grads, lr=rate)

    def loss(self) -> float:
        """Return the loss."""
        return self.mean_loss
