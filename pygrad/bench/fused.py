"""The step as pygrad offers it: one node per neuron, one per sum, one call per update."""

from __future__ import annotations

from pygrad import Value, functional, nn, optim
from pygrad.bench.contestant import Contestant
from pygrad.bench.nodes import count_nodes
from pygrad.bench.workloads import ALPHA, Workload


class Fused(Contestant):
    """`pygrad.nn`, `pygrad.functional` and `pygrad.optim`, on inputs that are plain numbers.

    Parameters
    ----------
    workload : Workload
    """

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        nin, *nouts = workload.sizes
        self.model = nn.scalar.MLP(nin, nouts)
        self.params = self.model.parameters()
        self.optimizer = optim.SGD(self.params, lr=workload.first_rate)
        self.total: Value | None = None
        self.kept: list[Value] = []

    def reset(self) -> None:
        """Set the parameters to the workload's first ones, and their gradients to 0."""
        for p, weight in zip(self.params, self.workload.weights, strict=True):
            p.data = weight
        self.optimizer.zero_grad()

    def _loss(self) -> Value:
        y = self.workload.y
        scores = [self.model(x) for x in self.workload.X]
        self.accuracy = sum((t > 0) == (s.data > 0) for t, s in zip(y, scores, strict=True)) / len(y)
        if not self.workload.hinge:
            losses = [functional.binary_cross_entropy_with_logits(s, t) for t, s in zip(y, scores, strict=True)]
            return functional.sum(losses) * (1.0 / len(losses))
        losses = [functional.margin_loss(s, t) for t, s in zip(y, scores, strict=True)]
        return functional.sum(losses) * (1.0 / len(losses)) + ALPHA * functional.dot(self.params, self.params)

    def forward(self) -> None:
        """Compute the loss and the accuracy."""
        self.total = self._loss()

    def backward(self) -> None:
        """Compute the gradient of every value."""
        assert self.total is not None
        self.total.backward()

    def free(self) -> None:
        """Let go of the graph."""
        self.total = None

    def update(self, rate: float) -> None:
        """Take a step of gradient descent, and set the gradients to 0."""
        self.optimizer.lr = rate
        self.optimizer.step()
        self.optimizer.zero_grad()

    def loss(self) -> float:
        """Return the loss."""
        assert self.total is not None
        return float(self.total.data)

    def nodes(self) -> int:
        """Return how many values the graph has."""
        return count_nodes(self._loss())

    def forward_and_keep(self, times: int) -> None:
        """Compute the loss several times over and keep the graphs."""
        self.kept += [self._loss() for _ in range(times)]
