"""Automatic differentiation on the CPU: exact, small, and in C underneath.

>>> from pygrad import Value
>>> a, b, c = Value(2.0), Value(3.0), Value(5.0)
>>> loss = (a + b) * c
>>> loss.backward()
>>> loss.data, a.grad, b.grad, c.grad
(25.0, 5.0, 5.0, 5.0)
"""

from __future__ import annotations

import builtins as _builtins
import importlib as _importlib
from typing import TYPE_CHECKING
from typing import Any as _Any

from . import autograd, checkpoint, dtypes, functional, init, nn, optim, random
from ._printing import set_printoptions
from ._tensor import DTypeError, ShapeError, Tensor
from ._version import __version__
from .autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .checkpoint import CheckpointError
from .creation import *  # noqa: F403
from .dtypes import *  # noqa: F403
from .dtypes import bool as bool
from .dtypes import float as float
from .dtypes import int as int
from .functional import *  # noqa: F403
from .random import manual_seed as manual_seed
from .sampling import *  # noqa: F403
from .value import Value

if TYPE_CHECKING:
    from . import data, train
    from .check import GradcheckError, gradcheck
    from .check_second import gradgradcheck
else:  # imported when it is first asked for, which keeps `import pygrad` short
    _LATER = {
        "data": ".data",
        "train": ".train",
        "GradcheckError": ".check",
        "gradcheck": ".check",
        "gradgradcheck": ".check_second",
    }

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = _importlib.import_module(_LATER[name], __name__)
        found = globals()[name] = module if _LATER[name] == f".{name}" else getattr(module, name)
        return found


# Not the functions: `from pygrad import *` shall leave Python's sum alone.
__all__ = [
    "CheckpointError",
    "DTypeError",
    "GradcheckError",
    "ShapeError",
    "Tensor",
    "Value",
    "__version__",
    "autograd",
    "checkpoint",
    "data",
    "draw",
    "dtypes",
    "enable_grad",
    "functional",
    "gradcheck",
    "gradgradcheck",
    "init",
    "is_grad_enabled",
    "nn",
    "no_grad",
    "optim",
    "random",
    "set_grad_enabled",
    "set_printoptions",
    "train",
]


def draw(value: Value, max_nodes: _builtins.int = 200) -> _Any:
    """Draw the graph behind a value: shown by itself in a notebook; see `pygrad.viz.draw`."""
    from .viz import draw

    return draw(value, max_nodes=max_nodes)
