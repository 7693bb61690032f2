"""Tensors as Python objects: who keeps what alive, the garbage collector, subclasses, threads and processes."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from tensor_backend import TORCH, array, ours, pg

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


class Sub(pg.Tensor):  # type: ignore[misc]
    """A subclass without anything of its own."""


class Slotted(pg.Tensor):  # type: ignore[misc]
    """A subclass with a slot."""

    __slots__ = ("other",)


def many(n: int = 100) -> list[Any]:
    """Return fresh tensors, which take the memory of those that were just freed."""
    return [pg.tensor([1.0]) for _ in range(n)]


def run(program: str) -> str:
    """Run a program in a fresh interpreter; it has to succeed and say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# ---- reference counts and weak references --------------------------------------------------------------------------


def test_tensor_dies_with_its_last_reference() -> None:
    x = pg.tensor([1.0])
    died: list[bool] = []
    ref = weakref.ref(x, lambda _: died.append(True))
    assert ref() is x
    del x
    assert ref() is None
    assert died == [True]


@ours("saved tensors keep their objects")
def test_graph_does_not_keep_the_tensor_objects_alive() -> None:
    x = pg.ones(2).requires_grad_()
    y = x * 2
    ref = weakref.ref(y)
    z = (y * y).sum()
    del y
    assert ref() is None
    z.backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_graph_keeps_values_and_leaves_alive() -> None:
    x = pg.ones(2).requires_grad_()
    z = (x * pg.tensor([3.0, 4.0])).sum()
    kept = x.detach()
    del x
    many()
    z.backward()
    assert kept.tolist() == [1.0, 1.0]


def test_view_and_array_keep_the_memory_alive() -> None:
    x = pg.arange(6.0)
    view, numbers = x.reshape(2, 3)[1], x.numpy()[::2]
    del x
    many()
    assert view.tolist() == [3.0, 4.0, 5.0]
    assert numbers.tolist() == [0.0, 2.0, 4.0]


def test_tensor_over_an_array_keeps_the_array_alive() -> None:
    a = np.arange(4.0)
    ref = weakref.ref(a)
    x = pg.from_numpy(a)[1:]
    del a
    gc.collect()
    assert ref() is not None
    assert x.tolist() == [1.0, 2.0, 3.0]
    del x
    assert ref() is None


def test_references_are_balanced_in_operators() -> None:
    x, w, n = pg.ones(3).requires_grad_(), pg.ones(3), 12345.678
    before = [sys.getrefcount(o) for o in (x, w, n)]
    for _ in range(100):
        y = (x * w + n).sum()
        y.backward()
        x.detach().add_(w).mul_(n)
        assert x[0:2].sum() == x[[0, 1]].sum()
        x.grad = None
        with pytest.raises(RuntimeError):
            x + pg.ones(4)
        with pytest.raises(TypeError):
            x + "text"
        pg.where(x > 0, x, n).clamp(0, n).max(0)
    del y
    assert [sys.getrefcount(o) for o in (x, w, n)] == before


# ---- gradients as objects -------------------------------------------------------------------------------------------


def test_grad_is_one_object_while_somebody_has_it() -> None:
    x = pg.ones(2).requires_grad_()
    (x * x).sum().backward()
    g = x.grad
    assert x.grad is g
    (x * x).sum().backward()
    assert x.grad is g
    assert g.tolist() == [4.0, 4.0]


def test_grad_outlives_its_leaf() -> None:
    x = pg.ones(2).requires_grad_()
    (x * 3).sum().backward()
    g = x.grad
    del x
    many()
    assert g.tolist() == [3.0, 3.0]


def test_grad_that_was_given_is_the_object_that_is_added_to() -> None:
    x, g = pg.ones(2).requires_grad_(), pg.tensor([10.0, 20.0])
    x.grad = g
    (x * 3).sum().backward()
    assert x.grad is g
    assert g.tolist() == [13.0, 23.0]


def test_no_two_gradients_share_memory_with_each_other_or_the_seed() -> None:
    x, w, seed = pg.ones(2).requires_grad_(), pg.ones(2).requires_grad_(), pg.tensor([1.0, 2.0])
    (x + w).backward(seed)
    x.grad.mul_(10)
    w.grad.add_(100)
    assert (x.grad.tolist(), w.grad.tolist(), seed.tolist()) == ([10.0, 20.0], [101.0, 102.0], [1.0, 2.0])


