"""The work by PyTorch, line by line that of `tensor_pygrad`."""

from __future__ import annotations

import importlib
from typing import Any

from pygrad.bench.tensor_contestants import TensorContestant, Work, calls
from pygrad.bench.tensor_problems import BATCH, CHAIN, Problem


class ByTorch(TensorContestant):
    """`torch`, with a number of threads.

    Batches are gathered by one index operation each: its DataLoader, made for other sizes of samples, would take longer
    than the training.
    """

    def __init__(self, threads: int) -> None:
        self.torch: Any = importlib.import_module("torch")
        self.threads = threads

    def prepare(self) -> None:
        """Set the number of threads."""
        self.torch.set_num_threads(self.threads)

    def add(self, problem: Problem) -> Work:
        """Add the two arrays."""
        a, b = map(self.torch.tensor, problem.arrays)
        return Work("a + b", {"a": a.requires_grad_(), "b": b})

    def chain(self, problem: Problem) -> Work:
        """Multiply the first array by the second and add it, five times; return the gradient of the sum."""
        a, b = map(self.torch.tensor, problem.arrays)
        a.requires_grad_()

        def work() -> Any:
            a.grad = None
            x = a
            for _ in range(CHAIN):
                x = x * b + b
            x.sum().backward()
            return a.grad

        return calls(work)

    def step(self, problem: Problem) -> Work:
        """Take a training step on all samples: forward, backward, update; return the loss before it."""
        model, optimizer, criterion = self._network(problem)
        X, y = self.torch.tensor(problem.arrays[0]), self.torch.tensor(problem.labels)

        def work() -> Any:
            optimizer.zero_grad()
            loss = criterion(model(X), y)
            loss.backward()
            optimizer.step()
            return loss

        return calls(work)

    def matmul(self, problem: Problem) -> Work:
        """Multiply the two matrices."""
        a, b = map(self.torch.tensor, problem.arrays)
        return Work("a @ b", {"a": a, "b": b})

    def epoch(self, problem: Problem) -> Work:
        """Take a training step on every batch of shuffled samples; return the mean loss."""
        model, optimizer, criterion = self._network(problem)
        samples, labels = map(self.torch.from_numpy, (problem.arrays[0], problem.labels))
        n = len(samples)

        def work() -> float:
            total = 0.0
            order = self.torch.randperm(n)
            for start in range(0, n, BATCH):
                chosen = order[start : start + BATCH]
                X, y = samples[chosen], labels[chosen]
                optimizer.zero_grad()
                loss = criterion(model(X), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
            return total / n

        return calls(work)

    def _network(self, problem: Problem) -> tuple[Any, Any, Any]:
        torch, nn = self.torch, self.torch.nn
        modules = []
        for weight, bias in zip(problem.weights[::2], problem.weights[1::2], strict=True):
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
            modules += [layer, nn.ReLU()]
        model = nn.Sequential(*modules[:-1])
        rule = torch.optim.SGD if problem.optimizer == "sgd" else torch.optim.Adam
        criterion = nn.BCEWithLogitsLoss() if problem.dims[-1] == 1 else nn.CrossEntropyLoss()
        return model, rule(model.parameters(), lr=problem.lr), criterion
