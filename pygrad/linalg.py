"""Products of matrices."""

from __future__ import annotations

from ._engine import Tensor, native
from ._method import method

__all__ = ["linear", "matmul"]


@method
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product ``input @ other``.

    ``C = A B`` has the gradients ``dA = dC B^T`` and ``dB = A^T dC``.

    Parameters
    ----------
    input, other : Tensor
        ``(m, k)`` and ``(k, n)``; vectors ``(k,)`` on either side; or stacks ``(..., m, k)`` and ``(..., k, n)``, whose
        outer dimensions broadcast. Both of one dtype.

    Raises
    ------
    ShapeError
        When the inner sizes differ, the outer ones do not broadcast, or one has no dimensions.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> a = pygrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> pygrad.matmul(a, pygrad.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return native.tensor_matmul(input, other)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias`` as one operation.

    Parameters
    ----------
    input : Tensor of shape (..., in)
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,), optional

    Returns
    -------
    Tensor of shape (..., out)

    Raises
    ------
    ShapeError
        When the shapes do not go together.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.linear(pygrad.ones(1, 2), pygrad.tensor([[1.0, 2.0], [3.0, 4.0]]), pygrad.ones(2))
    tensor([[4., 8.]])
    """
    return native.tensor_linear(input, weight, bias)
