"""Allocations that fail under tensors: MemoryError, nothing leaked, no operand changed, everything usable.

`pg_fail_allocation(n, forever)` lets the nth allocation of the engine fail. Each operation here is tried with n = 1,
2, 3... until it gets through, so that every one of its allocations has failed once, alone and with all that follow.
"""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import zlib
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
from tensor_backend import TORCH, pg
from tensor_table import TABLE, Case, Row

if TORCH:
    pytest.skip("PyTorch's allocations do not fail on demand", allow_module_level=True)

from pygrad import nn, optim
from pygrad._engine import lib

MOST_ALLOCATIONS = 2_000  # of one operation; more would be an endless loop


def in_use() -> int:
    """Return the bytes that somebody holds: the engine keeps freed blocks for the next taker."""
    return int(lib.pg_live_bytes() - lib.pg_cached_bytes())


def attempt(operation: Callable[[], object], n: int, forever: bool) -> bool:
    """Run it with its nth allocation failing; tell whether it met that failure."""
    lib.pg_fail_allocation(n, forever)
    try:
        operation()
        return False
    except MemoryError:
        return True
    finally:
        lib.pg_fail_allocation(0, False)


class Watch:
    """The tensors that an operation works on, and what must not change in them when it fails."""

    def __init__(self, tensors: list[Any]) -> None:
        self.tensors = tensors
        self.before = self.state()

    def state(self) -> list[object]:
        with pg.no_grad():
            return [(t.shape, t.dtype, t.requires_grad, t.is_leaf, t.detach().numpy().tobytes()) for t in self.tensors]

    def clear(self) -> None:
        for t in self.tensors:
            t.grad = None


def check(operation: Callable[[], object], tensors: list[Any]) -> int:
    """Fail each allocation of the operation in turn; return how many there were."""
    watch = Watch(tensors)
    gc.collect()  # what earlier tests have left, which would be freed at any moment
    for _ in range(2):  # what is made once and kept: tables, the nodes of leaves
        operation()
        watch.clear()
    live = in_use()
    for forever in False, True:
        for n in itertools.count(1):
            assert n < MOST_ALLOCATIONS
            failed = attempt(operation, n, forever)
            watch.clear()
            assert in_use() == live, (n, forever)
            assert watch.state() == watch.before, (n, forever)
            if not failed:
                break
    operation()
    watch.clear()
    assert in_use() == live
    return n


# ---- the table -----------------------------------------------------------------------------------------------------


def small_cases() -> list[Any]:
    """The first and the last case of each row that have several elements."""
    cases = []
    for row in TABLE:
        full = [c for c in row.cases if any(prod(s) > 1 for s in c.shapes) and all(prod(s) > 0 for s in c.shapes)]
        for c in full[:1] + full[-1:] if len(full) > 1 else full:
            cases.append(pytest.param(row, c, id=f"{row.name}-{c}"[:80]))
    return cases


@pytest.mark.parametrize(("row", "c"), small_cases())
def test_each_allocation_of_each_op_and_its_gradient_may_fail(row: Row, c: Case) -> None:
    rng = np.random.default_rng(zlib.crc32(f"{row.name}{c}".encode()))
    tensors = []
    for given, shape in zip(row.inputs, c.shapes, strict=True):
        dtype = "float32" if given.dtype == "float" else given.dtype
        t = pg.tensor(np.asarray(given.sample(rng, shape), dtype=dtype))
        tensors.append(t.requires_grad_() if given.differentiable and row.result == "float" else t)

    def operation() -> None:
        out = row(*tensors, **c.options)
        if row.differentiable():
            # Sliced and transposed operands take other ways than whole ones.
            views = [t.expand(2, *t.shape)[1] if t.dtype is pg.float32 else t for t in tensors]
            out = out.sum() + row(*views, **c.options).sum()
            out.backward()

    assert check(operation, tensors) > 1


# ---- what the table does not have ----------------------------------------------------------------------------------


class Sub(pg.Tensor):  # type: ignore[misc]
    """A subclass: its instances come from Python's allocator."""


def in_place(x: Any, w: Any) -> None:
    y = x * 2
    v = y[0]
    y.mul_(w).add_(y.T if y.shape[0] == y.shape[1] else 1.0).copy_(x * w)
    del v
    y.fill_(w[0, 0])
    y.lerp_(w, 0.25).gt_(1.0)
    y.sum().backward()


def views_in_place(x: Any, w: Any) -> None:
    y = x * 2
    row, column, inside = y[1], y[:, 1], y[1, :2]
    row.mul_(w[0])
    column += 1
    loss = (y * y).sum() + inside.sum() + column.sum()
    (g,) = pg.autograd.grad(loss, x, create_graph=True)
    g.sum().backward()


def retained(x: Any, w: Any) -> None:
    y = x * w
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()


def gradients(x: Any, w: Any) -> None:
    y = x * w
    pg.autograd.grad([y, y.sum()], [x, y, w], [x.detach(), None])


