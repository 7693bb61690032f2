"""What a training run says of itself."""

from __future__ import annotations

from typing import TextIO

from ..autograd import no_grad
from ..nn import Module
from .loop import Epoch
from .recipe import Recipe
from .task import Report, Result, Task

__all__ = ["foot", "head", "reporter"]


def head(task: Task, recipe: Recipe, stream: TextIO) -> None:
    """Write what is trained and how, and the names of the columns."""
    sizes = "-".join(map(str, task.dims(recipe)))
    print(
        f"{task.name}: {sizes}, {recipe.optimizer} lr {recipe.lr:g}, batch {recipe.batch_size}, seed {recipe.seed}",
        file=stream,
    )
    columns = f"{'epoch':>6}  {'loss':>10}  {'test acc':>8}  {'seconds':>7}"
    print(columns + ("  predictions" if task.outputs == 1 else ""), file=stream, flush=True)


def reporter(task: Task, recipe: Recipe, stream: TextIO) -> Report:
    """Return a function that writes a line for every epoch, or for every so many and the last."""

    def report(epoch: Epoch, model: Module) -> None:
        if epoch.epoch % task.report_every and epoch.epoch != recipe.epochs:
            return
        line = f"{epoch.epoch:6d}  {epoch.loss:10.6f}  {epoch.accuracy:8.2%}  {epoch.seconds:7.3f}"
        if task.outputs == 1:
            line += "  " + " ".join(f"{p:.6f}" for p in _probabilities(task, model))
        print(line, file=stream, flush=True)

    return report


def _probabilities(task: Task, model: Module) -> list[float]:
    X, _ = task.test_data(None, 0)
    with no_grad():
        return [float(p) for p in model(X).sigmoid().reshape(-1).tolist()]


def foot(result: Result, out: str | None, stream: TextIO) -> None:
    """Write what was reached, and where it was saved."""
    best = max(result.history, key=lambda epoch: epoch.accuracy or 0.0)
    seconds = sum(epoch.seconds for epoch in result.history)
    print(
        f"test accuracy {result.accuracy:.2%}, at best {best.accuracy:.2%} after epoch {best.epoch}; "
        f"{seconds:.2f} s of training",
        file=stream,
    )
    if out is not None:
        print(f"saved to {out}", file=stream)
