"""The smallest things: one addition, and a chain of many."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from timeit import Timer
from typing import Any

from pygrad.bench import memory
from pygrad.bench.contestants import BASELINE, CONTESTANTS, value_class
from pygrad.bench.rows import Row, make_row
from pygrad.bench.timing import spread

CHAIN_PARTS = ("build", "backward", "free")
_VALUE = "value_written_out"


def _adder(name: str) -> Timer:
    Value = value_class(name)
    # timeit switches the collector off; its setup may switch it on again.
    setup = "gc.enable()" if CONTESTANTS[name].collector else "pass"
    return Timer("a + b", setup, globals={"gc": gc, "a": Value(2.0), "b": Value(3.0)})


def addition(rounds: int, progress: Callable[[str], None]) -> list[Row]:
    """Measure ``a + b`` on two values, result made and dropped: less an empty loop, and with the loop.

    Parameters
    ----------
    rounds : int
        Turns of each contestant.
    progress : callable
        Is told what is going on.
    """
    progress("a + b")
    names = ("python_gc_on", BASELINE, _VALUE)
    loops = {name: 500_000 if name == _VALUE else 20_000 for name in names}
    timers = {name: _adder(name) for name in names}
    empty = Timer("pass")
    net: dict[str, list[float]] = {name: [] for name in names}
    raw: dict[str, list[float]] = {name: [] for name in names}
    for i in range(-1, rounds):
        loop = min(empty.repeat(3, 500_000)) / 500_000
        for name in names:
            gc.collect()
            time = timers[name].timeit(loops[name]) / loops[name]
            if i >= 0:
                raw[name].append(time)
                net[name].append(time - loop)
    gc.collect()

    def rows(workload: str, samples: dict[str, list[float]], goals: dict[str, str]) -> list[Row]:
        times = {name: spread(samples[name]) for name in names}
        return [
            make_row(
                workload,
                name,
                CONTESTANTS[name].title.removesuffix(", written out"),
                times[name],
                1,
                ratio=times[BASELINE].median / times[name].median,
                goal=goals.get(name),
            )
            for name in names
        ]

    return [*rows("add", net, {_VALUE: "<= 25 ns"}), *rows("add_with_loop", raw, {})]


def _room_for(nodes: int) -> bool:
    """Tell whether the system has the memory for a chain of Values, twice over."""
    try:
        meminfo = Path("/proc/meminfo").read_text()
    except OSError:
        return True
    available = {line.split(":")[0]: line.split()[1] for line in meminfo.splitlines()}.get("MemAvailable")
    return available is None or int(available) * 1024 > 2 * 100 * nodes


def chain_once(Value: Any, nodes: int) -> tuple[float, ...]:
    """Return the seconds that building, differentiating and freeing a chain of sums took."""
    x = y = Value(1.0)
    t0 = perf_counter()
    for _ in range(nodes):
        x = x + y
    t1 = perf_counter()
    x.backward()
    t2 = perf_counter()
    x = y
    t3 = perf_counter()
    if y.grad != nodes + 1.0:
        raise RuntimeError(f"bench: the gradient of a chain of {nodes} sums is {y.grad!r}")
    return t1 - t0, t2 - t1, t3 - t2


def chain(nodes: int, rounds: int, progress: Callable[[str], None]) -> list[Row]:
    """Measure a chain of sums, each of the one before and a leaf: building it, backward, freeing it.

    Parameters
    ----------
    nodes : int
        Length of the chain of Values; a tenth of that where memory is short. Pure Python gets 50,000 nodes: ten
        millions of its nodes would take some ten gigabytes.
    rounds : int
        Turns of each contestant.
    progress : callable
        Is told what is going on.
    """
    lengths = {BASELINE: 50_000, _VALUE: nodes if _room_for(nodes) else nodes // 10}
    samples: dict[str, list[tuple[float, ...]]] = {name: [] for name in lengths}
    for i in range(-1, rounds):
        progress(f"chain: round {i + 1} of {rounds}")
        for name, length in lengths.items():
            gc.collect()
            (gc.enable if CONTESTANTS[name].collector else gc.disable)()
            try:
                # The round that is not noted needs no long chain.
                times = chain_once(value_class(name), length if i >= 0 else 50_000)
            finally:
                gc.enable()
            if i >= 0:
                samples[name].append(times)
    gc.collect()
    progress("chain: memory")
    weights = {name: memory.measure("chain", name, 200_000 if name == BASELINE else 1_000_000) for name in lengths}

    rows = []
    for part, label in enumerate(CHAIN_PARTS):
        per_node = {}
        for name, length in lengths.items():
            time = spread([times[part] for times in samples[name]])
            per_node[name] = time.median / length
            if name == BASELINE and label == "free":
                continue  # an assignment frees nothing there: cycles stay for the collector
            rows.append(
                make_row(
                    f"chain_{label}",
                    name,
                    CONTESTANTS[name].title.removesuffix(", written out"),
                    time,
                    length,
                    bytes_per_node=weights[name] if label == "build" else None,
                    ratio=per_node[BASELINE] / per_node[name] if label != "free" else None,
                    goal=_chain_goal(label) if name == _VALUE else None,
                )
            )
    return rows


def _chain_goal(label: str) -> str:
    return "<= 100 ns, <= 80 B a node" if label == "build" else "<= 100 ns a node"
