"""A drawn graph: text that turns into a picture where it can."""

from __future__ import annotations

import os
from collections.abc import Container

from pygrad.viz.dot import ValueLike, to_dot
from pygrad.viz.render import GraphvizError, render_svg


class Drawing:
    """A graph in the DOT language, shown as a picture by notebooks when graphviz is installed.

    Parameters
    ----------
    dot : str
        The graph, as :func:`pygrad.viz.to_dot` writes it. ``str(drawing)`` is the same text.

    Examples
    --------
    >>> from pygrad.viz import Drawing
    >>> d = Drawing("digraph { a -> b }")
    >>> print(d)
    digraph { a -> b }
    >>> sorted(d._repr_mimebundle_(include={"text/plain"}))
    ['text/plain']
    """

    def __init__(self, dot: str) -> None:
        self._dot = dot
        self._svg: str | GraphvizError | None = None

    @property
    def dot(self) -> str:
        """The graph as DOT text."""
        return self._dot

    @property
    def svg(self) -> str | None:
        """The picture as an SVG document, or None where graphviz is absent or fails (:meth:`save` says why).

        Graphviz runs at the first access only.
        """
        rendered = self._render()
        return rendered if isinstance(rendered, str) else None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file; the ending of its name says how.

        Parameters
        ----------
        path : str or path-like
            ``.dot`` or ``.gv`` for the text, ``.svg`` for the picture.

        Raises
        ------
        ValueError
            The name has another ending.
        GraphvizError
            A picture is wanted and graphviz is absent or fails; a RuntimeError. No file is written.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> from pygrad import Value
        >>> from pygrad.viz import draw
        >>> draw(Value(1.0) + Value(2.0)).save("sum.svg")  # doctest: +SKIP
        """
        target = os.fspath(path)
        ending = os.path.splitext(target)[1].lower()
        if ending in (".dot", ".gv"):
            text = self._dot
        elif ending == ".svg":
            rendered = self._render()
            if isinstance(rendered, GraphvizError):
                raise rendered
            text = rendered
        else:
            raise ValueError(f"a drawing is saved as .dot, .gv or .svg, got {target!r}")
        with open(target, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def _render(self) -> str | GraphvizError:
        # A failure is kept as well: a notebook that shows a drawing twice should not wait for two timeouts.
        if self._svg is None:
            try:
                self._svg = render_svg(self._dot)
            except GraphvizError as error:
                self._svg = error
        return self._svg

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        bundle: dict[str, str] = {}
        if _wanted("image/svg+xml", include, exclude) and self.svg is not None:
            bundle["image/svg+xml"] = self.svg
        if _wanted("text/plain", include, exclude):
            bundle["text/plain"] = self._dot
        return bundle

    def __str__(self) -> str:
        """Return the DOT text."""
        return self._dot

    def __repr__(self) -> str:
        """Say what to do with a drawing; a whole graph would flood a terminal."""
        lines = self._dot.count("\n")
        return f"<Drawing: {lines} lines of DOT; print() shows them, save('graph.svg') makes the picture>"


def draw(value: ValueLike, max_nodes: int = 200, rankdir: str = "LR") -> Drawing:
    """Draw the graph that computed a value.

    As the last line of a notebook cell it is shown by itself.

    Parameters
    ----------
    value : Value
        The root of the graph.
    max_nodes : int, default 200
        Draw at most this many values, those nearest the root.
    rankdir : {"LR", "RL", "TB", "BT"}, default "LR"
        Direction from the leaves to the root.

    Returns
    -------
    Drawing
        Its data and gradients are those of this moment; draw again after another ``backward``.

    Raises
    ------
    TypeError, ValueError
        As :func:`pygrad.viz.to_dot`, which has the details of the picture.

    Examples
    --------
    >>> from pygrad import Value
    >>> from pygrad.viz import draw
    >>> drawing = draw(Value(2.0, label="a") * Value(3.0, label="b"))
    >>> "data 6" in drawing.dot
    True
    """
    return Drawing(to_dot(value, max_nodes=max_nodes, rankdir=rankdir))


def _wanted(kind: str, include: Container[str] | None, exclude: Container[str] | None) -> bool:
    return (not include or kind in include) and not (exclude and kind in exclude)
