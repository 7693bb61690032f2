"""Changes in place: methods that end in ``_``, and those of them that PyTorch has as functions too."""

from __future__ import annotations

from collections.abc import Callable

from . import arithmetic, arrange, elementwise, linalg, logic, shapes, statistics, writing
from ._engine import Tensor, native
from ._method import in_place, method, view_in_place
from ._types import Operand

__all__ = [
    "abs_",
    "acos_",
    "arccos_",
    "arcsin_",
    "arctan_",
    "asin_",
    "atan_",
    "ceil_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "clip_",
    "cos_",
    "cosh_",
    "elu_",
    "erf_",
    "erfc_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "fix_",
    "floor_",
    "hardtanh_",
    "index_put_",
    "leaky_relu_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "nan_to_num_",
    "neg_",
    "negative_",
    "reciprocal_",
    "relu_",
    "round_",
    "rsqrt_",
    "selu_",
    "sigmoid_",
    "sin_",
    "sinh_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "trunc_",
    "zero_",
]

_BESIDE: tuple[Callable[..., Tensor], ...] = (
    arithmetic.lerp,
    arithmetic.nan_to_num,
    arithmetic.round,
    arrange.tril,
    arrange.triu,
    elementwise.clamp,
    elementwise.clamp_max,
    elementwise.clamp_min,
    elementwise.gelu,
    elementwise.hardtanh,
    elementwise.softplus,
    linalg.addmm,
    linalg.baddbmm,
    logic.bitwise_and,
    logic.bitwise_not,
    logic.bitwise_or,
    logic.bitwise_xor,
    logic.eq,
    logic.ge,
    logic.gt,
    logic.le,
    logic.logical_and,
    logic.logical_not,
    logic.logical_or,
    logic.logical_xor,
    logic.lt,
    logic.ne,
    statistics.cumprod,
    statistics.cumsum,
    writing.put,
)
for _function in _BESIDE:
    in_place(_function)
for _function in (arrange.swapaxes, arrange.swapdims, shapes.squeeze, shapes.t, shapes.transpose, shapes.unsqueeze):
    view_in_place(_function)

setattr(Tensor, "clip_", getattr(Tensor, "clamp_"))  # noqa: B009, B010
for _symbol in ("and", "or", "xor"):
    setattr(Tensor, f"__i{_symbol}__", getattr(Tensor, f"bitwise_{_symbol}_"))

# Of C, before the methods of the same names below, whose parameter has a name, take their places.
_BinaryMethod = Callable[[Tensor, Operand], Tensor]
_elu_: _BinaryMethod = getattr(Tensor, "elu_")  # noqa: B009
_leaky_relu_: _BinaryMethod = getattr(Tensor, "leaky_relu_")  # noqa: B009
_pow_: _BinaryMethod = getattr(Tensor, "pow_")  # noqa: B009
_swish_: _BinaryMethod = getattr(Tensor, "swish_")  # noqa: B009


@method
def elu_(input: Tensor, alpha: Operand = 1.0) -> Tensor:
    """Do `elu` in place."""
    return _elu_(input, alpha)


@method
def leaky_relu_(input: Tensor, negative_slope: Operand = 0.01) -> Tensor:
    """Do `leaky_relu` in place."""
    return _leaky_relu_(input, negative_slope)


@method
def pow_(input: Tensor, exponent: Operand) -> Tensor:
    """Do `pow` in place."""
    return _pow_(input, exponent)


@method
def swish_(input: Tensor, beta: Operand = 1.0) -> Tensor:
    """Do `swish` in place."""
    return _swish_(input, beta)


# ---- overwriting -------------------------------------------------------------------------------------------------


@method
def copy_(self: Tensor, src: Tensor) -> Tensor:
    """Overwrite self with `src`, broadcast and converted to self's dtype; return self.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2, 2).copy_(pygrad.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return native.tensor_copy_(self, src)


@method
def fill_(self: Tensor, value: Operand) -> Tensor:
    """Overwrite every element of self with a number; return self.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    return native.tensor_fill_(self, value)


@method
def zero_(self: Tensor) -> Tensor:
    """Overwrite every element of self with 0; return self.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.ones(2).zero_()
    tensor([0., 0.])
    """
    return native.tensor_fill_(self, 0)


# ---- as functions ------------------------------------------------------------------------------------------------

abs_ = Tensor.abs_
acos_ = Tensor.acos_
arccos_ = Tensor.arccos_
arcsin_ = Tensor.arcsin_
arctan_ = Tensor.arctan_
asin_ = Tensor.asin_
atan_ = Tensor.atan_
ceil_ = Tensor.ceil_
clamp_ = Tensor.clamp_
clamp_max_ = Tensor.clamp_max_
clamp_min_ = Tensor.clamp_min_
clip_ = Tensor.clip_
cos_ = Tensor.cos_
cosh_ = Tensor.cosh_
erf_ = Tensor.erf_
erfc_ = Tensor.erfc_
exp_ = Tensor.exp_
exp2_ = Tensor.exp2_
expm1_ = Tensor.expm1_
fix_ = Tensor.fix_
floor_ = Tensor.floor_
hardtanh_ = Tensor.hardtanh_
index_put_ = Tensor.index_put_
log_ = Tensor.log_
log10_ = Tensor.log10_
log1p_ = Tensor.log1p_
log2_ = Tensor.log2_
nan_to_num_ = Tensor.nan_to_num_
neg_ = Tensor.neg_
negative_ = Tensor.negative_
reciprocal_ = Tensor.reciprocal_
relu_ = Tensor.relu_
round_ = Tensor.round_
rsqrt_ = Tensor.rsqrt_
selu_ = Tensor.selu_
sigmoid_ = Tensor.sigmoid_
sin_ = Tensor.sin_
sinh_ = Tensor.sinh_
sqrt_ = Tensor.sqrt_
square_ = Tensor.square_
tan_ = Tensor.tan_
tanh_ = Tensor.tanh_
trunc_ = Tensor.trunc_
