"""Normalisation and dropout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tensor_backend import pg

from .rows import ANY, POSITIVE, Array, Case, Row, Shape, case, fixed


def _standard(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + eps)


def _last_axes(shape: Shape) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))


def _layer_norm(
    x: Array, w: Array | float = 1.0, b: Array | float = 0.0, *, normalized_shape: Shape, eps: float = 1e-5
) -> Array:
    return _standard(x, _last_axes(normalized_shape), eps) * w + b


def _rms_norm(x: Array, w: Array | float = 1.0, *, normalized_shape: Shape, eps: float) -> Array:
    return x / np.sqrt((x * x).mean(_last_axes(normalized_shape), keepdims=True) + eps) * w


def _channels(a: Array, x: Array) -> Array:
    return a.reshape(1, -1, *[1] * (x.ndim - 2))


def _batch_norm(x: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    axes = (0, *range(2, x.ndim))
    return _standard(x, axes, eps) * _channels(w, x) + _channels(b, x)


def _batch_norm_eval(x: Array, mean: Array, var: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    z = (x - _channels(mean, x)) / np.sqrt(_channels(var, x) + eps)
    return z * _channels(w, x) + _channels(b, x)


NORMALISED = (
    case((4, 5), normalized_shape=(5,)), case((2, 3, 4), normalized_shape=(3, 4)), case((7,), normalized_shape=(7,)),
    case((3, 2, 131), normalized_shape=(131,)), case((3, 5), normalized_shape=(5,), eps=0.1),
    case((0, 5), normalized_shape=(5,)), case((4, 1), normalized_shape=(1,), eps=0.5),
)  # fmt: skip
SQUARED = [Case(c.shapes, {"eps": 1e-3, **c.options}) for c in NORMALISED]
BATCHES = (
    case((6, 3), (3,), (3,)), case((2, 3, 4), (3,), (3,)), case((3, 2, 2, 3), (2,), (2,)), case((5, 1), (1,), (1,)),
    case((4, 3, 2), (3,), (3,), eps=0.1), case((1, 3, 31), (3,), (3,)), case((0, 3), (3,), (3,)),
)  # fmt: skip


def _affine(cases: Sequence[Case], n: int) -> list[Case]:
    return [Case((c.shapes[0], *[c.options["normalized_shape"]] * n), c.options) for c in cases]


def _root(x: Array, *_: Array) -> float:
    """The scale of a norm: sums, and what is divided by a small root."""
    return 16.0 * max(1.0, x.size**0.5)


NORMALISING = (
    Row("layer_norm", (ANY, ANY, ANY), _layer_norm, _affine(NORMALISED, 2), scale=_root,
        call=lambda x, w, b, **o: pg.layer_norm(x, weight=w, bias=b, **o)),
    Row("layer_norm(weight)", (ANY, ANY), _layer_norm, _affine(NORMALISED, 1), scale=_root,
        call=lambda x, w, **o: pg.layer_norm(x, weight=w, **o)),
    Row("layer_norm(plain)", (ANY,), _layer_norm, NORMALISED, scale=_root),
    Row("rms_norm", (ANY, ANY), _rms_norm, _affine(SQUARED, 1), scale=_root,
        call=lambda x, w, **o: pg.rms_norm(x, weight=w, **o)),
    Row("rms_norm(plain)", (ANY,), _rms_norm, SQUARED, scale=_root),
    Row("batch_norm", (ANY, ANY, ANY), _batch_norm, BATCHES, scale=_root,
        call=lambda x, w, b, **o: pg.batch_norm(x, None, None, w, b, training=True, **o)),
    Row("batch_norm(running)", (ANY, fixed(ANY.sample), fixed(POSITIVE.sample), ANY, ANY), _batch_norm_eval,
        [Case((c.shapes[0], *[c.shapes[1]] * 4), c.options) for c in BATCHES], call=lambda x, *a, **o:
        pg.batch_norm(x, *a, **o), scale=_root),
    Row("dropout", (ANY,), lambda x, p, training: 0.0 * x if training and p else x,
        [case((3, 4), p=1.0, training=True), case((3, 4), p=0.3, training=False), case((3, 4), p=0.0, training=True),
         case((), p=1.0, training=True), case((0,), p=1.0, training=True)], roundings=0),
)  # fmt: skip
