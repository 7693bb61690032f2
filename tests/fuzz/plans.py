"""How the operands after the first, and the options, are chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .program import Invalid

Plan = Callable[..., tuple[list[Any], dict[str, Any]]]


def alone(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
    return [], {}


def options(**choices: Any) -> Plan:
    """One operand, and options each chosen from a list, or by a function of (make, x)."""

    def plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
        return [], {k: c(make, x) if callable(c) else make.choice(c) for k, c in choices.items()}

    return plan


def pair(numbers: tuple[Any, ...] = (), grow: bool = True, chance: float = 0.15) -> Plan:
    """A second operand that broadcasts, or a Python number."""

    def plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
        if numbers and make.chance(chance):
            return [[make.choice(numbers)]], {}
        return [make.beside(row, 1, make.dtype_beside(row, x.dtype), x.z.shape, grow)], {}

    return plan


def several(n: int) -> Plan:
    """n operands in all that broadcast one with the other, of one dtype."""

    def plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
        others: list[Any] = []
        shape = x.z.shape
        for i in range(1, n):
            k = make.beside(row, i, x.dtype, shape)
            others.append(k)
            shape = broadcast(shape, make.session.live[k].z.shape)
        return others, {}

    return plan


def broadcast(a: Any, b: Any) -> tuple[int, ...]:
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b)
    return tuple(q if p == 1 else p for p, q in zip(a, b, strict=True))


def axis(make: Any, x: Any) -> int:
    """One dimension, counted from either end; that of a 0-d tensor is 0 or -1."""
    n = max(x.z.ndim, 1)
    return make.below(n) - (n if make.chance(0.4) else 0)


def axes(make: Any, x: Any) -> Any:
    """No dimension at all, one, or several."""
    r = make.below(4)
    if r == 0:
        return None
    if r < 3 or x.z.ndim < 2:
        return axis(make, x)
    n = x.z.ndim
    first = make.below(n)
    second = (first + 1 + make.below(n - 1)) % n
    return [first, second - n if make.chance(0.5) else second]


def over(dims: Callable[..., Any], keep: bool = True, **more: Any) -> Plan:
    """One operand to be reduced over `dims`."""

    def plan(make: Any, row: Any, x: Any) -> tuple[list[Any], dict[str, Any]]:
        chosen: dict[str, Any] = {}
        dim = dims(make, x)
        if dim is not None:
            chosen["dim"] = dim
            if keep and make.chance(0.3):
                chosen["keepdim"] = True
        for k, c in more.items():
            chosen[k] = c(make, x) if callable(c) else make.choice(c)
        return [], chosen

    return plan


def need(condition: bool) -> None:
    if not condition:
        raise Invalid("no operands for it")


def size(shape: Any) -> int:
    return math.prod(shape)
