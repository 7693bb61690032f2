"""The functions that are made from the op table: of one tensor or of two, each with the method of the same name.

A row of two takes a number or an array in the place of either. `elementwise` has those that take more.

>>> import pygrad
>>> pygrad.square(pygrad.tensor([1.0, -2.0]))
tensor([1., 4.])
>>> pygrad.sub(1.0, pygrad.tensor([1.0, -2.0]))
tensor([0., 3.])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._engine import Tensor, Value, ffi, native, op_table

# Rows whose function takes something else than the row: written out in `elementwise`.
_WRITTEN_OUT = {"elu", "gelu", "hardtanh", "leaky_relu", "maximum", "minimum", "pow", "round", "softplus", "swish"}

# Whose function has PyTorch's `inplace`.
_ACTIVATIONS = {"mish", "relu", "relu6", "selu", "silu"}

_ALIASES = {
    "negative": "neg",
    "absolute": "abs",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "fix": "trunc",
}


def _text(x: Any) -> str:
    return str(ffi.string(x).decode())


def _unary(name: str, doc: str) -> Callable[[Any], Any]:
    def function(input: Any) -> Any:
        if not isinstance(input, Tensor | Value):
            raise TypeError(f"{name} takes a Tensor or a Value, not {input!r} of type {type(input).__name__}")
        return getattr(input, name)()

    function.__doc__ = f"Return {doc}, for each element a of a tensor; of a Value likewise."
    return function


def _activation(name: str, doc: str) -> Callable[..., Any]:
    plain = _unary(name, doc)

    def function(input: Any, inplace: bool = False) -> Any:
        return getattr(input, f"{name}_")() if inplace else plain(input)

    function.__doc__ = f"{plain.__doc__} A tensor can be changed in place."
    return function


def _binary(row: int, name: str, doc: str) -> Callable[[Any, Any], Any]:
    def function(input: Any, other: Any) -> Any:
        if isinstance(input, Tensor):
            return getattr(input, name)(other)
        return native.tensor_elementwise(row, input, other)

    function.__doc__ = f"""Return {doc}, for each element a of the first and b of the second, broadcast.

    Raises
    ------
    ShapeError
        When the shapes do not broadcast.
    """
    return function


def _functions() -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {}
    for number, row in enumerate(op_table()):
        name, doc = _text(row.name), _text(row.doc)
        if name in _WRITTEN_OUT:
            continue
        function: Callable[..., Any]
        if row.arity == 2:
            function = _binary(number, name, doc)
        else:
            function = (_activation if name in _ACTIVATIONS else _unary)(name, doc)
        function.__name__ = function.__qualname__ = name
        made[name] = function
    return made


globals().update(_functions())

for _alias, _name in _ALIASES.items():
    globals()[_alias] = globals()[_name]
    setattr(Tensor, _alias, getattr(Tensor, _name))
    setattr(Tensor, f"{_alias}_", getattr(Tensor, f"{_name}_"))

__all__ = sorted([*_functions(), *_ALIASES])
