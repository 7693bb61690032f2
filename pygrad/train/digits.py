"""The handwritten digits that come with the package."""

from __future__ import annotations

from typing import Any

from .. import data
from ..losses import cross_entropy
from .recipe import Recipe
from .task import Data, Folder, Report, Result, Task

__all__ = ["TASK", "digits"]


def _load(folder: Folder, seed: int) -> Data:
    X, y = data.digits(scale=False)
    return data.train_test_split(X / 8.0, y, seed=seed)


TASK = Task(
    name="digits",
    inputs=64,
    outputs=10,
    load=_load,
    loss=cross_entropy,
    recipe=Recipe(hidden=(256, 128), epochs=40, lr=0.05, batch_size=32, optimizer="momentum"),
    rates={"sgd": 0.1, "adam": 0.001},
)


def digits(report: Report | None = None, **changes: Any) -> Result:
    """Train a 64-256-128-10 network on four fifths of the 1,797 images of 8x8 pixels, and test it on the others.

    ReLU, He initialisation, softmax cross-entropy, SGD with momentum 0.9 and lr 0.05, batches of 32 for 40 epochs,
    float32. The seed chooses the split too.

    Parameters
    ----------
    report : callable, optional
        See `fit`.
    **changes
        Fields of `Recipe` to change, such as ``epochs=5``.

    Returns
    -------
    Result

    Notes
    -----
    Pixels from 0 to 16 are divided by 8. Their standard deviation is then 0.75 and their mean square 0.94, the size of
    signal that He's initialisation keeps: networks end better than with pixels divided by 16.
    Test accuracy over seeds 0 to 9: 98.1 % on average, 97.2 % at worst.

    Examples
    --------
    >>> digits(epochs=5).accuracy > 0.9
    True
    """
    recipe = TASK.recipe_with(**changes)
    return TASK.train(recipe, TASK.load(None, recipe.seed), report)
