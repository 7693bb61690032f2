"""The table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pygrad.bench.rows import Row
from pygrad.bench.tensor_problems import TITLES
from pygrad.bench.workloads import WORKLOADS

_UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
_SECTIONS = {
    "add": "a + b, the result dropped; less an empty loop",
    "add_with_loop": "a + b, the result dropped; with the loop around it",
    "chain_build": "Chain x = x + y: building it, with the loop",
    "chain_backward": "Chain: backward",
    "chain_free": "Chain: freeing it",
}
_TENSOR_HEAD = ("", "time", "[quartiles]", "GFLOP/s", "ratio", "goal")
_HEAD = (
    "", "time", "[quartiles]", "forward", "backward", "free", "update", "nodes", "ns/node", "B/node", "ratio", "goal",
)  # fmt: skip

NOTES = """\
time      a step: forward, backward and freeing the graph; the update is apart. Medians over the rounds of one run, in
          which the contestants take turns. Pure Python does not free: its graphs are left to the collector, which
          runs outside of the clock where it is off.
nodes     parameters and other leaves included; numbers are no nodes of Value and of C.
B/node    growth of the resident memory, in a process of its own.
ratio     how many times faster than pure Python with the collector off; in chains, per node.
C alone   is the C library's own perceptron; Python makes one call of some 0.1 us per part of a step.
"""
TENSOR_NOTES = """\
time      all of the work, in float32.
ratio     how many times faster than the first row: numpy, with gradients written by hand.
"""
NO_TORCH = "PyTorch   is not installed: no rows of it.\n"


def in_unit(seconds: float, like: float | None = None) -> str:
    """Return a time with three digits and a unit, the one that suits `like` or the time itself.

    Examples
    --------
    >>> in_unit(0.0123456), in_unit(2e-5, like=0.0123)
    ('12.3 ms', '0.020 ms')
    """
    unit, scale = next(((u, s) for u, s in _UNITS if (like or seconds) >= s), _UNITS[-1])
    return f"{_digits(seconds / scale)} {unit}"


def _digits(x: float) -> str:
    return f"{x:,.0f}" if x >= 99.95 else f"{x:.1f}" if x >= 9.995 else f"{x:.2f}" if x >= 0.1 or x == 0 else f"{x:.3f}"


def _number(x: float | None, suffix: str = "") -> str:
    return "" if x is None else _digits(x) + suffix


def _time(row: Row) -> tuple[str, str, str]:
    quartiles = "[{}, {}]".format(*(in_unit(q, like=row.median_s).split()[0] for q in (row.q1_s, row.q3_s)))
    return "  " + row.title, in_unit(row.median_s), quartiles


def _tensor_cells(row: Row) -> tuple[str, ...]:
    return (*_time(row), _number(row.gflops), _number(row.ratio, "x"), row.goal or "")


def _cells(row: Row) -> tuple[str, ...]:
    def part(seconds: float | None) -> str:
        return "" if seconds is None else in_unit(seconds, like=row.median_s)

    return (
        *_time(row),
        part(row.forward_s),
        part(row.backward_s),
        part(row.free_s),
        part(row.update_s),
        "" if row.nodes is None else f"{row.nodes:,}",
        _number(row.ns_per_node),
        _number(row.bytes_per_node),
        _number(row.ratio, "x"),
        row.goal or "",
    )


def _machine_lines(machine: dict[str, Any]) -> list[str]:
    known = {name: value for name, value in machine.items() if value is not None}
    cores = f"{known.pop('usable_cores')} of {known.pop('cores')}"
    return [f"{name:<9} {value}" for name, value in {"cpu": known.pop("cpu"), "cores": cores, **known}.items()]


def _disturbance(rows: Sequence[Row]) -> list[str]:
    share = min((row.cpu_share for row in rows if row.cpu_share is not None), default=1.0)
    if share >= 0.95:
        return []
    return [
        "",
        f"The machine was busy: at worst this program had the processor for {share:.0%} of the time. Run it again.",
    ]


def _title(workload: str) -> str:
    if workload in WORKLOADS:
        return WORKLOADS[workload]().title
    return TITLES.get(workload) or _SECTIONS[workload]


def _aligned(rows: Sequence[Row], head: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of one table, with the title of each workload above its rows."""
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]

    def line(texts: Sequence[str]) -> str:
        padded = [
            t.ljust(w) if i in (0, len(head) - 1) else t.rjust(w)
            for i, (t, w) in enumerate(zip(texts, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    lines = [line(head)]
    section = None
    for row, texts in zip(rows, cells, strict=True):
        if row.workload != section:
            section = row.workload
            lines += ["", _title(section)]
        lines.append(line(texts))
    return lines


def render(machine: dict[str, Any], rows: Sequence[Row]) -> str:
    """Return the tables, of scalars and of tensors, under the facts about the machine, each above its notes.

    Parameters
    ----------
    machine : dict
        See `pygrad.bench.machine.facts`.
    rows : sequence of Row
        Rows of one workload next to each other.
    """
    scalars = [row for row in rows if row.workload not in TITLES]
    tensors = [row for row in rows if row.workload in TITLES]
    lines = [*_machine_lines(machine), "", *_aligned(scalars, _HEAD, [_cells(row) for row in scalars])]
    lines += ["", NOTES.rstrip(), "", "", *_aligned(tensors, _TENSOR_HEAD, [_tensor_cells(row) for row in tensors])]
    lines += ["", (TENSOR_NOTES if machine.get("torch") else TENSOR_NOTES + NO_TORCH).rstrip()]
    return "\n".join([*lines, *_disturbance(rows)])
