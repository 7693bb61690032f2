"""Small data sets that need no network, and the means to hold a part of one back for testing."""

from __future__ import annotations

from pygrad.data.digits import digits
from pygrad.data.errors import DatasetError
from pygrad.data.split import train_test_split
from pygrad.data.synthetic import moons, xor

__all__ = ["DatasetError", "digits", "moons", "train_test_split", "xor"]
