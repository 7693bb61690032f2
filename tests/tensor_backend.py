"""The module under test: pygrad, or PyTorch itself when PYGRAD_TENSOR_TESTS=torch.

The tensor tests state PyTorch's semantics, and the switch shows that they do: the same files pass on both, but for the
tests marked `ours`, whose reason says in what pygrad differs on purpose.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]
MODIFIED = "modified by an inplace operation"
TORCH = os.environ.get("PYGRAD_TENSOR_TESTS") == "torch"

if TORCH:
    import torch

    class _Torch:
        """Find a name where PyTorch keeps it: pygrad's functions all live in one module."""

        def __getattr__(self, name: str) -> Any:
            home = torch.nn.functional if hasattr(torch.nn.functional, name) else torch
            return getattr(home, name)

    pg: Any = _Torch()
    ShapeError: type[Exception] = RuntimeError
else:
    import pygrad as pg

    ShapeError = pg.ShapeError


def ours(reason: str) -> pytest.MarkDecorator:
    """Mark a test of what pygrad does and PyTorch does not."""
    return pytest.mark.skipif(TORCH, reason=f"not so in PyTorch: {reason}")


@contextmanager
def refused(*errors: type[Exception], naming: tuple[Any, ...] = ()):
    """Expect one of the errors; pygrad's message has to show each of the words and shapes in `naming`."""
    with pytest.raises(errors) as caught:
        yield
    if not TORCH:
        text = str(caught.value)
        for part in naming:
            wanted = ", ".join(map(str, part)) if isinstance(part, tuple) else str(part)
            assert wanted in text, f"{text!r} does not show {wanted!r}"


def leaf(x: Any, dtype: str = "float64") -> Any:
    """Return a tensor of these values that wants a gradient."""
    return pg.tensor(np.asarray(x, dtype=dtype)).requires_grad_()


def array(t: Any) -> np.ndarray:
    """Return the values of a tensor, whatever graph it hangs on."""
    return t.detach().numpy(force=True)


def grad(t: Any) -> list[Any]:
    """Return the gradient as numbers."""
    return array(t.grad).tolist()


def counted(*shape: int) -> np.ndarray:
    """Return 0, 1, 2... in this shape."""
    return np.arange(math.prod(shape), dtype=np.float64).reshape(shape)


def many(n: int = 100) -> list[Any]:
    """Return fresh tensors, which take the memory of those that were just freed."""
    return [pg.tensor([1.0]) for _ in range(n)]


def dtype_name(t: Any) -> str:
    """Return "float32", "int64", ..."""
    return str(t.dtype).rpartition(".")[2]