def step(x: Any, w: Any) -> None:
    for kind in optim.SGD, optim.Adam:
        # Leaves of its own: a step that fails may have changed the parameters before it.
        own = [x.detach().clone().requires_grad_(), w.detach().T.clone().T.requires_grad_()]
        optimizer = kind(own, lr=0.1) if kind is optim.Adam else kind(own, lr=0.1, momentum=0.9)
        (own[0] * own[1]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()


def anomalies(x: Any, w: Any) -> None:
    with pg.autograd.detect_anomaly():
        (first,) = pg.autograd.grad((x.log() * w).sum(), x, create_graph=True)
        pg.cat(first.split(1)).sum().backward()
        y = (x * 1).exp()
        with pytest.raises(RuntimeError, match="'MulBackward0' returned nan"):
            (y * 0).log().sum().backward()
        y.detach().fill_(0)
        with pytest.raises(RuntimeError, match=r"Exp: one of the variables .* modified by an inplace"):
            y.sum().backward()


def attributes(x: Any, w: Any) -> None:
    y = Sub(x.detach())
    y.colour = y.detach()
    (x * 1).name = "name"
    y.data = w.detach()
    y.__class__ = Sub


def module(x: Any, w: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 3))
    nn.functional.mse_loss(model(x), w).backward() if hasattr(nn, "functional") else model(x).sum().backward()
    model.load_state_dict(model.state_dict())


def random_numbers(x: Any, w: Any) -> None:
    pg.rand(3, 4)
    pg.randn(3, 4, dtype=pg.float64)
    pg.randint(0, 10, (5,))
    pg.randperm(10)
    pg.empty(3).uniform_(0, 1).normal_(0, 1).exponential_(2).bernoulli_(0.5).random_(9)


OPERATIONS: dict[str, Callable[[Any, Any], object]] = {
    "in place": in_place,
    "views in place": views_in_place,
    "retained gradients": retained,
    "chosen gradients": gradients,
    "optimisers": step,
    "attributes": attributes,
    "a module": module,
    "anomalies": anomalies,
    "random numbers": random_numbers,
    "lists": lambda x, w: pg.tensor([[1.0, 2.0], [3.0, 4.0]]).tolist(),
    "arrays": lambda x, w: (pg.from_numpy(np.ones(3)).numpy(), pg.tensor(np.arange(3)[::-1]), np.asarray(x.detach())),
    "arrays of what is saved": lambda x, w: ((x * w).sum(), x.detach().numpy(), (x * w).sum())[2].backward(),
    "array operands": lambda x, w: (x * np.ones((3, 3))).sum().backward(),
    "ranges": lambda x, w: (pg.arange(5), pg.arange(0.0, 1.0, 0.1), pg.linspace(0, 1, 7), pg.eye(3)),
    "copies": lambda x, w: (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))),
    "text": lambda x, w: (repr(x), str(x.sum()), f"{x.sum().item():.3f}"),
    "a gradient given": lambda x, w: (x * w).backward(w.detach().double()),
    "iteration": lambda x, w: [row.sum() for row in x],
    "a long expression": lambda x, w: ((x @ w + x.T).softmax(-1) * w - x / (w * w + 2)).logsumexp(0).sum().backward(),
    "indices": lambda x, w: (x[[0, 2]][:, [True, False, True]] * x[..., None][1:, ::-1].sum()).sum().backward(),
    "joins": lambda x, w: pg.cat([pg.stack([x, w]), x[None]]).sum().backward(),
    "names of nodes": lambda x, w: [repr(n) for n, _ in (x * w).grad_fn.next_functions],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_allocation_may_fail(name: str) -> None:
    x = pg.tensor(np.linspace(0.5, 2.0, 9, dtype=np.float32).reshape(3, 3)).requires_grad_()
    w = pg.tensor(np.linspace(1.5, 0.5, 9, dtype=np.float32).reshape(3, 3)).requires_grad_()
    assert check(lambda: OPERATIONS[name](x, w), [x, w]) > 1


def test_operation_in_place_that_fails_changes_nothing() -> None:
    """The new handle is made before the memory is written: written memory under the old history would be wrong."""
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    for operation in ("add_", "copy_", "mul_", "clamp_", "ge_"):
        for n in range(1, 30):
            y = x * 2
            v = y[1:]
            if not attempt(lambda y=y, operation=operation: getattr(y, operation)(x), n, False):
                break
            assert y.tolist() == [2.0, 4.0, 6.0]
            assert v.grad_fn.name() == "SliceBackward0"
            assert y._version == 0
            (y * 1).sum().backward()
            assert x.grad.tolist() == [2.0, 2.0, 2.0]
            x.grad = None
        assert n > 2


def test_backward_that_fails_can_be_repeated_with_a_graph_that_was_kept() -> None:
    x = pg.tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
    y = ((x @ x).tanh() * x).logsumexp(1).sum()
    y.backward(retain_graph=True)
    wanted = x.grad.tolist()
    for n in range(1, 200):
        x.grad = None
        failed = attempt(lambda: y.backward(retain_graph=True), n, False)
        x.grad = None
        y.backward(retain_graph=True)
        assert x.grad.tolist() == wanted
        if not failed:
            break
    assert n > 10
