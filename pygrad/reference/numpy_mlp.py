"""A multi-layer perceptron in numpy with backpropagation written by hand: no graph, one formula per layer.

In the comments B is the batch size, n the number of inputs of a layer, m the number of its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + e**-z) = e**-log(1 + e**-z), which overflows on neither side.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.asarray(np.exp(-np.logaddexp(0, -z)))


# Each activation a = f(z) beside its derivative, written in terms of a.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "sigmoid": (sigmoid, lambda a: a * (1 - a)),
}


def _cross_entropy(z: Array, t: Array) -> tuple[Array, Array]:
    if t.min() < 0 or t.max() >= z.shape[1]:
        raise IndexError(f"cross_entropy: targets must be classes from 0 to {z.shape[1] - 1}, not {t}")
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (B, m)
    rows = np.arange(len(z))
    slope = np.exp(log_p)
    slope[rows, t] -= 1
    return -log_p[rows, t], slope / len(z)


def _bce_with_logits(z: Array, t: Array) -> tuple[Array, Array]:
    t = t.reshape(z.shape).astype(z.dtype)
    losses = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return losses, (sigmoid(z) - t) / z.size


def _mse(z: Array, t: Array) -> tuple[Array, Array]:
    error = z - t.reshape(z.shape).astype(z.dtype)
    return error * error, 2 * error / z.size


# Each loss: the terms whose mean it is, beside the derivative of that mean with respect to the output z.
LOSSES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "cross_entropy": _cross_entropy,
    "bce_with_logits": _bce_with_logits,
    "mse": _mse,
}


class NumpyMLP:
    """A multi-layer perceptron with a linear last layer, whose gradients are spelt out.

    Forward, with a_0 = X and L layers:

        z_l = a_{l-1} W_l^T + b_l,    a_l = f(z_l) for l < L,    output = z_L

    Backward, with delta_l = dLoss/dz_l, starting from the loss and going down:

        dW_l = delta_l^T a_{l-1},    db_l = sum of the rows of delta_l
        delta_{l-1} = (delta_l W_l) * f'(z_{l-1})

    Parameters
    ----------
    dims : sequence of int
        Number of inputs, of hidden units per layer, of outputs.
    activation : {'relu', 'tanh', 'sigmoid'}
        f, in the hidden layers.
    loss : {'cross_entropy', 'bce_with_logits', 'mse'}
        A mean: for cross_entropy over the samples (targets: class numbers, shape (B,)), for the others over
        all elements of the output (targets: of the output's shape, or (B,) if there is one output).
    seed : int or None
        Seed of the weights, which are normal: He, Var = 2 / n, for relu; Xavier, Var = 2 / (n + m), for the
        others. Biases are 0.
    dtype : numpy dtype
        float64 or float32.

    Attributes
    ----------
    params : dict of array
        W1 of shape (dims[1], dims[0]), b1 of shape (dims[1],), W2, b2, ...

    Examples
    --------
    >>> X, t = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> net = NumpyMLP([2, 16, 1], loss="bce_with_logits", seed=0)
    >>> for epoch in range(300):
    ...     output, cache = net.forward(X)
    ...     net.update(net.backward(cache, t), lr=0.5)
    >>> (net.forward(X)[0] > 0).astype(int).ravel()
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        dims: Sequence[int],
        activation: str = "relu",
        loss: str = "cross_entropy",
        seed: int | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        if activation not in ACTIVATIONS or loss not in LOSSES:
            raise ValueError(
                f"NumpyMLP: activation {activation!r} must be one of {sorted(ACTIVATIONS)}, "
                f"loss {loss!r} one of {sorted(LOSSES)}"
            )
        self.f, self.slope = ACTIVATIONS[activation]
        self.loss_and_slope = LOSSES[loss]
        self.dtype = np.dtype(dtype)
        self.n_layers = len(dims) - 1
        self.params: dict[str, Array] = {}
        rng = np.random.default_rng(seed)
        for layer, (n, m) in enumerate(pairwise(dims), start=1):
            deviation = np.sqrt(2 / n if activation == "relu" else 2 / (n + m))
            self.params[f"W{layer}"] = (deviation * rng.standard_normal((m, n))).astype(self.dtype)
            self.params[f"b{layer}"] = np.zeros(m, self.dtype)

    def forward(self, X: npt.ArrayLike) -> tuple[Array, list[Array]]:
        """Return the output for inputs X of shape (B, dims[0]), and what `backward` needs: a_0, ..., a_L."""
        cache = [np.asarray(X, self.dtype)]
        for layer in range(1, self.n_layers + 1):
            W, b = self.params[f"W{layer}"], self.params[f"b{layer}"]
            z = cache[-1] @ W.T + b  # (B, n) @ (n, m) + (m,) -> (B, m)
            cache.append(self.f(z) if layer < self.n_layers else z)
        return cache[-1], cache

    def loss(self, output: Array, targets: npt.ArrayLike) -> float:
        """Return the mean loss of the output that `forward` gave, shape (B, dims[-1])."""
        losses, _ = self.loss_and_slope(output, np.asarray(targets))
        return float(losses.mean())

    def backward(self, cache: list[Array], targets: npt.ArrayLike) -> dict[str, Array]:
        """Return the gradients of the mean loss, with the names and shapes of `params`."""
        grads: dict[str, Array] = {}
        _, delta = self.loss_and_slope(cache[-1], np.asarray(targets))  # (B, dims[-1])
        for layer in range(self.n_layers, 0, -1):
            a = cache[layer - 1]  # (B, n)
            grads[f"W{layer}"] = delta.T @ a  # (m, B) @ (B, n) -> (m, n)
            grads[f"b{layer}"] = delta.sum(axis=0)  # (m,)
            if layer > 1:
                delta = (delta @ self.params[f"W{layer}"]) * self.slope(a)  # (B, m) @ (m, n) -> (B, n)
        return grads

    def update(self, grads: dict[str, Array], lr: float) -> None:
        """Take one step of gradient descent, W = W - lr dW, in place."""
        for name, grad in grads.items():
            self.params[name] -= lr * grad
