"""The step through the C library's own interface, without Python objects in the graph.

Python makes one call per part of a step, of some 0.1 us; the accuracy is left out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pygrad._engine import ffi, find_op, lib
from pygrad.bench.contestant import Contestant
from pygrad.bench.workloads import ALPHA, Workload

RELU = find_op("relu")


class CAlone(Contestant):
    """`pg_mlp_loss`, `pg_backward` and `pg_sgd_step`.

    Parameters
    ----------
    workload : Workload
    fused : bool
        One node per neuron and per sum; else one per multiplication, addition and activation.
    """

    def __init__(self, workload: Workload, fused: bool) -> None:
        super().__init__(workload)
        self.fused = fused
        sizes = workload.sizes
        self.graph = ffi.gc(lib.pg_graph_new(), lib.pg_graph_free)
        self.mlp = lib.pg_mlp_new(self.graph, len(sizes) - 1, list(sizes), RELU, -1, 0)
        count = ffi.new("int64_t *")
        self.params = lib.pg_mlp_parameters(self.mlp, count)
        self.count = int(count[0])
        self.X = ffi.new("double[]", [number for x in workload.X for number in x])
        self.y = ffi.new("double[]", workload.y)
        self.criterion = lib.PG_LOSS_MARGIN if workload.hinge else lib.PG_LOSS_BCE_WITH_LOGITS
        self.alpha = ALPHA if workload.hinge else 0.0
        self.sgd = ffi.new("pg_sgd *")
        self.total: Any = ffi.NULL

    def __del__(self) -> None:
        # Before the graph, which has to outlive what is retained in it.
        lib.pg_clear(self.graph)
        lib.pg_mlp_free(self.mlp)

    def reset(self) -> None:
        """Set the parameters to the workload's first ones, and their gradients to 0."""
        for i, weight in enumerate(self.workload.weights):
            lib.pg_set_data(self.params[i], weight)
        lib.pg_zero_grad(self.count, self.params)

    def forward(self) -> None:
        """Compute the loss."""
        self.total = lib.pg_mlp_loss(
            self.graph, self.mlp, self.fused, self.criterion, self.alpha, len(self.y), self.X, self.y
        )

    def backward(self) -> None:
        """Compute the gradient of every value."""
        if lib.pg_backward(self.graph, self.total) != lib.PG_OK:
            raise RuntimeError(ffi.string(lib.pg_message()).decode())

    def free(self) -> None:
        """Let go of the graph."""
        lib.pg_clear(self.graph)

    def update(self, rate: float) -> None:
        """Take a step of gradient descent, and set the gradients to 0."""
        self.sgd.lr = rate
        lib.pg_sgd_step(self.sgd, 1, self.count, self.params, ffi.NULL)
        lib.pg_zero_grad(self.count, self.params)

    def loss(self) -> float:
        """Return the loss."""
        return float(lib.pg_data(self.total))

    def nodes(self) -> int:
        """Return how many values the graph has, by arithmetic: C has no list of them to count."""
        sizes, points = self.workload.sizes, len(self.workload.X)
        neurons = sum(sizes[1:])
        products = sum(n * m for n, m in pairwise(sizes))
        per_point = neurons if self.fused else 2 * products + neurons - 1  # the last neuron is linear
        per_point += 3 if self.workload.hinge else 1
        total = self.count + per_point * points + (1 if self.fused else points) + 1
        if self.workload.hinge:
            total += (1 if self.fused else 2 * self.count) + 2
        return total

    def forward_and_keep(self, times: int) -> None:
        """Compute the loss several times over and keep the graphs."""
        for _ in range(times):
            self.forward()
