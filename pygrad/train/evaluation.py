"""``pygrad evaluate``: a saved network in, its accuracy out."""

from __future__ import annotations

import argparse
import json
import sys

SUMMARY = "measure a saved network on the samples that its training held back"
DESCRIPTION = """\
Read a network that `pygrad train --out` saved, and print its test accuracy: the figure that its training ended with.
"""
EXAMPLE = """\
example:
  pygrad evaluate digits.npz
  pygrad evaluate mnist.npz --data ~/data/mnist --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``evaluate``."""
    parser.add_argument("model", metavar="MODEL", help="the file")
    parser.add_argument("--data", metavar="DIR", help="the folder of the files of mnist; or set PYGRAD_DATA_DIR")
    parser.add_argument("--json", action="store_true", help="write JSON")


def run(args: argparse.Namespace) -> int:
    """Evaluate as the arguments say; return the exit code."""
    from . import saved
    from .tasks import TASKS

    reached = saved.evaluate(args.model, TASKS, args.data)
    if args.json:
        json.dump({"model": args.model, **reached}, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        print(f"{reached['task']}: test accuracy {reached['accuracy']:.2%} of {reached['samples']} samples")
    return 0
