"""Tensors as Python objects: who keeps what alive, the garbage collector, subclasses and copies."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref
from typing import Any

import numpy as np
import pytest
from tensor_backend import TORCH, array, many, ours, pg


class Sub(pg.Tensor):  # type: ignore[misc]
    """A subclass without anything of its own."""


class Slotted(pg.Tensor):  # type: ignore[misc]
    """A subclass with a slot."""

    __slots__ = ("other",)


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


def test_tensor_is_not_given_out_while_its_attributes_die() -> None:
    """Slots of a subclass go when no reference to the object is left, and what goes with them may ask for it."""
    x, seen = pg.zeros(2, requires_grad=True), []

    class Curious:
        def __del__(self) -> None:
            seen.append(x.grad)

    class Slotted(pg.Tensor):  # type: ignore[misc]
        __slots__ = ("curious",)

    x.grad = Slotted([1.0, 2.0])
    g = x.grad
    g.curious = Curious()
    del g
    gc.collect()
    assert [t.tolist() for t in seen] == [[1.0, 2.0]] * len(seen)
    assert TORCH or len(seen) == 1
    seen.clear()
    many()
    assert x.grad.tolist() == [1.0, 2.0]


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
