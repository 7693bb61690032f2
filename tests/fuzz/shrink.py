"""Make a failing program small: leave out steps as long as it still fails."""

from __future__ import annotations

from copy import deepcopy

from .program import Failure, Invalid, Program
from .session import Session


def failure(program: Program) -> str | None:
    """Run a program, leaving out what makes no sense in it; return what went wrong."""
    session = Session()
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


def kept(program: Program) -> Program:
    """Return the steps that make sense."""
    session = Session()
    for step in program:
        try:
            session.apply(deepcopy(step))
        except Invalid:
            continue
        except Exception:
            session.steps.append(step)
            break
    return session.steps


def shrink(program: Program) -> Program:
    """Return a shorter program that fails as well; the same one if it does not fail again."""
    if failure(program) is None:
        return program
    size = max(len(program) // 2, 1)
    while True:
        at, shorter = len(program), False
        while at > 0:
            start = max(at - size, 0)
            candidate = program[:start] + program[at:]
            if candidate and failure(candidate) is not None:
                program, shorter = candidate, True
            at = start
        if size == 1 and not shorter:
            return kept(program)
        size = max(size // 2, 1)
