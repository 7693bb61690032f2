"""Normalisation, and dropout: each computed in one pass forward and one backward, sums in float64."""

from __future__ import annotations

from ._engine import Tensor, native
from ._types import Sizes
from .random import address_of

__all__ = ["batch_norm", "dropout", "layer_norm", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sizes,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Return ``(x - mean(x)) / sqrt(var(x) + eps) * weight + bias``, mean and variance over the last dimensions.

    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016. The variance divides by the number of
    elements n. With ``z = (x - mean) / sqrt(var + eps)`` and ``h = g * weight`` the gradient is
    ``(h - mean(h) - z * mean(h * z)) / sqrt(var + eps)``.

    Parameters
    ----------
    input
        Of shape (*, *normalized_shape).
    normalized_shape
        The sizes of the dimensions that are normalised together.
    weight, bias
        Of that shape and the input's dtype; both get gradients.
    eps
        What keeps the root from 0.

    Raises
    ------
    ShapeError
        When the shapes do not fit.
    DTypeError
        When the input is not of floats.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.layer_norm(pygrad.tensor([[1.0, 3.0], [-2.0, 2.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    return native.tensor_layer_norm(input, weight, bias, normalized_shape, eps)


def rms_norm(input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Return ``x / sqrt(mean(x**2) + eps) * weight``, the mean over the last dimensions.

    B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019. Parameters and errors are those of
    `layer_norm`; `eps` None is the distance from 1 to the next number of the dtype.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.rms_norm(pygrad.tensor([[1.0, 1.0], [-3.0, 3.0]]), (2,))
    tensor([[ 1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    return native.tensor_rms_norm(input, weight, normalized_shape, eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Return ``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel.

    S. Ioffe and C. Szegedy, "Batch normalization", 2015. In training mean and variance are those of the batch, the
    variance dividing by the number n of elements; and the running ones, where they are given, become
    ``(1 - momentum) * running + momentum * new``, the new variance dividing by n - 1. Otherwise the running ones are
    used, and are constants to the gradient.

    Parameters
    ----------
    input
        Of shape (N, C, *).
    running_mean, running_var
        Of shape (C,), changed in place in training; both may be None then.
    weight, bias
        Of shape (C,); both get gradients.
    training
        Whether the statistics are those of the batch.
    momentum
        How much of the new statistics is taken over.
    eps
        What keeps the root from 0.

    Raises
    ------
    ValueError
        In training, when a channel has a single element; when one of `running_mean` and `running_var` is missing.
    IndexError
        When the input has less than two dimensions.
    ShapeError
        When the shapes do not fit.
    DTypeError
        When the input is not of floats.
    RuntimeError
        When the dtypes differ, a running statistic requires a gradient, or both are missing outside training.

    Examples
    --------
    >>> import pygrad
    >>> mean, var = pygrad.zeros(1), pygrad.ones(1)
    >>> pygrad.batch_norm(pygrad.tensor([[1.0], [3.0]]), mean, var, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    >>> mean, var
    (tensor([0.2000]), tensor([1.1000]))
    """
    return native.tensor_batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input with each element 0 with probability `p`, else divided by ``1 - p``; itself outside training.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014. The choice comes
    from the default generator, which `manual_seed` starts.

    Parameters
    ----------
    input
        Of any shape.
    p
        From 0, where the input itself is returned, to 1, where everything is 0.
    training
        Whether anything is done.
    inplace
        Whether the input itself is changed.

    Raises
    ------
    ValueError
        When `p` is not between 0 and 1.
    RuntimeError
        When the input is not of floats.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.ones(4)
    >>> pygrad.dropout(x, 0.5, training=False) is x
    True
    >>> set(pygrad.dropout(pygrad.ones(100), 0.5).tolist()) == {0.0, 2.0}
    True
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: the probability has to be between 0 and 1, not {p!r}")
    if p == 0.0 or not training:
        return input
    if inplace:
        return native.tensor_in_place("dropout_", dropout, input, p)
    return native.tensor_dropout(input, p, address_of(None))
