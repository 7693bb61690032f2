"""Products, spreads and norms of tensors, and their running sums and products.

`dim` and `keepdim` mean what they mean in `pygrad.reductions`, and so do `axis` and `keepdims`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Unpack, overload

from ._engine import Tensor, native
from ._method import method
from ._types import DType
from .reductions import Dims, _from_numpy, _NumpyNames

__all__ = ["cumprod", "cumsum", "norm", "prod", "std", "std_mean", "var", "var_mean"]


# ---- products and running totals ---------------------------------------------------------------------------------


@method
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType = None, **names: Unpack[_NumpyNames]
) -> Tensor:
    """Return the product along a dimension, or of everything; 1 where there are no elements.

    The gradient of an element is the product of the others, also where some are 0. float32 is accumulated in float64.

    Parameters
    ----------
    input
        Of any shape and dtype.
    dim
        One dimension.
    keepdim
        See `pygrad.reductions`.
    dtype
        To convert to before. Otherwise integers and bools are multiplied in int64.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad.tolist()
    [0.0, 6.0, 0.0]
    """
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if dtype is not None:
        input = input.to(dtype)
    return native.tensor_prod(input, dim, keepdim)


@method
def cumsum(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """Return the running sums ``y_i = x_0 + ... + x_i`` along a dimension.

    Parameters
    ----------
    input
        Of any shape and dtype.
    dim
        One dimension.
    dtype
        To convert to before. Otherwise integers and bools are summed in int64.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1, 2, 3]).cumsum(0).tolist()
    [1, 3, 6]
    """
    return native.tensor_cumsum(input if dtype is None else input.to(dtype), dim)


@method
def cumprod(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """Return the running products ``y_i = x_0 * ... * x_i`` along a dimension.

    The gradient divides by nothing, and is exact where elements are 0: with ``s_j = g_j + x_{j+1} s_{j+1}`` it is
    ``x_0 * ... * x_{j-1} * s_j``.

    Parameters
    ----------
    input, dim, dtype
        See `cumsum`.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1, 2, 3]).cumprod(0).tolist()
    [1, 2, 6]
    """
    return native.tensor_cumprod(input if dtype is None else input.to(dtype), dim)


# ---- spreads -----------------------------------------------------------------------------------------------------


def _spread_arguments(
    dim: Any, unbiased: bool | None, correction: float | None, keepdim: bool, names: _NumpyNames
) -> tuple[Any, float, bool]:
    if names:
        dim, keepdim = _from_numpy(dim, keepdim, names)
    if isinstance(dim, bool):  # var(False)
        if unbiased is not None:
            raise TypeError("unbiased is given twice: a bool in the place of dim is unbiased")
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("unbiased and correction exclude each other")
    if correction is None:
        correction = 0 if unbiased is False else 1
    return dim, correction, keepdim


def _warn_without_freedom(name: str, input: Tensor, out: Tensor, correction: float) -> Tensor:
    if out.numel() > 0 and input.numel() <= correction * out.numel():
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0: {input.numel() // out.numel()} elements for each result, and a "
            f"correction of {correction}",
            UserWarning,
            stacklevel=3,
        )
    return out


@overload
def var(input: Tensor, dim: bool) -> Tensor: ...
@overload
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> Tensor: ...
@method
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> Tensor:
    """Return the variance ``sum((x - mean)**2) / (n - correction)`` over dimensions, or of everything.

    The gradient is ``2 (x - mean) / (n - correction)``.

    Parameters
    ----------
    input
        Floats of any shape.
    dim, keepdim
        See `pygrad.reductions`. A bool in the place of `dim` is `unbiased`.
    unbiased
        False is a correction of 0, True one of 1.
    correction
        1 unless given: the estimate of the variance of what x is a sample of. 0 is the variance of x itself.

    Returns
    -------
    Tensor
        With a UserWarning, nan for one element and inf for several where n - correction is not positive.

    Raises
    ------
    RuntimeError
        When the elements are not floats.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0, 6.0])
    >>> x.var().item(), x.var(correction=1).item(), x.var(unbiased=False, keepdim=True).shape
    (7.0, 7.0, (1,))
    """
    dim, correction, keepdim = _spread_arguments(dim, unbiased, correction, keepdim, names)
    return _warn_without_freedom("var", input, native.tensor_var(input, dim, correction, keepdim), correction)


@overload
def std(input: Tensor, dim: bool) -> Tensor: ...
@overload
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> Tensor: ...
@method
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> Tensor:
    """Return the standard deviation, the square root of `var`, whose arguments it takes.

    The gradient is ``(x - mean) / (y (n - correction))``, and 0 where all elements are the same.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.tensor([1.0, 3.0, 5.0]).std().item()
    2.0
    """
    dim, correction, keepdim = _spread_arguments(dim, unbiased, correction, keepdim, names)
    return _warn_without_freedom("std", input, native.tensor_std(input, dim, correction, keepdim), correction)


def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> tuple[Tensor, Tensor]:
    """Return `var` and the mean.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.var_mean(pygrad.tensor([1.0, 3.0, 5.0]))
    (tensor(4.), tensor(3.))
    """
    dim, correction, keepdim = _spread_arguments(dim, unbiased, correction, keepdim, names)
    spread = _warn_without_freedom("var_mean", input, native.tensor_var(input, dim, correction, keepdim), correction)
    return spread, native.tensor_mean(input, dim, keepdim)


def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    **names: Unpack[_NumpyNames],
) -> tuple[Tensor, Tensor]:
    """Return `std` and the mean.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.std_mean(pygrad.tensor([1.0, 3.0, 5.0]))
    (tensor(2.), tensor(3.))
    """
    dim, correction, keepdim = _spread_arguments(dim, unbiased, correction, keepdim, names)
    spread = _warn_without_freedom("std_mean", input, native.tensor_std(input, dim, correction, keepdim), correction)
    return spread, native.tensor_mean(input, dim, keepdim)


# ---- norms -------------------------------------------------------------------------------------------------------


@method
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DType = None,
) -> Tensor:
    """Return the norm ``sum(abs(x)**p)**(1 / p)`` of the elements over dimensions, or of all.

    For p of 0 it is the number of elements other than 0, for inf and -inf the largest and the smallest magnitude. Where
    the norm is 0 its gradient is 0 too; where several magnitudes are the largest they share it.

    Parameters
    ----------
    input
        Floats of any shape.
    p
        The order, a number; ``"fro"`` and None are 2.
    dim, keepdim
        See `pygrad.reductions`.
    dtype
        To convert to before.

    Raises
    ------
    RuntimeError
        When the elements are not floats, or there are none of which one is wanted.
    ValueError
        When p is another text.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([3.0, -4.0])
    >>> x.norm().item(), x.norm(1).item(), x.norm(float("inf")).item()
    (5.0, 7.0, 4.0)
    """
    if isinstance(p, str):
        if p not in ("fro", "inf", "-inf"):
            raise ValueError(f"norm: p is a number or 'fro', not {p!r}")
        p = 2.0 if p == "fro" else math.inf if p == "inf" else -math.inf
    if dtype is not None:
        input = input.to(dtype)
    return native.tensor_norm(input, 2.0 if p is None else p, dim, keepdim)
