"""Tensors with their dimensions or their elements in other places."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ._engine import ShapeError, Tensor, native
from ._method import method
from ._types import Operand, Sizes
from .shapes import _given

__all__ = [
    "broadcast_to",
    "flip",
    "moveaxis",
    "movedim",
    "pad",
    "repeat",
    "roll",
    "swapaxes",
    "swapdims",
    "tile",
    "tril",
    "triu",
    "unflatten",
]


def _integers(op: str, numbers: Sizes, what: str) -> list[int]:
    """Return one integer or several as a list."""
    try:
        return [operator.index(n) for n in (numbers if isinstance(numbers, Sequence) else [numbers])]
    except TypeError:
        raise TypeError(f"{op}: {what} are integers, not {numbers!r}") from None


def _wrapped(op: str, dims: list[int], ndim: int) -> list[int]:
    """Return dimensions counted from the front; a tensor without dimensions has one here, as in PyTorch."""
    n = max(ndim, 1)
    for dim in dims:
        if not -n <= dim < n:
            raise IndexError(
                f"{op}: Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
            )
    return [dim % n for dim in dims]


# ---- views ----------------------------------------------------------------------------------------------------------


@method
def unflatten(input: Tensor, dim: int, sizes: Sequence[SupportsIndex]) -> Tensor:
    """Return a view with one dimension as several, the inverse of `flatten`.

    Parameters
    ----------
    input
        Of one dimension or more.
    dim
        Counted from the end when negative.
    sizes
        That multiply to the size of `dim`; one of them may be -1 and is inferred.

    Raises
    ------
    ShapeError
        When the sizes do not multiply to that of the dimension.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 12).unflatten(1, (3, -1)).shape
    (2, 3, 4)
    """
    if not isinstance(sizes, Sequence):
        raise TypeError(f"unflatten: sizes are a sequence of integers, not {sizes!r}")
    shape, new = list(input.shape), _integers("unflatten", sizes, "sizes")
    if not shape or not new:
        raise ShapeError(f"unflatten: sizes {new} for the shape {shape}; neither may be empty")
    at = _wrapped("unflatten", [dim], len(shape))[0]
    known = prod(n for n in new if n != -1)
    if new.count(-1) > 1 or min(new) < -1:
        raise ShapeError(f"unflatten: only one dimension can be inferred, by -1, not those of the sizes {new}")
    if -1 in new and known == 0:
        raise ShapeError(f"unflatten: the size -1 of {new} can be anything for dimension {at} of the shape {shape}")
    full = [shape[at] // known if n == -1 else n for n in new]
    if prod(full) != shape[at]:
        raise ShapeError(
            f"unflatten: the sizes {new} do not multiply up to the size of dimension {at}, {shape[at]}, of the shape "
            f"{shape}"
        )
    return native.tensor_view(input, [*shape[:at], *full, *shape[at + 1 :]])


@method
def movedim(input: Tensor, source: Sizes, destination: Sizes) -> Tensor:
    """Return a view with dimensions in other places; the others keep their order.

    Parameters
    ----------
    input
        Of any shape.
    source, destination
        From where to where, an integer each or as many of them.

    Raises
    ------
    ShapeError
        When they are not as many, or one is named twice.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).movedim(0, -1).shape
    (3, 4, 2)
    """
    given, wanted = _integers("movedim", source, "dimensions"), _integers("movedim", destination, "dimensions")
    if len(given) != len(wanted):
        raise ShapeError(f"movedim: source {given} and destination {wanted} have to be as many dimensions")
    from_, to = _wrapped("movedim", given, input.ndim), _wrapped("movedim", wanted, input.ndim)
    for name, dims in (("source", from_), ("destination", to)):
        if len(set(dims)) != len(dims):
            raise ShapeError(f"movedim: repeated dim in {name} {dims}")
    order = [dim for dim in range(input.ndim) if dim not in from_]
    if input.ndim > 0:
        for place, dim in sorted(zip(to, from_, strict=True)):
            order.insert(place, dim)
    return native.tensor_permute(input, order)


@method
def moveaxis(input: Tensor, source: Sizes, destination: Sizes) -> Tensor:
    """Return `movedim` of the same arguments, under numpy's name.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).moveaxis(0, -1).shape
    (3, 4, 2)
    """
    return movedim(input, source, destination)


@method
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return `transpose` of the same arguments.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).swapdims(0, 2).shape
    (4, 3, 2)
    """
    return native.tensor_transpose(input, dim0, dim1)


