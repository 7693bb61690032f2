"""Rows of normalisation and losses: formulas in complex arithmetic, where nothing has a kink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dual import unary, value
from .ops_elementwise import sigmoid
from .ops_reduce import log_softmax, root
from .plans import need
from .program import Step
from .row import ANY, FLOATS, POSITIVE, Domain, Row, real

Array = np.ndarray
Planned = tuple[list[Any], dict[str, Any]]
ONE = Domain(0.05, 0.95)
LOGIT = real(-3, 3, bound=(-20, 20))
softplus = unary(lambda x: np.logaddexp(0.0, x), lambda x, y: sigmoid(x))
log = unary(np.log, lambda x, y: 1.0 / x)
exp = unary(np.exp, lambda x, y: y)
size = unary(np.abs, lambda x, y: np.sign(x))
positive_part = unary(lambda x: np.maximum(x, 0.0), lambda x, y: x > 0)
REDUCTION = {"none": np.asarray, "sum": np.sum, "mean": np.mean}


# ---- normalisation --------------------------------------------------------------------------------------------------


def standard(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    d = x - x.mean(axes, keepdims=True)
    return d / root((d * d).mean(axes, keepdims=True) + eps + 0j)


def last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))


def layer_norm(x: Array, w: Any = 1.0, b: Any = 0.0, *, normalized_shape: Any, eps: float = 1e-5) -> Array:
    return standard(x, last(normalized_shape), eps) * w + b


def rms_norm(x: Array, w: Any = 1.0, *, normalized_shape: Any, eps: float = 1e-5) -> Array:
    return x / root((x * x).mean(last(normalized_shape), keepdims=True) + eps + 0j) * w


def spread(x: Array, *_: Any, normalized_shape: Any, **__: Any) -> bool:
    return x.size > 0 and bool((x.real.var(last(normalized_shape)) > 1e-2).all())


def norm_plan(most: int) -> Any:
    def plan(make: Any, row: Row, x: Any) -> Planned:
        shape = x.z.shape[-1 - make.below(x.z.ndim) :]
        n = make.below(most + 1)
        options: dict[str, Any] = {"normalized_shape": list(shape), "eps": make.choice([1e-3, 0.1])}
        return [make.operand(row, i + 1, x.dtype, shape) for i in range(n)], options

    return plan


def layer_norm_call(m: Any, x: Any, w: Any = None, b: Any = None, **o: Any) -> Any:
    return m.layer_norm(x, weight=w, bias=b, **o)


def rms_norm_call(m: Any, x: Any, w: Any = None, **o: Any) -> Any:
    return m.rms_norm(x, weight=w, **o)


def channels(a: Array, x: Array) -> Array:
    return a.reshape(1, -1, *[1] * (x.ndim - 2))


def batch_norm(x: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    return standard(x, (0, *range(2, x.ndim)), eps) * channels(w, x) + channels(b, x)


def batch_norm_running(x: Array, mean: Array, var: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    z = (x - channels(mean.real, x)) / np.sqrt(channels(var.real, x) + eps)
    return z * channels(w, x) + channels(b, x)


def batch_plan(make: Any, row: Row, x: Any) -> Planned:
    need(x.z.size > x.z.shape[1])
    shape = (x.z.shape[1],)
    return [make.operand(row, i, x.dtype, shape) for i in (1, 2)], {"eps": make.choice([1e-3, 0.1])}


def running_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = (x.z.shape[1],)
    plain = [make.leaf(x.dtype, shape, row.domain(i), grad=False) for i in (1, 2)]
    return [*plain, *(make.operand(row, i, x.dtype, shape) for i in (3, 4))], {}


def spread_channels(x: Array, *_: Any, **__: Any) -> bool:
    return x.size > x.shape[1] and bool((x.real.var((0, *range(2, x.ndim))) > 1e-2).all())


def rough(x: Array, *_: Any) -> float:
    """The scale of a norm: sums, and what is divided by a small root."""
    top = float(abs(x.real).max(initial=0.0))
    return 40.0 * max(1.0, x.size**0.5) * max(1.0, top)


# ---- losses ---------------------------------------------------------------------------------------------------------


def reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give an elementwise loss the three reductions."""

    def loss(*arrays: Any, reduction: str = "mean", **options: Any) -> Any:
        return REDUCTION[reduction](function(*arrays, **options))

    return loss


