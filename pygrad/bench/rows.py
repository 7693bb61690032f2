"""What is measured, as rows: for the table and for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pygrad.bench.timing import Spread

#: Raised when a field of the JSON document changes its meaning or goes away.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Row:
    """One contestant in one workload.

    Attributes
    ----------
    workload, contestant : str
        Names for programs.
    title : str
        The contestant's name for people.
    median_s, q1_s, q3_s, min_s : float
        Seconds per step, or what else the workload measures.
    samples : int
        How many measurements these are taken from.
    nodes : int or None
        Nodes of the graph.
    ns_per_node, bytes_per_node : float or None
        The median by the nodes; growth of the resident memory by the nodes.
    ratio : float or None
        How many times faster than pure Python with the collector off; with tensors, than numpy by hand.
    forward_s, backward_s, free_s, update_s : float or None
        Medians of the parts of a step. The first three make the step; the update is not in it.
    cpu_share : float or None
        Which part of the time the system gave this program the processor, the median over the turns.
    gflops : float or None
        Floating-point operations in a nanosecond, of a matrix product.
    goal : str or None
        What it should reach.
    """

    workload: str
    contestant: str
    title: str
    median_s: float
    q1_s: float
    q3_s: float
    min_s: float
    samples: int
    nodes: int | None = None
    ns_per_node: float | None = None
    bytes_per_node: float | None = None
    ratio: float | None = None
    forward_s: float | None = None
    backward_s: float | None = None
    free_s: float | None = None
    update_s: float | None = None
    cpu_share: float | None = None
    gflops: float | None = None
    goal: str | None = None


def make_row(workload: str, contestant: str, title: str, time: Spread, nodes: int | None = None, **rest: Any) -> Row:
    """Return the row of a time that was measured, with the time per node where there are nodes."""
    ns_per_node = None if nodes is None else time.median / nodes * 1e9
    return Row(
        workload=workload,
        contestant=contestant,
        title=title,
        median_s=time.median,
        q1_s=time.q1,
        q3_s=time.q3,
        min_s=time.low,
        samples=time.count,
        nodes=nodes,
        ns_per_node=ns_per_node,
        **rest,
    )


def document(machine: dict[str, Any], settings: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    """Return what `--json` writes."""
    return {
        "version": SCHEMA_VERSION,
        "machine": machine,
        "settings": settings,
        "rows": [asdict(row) for row in rows],
    }