@method
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Return `transpose` of the same arguments, under numpy's name.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 3, 4).swapaxes(0, 2).shape
    (4, 3, 2)
    """
    return native.tensor_transpose(input, axis0, axis1)


@method
def broadcast_to(input: Tensor, *sizes: Sizes, size: Sizes | None = None) -> Tensor:
    """Return ``expand(input, size)``: a view in which dimensions of size 1 are stretched.

    Raises
    ------
    ShapeError
        When a size other than 1 would change.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1, 2]).broadcast_to((3, 2)).tolist()
    [[1, 2], [1, 2], [1, 2]]
    """
    return native.tensor_expand(input, _given("broadcast_to", sizes, size))


# ---- copies ---------------------------------------------------------------------------------------------------------


def _repeated(op: str, x: Tensor, counts: list[int]) -> Tensor:
    """Return x side by side counts[d] times along each dimension d, of which there are as many or more than in x."""
    if len(counts) > 8:
        raise ShapeError(f"{op}: a tensor has at most 8 dimensions, not {len(counts)}")
    if min(counts, default=0) < 0:
        raise ShapeError(f"{op}: {counts} has a negative number of times for the shape {list(x.shape)}")
    shape = [1] * (len(counts) - x.ndim) + list(x.shape)
    if all(n == 1 for n in counts):
        return native.tensor_reshape(native.tensor_clone(x), shape)
    # From the last dimension, so that what is copied more than once is small.
    for dim in reversed(range(len(counts))):
        if counts[dim] == 1:
            continue
        before, after = prod(shape[:dim]), prod(shape[dim:])
        x = native.tensor_expand(native.tensor_reshape(x, (before, 1, after)), (before, counts[dim], after))
        shape[dim] *= counts[dim]
        x = native.tensor_reshape(native.tensor_clone(x), shape)
    return x


@method
def repeat(input: Tensor, *counts: Sizes, repeats: Sizes | None = None) -> Tensor:
    """Return a copy of the tensor side by side with itself, ``repeats[d]`` times along dimension d.

    Parameters
    ----------
    input
        Of any shape.
    counts, or repeats
        As numbers or as one sequence: one for each dimension of the result. There may be more of them than of `input`,
        whose dimensions are the last ones then.

    Raises
    ------
    ShapeError
        When there are fewer numbers than dimensions, or one is negative.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1, 2]).repeat(2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    times = _integers("repeat", _given("repeat", counts, repeats), "repeats")
    if len(times) < input.ndim:
        raise ShapeError(
            f"repeat: number of dimensions of repeats {times} can not be smaller than that of the tensor, of shape "
            f"{list(input.shape)}"
        )
    return _repeated("repeat", input, times)


@method
def tile(input: Tensor, *counts: Sizes, dims: Sizes | None = None) -> Tensor:
    """Return a copy of the tensor side by side with itself; as `repeat`, with 1 for the first dimensions left out.

    Raises
    ------
    ShapeError
        When a number is negative.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([[1, 2], [3, 4]]).tile(2).tolist()
    [[1, 2, 1, 2], [3, 4, 3, 4]]
    """
    times = _integers("tile", _given("tile", counts, dims), "dims")
    return _repeated("tile", input, [1] * (input.ndim - len(times)) + times)


@method
def flip(input: Tensor, *order: Sizes, dims: Sizes | None = None) -> Tensor:
    """Return a copy with the elements along some dimensions in reverse order. ``x[::-1]`` is the same as a view.

    Raises
    ------
    ShapeError
        When a dimension is named twice.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.arange(4).reshape(2, 2).flip(0, 1).tolist()
    [[3, 2], [1, 0]]
    """
    return native.tensor_flip(input, _given("flip", order, dims))


@method
def roll(input: Tensor, shifts: Sizes, dims: Sizes | None = None) -> Tensor:
    """Return a copy in which elements stand `shifts` places further along `dims`, the last ones coming first again.

    Parameters
    ----------
    input
        Of any shape.
    shifts
        A number for each of `dims`; one, without them, for all elements in one row.
    dims
        A dimension or several; what is shifted twice is shifted by the sum.

    Raises
    ------
    ShapeError
        When there are not as many of both.
    IndexError
        When there is no such dimension.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.arange(6).reshape(2, 3)
    >>> x.roll(1).tolist(), x.roll(1, 1).tolist()
    ([[5, 0, 1], [2, 3, 4]], [[2, 0, 1], [5, 3, 4]])
    """
    return native.tensor_roll(input, shifts, dims)


@method
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a copy of a matrix, or of each of a stack, with zeros above a diagonal, counted upwards from the main one.

    Raises
    ------
    ShapeError
        When there are fewer than two dimensions.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.ones(2, 3, dtype=int).tril().tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    return native.tensor_tril(input, diagonal)


@method
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a copy of a matrix, or of each of a stack, with zeros below a diagonal, counted upwards from the main one.

    Raises
    ------
    ShapeError
        When there are fewer than two dimensions.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.ones(2, 3, dtype=int).triu(1).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    return native.tensor_triu(input, diagonal)


# ---- padding --------------------------------------------------------------------------------------------------------


def _padded_places(mode: str, size: int, before: int, after: int, shape: Sequence[int]) -> NDArray[np.int64]:
    """Return the indices of a dimension of which the padded one consists."""
    core = np.arange(max(-before, 0), size - max(-after, 0))
    limit = {"reflect": size - 1, "replicate": max(before, after), "circular": len(core)}[mode]
    if size == 0 < max(before, after) or size + before + after < 0 or max(before, after) > limit:
        raise ShapeError(
            f"pad: margins of {before} and {after} do not go with a size of {size} and the mode {mode!r}, in the shape "
            f"{list(shape)}"
        )
    if mode == "circular":
        places = np.arange(-max(before, 0), len(core) + max(after, 0))
        return core[places % max(len(core), 1)]
    places = np.arange(-before, size + after)
    if mode == "replicate":
        return places.clip(0, size - 1)
    return size - 1 - abs(size - 1 - abs(places))


def pad(input: Tensor, pad: Sequence[SupportsIndex], mode: str = "constant", value: Operand | None = None) -> Tensor:
    """Return the tensor with margins.

    Parameters
    ----------
    input
        Of any shape; for other modes than "constant" with one or two dimensions more than are padded, at most 5.
    pad
        How much to add before and after the last dimension, then before and after the one in front of it, and so on.
        Negative numbers take away.
    mode
        What the margins hold: "constant": `value`; "replicate": the nearest element; "reflect": the elements mirrored
        at the outermost one, which is not repeated; "circular": those of the other end.
    value
        0 where it is left out.

    Raises
    ------
    ShapeError
        When `pad` has an odd number of entries, or too many, or takes away more than there is; for "reflect" and
        "circular" also when there is less to take the margin from than it needs.
    NotImplementedError
        When there is no such mode, or it does not know tensors of so many dimensions.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([[1, 2, 3]])
    >>> pygrad.pad(x, (1, 2)).tolist(), pygrad.pad(x, (1, 2), mode="reflect").tolist()
    ([[0, 1, 2, 3, 0, 0]], [[2, 1, 2, 3, 2, 1]])
    """
    if not isinstance(pad, Sequence):
        raise TypeError(f"pad: the margins are a sequence of integers, not {pad!r}")
    margins, shape = _integers("pad", pad, "margins"), input.shape
    if len(margins) % 2 or len(margins) > 2 * len(shape):
        raise ShapeError(
            f"pad: an even number of margins is wanted, at most two for each dimension of the shape {list(shape)}, not "
            f"{margins}"
        )
    if mode == "constant":
        constant = None
        if isinstance(value, Tensor) and (value.ndim or value.requires_grad):
            raise TypeError(f"pad: the value is a number, to which no gradient goes, not {value!r}")
        if value is not None:
            constant = native.tensor_fill_(native.tensor_empty((), input.dtype), value)
        return native.tensor_pad(input, margins[-2::-2], margins[-1::-2], constant)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"pad: unrecognised padding mode {mode!r}")
    if value is not None:
        raise ShapeError(f"pad: the mode {mode!r} takes no value, not {value!r}")
    n = len(margins) // 2
    if not (n <= 3 and n + 1 <= len(shape) <= n + 2):
        raise NotImplementedError(
            f"pad: the mode {mode!r} pads the last 1, 2 or 3 dimensions of tensors with 1 or 2 more than that, not "
            f"{n} of the shape {list(shape)}"
        )
    for i in range(n):
        dim = len(shape) - 1 - i
        places = _padded_places(mode, shape[dim], margins[2 * i], margins[2 * i + 1], shape)
        input = input[(slice(None),) * dim + (places,)]
    return input
