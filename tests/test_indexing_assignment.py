"""Writing by index: random expressions against numpy, gradients, and what is refused.

The oracle writes the values one by one, in the order of the result, to the positions that numpy reads.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from test_indexing_fuzz import DTYPES, READS, lay_out, numpy_reads, outcome, random_key, random_layout

import pygrad


def random_value(rng: random.Random, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array that broadcasts to a shape, some of its dimensions left out or of size 1, or one too many."""
    kept = shape[rng.randrange(len(shape) + 1) :] if rng.random() < 0.4 else shape
    sizes = tuple(1 if rng.random() < 0.15 else n for n in kept)
    if rng.random() < 0.1 and len(sizes) < 6:
        sizes = (1,) * (len(shape) - len(sizes) + 1) + sizes
    return np.array([rng.randint(0, 9) for _ in range(math.prod(sizes))]).reshape(sizes).astype(dtype)


@pytest.mark.parametrize("seed", range(8))
def test_random_expressions_write_where_numpy_reads(seed: int) -> None:
    rng = random.Random(1000 + seed)
    written = 0
    for _ in range(READS // 8):
        shape, steps = random_layout(rng)
        if any(step[0] == "expand" for step in steps):
            steps = []  # nothing is written where elements share memory
        dtype = rng.choice(DTYPES)
        base = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
        positions = lay_out(np.arange(base.size).reshape(shape), steps)
        wanted = base.copy()
        t = pygrad.tensor(base)
        view = lay_out(t, steps)
        key = random_key(rng, positions.shape)
        where = outcome(lambda positions=positions, key=key: numpy_reads(positions, key))
        case = f"shape {shape} {steps} [{key.written!r}]"
        if isinstance(where, IndexError):
            with pytest.raises(IndexError):
                view[key.for_tensor] = 1
            np.testing.assert_array_equal(t.numpy(), base, err_msg=case)
            continue
        value = random_value(rng, where.shape, rng.choice(DTYPES))
        number = rng.random() < 0.2
        given: Any = rng.choice([int, float, bool])(rng.randint(0, 3)) if number else pygrad.tensor(value)
        version = t._version
        failed = outcome(lambda view=view, key=key, given=given: view.__setitem__(key.for_tensor, given))
        if isinstance(failed, IndexError):  # numpy does not look at every index where nothing is read
            assert where.size == 0, case
            continue
        filled = np.broadcast_to(
            np.asarray(given) if number else value.reshape(value.shape[max(0, value.ndim - where.ndim) :]), where.shape
        )
        for position, element in zip(where.ravel(), filled.ravel(), strict=True):
            wanted.ravel()[position] = element
        np.testing.assert_array_equal(t.numpy(), wanted, err_msg=case)
        assert t._version == version + 1, case
        written += where.size
    assert written > READS // 8


@pytest.mark.parametrize("seed", range(4))
def test_gradients_of_a_random_assignment(seed: int) -> None:
    rng = random.Random(2000 + seed)
    for _ in range(READS // 16):
        shape, _ = random_layout(rng)
        n = math.prod(shape)
        key = random_key(rng, shape)
        where = outcome(lambda shape=shape, n=n, key=key: numpy_reads(np.arange(n).reshape(shape), key))
        if isinstance(where, IndexError) or len(set(where.ravel())) < where.size:
            continue  # of an element that is written twice PyTorch's documentation leaves the gradient open
        x = pygrad.tensor(np.zeros(shape), requires_grad=True)
        given = random_value(rng, where.shape, np.float64)
        value = pygrad.tensor(given, requires_grad=True)
        y = x * 1
        if isinstance(outcome(lambda y=y, key=key, value=value: y.__setitem__(key.for_tensor, value)), IndexError):
            continue
        weights = np.array([rng.randint(-9, 9) for _ in range(n)], float).reshape(shape)
        y.backward(pygrad.tensor(weights))
        kept = weights.copy()
        kept.ravel()[where.ravel()] = 0
        there = weights.ravel()[where.ravel()].reshape(where.shape)
        core = given.shape[max(0, given.ndim - where.ndim) :]
        while there.ndim > len(core):
            there = there.sum(0)
        for axis, size in enumerate(core):
            if size == 1 and there.shape[axis] != 1:
                there = there.sum(axis, keepdims=True)
        case = f"{shape} {key.written!r} {given.shape}"
        assert x.grad is not None and value.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), kept, err_msg=case)
        np.testing.assert_array_equal(value.grad.numpy(), there.reshape(given.shape), err_msg=case)


