"""Losses, each computed in one pass forward and one backward.

`reduction` says what becomes of the losses of the single elements or samples: "mean", "sum", or "none", which leaves
them as they are.
"""

from __future__ import annotations

from ._engine import Tensor, native

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]

_MODES = {"none": 0, "mean": 1, "sum": 2}


def _mode(reduction: str) -> int:
    mode = _MODES.get(reduction)
    if mode is None:
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    return mode


# ---- regression --------------------------------------------------------------------------------------------------


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return the squared error ``(x - t)**2``.

    Parameters
    ----------
    input, target
        Of the same shape; both get gradients.
    reduction
        "mean", "sum" or "none".

    Raises
    ------
    ShapeError
        When the shapes differ. (PyTorch broadcasts them with a warning, which hides a forgotten dimension.)

    Examples
    --------
    >>> import pygrad
    >>> pygrad.mse_loss(pygrad.tensor([1.0, 2.0]), pygrad.tensor([1.0, 4.0])).item()
    2.0
    """
    return native.tensor_mse_loss(input, target, _mode(reduction))


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return the absolute error ``|x - t|``, whose gradient is 0 at 0.

    Parameters, errors and gradients are those of `mse_loss`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.l1_loss(pygrad.tensor([1.0, 2.0]), pygrad.tensor([1.0, 4.0])).item()
    1.0
    """
    return native.tensor_l1_loss(input, target, _mode(reduction))


