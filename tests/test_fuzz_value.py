"""Random programs, run by the engine and by `pygrad.reference` side by side: the same values, the same gradients.

How far may the two differ? After each step the reference takes over the engine's number, so that roundings do not
pile up in the values: a value is compared to what one op may round. The gradients are compared with the bound of a
running error analysis: `Bounds` walks the graph as backward does and carries with each gradient how large the sum of
its paths' absolute values is and how far the two may have drifted apart. Nothing in it is fitted to results.
"""

import gc
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from value_programs import BINARY, UNARY, Program, Step, programs, random_program
from value_run import run

import pygrad
from pygrad import reference
from pygrad._engine import find_op, lib

SANITIZED = "PYGRAD_SANITIZE" in os.environ
PROGRAMS = int(os.environ.get("PYGRAD_FUZZ_PROGRAMS", "60" if SANITIZED else "600"))


@pytest.fixture(autouse=True)
def collections_see_only_these_programs() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@settings(max_examples=50 if SANITIZED else 300)
@given(programs())
def test_any_program_gives_the_numbers_of_the_reference(program):
    run(program)


def test_seeded_programs_give_the_numbers_of_the_reference():
    for seed in range(PROGRAMS):
        try:
            run(random_program(seed))
        except AssertionError as error:
            raise AssertionError(f"program {seed}: {error}") from error


def test_programs_return_all_their_memory():
    def some(first: int) -> int:
        for seed in range(first, first + 50):
            run(random_program(seed))
        gc.collect()
        return lib.pg_live_bytes()

    live = some(0)
    assert some(50) <= live + (2 << 20)
    assert some(0) <= live + (2 << 20)


@pytest.mark.parametrize("threshold", [1, 10])
def test_programs_are_exact_while_the_collector_runs_all_the_time(threshold):
    thresholds = gc.get_threshold()
    gc.set_threshold(threshold, threshold, threshold)
    try:
        for seed in range(10_000, 10_000 + (5 if SANITIZED else 60)):
            run(random_program(seed))
    finally:
        gc.set_threshold(*thresholds)


def test_every_op_of_the_table_takes_part():
    assert {*UNARY, *BINARY} == {row for row in dir(pygrad.Value) if find_or_none(row) is not None}


def find_or_none(name: str) -> int | None:
    try:
        return find_op(name)
    except ValueError:
        return None


def test_comparison_notices_a_wrong_derivative(monkeypatch):
    """The bounds are of use only if they are tight: a relative error of 1e-12 has to show."""
    rule = reference.Value.tanh

    def slightly_wrong(self: Any) -> Any:
        out = rule(self)
        right = out._backward

        def _backward() -> None:
            before = self.grad
            right()
            self.grad = before + (self.grad - before) * (1 + 1e-12)

        out._backward = _backward
        return out

    monkeypatch.setattr(reference.Value, "tanh", slightly_wrong)
    steps: list[Step] = [("add", (0, 1), 0.0, 0), ("tanh", (-1, 0), 0.0, 0), ("mul", (-1, 0), 0.0, 0)]
    with pytest.raises(AssertionError, match="the gradient of"):
        run(Program([0.3, 0.2], [*steps, ("backward", (-1,), 0.0, 0)]))


# ---- what was found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [pygrad, reference])
def test_leaf_with_a_rule_still_accumulates(engine):
    """A leaf is what has no inputs. micrograd gives each one a rule that does nothing."""
    w = engine.Value(3.0)
    w._backward = lambda: None
    for _ in range(2):
        (w * 2).backward()
    assert w.grad == 4.0


@pytest.mark.parametrize(
    ("exponent", "name"),
    [(2.5, "**2.5"), (math.inf, "**inf"), (math.nan, "**nan"), (-1e300, "**-1e+300")],
)
def test_exponent_in_an_array_without_axes_is_shown_as_the_number_that_it_is(exponent, name):
    """Such an array says that it can be an index, whatever its type."""
    assert (pygrad.Value(2.0) ** np.array(exponent))._op == name
    assert (pygrad.Value(2.0) ** np.float64(exponent))._op == name
