"""All rows, and all cells: what has to be hit."""

from __future__ import annotations

from .ops_binary import BINARY
from .ops_elementwise import ELEMENTWISE
from .ops_index import INDEX
from .ops_loss import LOSS, NORMALISED
from .ops_matrix import MATRIX
from .ops_reduce import REDUCE
from .ops_shape import SHAPE
from .ops_write import WRITE
from .row import FLOATS

TABLE = (*ELEMENTWISE, *BINARY, *SHAPE, *REDUCE, *MATRIX, *INDEX, *WRITE, *NORMALISED, *LOSS)
ROWS = {row.name: row for row in TABLE}
Cell = tuple[str, bool, str, str]  # row, whether in place, dtype and layout of the first operand


class Cells:
    """What there is to hit, by what the generator asks for.

    Parameters
    ----------
    torch : bool
        Only what PyTorch has too.
    """

    def __init__(self, torch: bool = False) -> None:
        self.all = [
            (row.name, changes, dtype, layout)
            for row in TABLE
            for changes in row.changes()
            for dtype in row.dtypes
            for layout in row.layouts()
            if (row.torch or not torch)
            and not (changes and (layout in ("expanded", "empty") or (row.result == "float" and dtype not in FLOATS)))
            and not (changes and row.result == "summed" and dtype == "bool")
        ]
        self.floats = [cell for cell in self.all if cell[2] in FLOATS]
        self.changes = [cell for cell in self.all if cell[1]]
        self.of: dict[tuple[str, str], list[Cell]] = {}  # those that a tensor of a dtype and layout can be used for
        for cell in self.all:
            self.of.setdefault(cell[2:], []).append(cell)


CELLS = Cells()
