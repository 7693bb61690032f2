"""Numbers from standard input, for the demos: all of them, or none for the defaults.

A terminal is not read, so that a demo never waits. Bad input ends the program with one line on standard error and exit
status 2.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn


@dataclass
class Wanted:
    """A number that the demo wants: its name, its default and what it may be."""

    name: str
    value: float
    low: float
    high: float
    kind: Literal["any", "positive", "whole"] = "any"

    def describe(self) -> str:
        if self.kind == "whole":
            return f"a whole number from {self.low:.0f} to {self.high:.0f}"
        if self.kind == "positive":
            return f"a number above 0, up to {self.high:.0f}"
        return f"a number from {self.low:.0f} to {self.high:.0f}"

    def read(self, word: str) -> float:
        decimal = re.fullmatch(r"[-+.0-9eE]+", word)  # float takes nan and 1_000 too
        try:
            x = float(word) if decimal else float("nan")
        except ValueError:
            x = float("nan")
        in_range = self.low <= x <= self.high and (self.kind != "positive" or x > 0)
        if not in_range or (self.kind == "whole" and x != int(x)):
            refuse(f"{self.name} has to be {self.describe()}, not '{word[:40]}'")
        return x


def refuse(message: str) -> NoReturn:
    print(f"{Path(sys.argv[0]).stem}: {message}", file=sys.stderr)
    sys.exit(2)


def _words() -> list[str]:
    if sys.stdin is None or sys.stdin.isatty():  # None: closed, as good as empty
        return []
    try:
        text = sys.stdin.buffer.read(4096)
    except OSError as error:
        refuse(f"standard input cannot be read: {error.strerror}")
    if len(text) == 4096:
        refuse("4096 bytes or more on standard input; a few numbers are wanted")
    return [word.decode("ascii", "backslashreplace") for word in text.split()]


def read_numbers(wanted: Sequence[Wanted]) -> bool:
    """Put the numbers of standard input into `wanted`; true when there were any."""
    words = _words()
    if not words:
        return False
    if len(words) != len(wanted):
        names = " ".join(number.name for number in wanted)
        refuse(f"{len(words)} numbers on standard input; wanted are {len(wanted)} ({names}), or none for the defaults")
    for number, word in zip(wanted, words, strict=True):
        number.value = number.read(word)
    return True
