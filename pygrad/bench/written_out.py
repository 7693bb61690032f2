"""micrograd's own code, with the class of its values left open: one text for `pygrad.Value` and for pure Python.

`Neuron` to `MLP` are micrograd's nn.py, and `two_moons_loss` is the loss of its demo notebook. Only the weights come
from outside, so that all contestants start alike, and data are lists of Python's floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pygrad.bench.contestant import Contestant
from pygrad.bench.nodes import count_nodes
from pygrad.bench.workloads import Workload

Scalar: TypeAlias = Any  # a value of either engine


class Module:
    """What has parameters."""

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        for p in self.parameters():
            p.grad = 0

    def parameters(self) -> list[Scalar]:
        """Return all parameters."""
        return []


class Neuron(Module):
    """A weighted sum, written out."""

    def __init__(self, Value: Any, weights: Iterator[float], nin: int, nonlin: bool = True) -> None:
        self.w = [Value(next(weights)) for _ in range(nin)]
        self.b = Value(next(weights))
        self.nonlin = nonlin

    def __call__(self, x: list[Scalar]) -> Scalar:
        """Return the output."""
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)  # noqa: B905
        return act.relu() if self.nonlin else act

    def parameters(self) -> list[Scalar]:
        """Return the weights and the bias."""
        return [*self.w, self.b]


class Layer(Module):
    """Neurons side by side."""

    def __init__(self, Value: Any, weights: Iterator[float], nin: int, nout: int, **kwargs: Any) -> None:
        self.neurons = [Neuron(Value, weights, nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: list[Scalar]) -> Any:
        """Return the outputs, or the only one."""
        out = [n(x) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Scalar]:
        """Return those of all neurons."""
        return [p for n in self.neurons for p in n.parameters()]


class MLP(Module):
    """Layers one after the other."""

    def __init__(self, Value: Any, weights: Iterator[float], nin: int, nouts: list[int]) -> None:
        sz = [nin, *nouts]
        self.layers = [Layer(Value, weights, sz[i], sz[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))]

    def __call__(self, x: Any) -> Any:
        """Return the outputs, or the only one."""
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Scalar]:
        """Return those of all layers."""
        return [p for layer in self.layers for p in layer.parameters()]


def two_moons_loss(Value: Any, model: MLP, X: list[list[float]], y: list[float]) -> tuple[Scalar, float]:
    """Return the max-margin loss with L2 regularisation, and the accuracy."""
    inputs = [list(map(Value, xrow)) for xrow in X]

    # forward the model to get scores
    scores = list(map(model, inputs))

    # svm "max-margin" loss
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]  # noqa: B905
    data_loss = sum(losses) * (1.0 / len(losses))
    # L2 regularization
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss

    # also get accuracy
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]  # noqa: B905
    return total_loss, sum(accuracy) / len(accuracy)


def xor_loss(Value: Any, model: MLP, X: list[list[float]], y: list[float]) -> tuple[Scalar, float]:
    """Return the cross-entropy, and the accuracy."""
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))
    losses = [scorei.bce_with_logits(yi) for yi, scorei in zip(y, scores)]  # noqa: B905
    total_loss = sum(losses) * (1.0 / len(losses))
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]  # noqa: B905
    return total_loss, sum(accuracy) / len(accuracy)


class WrittenOut(Contestant):
    """The code above over one of the two classes.

    Parameters
    ----------
    workload : Workload
    Value : type
        `pygrad.Value` or `pygrad.reference.Value`.
    """

    def __init__(self, workload: Workload, Value: Any) -> None:
        super().__init__(workload)
        self.Value = Value
        nin, *nouts = workload.sizes
        self.model = MLP(Value, iter(workload.weights), nin, nouts)
        self.loss_of = two_moons_loss if workload.hinge else xor_loss
        self.total: Scalar = None
        self.kept: list[Scalar] = []

    def reset(self) -> None:
        """Set the parameters to the workload's first ones, and their gradients to 0."""
        for p, weight in zip(self.model.parameters(), self.workload.weights, strict=True):
            p.data = weight
        self.model.zero_grad()

    def forward(self) -> None:
        """Compute the loss and the accuracy."""
        self.total, self.accuracy = self.loss_of(self.Value, self.model, self.workload.X, self.workload.y)

    def backward(self) -> None:
        """Compute the gradient of every value."""
        self.total.backward()

    def free(self) -> None:
        """Let go of the graph; in pure Python it is full of cycles, and stays for the collector."""
        self.total = None

    def update(self, rate: float) -> None:
        """Change the parameters by their gradients, and set these to 0."""
        for p in self.model.parameters():
            p.data -= rate * p.grad
        self.model.zero_grad()

    def loss(self) -> float:
        """Return the loss."""
        return float(self.total.data)

    def nodes(self) -> int:
        """Return how many values the graph has."""
        self.forward()
        count = count_nodes(self.total)
        self.free()
        return count

    def forward_and_keep(self, times: int) -> None:
        """Compute the loss several times over and keep the graphs."""
        for _ in range(times):
            self.forward()
            self.kept.append(self.total)
