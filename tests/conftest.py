"""What all tests share: the oracles beside them are importable, whatever way pytest imports tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# `--import-mode=importlib`, by which an installed package is tried, does not do this.
HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

# It imports PyTorch, and is imported itself only where that is.
collect_ignore = ["fuzz/mirror.py"]

# As in the tests themselves: assertions tell what they compared, and count under `python -O` too.
BESIDE = {path.stem for path in Path(HERE).glob("*.py") if not path.stem.startswith(("test_", "conftest"))}
pytest.register_assert_rewrite("tensor_table", *sorted(BESIDE))

# The same examples in every run, however slow the machine: a test that fails fails for everybody.
settings.register_profile("pygrad", derandomize=True, deadline=None, database=None)
settings.load_profile("pygrad")
