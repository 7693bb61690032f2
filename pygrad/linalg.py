"""Products of matrices."""

from __future__ import annotations

from . import dtypes
from ._engine import DTypeError, ShapeError, Tensor, native
from ._method import method

__all__ = ["addmm", "baddbmm", "bmm", "dot", "linear", "matmul", "mm", "mv", "outer"]


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


def _check(op: str, dims: int, **operands: Tensor) -> None:
    """Require tensors of so many dimensions.

    Raises
    ------
    ShapeError
        When one has others.
    DTypeError
        When one has bools.
    """
    for name, x in operands.items():
        if not isinstance(x, Tensor):
            raise TypeError(f"{op}: {name} has to be a Tensor, not {x!r} of type {type(x).__name__}")
        if x.ndim != dims:
            raise ShapeError(f"{op}: {name} must have {dims} dimensions, not the shape {list(x.shape)}")
        if x.dtype is dtypes.bool:
            raise DTypeError(f"{op}: not defined for bool tensors")


def _check_batches(op: str, a: Tensor, b: Tensor) -> None:
    """Require stacks of as many matrices, of shapes that can be multiplied."""
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ShapeError(f"{op}: expected shapes (b, m, k) and (b, k, n), but got {list(a.shape)} and {list(b.shape)}")


@method
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices, as `matmul`.

    Parameters
    ----------
    input : Tensor of shape (m, k)
    mat2 : Tensor of shape (k, n)

    Raises
    ------
    ShapeError
        When they are no matrices, or the inner sizes differ.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.mm(pygrad.ones(1, 2), pygrad.tensor([[1.0], [2.0]]))
    tensor([[3.]])
    """
    _check("mm", 2, input=input, mat2=mat2)
    return native.tensor_matmul(input, mat2)


@method
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two stacks of as many matrices, as `matmul`.

    Parameters
    ----------
    input : Tensor of shape (b, m, k)
    mat2 : Tensor of shape (b, k, n)

    Raises
    ------
    ShapeError
        When the shapes are others; nothing is broadcast.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.bmm(pygrad.ones(4, 1, 2), pygrad.ones(4, 2, 3)).shape
    (4, 1, 3)
    """
    _check("bmm", 3, input=input, mat2=mat2)
    _check_batches("bmm", input, mat2)
    return native.tensor_matmul(input, mat2)


@method
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix (m, k) with a vector (k,), as `matmul`.

    Raises
    ------
    ShapeError
        When the shapes are others.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.mv(pygrad.tensor([[1.0, 2.0], [3.0, 4.0]]), pygrad.ones(2))
    tensor([3., 7.])
    """
    _check("mv", 2, input=input)
    _check("mv", 1, vec=vec)
    return native.tensor_matmul(input, vec)


@method
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return the sum of the products of the elements of two vectors of one size.

    Raises
    ------
    ShapeError
        When they are no vectors, or differ in size.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.dot(pygrad.tensor([1.0, 2.0]), pygrad.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _check("dot", 1, input=input, tensor=tensor)
    return native.tensor_matmul(input, tensor)


@method
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the matrix ``input[i] * vec2[j]`` of two vectors (m,) and (n,), whose dtypes may differ.

    Raises
    ------
    ShapeError
        When they are no vectors.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.outer(pygrad.tensor([1, 2]), pygrad.tensor([3, 4, 5])).tolist()
    [[3, 4, 5], [6, 8, 10]]
    """
    for name, x in (("input", input), ("vec2", vec2)):
        if not isinstance(x, Tensor):
            raise TypeError(f"outer: {name} has to be a Tensor, not {x!r} of type {type(x).__name__}")
        if x.ndim != 1:
            raise ShapeError(f"outer: expected the 1-D argument {name}, but got one of shape {list(x.shape)}")
    return native.tensor_unsqueeze(input, 1) * vec2


def _scaled(op: str, name: str, x: Tensor, factor: float, hides: bool) -> Tensor:
    """Return factor * x; a factor of 0 hides nan and inf where asked to."""
    if isinstance(factor, float) and not x.dtype.is_floating_point:
        raise RuntimeError(f"{op}: for integral tensors {name} must not be a floating point number, but is {factor!r}")
    if factor == 0 and hides:
        nowhere = native.tensor_zeros((), dtypes.bool)
        return native.tensor_where(nowhere, x, 0)
    return x if factor == 1 else x * factor


def _added(op: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: input has to be a Tensor, not {input!r} of type {type(input).__name__}")
    if input.dtype is not product.dtype:
        raise RuntimeError(f"{op}: input and the product must have the same dtype, not {input.dtype}, {product.dtype}")
    shape = product.shape
    try:
        input = native.tensor_expand(input, shape)
    except ShapeError as error:
        raise ShapeError(
            f"{op}: an input of shape {list(input.shape)} does not broadcast to that of the product, {list(shape)}"
        ) from error
    return _scaled(op, "beta", input, beta, True) + _scaled(op, "alpha", product, alpha, op == "addmm")


@method
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * (mat1 @ mat2)``.

    Parameters
    ----------
    input
        Of a shape that broadcasts to (m, n). With a `beta` of 0 its nan and inf do not count, nor with an `alpha` of 0
        those of the product.
    mat1 : Tensor of shape (m, k)
    mat2 : Tensor of shape (k, n)
    beta, alpha
        Integers for tensors of integers.

    Raises
    ------
    ShapeError
        When the shapes do not go together.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.addmm(pygrad.ones(2), pygrad.ones(1, 3), pygrad.ones(3, 2), alpha=0.5)
    tensor([[2.5000, 2.5000]])
    """
    _check("addmm", 2, mat1=mat1, mat2=mat2)
    return _added("addmm", input, native.tensor_matmul(mat1, mat2), beta, alpha)


@method
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * (batch1 @ batch2)`` of stacks of as many matrices.

    Parameters
    ----------
    input
        Of a shape that broadcasts to (b, m, n). With a `beta` of 0 its nan and inf do not count.
    batch1 : Tensor of shape (b, m, k)
    batch2 : Tensor of shape (b, k, n)
    beta, alpha
        Integers for tensors of integers.

    Raises
    ------
    ShapeError
        When the shapes do not go together.
    RuntimeError
        When the dtypes differ.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.baddbmm(pygrad.zeros(2), pygrad.ones(4, 1, 3), pygrad.ones(4, 3, 2)).shape
    (4, 1, 2)
    """
    _check("baddbmm", 3, batch1=batch1, batch2=batch2)
    _check_batches("baddbmm", batch1, batch2)
    return _added("baddbmm", input, native.tensor_matmul(batch1, batch2), beta, alpha)
