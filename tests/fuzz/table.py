"""All rows, and all cells: what has to be hit."""

from __future__ import annotations

from .ops_binary import BINARY
from .ops_elementwise import ELEMENTWISE
from .ops_index import INDEX
from .ops_loss import LOSS, NORMALISED
from .ops_matrix import MATRIX
from .ops_reduce import REDUCE
from .ops_shape import SHAPE
from .row import FLOATS

TABLE = (*ELEMENTWISE, *BINARY, *SHAPE, *REDUCE, *MATRIX, *INDEX, *NORMALISED, *LOSS)
ROWS = {row.name: row for row in TABLE}
CELLS = [
    (row.name, changes, dtype, layout)
    for row in TABLE
    for changes in row.changes()
    for dtype in row.dtypes
    for layout in row.layouts()
    if not (changes and (layout in ("expanded", "empty") or (row.result == "float" and dtype not in FLOATS)))
]
# Which cells a tensor of this dtype and layout can be the first operand for.
CELLS_OF: dict[tuple[str, str], list[tuple[str, bool, str, str]]] = {}
for cell in CELLS:
    CELLS_OF.setdefault(cell[2:], []).append(cell)
FLOAT_CELLS = [cell for cell in CELLS if cell[2] in FLOATS]
