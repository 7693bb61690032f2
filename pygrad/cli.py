"""``pygrad``, or ``python -m pygrad``: a sub-command for each module that has `add_arguments` and `run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from ._version import __version__


class UsageError(Exception):
    """Arguments that make no sense together; one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    from .bench import command as bench  # here, so that importing pygrad.cli stays cheap
    from .train import command as train
    from .train import evaluation as evaluate

    parser = _Parser(prog="pygrad", description="Automatic differentiation on the CPU.")
    parser.add_argument("--version", action="version", version=f"pygrad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, module in {"train": train, "evaluate": evaluate, "bench": bench}.items():
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the program by default.

    Returns
    -------
    int
        The exit code: 0 for success, 1 for what went wrong, 2 for arguments that make no sense; either is told in one
        line.
    """
    try:
        args = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse's way of ending after --help, --version and errors
        return int(stop.code or 0)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except UsageError as error:
        print(f"pygrad {args.command}: {error} (see pygrad {args.command} --help)", file=sys.stderr)
        return 2
    except _expected() as error:
        print(f"pygrad {args.command}: {_one_line(error)}", file=sys.stderr)
        return 1


def _expected() -> tuple[type[Exception], ...]:
    """Return what may go wrong without a mistake in pygrad; anything else keeps its traceback."""
    from .checkpoint import CheckpointError
    from .data import DatasetError
    from .train import Diverged

    return CheckpointError, DatasetError, Diverged, OSError, MemoryError


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename!r}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
