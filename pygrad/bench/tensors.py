"""Tensors: pygrad, numpy by hand and PyTorch against each other."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from timeit import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pygrad.bench.rows import Row, make_row
from pygrad.bench.tensor_contestants import TENSOR_BASELINE, TensorContestant, TensorKind, Work, tensor_contestants
from pygrad.bench.tensor_problems import Problem, problems
from pygrad.bench.timing import TURN, spread

#: A turn has so many repetitions at most; and there are so many rounds where one repetition takes so many seconds.
MOST_REPETITIONS, LONG, LONG_ROUNDS = 200_000, 0.1, 5


@dataclass
class _Entry:
    name: str
    kind: TensorKind
    contestant: TensorContestant
    repetitions: int = 1
    times: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def work(self, problem: Problem) -> Work:
        self.contestant.prepare()
        made: Work = getattr(self.contestant, problem.kind)(problem)
        return made


def outcome(work: Work, times: int) -> NDArray[np.float64]:
    """Return what some repetitions of a work give, side by side."""

    def plain(x: Any) -> Any:
        return x.detach() if hasattr(x, "detach") else x

    return np.array([np.array(plain(eval(work.statement, dict(work.names))), np.float64) for _ in range(times)])


def check_same_work(problem: Problem, entries: dict[str, Work]) -> None:
    """Raise unless all contestants compute the same: results, or losses over three steps, hence gradients too.

    Raises
    ------
    RuntimeError
        When one is further from the first than the problem allows.
    """
    times = 3 if problem.kind == "step" else 1
    results = {name: outcome(work, times) for name, work in entries.items()}
    first, wanted = next(iter(results.items()))
    for name, result in results.items():
        apart = float(np.max(np.abs(result - wanted)))
        if not apart <= problem.tolerance * float(np.max(np.abs(wanted))):
            raise RuntimeError(
                f"bench: the contestants do not do the same work: in {problem.name} {name} is {apart} away from {first}"
            )


def _take_turn(work: Work, repetitions: int) -> tuple[float, float]:
    """Return seconds per repetition, and the share of the processor that the system gave to this thread."""
    # timeit switches the collector off; a user would have it on.
    timer = Timer(work.statement, "gc.enable()", globals={"gc": gc, **work.names})
    if repetitions > 1:
        timer.timeit(repetitions)  # caches, pools and threads that sleep
    worked, passed = thread_time(), perf_counter()
    time = timer.timeit(repetitions) / repetitions
    worked, passed = thread_time() - worked, perf_counter() - passed
    return time, min(worked / passed, 1.0)


def _play(problem: Problem, entries: list[_Entry], rounds: int, progress: Callable[[str], None]) -> None:
    """Let all contestants take turns, in another order each round; the first round sets the repetitions of a turn."""
    empty = Timer("pass")
    order = random.Random(0)
    i, last = -1, rounds
    while i < last:
        progress(f"{problem.name}: round {i + 1} of {last}")
        loop = min(empty.repeat(3, 100_000)) / 100_000
        for entry in order.sample(entries, len(entries)):
            work = entry.work(problem)
            gc.collect()
            time, share = _take_turn(work, entry.repetitions)
            if i >= 0:
                entry.times.append(max(time - loop, 1e-12))
                entry.shares.append(share)
                continue
            while time * entry.repetitions < TURN / 10 and entry.repetitions < MOST_REPETITIONS:
                entry.repetitions *= 10
                time, _ = _take_turn(work, entry.repetitions)
            entry.repetitions = max(1, min(MOST_REPETITIONS, round(TURN / time)))
            if time > LONG:
                last = min(last, LONG_ROUNDS)
        i += 1


def run(rounds: int, quick: bool, progress: Callable[[str], None]) -> list[Row]:
    """Check that all contestants do the same work, and let them play.

    Parameters
    ----------
    rounds : int
        Turns of each contestant.
    quick : bool
        One thread, and a tenth of an epoch.
    progress : callable
        Is told what is going on.

    Returns
    -------
    list of Row
        One for each problem and contestant.
    """
    kinds = tensor_contestants(quick)
    made = {name: kind.make() for name, kind in kinds.items()}
    rows = []
    for problem in problems(quick):
        progress(f"{problem.name}: the same work")
        entries = [_Entry(name, kinds[name], made[name]) for name in kinds]
        check_same_work(problem, {entry.name: entry.work(problem) for entry in entries})
        _play(problem, entries, rounds, progress)
        times = {entry.name: spread(entry.times) for entry in entries}
        rows += [_row(problem, entry, times[TENSOR_BASELINE].median / times[entry.name].median) for entry in entries]
    return rows


def _row(problem: Problem, entry: _Entry, ratio: float) -> Row:
    time = spread(entry.times)
    return make_row(
        problem.name,
        entry.name,
        entry.kind.title,
        time,
        ratio=ratio,
        gflops=None if problem.flops is None else problem.flops / time.median / 1e9,
        cpu_share=statistics.median(entry.shares) if entry.kind.one_thread else None,
        goal=(problem.goal or None) if entry.name == "pygrad" else None,
    )
