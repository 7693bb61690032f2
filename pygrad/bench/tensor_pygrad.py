"""The work by pygrad, written as one would."""

from __future__ import annotations

from typing import Any

import pygrad
from pygrad import Tensor, data, nn, optim
from pygrad.bench.tensor_contestants import TensorContestant, Work, calls
from pygrad.bench.tensor_problems import BATCH, CHAIN, Problem
from pygrad.losses import binary_cross_entropy_with_logits, cross_entropy


class ByPygrad(TensorContestant):
    """`pygrad.Tensor`, `nn`, `optim` and `data`; they work in the thread that calls them."""

    def prepare(self) -> None:
        """Do nothing."""

    def add(self, problem: Problem) -> Work:
        """Add the two arrays."""
        a, b = map(pygrad.tensor, problem.arrays)
        return Work("a + b", {"a": a.requires_grad_(), "b": b})

    def chain(self, problem: Problem) -> Work:
        """Multiply the first array by the second and add it, five times; return the gradient of the sum."""
        a, b = map(pygrad.tensor, problem.arrays)
        a.requires_grad_()

        def work() -> Tensor | None:
            a.grad = None
            x = a
            for _ in range(CHAIN):
                x = x * b + b
            x.sum().backward()
            return a.grad

        return calls(work)

    def step(self, problem: Problem) -> Work:
        """Take a training step on all samples: forward, backward, update; return the loss before it."""
        model, optimizer, criterion = _network(problem)
        X, y = pygrad.tensor(problem.arrays[0]), pygrad.tensor(problem.labels)

        def work() -> Tensor:
            optimizer.zero_grad()
            loss: Tensor = criterion(model(X), y)
            loss.backward()
            optimizer.step()
            return loss

        return calls(work)

    def matmul(self, problem: Problem) -> Work:
        """Multiply the two matrices."""
        a, b = map(pygrad.tensor, problem.arrays)
        return Work("a @ b", {"a": a, "b": b})

    def epoch(self, problem: Problem) -> Work:
        """Take a training step on every batch of shuffled samples; return the mean loss."""
        model, optimizer, criterion = _network(problem)
        n = len(problem.arrays[0])
        batches = data.DataLoader((problem.arrays[0], problem.labels), BATCH, shuffle=True, seed=0)

        def work() -> float:
            total = 0.0
            for X, y in batches:
                optimizer.zero_grad()
                loss = criterion(model(X), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
            return total / n

        return calls(work)


def _network(problem: Problem) -> tuple[nn.Module, optim.Optimizer, Any]:
    modules: list[nn.Module] = []
    for weight, bias in zip(problem.weights[::2], problem.weights[1::2], strict=True):
        modules += [nn.Linear.of(pygrad.tensor(weight), pygrad.tensor(bias)), nn.ReLU()]
    model = nn.Sequential(*modules[:-1])
    rule = optim.SGD if problem.optimizer == "sgd" else optim.Adam
    two_classes = problem.dims[-1] == 1
    criterion = binary_cross_entropy_with_logits if two_classes else cross_entropy
    return model, rule(model.parameters(), lr=problem.lr), criterion
