"""How a tensor prints: PyTorch's text, with `pygrad` where that says `torch`.

Widths, the choice between fixed and scientific notation, and the breaking of lines follow PyTorch's rules, so that a
text printed there can be compared with one printed here. A long tensor is cut before anything is formatted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from .dtypes import bool as bool_dtype
from .dtypes import dtype, get_default_dtype, int64

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_repr"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print. What is not given stays as it is, `sci_mode` excepted.

    Parameters
    ----------
    precision : int, optional
        Digits after the point, 4 at first.
    threshold : int or inf, optional
        Tensors of more elements than this are cut, 1000 at first.
    edgeitems : int, optional
        How many items at either end of each dimension a cut leaves, 3 at first.
    linewidth : int, optional
        Characters on a line, 80 at first.
    profile : {'default', 'short', 'full'}, optional
        Values for all of these, before the others here are looked at; 'full' cuts nothing.
    sci_mode : bool, optional
        Whether floats print as in 1.0000e+00. None, also when not given, chooses by the elements: when the largest is
        above 1e8 or above 1000 times the smallest that is not zero, or that is below 1e-4.

    Raises
    ------
    ValueError
        When a number is negative or no number, or a profile unknown. Nothing is changed.

    Examples
    --------
    >>> with printoptions(precision=2):
    ...     print(tensor_repr(np.array([1 / 3]), dtype=get_default_dtype()))
    tensor([0.33])
    """
    global _options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        whole = isinstance(value, (int, np.integer)) or (name == "threshold" and value == math.inf)
        if value is not None and not (whole and value >= (name == "linewidth")):
            raise ValueError(f"{name} has to be a whole number, 0 or more, not {value!r}")
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"there is no profile {profile!r} of printing, only {', '.join(_PROFILES)}")
    changed = {name: value for name, value in given.items() if value is not None}
    _options = replace(_options, **{**_PROFILES.get(profile or "", {}), **changed, "sci_mode": sci_mode})


def get_printoptions() -> dict[str, Any]:
    """Return what `set_printoptions` has set, as its arguments."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Set options, in `set_printoptions`'s words, within a ``with`` block."""
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def tensor_repr(array: Array, *, dtype: dtype, requires_grad: bool = False, grad_fn_name: str | None = None) -> str:
    """Return the text of a tensor.

    Parameters
    ----------
    array : numpy.ndarray
        The elements, any shape and layout; only those that are shown are read.
    dtype : dtype
        Shown where the elements do not tell it.
    requires_grad : bool
        Shown when there is no `grad_fn_name`.
    grad_fn_name : str, optional
        The name of the function that made the tensor.

    Examples
    --------
    >>> print(tensor_repr(np.eye(2), dtype=get_default_dtype(), requires_grad=True))
    tensor([[1., 0.],
            [0., 1.]], requires_grad=True)
    """
    default = get_default_dtype()
    notes = []
    if (array.size == 0 and array.ndim != 1) or (array.size and not _options.edgeitems):
        notes.append(f"size={tuple(array.shape)}")
    if dtype is not default and (array.size == 0 or dtype not in (int64, bool_dtype)):
        notes.append(f"dtype={dtype}")
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    start = "tensor("
    return _with_notes(start + _elements(array, len(start)), notes, len(start)) + ")"


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    # Two more than the columns that are taken, which is how PyTorch counts.
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        # As wide as PyTorch's, whose name is a letter shorter: its lines break at the same places.
        taken = len(note.replace("pygrad.", "torch."))
        if column + taken + 2 > _options.linewidth:
            text += ",\n" + " " * indent + note
            column = indent + taken
        else:
            text += ", " + note
            column += taken + 2
    return text


def _elements(array: Array, indent: int) -> str:
    """Return the elements in brackets; `indent` is the column where they start."""
    if array.size == 0:
        return "[]"
    edge = _options.edgeitems
    cut = [array.size > _options.threshold and n > 2 * edge for n in array.shape]
    if any(cut):
        if not edge:
            return "[...]"
        ends = [*range(edge), *range(-edge, 0)]
        array = array[np.ix_(*[ends if c else range(n) for c, n in zip(cut, array.shape, strict=True)])]
    texts, width = _format(array.ravel())
    blocks = [text.rjust(width) for text in texts]
    for axis in reversed(range(array.ndim)):
        inner = axis == array.ndim - 1
        groups = [blocks[i : i + array.shape[axis]] for i in range(0, len(blocks), array.shape[axis])]
        if cut[axis]:
            dots = " ..." if inner else "..."
            groups = [[*group[:edge], dots, *group[edge:]] for group in groups]
        margin = " " * (indent + axis + 1)
        if inner:
            per_line = max(1, (_options.linewidth - indent - axis) // (width + 2))
            blocks = [_lines(group, per_line, margin) for group in groups]
        else:
            between = "," + "\n" * (array.ndim - 1 - axis) + margin
            blocks = ["[" + between.join(group) + "]" for group in groups]
    return blocks[0]


def _lines(texts: list[str], per_line: int, margin: str) -> str:
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + margin).join(lines) + "]"


def _format(values: Array) -> tuple[list[str], int]:
    """Return the texts of the elements (n), and the width that they are brought to; some may be wider."""
    if values.dtype.kind != "f":
        texts = [str(value) for value in values.tolist()]
        return texts, max(map(len, texts))
    # Zeros, infinities and nans have no say in the notation or the width.
    counted = np.isfinite(values) & (values != 0)
    sizes = np.abs(values[counted].astype(np.float64))
    whole, scientific = True, False
    if sizes.size:
        whole = bool((sizes == np.ceil(sizes)).all())
        scientific = _is_scientific(float(sizes.min()), float(sizes.max()))
    digits = f".{_options.precision}e" if scientific else ".0f" if whole else f".{_options.precision}f"
    point = "." if whole and not scientific else ""
    texts = [format(value, digits) + (point if math.isfinite(value) else "") for value in values.tolist()]
    return texts, max((len(text) for text, counts in zip(texts, counted.tolist(), strict=True) if counts), default=1)


def _is_scientific(smallest: float, largest: float) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    return largest / smallest > 1000.0 or largest > 1e8 or smallest < 1e-4
