"""Counting the nodes of a graph."""

from __future__ import annotations

from typing import Any


def count_nodes(root: Any) -> int:
    """Return how many values a value depends on, itself included, found by following `_prev`.

    Examples
    --------
    >>> from pygrad import Value
    >>> x = Value(3.0)
    >>> count_nodes(x * x + x)
    3
    """
    seen = {root}
    stack = [root]
    while stack:
        for node in stack.pop()._prev:
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return len(seen)
