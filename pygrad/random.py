"""Random numbers from a seed: the generator that the C library and every initialiser here draws from."""

from __future__ import annotations

import operator
import random as _python_random
from typing import Any

from ._engine import ffi, lib

__all__ = ["Generator"]


class Generator:
    """A stream of random numbers, the same for the same seed on every machine.

    Parameters
    ----------
    seed : int or Generator, optional
        From 0 to 2**64 - 1. A Generator gives its own stream on. None takes the seed from Python's `random`, so that
        ``random.seed(...)`` governs it too.

    Notes
    -----
    Philox4x64-10, a counter-based generator; the raw words are those of ``numpy.random.Philox(key=seed)``.

    References
    ----------
    J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.

    Examples
    --------
    >>> Generator(0).uniform(0, 1, 3) == Generator(0).uniform(0, 1, 3)
    True
    """

    _state: Any  # a pg_rng of C

    def __init__(self, seed: int | Generator | None = None) -> None:
        if isinstance(seed, Generator):
            self._state = seed._state
            return
        if seed is None:
            seed = _python_random.getrandbits(64)
        seed = operator.index(seed)
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed has to be from 0 to 2**64 - 1, not {seed}")
        self._state = ffi.new("pg_rng *")
        lib.pg_rng_seed(self._state, seed)

    def uniform(self, low: float, high: float, n: int) -> list[float]:
        """Return n numbers uniform on [low, high)."""
        out = ffi.new("double[]", n)
        lib.pg_rng_uniform(self._state, low, high, n, out)
        return ffi.unpack(out, n)  # type: ignore[no-any-return]

    def normal(self, mean: float, std: float, n: int) -> list[float]:
        """Return n normal numbers."""
        out = ffi.new("double[]", n)
        lib.pg_rng_normal(self._state, mean, std, n, out)
        return ffi.unpack(out, n)  # type: ignore[no-any-return]
