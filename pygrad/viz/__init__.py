"""Pictures of computation graphs: DOT text always, SVG where graphviz is installed."""

from __future__ import annotations

from pygrad.viz.dot import to_dot
from pygrad.viz.drawing import Drawing, draw

__all__ = ["Drawing", "draw", "to_dot"]
