"""Derivatives of functions: products with Jacobians and Hessians, and these themselves.

The functions take and return tensors as `torch.autograd.functional` does: inputs are one tensor or a tuple of them, and
results have the same structure. Inputs need not require a gradient.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from .._engine import Tensor
from .backward import grad as _grad
from .modes import enable_grad

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vhp", "vjp"]

Function = Callable[..., Any]


def _as_tuple(what: str, x: Any) -> tuple[Tensor, ...]:
    items = (x,) if isinstance(x, Tensor) else tuple(x)
    for i, t in enumerate(items):
        if not isinstance(t, Tensor):
            raise TypeError(f"{what} have to be Tensors; number {i} is of type {type(t).__name__}")
    return items


def _leaves(inputs: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """Return the inputs as tensors to differentiate with respect to: with their history where a graph is wanted."""
    given = _as_tuple("inputs", inputs)
    if create_graph:
        return tuple(t.view(t.shape) if t.requires_grad else t.detach().requires_grad_() for t in given)
    return tuple(t.detach().requires_grad_() for t in given)


def _vector(name: str, v: Any, like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the vector of a product, ones for a single number when it is not given."""
    if v is None:
        if len(like) == 1 and like[0].numel() == 1:
            return (like[0].detach() * 0 + 1,)
        raise RuntimeError(f"{name}: the vector v can only be left out where there is a single number")
    vectors = _as_tuple("v", v)
    if len(vectors) != len(like):
        raise RuntimeError(f"{name}: v has {len(vectors)} tensors, {len(like)} are wanted")
    for a, b in zip(vectors, like, strict=True):
        if a.shape != b.shape:
            raise RuntimeError(f"{name}: v has the shape {list(a.shape)} where {list(b.shape)} is wanted")
    return vectors


