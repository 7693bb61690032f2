"""Batches of programs, each in a process of its own: what crashes or hangs is known by its batch."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any

from pygrad._engine import lib

from .generate import Make
from .program import Failure, Program, text
from .session import Session
from .shrink import failure, mirrored, shrink
from .table import CELLS, Cells

SIZE = 2000  # programs that share one count of hits, so that a program is found again by its batch
HANGS = 600.0  # seconds after which a batch is taken to hang


class Found:
    """A program that failed, as small as it was made."""

    def __init__(self, where: str, error: str, steps: Program) -> None:
        self.where, self.error, self.steps = where, error, steps

    @property
    def kind(self) -> str:
        return f"{self.steps[-1].op if self.steps else ''}: {self.error[:40]}"

    def __str__(self) -> str:
        return f"== {self.where}: {self.error}\n{text(self.steps)}\n"


def held() -> int:
    gc.collect()
    return int(lib.pg_live_bytes() - lib.pg_cached_bytes())


def program(batch: int, number: int, hits: Counter[Any], torch: bool = False) -> tuple[Session, str | None]:
    """Make and run one program; return what went wrong, the session's last step being the one that did."""
    session = Session(mirrored(torch))
    make = Make(random.Random(f"{batch} {number}"), session, hits, Cells(torch) if torch else CELLS)
    error = None
    try:
        make.program(14 + make.below(24))
        session.finish()
    except Exception as wrong:
        error = str(wrong) if isinstance(wrong, Failure) else f"{type(wrong).__name__}: {wrong}"
        if not session.steps or session.steps[-1] is not make.last:
            session.steps.append(make.last)
    hits.update(session.hits)
    hits["programs"] += 1
    hits["ops", session.operations()] += 1
    hits["incomplete gradients"] += session.tainted
    for message, n in session.refusals.items():
        hits["refused", message] += n
    for message, n in session.known.items():
        hits["torch", message] += n
    return session, error


def run(batch: int, torch: bool = False) -> tuple[Counter[Any], list[Found]]:
    """Make and run the programs of a batch; return what they hit, and what failed."""
    faulthandler.dump_traceback_later(HANGS, exit=True)
    hits: Counter[Any] = Counter()
    found: list[Found] = []
    before = 0
    for number in range(SIZE):
        session, error = program(batch, number, hits, torch)
        if error is not None:
            steps = shrink(session.steps, torch)
            found.append(Found(f"batch {batch}, program {number}", failure(steps, torch) or error, steps))
        del session
        if number == 9:
            before = held()
    more = held() - before
    if more > 1 << 20 and not found:
        found.append(Found(f"batch {batch}", f"{more} bytes more are held than at its start", []))
    faulthandler.cancel_dump_traceback_later()
    return hits, found


def _send(batch: int, torch: bool, to: Any) -> None:
    to.send(run(batch, torch))


def run_all(batches: Iterable[int], jobs: int, torch: bool) -> Iterator[tuple[Counter[Any], list[Found]]]:
    """Run batches in so many processes at a time."""
    context = multiprocessing.get_context("fork")
    left = iter(batches)
    running: dict[Any, tuple[Any, int]] = {}
    while True:
        while len(running) < jobs and (batch := next(left, None)) is not None:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_send, args=(batch, torch, there))
            process.start()
            there.close()
            running[here] = process, batch
        if not running:
            return
        for here in wait(list(running)):
            process, batch = running.pop(here)
            try:
                yield here.recv()
            except EOFError:
                process.join()
                yield Counter(), [Found(f"batch {batch}", f"the process ended with {process.exitcode}", [])]
            process.join()
            here.close()
