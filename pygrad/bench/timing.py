"""The clock: contestants take turns in one run, and every part of a step is timed apart."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, thread_time

from pygrad.bench.contestant import Contestant
from pygrad.bench.workloads import Workload

#: A turn takes so many steps that it lasts about this long, in seconds; but one at least and these at most.
TURN, MOST_STEPS = 0.02, 2000


@dataclass(frozen=True)
class Parts:
    """Seconds that the parts of a step took, the mean over a turn."""

    forward: float
    backward: float
    free: float
    update: float

    @property
    def step(self) -> float:
        """What is compared: everything but the update."""
        return self.forward + self.backward + self.free


@dataclass
class Entry:
    """A contestant under its name in `CONTESTANTS`, and how it takes its turns.

    Attributes
    ----------
    name : str
    contestant : Contestant
    collector : bool
        Whether Python's garbage collector is on during the turn.
    every : int
        It takes part in one of so many rounds.
    steps : int
        Timed steps of a turn; a first turn sets it.
    turns : list of Parts
        What was measured, turn by turn.
    shares : list of float
        Which part of each turn the system gave this program the processor; less than 1 where others had it.
    """

    name: str
    contestant: Contestant
    collector: bool
    every: int = 1
    steps: int = 1
    turns: list[Parts] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements, and the smallest of them."""

    median: float
    q1: float
    q3: float
    low: float
    count: int


def spread(samples: Sequence[float]) -> Spread:
    """Return the median, the quartiles and the minimum.

    Examples
    --------
    >>> spread([5.0, 1.0, 2.0, 4.0, 3.0])
    Spread(median=3.0, q1=2.0, q3=4.0, low=1.0, count=5)
    """
    quartiles = statistics.quantiles(samples, method="inclusive") if len(samples) > 1 else [samples[0]] * 3
    return Spread(statistics.median(samples), quartiles[0], quartiles[2], min(samples), len(samples))


def _nothing() -> None: ...


class _Idle(Contestant):
    """Does nothing: what is measured of it is the cost of measuring."""

    def reset(self) -> None: ...
    def forward(self) -> None: ...
    def backward(self) -> None: ...
    def free(self) -> None: ...
    def update(self, rate: float) -> None: ...
    def loss(self) -> float:
        return 0.0


def _timed(contestant: Contestant, first: int, steps: int, between: Callable[[], object]) -> Parts:
    forward, backward = contestant.forward, contestant.backward
    free, update, rate = contestant.free, contestant.update, contestant.workload.rate
    forwards = backwards = frees = updates = 0.0
    for step in range(first, first + steps):
        lr = rate(step)
        t0 = perf_counter()
        forward()
        t1 = perf_counter()
        backward()
        t2 = perf_counter()
        free()
        t3 = perf_counter()
        update(lr)
        t4 = perf_counter()
        forwards += t1 - t0
        backwards += t2 - t1
        frees += t3 - t2
        updates += t4 - t3
        between()
    return Parts(forwards / steps, backwards / steps, frees / steps, updates / steps)


def cost_of_measuring(workload: Workload) -> Parts:
    """Return what the clock and the calls add to each part: the median of a contestant that does nothing."""
    idle = _Idle(workload)
    turns = [_timed(idle, 0, 500, _nothing) for _ in range(15)]
    return Parts(*(statistics.median(getattr(turn, part) for turn in turns) for part in Parts.__dataclass_fields__))


def take_turn(entry: Entry, cost: Parts) -> tuple[Parts, float]:
    """Let a contestant take steps that are not timed, and then as many that are, from its first weights.

    Those before bring the collector to where it is in a training that runs: right after a collection, a step of pure
    Python would be much quicker. Where the collector is off, it is called after each step, outside of the
    clock: left lying, the graphs would make the next ones slower, which get memory that no cache has seen.

    Returns
    -------
    Parts
        What was measured, less the cost of measuring.
    float
        The share of the processor that the system gave.
    """
    contestant = entry.contestant
    between: Callable[[], object] = _nothing
    contestant.reset()
    gc.collect()
    if not entry.collector:
        gc.disable()
        gc.freeze()  # so that a collection looks at the graph alone, and is quick
        between = gc.collect
    try:
        _timed(contestant, 0, entry.steps, between)
        worked, passed = thread_time(), perf_counter()
        parts = _timed(contestant, entry.steps, entry.steps, between)
        worked, passed = thread_time() - worked, perf_counter() - passed
    finally:
        gc.unfreeze()
        gc.enable()
        gc.collect()
    net = Parts(*(max(getattr(parts, p) - getattr(cost, p), 0.0) for p in Parts.__dataclass_fields__))
    return net, min(worked / passed, 1.0)


def first_losses(contestant: Contestant, steps: int = 3) -> list[float]:
    """Return the losses of the first steps of a training from the workload's weights."""
    contestant.reset()
    losses = []
    gc.disable()  # it would take most of the time, and nobody is timed here
    try:
        for step in range(steps):
            contestant.forward()
            contestant.backward()
            losses.append(contestant.loss())
            contestant.free()
            contestant.update(contestant.workload.rate(step))
    finally:
        gc.enable()
    gc.collect()
    return losses


def check_same_work(entries: Sequence[Entry], tolerance: float = 1e-9) -> None:
    """Raise unless all contestants have the same losses over three steps, hence the same gradients too.

    Raises
    ------
    RuntimeError
        When one differs from the first by more than `tolerance`, relatively.
    """
    wanted = first_losses(entries[0].contestant)
    for entry in entries[1:]:
        losses = first_losses(entry.contestant)
        for step, (a, b) in enumerate(zip(losses, wanted, strict=True)):
            if not abs(a - b) <= tolerance * abs(b):
                raise RuntimeError(
                    f"bench: the contestants do not do the same work: at step {step} the loss is {a!r} for "
                    f"{entry.name} and {b!r} for {entries[0].name}"
                )


def play(entries: Sequence[Entry], rounds: int, progress: Callable[[str], None]) -> None:
    """Let all contestants take turns, in another order each round, and note what they took.

    A first round, which is not noted, brings caches and pools to where they stay and sets the steps of a turn.
    """
    cost = cost_of_measuring(entries[0].contestant.workload)
    order = random.Random(0)
    for i in range(-1, rounds):
        progress(f"{entries[0].contestant.workload.name}: round {i + 1} of {rounds}")
        taking_part = [entry for entry in entries if i % entry.every == 0 or (i < 0 and entry.every == 1)]
        for entry in order.sample(taking_part, len(taking_part)):
            parts, share = take_turn(entry, cost)
            if i >= 0:
                entry.turns.append(parts)
                entry.shares.append(share)
            else:
                entry.steps = max(1, min(MOST_STEPS, round(TURN / max(parts.step + parts.update, 1e-9))))
