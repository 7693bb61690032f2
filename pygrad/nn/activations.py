"""Activations as modules, with PyTorch's names and arguments."""

from __future__ import annotations

from collections.abc import Callable

from .._engine import Tensor
from ..creation import full
from ..elementwise import elu, gelu, hardtanh, leaky_relu, mish, relu, relu6, selu, silu, where
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


class _InPlace(Module):
    """An activation that can put its result in the place of its input."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return whether it is in place."""
        return "inplace=True" if self.inplace else ""


def _listed(*words: str) -> str:
    return ", ".join(filter(None, words))


class ReLU(_InPlace):
    """``max(0, x)``; the derivative at 0 is 0.

    Examples
    --------
    >>> import pygrad
    >>> ReLU()(pygrad.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return relu(x, self.inplace)


class ReLU6(_InPlace):
    """``min(max(0, x), 6)``.

    Examples
    --------
    >>> import pygrad
    >>> ReLU6()(pygrad.tensor([-2.0, 3.0, 7.0]))
    tensor([0., 3., 6.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return relu6(x, self.inplace)


class LeakyReLU(_InPlace):
    """``x`` where it is positive, else ``negative_slope * x``.

    Examples
    --------
    >>> import pygrad
    >>> LeakyReLU()(pygrad.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = float(negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return leaky_relu(x, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Return the slope, and whether it is in place."""
        return _listed(f"negative_slope={self.negative_slope:g}", super().extra_repr())


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


class ELU(_InPlace):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2016).

    Examples
    --------
    >>> import pygrad
    >>> ELU()(pygrad.tensor([-1.0, 3.0]))
    tensor([-0.6321,  3.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = float(alpha)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return elu(x, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return alpha, and whether it is in place."""
        return _listed(f"alpha={self.alpha}", super().extra_repr())


class SELU(_InPlace):
    """``scale * elu(x, alpha)`` with the constants that keep mean and variance (Klambauer et al. 2017).

    Examples
    --------
    >>> import pygrad
    >>> SELU()(pygrad.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return selu(x, self.inplace)


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


class SiLU(_InPlace):
    """``x * sigmoid(x)``, also called swish.

    Examples
    --------
    >>> import pygrad
    >>> SiLU()(pygrad.tensor([0.0, 2.0]))
    tensor([0.0000, 1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return silu(x, self.inplace)


class Mish(_InPlace):
    """``x * tanh(softplus(x))`` (Misra 2019).

    Examples
    --------
    >>> import pygrad
    >>> Mish()(pygrad.tensor([0.0, 2.0]))
    tensor([0.0000, 1.9440])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return mish(x, self.inplace)


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


class Hardtanh(_InPlace):
    """``min(max(min_val, x), max_val)``.

    Examples
    --------
    >>> import pygrad
    >>> Hardtanh()(pygrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val has to be less than max_val, not {min_val!r} and {max_val!r}")
        self.min_val, self.max_val = float(min_val), float(max_val)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, element by element."""
        return hardtanh(x, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """Return the bounds, and whether it is in place."""
        return _listed(f"min_val={self.min_val}, max_val={self.max_val}", super().extra_repr())


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
