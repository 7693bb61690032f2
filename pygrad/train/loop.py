"""The training loop that every trainer uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

from .._engine import Tensor
from ..autograd import no_grad
from ..nn import Module
from ..optim import Optimizer

__all__ = ["Diverged", "Epoch", "accuracy", "fit"]


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes
    ----------
    epoch : int
        Its number, from 1.
    loss : float
        The mean over the training samples, each taken when its batch was.
    accuracy : float or None
        The share of the test samples that the model has right after the epoch.
    seconds : float
        Spent on training; the test comes on top.
    """

    epoch: int
    loss: float
    accuracy: float | None
    seconds: float


def fit(
    model: Module,
    optimizer: Optimizer,
    loss: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[tuple[Tensor, ...]],
    *,
    epochs: int,
    test: tuple[Tensor, Tensor] | None = None,
    report: Callable[[Epoch, Module], object] | None = None,
) -> list[Epoch]:
    """Train a model: for every batch a step against the gradient of its loss.

    Parameters
    ----------
    model : Module
        Outputs a row for every sample.
    optimizer : Optimizer
        Over the model's parameters.
    loss : callable
        From outputs and labels to their mean loss.
    batches : iterable of (X, y)
        Gone through once an epoch: a `pygrad.data.DataLoader`, or a list. The last batch may be a short one; the mean
        loss of the epoch weighs each batch by its samples.
    epochs : int
        How often.
    test : (X, y), optional
        What to measure the accuracy on after every epoch; see `accuracy`.
    report : callable, optional
        Called with each `Epoch` and the model when it is over.

    Returns
    -------
    list of Epoch

    Raises
    ------
    ValueError
        When there are no batches, or less than one epoch is wanted.
    Diverged
        When the loss of an epoch is infinite or not a number.

    Examples
    --------
    >>> import pygrad
    >>> from pygrad import nn, optim
    >>> X, y = pygrad.tensor([[0.0], [1.0]]), pygrad.tensor([[1.0], [3.0]])
    >>> model = nn.Linear(1, 1)
    >>> history = fit(model, optim.SGD(model.parameters(), lr=0.5), pygrad.mse_loss, [(X, y)], epochs=100)
    >>> round(model.weight.item(), 3), round(model.bias.item(), 3)
    (2.0, 1.0)
    """
    if epochs < 1:
        raise ValueError(f"epochs has to be at least 1, not {epochs}")
    history = []
    for epoch in range(1, epochs + 1):
        model.train()
        begin = perf_counter()
        total, samples = 0.0, 0
        for X, y in batches:
            optimizer.zero_grad()
            batch_loss = loss(model(X), y)
            batch_loss.backward()
            optimizer.step()
            total += batch_loss.item() * len(X)
            samples += len(X)
        seconds = perf_counter() - begin
        if samples == 0:
            raise ValueError("there are no batches to train on")
        if not math.isfinite(total):
            raise Diverged(f"the loss is {total / samples} in epoch {epoch}; a smaller learning rate helps")
        reached = None if test is None else accuracy(model, *test)
        history.append(Epoch(epoch, total / samples, reached, seconds))
        if report is not None:
            report(history[-1], model)
    return history


def accuracy(model: Module, X: Tensor, y: Tensor, batch_size: int = 1000) -> float:
    """Return the share of samples whose class a model has right, in evaluation mode and without a graph.

    Parameters
    ----------
    model : Module
        Gives a logit for each of several classes, or a single one that is positive for class 1.
    X : Tensor, shape (n, ...)
        Samples.
    y : Tensor, shape (n,) or (n, 1)
        Their classes.
    batch_size : int
        How many samples are computed at a time.

    Raises
    ------
    ValueError
        When there are no samples.

    Examples
    --------
    >>> import pygrad
    >>> from pygrad import nn
    >>> accuracy(nn.Identity(), pygrad.tensor([[2.0, 1.0], [0.0, 3.0]]), pygrad.tensor([0, 0]))
    0.5
    """
    n = len(X)
    if n == 0:
        raise ValueError("there are no samples to measure the accuracy on")
    was_training = model.training
    model.eval()
    right = 0
    with no_grad():
        for start in range(0, n, batch_size):
            part = slice(start, start + batch_size)
            right += int((classes(model(X[part])) == y[part].reshape(-1)).sum().item())
    model.train(was_training)
    return right / n


def classes(logits: Tensor) -> Tensor:
    """Return the class that each row of logits stands for."""
    return logits.argmax(1) if logits.shape[1] > 1 else (logits > 0).reshape(-1)
