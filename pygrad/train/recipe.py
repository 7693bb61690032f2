"""What a training run is made of, in terms that a file can hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..optim import SGD, Adam, Optimizer

__all__ = ["OPTIMIZERS", "Recipe"]

#: By the names of the command line, from parameters and learning rate.
OPTIMIZERS: dict[str, Callable[[list[Any], float], Optimizer]] = {
    "sgd": lambda params, lr: SGD(params, lr),
    "momentum": lambda params, lr: SGD(params, lr, momentum=0.9),
    "adam": lambda params, lr: Adam(params, lr),
}


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run; with the data and the version of pygrad they determine its result.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers; empty for a linear model.
    epochs : int
    lr : float
    batch_size : int
    optimizer : str
        'sgd', 'momentum' (SGD with momentum 0.9) or 'adam'.
    seed : int
        Of the weights, of the order of the samples and of the split.

    Raises
    ------
    ValueError
        When a setting is out of its range; names it.
    """

    hidden: tuple[int, ...]
    epochs: int
    lr: float
    batch_size: int
    optimizer: str = "sgd"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            if value < 1:
                raise ValueError(f"{name} has to be at least 1, not {value}")
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden has to be widths of at least 1, not {list(self.hidden)}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr has to be a finite number above 0, not {self.lr}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"no optimizer is named {self.optimizer!r}; there are {', '.join(OPTIMIZERS)}")
        if not 0 <= self.seed < 2**64:
            raise ValueError(f"seed has to be from 0 to 2**64 - 1, not {self.seed}")
