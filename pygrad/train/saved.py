"""Trained networks in files: the weights, and in JSON what they are and how they came about."""

from __future__ import annotations

import os
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from .. import checkpoint, nn
from ..dtypes import as_dtype
from .loop import accuracy
from .recipe import Recipe
from .task import Folder, Result, Task

__all__ = ["describe", "evaluate", "restore", "save"]

_KIND = "pygrad.train"


def describe(task: Task, result: Result) -> dict[str, Any]:
    """Return a result in terms that JSON has."""
    return {
        "kind": _KIND,
        "task": result.task,
        "dims": task.dims(result.recipe),
        "dtype": task.dtype,
        "recipe": {**asdict(result.recipe), "hidden": list(result.recipe.hidden)},
        "history": [asdict(epoch) for epoch in result.history],
        "accuracy": result.accuracy,
    }


def save(path: str | os.PathLike[str], task: Task, result: Result) -> None:
    """Write a trained network to a file.

    Raises
    ------
    CheckpointError
        When the file cannot be written; one that stood there is as before.
    """
    checkpoint.save(path, result.model.state_dict(), describe(task, result))


def restore(path: str | os.PathLike[str], tasks: dict[str, Task]) -> tuple[Task, Recipe, nn.MLP]:
    """Read a network that `save` wrote.

    Returns
    -------
    task : Task
        The one of `tasks` that it was trained on.
    recipe : Recipe
    model : nn.MLP

    Raises
    ------
    CheckpointError
        When the file is missing, damaged, or none of a trained network; one line that names it.
    """
    name = repr(os.fspath(path))
    arrays, meta = checkpoint.load(path)
    task = next((task for task in tasks.values() if task.name == meta.get("task")), None)
    if meta.get("kind") != _KIND or task is None:
        raise checkpoint.CheckpointError(f"{name} was not written by `pygrad train {'|'.join(tasks)}`")
    try:
        recipe = Recipe(**{**meta["recipe"], "hidden": tuple(meta["recipe"]["hidden"])})
        dims = task.dims(recipe)
        # Before anything of that size is made.
        for layer, (n, m) in enumerate(pairwise(dims)):
            found = arrays[f"{2 * layer}.weight"].shape
            if found != (m, n):
                raise ValueError(f"layer {layer} has weights of shape {found}, and {(m, n)} by the recipe")
        model = nn.MLP(dims, seed=0, dtype=as_dtype(task.dtype))
        model.load_state_dict(arrays)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise checkpoint.CheckpointError(f"{name} does not hold the network it describes ({told})") from error
    return task, recipe, model


def evaluate(path: str | os.PathLike[str], tasks: dict[str, Task], folder: Folder = None) -> dict[str, Any]:
    """Measure a saved network on the samples that its training held back.

    Returns
    -------
    dict
        'task', 'accuracy' and 'samples'.

    Raises
    ------
    CheckpointError, DatasetError
        When the network or the data cannot be had.
    """
    task, recipe, model = restore(path, tasks)
    X, y = task.test_data(folder, recipe.seed)
    return {"task": task.name, "accuracy": accuracy(model, X, y), "samples": len(X)}