def huber(p: Array, y: Array, delta: float = 1.0) -> Array:
    e = size(p - y)
    return np.where(e.real <= delta, e * e / 2, delta * (e - delta / 2))


def smooth_l1(p: Array, y: Array, beta: float = 1.0) -> Array:
    e = size(p - y)
    return np.where(e.real < beta, e * e / (2 * beta), e - beta / 2)


def kl_div(x: Array, t: Array, reduction: str = "mean", log_target: bool = False) -> Any:
    values = exp(t) * (t - x) if log_target else t * (log(t) - x)
    if reduction == "batchmean":
        return values.sum() / (len(values) if values.ndim else 1)
    return REDUCTION[reduction](values)


def hinge_embedding(x: Array, y: Array, margin: float = 1.0) -> Array:
    return np.where(y == 1, x, positive_part(margin - x))


def bce(p: Array, y: Array, weight: Any = 1.0) -> Array:
    return -weight * (y * log(p) + (1 - y) * log(1 - p))


def bce_logits(z: Array, y: Array, weight: Any = 1.0, pos_weight: Any = 1.0) -> Array:
    return weight * (pos_weight * y * softplus(-z) + (1 - y) * softplus(z))


def pick(scores: Array, y: Array) -> Array:
    return np.take_along_axis(scores, np.expand_dims(y, 1), 1).squeeze(1)


