"""A program as plain data: a list of steps, each of which names its operands and its results by number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class Invalid(Exception):
    """The step makes no sense for these operands: it is left out, which is no finding."""


class Failure(Exception):
    """The engine did something else than the oracle."""


COMPARED = ("==", "!=", "<=", ">=")


@dataclass
class Step:
    """One line of a program.

    Parameters
    ----------
    op : str
        A row of the table, or one of the session's own steps: leaf, backward, ...
    out : list of int
        The numbers of the results. No two steps share one, so steps can be deleted without renumbering.
    ins : list
        Numbers of operands; a list of one element is a Python number.
    options : dict
        What else the call takes.
    how : str
        The spelling of the call: "add", ".add", ".add_" or "+".
    no_grad : bool
        Whether the step runs under `no_grad`.
    raises : bool
        Whether it has to be refused.
    """

    op: str
    out: list[int] = field(default_factory=list)
    ins: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    how: str = ""
    no_grad: bool = False
    raises: bool = False

    @property
    def in_place(self) -> bool:
        return self.how.endswith("_") or self.how == "[]=" or (self.how[-1:] == "=" and self.how not in COMPARED)

    def __str__(self) -> str:
        ins = [f"v{i}" if isinstance(i, int) else str(i[0]) for i in self.ins]
        call = ", ".join([*ins, *(f"{k}={v}" for k, v in self.options.items())])
        out = ", ".join(f"v{k}" for k in self.out)
        marks = " [no_grad]" * self.no_grad + " [has to raise]" * self.raises
        return f"{out + ' = ' if out else ''}{self.how or self.op}({call}){marks}" + (
            f"  # {self.op}" if self.how.strip("._") not in ("", self.op) else ""
        )


Program = list[Step]


def text(program: Sequence[Step]) -> str:
    return "\n".join(map(str, program))


def dumps(program: Sequence[Step], **notes: Any) -> str:
    """Write a program as JSON, a step a line."""
    plain = [{k: v for k, v in asdict(s).items() if v not in ([], {}, "", False)} for s in program]
    lines = ",\n  ".join(json.dumps(step) for step in plain)
    head = "".join(f" {json.dumps(k)}: {json.dumps(v)},\n" for k, v in notes.items())
    return f'{{\n{head} "steps": [\n  {lines}\n ]\n}}\n'


def loads(source: str) -> Program:
    return [Step(**step) for step in json.loads(source)["steps"]]


def load(path: Path) -> Program:
    return loads(path.read_text())


def tuples(x: Any) -> Any:
    """Return options with tuples where JSON has lists."""
    if isinstance(x, dict):
        return {k: tuples(v) for k, v in x.items()}
    return tuple(map(tuples, x)) if isinstance(x, list | tuple) else x
