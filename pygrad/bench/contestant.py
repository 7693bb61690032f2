"""What a contestant has to be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pygrad.bench.workloads import Workload


class Contestant(ABC):
    """One way of taking the training step of a workload, in the parts that are timed apart.

    Parameters
    ----------
    workload : Workload
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    @abstractmethod
    def reset(self) -> None:
        """Set the parameters to the workload's first ones, and their gradients to 0."""

    @abstractmethod
    def forward(self) -> None:
        """Compute the loss of all points and hold on to its graph."""

    @abstractmethod
    def backward(self) -> None:
        """Compute the gradient of every parameter."""

    @abstractmethod
    def free(self) -> None:
        """Let go of the graph."""

    @abstractmethod
    def update(self, rate: float) -> None:
        """Change the parameters by their gradients, and set these to 0."""

    @abstractmethod
    def loss(self) -> float:
        """Return the loss; between `backward` and `free`."""

    def nodes(self) -> int | None:
        """Return how many nodes the graph has, parameters and other leaves included; None where there is no graph."""
        return None

    def forward_and_keep(self, times: int) -> None:
        """Compute the loss several times over, and keep all of the graphs until the end of the program."""
        raise NotImplementedError(f"{type(self).__name__} has no graph to keep")
