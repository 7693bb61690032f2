"""Backward, and gradients of chosen inputs."""

from __future__ import annotations

from collections.abc import Sequence

from .._engine import Node, Tensor, native
from .._method import method
from .modes import no_grad

__all__ = ["Node", "backward", "grad"]

_RETAIN_GRAPH, _CREATE_GRAPH = 1, 2


def _how(retain_graph: bool | None, create_graph: bool) -> int:
    """Return how the engine is to walk: a graph of gradients needs the one they come from, unless told otherwise."""
    retains = create_graph if retain_graph is None else retain_graph
    return (_RETAIN_GRAPH if retains else 0) | (_CREATE_GRAPH if create_graph else 0)


@method
def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivative of this tensor with respect to every leaf it depends on to the `grad` of that leaf.

    Parameters
    ----------
    gradient : Tensor of self's shape, optional
        What dL/dself is; 1 for a tensor of one element.
    retain_graph : bool, optional
        Keep what the graph has saved, for another call; by default where `create_graph` is set.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated in turn.
    inputs : Tensor or sequence of Tensor, optional
        Add to the gradients of these alone.

    Raises
    ------
    RuntimeError
        When nothing was recorded, `gradient` is missing for a tensor of more than one element, the graph was freed by
        an earlier call, or something that backward needs was changed in place.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    how = _how(retain_graph, create_graph)
    if inputs is None:
        native.tensor_backward(self, gradient, how)
        return
    chosen = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not chosen:
        raise RuntimeError("backward: inputs cannot be empty")
    for t, g in zip(chosen, native.tensor_gradients([self], [gradient], chosen, how), strict=True):
        if g is None:
            continue
        if not t.is_leaf:
            t.retain_grad()
        if create_graph:
            t.grad = g.clone() if t.grad is None else t.grad + g
            continue
        with no_grad():
            t.grad = g.clone() if t.grad is None else t.grad.add_(g)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
) -> tuple[Tensor | None, ...]:
    """Return the derivatives of the outputs with respect to the inputs; no tensor's `grad` changes.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
        The derivatives are summed over the outputs.
    grad_outputs : Tensor, or sequence of Tensor and None, optional
        dL/doutput of each output; None for 1, where an output has one element.
    retain_graph : bool, optional
        Keep what the graph has saved, for another call; by default where `create_graph` is set.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated in turn.
    allow_unused : bool, optional
        Return None for an input that no output depends on, instead of an error.

    Raises
    ------
    RuntimeError
        As for `backward`, and when an input was not used.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor(3.0, requires_grad=True)
    >>> pygrad.autograd.grad(x**2, x)
    (tensor(6.),)
    """
    how = _how(retain_graph, create_graph)
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    leaves = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    seeds: list[Tensor | None]
    if grad_outputs is None:
        seeds = [None] * len(roots)
    else:
        seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    if len(seeds) != len(roots):
        raise RuntimeError(f"grad: there are {len(roots)} outputs and {len(seeds)} grad_outputs")
    found: list[Tensor | None] = native.tensor_gradients(roots, seeds, leaves, how)
    for i, g in enumerate(found):
        if g is None and not allow_unused:
            raise RuntimeError(
                f"grad: the differentiated tensor at index {i} appears to not have been used in the graph: "
                "set allow_unused=True if that is wanted"
            )
    return tuple(found)
