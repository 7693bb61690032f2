"""What was hit how often: operation by dtype and layout."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .row import LAYOUTS
from .table import CELLS

WANTED = 1000


def table(hits: Counter[Any]) -> str:
    """Return a line per operation and dtype, the cells below what is wanted, refusals, and the length of programs."""
    lines = [f"{'operation':44} {'dtype':8}" + "".join(f"{layout:>12}" for layout in LAYOUTS)]
    cells = set(CELLS.all)
    for name, changes, dtype in dict.fromkeys(cell[:3] for cell in CELLS.all):
        row = [
            f"{hits[name, changes, dtype, layout]:>12}" if (name, changes, dtype, layout) in cells else " " * 12
            for layout in LAYOUTS
        ]
        lines.append(f"{name + ' in place' * changes:44} {dtype:8}" + "".join(row))
    rare: list[Any] = sorted((hits[cell], cell) for cell in CELLS.all if hits[cell] < WANTED)
    lines.append(f"{len(CELLS.all)} cells; {len(rare)} of them below {WANTED}, the lowest first:")
    lines += [
        f"{n:>8}  {name}{' in place' * changes} {dtype} {layout}" for n, (name, changes, dtype, layout) in rare[:40]
    ]
    lengths = sorted((key[1], n) for key, n in hits.items() if isinstance(key, tuple) and key[0] == "ops")
    half, seen, median = sum(n for _, n in lengths) / 2, 0, 0
    for length, n in lengths:
        seen += n
        if seen >= half:
            median = length
            break
    refused: Counter[str] = Counter()
    for key, n in hits.items():
        if isinstance(key, tuple) and key[0] == "refused":
            refused[key[1]] += n
    errors = sum(n for key, n in hits.items() if isinstance(key, tuple) and key[1:] == ("refused",))
    lines.append(
        f"{hits['programs']} programs, a median of {median} operations; {errors} calls that had to fail; "
        f"{sum(refused.values())} refused for changes in place, {hits['incomplete gradients']} programs without "
        "gradients for that"
    )
    lines += [f"{n:>8}  refused: {text}" for text, n in refused.most_common(12)]
    lines += [f"{n:>8}  {key[1]}" for key, n in hits.items() if isinstance(key, tuple) and key[0] == "torch"]
    return "\n".join(lines)
