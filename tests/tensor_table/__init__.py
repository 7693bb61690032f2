"""One row per tensor op: how to call it, what inputs it takes, and what it has to compute.

The oracles are numpy in float64 or formulas written out; none of them knows the engine. Samplers stay away from kinks,
jumps and ties, so that central differences of the oracle are the derivative; the edges have tests of their own.

`test_tensor_ops` derives from a row its tests of values, gradients, layouts, broadcasting and reuse.
"""

from __future__ import annotations

from .comparisons import COMPARISONS
from .elementwise import BINARY, ELEMENTWISE
from .indexing import ALONG_AXIS, READING, as_torch_index
from .losses import LOSSES
from .matrices import MATRICES, PRODUCTS_OF_ONE_KIND
from .normalization import NORMALISING
from .reductions import REDUCING, STATISTICS
from .rows import Case, Row
from .shapes import ARRANGED, SHAPES

__all__ = ["ALIASES", "ARRANGED", "PRODUCTS_OF_ONE_KIND", "READING", "SHAPES", "TABLE", "Case", "Row", "as_torch_index"]

# Other names of the same functions.
ALIASES = {
    "absolute": "abs", "negative": "neg", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "fix": "trunc",
    "clip": "clamp", "concat": "cat", "concatenate": "cat", "swish": "silu",
}  # fmt: skip

TABLE = (
    *ELEMENTWISE,
    *BINARY,
    *COMPARISONS,
    *REDUCING,
    *STATISTICS,
    *MATRICES,
    *PRODUCTS_OF_ONE_KIND,
    *SHAPES,
    *ARRANGED,
    *READING,
    *ALONG_AXIS,
    *NORMALISING,
    *LOSSES,
)