def test_root_that_is_a_leaf_copies_its_seed() -> None:
    x, seed = pg.ones(2).requires_grad_(), pg.ones(2)
    x.backward(seed)
    x.grad.zero_()
    assert seed.tolist() == [1.0, 1.0]


@ours("there the seed changes while it is passed on")
def test_gradient_of_a_leaf_may_be_the_seed_of_a_graph_that_adds_to_it() -> None:
    """The seed and the sum were one memory: what was added to x.grad went on to w as well."""
    x, w = pg.ones(2).requires_grad_(), pg.ones(2).requires_grad_()
    x.grad = pg.tensor([1.0, 10.0])
    (x + w).backward(x.grad)
    assert x.grad.tolist() == [2.0, 20.0]
    assert w.grad.tolist() == [1.0, 10.0]


@ours("it refuses")
def test_gradient_of_a_leaf_may_be_the_seed_of_its_own_transpose() -> None:
    """Adding x.grad.T to x.grad in place read elements that had been written."""
    x = pg.ones(2, 2).requires_grad_()
    x.grad = pg.tensor([[1.0, 2.0], [3.0, 4.0]])
    x.T.backward(x.grad)
    assert x.grad.tolist() == [[2.0, 5.0], [5.0, 8.0]]


@ours("it refuses")
def test_gradient_that_was_expanded_is_not_added_to_in_place() -> None:
    """All its elements are one: each got the sum of all."""
    x = pg.ones(3).requires_grad_()
    x.grad = pg.zeros(1).expand(3)
    (x * pg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


# ---- the garbage collector ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "subclass", "slot"])
@pytest.mark.parametrize("early", [False, True])
def test_cycles_through_attributes_are_collected(kind: str, early: bool) -> None:
    """`early`: the collector meets the tensor before its dict, and clears it first; its memory was then reused while
    it was still on the collector's list."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(4):
            tensors: list[Any] = [
                pg.tensor([1.0]) if kind == "plain" else (Sub if kind == "subclass" else Slotted)([1.0])
                for _ in range(50)
            ]
            for x in tensors:
                if early:
                    x.first = 1
                if kind == "slot":
                    x.other = x
                else:
                    x.other = [x]
            refs = [weakref.ref(x) for x in tensors]
            del tensors, x
            gc.collect()
            assert not any(ref() is not None for ref in refs)
            many()
            gc.collect()
    finally:
        gc.enable()


@ours("its tensors cannot become others")
def test_class_can_be_assigned_and_the_memory_survives() -> None:
    """A tensor from the pool was on the collector's list when its memory went back, because its new class had put it
    there."""
    for there_and_back in False, True:
        for _ in range(5):
            x = pg.tensor([1.0, 2.0])
            x.__class__ = Sub
            if there_and_back:
                x.__class__ = pg.Tensor
            y = Sub([1.0])
            y.__class__ = pg.Tensor
            assert (x + y).tolist() == [2.0, 3.0]
            del x, y
            many(20)
            gc.collect()


def test_cycle_through_a_dict_that_was_asked_for_is_collected() -> None:
    x = pg.tensor([1.0])
    vars(x)["me"] = x
    ref = weakref.ref(x)
    del x
    gc.collect()
    assert ref() is None
    many()
    gc.collect()


@ours("its tensors have a `name` of their own")
def test_attributes_stay_with_the_object() -> None:
    x = pg.ones(2).requires_grad_()
    x.name = "weight"
    y = x * 2
    y.name = "double"
    y.mul_(3)
    assert (x.name, y.name) == ("weight", "double")
    (y * 1).sum().backward()
    kept = x.grad
    kept.name = "gradient"
    assert x.grad.name == kept.name == "gradient"


def test_tensor_may_come_back_to_life_once() -> None:
    saved: list[Any] = []

    class Phoenix(pg.Tensor):  # type: ignore[misc]
        def __del__(self) -> None:
            saved.append(self)

    x = Phoenix([1.0, 2.0])
    x.colour = "red"
    del x
    assert saved[0].colour == "red"
    assert (saved[0] * 2).tolist() == [2.0, 4.0]
    saved.clear()
    many()
    gc.collect()


def test_callback_of_a_weak_reference_may_use_tensors() -> None:
    results: list[Any] = []
    x = pg.ones(2).requires_grad_()
    y = x * 2
    ref = weakref.ref(y, lambda _: results.append((x * 3).sum().item()))
    del y
    assert ref() is None
    assert results == [6.0]


# ---- subclasses and copies -------------------------------------------------------------------------------------------


def test_grad_and_history_of_a_subclass() -> None:
    x = Sub([1.0, 2.0]).requires_grad_()
    (x * x).sum().backward()
    assert array(x.grad).tolist() == [2.0, 4.0]
    assert isinstance(x, Sub)


def test_copies_keep_values_and_are_apart() -> None:
    x = pg.tensor([1.0, 2.0]).requires_grad_()
    for y in copy.deepcopy(x), pickle.loads(pickle.dumps(x)):
        assert (y.tolist(), y.requires_grad, y.is_leaf) == ([1.0, 2.0], True, True)
        with pg.no_grad():
            y.zero_()
        assert x.tolist() == [1.0, 2.0]


def test_pickle_of_a_view_holds_its_elements() -> None:
    x = pg.arange(12.0).reshape(3, 4)
    for view in x[1:, ::2], x.T, x[1].expand(2, 4), x[:0], x[2, 3]:
        assert pickle.loads(pickle.dumps(view)).tolist() == view.tolist()


# ---- Python code that runs in the middle of a call -------------------------------------------------------------------


class Rewriting:
    """A number whose conversion changes a tensor in place, which gives that tensor another handle."""

    def __init__(self, x: Any, value: int) -> None:
        self.x, self.value = x, value

    def _change(self) -> None:
        self.x.mul_(1.0)
        self.junk = [pg.ones(4) * 2 for _ in range(20)]

    def __index__(self) -> int:
        self._change()
        return self.value

    def __float__(self) -> float:
        self._change()
        return float(self.value)

    def __bool__(self) -> bool:
        self._change()
        return bool(self.value)


@ours("it does not take such numbers everywhere")
@pytest.mark.parametrize(
    "call",
    [
        lambda x, n: x.reshape(n(2), 2),
        lambda x, n: x.view(n(4)),
        lambda x, n: x.expand(2, n(4)),
        lambda x, n: x.transpose(n(0), n(0)),
        lambda x, n: x.permute(n(0)),
        lambda x, n: x.squeeze(n(0)),
        lambda x, n: x.unsqueeze(n(0)),
        lambda x, n: x.flatten(n(0), n(0)),
        lambda x, n: x.sum(n(0)),
        lambda x, n: x.mean(n(0), keepdim=n(1)),
        lambda x, n: x.max(n(0), keepdim=n(0))[0],
        lambda x, n: x.argmax(n(0)),
        lambda x, n: x.softmax(n(0)),
        lambda x, n: x.log_softmax(n(0)),
        lambda x, n: x.logsumexp(n(0)),
        lambda x, n: x.prod(n(0)),
        lambda x, n: x.cumsum(n(0)),
        lambda x, n: x.cumprod(n(0)),
        lambda x, n: x.var(n(0), correction=n(1)),
        lambda x, n: x.std(n(0), keepdim=n(1)),
        lambda x, n: x.norm(n(2), dim=n(0)),
        lambda x, n: x.sort(n(0), descending=n(1))[0],
        lambda x, n: x.topk(n(2), dim=n(0))[0],
        lambda x, n: x.median(n(0), keepdim=n(1))[0],
        lambda x, n: x.any(n(0), keepdim=n(1)),
        lambda x, n: x[n(1)],
        lambda x, n: x[n(0) : n(2)],
        lambda x, n: x[pg.tensor([1]), None, n(0)],
        lambda x, n: x + n(2),
        lambda x, n: n(2) * x,
        lambda x, n: x.clamp(n(0), n(1)),
        lambda x, n: pg.where(x > 0, x, n(1)),
        lambda x, n: pg.where(x > 0, n(1), x),
        lambda x, n: pg.huber_loss(x, x.detach(), delta=n(1)),
        lambda x, n: pg.cross_entropy(x, pg.tensor(1), label_smoothing=n(0)),
        lambda x, n: x.backward(pg.ones(4), retain_graph=n(1)),
        lambda x, n: pg.cat([x, x], n(0)),
        lambda x, n: x.add_(n(1)),
        lambda x, n: x.fill_(n(1)),
        lambda x, n: x.requires_grad_(n(1)),
        lambda x, n: x.uniform_(n(0), n(1)),
    ],
)
def test_argument_may_change_the_tensor_while_it_is_read(call: Any) -> None:
    """The old handle was used after the conversion of an argument had freed it."""
    x = pg.tensor([1.0, 2.0, 3.0, 4.0]).requires_grad_() * 1
    try:
        out = call(x, lambda value: Rewriting(x, value))
    except (TypeError, RuntimeError, IndexError):  # such a number is not taken, or what it did is noticed
        out = x
    many()
    if out is not None:
        assert np.isfinite(array(out)).all()


# ---- histories that are not what the memory holds -------------------------------------------------------------------


@ours("it has gradients with respect to weights")
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy_with_logits"])
def test_weight_that_was_changed_through_a_recorded_view_is_refused(loss: str) -> None:
    """It requires no gradient itself, and was taken for a constant."""
    weight, factor = pg.ones(2), pg.tensor([2.0]).requires_grad_()
    weight[:1].mul_(factor)
    target = pg.tensor([0]) if loss == "cross_entropy" else pg.zeros(1, 2)
    with pytest.raises(RuntimeError, match="no gradient with respect to weight"):
        getattr(pg, loss)(pg.zeros(1, 2), target, weight=weight)


def test_data_of_another_shape_cannot_meet_old_gradients() -> None:
    """Two gradients of different shapes were added element by element, past the end of the shorter one."""
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    y = (x * x).sum()
    x.data = pg.zeros(100_000)
    with pytest.raises(RuntimeError):
        (y + (x * x).sum()).backward()
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    (x * x).sum().backward()
    x.data = pg.zeros(100_000)
    with pytest.raises(RuntimeError):
        (x * x).sum().backward()


@ours("it notices in backward")
def test_data_of_a_computed_tensor_keeps_its_shape() -> None:
    """The rule of the operation behind it read its saved tensors past their end."""
    x = pg.tensor([1.0, 2.0, 3.0]).requires_grad_()
    y = x * x
    with pytest.raises(RuntimeError, match="shape"):
        y.data = pg.zeros(100_000)
    y.data = pg.tensor([7.0, 7.0, 7.0])
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


@ours("it adds float64 to float32")
def test_gradient_of_another_dtype_is_not_added_to() -> None:
    """The bytes of doubles were added as if they were floats."""
    x = pg.tensor([1.0, 2.0, 3.0])
    x.grad = pg.ones(3)
    x.data = pg.zeros(3, dtype=pg.float64)
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="dtype"):
        (x * x).sum().backward()


def test_leaf_that_no_longer_requires_a_gradient_gets_none() -> None:
    x = pg.tensor([1.0, 2.0]).requires_grad_()
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward(retain_graph=True)
    assert x.grad is None
    x.requires_grad_()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_grad_of_no_inputs_is_refused() -> None:
    """No inputs stood for all leaves, whose gradients it changed."""
    x = pg.tensor([1.0, 2.0]).requires_grad_()
    with pytest.raises(RuntimeError, match="empty"):
        pg.autograd.grad((x * 2).sum(), [])
    assert x.grad is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e19])
def test_fill_refuses_what_an_integer_cannot_be(value: float) -> None:
    """The conversion is undefined in C."""
    x = pg.tensor([1, 2])
    with pytest.raises(RuntimeError, match="cannot be converted"):
        x.fill_(value)
    assert x.tolist() == [1, 2]


# ---- gradients of the extremes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [float("nan"), float("inf")])
def test_max_gives_what_it_does_not_take_no_gradient(seed: float) -> None:
    """A mask times nan or infinity is nan."""
    x = pg.tensor([1.0, 3.0, 2.0]).requires_grad_()
    x.max().backward(pg.tensor(seed))
    got = array(x.grad).tolist()
    assert (got[0], got[2]) == (0.0, 0.0)
    assert not np.isfinite(got[1])


def test_more_ties_than_a_float_can_count_share_the_gradient() -> None:
    """2^24 + 1 is 2^24 in float32."""
    n = (1 << 24) + (1 << 22)
    x = pg.zeros(n).requires_grad_()
    x.max().backward()
    assert x.grad[0].item() == np.float32(1 / n)


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
