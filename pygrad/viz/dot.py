"""The computation graph behind a value, as DOT text."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from pygrad.viz.text import number, quoted, record_field

_RANKDIRS = ("LR", "RL", "TB", "BT")

_HEADER = """\
digraph pygrad {{
  graph [rankdir={rankdir}, charset="UTF-8", bgcolor="transparent", nodesep=0.18, ranksep=0.3];
  node [fontname="Helvetica,Arial,sans-serif", fontsize=11, shape=record, style="rounded,filled", height=0.2,
        color="#8c8c8c", fillcolor="#f5f5f3", fontcolor="#222222"];
  edge [color="#6e6e6e", arrowsize=0.6];"""

_LEAF = ', color="#3f74ad", fillcolor="#e4eef8"'
_ROOT = ', color="#222222", penwidth=1.8'
# ordering=in asks for the operands of a - b in their order; inputs that ops share can still overrule it.
_OPS = """\
  {{
    node [shape=ellipse, style=filled, ordering=in, width=0.35, margin="0.05,0.02",
          color="#c79a3a", fillcolor="#fbf0d6"];
    {ops}
  }}"""
_CUT = "shape=plaintext, style=solid, fontsize=10"
_NOTE = 'shape=note, style=filled, fontsize=10, color="#b3554d", fillcolor="#fbe9e7"'


class ValueLike(Protocol):
    """What a graph is drawn from: micrograd's attributes.

    A ``label`` (a str) is shown when there is one. An ordered ``_children`` tuple, in which an input that is
    used twice stands twice, is preferred to ``_prev``: a set tells neither the order nor the number of uses.
    """

    @property
    def data(self) -> Any:
        """The value."""

    @property
    def grad(self) -> Any:
        """The gradient of the value that ``backward`` was called on with respect to this one."""

    @property
    def _prev(self) -> Iterable[Any]: ...

    @property
    def _op(self) -> str: ...


class _Node:
    """One drawn value, its drawn inputs by number, and how many uses of inputs are left out."""

    __slots__ = ("hidden", "inputs", "value")

    def __init__(self, value: ValueLike) -> None:
        self.value = value
        self.inputs: list[int] = []
        self.hidden = 0


def to_dot(value: ValueLike, max_nodes: int = 200, rankdir: str = "LR") -> str:
    """Describe the graph that computed a value in graphviz's DOT language.

    Every value is a box with its label, its data and its gradient: blue when it is a leaf, grey when it was
    computed, with a heavy outline when it is `value` itself. The op that made a value is an ellipse in front
    of its box; an input that is used twice (``x * x``) has two arrows. Needs no graphviz: this is text.

    Parameters
    ----------
    value : Value
        The root: a ``pygrad.Value``, a ``pygrad.reference.Value``, or any object with ``data``, ``grad``,
        ``_prev`` and ``_op``.
    max_nodes : int, default 200
        Draw at most this many values, those the fewest steps from the root. Where inputs are left out a
        dashed arrow says how many, and a note tells that the graph was cut. The rest is not visited.
    rankdir : {"LR", "RL", "TB", "BT"}, default "LR"
        Direction from the leaves to the root.

    Returns
    -------
    str
        One ``digraph``. Values are named n0 (the root), n1, ... in breadth-first order, so that a graph
        always gives the same text.

    Raises
    ------
    TypeError
        `value` is not a value, or `max_nodes` not an integer.
    ValueError
        `max_nodes` is less than 1, or `rankdir` is not one of the four.

    Notes
    -----
    A value with a plain set for ``_prev`` and no ``_children`` has its inputs put in order by label, op, data
    and gradient; inputs that agree in all four keep the order of the set.

    Examples
    --------
    >>> from pygrad import Value
    >>> from pygrad.viz import to_dot
    >>> a = Value(2.0, label="a")
    >>> b = a * a
    >>> b.backward()
    >>> for line in to_dot(b).splitlines():
    ...     if line.startswith("  n0") or line.startswith("  n1"):
    ...         print(line.split(",")[0].strip())
    n0 [label="data 4|grad 1"
    n1 [label="a|data 2|grad 4"
    n1 -> op0;
    n1 -> op0;
    """
    _check_value(value)
    limit = operator.index(max_nodes)
    if limit < 1:
        raise ValueError(f"max_nodes must be at least 1, got {limit}")
    if rankdir not in _RANKDIRS:
        raise ValueError(f"rankdir must be one of {', '.join(_RANKDIRS)}, got {rankdir!r}")

    nodes = _nearest(value, limit)
    lines = [_HEADER.format(rankdir=rankdir)]
    lines += [_box(i, node, stacked=rankdir in ("LR", "RL")) for i, node in enumerate(nodes)]
    ops = [f'op{i} [label="{quoted(node.value._op)}"];' for i, node in enumerate(nodes) if node.value._op]
    if ops:
        lines.append(_OPS.format(ops="\n    ".join(ops)))
    for i, node in enumerate(nodes):
        lines += _arrows(i, node)
    if any(node.hidden for node in nodes):
        shown = "value" if len(nodes) == 1 else f"{len(nodes)} values"
        text = rf"Cut: the {shown} nearest the result\nof a larger graph (max_nodes={limit})"
        lines.append(f'  note [label="{text}", {_NOTE}];')
    lines.append("}\n")
    return "\n".join(lines)


def _check_value(value: object) -> None:
    names = ("data", "grad", "_prev", "_op")
    if isinstance(value, type):
        given = f"the class {value.__name__}"
    elif all(hasattr(value, name) for name in names):
        return
    else:
        given = type(value).__name__
    raise TypeError(f"a graph is drawn from a Value (an object with {', '.join(names)}), got {given}")


def _nearest(root: ValueLike, limit: int) -> list[_Node]:
    """Collect the first `limit` values breadth first, without looking at what lies beyond them."""
    nodes = [_Node(root)]
    numbers = {id(root): 0}
    for node in nodes:  # grows while it is walked: the list is the queue
        for child in _inputs(node.value):
            i = numbers.get(id(child))
            if i is None:
                if len(nodes) == limit:
                    node.hidden += 1
                    continue
                i = numbers[id(child)] = len(nodes)
                nodes.append(_Node(child))
            node.inputs.append(i)
    return nodes


def _inputs(value: ValueLike) -> Sequence[ValueLike]:
    children = getattr(value, "_children", None)
    if isinstance(children, (tuple, list)):
        return children
    prev = value._prev
    if isinstance(prev, (tuple, list)):
        return prev
    # A set of objects iterates in the order of their addresses, which changes from run to run.
    return sorted(prev, key=lambda v: (_label(v), str(v._op), repr(v.data), repr(v.grad)))


def _label(value: ValueLike) -> str:
    label = getattr(value, "label", "")
    return "" if label is None else str(label)


def _is_leaf(node: _Node) -> bool:
    return not (node.inputs or node.hidden or node.value._op)


def _box(i: int, node: _Node, *, stacked: bool) -> str:
    value = node.value
    label = _label(value)
    fields = [label] if label else []
    fields += [f"data {number(value.data)}", f"grad {number(value.grad)}"]
    text = "|".join(map(record_field, fields))
    if not stacked:  # graphviz turns records with rankdir
        text = "{" + text + "}"
    return f'  n{i} [label="{text}"{_LEAF if _is_leaf(node) else ""}{_ROOT if i == 0 else ""}];'


def _arrows(i: int, node: _Node) -> list[str]:
    # A custom op may have no name: then its inputs point at the box itself.
    sink = f"op{i}" if node.value._op else f"n{i}"
    lines = [f"  op{i} -> n{i};"] if node.value._op else []
    lines += [f"  n{j} -> {sink};" for j in node.inputs]
    if node.hidden:
        lines.append(f'  cut{i} [label="{node.hidden} more", {_CUT}];')
        lines.append(f"  cut{i} -> {sink} [style=dashed];")
    return lines
