"""Types of arguments that many functions take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np

from ._engine import Tensor
from .dtypes import dtype

__all__ = ["DType", "Operand", "Sizes"]

#: A number, or what has elements that are broadcast.
Operand: TypeAlias = Tensor | float | np.number[Any] | np.bool_ | np.ndarray[Any, Any]

#: What `as_dtype` takes; None where there is a default.
DType: TypeAlias = dtype | type | str | np.dtype[Any] | None

Sizes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
