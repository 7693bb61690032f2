"""What the tests of detect_anomaly share."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import pytest
from tensor_backend import ours, pg

autograd: Any = pg.autograd
detect_anomaly, set_detect_anomaly = autograd.detect_anomaly, autograd.set_detect_anomaly
lines = ours("it prints a traceback to stderr")


def failure(work: Callable[[], object], check_nan: bool = True) -> str:
    """Return the message of the RuntimeError that it raises while anomalies are detected."""
    with pytest.raises(RuntimeError) as caught, detect_anomaly(check_nan=check_nan):
        work()
    return str(caught.value)


def found(work: Callable[[], object]) -> bool:
    """Tell whether it raises, in the mode that is set."""
    try:
        work()
    except RuntimeError as error:
        assert "returned nan values" in str(error)
        return True
    return False


class Cube(autograd.Function):  # type: ignore[misc]
    """One whose gradient is wrong on purpose."""

    @staticmethod
    def forward(ctx: Any, factor: float, x: Any) -> Any:
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return None, g * nan
