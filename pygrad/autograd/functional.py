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


def _gradients(outputs: Any, leaves: Any, vectors: Any, create_graph: bool) -> tuple[Tensor | None, ...]:
    """Return the derivatives, None where there is no dependence."""
    used = [(out, v) for out, v in zip(outputs, vectors, strict=True) if out is not None and out.requires_grad]
    if not used:
        return (None,) * len(leaves)
    roots, seeds = builtins.zip(*used, strict=True)
    return _grad(roots, leaves, seeds, create_graph=create_graph, retain_graph=True, allow_unused=True)


def _depend(what: str, found: Sequence[Tensor | None], constant: bool = False) -> None:
    """Refuse, for `strict`, what is missing, and what is constant unless that is allowed."""
    for i, t in enumerate(found):
        if t is None:
            raise RuntimeError(f"{what} {i} is 0, whatever the inputs are, which strict=True refuses")
        if not constant and not t.requires_grad:
            raise RuntimeError(f"{what} {i} is constant, which strict=True refuses")


def _zeros_for_none(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(t.detach() * 0 if g is None else g for g, t in zip(found, like, strict=True))


def _like(given: Any, results: tuple[Any, ...]) -> Any:
    return results[0] if isinstance(given, Tensor) else results


def _finished(x: Any, create_graph: bool) -> Any:
    if isinstance(x, Tensor):
        return x if create_graph else x.detach()
    return tuple(_finished(item, create_graph) for item in x)


@enable_grad()
def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
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
    strict : bool
        Refuse a function that does not depend on all its inputs, instead of zeros; with `create_graph`, one whose
        derivative is constant too.

    Raises
    ------
    RuntimeError
        When v does not go with the outputs, and as `strict` says.

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
    if strict:
        _depend("vjp: output", outs)
        _depend("vjp: the derivative with respect to input", found, constant=not create_graph)
    product = _like(inputs, _zeros_for_none(found, leaves))
    return _finished(outputs, create_graph), _finished(product, create_graph)


def _transposed(outs: Sequence[Tensor], leaves: Any) -> tuple[tuple[Tensor, ...], tuple[Tensor | None, ...]]:
    """Return w and ``w^T J``, recorded: linear in w, so that w may be 0, and its gradient along v is ``J v``."""
    w = tuple((t.detach() * 0).requires_grad_() for t in outs)
    return w, _gradients(outs, leaves, w, True)


@enable_grad()
def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)`` and the product of its Jacobian with a vector, ``J v``: the derivative in a direction.

    It is the derivative of ``w^T J``, which is linear in w, with respect to w: two backward passes.

    Parameters
    ----------
    func, inputs, create_graph, strict
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
    w, products = _transposed(outs, leaves)
    found = _gradients(products, w, vectors, create_graph)
    if strict:
        _depend("jvp: output", outs)
        _depend("jvp: the derivative with respect to input", products)
        _depend("jvp: the derivative of output", found, constant=not create_graph)
    product = _like(outputs, _zeros_for_none(found, outs))
    return _finished(outputs, create_graph), _finished(product, create_graph)


def _one_number(name: str, out: Any) -> Tensor:
    if not isinstance(out, Tensor) or out.numel() != 1:
        raise RuntimeError(f"{name}: the function has to return one Tensor of one element")
    return out


