"""Comparison, and the logic of truth values and of bits. Nothing here has a gradient."""

from __future__ import annotations

from collections.abc import Callable

from ._engine import Tensor, native
from ._method import method
from ._types import Operand

__all__ = [
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "ge",
    "gt",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
]


def _comparison(name: str, symbol: str) -> Callable[[Tensor, Operand], Tensor]:
    operator = getattr(Tensor, f"__{name}__")

    def compare(input: Tensor, other: Operand) -> Tensor:
        result: Tensor = operator(input, other)
        if result is NotImplemented:
            raise TypeError(f"{name} takes Tensors, arrays and real numbers, not {other!r}")
        return result

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"""Return a bool tensor: where ``input {symbol} other``, broadcast.

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.{name}(pygrad.tensor([1, 2, 3]), 2).tolist() == [x {symbol} 2 for x in (1, 2, 3)]
    True
    """
    return method(compare)


eq, ne = _comparison("eq", "=="), _comparison("ne", "!=")
lt, le = _comparison("lt", "<"), _comparison("le", "<=")
gt, ge = _comparison("gt", ">"), _comparison("ge", ">=")


def _logical(which: int, name: str, symbol: str) -> Callable[[Tensor, Operand], Tensor]:
    def logic(input: Tensor, other: Operand) -> Tensor:
        result = native.tensor_logical(which, input, other)
        if result is NotImplemented:
            raise TypeError(f"{name} takes Tensors, arrays and real numbers, not {other!r}")
        return result

    logic.__name__ = logic.__qualname__ = name
    logic.__doc__ = f"""Return a bool tensor: the {name.replace("_", " ")} of what is not 0, broadcast.

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> a, b = [False, False, True, True], [False, True, False, True]
    >>> pygrad.{name}(pygrad.tensor(a), pygrad.tensor(b)).tolist() == [x {symbol} y for x, y in zip(a, b)]
    True
    """
    return method(logic)


logical_and = _logical(0, "logical_and", "&")
logical_or = _logical(1, "logical_or", "|")
logical_xor = _logical(2, "logical_xor", "^")


@method
def logical_not(input: Tensor) -> Tensor:
    """Return a bool tensor: where the input is 0.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.logical_not(pygrad.tensor([0, 2]))
    tensor([ True, False])
    """
    return input == 0


def _bitwise(name: str, symbol: str) -> Callable[[Tensor, Operand], Tensor]:
    operator = getattr(Tensor, f"__{name[8:]}__")

    def combine(input: Tensor, other: Operand) -> Tensor:
        result: Tensor = operator(input, other)
        if result is NotImplemented:
            raise TypeError(f"{name} takes Tensors, arrays and whole numbers, not {other!r}")
        return result

    combine.__name__ = combine.__qualname__ = name
    combine.__doc__ = f"""Return ``input {symbol} other``, bit by bit, of integers or bools, broadcast.

    Raises
    ------
    RuntimeError
        For floats.
    ShapeError
        When the shapes do not broadcast.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.{name}(pygrad.tensor([4, 5, 6]), 3).tolist() == [x {symbol} 3 for x in (4, 5, 6)]
    True
    """
    return method(combine)


bitwise_and = _bitwise("bitwise_and", "&")
bitwise_or = _bitwise("bitwise_or", "|")
bitwise_xor = _bitwise("bitwise_xor", "^")


@method
def bitwise_not(input: Tensor) -> Tensor:
    """Return ``~input``: every bit of an integer changed, the opposite of a bool.

    Raises
    ------
    RuntimeError
        For floats.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.bitwise_not(pygrad.tensor([True, False])), pygrad.bitwise_not(pygrad.tensor([0, 5]))
    (tensor([False,  True]), tensor([-1, -6]))
    """
    return ~input
