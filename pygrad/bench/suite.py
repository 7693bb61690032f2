"""The whole comparison."""

from __future__ import annotations

from collections.abc import Callable

from pygrad.bench import micro, steps, tensors
from pygrad.bench.rows import Row


def run(rounds: int, quick: bool, progress: Callable[[str], None]) -> list[Row]:
    """Measure everything.

    Parameters
    ----------
    rounds : int
        Turns of each contestant.
    quick : bool
        Shorter chains, smaller graphs to weigh, a tenth of an epoch, one thread.
    progress : callable
        Is told what is going on.
    """
    chain = 1_000_000 if quick else 10_000_000
    return [
        *steps.run("xor", rounds, quick, progress),
        *steps.run("two_moons", rounds, quick, progress),
        *micro.addition(rounds, progress),
        *micro.chain(chain, min(rounds, 5), progress),
        *tensors.run(rounds, quick, progress),
    ]
