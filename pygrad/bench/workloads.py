"""The two training steps that every contestant takes: their data, their networks, their first weights."""

from __future__ import annotations

from dataclasses import dataclass

from pygrad import data, nn

#: Weight of the squared parameters in the loss of the two-moons classifier, as in micrograd's demo.
ALPHA = 1e-4


@dataclass(frozen=True)
class Workload:
    """A network, its data, and how it learns.

    Numbers are Python's own floats throughout: numpy's would slow every contestant but numpy.

    Attributes
    ----------
    name, title : str
        For programs and for people.
    hinge : bool
        Whether the loss is the mean of ``max(0, 1 - y * score)`` plus `ALPHA` times the squared parameters; else the
        mean binary cross-entropy from logits.
    sizes : tuple of int
        Inputs, neurons of each hidden layer, and one output; the hidden layers have ReLU.
    X : list of list of float, shape (points, inputs)
    y : list of float
        -1 and 1 for the hinge, 0 and 1 for the cross-entropy.
    weights : list of float
        The first parameters, in the order of `pygrad.nn.MLP.parameters`.
    first_rate, decay : float
        The learning rate of step k is ``first_rate - decay * k``, as long as k is less than 100.
    """

    name: str
    title: str
    hinge: bool
    sizes: tuple[int, ...]
    X: list[list[float]]
    y: list[float]
    weights: list[float]
    first_rate: float
    decay: float = 0.0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.first_rate - self.decay * min(step, 99)


def xor() -> Workload:
    """Return the trainer of exclusive or: 2-16-1, the four points at once."""
    X, y = data.xor()
    return Workload(
        name="xor",
        title="XOR trainer: 2-16-1, cross-entropy, 4 points a step",
        hinge=False,
        sizes=(2, 16, 1),
        X=X.tolist(),
        y=[float(label) for label in y],
        weights=[p.data for p in nn.scalar.MLP(2, [16, 1], init="he", seed=0).parameters()],
        first_rate=0.5,
    )


def two_moons() -> Workload:
    """Return micrograd's demo: a max-margin classifier 2-16-16-1 on 100 points."""
    X, y = data.moons(100, noise=0.1, seed=1337)
    return Workload(
        name="two_moons",
        title="Two moons as in micrograd's demo: 2-16-16-1, max-margin, 100 points a step",
        hinge=True,
        sizes=(2, 16, 16, 1),
        X=X.tolist(),
        y=[2.0 * label - 1.0 for label in y.tolist()],
        weights=[p.data for p in nn.scalar.MLP(2, [16, 16, 1], init="uniform", seed=1337).parameters()],
        first_rate=1.0,
        decay=0.009,
    )


WORKLOADS = {"xor": xor, "two_moons": two_moons}
