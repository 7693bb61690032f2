"""What the tests of the pure-Python engine share."""

from __future__ import annotations

from collections.abc import Callable


def derivative(f: Callable[[float], float], x: float, h: float = 2e-4) -> float:
    """Return f'(x) by five points: (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h."""
    return float((f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h))
