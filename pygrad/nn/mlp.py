"""The multi-layer perceptron of tensors."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from .. import init as _init
from .._types import DType
from ..creation import tensor, zeros
from ..dtypes import float32
from ..random import Generator
from ..sampling import randint
from . import scalar
from .activations import activation as activation_module
from .container import Sequential
from .linear import Identity, Linear
from .module import Module
from .names import ALIASES

__all__ = ["MLP"]


class MLP(Sequential):
    """A multi-layer perceptron: linear layers with an activation after each but the last.

    The first argument says which kind is meant: a list of sizes gives this network of tensors, whose rows are samples;
    a number gives micrograd's network of scalar values, ``MLP(3, [4, 4, 1])``, of the class `pygrad.nn.scalar.MLP`.

    Parameters
    ----------
    dims : sequence of int
        Sizes, from inputs to outputs.
    activation : str
        After the hidden layers; see `pygrad.nn.activation`.
    output_activation : str, optional
        After the last layer; none by default, so that the outputs are logits.
    init : str
        A scheme of `pygrad.init.weights`; 'auto' is 'he' when `activation` is of the relu family, else 'xavier'.
        Biases start at 0. Or 'pytorch': weights and biases as `Linear` draws them.
    seed : int or Generator, optional
        Where the weights come from, layer by layer and neuron by neuron: the same seed gives the weights of the scalar
        MLP and of C's `pg_mlp_new`. None draws the seed from the stream that `pygrad.manual_seed` governs.
    bias : bool
        Whether the layers have one.
    dtype : dtype, optional
        float32 by default; the weights are drawn in float64 and rounded.

    Raises
    ------
    ValueError
        When there are fewer than two sizes or one is less than 1; when a name is unknown.

    Examples
    --------
    >>> model = MLP([784, 256, 128, 10], seed=0)
    >>> model
    MLP(
      (0): Linear(in_features=784, out_features=256, bias=True)
      (1): ReLU()
      (2): Linear(in_features=256, out_features=128, bias=True)
      (3): ReLU()
      (4): Linear(in_features=128, out_features=10, bias=True)
    )
    >>> model.num_parameters()
    235146
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance, or a scalar MLP when the first argument is a number."""
        if "nin" in kwargs or (args and isinstance(args[0], Integral)):
            if cls is not MLP:
                raise TypeError(f"{cls.__name__} is a network of tensors: for scalar values derive from nn.scalar.MLP")
            return scalar.MLP(*args, **kwargs)
        return super().__new__(cls)

    def __init__(
        self,
        dims: Sequence[int],
        activation: str = "relu",
        output_activation: str | None = None,
        init: str = "auto",
        seed: int | Generator | None = None,
        bias: bool = True,
        dtype: DType = None,
    ) -> None:
        sizes = [operator.index(n) for n in dims]
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"an MLP needs at least two sizes, each at least 1, not {sizes}")
        hidden = [activation_module(activation) for _ in sizes[2:]]
        last = activation_module(output_activation or "linear")
        scheme = _init.scheme_for(ALIASES.get(activation, activation)) if init == "auto" else init
        layers = _layers(sizes, scheme, seed, bias, dtype)
        modules: list[Module] = []
        for layer, after in zip(layers, [*hidden, last], strict=True):
            modules += [layer] if isinstance(after, Identity) else [layer, after]
        super().__init__(*modules)


def _layers(sizes: list[int], scheme: str, seed: int | Generator | None, bias: bool, dtype: DType) -> list[Linear]:
    if scheme == "pytorch":
        if seed is not None:
            raise ValueError("init='pytorch' draws from the stream of pygrad.manual_seed and takes no seed")
        return [Linear(n, m, bias, dtype) for n, m in pairwise(sizes)]
    if seed is None:
        seed = int(randint(0, 2**63 - 1, (1,)).item())
    generator = Generator(seed)
    dtype = float32 if dtype is None else dtype
    layers = []
    for n, m in pairwise(sizes):
        rows = np.array([_init.weights(scheme, n, m, n, generator) for _ in range(m)])
        layers.append(Linear.of(tensor(rows, dtype=dtype), zeros(m, dtype=dtype) if bias else None))
    return layers
