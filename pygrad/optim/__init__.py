"""Optimisers over tensors and over lists of values, with PyTorch's equations and defaults: one C call a step."""

from __future__ import annotations

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
