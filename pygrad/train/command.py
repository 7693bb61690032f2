"""``pygrad train``: arguments in, progress and a saved network out."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from ..cli import UsageError
from .arguments import count, positive, seed, widths

SUMMARY = "train a network on xor, digits or mnist"
DESCRIPTION = """\
Train a multi-layer perceptron with ReLU and tell of its progress. xor is learnt from its four samples, digits from the
1,797 small images that come with the package, a fifth of them held back; mnist needs the four files of the data set.
"""
EXAMPLE = """\
example:
  pygrad train xor
  pygrad train digits --out digits.npz
  pygrad train mnist --data ~/data/mnist --epochs 5 --hidden 256,128 --json > run.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``train``."""
    from .recipe import OPTIMIZERS
    from .tasks import TASKS

    def defaults(name: str) -> str:
        return ", ".join(f"{task.name} {getattr(task.recipe, name)}" for task in TASKS.values())

    hidden = ", ".join(f"{task.name} {','.join(map(str, task.recipe.hidden))}" for task in TASKS.values())
    parser.add_argument("task", choices=TASKS, help="what to learn")
    parser.add_argument("--data", metavar="DIR", help="the folder of the files of mnist; or set PYGRAD_DATA_DIR")
    parser.add_argument("--epochs", metavar="N", type=count, help=f"({defaults('epochs')})")
    parser.add_argument("--lr", metavar="RATE", type=positive, help=f"learning rate ({defaults('lr')})")
    parser.add_argument("--batch-size", metavar="N", type=count, help=f"samples a step ({defaults('batch_size')})")
    parser.add_argument("--hidden", metavar="N,N", type=widths, help=f"widths of the hidden layers ({hidden})")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, help=f"({defaults('optimizer')})")
    parser.add_argument("--seed", metavar="N", type=seed, help="of weights, order and split (0)")
    parser.add_argument("--out", metavar="MODEL", help="save the network, for `pygrad evaluate`")
    parser.add_argument("--json", action="store_true", help="write the result to standard output as JSON, and the "
                        "progress to standard error")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train as the arguments say; return the exit code."""
    from . import progress, saved
    from .tasks import TASKS

    task = TASKS[args.task]
    if args.data is not None and not task.needs_folder:
        raise UsageError(f"--data is for mnist; {task.name} comes with the package")
    names = ("epochs", "lr", "batch_size", "hidden", "optimizer", "seed")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    recipe = task.recipe_with(**given)
    if args.out is not None:
        _check_writable(args.out)  # before minutes of training, not after
    stream: TextIO = sys.stderr if args.json else sys.stdout
    data = task.load(args.data, recipe.seed)
    progress.head(task, recipe, stream)
    result = task.train(recipe, data, progress.reporter(task, recipe, stream))
    if args.out is not None:
        saved.save(args.out, task, result)
    progress.foot(result, args.out, stream)
    if args.json:
        json.dump({**saved.describe(task, result), "out": args.out}, sys.stdout, indent=1)
        sys.stdout.write("\n")
    return 0


def _check_writable(path: str) -> None:
    """Raise OSError, naming the file, when it could not be written now."""
    if Path(path).is_dir():
        raise IsADirectoryError(21, "is a folder", path)
    try:
        tempfile.TemporaryFile(dir=Path(path).absolute().parent).close()
    except OSError as error:
        raise type(error)(error.errno, error.strerror, path) from error
