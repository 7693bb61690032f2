"""One row per operation: what it takes, how it is called, what it has to compute."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import pygrad

from .program import Invalid

Array = np.ndarray
FLOATS = ("float32", "float64")
INTS = ("uint8", "int32", "int64")
NUMBERS = (*INTS, *FLOATS)
ALL = ("bool", *NUMBERS)
LAYOUTS = ("contiguous", "offset", "strided", "transposed", "expanded", "scalar", "empty")
OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "//": operator.floordiv, "%": operator.mod, "@": operator.matmul, "&": operator.and_, "|": operator.or_,
    "^": operator.xor, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "~": operator.invert, "-x": operator.neg,
    "abs()": operator.abs, "[]": operator.getitem,
}  # fmt: skip
IN_PLACE = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
            "**=": operator.ipow, "//=": operator.ifloordiv, "%=": operator.imod, "&=": operator.iand,
            "|=": operator.ior, "^=": operator.ixor}  # fmt: skip


def in_place(*names: str) -> tuple[str, ...]:
    """Return the spellings of operations in place: the methods, and the functions where there are some."""
    methods = [f".{name}_" for name in names if hasattr(pygrad.Tensor, f"{name}_")]
    return (*methods, *(f"{name}_" for name in names if hasattr(pygrad, f"{name}_")))


@dataclass(frozen=True)
class Domain:
    """Where an operand may lie: between two numbers, and away from kinks."""

    low: float = -2.0
    high: float = 2.0
    kinks: tuple[float, ...] = ()
    bound: tuple[float, float] | None = None  # what is accepted, where that is more than what is made
    margin: float = 1e-3

    def has(self, x: Array) -> bool:
        if x.size == 0:
            return True
        x = x.real
        low, high = self.bound or (self.low, self.high)
        if not (np.minimum.reduce(x, axis=None) >= low and np.maximum.reduce(x, axis=None) <= high):
            return False
        return all(np.minimum.reduce(abs(x - k), axis=None) > self.margin for k in self.kinks)


WIDE = (-1e3, 1e3)
ANY = Domain(-2, 2, bound=WIDE)
POSITIVE = Domain(0.3, 3, bound=(0.05, 1e3))
BOOL = Domain(0, 1, bound=(0, 1))


def real(low: float, high: float, *kinks: float, bound: tuple[float, float] | None = WIDE) -> Domain:
    return Domain(low, high, kinks, bound)


@dataclass
class Row:
    """What an operation takes, how it is called, and what it has to compute.

    Parameters
    ----------
    name : str
        PyTorch's name; what follows in brackets tells apart rows of one operation.
    oracle : callable
        ``oracle(*arrays, **options)``, from arrays as `dual` has them; an array, or a tuple of them.
    plan : callable
        ``plan(make, row, x)`` returns the operands after the first and the options, or raises `Invalid`.
    domains : tuple of Domain
        One per operand; the last one stands for all that follow.
    dtypes : tuple of str
        Of the first operand.
    result : str
        "same" as the first operand's, "second" as that one's, "promoted", "float" (promoted, float32 for integers),
        "compared" (a bool, the operands being promoted), "chosen" (promoted but for the first operand), "summed" (int64
        for integers), "truth" (a bool, but uint8 for that), "python bool", or a dtype. Several results share it, unless
        they are named one by one, with spaces between.
    rank : (int, int)
        How many dimensions the first operand may have.
    spellings : tuple of str
        "name" of a function, ".name" of a method, or an operator; by default the function; None of
        what is in place alone.
    in_place : tuple of str
        Spellings which write the result to the first operand.
    call : callable, optional
        ``call(module, *tensors, **options)`` in place of a spelling.
    exact : bool
        Whether nothing is rounded.
    terms : callable, optional
        How many numbers are added up in each number of the result, from the arrays.
    scale : callable, optional
        The scale of rounding errors, in place of the largest operand times the terms.
    view : bool
        Whether the result shares the operand's memory wherever the oracle's does.
    differentiable : bool
        Whether the result has a gradient.
    smooth : bool
        Whether second derivatives are compared.
    guard : callable, optional
        ``guard(*arrays, **options)`` tells whether the operands are far enough from kinks and ties.
    torch : bool
        Whether PyTorch has it under the same name.
    covers : tuple of str
        Names that this row exercises besides its spellings.
    without : tuple of str
        Layouts that the first operand cannot have: a broadcast one is full of ties, nothing has no largest number.
    others : tuple of str, optional
        Dtypes of the further operands, where they are not those of the first.
    outputs : int or callable
        How many tensors come out; or a function of the first array and the options.
    """

    name: str
    oracle: Callable[..., Any]
    plan: Callable[..., Any]
    domains: tuple[Domain, ...] = (ANY,)
    dtypes: tuple[str, ...] = FLOATS
    result: str = "same"
    rank: tuple[int, int] = (0, 4)
    spellings: tuple[str, ...] | None = ()
    in_place: tuple[str, ...] = ()
    call: Callable[..., Any] | None = None
    exact: bool = False
    roundings: int = 8
    terms: Callable[..., float] | None = None
    scale: Callable[..., Any] | None = None
    view: bool = False
    differentiable: bool = True
    smooth: bool = True
    guard: Callable[..., bool] | None = None
    torch: bool = True
    covers: tuple[str, ...] = ()
    others: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    outputs: int | Callable[..., int] = 1

    @property
    def op(self) -> str:
        return self.name.partition("(")[0]

    @property
    def ways(self) -> tuple[str, ...]:
        """The spellings of a call with tensors alone."""
        return self.spellings or (("",) if self.call is not None else (self.op,))

    @property
    def number_ways(self) -> tuple[str, ...]:
        """Those that take a Python number for a tensor."""
        return tuple(w for w in self.ways if w in OPERATORS) or self.ways

    def results(self, step: Any, session: Any) -> int:
        if callable(self.outputs):
            return self.outputs(session.live[step.ins[0]].z, **step.options)
        return self.outputs

    def domain(self, i: int) -> Domain:
        return self.domains[min(i, len(self.domains) - 1)]

    def check(self, arrays: list[Any], options: dict[str, Any], known: bool = False) -> None:
        """Raise `Invalid` where operands are outside their domains, unless it is known, or too near a kink."""
        for i, x in enumerate(arrays if not known else ()):
            if isinstance(x, np.ndarray) and not self.domain(i).has(x):
                raise Invalid("outside the domain")
        if self.guard is not None and not self.guard(*arrays, **options):
            raise Invalid("too near a kink")

    def changes(self) -> tuple[bool, ...]:
        """Whether there is a call that makes something new, and one in place."""
        return (False,) * (self.spellings is not None) + (True,) * bool(self.in_place)

    def layouts(self) -> tuple[str, ...]:
        low, high = self.rank
        return tuple(
            name
            for name in LAYOUTS
            if name not in self.without
            and not (name == "scalar" and low > 0)
            and not (name == "transposed" and high < 2)
            and not (high == 0 and name != "scalar")
        )


CATEGORY = {"bool": 0, "uint8": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}
ORDER = {name: i for i, name in enumerate(ALL)}


def promoted(operands: list[tuple[int, str]]) -> str:
    """Return the dtype of a result by PyTorch's rule.

    The widest dtype among the operands of the highest-ranking kind (2 tensors with dimensions, 1 those without, 0
    Python numbers) decides, unless a lower kind is of a higher category (bool < integers < floats): then the widest of
    both.
    """
    result = ""
    for kind in (2, 1, 0):
        mine = [dtype for k, dtype in operands if k == kind]
        if not mine:
            continue
        widest = max(mine, key=ORDER.__getitem__)
        if not result:
            result = widest
        elif CATEGORY[widest] > CATEGORY[result]:
            result = max(widest, result, key=ORDER.__getitem__)
    return result
