"""Activations as modules, with PyTorch's names and arguments."""

from __future__ import annotations

from collections.abc import Callable

from .._engine import Tensor
from ..creation import full
from ..elementwise import elu, gelu, leaky_relu, where
from ..reductions import log_softmax, softmax
from .linear import Identity
from .module import Module
from .names import activation_name
from .parameter import Parameter

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "activation",
]


class ReLU(Module):
    """``max(0, x)``; the derivative at 0 is 0.

    Examples
    --------
    >>> import pygrad
    >>> ReLU()(pygrad.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.relu()


class ReLU6(Module):
    """``min(max(0, x), 6)``.

    Examples
    --------
    >>> import pygrad
    >>> ReLU6()(pygrad.tensor([-2.0, 3.0, 7.0]))
    tensor([0., 3., 6.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.relu6()


class LeakyReLU(Module):
    """``x`` where it is positive, else ``negative_slope * x``.

    Examples
    --------
    >>> import pygrad
    >>> LeakyReLU()(pygrad.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = float(negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the slope."""
        return f"negative_slope={self.negative_slope:g}"


class PReLU(Module):
    """`LeakyReLU` with a slope that is learnt, from `init` on (He et al. 2015).

    Parameters
    ----------
    num_parameters : int
        1 slope for everything, or one for each channel: the second axis of x, or the only one of a vector.
    init : float
        Where the slopes start.

    Examples
    --------
    >>> import pygrad
    >>> layer = PReLU()
    >>> layer(pygrad.tensor([-2.0, 3.0])).tolist()
    [-0.5, 3.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = Parameter(full((num_parameters,), float(init)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        slope: Tensor = self.weight
        if slope.numel() > 1 and x.dim() > 2:
            slope = slope.reshape(-1, *[1] * (x.dim() - 2))
        return where(x > 0, x, slope * x)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.weight.numel()}"


class ELU(Module):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2016).

    Examples
    --------
    >>> import pygrad
    >>> ELU()(pygrad.tensor([-1.0, 3.0]))
    tensor([-0.6321,  3.0000])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = float(alpha)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return alpha."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """``scale * elu(x, alpha)`` with the constants that keep mean and variance (Klambauer et al. 2017).

    Examples
    --------
    >>> import pygrad
    >>> SELU()(pygrad.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.selu()


class GELU(Module):
    """``x * Phi(x)``, exact by default, or by `approximate` = 'tanh' (Hendrycks and Gimpel 2016).

    Examples
    --------
    >>> import pygrad
    >>> GELU()(pygrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"gelu: approximate has to be 'none' or 'tanh', not {approximate!r}")
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Return which of the two it is."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """``x * sigmoid(x)``, also called swish.

    Examples
    --------
    >>> import pygrad
    >>> SiLU()(pygrad.tensor([0.0, 2.0]))
    tensor([0.0000, 1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.silu()


class Mish(Module):
    """``x * tanh(softplus(x))`` (Misra 2019).

    Examples
    --------
    >>> import pygrad
    >>> Mish()(pygrad.tensor([0.0, 2.0]))
    tensor([0.0000, 1.9440])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.mish()


class Softplus(Module):
    """``log(1 + exp(x))``.

    Examples
    --------
    >>> import pygrad
    >>> Softplus()(pygrad.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.softplus()


class Hardtanh(Module):
    """``min(max(-1, x), 1)``.

    Examples
    --------
    >>> import pygrad
    >>> Hardtanh()(pygrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.hardtanh()


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import pygrad
    >>> Sigmoid()(pygrad.tensor([-1000.0, 0.0]))
    tensor([0.0000, 0.5000])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.sigmoid()


class LogSigmoid(Module):
    """``log(sigmoid(x))``, finite wherever x is.

    Examples
    --------
    >>> import pygrad
    >>> LogSigmoid()(pygrad.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.logsigmoid()


class Tanh(Module):
    """``tanh(x)``.

    Examples
    --------
    >>> import pygrad
    >>> Tanh()(pygrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return x.tanh()


class _AlongAxis(Module):
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """``exp(x) / sum(exp(x))`` along an axis, the last by default.

    Examples
    --------
    >>> import pygrad
    >>> Softmax()(pygrad.tensor([[0.0, 0.0], [1000.0, 0.0]]))
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return numbers of the shape of x that sum to 1 along the axis."""
        return softmax(x, dim=self.dim)


class LogSoftmax(_AlongAxis):
    """``x - log(sum(exp(x)))`` along an axis, the last by default.

    Examples
    --------
    >>> import pygrad
    >>> LogSoftmax()(pygrad.tensor([1000.0, 0.0]))
    tensor([    0., -1000.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithms of the softmax."""
        return log_softmax(x, dim=self.dim)


#: Under the names of the op table, as the scalar `Neuron` has them.
_NAMED: dict[str, Callable[[], Module]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "gelu_tanh": lambda: GELU("tanh"),
    "silu": SiLU,
    "softplus": Softplus,
    "logsigmoid": LogSigmoid,
    "selu": SELU,
    "mish": Mish,
    "relu6": ReLU6,
    "hardtanh": Hardtanh,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "linear": Identity,
}


def activation(name: str) -> Module:
    """Return a new module for the name of an activation.

    Parameters
    ----------
    name : str
        'relu', 'leaky_relu' ('leaky'), 'elu', 'gelu', 'gelu_tanh', 'silu' ('swish'), 'softplus', 'logsigmoid',
        'selu', 'mish', 'relu6', 'hardtanh', 'sigmoid', 'tanh' or 'linear' ('identity').

    Raises
    ------
    ValueError
        When there is no such activation; the message lists all.

    Examples
    --------
    >>> activation("swish")
    SiLU()
    """
    return _NAMED[activation_name(name, _NAMED)]()
