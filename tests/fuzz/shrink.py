"""Make a failing program small: leave out steps as long as it still fails."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .program import Failure, Invalid, Program
from .session import Session


def mirrored(torch: bool) -> Any:
    """Return PyTorch's side of a session, if there is to be one."""
    if not torch:
        return None
    from .mirror import Mirror

    return Mirror()


def failure(program: Program, torch: bool = False) -> str | None:
    """Run a program, leaving out what makes no sense in it; return what went wrong."""
    session = Session(mirrored(torch))
    try:
        for step in program:
            try:
                session.apply(deepcopy(step))
            except Invalid:
                continue
        session.finish()
    except Failure as found:
        return str(found)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def kept(program: Program, torch: bool = False) -> Program:
    """Return the steps that make sense."""
    session = Session(mirrored(torch))
    for step in program:
        try:
            session.apply(deepcopy(step))
        except Invalid:
            continue
        except Exception:
            session.steps.append(step)
            break
    return session.steps


def shrink(program: Program, torch: bool = False) -> Program:
    """Return a shorter program that fails as well; the same one if it does not fail again."""
    if failure(program, torch) is None:
        return program
    size = max(len(program) // 2, 1)
    while True:
        at, shorter = len(program), False
        while at > 0:
            start = max(at - size, 0)
            candidate = program[:start] + program[at:]
            if candidate and failure(candidate, torch) is not None:
                program, shorter = candidate, True
            at = start
        if size == 1 and not shorter:
            return kept(program, torch)
        size = max(size // 2, 1)
