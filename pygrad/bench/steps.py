"""The training steps: all contestants against each other."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from pygrad.bench import memory
from pygrad.bench.contestants import BASELINE, CONTESTANTS
from pygrad.bench.rows import Row, make_row
from pygrad.bench.timing import Entry, Parts, check_same_work, play, spread
from pygrad.bench.workloads import WORKLOADS

GOALS = {("two_moons", "value_written_out"): "ratio >= 25", ("two_moons", "value_fused"): "ratio >= 80"}


def _entries(workload: str) -> list[Entry]:
    made = WORKLOADS[workload]()
    entries = []
    for name, kind in CONTESTANTS.items():
        # The slowest by far: one round in three is enough of it.
        every = 3 if (workload, name) == ("two_moons", "python_gc_on") else 1
        entries.append(Entry(name, kind.make(made), kind.collector, every))
    return entries


def _bytes_per_node(entry: Entry, nodes: int, quick: bool) -> float:
    workload = entry.contestant.workload
    # Pure Python's nodes take a kilobyte each; a tenth of them is as exact.
    total = 100_000 if entry.name.startswith("python") else 1_000_000
    return memory.measure(workload.name, entry.name, total // 2 if quick else total, nodes - len(workload.weights))


def run(workload: str, rounds: int, quick: bool, progress: Callable[[str], None]) -> list[Row]:
    """Check that all contestants do the same work, let them play, weigh their graphs.

    Parameters
    ----------
    workload : str
        A name in `WORKLOADS`.
    rounds : int
        Turns of each contestant.
    quick : bool
        Weigh smaller graphs.
    progress : callable
        Is told what is going on.

    Returns
    -------
    list of Row
        One per contestant.
    """
    entries = _entries(workload)
    check_same_work(entries)
    play(entries, rounds, progress)
    baseline = spread([parts.step for parts in _entry(entries, BASELINE).turns]).median

    def row(entry: Entry) -> Row:
        progress(f"{workload}: memory of {entry.name}")
        time = spread([parts.step for parts in entry.turns])
        nodes = entry.contestant.nodes()
        parts = {
            f"{part}_s": statistics.median(getattr(turn, part) for turn in entry.turns)
            for part in Parts.__dataclass_fields__
        }
        return make_row(
            workload,
            entry.name,
            CONTESTANTS[entry.name].title,
            time,
            nodes,
            bytes_per_node=None if nodes is None else _bytes_per_node(entry, nodes, quick),
            ratio=baseline / time.median,
            cpu_share=statistics.median(entry.shares),
            goal=GOALS.get((workload, entry.name)),
            **parts,
        )

    return [row(entry) for entry in entries]


def _entry(entries: list[Entry], name: str) -> Entry:
    return next(entry for entry in entries if entry.name == name)
