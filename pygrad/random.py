"""Random numbers from a seed: the generator that the C library and every initialiser here draws from."""

from __future__ import annotations

import operator
import random as _python_random
from typing import Any

from ._engine import ffi, lib

__all__ = ["Generator", "default_generator", "manual_seed"]


class Generator:
    """A stream of random numbers, the same for the same seed on every machine.

    Parameters
    ----------
    seed : int or Generator, optional
        From 0 to 2**64 - 1. A Generator gives its own stream on. None takes the seed from Python's `random`, so that
        ``random.seed(...)`` governs it too.

    Notes
    -----
    Philox4x64-10, a counter-based generator; the raw words are those of ``numpy.random.Philox(key=seed)``. What a
    tensor is filled with depends on the seed and on how many words were taken before, never on threads.

    References
    ----------
    J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.

    Examples
    --------
    >>> Generator(0).uniform(0, 1, 3) == Generator(0).uniform(0, 1, 3)
    True
    """

    _state: Any  # a pg_rng of C
    _address: int  # of it

    def __init__(self, seed: int | Generator | None = None) -> None:
        if isinstance(seed, Generator):
            self._state, self._address = seed._state, seed._address
            return
        self._state = ffi.new("pg_rng *")
        self._address = int(ffi.cast("intptr_t", self._state))
        self.manual_seed(_python_random.getrandbits(64) if seed is None else seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of this seed, from 0 to 2**64 - 1, and return the generator.

        Examples
        --------
        >>> generator = Generator(5)
        >>> first = generator.uniform(0, 1, 3)
        >>> generator.manual_seed(5).uniform(0, 1, 3) == first
        True
        """
        seed = operator.index(seed)
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed has to be from 0 to 2**64 - 1, not {seed}")
        lib.pg_rng_seed(self._state, seed)
        return self

    def initial_seed(self) -> int:
        """Return the seed of the stream.

        Examples
        --------
        >>> Generator(5).initial_seed()
        5
        """
        return int(self._state.key[0])

    def uniform(self, low: float, high: float, n: int) -> list[float]:
        """Return n numbers uniform on [low, high).

        Examples
        --------
        >>> all(2.0 <= x < 3.0 for x in Generator(0).uniform(2.0, 3.0, 100))
        True
        """
        out = ffi.new("double[]", n)
        lib.pg_rng_uniform(self._state, low, high, n, out)
        return ffi.unpack(out, n)  # type: ignore[no-any-return]

    def normal(self, mean: float, std: float, n: int) -> list[float]:
        """Return n normal numbers.

        Examples
        --------
        >>> Generator(0).normal(1.0, 0.0, 2)
        [1.0, 1.0]
        """
        out = ffi.new("double[]", n)
        lib.pg_rng_normal(self._state, mean, std, n, out)
        return ffi.unpack(out, n)  # type: ignore[no-any-return]


_default: Generator | None = None


def default_generator() -> Generator:
    """Return the generator that tensors are filled from when no other is given.

    It is made when it is first asked for, with a seed from Python's `random`.

    Examples
    --------
    >>> default_generator() is manual_seed(0)
    True
    """
    global _default
    if _default is None:
        _default = Generator()
    return _default


def manual_seed(seed: int) -> Generator:
    """Start the default generator's stream of this seed, from 0 to 2**64 - 1, and return the generator.

    Examples
    --------
    >>> import pygrad
    >>> pygrad.random.manual_seed(0).initial_seed()
    0
    """
    return default_generator().manual_seed(seed)


def address_of(generator: Generator | None) -> int:
    """Return where the state of a generator, or of the default one, is in memory: what the engine is given."""
    if generator is None:
        return default_generator()._address
    if not isinstance(generator, Generator):
        raise TypeError(f"generator has to be a pygrad.random.Generator, not {generator!r}")
    return generator._address
