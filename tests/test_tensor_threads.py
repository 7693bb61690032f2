"""Tensors in several threads, in the child of a fork, and at the end of the interpreter."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from processes import run
from tensor_backend import TORCH, array, many, pg

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


# ---- threads ---------------------------------------------------------------------------------------------------------


def test_threads_with_graphs_of_their_own() -> None:
    results: dict[int, list[float]] = {}
    errors: list[BaseException] = []
    shared = pg.arange(8.0)

    def work(i: int) -> None:
        try:
            w = pg.full((8,), float(i)).requires_grad_()
            for step in range(200):
                y = (w * shared + step).tanh()
                ((y * y).sum() + (w[:4] @ w[4:])).backward()
                if step % 2:
                    with pg.no_grad():
                        assert not (w * 2).requires_grad
                        w.grad = None
                assert pg.is_grad_enabled()
                w.me = w
            (w * shared).sum().backward()
            results[i] = array(w.grad).tolist()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []
    assert [results[i] for i in range(8)] == [list(range(8))] * 8


def test_tensors_made_in_one_thread_die_in_another() -> None:
    made: list[Any] = []

    def make() -> None:
        x = pg.ones(1000).requires_grad_()
        made.extend([(x * i).tanh() for i in range(100)])

    t = threading.Thread(target=make)
    t.start()
    t.join()
    total = sum(y.sum() for y in made)
    made.clear()
    total.backward()
    del total
    many()


def test_grad_mode_of_a_thread_is_its_own() -> None:
    seen: list[bool] = []
    with pg.no_grad():
        t = threading.Thread(target=lambda: seen.append(pg.is_grad_enabled()))
        t.start()
        t.join()
        assert not pg.is_grad_enabled()
    assert seen == [True]


# ---- processes -------------------------------------------------------------------------------------------------------


@needs_fork
@pytest.mark.skipif(TORCH, reason="its threads do not survive a fork")
def test_child_of_a_fork_goes_on_with_the_graph() -> None:
    out = run(
        """
        import os, pygrad as pg
        x = pg.arange(1000.0).requires_grad_()
        y = (x * x).sum()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            y.backward()
            z = (x.grad * 2).sum().item()
            os.write(write, str(z).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert x.grad is None
        y.backward()
        assert float(os.read(read, 100)) == (x.grad * 2).sum().item()
        print("both")
        """
    )
    assert out.strip() == "both"


@pytest.mark.skipif(TORCH, reason="about the end of the interpreter with pygrad")
def test_tensors_alive_at_the_end_of_the_interpreter_do_no_harm() -> None:
    run(
        """
        import sys, threading
        import numpy as np
        import pygrad as pg
        class Last(pg.Tensor):
            def __del__(self):
                (self * 2).sum()
        x = pg.ones(3).requires_grad_()
        x.me, x.array, x.last = x, pg.from_numpy(np.ones(4)), Last([1.0])
        y = (x * x).tanh()
        sys.kept = [x, y, y.detach().numpy()]
        local = threading.local()
        local.x = x * 3
        """
    )
