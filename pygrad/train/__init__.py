"""Training: one loop, and the trainers that use it."""

from __future__ import annotations

from .digits import digits
from .loop import Diverged, Epoch, accuracy, fit
from .mnist import mnist
from .recipe import Recipe
from .task import Result
from .xor import xor

__all__ = ["Diverged", "Epoch", "Recipe", "Result", "accuracy", "digits", "fit", "mnist", "xor"]
