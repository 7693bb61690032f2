"""The linear layer."""

from __future__ import annotations

import math

from .._engine import Tensor
from .._types import DType
from ..linalg import linear
from ..sampling import rand
from .module import Module
from .parameter import Parameter

__all__ = ["Identity", "Linear"]


class Linear(Module):
    """``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        The last axis of x and of y.
    bias : bool
        Whether there is one.
    dtype : dtype, optional
        Of the parameters; float32 by default.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None
        Both start uniform on [-1/sqrt(in_features), 1/sqrt(in_features)), as in PyTorch, drawn from the stream that
        `pygrad.manual_seed` governs.

    Raises
    ------
    ValueError
        When a size is less than 1.

    Examples
    --------
    >>> import pygrad
    >>> layer = Linear(3, 2)
    >>> tuple(layer(pygrad.zeros(5, 3)).shape)
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: DType = None) -> None:
        if in_features < 1 or out_features < 1:
            raise ValueError(f"a linear layer needs sizes of at least 1, not {in_features} and {out_features}")
        bound = 1.0 / math.sqrt(in_features)

        def uniform(*shape: int) -> Parameter:
            return Parameter((rand(*shape, dtype=dtype) * 2.0 - 1.0) * bound)

        self._set(uniform(out_features, in_features), uniform(out_features) if bias else None)

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None = None) -> Linear:
        """Return a layer with given weights, drawing nothing.

        Parameters
        ----------
        weight : Tensor, shape (out_features, in_features)
            Shares its memory with the layer's, as does the bias.
        bias : Tensor, shape (out_features,), optional

        Raises
        ------
        ValueError
            When the shapes do not fit.

        Examples
        --------
        >>> import pygrad
        >>> layer = Linear.of(pygrad.tensor([[1.0, 2.0]]), pygrad.tensor([0.5]))
        >>> layer(pygrad.tensor([3.0, 4.0])).tolist()
        [11.5]
        """
        shape = tuple(weight.shape)
        if len(shape) != 2 or (bias is not None and tuple(bias.shape) != shape[:1]):
            told = None if bias is None else tuple(bias.shape)
            raise ValueError(f"linear: weight has to be (out, in) and bias (out,), not {shape} and {told}")
        layer = cls.__new__(cls)
        layer._set(Parameter(weight), None if bias is None else Parameter(bias))
        return layer

    def _set(self, weight: Parameter, bias: Parameter | None) -> None:
        self.out_features, self.in_features = (int(n) for n in weight.shape)
        self.weight = weight
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, shape (..., out_features), for x of shape (..., in_features)."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes, as PyTorch does."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """``y = x``, whatever it is constructed with: what stands where nothing shall happen.

    Examples
    --------
    >>> import pygrad
    >>> Identity()(pygrad.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        """Return x."""
        return x
