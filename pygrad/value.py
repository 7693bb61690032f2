"""`Value`: a number that remembers how it was computed.

The type itself is C (csrc/python): its operators, `data`, `grad`, `backward()`. Here it gets what is better said in
Python. `value.pyi` has the types of both halves.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

from ._engine import Value

__all__ = ["Value"]

Value.__doc__ = """A number that remembers how it was computed, so that it can be differentiated.

Arithmetic on values builds a graph; `backward()` on a result fills the `grad` of everything it was computed from. The
interface is micrograd's. Numbers of Python and numpy mix freely with values, on either side.

Parameters
----------
data : float
    The number, a float64. Numbers of Python and numpy are accepted.
children : iterable of Value, optional
    For an op of the user's: the values that `data` was computed from. Also by the names `_children` and `_prev`.
op : str, optional
    The name of that op, shown in drawings. Also by the name `_op`.
label : str, optional
    A name for this value, shown in drawings.
local_grads : sequence of float, optional
    The derivative of `data` with respect to each of the children. With it the op is complete; without it, assign
    `_backward`. May stand in the place of `op`.

Attributes
----------
data, grad : float
    The number, and the derivative of the last `backward()`'s root with respect to it. Both can be assigned.
label : str
    A name for people.
_prev : set of Value
    What this value was computed from: the same objects. Numbers that took part are not in it.
_op : str
    The op that made it: '+', '*', '**3', 'ReLU' as in micrograd, and '-', '/', 'neg', which micrograd composes of
    those; '' for a leaf.
_backward : callable
    Adds this node's contribution to the gradients of its inputs. Assign a function without arguments to add an op;
    it takes part in `backward()`, and what it raises stops the walk and comes out unchanged.

Notes
-----
Results are those of IEEE 754, never an exception: ``1 / Value(0)`` is inf and ``Value(-1).log()`` nan.

Comparisons (`<`, `<=`, `>`, `>=`) compare `data` and record nothing. Equality and hash are those of identity.

A leaf's gradient accumulates over calls of `backward()`; a gradient in between is set anew by each, so that a second
call does not count it twice. When `data` is changed between the computation and `backward()`, rules read inputs as
they stand and outputs as they were computed, as in micrograd:

>>> x = Value(3.0)
>>> y = x * x
>>> x.data = 5.0
>>> y.backward()
>>> y.data, x.grad
(9.0, 10.0)

Any other attribute can be set, and lives as long as the value. (`__dict__` shows them, to read; names like `__len__`
are refused; what the type gets later under the same name comes first.) An attribute of an input that comes to refer to
a consumer of the input, after that exists, makes a cycle that the garbage collector does not see.

Examples
--------
>>> a = Value(2.0)
>>> b = Value(-3.0)
>>> c = (a * b + b**3).tanh() * 1e3 + a
>>> c.backward()
>>> print(f"{c.data:.6f} {a.grad:.6f}")
-998.000000 1.000000

An op of one's own, by its local gradients:

>>> x = Value(3.0)
>>> y = Value(x.data**2, (x,), (2 * x.data,))
>>> y.backward()
>>> x.grad
6.0
"""

# numpy leaves `number * value` and `array * value` to Value, which answers with a Value and an array of Values. (Not
# `__array_ufunc__ = None`, which would do so too, and take `array += value` and `np.exp(value)` away.)
Value.__array_priority__ = 1000.0


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    function.__qualname__ = f"Value.{function.__name__}"
    setattr(Value, function.__name__, function)
    return function


_leaky_relu, _elu, _swish, _gelu = Value.leaky_relu, Value.elu, Value.swish, Value.gelu


@_method
def leaky_relu(self: Value, alpha: Value | float = 0.01) -> Value:
    """Return self where it is positive, ``alpha * self`` elsewhere; alpha may be a Value, and learn (PReLU)."""
    return _leaky_relu(self, alpha)


@_method
def elu(self: Value, alpha: Value | float = 1.0) -> Value:
    """Return self where it is positive, ``alpha * (exp(self) - 1)`` elsewhere."""
    return _elu(self, alpha)


@_method
def swish(self: Value, beta: Value | float = 1.0) -> Value:
    """Return ``self * sigmoid(beta * self)``; beta may be a Value, and learn."""
    return _swish(self, beta)


@_method
def gelu(self: Value, approximate: str = "none") -> Value:
    """Return ``self * Phi(self)``, Phi the standard normal distribution.

    Parameters
    ----------
    approximate : {'none', 'tanh'}
        'tanh' for ``self/2 * (1 + tanh(sqrt(2/pi) * (self + 0.044715 * self**3)))``.
    """
    if approximate == "none":
        return _gelu(self)
    if approximate == "tanh":
        return self.gelu_tanh()
    raise ValueError(f"gelu: approximate has to be 'none' or 'tanh', not {approximate!r}")


def _dir(self: Value) -> list[str]:
    """Return the names of the attributes of this value, not of those that were set on others only."""
    return [name for name in object.__dir__(self) if hasattr(self, name)]


Value.__dir__ = _dir  # by another name here, where __dir__ would speak for this module


@_method
def to_dot(self: Value, max_nodes: int = 200) -> str:
    """Return the graph behind this value in the DOT language, at most `max_nodes` nodes of it."""
    from .viz import to_dot

    return to_dot(self, max_nodes=max_nodes)


@_method
def __reduce_ex__(self: Value, protocol: object) -> tuple[Any, ...]:
    """Copy and pickle leaves; a node in between is an error, because a copy would share or lose its inputs."""
    rule = getattr(self._backward, "__self__", None)
    if self._children or rule is not self:
        made_by = f"made by {self._op!r}" if self._op else "with a _backward of its own"
        raise TypeError(
            f"cannot copy or pickle {self!r}, a node {made_by}: its copy would be cut off from its inputs; "
            "copy the leaves and compute it again, or take its number, Value(v.data)"
        )
    slots = copyreg._slotnames(type(self))  # type: ignore[attr-defined]
    attributes = {name: getattr(self, name) for name in slots if hasattr(self, name)} | self.__dict__
    return copyreg.__newobj__, (type(self),), (self.data, self.grad, self.label, attributes)  # type: ignore[attr-defined]


@_method
def __setstate__(self: Value, state: tuple[float, float, str, dict[str, Any]]) -> None:
    """Restore what `__reduce_ex__` took."""
    self.data, self.grad, label, attributes = state
    if label:
        self.label = label
    for name, value in attributes.items():
        setattr(self, name, value)
