"""Functions of several values, composed of the engine's operations: their gradients come by themselves."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from math import isfinite

from pygrad.reference.engine import Operand, Value, as_value


def sum(values: Iterable[Operand]) -> Value:
    """Sum of values, y = x_1 + ... + x_n; 0 for none.

    Examples
    --------
    >>> sum([Value(1), 2, Value(3)])
    Value(data=6.0, grad=0.0)
    """
    total = Value(0.0)
    for x in values:
        total = total + x
    return total


def dot(ws: Sequence[Operand], xs: Sequence[Operand], bias: Operand = 0.0) -> Value:
    """Inner product of two equally long lists and a bias, y = b + w_1 x_1 + ... + w_n x_n.

    Examples
    --------
    >>> dot([Value(0.5), Value(-1)], [2, 3], bias=0.25)
    Value(data=-1.75, grad=0.0)
    """
    total = as_value(bias)
    for w, x in zip(ws, xs, strict=True):
        total = total + as_value(w) * x
    return total


def logsumexp(values: Sequence[Operand]) -> Value:
    """Logarithm of a sum of exponentials, y = log(e**x_1 + ... + e**x_n) = m + log(sum(e**(x_i - m))).

    With m the largest x no exponential overflows, and one of them is 1. The result does not depend on m,
    which therefore enters as a plain number, without a gradient.

    Examples
    --------
    >>> logsumexp([1000.0, -1000.0])
    Value(data=1000.0, grad=0.0)
    """
    xs = [as_value(x) for x in values]
    m = _shift(xs)
    return sum((x - m).exp() for x in xs).log() + m


def softmax(values: Sequence[Operand]) -> list[Value]:
    """Probabilities from scores, p_i = e**x_i / sum_j e**x_j: dp_i/dx_j = p_i ((1 if i = j else 0) - p_j).

    Examples
    --------
    >>> [round(p.data, 4) for p in softmax([2.0, 1.0, 0.1])]
    [0.659, 0.2424, 0.0986]
    """
    xs = [as_value(x) for x in values]
    m = _shift(xs)
    exponentials = [(x - m).exp() for x in xs]
    total = sum(exponentials)
    return [e / total for e in exponentials]


def cross_entropy(logits: Sequence[Operand], target_index: int) -> Value:
    """Loss of a classifier, y = -log(softmax(z)[t]) = logsumexp(z) - z_t: dy/dz = softmax(z) - onehot(t).

    Parameters
    ----------
    logits : sequence of Value, length n
        Scores before the softmax.
    target_index : int
        The right class, from 0 to n - 1.

    Examples
    --------
    >>> z = [Value(2.0), Value(1.0), Value(0.1)]
    >>> loss = cross_entropy(z, 0)
    >>> loss.backward()
    >>> round(loss.data, 6), [round(x.grad, 4) for x in z]
    (0.41703, [-0.341, 0.2424, 0.0986])
    """
    target = operator.index(target_index)
    if not 0 <= target < len(logits):
        raise IndexError(f"cross_entropy: target {target} is out of bounds for {len(logits)} classes")
    return logsumexp(logits) - logits[target]


def binary_cross_entropy_with_logits(logit: Operand, label: Operand) -> Value:
    """Loss of a classifier of two classes, y = -t log(p) - (1 - t) log(1 - p), p = sigmoid(z): dy/dz = p - t.

    Examples
    --------
    >>> z = Value(0.7)
    >>> loss = binary_cross_entropy_with_logits(z, 1)
    >>> loss.backward()
    >>> round(loss.data, 6), round(z.grad, 6)
    (0.403186, -0.331812)
    """
    return as_value(logit).bce_with_logits(label)


def squared_error(prediction: Operand, target: Operand) -> Value:
    """Loss of a regression, y = (p - t)**2: dy/dp = 2 (p - t).

    Examples
    --------
    >>> squared_error(Value(7), 5)
    Value(data=4.0, grad=0.0)
    """
    return (as_value(prediction) - target) ** 2


def margin_loss(score: Operand, label: Operand) -> Value:
    """Max-margin (hinge) loss for labels -1 and 1, y = max(0, 1 - t s): dy/ds = -t while t s < 1, else 0.

    Examples
    --------
    >>> margin_loss(Value(0.25), -1)
    Value(data=1.25, grad=0.0)
    """
    return (1 - as_value(label) * score).relu()


def _shift(xs: Iterable[Value]) -> float:
    m = max((x.data for x in xs), default=0.0)
    # inf - inf is nan: logsumexp of nothing but -inf is -inf, without a shift.
    return m if isfinite(m) else 0.0
