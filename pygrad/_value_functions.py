"""Functions over values and lists of values.

Where a name is torch's, so is the meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._engine import native
from .value import Value

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dot",
    "log_softmax",
    "logsumexp",
    "margin_loss",
    "softmax",
    "squared_error",
    "sum",
]


def _value(x: Value | float) -> Value:
    return x if isinstance(x, Value) else Value(x)


def sum(values: Sequence[Value | float]) -> Value:
    """Return the sum of a list, as one node.

    Examples
    --------
    >>> sum([Value(1.0), 2.0, Value(3.0)])
    Value(data=6.0, grad=0.0)
    """
    return native.sum(values)


def dot(x: Sequence[Value | float], w: Sequence[Value | float]) -> Value:
    """Return ``x[0] * w[0] + x[1] * w[1] + ...``, as one node.

    Raises
    ------
    ValueError
        When the lengths differ.

    Examples
    --------
    >>> dot([Value(1.0), Value(2.0)], [3.0, 4.0])
    Value(data=11.0, grad=0.0)
    """
    return native.dot(x, w)


def logsumexp(values: Sequence[Value | float]) -> Value:
    """Return ``log(exp(v[0]) + exp(v[1]) + ...)``, as one node; finite for all finite values.

    Computed as ``m + log(sum(exp(v - m)))`` with m the largest.
    """
    return native.logsumexp(values)


def log_softmax(values: Sequence[Value | float]) -> list[Value]:
    """Return ``v[i] - logsumexp(v)`` for each i."""
    values = list(values)
    total = native.logsumexp(values)
    return [v - total for v in values]


def softmax(values: Sequence[Value | float]) -> list[Value]:
    """Return ``exp(v[i]) / (exp(v[0]) + exp(v[1]) + ...)`` for each i; finite for all finite values.

    Examples
    --------
    >>> [round(p.data, 4) for p in softmax([Value(2.0), Value(1.0), Value(0.1)])]
    [0.659, 0.2424, 0.0986]
    """
    return [v.exp() for v in log_softmax(values)]


def cross_entropy(logits: Sequence[Value | float], target: int) -> Value:
    """Return the cross-entropy of a class from logits, ``logsumexp(logits) - logits[target]``.

    Its gradient with respect to the logits is ``softmax(logits) - onehot(target)``.

    Raises
    ------
    IndexError
        When there is no class of that number.
    """
    if not 0 <= target < len(logits):
        raise IndexError(f"target {target} is out of bounds for {len(logits)} classes")
    return native.logsumexp(logits) - logits[target]


def binary_cross_entropy_with_logits(logit: Value | float, label: Value | float) -> Value:
    """Return ``max(z, 0) - z * y + log(1 + exp(-abs(z)))`` for the logit z and the label y, as one node.

    That is ``-y * log(p) - (1 - y) * log(1 - p)`` with ``p = sigmoid(z)``, finite for every z. Its gradient with
    respect to z is ``p - y``.
    """
    return _value(logit).bce_with_logits(label)


def squared_error(prediction: Value | float, target: Value | float) -> Value:
    """Return ``(prediction - target)**2``.

    Examples
    --------
    >>> squared_error(Value(3.0), 1.0)
    Value(data=4.0, grad=0.0)
    """
    return (_value(prediction) - target) ** 2


def margin_loss(score: Value | float, label: Value | float) -> Value:
    """Return ``max(0, 1 - label * score)`` for a label of -1 or 1: the hinge of a max-margin classifier.

    Examples
    --------
    >>> margin_loss(Value(0.25), 1)
    Value(data=0.75, grad=0.0)
    """
    return (1 - label * _value(score)).relu()
