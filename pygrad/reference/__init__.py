"""The engine again in pure Python, and a network by hand in numpy: to read, to check against, to compare.

`Value` here has the interface of `pygrad.Value`, whose work is done in C, and gives the same numbers. Read in
this order: `engine` (the idea), `elementwise` (more functions), `functional` (losses), `nn`, `optim`; then
`numpy_mlp`, where the same gradients are written out by hand.

Examples
--------
>>> from pygrad.reference import Value
>>> x, w, b = Value(2), Value(3), Value(1)
>>> loss = (w * x + b - 5) ** 2
>>> loss.backward()
>>> w.grad, x.grad, b.grad
(8.0, 12.0, 4.0)
"""

from __future__ import annotations

from pygrad.reference import functional, nn, optim
from pygrad.reference.engine import Value
from pygrad.reference.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    dot,
    logsumexp,
    margin_loss,
    softmax,
    squared_error,
    sum,
)
from pygrad.reference.nn import MLP, Layer, Module, Neuron
from pygrad.reference.numpy_mlp import NumpyMLP
from pygrad.reference.optim import SGD, Adam

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "Layer",
    "Module",
    "Neuron",
    "NumpyMLP",
    "Value",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dot",
    "functional",
    "logsumexp",
    "margin_loss",
    "nn",
    "optim",
    "softmax",
    "squared_error",
    "sum",
]
