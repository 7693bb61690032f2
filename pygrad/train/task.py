"""A task, what it takes to train a network on it, and what comes out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import nn
from .._engine import Tensor
from ..creation import from_numpy
from ..data import DataLoader
from ..dtypes import as_dtype
from ..random import Generator
from .loop import Epoch, fit
from .recipe import OPTIMIZERS, Recipe

__all__ = ["Data", "Report", "Result", "Task"]

Folder = str | os.PathLike[str] | None
Data = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
Report = Callable[[Epoch, nn.Module], object]


@dataclass(frozen=True)
class Result:
    """A trained network.

    Attributes
    ----------
    task : str
        What it was trained on.
    model : nn.MLP
    recipe : Recipe
    history : list of Epoch
    """

    task: str
    model: nn.MLP
    recipe: Recipe
    history: list[Epoch]

    @property
    def accuracy(self) -> float:
        """The share of the test samples that the network has right at the end."""
        return self.history[-1].accuracy or 0.0


@dataclass(frozen=True)
class Task:
    """A data set, the network for it and how it is trained.

    Attributes
    ----------
    name : str
    inputs, outputs : int
        The first and the last size of the network.
    load : callable
        From a folder and a seed to X_train, X_test, y_train, y_test; the labels as the loss wants them.
    loss : callable
        From outputs and labels to their mean loss.
    recipe : Recipe
        The default one.
    rates : dict of str to float
        The default learning rates of the other optimizers.
    dtype : str
        Of the numbers: 'float32' or 'float64'.
    report_every : int
        Between lines of progress, in epochs.
    needs_folder : bool
        Whether the data are files of the user's.
    """

    name: str
    inputs: int
    outputs: int
    load: Callable[[Folder, int], Data]
    loss: Callable[[Tensor, Tensor], Tensor]
    recipe: Recipe
    rates: dict[str, float]
    dtype: str = "float32"
    report_every: int = 1
    needs_folder: bool = False

    def recipe_with(self, **changes: Any) -> Recipe:
        """Return the default recipe with some fields changed; the learning rate goes with the optimizer if not given.

        Raises
        ------
        ValueError
            When a setting is out of its range.
        TypeError
            When there is no such field.
        """
        if "lr" not in changes:
            changes["lr"] = self.rates.get(changes.get("optimizer", ""), self.recipe.lr)
        return replace(self.recipe, **changes)

    def dims(self, recipe: Recipe) -> list[int]:
        """Return the sizes of the network."""
        return [self.inputs, *recipe.hidden, self.outputs]

    def test_data(self, folder: Folder, seed: int) -> tuple[Tensor, Tensor]:
        """Return the samples that training with this seed holds back."""
        _, X, _, y = self.load(folder, seed)
        return self._tensors(X, y)

    def _tensors(self, X: NDArray[Any], y: NDArray[Any]) -> tuple[Tensor, Tensor]:
        dtype = np.dtype(self.dtype)
        labels = y.astype(dtype, copy=False) if y.dtype.kind == "f" else y
        return from_numpy(X.astype(dtype, copy=False)), from_numpy(labels)

    def train(self, recipe: Recipe, data: Data, report: Report | None = None) -> Result:
        """Train a network by a recipe, on data as `load` gives them.

        The seed's stream gives the weights first, then the order of the samples of each epoch. A batch size of all the
        samples or more is gradient descent: they are taken in their order.

        Raises
        ------
        Diverged
            When the loss is no longer a number.
        """
        X_train, X_test, y_train, y_test = data
        train, test = self._tensors(X_train, y_train), self._tensors(X_test, y_test)
        generator = Generator(recipe.seed)
        model = nn.MLP(self.dims(recipe), seed=generator, dtype=as_dtype(self.dtype))
        optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), recipe.lr)
        whole = recipe.batch_size >= len(X_train)
        batches = [train] if whole else DataLoader(train, recipe.batch_size, shuffle=True, seed=generator)
        history = fit(model, optimizer, self.loss, batches, epochs=recipe.epochs, test=test, report=report)
        return Result(self.name, model, recipe, history)
