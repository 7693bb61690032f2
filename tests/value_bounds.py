"""How far the gradients of two scalar engines that round differently may be apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pygrad
from pygrad import reference

EPS = 2.0**-52
TINY = 5e-323


@dataclass
class Node:
    ours: pygrad.Value | None  # None when the program has let go of it
    theirs: reference.Value
    inputs: list[int] = field(default_factory=list)  # one used twice twice
    again: Callable[..., reference.Value] | None = None  # the reference's op, on other inputs
    slack: float = 0.0  # rounding of the derivative beyond its own size
    condition: float = 1.0  # and relative to it
    drift: float = 0.0  # how far the two gradients may be apart
    open: bool = False  # an overflow that depends on the order of a sum: anything may come out


class Bounds:
    """How far the two gradients of every value below a root may be apart, as `drift` of its node.

    For each value: `size`, the sum over all paths to the root of the absolute product of the derivatives on it, and
    `drift`. Along an edge with derivative d: size grows by |d| * size, drift by |d| * drift and by the rounding of the
    product, a few EPS of |d| * size; a sum of k terms adds k roundings of size. Underflow, of d or of a product, adds
    TINY.
    """

    def __init__(self, run: Any, root: int) -> None:
        self.run, self.root = run, root
        n = len(run.nodes)
        self.size, self.drift = [0.0] * n, [0.0] * n
        self.open, self.reached, self.uses = [False] * n, [False] * n, [0] * n

    def walk(self) -> None:
        self.reached[self.root], self.size[self.root] = True, 1.0
        for k in range(self.root, -1, -1):
            if self.reached[k]:
                self.drift[k] += self.uses[k] * EPS * finite(self.size[k])
                if self.run.nodes[k].inputs:
                    self.pass_on(k)
        for k, node in enumerate(self.run.nodes):
            if not self.reached[k]:
                continue
            if node.inputs:
                node.drift, node.open = self.drift[k], self.open[k]
            else:  # a leaf adds to what it has
                node.drift += self.drift[k] + EPS * (finite(abs(node.theirs.grad)) + finite(self.size[k]))
                node.open = node.open or self.open[k] or math.isinf(abs(node.theirs.grad) + self.size[k])

    def pass_on(self, k: int) -> None:
        node = self.run.nodes[k]
        for i, d in zip(node.inputs, derivatives(self.run.nodes, node), strict=True):
            size, drift = times(abs(d), self.size[k]), times(abs(d), self.drift[k])
            rounding = (8 * EPS * (node.condition * finite(abs(d)) + node.slack) + TINY) * finite(self.size[k])
            largest = 2 * (self.size[i] + size + self.drift[i] + drift)
            overflow = math.isfinite(d) and math.isfinite(self.size[k]) and not math.isfinite(largest)
            unsure = not math.isfinite(d) and self.drift[k] > 0.0  # 0 * inf or small * inf
            self.open[i] |= self.open[k] or overflow or unsure or math.isnan(self.size[k])
            self.reached[i] = True
            self.uses[i] += 1
            self.size[i] += size
            self.drift[i] += (math.inf if math.inf in (size, drift) else finite(drift)) + rounding + TINY


def finite(x: float) -> float:
    return x if math.isfinite(x) else 0.0


def times(a: float, b: float) -> float:
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def derivatives(nodes: list[Node], node: Node) -> list[float]:
    """The derivative by each operand, one used twice twice, by the reference: inputs now, output then."""
    assert node.again is not None
    copies = [reference.Value(nodes[i].theirs.data) for i in node.inputs]
    y = node.again(*copies)
    y.data = node.theirs.data
    y.backward()
    return [c.grad for c in copies]
