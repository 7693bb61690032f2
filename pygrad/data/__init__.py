"""Data sets, mini-batches of them, and the means to hold a part of one back for testing."""

from __future__ import annotations

from pygrad.data.digits import digits
from pygrad.data.errors import DatasetError
from pygrad.data.idx import read_idx, write_idx
from pygrad.data.loader import DataLoader, TensorDataset
from pygrad.data.mnist import MNIST, mnist
from pygrad.data.split import train_test_split
from pygrad.data.synthetic import moons, xor

__all__ = [
    "MNIST",
    "DataLoader",
    "DatasetError",
    "TensorDataset",
    "digits",
    "mnist",
    "moons",
    "read_idx",
    "train_test_split",
    "write_idx",
    "xor",
]