def _gradient(name: str, func: Function, leaves: Sequence[Tensor], strict: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return ``func(*leaves)``, one number, and its gradient, recorded."""
    out = _one_number(name, func(*leaves))
    found = _gradients((out,), leaves, (out.detach() * 0 + 1,), True)
    if strict:
        _depend(f"{name}: output", (out,))
        _depend(f"{name}: the derivative with respect to input", found)
    return out, _zeros_for_none(found, leaves)


@enable_grad()
def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, one number, and the product of a vector with its Hessian, ``v^T H``.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As for `vjp`; `strict` refuses a gradient that is constant too.
    v : Tensor or tuple of Tensor, optional
        Of the inputs' shapes; 1 where the input is one number.
    """
    leaves = _leaves(inputs, create_graph)
    vectors = _vector("vhp", v, leaves)
    out, first = _gradient("vhp", func, leaves, strict)
    found = _gradients(first, leaves, vectors, create_graph)
    if strict:
        _depend("vhp: the second derivative with respect to input", found, constant=not create_graph)
    product = _like(inputs, _zeros_for_none(found, leaves))
    return _finished(out, create_graph), _finished(product, create_graph)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, one number, and the product of its Hessian with a vector, ``H v``.

    The Hessian is symmetric, so that this is `vhp`: one backward pass more than a gradient, however many inputs.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0])
    >>> hvp(lambda x: (x**3).sum(), x, pygrad.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    return vhp(func, inputs, v, create_graph, strict)


def _rows(what: str, out: Tensor, leaves: Sequence[Tensor], create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    """Return d out / d leaf for each leaf, of shape (out's, leaf's): a backward pass for each element of out."""
    from ..creation import zeros
    from ..shapes import stack

    flat = out.reshape(-1)
    rows = []
    for i in range(flat.numel()):
        seed = zeros(flat.shape, dtype=flat.dtype)
        seed[i] = 1
        found = _gradients((flat,), leaves, (seed,), create_graph)
        if strict:
            _depend(what, found, constant=not create_graph)
        rows.append(_zeros_for_none(found, leaves))
    return tuple(
        stack([row[k] for row in rows]).reshape((*out.shape, *leaf.shape))
        if rows
        else zeros((*out.shape, *leaf.shape), dtype=leaf.dtype)
        for k, leaf in enumerate(leaves)
    )


def _by_rows(outs: Sequence[Tensor], leaves: Sequence[Tensor], create_graph: bool, strict: bool) -> Any:
    """Return the blocks of the Jacobian, for each output one for each input."""
    return [
        _rows(f"jacobian: the derivative of output {i} with respect to input", out, leaves, create_graph, strict)
        for i, out in enumerate(outs)
    ]


def _by_columns(outs: Sequence[Tensor], leaves: Sequence[Tensor], create_graph: bool, strict: bool) -> Any:
    """Return the same blocks: the columns of J are the rows of the derivative of ``w^T J`` with respect to w."""
    w, products = _transposed(outs, leaves)
    if strict:
        _depend("jacobian: the derivative with respect to input", products)
    blocks = [
        _rows(f"jacobian: the derivative with respect to input {k} of output", product, w, create_graph, strict)
        for k, product in enumerate(_zeros_for_none(products, leaves))
    ]

    def turned(block: Tensor, leaf: Tensor) -> Tensor:
        """Put the input's dimensions behind the output's."""
        n = leaf.dim()
        return block.permute((*range(n, block.dim()), *range(n)))

    return [tuple(turned(blocks[k][i], leaf) for k, leaf in enumerate(leaves)) for i in range(len(outs))]


_STRATEGIES = {"reverse-mode": _by_rows, "forward-mode": _by_columns}


@enable_grad()
def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of a function, of shape (output's, input's).

    Parameters
    ----------
    func, inputs, create_graph, strict
        As for `vjp`; `strict` looks at each output by itself.
    vectorize : bool
        Changes nothing, and is there for PyTorch's sake: a pass computes one row or column.
    strategy : {'reverse-mode', 'forward-mode'}
        By rows, a backward pass for each element of the outputs; or by columns, a pass for each element of the inputs
        through the recorded gradient, which costs two passes more to build. The cheaper one has fewer passes.

    Returns
    -------
    Tensor, or tuples of them
        For several outputs a tuple, for several inputs a tuple in each place. Of the inputs' dtype by rows, of the
        outputs' by columns.

    Raises
    ------
    ValueError
        For another strategy.
    RuntimeError
        As `strict` says.

    Examples
    --------
    >>> import pygrad
    >>> jacobian(lambda x: x**2, pygrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    >>> jacobian(lambda t: pygrad.stack([t, t**2, t**3]), pygrad.tensor(2.0), strategy="forward-mode")
    tensor([ 1.,  4., 12.])
    """
    if strategy not in _STRATEGIES:
        raise ValueError(f"jacobian: the strategy has to be 'reverse-mode' or 'forward-mode', not {strategy!r}")
    leaves = _leaves(inputs, create_graph)
    outputs = func(*leaves)
    outs = _as_tuple("outputs", outputs)
    if strict:
        _depend("jacobian: output", outs)
    blocks = _STRATEGIES[strategy](outs, leaves, create_graph, strict)
    return _finished(_like(outputs, tuple(_like(inputs, block) for block in blocks)), create_graph)


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of a function of one number: the Jacobian of its gradient, of shape (input's, input's).

    Parameters
    ----------
    func, inputs, create_graph, strict, vectorize
        As for `jacobian`; `strict` refuses a gradient that is constant too.
    outer_jacobian_strategy : {'reverse-mode', 'forward-mode'}
        How the Jacobian of the gradient is computed. There are as many rows as columns, and a row is the cheaper.

    Examples
    --------
    >>> import pygrad
    >>> hessian(lambda x: (x**3).sum(), pygrad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*leaves: Tensor) -> Any:
        return _like(inputs, _gradient("hessian", func, leaves, strict)[1])

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


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
        found = _zeros_for_none(_gradients((out,), leaves, (out.detach() * 0 + 1,), nested), leaves)
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
