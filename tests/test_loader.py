"""Mini-batches: every sample once, in orders that the seed decides, as tensors that are copies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pygrad
from pygrad.data import DataLoader, TensorDataset
from pygrad.random import Generator


def batches(loader: DataLoader) -> list[tuple[np.ndarray, ...]]:
    return [tuple(tensor.numpy() for tensor in batch) for batch in loader]


def order(loader: DataLoader) -> list[int]:
    """Return the samples of an epoch, of which the last tensor holds the numbers."""
    return np.concatenate([batch[-1] for batch in batches(loader)]).tolist()


def numbered(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(3.0 * n, dtype=np.float32).reshape(n, 3), np.arange(n)


# --- what a batch is


@pytest.mark.parametrize("n", [1, 2, 9, 10, 11, 20])
@pytest.mark.parametrize("batch_size", [1, 3, 10, 100])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_are_as_many_and_as_large_as_pytorchs(n: int, batch_size: int, drop_last: bool) -> None:
    made = DataLoader(numbered(n), batch_size, drop_last=drop_last)
    sizes = [len(x) for x, _ in batches(made)]
    whole, rest = divmod(n, batch_size)
    assert sizes == [batch_size] * whole + [rest] * (rest > 0 and not drop_last)
    assert len(made) == len(sizes) == (math.floor if drop_last else math.ceil)(n / batch_size)


def test_without_shuffling_the_samples_come_in_order() -> None:
    X, y = numbered(10)
    made = batches(DataLoader(TensorDataset(X, y), 4))
    assert np.array_equal(np.concatenate([x for x, _ in made]), X)
    assert np.array_equal(np.concatenate([t for _, t in made]), y)


def test_a_batch_is_a_tuple_of_tensors_of_the_data_types() -> None:
    arrays = [np.zeros((5, 2), dtype) for dtype in ("float32", "float64", "int64", "int32", "uint8", "bool")]
    for shuffle in (False, True):
        (batch,) = DataLoader(TensorDataset(*arrays), shuffle=shuffle)
        assert isinstance(batch, tuple)
        assert [tensor.numpy().dtype for tensor in batch] == [array.dtype for array in arrays]
        assert {tensor.numpy().shape for tensor in batch} == {(5, 2)}


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_copies_that_outlive_the_epoch(shuffle: bool) -> None:
    X, y = numbered(10)
    made = batches(DataLoader((X, y), 4, shuffle))
    before = [x.copy() for x, _ in made]
    for x, _ in made:
        assert not np.shares_memory(x, X)
        x += 1000.0
    assert np.array_equal(X, numbered(10)[0])
    assert all(np.array_equal(x, copy + 1000.0) for (x, _), copy in zip(made, before, strict=True))


def test_the_data_set_shares_the_arrays_it_was_given() -> None:
    X, y = numbered(10)
    data = TensorDataset(X, y)
    X[3] = -1.0
    assert batches(DataLoader(data, 4))[0][0][3].tolist() == [-1.0, -1.0, -1.0]
    assert np.shares_memory(data.tensors[0].numpy(), X)


LAYOUTS = {
    "contiguous": lambda X: X,
    "Fortran": np.asfortranarray,
    "transposed": lambda X: np.ascontiguousarray(X.T).T,
    "every second": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "big-endian": lambda X: X.astype(">f4"),
    "repeated": lambda X: np.broadcast_to(X[:, :1], X.shape),
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_layouts_make_no_difference(layout: str, shuffle: bool) -> None:
    X, y = numbered(11)
    given = LAYOUTS[layout](X)
    for x, t in batches(DataLoader((given, y), 4, shuffle, seed=1)):
        assert np.array_equal(x, given[t])
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert x.dtype == np.dtype(np.float32)
        assert x.dtype.isnative


def test_tensors_serve_as_arrays_do() -> None:
    X, y = numbered(10)
    data = TensorDataset(pygrad.from_numpy(X), y)
    assert np.array_equal(batches(DataLoader(data, 10))[0][0], X)
    assert len(data) == 10
    assert [tensor.numpy().tolist() for tensor in data[2]] == [[6.0, 7.0, 8.0], 2]
    assert data.tensors[0] is data.tensors[0]


def test_samples_may_have_any_number_of_axes() -> None:
    images, labels = np.arange(5 * 2 * 3 * 4.0).reshape(5, 2, 3, 4), np.arange(5)
    for x, t in batches(DataLoader((images, labels), 2, shuffle=True, seed=0)):
        assert np.array_equal(x, images[t])


# --- orders


def test_an_epoch_has_every_sample_once_with_what_belongs_to_it() -> None:
    X, y = numbered(1000)
    made = batches(DataLoader((X, y), 64, shuffle=True, seed=0))
    assert sorted(np.concatenate([t for _, t in made]).tolist()) == list(range(1000))
    assert all(np.array_equal(x, X[t]) for x, t in made)


def test_each_epoch_has_an_order_of_its_own() -> None:
    made = DataLoader(numbered(100), 7, shuffle=True, seed=0)
    orders = [order(made) for _ in range(5)]
    assert len({tuple(epoch) for epoch in orders}) == 5


def test_the_same_seed_gives_the_same_sequence_and_another_another() -> None:
    first, same, other = (DataLoader(numbered(100), 7, shuffle=True, seed=seed) for seed in (3, 3, 4))
    epochs = [order(first) for _ in range(3)]
    assert [order(same) for _ in range(3)] == epochs
    assert order(other) != epochs[0]


def test_no_seed_is_another_sequence_each_time() -> None:
    assert order(DataLoader(numbered(100), shuffle=True)) != order(DataLoader(numbered(100), shuffle=True))


def test_the_batch_size_does_not_change_the_order() -> None:
    orders = [order(DataLoader(numbered(100), size, shuffle=True, seed=3)) for size in (1, 7, 100)]
    assert orders[0] == orders[1] == orders[2]


def test_a_generator_gives_its_own_stream_on() -> None:
    generator = Generator(5)
    generator.uniform(0.0, 1.0, 10)
    a = order(DataLoader(numbered(100), shuffle=True, seed=generator))
    assert a != order(DataLoader(numbered(100), shuffle=True, seed=5))
    assert a != order(DataLoader(numbered(100), shuffle=True, seed=generator))


def test_an_epoch_left_early_and_one_begun_meanwhile_disturb_nothing() -> None:
    whole = DataLoader(numbered(100), 7, shuffle=True, seed=3)
    epochs = [order(whole) for _ in range(3)]
    made = DataLoader(numbered(100), 7, shuffle=True, seed=3)
    first = iter(made)
    next(first)
    second = iter(made)
    assert order(made) == epochs[2]
    assert next(second)[1].numpy().tolist() == epochs[1][:7]
    assert next(first)[1].numpy().tolist() == epochs[0][7:14]


def test_the_orders_are_the_permutations_of_the_generator() -> None:
    generator, made = Generator(7), DataLoader(numbered(100), shuffle=True, seed=7)
    for _ in range(3):
        assert order(made) == pygrad.randperm(100, generator=generator).tolist()


# --- what is wrong


@pytest.mark.parametrize("size", [0, -1, True, 2.0, "4", None, np.zeros(3)])
def test_a_batch_size_that_is_no_count_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 1, got"):
        DataLoader(numbered(3), size)


def test_numpys_integers_are_batch_sizes() -> None:
    assert len(DataLoader(numbered(10), np.int32(3))) == 4


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        DataLoader(numbered(3), seed=seed)


@pytest.mark.parametrize("dataset", [np.zeros((3, 2)), [np.zeros(3)], "data", None, 3])
def test_what_is_no_data_set_is_refused_with_the_way_to_write_it(dataset: Any) -> None:
    with pytest.raises(TypeError, match=r"takes a TensorDataset or a tuple of tensors, such as \(X, y\), got"):
        DataLoader(dataset)


def test_tensors_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"as many samples each, got \[3, 4\]"):
        TensorDataset(np.zeros((3, 2)), np.zeros(4))


@pytest.mark.parametrize("arrays", [(), (np.zeros((0, 2)),), (np.zeros(3), np.float64(1.0)), (np.zeros(()),)])
def test_no_samples_are_refused(arrays: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError), match="TensorDataset"):
        TensorDataset(*arrays)


@pytest.mark.parametrize("value", [[1.0, 2.0], "text", 3, None])
def test_what_is_no_tensor_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=f"takes tensors and arrays, got {type(value).__name__} at 1"):
        TensorDataset(np.zeros(2), value)


@pytest.mark.parametrize("dtype", ["int16", "float16", "complex64", "object", "U1"])
def test_a_dtype_that_no_tensor_has_is_refused(dtype: str) -> None:
    with pytest.raises(TypeError, match="tensors are float32, float64, int64, int32, uint8, bool; convert the"):
        TensorDataset(np.zeros(2, dtype))


def test_a_tensor_that_requires_a_gradient_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tensor 0 of a TensorDataset requires a gradient; give its detach\(\)"):
        TensorDataset(pygrad.zeros(3, requires_grad=True))


def test_the_data_set_says_what_is_in_it() -> None:
    assert repr(TensorDataset(*numbered(4))) == "TensorDataset(float32 (4, 3), int64 (4,))"
