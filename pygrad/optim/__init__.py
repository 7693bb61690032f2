"""Optimisers over lists of values: one C call a step."""

from .scalar import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Optimizer"]
