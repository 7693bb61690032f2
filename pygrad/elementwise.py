"""Functions that work element by element, with broadcasting and PyTorch's promotion of dtypes.

Those that are rows of the op table as they stand come from `_op_functions`; the others are here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from . import _op_functions
from ._engine import Tensor, Value, find_op, native
from ._method import method
from ._op_functions import *  # noqa: F403
from ._types import Operand

_POW = find_op("pow")

# Of C, before the methods of the same names below take their places.
_UnaryMethod = Callable[[Tensor], Tensor]
_BinaryMethod = Callable[[Tensor, Operand], Tensor]
_gelu: _UnaryMethod = getattr(Tensor, "gelu")  # noqa: B009
_hardtanh: _UnaryMethod = getattr(Tensor, "hardtanh")  # noqa: B009
_softplus: _UnaryMethod = getattr(Tensor, "softplus")  # noqa: B009
_leaky_relu: _BinaryMethod = getattr(Tensor, "leaky_relu")  # noqa: B009
_elu: _BinaryMethod = getattr(Tensor, "elu")  # noqa: B009
_swish: _BinaryMethod = getattr(Tensor, "swish")  # noqa: B009


@method
def leaky_relu(input: Tensor, negative_slope: Operand = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, ``negative_slope * x`` elsewhere; a slope that is a tensor learns (PReLU).

    Examples
    --------
    >>> import pygrad
    >>> pygrad.leaky_relu(pygrad.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """
    return input.leaky_relu_(negative_slope) if inplace else _leaky_relu(input, negative_slope)


@method
def elu(input: Tensor, alpha: Operand = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2015).

    Examples
    --------
    >>> import pygrad
    >>> pygrad.elu(pygrad.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return input.elu_(alpha) if inplace else _elu(input, alpha)


@method
def swish(input: Tensor, beta: Operand = 1.0) -> Tensor:
    """Return ``x * sigmoid(beta * x)`` (Ramachandran et al. 2017); a beta that is a tensor learns.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.swish(pygrad.tensor([0.0, 2.0]))
    tensor([0.0000, 1.7616])
    """
    return _swish(input, beta)


@method
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return ``x * Phi(x)``, Phi the standard normal distribution (Hendrycks and Gimpel 2016).

    Parameters
    ----------
    approximate : {'none', 'tanh'}
        'tanh' for ``x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x**3)))``.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.gelu(pygrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate == "none":
        return _gelu(input)
    if approximate == "tanh":
        return input.gelu_tanh()
    raise ValueError(f"gelu: approximate has to be 'none' or 'tanh', not {approximate!r}")


@method
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return ``log(1 + exp(beta * x)) / beta``, and x itself where ``beta * x`` is above the threshold.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.softplus(pygrad.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    if beta == 1.0 and threshold == 20.0:
        return _softplus(input)
    scaled = input * beta
    linear = scaled > threshold
    return where(linear, input, (where(linear, 0.0, scaled).exp().log1p()) / beta)


@method
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x cut to [min_val, max_val]; the gradient is 0 at both ends, unlike that of `clamp`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.hardtanh(pygrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if inplace:
        return input.hardtanh_(min_val, max_val)
    if min_val == -1.0 and max_val == 1.0:
        return _hardtanh(input)
    inside = (input > min_val) & (input < max_val)
    return where(inside | (input != input), input, input.detach().clamp(min_val, max_val))


@method
def pow(input: Operand, exponent: Operand) -> Tensor:
    """Return ``input ** exponent``; either may be a number, not both.

    The gradient is ``exponent * input**(exponent - 1)`` for the base and ``input**exponent * log(input)`` for the
    exponent; 0 for the base where the exponent is 0, and for the exponent where the base is 0 and the exponent is not
    negative.

    Raises
    ------
    RuntimeError
        For an integer base with a negative number for its exponent.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.pow(pygrad.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    return native.tensor_elementwise(_POW, input, exponent)


@overload
def maximum(input: Tensor, other: Operand) -> Tensor: ...
@overload
def maximum(input: Operand, other: Tensor) -> Tensor: ...
@overload
def maximum(input: Value | float, other: Value | float) -> Value: ...
def maximum(input: Any, other: Any) -> Any:
    """Return the larger of two, for each element, broadcast; without a tensor, the larger of two Values or numbers.

    Equal ones share the gradient, nan travels.

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.maximum(pygrad.tensor([-1.0, 2.0]), 0.0)
    tensor([0., 2.])
    """
    return _of_two("maximum", input, other)


@overload
def minimum(input: Tensor, other: Operand) -> Tensor: ...
@overload
def minimum(input: Operand, other: Tensor) -> Tensor: ...
@overload
def minimum(input: Value | float, other: Value | float) -> Value: ...
def minimum(input: Any, other: Any) -> Any:
    """Return the smaller of two, for each element, broadcast; without a tensor, the smaller of two Values or numbers.

    Equal ones share the gradient, nan travels.

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.minimum(pygrad.tensor([-1.0, 2.0]), 0.0)
    tensor([-1.,  0.])
    """
    return _of_two("minimum", input, other)


def _of_two(name: str, input: Any, other: Any) -> Any:
    if not isinstance(input, Tensor) and isinstance(other, Tensor):
        return native.tensor_elementwise(find_op(name), input, other)
    first = input if isinstance(input, Tensor | Value) else Value(input)
    return getattr(first, name)(other)


@method
def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Return ``minimum(maximum(x, min), max)``; a bound is a number, a tensor that broadcasts, or None.

    The gradient passes where ``min <= x <= max``, the ends included. Where ``min > max`` the result is `max`.

    Raises
    ------
    RuntimeError
        When both bounds are None.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.clamp(pygrad.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return native.tensor_clamp(input, min, max)


clip = clamp
setattr(Tensor, "clip", clamp)  # noqa: B010


@method
def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Return `clamp` with a lower bound alone.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.clamp_min(pygrad.tensor([-2.0, 3.0]), 0)
    tensor([0., 3.])
    """
    return native.tensor_clamp(input, min, None)


@method
def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """Return `clamp` with an upper bound alone.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.clamp_max(pygrad.tensor([-2.0, 3.0]), 0)
    tensor([-2.,  0.])
    """
    return native.tensor_clamp(input, None, max)


def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """Return `input` where the condition is true, `other` elsewhere, all broadcast together.

    Parameters
    ----------
    condition : Tensor of bool
    input, other : Tensor, array or number

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.

    Notes
    -----
    The gradient of the side that was not taken is 0 times what lies behind it: nan where that is infinite.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([-1.0, 2.0])
    >>> pygrad.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    return native.tensor_where(condition, input, other)


def _where_method(self: Tensor, condition: Tensor, other: Operand) -> Tensor:
    """Return self where the condition is true, `other` elsewhere."""
    return native.tensor_where(condition, self, other)


setattr(Tensor, "where", _where_method)  # noqa: B010


if not TYPE_CHECKING:  # which know what is defined here, and what the star brings
    __all__ = sorted(
        {
            *_op_functions.__all__,
            *(
                "clamp",
                "clamp_max",
                "clamp_min",
                "clip",
                "elu",
                "gelu",
                "hardtanh",
                "leaky_relu",
                "maximum",
                "minimum",
                "pow",
            ),
            *("softplus", "swish", "where"),
        }
    )
