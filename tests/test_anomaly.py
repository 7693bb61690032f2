"""detect_anomaly: which errors backward raises, the mode itself, and what its notes cost."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from math import nan
from typing import Any

import numpy as np
import pytest
from anomaly_support import Cube, autograd, detect_anomaly, failure, found, lines, set_detect_anomaly
from tensor_backend import array, leaf, ours, pg

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")


def make_nan(dtype: str = "float64") -> None:
    leaf([1.0, -1.0], dtype).sqrt().sum().backward()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("f", "name", "output"),
    [
        (lambda x: x.sqrt(), "SqrtBackward0", 0),
        (lambda x: (x + 1) / (x + 1), "DivBackward0", 1),
        (lambda x: leaf([nan, 1.0]).to(x.dtype) * x, "MulBackward0", 1),
        (lambda x: x * pg.tensor(nan, dtype=x.dtype), "MulBackward0", 0),
        (lambda x: pg.where(x > 0, x.sqrt(), x), "SqrtBackward0", 0),
        (lambda x: Cube.apply(2.0, x), "CubeBackward", 0),
    ],
)
def test_first_function_that_returns_nan_is_named(f: Any, name: str, output: int, dtype: str) -> None:
    x = leaf([-1.0, 2.0], dtype)
    text = failure(lambda: f(x).sum().backward())
    assert text.splitlines()[0] == f"Function '{name}' returned nan values in its {output}th output."
    assert x.grad is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x + 1).log(),  # an infinite gradient
        lambda x: (x + 1).sqrt(),
        lambda x: x.log(),  # nan, with a gradient that is none
        lambda x: x[:0].sqrt(),
        lambda x: x.exp(),
    ],
)
def test_infinities_values_and_nothing_at_all_are_no_nan_in_a_gradient(f: Any, dtype: str) -> None:
    x = leaf([-1.0, 2.0], dtype)
    with detect_anomaly():
        f(x).sum().backward()
    assert not np.isnan(array(x.grad)).any()


def test_gradient_that_is_not_wanted_is_not_looked_at() -> None:
    x = leaf([2.0])
    with detect_anomaly():
        (x * pg.tensor([1.0], dtype=pg.float64) / leaf([1.0])).sum().backward()
        (pg.tensor([nan], dtype=pg.float64) + x).sum().backward()
    assert array(x.grad) == [2.0]


def test_chosen_gradients_are_looked_at_too() -> None:
    x = leaf([-1.0])
    assert "'SqrtBackward0'" in failure(lambda: autograd.grad(x.sqrt().sum(), x))


def test_views_of_a_gradient_are_looked_at_element_by_element() -> None:
    x = leaf(np.arange(24.0).reshape(2, 3, 4) - 1)
    assert "'SqrtBackward0'" in failure(lambda: x.transpose(0, 2)[::2].sqrt().sum().backward())
    with detect_anomaly():
        x.transpose(0, 2)[1:, :, 1:].sqrt().sum().backward()


@ours("it looks at each of the elements")
def test_stretched_tensor_is_looked_at_once() -> None:
    with detect_anomaly():
        y = leaf([1.0]).expand(1 << 40).expand(1 << 10, 1 << 40)
        y[0, :3].sum()


# ---- the mode --------------------------------------------------------------------------------------------------------


def test_off_nothing_is_found() -> None:
    assert not found(make_nan)


def test_context_ends_and_nests() -> None:
    with detect_anomaly():
        with detect_anomaly(check_nan=False):
            assert not found(make_nan)
        assert found(make_nan)
        with detect_anomaly():
            pass
        assert found(make_nan)
    assert not found(make_nan)


def test_context_ends_with_an_error() -> None:
    with pytest.raises(KeyError), detect_anomaly():
        raise KeyError
    assert not found(make_nan)


def test_setting_works_as_a_call_and_as_a_context() -> None:
    try:
        set_detect_anomaly(True)
        assert found(make_nan)
        set_detect_anomaly(True, check_nan=False)
        assert not found(make_nan)
        with set_detect_anomaly(True):
            assert found(make_nan)
        assert not found(make_nan)
        with set_detect_anomaly(True), set_detect_anomaly(False):
            assert not found(make_nan)
    finally:
        set_detect_anomaly(False)
    assert not found(make_nan)


@ours("it is no decorator")
@pytest.mark.parametrize("decorate", [lambda: detect_anomaly(), lambda: set_detect_anomaly(True)])
def test_decorator_is_for_the_calls_alone(decorate: Any) -> None:
    decorated = decorate()(make_nan)
    assert decorated.__name__ == "make_nan"
    assert not found(make_nan)
    assert found(decorated)
    assert not found(make_nan)


@ours("it is no decorator")
def test_decorated_generator_detects_in_its_own_code_alone() -> None:
    @detect_anomaly()
    def steps() -> Any:
        yield found(make_nan)
        yield found(make_nan)

    for seen in steps():
        assert seen
        assert not found(make_nan)


@ours("it takes anything")
def test_decorator_without_parentheses_is_refused() -> None:
    with pytest.raises(TypeError, match=r"@detect_anomaly\(\)"):
        detect_anomaly(make_nan)
    with pytest.raises(TypeError, match="check_nan is a bool, not 1"):
        set_detect_anomaly(True, 1)


@ours("it is for all threads")
def test_threads_have_their_own() -> None:
    seen = []

    def other() -> None:
        seen.append(found(make_nan))
        with detect_anomaly():
            seen.append(found(make_nan))

    with detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert found(make_nan)
    assert seen == [False, True]
    assert not found(make_nan)


# ---- what a note costs -----------------------------------------------------------------------------------------------


@ours("it does not count its bytes")
def test_notes_are_freed_with_their_nodes() -> None:
    from pygrad._engine import lib

    def held() -> int:
        return int(lib.pg_live_bytes() - lib.pg_cached_bytes())

    def work(create_graph: bool) -> None:
        x = leaf(np.linspace(0.5, 1.0, 6).reshape(2, 3))
        parts = (Cube.apply(1.0, x).detach() * x).log().split(1)
        y = pg.cat(parts).softmax(-1).sum()
        (g,) = autograd.grad(y, x, create_graph=True)
        if create_graph:
            (g * g).sum().backward()

    with detect_anomaly():
        work(True)
        gc.collect()
        before = held()
        for _ in range(20):
            work(True)
            work(False)
            assert found(make_nan)
        gc.collect()
        assert held() == before
        y = leaf([1.0])
        for _ in range(100_000):
            y = y * 1.0
        assert held() > before + 100_000 * 100
        del y
        assert held() == before


@lines
def test_notes_keep_no_frame_and_no_local_variable() -> None:
    class Witness:
        pass

    def forward() -> Any:
        witness = Witness()
        return leaf([1.0]).exp().sum(), weakref.ref(witness)

    with detect_anomaly():
        y, witness = forward()
    assert witness() is None
    y.backward()


@ours("it walks no frames while an operation is under way")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="collects between bytecodes alone")
@pytest.mark.skipif("PYGRAD_SANITIZE" in os.environ, reason="the result's object is not from the pool")
def test_no_finalizer_runs_in_the_middle_of_an_operation() -> None:
    """The frame objects that a note is read from would start a collection, whose finalizers may change the operands."""

    class Garbage:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            finalized.append(inside)

    finalized: list[bool] = []
    x, before = leaf([1.0]), gc.get_threshold()
    try:
        for _ in range(20):
            gc.collect()
            inside = False
            gc.set_threshold(1 << 30)
            Garbage()
            with detect_anomaly():
                gc.set_threshold(1)
                inside = True
                x.exp()
                inside = False
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(finalized) == 20
    assert not any(finalized)


@ours("it walks no frames while an operation is under way")
@pytest.mark.parametrize("enabled", [False, True])
def test_garbage_collector_is_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with detect_anomaly():
            leaf([1.0]).exp()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
