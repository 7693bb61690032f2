"""Second derivatives compared with central differences of the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._engine import Tensor
from .autograd import grad
from .check import GradcheckReport, gradcheck

__all__ = ["gradgradcheck"]


def gradgradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-5,
    raise_exception: bool = True,
    seed: int = 0,
) -> GradcheckReport:
    """Compare the second derivatives of a function of tensors with central differences of the first ones.

    What `gradcheck` checks is the gradient of `fn`, a function of the inputs and of the weights of the outputs.

    Parameters
    ----------
    fn : callable
        Called as ``fn(*inputs)``; returns a tensor, or several.
    inputs : Tensor, or sequence of Tensor and other things
        Every tensor of it that requires a gradient is checked.
    eps, raise_exception, seed
        As for `gradcheck`; `seed` is for the weights of the outputs too.

    Returns
    -------
    GradcheckReport
        With a line for each input, and one for the weights of each output.

    Raises
    ------
    GradcheckError, TypeError, ValueError
        As for `gradcheck`.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> bool(pygrad.gradgradcheck(lambda x: (x**3).tanh(), x))
    True
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    chosen = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
    if not chosen:
        raise TypeError("gradgradcheck: no input is a Tensor that requires a gradient")
    outputs = _tensors(fn(*given))
    rng = np.random.default_rng(seed)
    weights = []
    for out in outputs:
        weight = out.detach().clone()
        weight.copy_(type(weight)(rng.standard_normal(tuple(out.shape)), dtype="float64"))
        weights.append(weight.requires_grad_())

    def first(*arguments: Any) -> tuple[Any, ...]:
        args, seeds = arguments[: len(given)], list(arguments[len(given) :])
        leaves = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
        found = grad(_tensors(fn(*args)), leaves, seeds, create_graph=True, allow_unused=True)
        return tuple(x * 0 if g is None else g for g, x in zip(found, leaves, strict=True))

    return gradcheck(first, (*given, *weights), eps=eps, raise_exception=raise_exception, seed=seed)


def _tensors(result: Any) -> list[Tensor]:
    results = [result] if isinstance(result, Tensor) else list(result)
    return [y for y in results if y.requires_grad]
