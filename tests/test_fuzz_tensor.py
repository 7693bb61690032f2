"""The differential fuzzer of tensors: a part of its long run, what it has found before, and that it can see."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fuzz import batch, table
from fuzz.dual import H, unary
from fuzz.generate import Make
from fuzz.program import Failure, dumps, load, loads, text
from fuzz.row import LAYOUTS
from fuzz.session import Session
from fuzz.shrink import failure, kept, shrink
from hypothesis import given, settings
from hypothesis import strategies as st
from tensor_backend import TORCH
from test_tensor_ops import NO_OP_FUNCTIONS, NOT_OPS

import pygrad

if TORCH:
    pytest.skip("it runs both by itself", allow_module_level=True)

PROGRAMS = 40 if "PYGRAD_SANITIZE" in os.environ else 400
CASES = sorted((Path(__file__).parent / "fuzz" / "cases").glob("*.json"))


def run(first: int, count: int, torch: bool = False) -> Counter:
    """Run programs of one batch; return what they hit."""
    hits: Counter = Counter()
    for number in range(first, first + count):
        session, error = batch.program(0, number, hits, torch)
        assert error is None, f"program {number}: {error}\n{text(shrink(session.steps, torch))}"
    return hits


# ---- programs -------------------------------------------------------------------------------------------------------


@settings(max_examples=10 if "PYGRAD_SANITIZE" in os.environ else 100)
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_any_program_agrees_with_the_oracle(rng, length):
    session = Session()
    make = Make(rng, session, Counter())
    try:
        make.program(length)
        session.finish()
    except Failure as error:
        raise AssertionError(f"{error}\n{text([*session.steps, make.last])}") from error


def test_seeded_programs_agree_with_the_oracle_and_are_long_and_various():
    hits = run(0, PROGRAMS)
    lengths = sorted(length for key, n in hits.items() if key[0] == "ops" for length in [key[1]] * n)
    assert lengths[len(lengths) // 2] >= 20
    assert {key[3] for key in hits if len(key) == 4} == set(LAYOUTS)
    assert hits["second derivatives"] > 0
    assert sum(n for key, n in hits.items() if key[1:] == ("refused",)) > 0  # calls that have to fail
    # Programs which the engine refuses to differentiate, for a change in place, say little.
    assert hits["incomplete gradients"] < 0.25 * PROGRAMS


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_seeded_programs_agree_with_pytorch():
    run(0, PROGRAMS // 4, torch=True)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_program_that_once_failed_agrees_with_the_oracle(path):
    program = load(path)
    assert len(kept(program)) == len(program), "a step is left out"
    assert failure(program) is None


def test_programs_return_all_their_memory():
    run(1000, 20)
    before = batch.held()
    run(1020, 60)
    assert batch.held() <= before + (1 << 20)


# ---- what is covered ------------------------------------------------------------------------------------------------


COVERED = {
    name
    for row in table.TABLE
    for name in (row.op, *row.covers, *(way.strip(".") for way in (*row.ways, *row.in_place)))
}


def test_every_method_and_function_of_the_op_table_has_a_row():
    methods = {name for name in dir(pygrad.Tensor) if not name.startswith("_")}
    methods = {name for name in methods if callable(getattr(pygrad.Tensor, name))}
    functions = {name for name in dir(pygrad) if not name.startswith("_")}
    functions = {name for name in functions if inspect.isroutine(getattr(pygrad, name))}
    assert methods - NOT_OPS <= COVERED
    assert functions - NO_OP_FUNCTIONS <= COVERED


def test_names_of_rows_are_unique():
    assert len(table.ROWS) == len(table.TABLE)


# ---- that it can see ------------------------------------------------------------------------------------------------


def found(programs: int) -> str:
    """Return what goes wrong within so many programs."""
    hits: Counter = Counter()
    for number in range(programs):
        session, error = batch.program(5, number, hits)
        if error is not None:
            steps = shrink(session.steps)
            assert len(steps) <= len(session.steps)
            return str(failure(steps))
    return "nothing"


def test_derivative_that_is_slightly_wrong_is_found(monkeypatch):
    wrong = unary(np.sin, lambda x, y: np.cos(x) * (1 + 1e-6))
    monkeypatch.setitem(table.ROWS, "sin", replace(table.ROWS["sin"], oracle=wrong))
    assert "the derivative by the gradients" in found(2000)


def test_value_that_is_slightly_wrong_is_found(monkeypatch):
    wrong = unary(lambda x: np.cos(x) + 1e-13, lambda x, y: -np.sin(x))
    monkeypatch.setitem(table.ROWS, "cos", replace(table.ROWS["cos"], oracle=wrong))
    assert "allowed is" in found(2000)


def test_view_that_is_a_copy_is_found(monkeypatch):
    monkeypatch.setattr(pygrad.Tensor, "narrow", lambda t, dim, start, length: t.narrow_copy(dim, start, length), False)
    monkeypatch.setattr(pygrad.Tensor, "narrow_copy", lambda t, *a: pygrad.narrow(t, *a).clone(), raising=False)
    assert "should be a view" in found(2000)


def test_call_that_is_not_refused_is_found(monkeypatch):
    def lenient(function):
        return lambda *args, dim=0, **options: function(*args, dim=dim if -4 <= dim < 4 else 0, **options)

    for name in ("argsort", "cumprod", "cumsum", "log_softmax", "softmax", "sort"):
        monkeypatch.setattr(pygrad, name, lenient(getattr(pygrad, name)))
    assert "no error" in found(4000)


# ---- its tools ------------------------------------------------------------------------------------------------------


def test_program_is_the_same_after_it_was_written_and_read():
    session, error = batch.program(0, 3, Counter())
    assert error is None
    again = loads(dumps(session.steps, found="a note"))
    assert text(again) == text(loads(dumps(again)))
    assert failure(again) is None


def test_shrinking_keeps_what_fails(monkeypatch):
    wrong = unary(np.tanh, lambda x, y: 1.1 - y * y)
    monkeypatch.setitem(table.ROWS, "tanh", replace(table.ROWS["tanh"], oracle=wrong))
    hits: Counter = Counter()
    for number in range(2000):
        session, error = batch.program(6, number, hits)
        if error is not None:
            steps = shrink(session.steps)
            assert any(step.op == "tanh" for step in steps)
            assert len(steps) <= 5
            return
    raise AssertionError("nothing was found")


def test_complex_step_has_no_error_of_a_difference():
    x = np.array([0.3, 1.2]) + 1j * H * np.array([1.0, -2.0])
    y = x * x * x
    np.testing.assert_allclose(y.imag / H, 3 * x.real**2 * [1.0, -2.0], rtol=1e-15)
