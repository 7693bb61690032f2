"""What the tests of graph drawing share: graphs, and what graphviz makes of a text."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")

NASTY = 'a"b\n|{}<script>&'


class Node:
    """The least that can be drawn: micrograd's attributes, inputs in order."""

    def __init__(self, data: Any, children: tuple[Node, ...] = (), op: str = "", label: Any = "") -> None:
        self.data = data
        self.grad: Any = 0.0
        self.label = label
        self._children = children
        self._op = op

    @property
    def _prev(self) -> set[Node]:
        return set(self._children)


def diamond() -> Node:
    """Return (a + b) * (a + b) as a product of one node with itself, labelled."""
    a, b = Node(2.0, label="a"), Node(3.0, label="b")
    s = Node(5.0, (a, b), "+", "s")
    return Node(25.0, (s, s), "*", "L")


def svg_texts(svg: str | None) -> list[str]:
    """Give every text in the picture, in order; fails unless the picture is well-formed XML."""
    assert svg is not None
    root = ElementTree.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "title", "text", "path", "polygon", "polyline", "ellipse"}
    # Graphviz writes blanks as no-break spaces.
    return [(e.text or "").replace("\N{NO-BREAK SPACE}", " ") for e in root.iter() if e.tag.endswith("}text")]
