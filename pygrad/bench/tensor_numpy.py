"""The work in numpy, with the gradients written by hand and no graph."""

from __future__ import annotations

import numpy as np

from pygrad.bench.machine import set_blas_threads
from pygrad.bench.tensor_contestants import TensorContestant, Work, calls
from pygrad.bench.tensor_problems import BATCH, CHAIN, Problem
from pygrad.reference.numpy_mlp import Array, NumpyMLP


class ByNumpy(TensorContestant):
    """`pygrad.reference.NumpyMLP` in float32.

    Parameters
    ----------
    threads : int or None
        Of numpy's linear algebra; None leaves them as they are.
    """

    def __init__(self, threads: int | None) -> None:
        self.threads = threads

    def prepare(self) -> None:
        """Set the number of threads."""
        set_threads = set_blas_threads()
        if self.threads is not None and set_threads is not None:
            set_threads(self.threads)

    def add(self, problem: Problem) -> Work:
        """Add the two arrays; nothing is recorded."""
        a, b = problem.arrays
        return Work("a + b", {"a": a, "b": b})

    def chain(self, problem: Problem) -> Work:
        """Multiply the first array by the second and add it, five times; return the gradient of the sum."""
        a, b = problem.arrays

        def work() -> Array:
            x = a
            for _ in range(CHAIN):
                x = x * b + b
            x.sum()
            grad = np.ones_like(a)
            for _ in range(CHAIN):
                grad = grad * b
            return grad

        return calls(work)

    def step(self, problem: Problem) -> Work:
        """Take a training step on all samples: forward, backward, update; return the loss before it."""
        trainer = _Trainer(problem)
        X, y = problem.arrays[0], problem.labels
        assert y is not None
        return calls(lambda: trainer.step(X, y))

    def matmul(self, problem: Problem) -> Work:
        """Multiply the two matrices."""
        a, b = problem.arrays
        return Work("a @ b", {"a": a, "b": b})

    def epoch(self, problem: Problem) -> Work:
        """Take a training step on every batch of shuffled samples; return the mean loss."""
        trainer = _Trainer(problem)
        samples, labels = problem.arrays[0], problem.labels
        assert labels is not None
        rng, n = np.random.default_rng(0), len(samples)

        def work() -> float:
            total = 0.0
            order = rng.permutation(n)
            for start in range(0, n, BATCH):
                chosen = order[start : start + BATCH]
                total += trainer.step(samples[chosen], labels[chosen]) * len(chosen)
            return total / n

        return calls(work)


class _Trainer:
    """The network and, for Adam, its moments."""

    def __init__(self, problem: Problem) -> None:
        loss = "bce_with_logits" if problem.dims[-1] == 1 else "cross_entropy"
        self.net = NumpyMLP(problem.dims, loss=loss, dtype=np.float32)
        names = [f"{kind}{layer + 1}" for layer in range(self.net.n_layers) for kind in "Wb"]
        self.net.params = {name: array.copy() for name, array in zip(names, problem.weights, strict=True)}
        self.lr, self.adam, self.steps = problem.lr, problem.optimizer == "adam", 0
        self.moments = {name: (np.zeros_like(p), np.zeros_like(p)) for name, p in self.net.params.items()}
        self.mean_loss = 0.0
        self.loss_and_slope = self.net.loss_and_slope
        self.net.loss_and_slope = self._noting_the_loss

    def _noting_the_loss(self, z: Array, t: Array) -> tuple[Array, Array]:
        losses, slope = self.loss_and_slope(z, t)
        self.mean_loss = float(losses.mean())
        return losses, slope

    def step(self, X: Array, y: Array) -> float:
        _, cache = self.net.forward(X)
        grads = self.net.backward(cache, y)
        if self.adam:
            self._adam(grads)
        else:
            self.net.update(grads, lr=self.lr)
        return self.mean_loss

    def _adam(self, grads: dict[str, Array]) -> None:
        """Update by the equations and defaults of `pygrad.optim.Adam`."""
        self.steps += 1
        size = self.lr / (1 - 0.9**self.steps)
        correction = np.sqrt(1 - 0.999**self.steps)
        for name, g in grads.items():
            m, v = self.moments[name]
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * (g * g)
            self.net.params[name] -= size * m / (np.sqrt(v) / correction + 1e-8)