def huber_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return ``d**2 / 2`` where ``|d| < delta``, else ``delta * (|d| - delta / 2)``, with ``d = x - t``.

    The loss of P. J. Huber, "Robust estimation of a location parameter", 1964. Parameters and errors are those of
    `mse_loss`, and a `delta` that is not positive is a RuntimeError.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.huber_loss(pygrad.tensor([1.0, 2.0]), pygrad.tensor([2.0, 4.0]), reduction="none").tolist()
    [0.5, 1.5]
    """
    return native.tensor_huber_loss(input, target, delta, _mode(reduction))


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return ``d**2 / (2 * beta)`` where ``|d| < beta``, else ``|d| - beta / 2``, with ``d = x - t``.

    `huber_loss` divided by beta; a beta of 0 gives `l1_loss`. R. Girshick, "Fast R-CNN", 2015. Parameters and errors
    are those of `mse_loss`, and a negative `beta` is a RuntimeError.

    Examples
    --------
    >>> import pygrad
    >>> x, t = pygrad.tensor([1.0, 2.0]), pygrad.tensor([2.0, 8.0])
    >>> pygrad.smooth_l1_loss(x, t, reduction="none", beta=2.0).tolist()
    [0.25, 5.0]
    """
    return native.tensor_smooth_l1_loss(input, target, beta, _mode(reduction))


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return ``t * (log(t) - x)``, whose sum is the divergence of probabilities t from log-probabilities x.

    S. Kullback and R. A. Leibler, "On information and sufficiency", 1951.

    Parameters
    ----------
    input
        Log-probabilities x, of any shape.
    target
        Probabilities t, of the same shape, 0 included (whose own gradient is nan, as in PyTorch); or their logarithms.
    reduction
        "mean", "sum", "none", or "batchmean": the sum divided by the size of the first dimension, which is the mean of
        the divergences of the rows.
    log_target
        Whether the target is ``log(t)``.

    Raises
    ------
    ShapeError
        When the shapes differ. (PyTorch broadcasts them.)
    RuntimeError
        When one of the tensors is not of floats.

    Examples
    --------
    >>> import pygrad
    >>> p, q = pygrad.tensor([[0.5, 0.5]]), pygrad.tensor([[0.25, 0.75]])
    >>> pygrad.kl_div(q.log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    if reduction == "batchmean":
        total = native.tensor_kl_div(input, target, log_target, _MODES["sum"])
        return total / input.shape[0] if input.ndim else total
    return native.tensor_kl_div(input, target, log_target, _mode(reduction))


# ---- two classes -------------------------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return ``-w * (y * log(x) + (1 - y) * log(1 - x))``, the logarithms not below -100.

    Parameters
    ----------
    input
        Probabilities x, of any shape.
    target
        Probabilities y, of the same shape and dtype; gets a gradient too.
    weight
        w, which broadcasts to that shape.
    reduction
        "mean", "sum" or "none".

    Raises
    ------
    ShapeError
        When the shapes do not fit.
    RuntimeError
        When input and target are not floats of one dtype, or one of their elements is not between 0 and 1.

    Notes
    -----
    As PyTorch's: the gradient is that of the formula with ``x * (1 - x)`` not below 1e-12, whatever the clamped
    logarithm. Take `binary_cross_entropy_with_logits` where the probabilities are sigmoids.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.binary_cross_entropy(pygrad.tensor([0.0, 1.0]), pygrad.tensor([1.0, 1.0])).item()
    50.0
    """
    return native.tensor_binary_cross_entropy(input, target, weight, _mode(reduction))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the binary cross-entropy of ``sigmoid(z)``, finite for all finite z.

    Computed as ``w * ((1 - y) * z + (1 + (p - 1) * y) * log(1 + exp(-z)))``. With p = w = 1 the gradient is
    ``sigmoid(z) - y``.

    Parameters
    ----------
    input
        Logits z, of any shape.
    target
        Probabilities y, of the same shape; gets a gradient too.
    weight, pos_weight
        w and p, the weight of positive answers, which broadcast to that shape.
    reduction
        "mean", "sum" or "none".

    Raises
    ------
    ShapeError
        When the shapes do not fit.
    RuntimeError
        When input or target are not floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.binary_cross_entropy_with_logits(pygrad.tensor([1000.0, -1000.0]), pygrad.tensor([0.0, 0.0])).item()
    500.0
    """
    return native.tensor_binary_cross_entropy_with_logits(input, target, weight, pos_weight, _mode(reduction))


def hinge_loss(score: Tensor, label: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return ``max(0, 1 - y * s)`` for scores s and labels y, which are -1 and 1; the gradient is 0 at the corner.

    C. Cortes and V. Vapnik, "Support-vector networks", 1995.

    Parameters
    ----------
    score
        Of any shape.
    label
        Of the same shape: floats, which get a gradient too, or integers.
    reduction
        "mean", "sum" or "none".

    Raises
    ------
    ShapeError
        When the shapes differ.
    RuntimeError
        When the scores are not floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.hinge_loss(pygrad.tensor([0.5, 2.0, 1.0]), pygrad.tensor([1, 1, -1]), reduction="none").tolist()
    [0.5, 0.0, 2.0]
    """
    return native.tensor_hinge_loss(score, label, _mode(reduction))


def hinge_embedding_loss(input: Tensor, target: Tensor, *, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """Return x where the target is 1, ``max(0, margin - x)`` where it is -1: for distances x of what is alike or not.

    Parameters
    ----------
    input
        Distances x, of any shape.
    target
        1 and -1, of the same shape. (For other numbers it is the sum of both.) It gets no gradient.
    margin
        How far apart is far enough.
    reduction
        "mean", "sum" or "none".

    Raises
    ------
    ShapeError
        When the shapes differ. (PyTorch broadcasts them.)
    RuntimeError
        When the input is not of floats.

    Examples
    --------
    >>> import pygrad
    >>> x, t = pygrad.tensor([0.5, 0.75, 2.0]), pygrad.tensor([1, -1, -1])
    >>> pygrad.hinge_embedding_loss(x, t, reduction="none").tolist()
    [0.5, 0.25, 0.0]
    """
    return native.tensor_hinge_embedding_loss(input, target, margin, _mode(reduction))


# ---- several classes ---------------------------------------------------------------------------------------------


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return ``-w[y] * x[y]`` for scores x, usually log-probabilities, and the class y of each sample.

    Parameters
    ----------
    input
        Shape (C,), (N, C) or (N, C, d1, ...).
    target
        The classes as int64, int32 or uint8, of the same shape without C.
    weight
        Shape (C,): w, else all 1. It gets no gradient.
    ignore_index
        Samples of this class cost nothing and are not counted.
    reduction
        "mean", which divides by the sum of the samples' weights (nan when that is 0), "sum" or "none".

    Raises
    ------
    IndexError
        When a class is out of bounds.
    ShapeError
        When the shapes do not fit.
    RuntimeError
        When the input is not of floats, or the target not of integers.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.nll_loss(pygrad.tensor([[-0.5, -1.0], [-2.0, -0.25]]), pygrad.tensor([0, 1])).item()
    0.375
    """
    return native.tensor_nll_loss(input, target, weight, ignore_index, _mode(reduction))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy ``-sum_c w_c q_c log softmax(x)_c`` of logits x and the class of each sample.

    With smoothing s, ``q_c = (1 - s) * [c is the class] + s / C`` (C. Szegedy et al., "Rethinking the Inception
    architecture for computer vision", 2016). The gradient is ``softmax(x) * sum(w q) - w q``: without weights and
    smoothing ``softmax(x) - onehot(y)``.

    Parameters
    ----------
    input
        Logits of shape (C,), (N, C) or (N, C, d1, ...).
    target
        The classes as int64, int32 or uint8, of the same shape without C; or floats of the input's shape, the
        probabilities of the classes, which take the place of ``[c is the class]`` and get a gradient too.
    weight
        Shape (C,): w, else all 1. It gets no gradient.
    ignore_index
        Samples of this class cost nothing and are not counted.
    reduction
        "mean", "sum" or "none". The mean of classes divides by the sum of the samples' weights (nan when that is
        0), the mean of probabilities by the number of samples.
    label_smoothing
        s, from 0 to 1.

    Raises
    ------
    IndexError
        When a class is out of bounds.
    ShapeError
        When the shapes do not fit.
    RuntimeError
        When the input is not of floats, a target of classes not of integers, or `label_smoothing` not between 0 and 1.

    Examples
    --------
    >>> import pygrad
    >>> logits = pygrad.tensor([[0.0, 0.0], [1000.0, 0.0]], requires_grad=True)
    >>> loss = pygrad.cross_entropy(logits, pygrad.tensor([0, 1]), reduction="sum")
    >>> loss.backward()
    >>> logits.grad.tolist()
    [[-0.5, 0.5], [1.0, -1.0]]
    """
    return native.tensor_cross_entropy(input, target, weight, ignore_index, label_smoothing, _mode(reduction))
