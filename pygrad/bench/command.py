"""``python -m pygrad bench``: arguments in, a table or JSON out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "measure Value and Tensor against pure Python, numpy by hand, C and PyTorch"
DESCRIPTION = """\
Time the same training steps in pure Python (pygrad.reference, with the garbage collector on and off), by pygrad.Value
(written out as in micrograd, and fused), by hand in numpy, and in C alone; then pygrad.Tensor against numpy by hand
and, where it is installed, PyTorch. Contestants take turns in one run; every figure is a median with its quartiles.
"""
EXAMPLE = """\
example:
  python -m pygrad bench --quick                # a first look, some twenty seconds
  python -m pygrad bench --json figures.json    # the table, and the figures in a file
  python -m pygrad bench --json - > figures.json
"""
ROUNDS, QUICK_ROUNDS = 15, 3


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"has to be a whole number from 1 on, not {text!r}")
    return count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``bench``."""
    parser.add_argument(
        "--json", metavar="FILE", help="write the figures as JSON too; with '-' to standard output, without the table"
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, shorter chains, one thread")
    parser.add_argument(
        "--rounds", metavar="N", type=_count, help=f"turns of each contestant ({ROUNDS}; {QUICK_ROUNDS} with --quick)"
    )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def run(args: argparse.Namespace) -> int:
    """Run the comparison and write what was asked for; return the exit code."""
    if args.json not in (None, "-"):
        try:
            Path(args.json).open("a").close()  # before a minute of measuring, not after
        except OSError as error:
            print(f"pygrad bench: cannot write {args.json!r}: {error.strerror}", file=sys.stderr)
            return 2
    from pygrad.bench import machine, rows, suite, table

    rounds = args.rounds or (QUICK_ROUNDS if args.quick else ROUNDS)
    measured = suite.run(rounds, args.quick, _progress)
    _progress("")
    facts = machine.facts()
    if args.json is not None:
        text = json.dumps(rows.document(facts, {"rounds": rounds, "quick": args.quick}, measured), indent=1) + "\n"
        if args.json == "-":
            sys.stdout.write(text)
            return 0
        Path(args.json).write_text(text, encoding="utf-8")
    print(table.render(facts, measured))
    return 0