def nll(logp: Array, y: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    if logp.ndim == 1:
        one = nll(logp[None], y[None], weight, ignore_index, reduction)
        return one[0] if reduction == "none" else one
    weight = np.ones(logp.shape[1]) if weight is None else weight.real
    safe = np.where(y == ignore_index, 0, y)
    w = np.where(y == ignore_index, 0.0, weight[safe])
    values = -w * pick(logp, safe)
    return values.sum() / w.sum() if reduction == "mean" else REDUCTION[reduction](values)


def cross_entropy(
    z: Array,
    y: Array,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    if z.ndim == 1:
        one = cross_entropy(z[None], y[None], weight, ignore_index, reduction, label_smoothing)
        return one[0] if reduction == "none" else one
    classes = z.shape[1]
    logp = log_softmax(z, 1)
    per_class = (np.ones(classes) if weight is None else weight.real).reshape(1, classes, *[1] * (z.ndim - 2))
    if y.dtype.kind in "fc":
        soft = y * (1 - label_smoothing) + label_smoothing / classes
        values = -(per_class * soft * logp).sum(1)
        return values.sum() / values.size if reduction == "mean" else REDUCTION[reduction](values)
    counted = np.where(y == ignore_index, 0.0, per_class.ravel()[np.where(y == ignore_index, 0, y)])
    smooth = np.where(y == ignore_index, 0.0, -(per_class * logp).sum(1))
    values = (1 - label_smoothing) * nll(logp, y, weight, ignore_index, "none") + label_smoothing / classes * smooth
    return values.sum() / counted.sum() if reduction == "mean" else REDUCTION[reduction](values)


def counted_some(z: Array, y: Array, weight: Any = None, ignore_index: int = -100, **_: Any) -> bool:
    return y.dtype.kind in "fc" or bool((y != ignore_index).any())


def hinge(s: Array, y: Array) -> Array:
    return positive_part(1.0 - s * y)


def apart(margin: float) -> Any:
    """Tell whether no difference is near 0, nor its size near the margin."""

    def guard(p: Array, y: Array, *_: Any, **__: Any) -> bool:
        try:
            e = abs(value(p) - value(y))
        except ValueError:
            return True
        return bool((e > 1e-3).all() and (abs(e - margin) > 1e-3).all())

    return guard


def plain_plan(*reductions: str, **more: Any) -> Any:
    """A target of the same shape, and a reduction; nothing is averaged over nothing."""

    def plan(make: Any, row: Row, x: Any) -> Planned:
        options: dict[str, Any] = {"reduction": make.choice(reductions or ("none", "sum", "mean"))}
        need(x.z.size > 0 or options["reduction"] != "mean")
        options |= {k: make.choice(of) for k, of in more.items()}
        return [make.operand(row, 1, x.dtype, x.z.shape)], options

    return plan


def weighted_plan(keyword: str) -> Any:
    def plan(make: Any, row: Row, x: Any) -> Planned:
        need(x.z.ndim > 0 and x.z.size > 0)
        w = make.leaf(x.dtype, make.choice([x.z.shape, x.z.shape[-1:]]), POSITIVE, grad=False)
        return [make.operand(row, 1, x.dtype, x.z.shape), w], {"reduction": make.choice(("none", "sum", "mean"))}

    return plan


def signs_plan(make: Any, row: Row, x: Any) -> Planned:
    options = {"reduction": make.choice(("none", "sum", "mean"))}
    need(x.z.size > 0)
    y = make.leaf(x.dtype, x.z.shape, real(-1, 1, 0), grad=False)
    k = make.number()
    make.run(Step("sign", [k], [y], {}, "sign"))
    return [k], options


def classes_plan(make: Any, row: Row, x: Any) -> Planned:
    shape = x.z.shape
    need(x.z.size > 0)
    classes = shape[0] if len(shape) == 1 else shape[1]
    target = () if len(shape) == 1 else (shape[0], *shape[2:])
    ignored = make.chance(0.3)
    y = make.leaf("int64", target, Domain(-0.499, classes - 0.501, bound=(0, classes - 1)))
    options: dict[str, Any] = {"reduction": make.choice(("none", "sum", "mean"))}
    if ignored:
        options["ignore_index"] = make.below(classes)
    others = [y]
    if make.chance(0.3):
        others.append(make.leaf(x.dtype, (classes,), POSITIVE, grad=False))
    if row.op == "cross_entropy" and make.chance(0.3):
        options["label_smoothing"] = 0.2
    return others, options


def soft_plan(make: Any, row: Row, x: Any) -> Planned:
    need(x.z.size > 0)
    options: dict[str, Any] = {"reduction": make.choice(("none", "sum"))}
    if make.chance(0.3):
        options["label_smoothing"] = 0.2
    return [make.operand(row, 1, x.dtype, x.z.shape)], options


def third(keyword: str, name: str) -> Any:
    """Call a loss whose third tensor is a keyword."""
    return lambda m, x, y, w=None, **o: getattr(m, name)(x, y, **({} if w is None else {keyword: w}), **o)


def loss(name: str, oracle: Any, plan: Any = None, **more: Any) -> Row:
    if "call" not in more:
        more.setdefault("spellings", (name.partition("(")[0],))
    more.setdefault("roundings", 24)
    more.setdefault("terms", lambda a, *_: max(float(a.size), 1.0))
    return Row(name, oracle, plan or plain_plan(), dtypes=FLOATS, **more)


NORMALISED = (
    Row("layer_norm", layer_norm, norm_plan(2), rank=(1, 4), call=layer_norm_call, scale=rough, guard=spread,
        without=("empty",)),
    Row("rms_norm", rms_norm, norm_plan(1), rank=(1, 4), call=rms_norm_call, scale=rough, without=("empty",),
        guard=lambda x, *_, normalized_shape, **__: x.size > 0 and bool(((x.real**2).mean(last(normalized_shape))
                                                                        > 1e-2).all())),
    Row("batch_norm", batch_norm, batch_plan, rank=(2, 4), scale=rough, guard=spread_channels, without=("empty",),
        call=lambda m, x, w, b, **o: m.batch_norm(x, None, None, w, b, training=True, **o)),
    Row("batch_norm(running)", batch_norm_running, running_plan, rank=(2, 4), scale=rough,
        domains=(ANY, ANY, POSITIVE, ANY, ANY), spellings=("batch_norm",)),
    Row("dropout", lambda x, p, training: x * (0.0 if training and p else 1.0),
        lambda make, row, x: ([], make.choice([{"p": 1.0, "training": True}, {"p": 0.3, "training": False},
                                               {"p": 0.0, "training": True}])), exact=True, spellings=(),
        call=lambda m, x, p, training: m.dropout(x, p, training) * 1.0),
)  # fmt: skip

LOSS = (
    loss("mse_loss", reduced(lambda p, y: (p - y) ** 2), scale=lambda p, y: 1e2 * max(p.size, 1)),
    loss("l1_loss", reduced(lambda p, y: size(p - y)), guard=apart(0)),
    loss("huber_loss", reduced(huber), plain_plan(delta=[1.0, 0.5]),
         guard=lambda p, y, delta=1.0, **_: apart(delta)(p, y), terms=lambda a, *_: 4.0 * max(a.size, 1)),
    loss("smooth_l1_loss", reduced(smooth_l1), plain_plan(beta=[1.0, 0.5]),
         guard=lambda p, y, beta=1.0, **_: apart(beta)(p, y), terms=lambda a, *_: 4.0 * max(a.size, 1)),
    loss("kl_div", kl_div, plain_plan("none", "sum", "mean", "batchmean"), domains=(real(-3, -0.1), ONE)),
    loss("kl_div(log)", kl_div, plain_plan("none", "sum", "mean", "batchmean", log_target=[True]),
         domains=(real(-3, -0.1), real(-3, -0.1, bound=(-20, 3))), scale=lambda x, t: 2e3 * max(x.size, 1)),
    loss("hinge_embedding_loss", reduced(hinge_embedding), signs_plan, without=("empty",),
         domains=(real(-2, 3, 1), ANY)),
    loss("hinge_loss", reduced(hinge), torch=False,
         guard=lambda s, y, **_: bool((abs(1 - (s * y).real) > 1e-3).all()) if s.shape == y.shape else True,
         scale=lambda p, y: 1e2 * max(p.size, 1)),
    loss("binary_cross_entropy", reduced(bce), domains=(ONE, Domain(0, 1, bound=(0, 1)))),
    loss("binary_cross_entropy(weight)", reduced(bce), weighted_plan("weight"),
         without=("empty", "scalar"),
         domains=(ONE, Domain(0, 1, bound=(0, 1)), POSITIVE), call=third("weight", "binary_cross_entropy")),
    loss("binary_cross_entropy_with_logits", reduced(bce_logits), domains=(LOGIT, Domain(0, 1, bound=(0, 1)))),
    loss("binary_cross_entropy_with_logits(weight)", reduced(bce_logits), weighted_plan("weight"),
         without=("empty", "scalar"),
         domains=(LOGIT, Domain(0, 1, bound=(0, 1)), POSITIVE),
         call=third("weight", "binary_cross_entropy_with_logits")),
    loss("binary_cross_entropy_with_logits(pos_weight)", reduced(lambda z, y, p: bce_logits(z, y, pos_weight=p)),
         weighted_plan("pos_weight"), without=("empty", "scalar"),
         domains=(LOGIT, Domain(0, 1, bound=(0, 1)), POSITIVE),
         call=third("pos_weight", "binary_cross_entropy_with_logits")),
    loss("cross_entropy", cross_entropy, classes_plan, rank=(1, 4), without=("empty",), guard=counted_some,
         domains=(LOGIT, ANY, POSITIVE),
         call=third("weight", "cross_entropy")),
    loss("cross_entropy(soft)", cross_entropy, soft_plan, rank=(1, 4), without=("empty",), domains=(LOGIT, ONE),
         spellings=("cross_entropy",)),
    loss("nll_loss", nll, classes_plan, rank=(1, 4), without=("empty",), guard=counted_some,
         domains=(real(-3, -0.1), ANY, POSITIVE),
         call=third("weight", "nll_loss")),
)  # fmt: skip
