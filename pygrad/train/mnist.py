"""The MNIST database of handwritten digits."""

from __future__ import annotations

from typing import Any

from .. import data
from ..losses import cross_entropy
from .recipe import Recipe
from .task import Data, Folder, Report, Result, Task

__all__ = ["TASK", "mnist"]


def _load(folder: Folder, seed: int) -> Data:
    return data.mnist(folder)


TASK = Task(
    name="mnist",
    inputs=784,
    outputs=10,
    load=_load,
    loss=cross_entropy,
    recipe=Recipe(hidden=(256, 128), epochs=20, lr=0.1, batch_size=64),
    rates={"momentum": 0.02, "adam": 0.001},
    needs_folder=True,
)


def mnist(folder: Folder = None, report: Report | None = None, **changes: Any) -> Result:
    """Train a 784-256-128-10 network on the 60,000 images, and test it on the 10,000 others.

    ReLU, He initialisation, softmax cross-entropy, SGD with lr 0.1 and batches of 64 for 20 epochs, float32.

    Parameters
    ----------
    folder : str or path, optional
        Where the four files are; see `pygrad.data.mnist`.
    report : callable, optional
        See `fit`.
    **changes
        Fields of `Recipe` to change, such as ``epochs=5``.

    Returns
    -------
    Result

    Raises
    ------
    DatasetError
        When a file is missing or damaged.

    Notes
    -----
    Test accuracy over seeds 0 to 9, in percent; "by" is the best of the epochs so far:

    ==========  =====  =====
    epochs      mean   worst
    ==========  =====  =====
    1           94.94  94.29
    by 5        97.54  97.25
    by 20       98.18  98.06
    ==========  =====  =====

    Examples
    --------
    >>> mnist("~/data", epochs=1).accuracy > 0.92  # doctest: +SKIP
    True
    """
    recipe = TASK.recipe_with(**changes)
    return TASK.train(recipe, TASK.load(folder, recipe.seed), report)
