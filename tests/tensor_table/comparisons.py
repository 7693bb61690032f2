"""Comparisons, logic, and arithmetic of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .rows import (
    ANY,
    NONZERO_INTS,
    ONE_TENSOR,
    SMALL_INTS,
    TRUTH,
    TWO_TENSORS,
    Array,
    Row,
    fixed,
    grid,
    options,
    strange,
)


def _ints(result: str, **names: Callable[..., Any]) -> tuple[Row, ...]:
    return tuple(
        Row(name, (SMALL_INTS, SMALL_INTS), oracle, TWO_TENSORS, methods=(name,), result=result, roundings=0)
        for name, oracle in names.items()
    )


def _one(*_: Array) -> float:
    """The scale of what may be infinite, and whose result is a bool."""
    return 1.0


def _operator(symbol: str) -> Callable[..., Any]:
    # A string of Python, so that the operator itself is what is tried.
    return eval(f"lambda a, b: a {symbol} b")


COMPARISONS = (
    *_ints("bool", eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater, ge=np.greater_equal),
    *_ints("bool", logical_and=np.logical_and, logical_or=np.logical_or, logical_xor=np.logical_xor),
    *(
        Row(f"{name}(operator)", (grid(0), grid(0)), oracle, TWO_TENSORS, call=_operator(symbol), result="bool",
            roundings=0, covers=(f"__{name}__",))
        for name, symbol, oracle in [
            ("eq", "==", np.equal), ("ne", "!=", np.not_equal), ("lt", "<", np.less), ("le", "<=", np.less_equal),
            ("gt", ">", np.greater), ("ge", ">=", np.greater_equal),
        ]
    ),
    *(
        Row(f"{name}({kind})", (given, given), oracle, TWO_TENSORS, result=kind, roundings=0,
            methods=(name, f"__{name[8:]}__"))
        for name, oracle in [("bitwise_and", np.bitwise_and), ("bitwise_or", np.bitwise_or),
                             ("bitwise_xor", np.bitwise_xor)]
        for kind, given in [("bool", TRUTH), ("int64", SMALL_INTS)]
    ),
    *(
        Row(f"bitwise_not({kind})", (given,), np.invert, ONE_TENSOR, result=kind, roundings=0,
            methods=("bitwise_not", "__invert__"))
        for kind, given in [("bool", TRUTH), ("int64", SMALL_INTS)]
    ),
    *(
        Row(f"{name}(int64)", (SMALL_INTS, NONZERO_INTS), oracle, TWO_TENSORS, methods=(name,), result="int64",
            roundings=0)
        for name, oracle in [("remainder", np.remainder), ("fmod", np.fmod), ("floor_divide", np.floor_divide),
                             ("fmax", np.fmax), ("fmin", np.fmin)]
    ),
    *(
        Row(f"{name}(int64)", (SMALL_INTS,), oracle, ONE_TENSOR, methods=(name,), result="int64", roundings=0)
        for name, oracle in [("floor", np.floor), ("ceil", np.ceil), ("round", np.round), ("trunc", np.trunc)]
    ),
    *(
        Row(name, (fixed(strange),), oracle, ONE_TENSOR, methods=(name,), result="bool", roundings=0, scale=_one)
        for name, oracle in [("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite)]
    ),
    Row("isclose", (fixed(strange), fixed(strange)), np.isclose, TWO_TENSORS, methods=("isclose",), result="bool",
        roundings=0, scale=_one, covers=("allclose",)),
    Row("isclose(tolerances)", (fixed(ANY.sample), fixed(ANY.sample)), np.isclose,
        options(TWO_TENSORS, rtol=0.2, atol=0.1), methods=("isclose",), result="bool", roundings=0),
    Row("isclose(nan)", (fixed(strange), fixed(strange)), np.isclose, options(TWO_TENSORS, equal_nan=True),
        methods=("isclose",), result="bool", roundings=0, scale=_one),
    Row("logical_not", (SMALL_INTS,), np.logical_not, ONE_TENSOR, methods=("logical_not",), result="bool",
        roundings=0),
    Row("logical_and(float)", (grid(0, -1, 2), grid(0, -1, 2)), np.logical_and, TWO_TENSORS, result="bool",
        roundings=0),
)  # fmt: skip
