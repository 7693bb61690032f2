"""What is computed with tensors, and on which numbers: the same for every contestant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pygrad import nn
from pygrad.random import Generator

Arrays = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Problem:
    """One piece of work.

    Attributes
    ----------
    name : str
        For programs; `TITLES` has what people read.
    kind : str
        The method of `TensorContestant` that makes the work.
    arrays : tuple of ndarray of float32
        Operands; or samples, a row each.
    goal : str
        What pygrad should reach.
    tolerance : float
        How far the results of contestants may be apart, relative to the largest element.
    labels : ndarray, optional
        Classes as int64, or for two classes float32 of shape (n, 1).
    dims : tuple of int
        Sizes of the network, which has ReLU after its hidden layers.
    weights : tuple of ndarray of float32
        Its first weights and biases, alternately.
    optimizer : {'sgd', 'adam'}
    lr : float
    flops : int, optional
        Floating-point operations, where their number says something.
    """

    name: str
    kind: str
    arrays: Arrays
    goal: str
    tolerance: float
    labels: NDArray[np.float32] | NDArray[np.int64] | None = None
    dims: tuple[int, ...] = ()
    weights: Arrays = ()
    optimizer: str = "sgd"
    lr: float = 0.1
    flops: int | None = None


BATCH = 64
CHAIN = 5
_MNIST = (784, 256, 128, 10)

#: By the names of the problems; a tenth of an epoch is measured in its place by `--quick`.
TITLES = {
    "tensor_add": "a + b on 4 elements, with a gradient to come, the result dropped (numpy: without)",
    "tensor_chain": f"A chain of {2 * CHAIN} products and sums on 4 elements, their sum, and backward",
    "tensor_xor_sgd": "XOR, 2-16-1 on its 4 points: a step of SGD",
    "tensor_xor_adam": "XOR, 2-16-1 on its 4 points: a step of Adam",
    "tensor_mnist_step": f"784-256-128-10 on {BATCH} samples: a step of SGD",
    "matmul_1024x1024x1024": "Matrix product of (1024, 1024) and (1024, 1024)",
    "matmul_64x784x256": "Matrix product of (64, 784) and (784, 256)",
    "tensor_mnist_epoch": f"784-256-128-10 on 60,000 samples in shuffled batches of {BATCH}: an epoch of SGD",
    "tensor_mnist_tenth": f"784-256-128-10 on 6,000 samples in shuffled batches of {BATCH}: an epoch of SGD",
}


def _numbers(*shape: int, low: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    flat = np.random.Generator(np.random.Philox(key=seed)).random(shape, np.float32)
    return flat * np.float32(1.0 - low) + np.float32(low)


def _weights(dims: tuple[int, ...]) -> Arrays:
    return tuple(array.detach().numpy().copy() for array in nn.MLP(dims, seed=0).state_dict().values())


def _xor(optimizer: str, lr: float, goal: str) -> Problem:
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]], np.float32)
    return Problem(
        f"tensor_xor_{optimizer}",
        "step",
        (X,),
        goal,
        1e-4,
        y,
        (2, 16, 1),
        _weights((2, 16, 1)),
        optimizer,
        lr,
    )


def _matmul(m: int, k: int, n: int, goal: str) -> Problem:
    return Problem(
        f"matmul_{m}x{k}x{n}",
        "matmul",
        (_numbers(m, k, low=-1.0), _numbers(k, n, low=-1.0, seed=1)),
        goal,
        # Rounding of k products of float32, each below 1, in whatever order.
        k * float(np.finfo(np.float32).eps),
        flops=2 * m * k * n,
    )


def problems(quick: bool) -> list[Problem]:
    """Return all of them; with `quick` the epoch is a tenth of one.

    Losses over three steps may be 1e-4 apart, since all is float32. In an epoch everybody shuffles by himself: there
    the mean losses have to agree to a twentieth.
    """
    n = 6_000 if quick else 60_000
    weights = _weights(_MNIST)
    batch, labels = _numbers(BATCH, 784), np.array(Generator(2).uniform(0, 10, BATCH)).astype(np.int64)
    return [
        Problem(
            "tensor_add",
            "add",
            (_numbers(4), _numbers(4, seed=1)),
            "<= 0.2 us",
            0.0,
        ),
        Problem(
            "tensor_chain",
            "chain",
            (_numbers(4), _numbers(4, low=0.5, seed=1)),
            "<= 3 us",
            1e-6,
        ),
        _xor("sgd", 0.5, "<= 5 us"),
        _xor("adam", 0.01, "<= 6 us"),
        Problem(
            "tensor_mnist_step",
            "step",
            (batch,),
            "<= 320 us",
            1e-4,
            labels,
            _MNIST,
            weights,
        ),
        _matmul(1024, 1024, 1024, ">= 250 GFLOP/s"),
        _matmul(64, 784, 256, ">= 200 GFLOP/s"),
        Problem(
            "tensor_mnist_tenth" if quick else "tensor_mnist_epoch",
            "epoch",
            (_numbers(n, 784),),
            "" if quick else "<= 0.25 s",
            0.05,
            np.array(Generator(2).uniform(0, 10, n)).astype(np.int64),
            _MNIST,
            weights,
        ),
    ]
