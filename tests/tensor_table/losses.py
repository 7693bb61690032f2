"""Losses, their reductions and weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from tensor_backend import TORCH, pg

from .reductions import log_softmax
from .rows import ANY, POSITIVE, Array, Case, Input, Row, case, distribution, fixed, grid, labels, options, real


def reduced(function: Callable[..., Array]) -> Callable[..., Array]:
    """Give an elementwise loss the three reductions."""

    @functools.wraps(function)
    def loss(*arrays: Array, reduction: str = "mean", **options: Any) -> Array:
        values = function(*arrays, **options)
        return {"none": np.asarray, "sum": np.sum, "mean": np.mean}[reduction](values)

    return loss


def _huber(p: Array, y: Array, delta: float = 1.0) -> Array:
    e = abs(p - y)
    return np.where(e <= delta, e * e / 2, delta * (e - delta / 2))


def _smooth_l1(p: Array, y: Array, beta: float = 1.0) -> Array:
    e = abs(p - y)
    return e if beta == 0.0 else np.where(e < beta, e * e / (2 * beta), e - beta / 2)


def _kl_div(x: Array, t: Array, reduction: str = "mean", log_target: bool = False) -> Array:
    values = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
    if reduction == "batchmean":
        return values.sum() / (len(values) if values.ndim else 1)
    return {"none": values, "sum": values.sum(), "mean": values.mean()}[reduction]


def _hinge_embedding(x: Array, y: Array, margin: float = 1.0) -> Array:
    return np.where(y == 1, x, np.maximum(0.0, margin - x))


def _bce(p: Array, y: Array, weight: Array | float = 1.0) -> Array:
    return -weight * (y * np.maximum(np.log(p), -100) + (1 - y) * np.maximum(np.log(1 - p), -100))


def _bce_logits(z: Array, y: Array, weight: Array | float = 1.0, pos_weight: Array | float = 1.0) -> Array:
    # -p y log sigmoid(z) - (1 - y) log(1 - sigmoid(z))
    return weight * (pos_weight * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))


def _pick(scores: Array, y: Array) -> Array:
    """Return scores[n, y[n, ...], ...]; 0 where y is no class."""
    safe = np.where((y >= 0) & (y < scores.shape[1]), y, 0)
    return np.take_along_axis(scores, np.expand_dims(safe, 1), 1).squeeze(1)


def _nll(
    logp: Array, y: Array, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """-w[y] logp[y], the mean being over the weights of the targets that count."""
    if logp.ndim == 1:
        one = _nll(logp[None], y[None], weight, ignore_index, reduction)
        return one[0] if reduction == "none" else one
    weight = np.ones(logp.shape[1]) if weight is None else weight
    w = np.where(y == ignore_index, 0.0, weight[np.where(y == ignore_index, 0, y)])
    values = -w * _pick(logp, y)
    return {"none": lambda: values, "sum": values.sum, "mean": lambda: values.sum() / w.sum()}[reduction]()


def _cross_entropy(
    z: Array,
    y: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    if z.ndim == 1:
        one = _cross_entropy(z[None], y[None], weight, ignore_index, reduction, label_smoothing)
        return one[0] if reduction == "none" else one
    classes = z.shape[1]
    logp = log_softmax(z, 1)
    per_class = (np.ones(classes) if weight is None else weight).reshape(1, classes, *[1] * (z.ndim - 2))
    if y.dtype.kind == "f":
        soft = y * (1 - label_smoothing) + label_smoothing / classes
        values = -(per_class * soft * logp).sum(1)
        return {"none": lambda: values, "sum": values.sum, "mean": values.mean}[reduction]()
    plain = _nll(logp, y, weight, ignore_index, "none")
    smooth = np.where(y == ignore_index, 0.0, -(per_class * logp).sum(1))
    values = (1 - label_smoothing) * plain + label_smoothing / classes * smooth
    counted = np.where(y == ignore_index, 0.0, per_class.ravel()[np.where(y == ignore_index, 0, y)])
    return {"none": lambda: values, "sum": values.sum, "mean": lambda: values.sum() / counted.sum()}[reduction]()


def _with_weight(name: str, **rename: str) -> Callable[..., Any]:
    """Call a loss whose third tensor is a keyword."""
    keyword = rename.get("keyword", "weight")
    return lambda x, y, w, **options: getattr(pg, name)(x, y, **{keyword: w}, **options)


def reductions_of(*cases: Case) -> list[Case]:
    return [Case(c.shapes, {**c.options, "reduction": how}) for c in cases for how in ("none", "sum", "mean")] + list(
        cases[:1]
    )


PAIRS_OF_A_LOSS = reductions_of(case((4, 3), (4, 3)), case((5,), (5,)), case((), ()), case((2, 3, 2), (2, 3, 2)))
CLASSES = reductions_of(case((6, 4), (6,)), case((4,), ()), case((3, 4, 2), (3, 2)))
WEIGHTED_CLASSES = reductions_of(case((6, 4), (6,), (4,)), case((3, 4, 2), (3, 2), (4,)))
SOFT_CLASSES = reductions_of(case((5, 4), (5, 4)), case((4,), (4,)), case((3, 4, 2), (3, 4, 2)))
PROBABILITY = real(0.05, 0.95)
TARGET = real(0.0, 1.0)
WEIGHT = fixed(POSITIVE.sample)
LOGITS = real(-3, 3)


SIGNS = fixed(lambda rng, shape: rng.integers(0, 2, shape) * 2 - 1, "int64")
BATCH_MEANS = [case((4, 3), (4, 3), reduction="batchmean"), case((), (), reduction="batchmean")]


def _hinge(s: Array, y: Array) -> Array:
    return np.maximum(0.0, 1.0 - y * s)


def _hinge_written_out(s: Any, y: Any, reduction: str = "mean") -> Any:
    """PyTorch has no such function."""
    values = pg.relu(1.0 - y * s)
    return values if reduction == "none" else getattr(values, reduction)()


HINGE = _hinge_written_out if TORCH else None

LOSSES = (
    Row("mse_loss", (ANY, ANY), reduced(lambda p, y: (p - y) ** 2), PAIRS_OF_A_LOSS),
    Row("l1_loss", (grid(0), grid(0.125)), reduced(lambda p, y: abs(p - y)), PAIRS_OF_A_LOSS),
    Row("huber_loss", (grid(0), grid(0.125)), reduced(_huber), PAIRS_OF_A_LOSS),
    Row("huber_loss(0.5)", (grid(0), grid(0.0625)), reduced(_huber), options(PAIRS_OF_A_LOSS, delta=0.5)),
    Row("smooth_l1_loss", (grid(0), grid(0.125)), reduced(_smooth_l1), PAIRS_OF_A_LOSS),
    Row("smooth_l1_loss(0.5)", (grid(0), grid(0.0625)), reduced(_smooth_l1), options(PAIRS_OF_A_LOSS, beta=0.5)),
    Row("smooth_l1_loss(0)", (grid(0), grid(0.125)), reduced(_smooth_l1), options(PAIRS_OF_A_LOSS, beta=0.0)),
    Row("kl_div", (real(-3, -0.1), PROBABILITY), _kl_div, [*PAIRS_OF_A_LOSS, *BATCH_MEANS]),
    Row("kl_div(log)", (real(-3, -0.1), real(-3, -0.1)), _kl_div,
        options([*PAIRS_OF_A_LOSS, *BATCH_MEANS], log_target=True)),
    Row("hinge_embedding_loss", (real(-2, 3, 1), SIGNS), reduced(_hinge_embedding), PAIRS_OF_A_LOSS),
    Row("hinge_embedding_loss(0.5)", (real(-2, 3, 0.5), SIGNS), reduced(_hinge_embedding),
        options(PAIRS_OF_A_LOSS, margin=0.5)),
    Row("hinge_loss", (real(-3, 3, -1, 1), SIGNS), reduced(_hinge), PAIRS_OF_A_LOSS, call=HINGE),
    Row("hinge_loss(real)", (grid(0), grid(0.125)), reduced(_hinge), PAIRS_OF_A_LOSS, call=HINGE),
    Row("binary_cross_entropy", (PROBABILITY, TARGET), reduced(_bce), PAIRS_OF_A_LOSS),
    Row("binary_cross_entropy(weight)", (PROBABILITY, TARGET, WEIGHT), reduced(_bce),
        reductions_of(case((4, 3), (4, 3), (4, 3)), case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy")),
    Row("binary_cross_entropy_with_logits", (LOGITS, TARGET), reduced(_bce_logits), PAIRS_OF_A_LOSS,
        covers=("bce_with_logits",)),
    Row("binary_cross_entropy_with_logits(weight)", (LOGITS, TARGET, WEIGHT), reduced(_bce_logits),
        reductions_of(case((4, 3), (4, 3), (4, 3)), case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy_with_logits")),
    Row("binary_cross_entropy_with_logits(pos_weight)", (LOGITS, TARGET, WEIGHT),
        reduced(lambda z, y, p: _bce_logits(z, y, pos_weight=p)), reductions_of(case((4, 3), (4, 3), (3,))),
        call=_with_weight("binary_cross_entropy_with_logits", keyword="pos_weight")),
    Row("cross_entropy", (LOGITS, labels(4)), _cross_entropy, CLASSES),
    Row("cross_entropy(weight)", (LOGITS, labels(4), WEIGHT), _cross_entropy, WEIGHTED_CLASSES,
        call=_with_weight("cross_entropy")),
    Row("cross_entropy(ignored)", (LOGITS, labels(4, ignored=-100)), _cross_entropy, CLASSES[:3]),
    Row("cross_entropy(ignore_index)", (LOGITS, labels(4)), _cross_entropy, options(CLASSES[:3], ignore_index=2)),
    Row("cross_entropy(smooth)", (LOGITS, labels(4)), _cross_entropy, options(CLASSES, label_smoothing=0.1)),
    Row("cross_entropy(all)", (LOGITS, labels(4, ignored=-1), WEIGHT), _cross_entropy,
        options(WEIGHTED_CLASSES, label_smoothing=0.3, ignore_index=-1), call=_with_weight("cross_entropy")),
    Row("cross_entropy(soft)", (LOGITS, Input(distribution)), _cross_entropy, SOFT_CLASSES),
    Row("cross_entropy(soft, smooth)", (LOGITS, Input(distribution)), _cross_entropy,
        options(SOFT_CLASSES, label_smoothing=0.2)),
    Row("cross_entropy(soft, weight)", (LOGITS, Input(distribution), WEIGHT), _cross_entropy,
        reductions_of(case((5, 4), (5, 4), (4,))), call=_with_weight("cross_entropy")),
    Row("nll_loss", (real(-3, -0.1), labels(4)), _nll, CLASSES),
    Row("nll_loss(weight)", (real(-3, -0.1), labels(4), WEIGHT), _nll, WEIGHTED_CLASSES, call=_with_weight("nll_loss")),
    Row("nll_loss(ignored)", (real(-3, -0.1), labels(4, ignored=-100)), _nll, CLASSES[:3]),
)  # fmt: skip