def _zeros_for_none(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(t.detach() * 0 if g is None else g for g, t in zip(found, like, strict=True))


def _gradients(outputs: Any, leaves: Any, vectors: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """Return the derivatives, zeros where there is no dependence."""
    used = [(out, v) for out, v in zip(outputs, vectors, strict=True) if out.requires_grad]
    if not used:
        return _zeros_for_none([None] * len(leaves), leaves)
    roots, seeds = builtins.zip(*used, strict=True)
    found = _grad(roots, leaves, seeds, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return _zeros_for_none(found, leaves)


def _like(given: Any, results: tuple[Any, ...]) -> Any:
    return results[0] if isinstance(given, Tensor) else results


def _finished(x: Any, create_graph: bool) -> Any:
    if isinstance(x, Tensor):
        return x if create_graph else x.detach()
    return tuple(_finished(item, create_graph) for item in x)


@enable_grad()
def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return ``func(*inputs)`` and the product of a vector with its Jacobian, ``v^T J``: one backward pass.

    Parameters
    ----------
    func : callable
        From tensors to a tensor or a tuple of them.
    inputs : Tensor or tuple of Tensor
    v : Tensor or tuple of Tensor, optional
        Of the outputs' shapes; 1 where the output is one number.
    create_graph : bool
        Record the computation, so that the result can be differentiated.

    Raises
    ------
    RuntimeError
        When v does not go with the outputs.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0])
    >>> vjp(lambda x: x**2, x, pygrad.tensor([1.0, 10.0]))[1]
    tensor([ 2., 40.])
    """
    leaves = _leaves(inputs, create_graph)
    outputs = func(*leaves)
    outs = _as_tuple("outputs", outputs)
    found = _gradients(outs, leaves, _vector("vjp", v, outs), create_graph)
    return _finished(outputs, create_graph), _finished(_like(inputs, found), create_graph)


@enable_grad()
def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return ``func(*inputs)`` and the product of its Jacobian with a vector, ``J v``: the derivative in a direction.

    It is the derivative of ``w^T J``, which is linear in w, with respect to w: two backward passes.

    Parameters
    ----------
    func, inputs, create_graph
        As for `vjp`.
    v : Tensor or tuple of Tensor, optional
        Of the inputs' shapes; 1 where the input is one number.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0])
    >>> jvp(lambda x: x.sum() * x, x, pygrad.tensor([1.0, 0.0]))[1]
    tensor([4., 2.])
    """
    leaves = _leaves(inputs, create_graph)
    vectors = _vector("jvp", v, leaves)
    outputs = func(*leaves)
    outs = _as_tuple("outputs", outputs)
    dummies = tuple((t.detach() * 0).requires_grad_() for t in outs)
    products = _gradients(outs, leaves, dummies, True)
    found = _gradients(products, dummies, vectors, create_graph)
    return _finished(outputs, create_graph), _finished(_like(outputs, found), create_graph)


def _one_number(name: str, out: Any) -> Tensor:
    if not isinstance(out, Tensor) or out.numel() != 1:
        raise RuntimeError(f"{name}: the function has to return one Tensor of one element")
    return out


@enable_grad()
def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, one number, and the product of a vector with its Hessian, ``v^T H``."""
    leaves = _leaves(inputs, create_graph)
    vectors = _vector("vhp", v, leaves)
    out = _one_number("vhp", func(*leaves))
    first = _gradients((out,), leaves, (out.detach() * 0 + 1,), True)
    found = _gradients(first, leaves, vectors, create_graph)
    return _finished(out, create_graph), _finished(_like(inputs, found), create_graph)


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, one number, and the product of its Hessian with a vector, ``H v``.

    The Hessian is symmetric, so that this is `vhp`: one backward pass more than a gradient, however many inputs.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0])
    >>> hvp(lambda x: (x**3).sum(), x, pygrad.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    return vhp(func, inputs, v, create_graph)


def _rows(out: Tensor, leaves: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Return d out / d leaf for each leaf, of shape (out's, leaf's): a backward pass for each element of out."""
    from ..creation import zeros
    from ..shapes import stack

    flat = out.reshape(-1)
    rows = []
    for i in range(flat.numel()):
        seed = zeros(flat.shape, dtype=flat.dtype)
        seed[i] = 1
        rows.append(_gradients((flat,), leaves, (seed,), create_graph))
    return tuple(
        stack([row[k] for row in rows]).reshape(*out.shape, *leaf.shape)
        if rows
        else zeros((*out.shape, *leaf.shape), dtype=leaf.dtype)
        for k, leaf in enumerate(leaves)
    )


@enable_grad()
def jacobian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """Return the Jacobian of a function: of shape (output's, input's), row by row, a backward pass for each element.

    Returns
    -------
    Tensor, or tuples of them
        For several outputs a tuple, for several inputs a tuple in each place.

    Examples
    --------
    >>> import pygrad
    >>> jacobian(lambda x: x**2, pygrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    leaves = _leaves(inputs, create_graph)
    outputs = func(*leaves)
    blocks = tuple(_like(inputs, _rows(out, leaves, create_graph)) for out in _as_tuple("outputs", outputs))
    return _finished(_like(outputs, blocks), create_graph)


def hessian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """Return the Hessian of a function of one number: the Jacobian of its gradient, of shape (input's, input's).

    Examples
    --------
    >>> import pygrad
    >>> hessian(lambda x: (x**3).sum(), pygrad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*leaves: Tensor) -> Any:
        out = _one_number("hessian", func(*leaves))
        found = _gradients((out,), leaves, (out.detach() * 0 + 1,), True)
        return _like(inputs, found)

    return jacobian(gradient, inputs, create_graph)


def value_and_grad(func: Function, argnums: int | Sequence[int] = 0) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives the value of `func`, one number, and its gradient.

    Parameters
    ----------
    func : callable
        From tensors and other arguments to a tensor of one element.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to.

    Examples
    --------
    >>> import pygrad
    >>> value, gradient = value_and_grad(lambda w, x: (w * x).sum())(pygrad.tensor([1.0, 2.0]), 3.0)
    >>> value.item(), gradient.tolist()
    (9.0, [3.0, 3.0])
    """
    single = isinstance(argnums, int)
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)

    @enable_grad()
    def function(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        arguments = list(args)
        leaves = _leaves(tuple(args[i] for i in chosen), True)
        for i, leaf in zip(chosen, leaves, strict=True):
            arguments[i] = leaf
        out = _one_number("value_and_grad", func(*arguments, **kwargs))
        # Differentiable in turn where an argument has a history: grad of grad.
        nested = any(args[i].requires_grad for i in chosen)
        found = _gradients((out,), leaves, (out.detach() * 0 + 1,), nested)
        found = found if nested else _finished(found, False)
        return out if nested else out.detach(), found[0] if single else found

    return function


def grad(func: Function, argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return a function that gives the gradient of `func`; of it, again `grad` may be taken.

    Parameters
    ----------
    func, argnums
        As for `value_and_grad`.

    Examples
    --------
    >>> import pygrad
    >>> cube = lambda x: x**3
    >>> x = pygrad.tensor(2.0)
    >>> grad(cube)(x), grad(grad(cube))(x)
    (tensor(12.), tensor(12.))
    """
    both = value_and_grad(func, argnums)

    def function(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return function
