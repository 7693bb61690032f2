"""Who computes with tensors: pygrad, numpy with gradients derived on paper, and PyTorch where it is installed."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from pygrad.bench.machine import set_blas_threads
from pygrad.bench.tensor_problems import Problem


class Work(NamedTuple):
    """A statement to be timed, and the names in it; its value is compared with that of the others."""

    statement: str
    names: dict[str, Any]


def calls(function: Callable[[], Any]) -> Work:
    """Return the work of calling a function."""
    return Work("work()", {"work": function})


class TensorContestant(ABC):
    """A library: for each kind of problem a method that makes the work, at its beginning."""

    @abstractmethod
    def prepare(self) -> None:
        """Make ready for a turn."""

    @abstractmethod
    def add(self, problem: Problem) -> Work:
        """Add the two arrays."""

    @abstractmethod
    def chain(self, problem: Problem) -> Work:
        """Multiply the first array by the second and add it, five times; return the gradient of the sum."""

    @abstractmethod
    def step(self, problem: Problem) -> Work:
        """Take a training step on all samples: forward, backward, update; return the loss before it."""

    @abstractmethod
    def matmul(self, problem: Problem) -> Work:
        """Multiply the two matrices."""

    @abstractmethod
    def epoch(self, problem: Problem) -> Work:
        """Take a training step on every batch of shuffled samples; return the mean loss."""


class TensorKind(NamedTuple):
    """A contestant's name for people, how it is made, and whether it works in the thread that calls it alone."""

    title: str
    make: Callable[[], TensorContestant]
    one_thread: bool


def _pygrad() -> TensorContestant:
    from pygrad.bench.tensor_pygrad import ByPygrad

    return ByPygrad()


def _numpy(threads: int | None) -> TensorContestant:
    from pygrad.bench.tensor_numpy import ByNumpy

    return ByNumpy(threads)


def _torch(threads: int) -> TensorContestant:
    from pygrad.bench.tensor_torch import ByTorch

    return ByTorch(threads)


#: The one that the others are compared to.
TENSOR_BASELINE = "numpy"


def tensor_contestants(quick: bool) -> dict[str, TensorKind]:
    """Return those who can take part here, by the names that stand in JSON.

    With `quick` none has a second thread: where that has to wait for a processor, it costs more than it helps.
    """
    kinds = {TENSOR_BASELINE: TensorKind("numpy by hand, threads as found", lambda: _numpy(None), False)}
    if set_blas_threads() is not None:
        kinds[TENSOR_BASELINE] = TensorKind("numpy by hand, 1 thread", lambda: _numpy(1), True)
        kinds["numpy_2"] = TensorKind("numpy by hand, 2 threads", lambda: _numpy(2), False)
    kinds["pygrad"] = TensorKind("pygrad, 1 thread", _pygrad, True)
    if importlib.util.find_spec("torch") is not None:
        kinds["torch_1"] = TensorKind("PyTorch, 1 thread", lambda: _torch(1), True)
        kinds["torch_2"] = TensorKind("PyTorch, 2 threads", lambda: _torch(2), False)
    return {name: kind for name, kind in kinds.items() if not (quick and name.endswith("_2"))}
