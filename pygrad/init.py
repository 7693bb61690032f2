"""Initial weights: how large they have to be for signals to keep their size from layer to layer.

With weights of variance s each output of a linear layer has fan_in * s times the variance of its inputs, and each
gradient fan_out * s times that of its outputs. The schemes choose s so that one of the two, or their mean, is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .random import Generator

__all__ = ["SCHEMES", "scheme_for", "weights"]

_RELU_FAMILY = {"relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "softplus", "selu", "mish", "relu6"}


def _he(fan_in: int, fan_out: int) -> float:
    return 2.0 / fan_in


def _xavier(fan_in: int, fan_out: int) -> float:
    return 2.0 / (fan_in + fan_out)


def _lecun(fan_in: int, fan_out: int) -> float:
    return 1.0 / fan_in


#: Variance of the weights by name: He et al. 2015 (equation 10, for relu, which halves the signal), Glorot and
#: Bengio 2010 (equation 12) and LeCun et al. 1998. Each also as `<name>_uniform`.
SCHEMES: dict[str, Callable[[int, int], float]] = {"he": _he, "xavier": _xavier, "lecun": _lecun}


def scheme_for(activation: str) -> str:
    """Return the name of the scheme that suits an activation: 'he' for the relu family, else 'xavier'.

    Examples
    --------
    >>> scheme_for("relu"), scheme_for("tanh")
    ('he', 'xavier')
    """
    return "he" if activation in _RELU_FAMILY else "xavier"


def weights(scheme: str, fan_in: int, fan_out: int, count: int, generator: Generator) -> list[float]:
    """Draw weights.

    Parameters
    ----------
    scheme : str
        'he', 'xavier' or 'lecun' for normal numbers of that variance, the same with '_uniform' for uniform ones, or
        'uniform' for micrograd's uniform numbers on [-1, 1).
    fan_in, fan_out : int
        Inputs and outputs of the layer.
    count : int
        How many to draw.
    generator : Generator
        Where from.

    Returns
    -------
    list of float

    Raises
    ------
    ValueError
        When there is no such scheme.

    Examples
    --------
    >>> len(weights("he", 2, 16, 32, Generator(0)))
    32
    """
    if scheme == "uniform":
        return generator.uniform(-1.0, 1.0, count)
    name = scheme.removesuffix("_uniform")
    if name not in SCHEMES:
        names = ", ".join([*SCHEMES, *(f"{name}_uniform" for name in SCHEMES), "uniform"])
        raise ValueError(f"no initialisation is named {scheme!r}; there are {names}")
    variance = SCHEMES[name](fan_in, fan_out)
    if name == scheme:
        return generator.normal(0.0, math.sqrt(variance), count)
    bound = math.sqrt(3.0 * variance)
    return generator.uniform(-bound, bound, count)