def test_assignment_has_second_derivatives() -> None:
    x = pygrad.tensor([1.0, 2.0, 3.0], dtype="float64", requires_grad=True)
    v = pygrad.tensor([4.0, 5.0], dtype="float64", requires_grad=True)
    y = x**2
    y[1:] = v**3
    (gx, gv) = pygrad.autograd.grad((y**2).sum(), (x, v), create_graph=True)
    (hx, hv) = pygrad.autograd.grad(gx.sum() + gv.sum(), (x, v))
    # (x0^4)'' = 12 x0^2; (v^6)'' = 30 v^4
    assert hx.tolist() == [12.0, 0.0, 0.0]
    assert hv.tolist() == [30 * 4.0**4, 30 * 5.0**4]


def test_last_of_the_values_for_one_element_stays() -> None:
    x = pygrad.zeros(3)
    x[[0, 1, 0]] = pygrad.tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [3.0, 2.0, 0.0]


def test_elements_are_written_from_overlapping_memory() -> None:
    x = pygrad.arange(6)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    x[::-1] = x
    assert x.tolist() == [4, 3, 2, 1, 0, 0]


def test_operators_in_place_write_through_an_index() -> None:
    x = pygrad.ones(2, 3)
    x[0] += 1
    x[:, 1] *= 10
    x[[0, 1], [0, 2]] -= 5
    assert x.tolist() == [[-3.0, 20.0, 2.0], [1.0, 10.0, -4.0]]


def test_numbers_are_converted_as_fill_does() -> None:
    x, flags = pygrad.zeros(2, dtype="int64"), pygrad.zeros(2, dtype="bool")
    x[0] = 2.7
    flags[1] = 3
    assert x.tolist() == [2, 0] and flags.tolist() == [False, True]
    with pytest.raises(RuntimeError, match="overflow"):
        x[0] = 1e300


def test_saved_tensor_that_is_written_by_index_stops_backward() -> None:
    w = pygrad.tensor([1.0, 2.0], requires_grad=True)
    y = w * 1
    z = y * y
    y[0] = 5.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize(
    ("write", "error", "text"),
    [
        (lambda x: x.__setitem__(5, 1), IndexError, "index 5 is out of bounds"),
        (lambda x: x.__setitem__([0, 9], 1), IndexError, "index 9 is out of bounds"),
        (lambda x: x.__setitem__(0, pygrad.ones(4)), RuntimeError, r"\[4\] cannot be broadcast .* \[3\]"),
        (lambda x: x.__setitem__(0, pygrad.ones(2, 3)), ValueError, r"\[2, 3\]"),
        (lambda x: x.__setitem__("a", 1), IndexError, "valid indices"),
        (lambda x: x.__setitem__(0, "a"), TypeError, "takes Tensors"),
        (lambda x: x.__setitem__(0, None), TypeError, "takes Tensors"),
        (lambda x: x.__delitem__(0), TypeError, "cannot be deleted"),
        (lambda x: x.expand(2, 2, 3).__setitem__(0, 1), RuntimeError, "more than one element"),
    ],
)
def test_wrong_assignment_is_named_and_writes_nothing(write: Any, error: type[Exception], text: str) -> None:
    x = pygrad.zeros(2, 3)
    with pytest.raises(error, match=text):
        write(x)
    assert x.sum().item() == 0.0 and x._version == 0


def test_leaf_that_wants_a_gradient_is_written_under_no_grad_only() -> None:
    w = pygrad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        w[0] = 2.0
    with pygrad.no_grad():
        w[0] = 2.0
    assert w.tolist() == [2.0, 1.0, 1.0]
    (w * w).sum().backward()
    assert w.grad is not None and w.grad.tolist() == [4.0, 2.0, 2.0]
