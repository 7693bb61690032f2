"""Reshaping, views, joining, splitting and padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tensor_backend import pg

from .rows import ANY, ONE_TENSOR, Array, Case, Row, Shape, case


def _flatten(a: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    start, end = start_dim % max(a.ndim, 1), end_dim % max(a.ndim, 1)
    return a.reshape((*a.shape[:start], math.prod(a.shape[start : end + 1]), *a.shape[end + 1 :]))


def _squeeze(a: Array, dim: Any = None) -> Array:
    dims = range(a.ndim) if dim is None else [d % max(a.ndim, 1) for d in (dim if isinstance(dim, tuple) else (dim,))]
    return a.reshape([n for d, n in enumerate(a.shape) if d not in dims or n != 1])


def shaping(name: str, oracle: Callable[..., Any], *cases: Case, **more: Any) -> Row:
    return Row(name, (ANY,), oracle, cases, roundings=0, **more)


SHAPES = (
    shaping("reshape", lambda a, shape: a.reshape(shape), case((2, 6), shape=(3, 4)), case((2, 6), shape=(-1,)),
            case((2, 6), shape=(2, -1, 3)), case((), shape=(1, 1)), case((1,), shape=()), case((0, 3), shape=(3, 0)),
            case((131,), shape=(131, 1)), methods=("reshape",)),
    shaping("view", lambda a, shape: a.reshape(shape), case((2, 6), shape=(3, 4)), case((2, 6), shape=(12,)),
            case((2, 6), shape=(-1, 2)), case((), shape=(1,)), case((0, 3), shape=(0,)),
            call=lambda t, shape: t.contiguous().view(*shape), covers=("contiguous",)),
    shaping("flatten", _flatten, case((2, 3, 4)), case((2, 3, 4), start_dim=1), case((2, 3, 4), end_dim=-2), case(()),
            case((2, 0, 3), start_dim=1), methods=("flatten",)),
    shaping("squeeze", _squeeze, case((1, 3, 1)), case((1, 3, 1), dim=0), case((1, 3, 1), dim=-1), case((1, 3), dim=1),
            case(()), case((1, 2, 1, 1), dim=(0, 2)), methods=("squeeze",)),
    shaping("unsqueeze", lambda a, dim: np.expand_dims(a, dim), case((2, 3), dim=0), case((2, 3), dim=1),
            case((2, 3), dim=-1), case((2, 3), dim=-3), case((), dim=0), case((0, 2), dim=1), methods=("unsqueeze",)),
    shaping("transpose", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), case((2, 3, 4), dim0=0, dim1=2),
            case((2, 3, 4), dim0=-1, dim1=1), case((2, 3), dim0=1, dim1=1), case((0, 3), dim0=0, dim1=1),
            methods=("transpose",)),
    shaping("permute", lambda a, dims: np.transpose(a, dims), case((2, 3, 4), dims=(2, 0, 1)),
            case((2, 3, 4), dims=(-1, 1, 0)), case((3,), dims=(0,)), case((), dims=()), case((0, 2), dims=(1, 0)),
            methods=("permute",)),
    shaping("T", lambda a: a.T, case((2, 3)), case((1, 5)), case((0, 3)), call=lambda t: t.T),
    shaping("expand", lambda a, sizes: np.broadcast_to(a, sizes), case((2, 1), sizes=(2, 3)),
            case((3,), sizes=(2, 2, 3)), case((), sizes=(2, 3)), case((1, 3), sizes=(0, 3)), case((2, 3), sizes=(2, 3)),
            call=lambda t, sizes: t.expand(*sizes)),
    shaping("expand(-1)", lambda a: np.broadcast_to(a, (4, 2, 3)), case((2, 1)), call=lambda t: t.expand(4, -1, 3)),
    shaping("t", lambda a: a.T, case((2, 3)), case((4,)), case(()), methods=("t",)),
    shaping("ravel", np.ravel, case((2, 3)), case(()), case((0, 2)), methods=("ravel",)),
    shaping("narrow", lambda a, dim, start, length: a.take(range(start, start + length), dim),
            case((4, 5), dim=1, start=1, length=3), case((4, 5), dim=-2, start=2, length=0), methods=("narrow",)),
    shaping("select", lambda a, dim, index: a.take(index, dim), case((2, 3, 4), dim=1, index=-1),
            case((2, 3), dim=0, index=1), methods=("select",)),
    shaping("expand_as", lambda a: np.broadcast_to(a, (2, 4, 3)), case((4, 1)),
            call=lambda t: t.expand_as(pg.zeros(2, 4, 3))),
    shaping("clone", lambda a: a, *ONE_TENSOR, methods=("clone",)),
    Row("cat", (ANY, ANY, ANY), lambda *a, dim=0: np.concatenate(a, dim),
        [case((2, 3), (1, 3), (4, 3)), case((2, 3), (2, 1), (2, 2), dim=1), case((2, 3), (2, 3), (2, 3), dim=-1),
         case((0, 3), (2, 3), (1, 3)), case((5,), (0,), (2,)), case((0,), (0,), (0,))],
        call=lambda *t, dim=0: pg.cat(t, dim=dim), roundings=0),
    Row("stack", (ANY, ANY, ANY), lambda *a, dim=0: np.stack(a, dim),
        [case((2, 3), (2, 3), (2, 3)), case((2, 3), (2, 3), (2, 3), dim=1), case((2, 3), (2, 3), (2, 3), dim=-1),
         case((), (), ()), case((0,), (0,), (0,))],
        call=lambda *t, dim=0: pg.stack(t, dim=dim), roundings=0),
)  # fmt: skip


def _each_times(parts: Sequence[Any]) -> list[Any]:
    """Tell the pieces apart, by factors that round nothing."""
    return [part * 2.0 ** (k % 5) for k, part in enumerate(parts)]


def _numpy_split(a: Array, size: Any, dim: int = 0) -> Array:
    ends = np.arange(size, a.shape[dim], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return np.concatenate(_each_times(np.split(a, ends, dim)), dim)


def _numpy_chunk(a: Array, chunks: int, dim: int = 0) -> Array:
    return _numpy_split(a, -(-a.shape[dim] // chunks), dim)


def _unflatten(a: Array, dim: int, sizes: Shape) -> Array:
    at = dim % a.ndim
    return a.reshape(a.shape[:at] + sizes + a.shape[at + 1 :])


def _numpy_pad(a: Array, pad: Shape, mode: str = "constant", value: float = 0.0) -> Array:
    widths = [(0, 0)] * (a.ndim - len(pad) // 2) + [pad[i : i + 2] for i in range(len(pad) - 2, -1, -2)]
    for axis, (before, after) in enumerate(widths):
        a = a.take(range(max(-before, 0), a.shape[axis] - max(-after, 0)), axis)
    widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    return np.pad(a, widths, how, **({"constant_values": value} if mode == "constant" else {}))


ARRANGED = (
    shaping("unflatten", _unflatten, case((2, 6), dim=1, sizes=(3, 2)), case((6, 2), dim=-2, sizes=(1, 6)),
            case((2, 6), dim=-1, sizes=(2, -1)), case((0, 3), dim=0, sizes=(0, 2)), methods=("unflatten",)),
    *(
        shaping(name, lambda a, source, destination: np.moveaxis(a, source, destination),
                case((2, 3, 4), source=0, destination=2), case((2, 3, 4), source=-1, destination=0),
                case((2, 3, 4), source=(0, 2), destination=(1, 0)), case((2, 3), source=(), destination=()),
                case((0, 3), source=0, destination=1), methods=(name,))
        for name in ("movedim", "moveaxis")
    ),
    shaping("swapaxes", lambda a, axis0, axis1: np.swapaxes(a, axis0, axis1), case((2, 3, 4), axis0=0, axis1=-1),
            case((0, 3), axis0=1, axis1=0), methods=("swapaxes",)),
    shaping("swapdims", lambda a, dim0, dim1: np.swapaxes(a, dim0, dim1), case((2, 3, 4), dim0=1, dim1=-1),
            case((0, 3), dim0=1, dim1=0), methods=("swapdims",)),
    shaping("broadcast_to", lambda a, size: np.broadcast_to(a, size), case((2, 1), size=(2, 3)), case((), size=(2, 3)),
            case((1, 3), size=(0, 3)), case((3,), size=(2, 2, 3)), methods=("broadcast_to",)),
    shaping("repeat", lambda a, repeats: np.tile(a, repeats), case((2, 3), repeats=(2, 3)), case((3,), repeats=(2, 1)),
            case((2, 3), repeats=(1, 1)), case((1,), repeats=(4,)), case((), repeats=()), case((), repeats=(2, 3)),
            case((2, 3), repeats=(0, 2)), case((0, 3), repeats=(2, 2)), case((2, 1, 3), repeats=(2, 1, 2, 3)),
            call=lambda t, repeats: t.repeat(*repeats) if repeats else t.repeat(()), methods=("repeat",)),
    shaping("tile", lambda a, dims: np.tile(a, dims), case((2, 3), dims=(2,)), case((2, 3), dims=(2, 1, 2)),
            case((2, 3), dims=()), case((0, 3), dims=(2, 2)), methods=("tile",)),
    shaping("flip", lambda a, dims: np.flip(a, dims), case((2, 3), dims=(0,)), case((2, 3, 4), dims=(0, -1)),
            case((2, 3), dims=()), case((131,), dims=(0,)), case((0, 3), dims=(0,)), case((), dims=()),
            methods=("flip",)),
    shaping("roll", lambda a, shifts, dims=None: np.roll(a, shifts, dims), case((2, 3), shifts=1),
            case((2, 3), shifts=-2, dims=1), case((3, 4, 5), shifts=(1, -7), dims=(0, 2)), case((), shifts=3),
            case((4, 5), shifts=(1, 2), dims=(0, 0)), case((131,), shifts=17, dims=0), case((0, 3), shifts=1, dims=0),
            case((3, 2, 2), shifts=(2, 1, 1), dims=(-3, 1, 2)), case((4,), shifts=4, dims=0), methods=("roll",)),
    *(
        shaping(name, oracle, case((3, 3)), case((3, 5), diagonal=1), case((5, 3), diagonal=-2), case((2, 3, 4)),
                case((3, 4), diagonal=9), case((3, 4), diagonal=-9), case((0, 3)), case((3, 0)), methods=(name,))
        for name, oracle in [("tril", lambda a, diagonal=0: np.tril(a, diagonal)),
                             ("triu", lambda a, diagonal=0: np.triu(a, diagonal))]
    ),
    shaping("diagonal", lambda a, offset=0, dim1=0, dim2=1: np.diagonal(a, offset, dim1, dim2), case((3, 3)),
            case((3, 5), offset=1), case((3, 5), offset=-2), case((2, 3, 4), dim1=-1, dim2=0, offset=-1),
            case((2, 3, 4), offset=1, dim1=1, dim2=2), case((3, 4), offset=9), case((0, 3)), methods=("diagonal",)),
    shaping("diag", lambda a, diagonal=0: np.diag(a, diagonal), case((3,)), case((3,), diagonal=-2), case((3, 4)),
            case((3, 4), diagonal=1), case((4, 3), diagonal=-5), case((0,)), methods=("diag",)),
    Row("trace", (ANY,), np.trace, [case((3, 3)), case((2, 5)), case((0, 3)), case((1, 1))], methods=("trace",)),
    shaping("split", _numpy_split, case((5, 2), size=2), case((2, 5), size=2, dim=1), case((4, 3), size=2, dim=-2),
            case((5, 3), size=(1, 0, 4)), case((2, 3), size=(3,), dim=1), case((131,), size=7), case((2, 3), size=9),
            call=lambda t, size, dim=0: pg.cat(_each_times(pg.split(t, size, dim)), dim), covers=("split",)),
    shaping("chunk", _numpy_chunk, case((7, 2), chunks=5), case((2, 6), chunks=3, dim=-1), case((3,), chunks=9),
            call=lambda t, chunks, dim=0: pg.cat(_each_times(t.chunk(chunks, dim)), dim), covers=("chunk",)),
    shaping("unbind", lambda a, dim=0: np.stack(_each_times(np.moveaxis(a, dim, 0))), case((3, 2)),
            case((2, 3, 4), dim=1), case((5,)), case((2, 3), dim=-1), case((3, 0)),
            call=lambda t, dim=0: pg.stack(_each_times(t.unbind(dim))), covers=("unbind",)),
    shaping("pad", _numpy_pad, case((2, 3), pad=(1, 2)), case((2, 3), pad=(1, 0, 0, 2), value=1.5),
            case((2, 3), pad=(-1, 1)), case((3, 4), pad=(-1, -2, 2, -1)), case((2, 3), pad=()),
            case((2, 0), pad=(1, 1)), case((2, 3), pad=(-3, 1)), case((2, 3, 4), pad=(1, 1, 0, 0, 2, 0), value=-1.0)),
    *(
        shaping(f"pad({mode})", _numpy_pad, case((2, 5), pad=(1, 2), mode=mode),
                case((2, 4, 3), pad=(2, 1, 1, 2), mode=mode), case((1, 2, 3), pad=(0, 1), mode=mode),
                case((1, 1, 3, 2, 3), pad=(1, 2, 0, 1, 2, 1), mode=mode),
                call=lambda t, pad, mode: pg.pad(t, pad, mode))
        for mode in ("reflect", "replicate", "circular")
    ),
)  # fmt: skip
