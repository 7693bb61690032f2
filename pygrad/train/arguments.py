"""Types of arguments on the command line: text in, a checked value out."""

from __future__ import annotations

import argparse
import math

__all__ = ["count", "positive", "seed", "widths"]


def _whole(text: str, low: int, high: int, wanted: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"has to be {wanted}, not {text!r}")
    return number


def count(text: str) -> int:
    """Read a number of things, of which there is at least one."""
    return _whole(text, 1, 2**31 - 1, "a whole number from 1 on")


def seed(text: str) -> int:
    """Read a seed of `pygrad.random.Generator`."""
    return _whole(text, 0, 2**64 - 1, "a whole number from 0 to 2**64 - 1")


def positive(text: str) -> float:
    """Read a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"has to be a number above 0, not {text!r}")
    return number


def widths(text: str) -> tuple[int, ...]:
    """Read the widths of hidden layers, such as 256,128."""
    wanted = "whole numbers from 1 on, such as 256,128"
    try:
        return tuple(_whole(part, 1, 2**20, wanted) for part in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"has to be {wanted}, not {text!r}") from None
