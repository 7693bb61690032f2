"""A scalar that remembers how it was computed: the whole of reverse-mode automatic differentiation.

Every operation computes a number (forward) and defines, beside it, the closure that will carry the gradient
of its output back to its inputs (backward). `Value.backward` calls these closures, outputs before inputs.
Nothing else is needed; `elementwise.py` only adds more functions.

The design is that of micrograd (https://github.com/karpathy/micrograd). What differs: the walk uses a stack
instead of recursion, so graphs may be deep; interior gradients start from zero in every `backward`, so a
second one is exact; and arithmetic follows IEEE 754, so that no number raises an exception.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, SupportsFloat, TypeAlias

from pygrad.reference import _ieee
from pygrad.reference.elementwise import Elementwise

Operand: TypeAlias = "Value | SupportsFloat"


class Value(Elementwise):
    """A number in a graph of computations, with the derivative of the final result in it.

    Parameters
    ----------
    data : float
        The number. Anything real is converted: int, bool, the scalars of numpy.
    children : iterable of Value, optional
        The inputs from which `data` was computed; none for a leaf.
    op : str, optional
        The operation that computed it, for drawings.
    label : str, optional
        A name, for drawings.

    Attributes
    ----------
    data : float
    grad : float
        dL/d(this), L being the value whose `backward` was called. In leaves it accumulates, over several
        paths and over several calls, until it is set to 0.

    Notes
    -----
    The chain rule, one node at a time. If y = f(a, b) and dL/dy is known,

        dL/da += dL/dy * dy/da        dL/db += dL/dy * dy/db

    with ``+=`` because a may reach L by other ways too, whose contributions add up.

    The closures read inputs as they stand when `backward` runs, and outputs as they were computed.
    Comparisons look at `data` and record nothing. Equality and hash are those of identity, so that nodes can
    be members of sets.

    Examples
    --------
    >>> a, b, c = Value(2), Value(3), Value(5)
    >>> L = (a + b) * c
    >>> L.backward()
    >>> L
    Value(data=25.0, grad=1.0)
    >>> a.grad, b.grad, c.grad
    (5.0, 5.0, 5.0)

    An operation of one's own is a value and a closure:

    >>> def cube(x):
    ...     out = Value(x.data**3, (x,), "cube")
    ...     def _backward():
    ...         x.grad += 3 * x.data**2 * out.grad
    ...     out._backward = _backward
    ...     return out
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """

    def __init__(self, data: SupportsFloat, children: Iterable[Value] = (), op: str = "", label: str = "") -> None:
        self.data = data if type(data) is float else _real(data)
        self.grad = 0.0
        self.label = label
        self._backward: Callable[[], None] = _nothing
        self._prev = set(children)
        self._op = op

    def __add__(self, other: Operand) -> Value:
        """Sum, y = a + b: dy/da = dy/db = 1, so both inputs get the gradient unchanged."""
        if not isinstance(other, Value):
            if not isinstance(other, Real):
                return NotImplemented
            other = Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other: Operand) -> Value:
        """Product, y = a * b: dy/da = b and dy/db = a, so each input gets the gradient times the other."""
        if not isinstance(other, Value):
            if not isinstance(other, Real):
                return NotImplemented
            other = Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other: Operand) -> Value:
        """Power, y = a**n: dy/da = n * a**(n - 1). If n is a Value, it gets a gradient too."""
        if isinstance(other, Value):
            return self._pow_value(other)
        if not isinstance(other, Real):
            return NotImplemented
        n = float(other)
        out = Value(_ieee.power(self.data, n), (self,), f"**{other}")

        def _backward() -> None:
            # a**0 is 1 for every a, also for 0 and nan, of which the formula would make 0 * inf.
            if n != 0.0:
                self.grad += n * _ieee.power(self.data, n - 1.0) * out.grad

        out._backward = _backward
        return out

    def relu(self) -> Value:
        """Rectified linear unit, y = max(0, x): dy/dx = 1 for x > 0, else 0, at 0 too."""
        out = Value(0.0 if self.data < 0.0 else self.data, (self,), "ReLU")

        def _backward() -> None:
            # Not `out.data > 0`: nan lets the gradient pass, as in PyTorch.
            if not out.data <= 0.0:
                self.grad += out.grad

        out._backward = _backward
        return out

    def backward(self) -> None:
        """Compute the gradient of this value with respect to every value that it was computed from.

        Every input precedes its outputs in `order`. Taken in reverse, a node has its whole gradient, from all
        who used it, before it hands it on.

        Examples
        --------
        >>> x = Value(3.0)
        >>> y = x * x * x
        >>> y.backward()
        >>> x.grad
        27.0
        >>> x.grad = 0.0
        >>> y.backward()
        >>> x.grad
        27.0
        """
        order: list[Value] = []
        visited: set[Value] = set()
        stack = [(self, False)]
        while stack:
            node, inputs_are_placed = stack.pop()
            if inputs_are_placed:
                order.append(node)
            elif node not in visited:
                visited.add(node)
                stack.append((node, True))
                for child in node._prev:
                    stack.append((child, False))

        for node in order:
            if node._prev:
                node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            node._backward()

    # The operators above are written in full; the others leave the closure to `_unary` and `_binary`, and say
    # only what an input's gradient gains, given g = dL/dy.

    def _unary(self, op: str, value: Callable[[float], float], rule: Callable[[float, float, float], float]) -> Value:
        """Make the node y = value(x); x.grad gains rule(g, x, y)."""
        out = Value(value(self.data), (self,), op)

        def _backward() -> None:
            self.grad += rule(out.grad, self.data, out.data)

        out._backward = _backward
        return out

    def _binary(
        self,
        op: str,
        other: Operand,
        value: Callable[[float, float], float],
        rule_a: Callable[[float, float, float], float],
        rule_b: Callable[[float, float, float], float],
    ) -> Value:
        """Make the node y = value(a, b); a.grad gains rule_a(g, a, b), and b.grad gains rule_b(g, a, b)."""
        b = as_value(other)
        out = Value(value(self.data, b.data), (self, b), op)

        def _backward() -> None:
            self.grad += rule_a(out.grad, self.data, b.data)
            b.grad += rule_b(out.grad, self.data, b.data)

        out._backward = _backward
        return out

    def __sub__(self, other: Operand) -> Value:
        """Difference, y = a - b: dy/da = 1, dy/db = -1."""
        if not isinstance(other, Value | Real):
            return NotImplemented
        return self._binary("-", other, operator.sub, lambda g, a, b: g, lambda g, a, b: -g)

    def __truediv__(self, other: Operand) -> Value:
        """Quotient, y = a / b: dy/da = 1 / b, dy/db = -a / b**2."""
        if not isinstance(other, Value | Real):
            return NotImplemented
        return self._binary(
            "/",
            other,
            _ieee.divide,
            lambda g, a, b: _ieee.divide(g, b),
            lambda g, a, b: -(g * _ieee.divide(_ieee.divide(a, b), b)),
        )

    def _pow_value(self, other: Value) -> Value:
        """Power, y = a**b: dy/da = b * a**(b - 1), dy/db = a**b * log(a), which is nan for a < 0."""
        return self._binary(
            "**",
            other,
            _ieee.power,
            lambda g, a, b: 0.0 if b == 0.0 else g * (b * _ieee.power(a, b - 1.0)),
            # 0**b is 0 for every b > 0, hence flat.
            lambda g, a, b: 0.0 if a == 0.0 and b >= 0.0 else g * (_ieee.power(a, b) * _ieee.log(a)),
        )

    def __neg__(self) -> Value:
        return self.neg()

    def __abs__(self) -> Value:
        return self.abs()

    def __radd__(self, other: SupportsFloat) -> Value:
        return self + other

    def __rsub__(self, other: SupportsFloat) -> Value:
        return Value(other) - self

    def __rmul__(self, other: SupportsFloat) -> Value:
        return self * other

    def __rtruediv__(self, other: SupportsFloat) -> Value:
        return Value(other) / self

    def __rpow__(self, other: SupportsFloat) -> Value:
        return Value(other) ** self

    def __lt__(self, other: Operand) -> bool:
        x = _data_of(other)
        return NotImplemented if x is None else self.data < x

    def __le__(self, other: Operand) -> bool:
        x = _data_of(other)
        return NotImplemented if x is None else self.data <= x

    def __gt__(self, other: Operand) -> bool:
        x = _data_of(other)
        return NotImplemented if x is None else self.data > x

    def __ge__(self, other: Operand) -> bool:
        x = _data_of(other)
        return NotImplemented if x is None else self.data >= x

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The closure of a copied node would feed the inputs of the original.
        if self._prev:
            raise TypeError(f"only leaves can be copied or pickled, not a Value computed by {self._op!r}")
        return super().__reduce_ex__(protocol)


def as_value(x: Operand) -> Value:
    """Return x itself if it is a Value, else a new leaf that holds the number.

    Examples
    --------
    >>> as_value(2)
    Value(data=2.0, grad=0.0)
    """
    return x if isinstance(x, Value) else Value(x)


def _data_of(x: Operand) -> float | None:
    if isinstance(x, Value):
        return x.data
    return float(x) if isinstance(x, Real) else None


def _real(x: object) -> float:
    # float() alone would take "2", and so turn a column of text into numbers without a word.
    if not isinstance(x, Real):
        raise TypeError(f"Value takes a real number, not {type(x).__name__}: {x!r}")
    return float(x)


def _nothing() -> None:
    """Do what the `_backward` of a leaf does, which has no inputs."""
