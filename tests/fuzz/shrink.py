"""Make a failing program small: leave out steps as long as it still fails."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from .program import Failure, Invalid, Program, Step
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


def simpler(step: Step, program: Program) -> Iterator[Program]:
    """Yield the program with fewer roots of a backward, and without a step that others are pointed past."""
    at = program.index(step)
    if step.op == "backward" and len(step.ins) > 1:
        for root in step.ins:
            yield [*program[:at], replace(step, ins=[root]), *program[at + 1 :]]
    operands = [k for k in step.ins if isinstance(k, int)]
    if operands and step.out and not step.in_place:
        past = {k: operands[0] for k in step.out}
        rest = [replace(s, ins=[past.get(k, k) if isinstance(k, int) else k for k in s.ins]) for s in program[at + 1 :]]
        yield program[:at] + rest


def shrink(program: Program, torch: bool = False) -> Program:
    """Return a shorter program that fails as well; the same one if it does not fail again."""
    if failure(program, torch) is None:
        return program
    program = fewer(program, torch)
    changed = True
    while changed:
        changed = False
        for step in program:
            for candidate in simpler(step, program):
                if failure(candidate, torch) is not None:
                    program, changed = fewer(candidate, torch), True
                    break
            if changed:
                break
    return kept(program, torch)


def fewer(program: Program, torch: bool) -> Program:
    """Leave out steps, many at a time and then one by one."""
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
            return program
        size = max(size // 2, 1)
