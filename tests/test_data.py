"""The data sets: exact contents, reproducible draws, clear errors."""

from __future__ import annotations

import importlib
import io
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pygrad.data import DatasetError, digits, moons, train_test_split, xor

# The name pygrad.data.digits is the function; the module of that name is reached through the import system.
digits_module = importlib.import_module("pygrad.data.digits")

# --- digits


def test_digits_are_1797_rows_of_64_pixels_in_the_unit_interval() -> None:
    X, y = digits()
    assert X.shape == (1797, 64)
    assert y.shape == (1797,)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert (X.min(), X.max()) == (0.0, 1.0)


def test_unscaled_digits_are_the_counts_0_to_16() -> None:
    X, _ = digits(scale=False)
    assert np.array_equal(np.unique(X), np.arange(17.0))
    assert np.array_equal(digits()[0] * 16.0, X)


def test_every_class_is_there_as_often_as_published() -> None:
    _, y = digits()
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_equal_scikit_learns() -> None:
    datasets: Any = pytest.importorskip("sklearn.datasets")
    X, y = digits(scale=False)
    theirs = datasets.load_digits()
    assert np.array_equal(X, theirs.data)
    assert np.array_equal(y, theirs.target)


def test_the_arrays_belong_to_the_caller() -> None:
    X, y = digits()
    X[:] = -1.0
    y[:] = -1
    again, labels = digits()
    assert again.min() == 0.0
    assert labels.min() == 0


def test_the_file_is_small_holds_arrays_only_and_has_its_licence_beside_it() -> None:
    folder = resources.files("pygrad.data")
    packed = (folder / "digits.npz").read_bytes()
    assert len(packed) < 100_000
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        assert sorted(archive.files) == ["images", "labels"]
        assert {archive[name].dtype for name in archive.files} == {np.dtype(np.uint8)}
    note = (folder / "DIGITS_LICENSE.txt").read_text(encoding="utf-8")
    for fact in ("Alpaydin", "Kaynak", "CC BY 4.0", "https://doi.org/10.24432/C50P49", "BSD 3-Clause"):
        assert fact in note


@pytest.fixture(scope="module")
def contents() -> dict[str, NDArray[np.uint8]]:
    """Give the arrays of the file."""
    packed = (resources.files("pygrad.data") / "digits.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def test_a_repacked_file_is_accepted(contents: dict[str, NDArray[np.uint8]], tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", allow_pickle=False, **contents)
    images, labels = digits_module._load(tmp_path / "d.npz")
    assert np.array_equal(images, contents["images"])
    assert np.array_equal(labels, contents["labels"])


def test_one_changed_pixel_is_noticed(contents: dict[str, NDArray[np.uint8]], tmp_path: Path) -> None:
    images = contents["images"].copy()
    images[1000, 3, 3] ^= 1
    np.savez_compressed(tmp_path / "d.npz", images=images, labels=contents["labels"])
    with pytest.raises(DatasetError, match=r"d\.npz is damaged \(SHA-256 .*install pygrad again"):
        digits_module._load(tmp_path / "d.npz")


def test_one_changed_label_is_noticed(contents: dict[str, NDArray[np.uint8]], tmp_path: Path) -> None:
    labels = contents["labels"].copy()
    labels[0] = 1
    np.savez_compressed(tmp_path / "d.npz", images=contents["images"], labels=labels)
    with pytest.raises(DatasetError, match="SHA-256"):
        digits_module._load(tmp_path / "d.npz")


@pytest.mark.parametrize("change", ["dtype", "shape", "missing"])
def test_other_arrays_are_refused(change: str, contents: dict[str, NDArray[np.uint8]], tmp_path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = dict(contents)
    if change == "dtype":
        arrays["images"] = arrays["images"].astype(np.int8)
    elif change == "shape":
        arrays["images"] = arrays["images"].reshape(1797, 64)
    else:
        del arrays["labels"]
    np.savez(tmp_path / "d.npz", allow_pickle=False, **arrays)
    with pytest.raises(DatasetError, match="damaged"):
        digits_module._load(tmp_path / "d.npz")


def test_pickles_are_never_opened(contents: dict[str, NDArray[np.uint8]], tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "exploded",))

    np.savez(tmp_path / "d.npz", images=np.array([Bomb()], dtype=object), labels=contents["labels"])
    with pytest.raises(DatasetError, match="damaged"):
        digits_module._load(tmp_path / "d.npz")
    assert not (tmp_path / "exploded").exists()


def test_a_damaged_file_is_always_a_dataset_error(tmp_path: Path) -> None:
    packed = (resources.files("pygrad.data") / "digits.npz").read_bytes()
    rng = np.random.default_rng(0)
    damaged = [b"", b"<html>not found</html>", packed[:100], packed[: len(packed) // 2], packed[:-1]]
    for _ in range(100):
        position = int(rng.integers(len(packed)))
        damaged.append(packed[:position] + bytes([packed[position] ^ 0xFF]) + packed[position + 1 :])
    refused = 0
    good, _ = digits(scale=False)
    for text in damaged:
        (tmp_path / "d.npz").write_bytes(text)
        try:
            images, _ = digits_module._load(tmp_path / "d.npz")
        except DatasetError as error:
            assert "install pygrad again" in str(error)
            refused += 1
        else:  # a date or another field of the zip that says nothing about the contents
            assert np.array_equal(images.reshape(1797, 64), good)
    assert refused >= 95


def test_a_missing_file_is_a_dataset_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"absent\.npz cannot be read"):
        digits_module._load(tmp_path / "absent.npz")
    assert issubclass(DatasetError, ValueError)


# --- moons


@pytest.mark.parametrize("n", [1, 2, 3, 100, 101])
def test_moons_are_balanced_and_of_the_promised_types(n: int) -> None:
    X, y = moons(n, seed=0)
    assert X.shape == (n, 2)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert np.bincount(y, minlength=2).tolist() == [n // 2, n - n // 2]


def test_moons_without_noise_lie_on_their_half_circles() -> None:
    X, y = moons(500, noise=0.0, seed=3)
    outer, inner = X[y == 0], X[y == 1]
    assert np.allclose(np.hypot(outer[:, 0], outer[:, 1]), 1.0, rtol=0, atol=1e-15)
    assert np.allclose(np.hypot(inner[:, 0] - 1.0, inner[:, 1] - 0.5), 1.0, rtol=0, atol=1e-15)
    assert outer[:, 1].min() >= 0.0
    assert inner[:, 1].max() <= 0.5


@pytest.mark.parametrize("n", [2, 5, 100])
def test_moons_have_scikit_learns_geometry(n: int) -> None:
    datasets: Any = pytest.importorskip("sklearn.datasets")
    theirs, labels = datasets.make_moons(n, noise=None, shuffle=False)
    X, y = moons(n, noise=0.0, seed=0)

    def rows(points: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
        table = np.column_stack([classes, points.round(12) + 0.0])
        return table[np.lexsort(table.T)]

    assert np.allclose(rows(X, y), rows(theirs, labels), rtol=0, atol=1e-11)


def test_moons_noise_has_the_wanted_spread() -> None:
    n = 20_000
    clean, noisy = moons(n, noise=0.0, seed=5)[0], moons(n, noise=0.25, seed=5)[0]
    noise = noisy - clean
    # The standard error of a standard deviation from 2n normal numbers is s / sqrt(4n); five of them.
    assert abs(noise.std() - 0.25) < 5 * 0.25 / np.sqrt(4 * n)
    assert abs(noise.mean()) < 5 * 0.25 / np.sqrt(2 * n)


def test_moons_are_shuffled() -> None:
    _, y = moons(100, seed=0)
    assert 0 < y[:50].sum() < 50


def test_a_seed_or_a_generator_fixes_the_moons() -> None:
    assert np.array_equal(moons(seed=7)[0], moons(seed=7)[0])
    assert np.array_equal(moons(seed=7)[0], moons(seed=np.random.default_rng(7))[0])
    assert not np.array_equal(moons(seed=7)[0], moons(seed=8)[0])
    assert not np.array_equal(moons()[0], moons()[0])


def test_the_global_random_state_is_neither_used_nor_moved() -> None:
    before = np.random.get_state(legacy=False)
    first = moons(seed=1)[0]
    np.random.seed(0)
    assert np.array_equal(first, moons(seed=1)[0])
    np.random.set_state(before)


@pytest.mark.parametrize("n", [0, -3])
def test_fewer_than_one_point_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be at least 1, got {n}"):
        moons(n)


def test_a_fractional_count_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="float"):
        moons(10.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf")])
def test_impossible_noise_is_a_value_error(noise: float) -> None:
    with pytest.raises(ValueError, match="standard deviation"):
        moons(10, noise=noise)


# --- xor


def test_xor_is_exclusive_or() -> None:
    X, y = xor()
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert [int(a) ^ int(b) for a, b in X] == y.tolist()


# --- train_test_split


@pytest.mark.parametrize(("test_size", "held_back"), [(0.2, 20), (0.25, 25), (0.001, 1), (30, 30)])
def test_the_parts_are_disjoint_whole_and_in_step(test_size: float, held_back: int) -> None:
    X = np.arange(200).reshape(100, 2)
    y = np.arange(100)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size, seed=0)
    assert len(y_test) == held_back
    assert sorted([*y_train, *y_test]) == list(range(100))
    for samples, labels in ((X_train, y_train), (X_test, y_test)):
        assert np.array_equal(samples[:, 0], 2 * labels)


@pytest.mark.parametrize("test_size", [0.1, 0.2, 0.25, 1 / 3, 0.5, 7])
@pytest.mark.parametrize("n", [10, 99, 1797])
def test_part_sizes_are_scikit_learns(n: int, test_size: float) -> None:
    selection: Any = pytest.importorskip("sklearn.model_selection")
    X = np.zeros((n, 1))
    ours = [len(part) for part in train_test_split(X, X, test_size, seed=0)]
    assert ours == [len(part) for part in selection.train_test_split(X, X, test_size=test_size)]


def test_a_seed_fixes_the_split() -> None:
    X = np.arange(50)
    first, second = train_test_split(X, X, seed=1), train_test_split(X, X, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[1], train_test_split(X, X, seed=2)[1])
    assert not np.array_equal(first[1], np.arange(10))


def test_the_parts_keep_their_dtypes_and_are_copies() -> None:
    X = np.ones((10, 3), dtype=np.float32)
    y = np.zeros(10, dtype=np.uint8)
    X_train, X_test, y_train, y_test = train_test_split(X, y, seed=0)
    assert {X_train.dtype, X_test.dtype} == {np.dtype(np.float32)}
    assert {y_train.dtype, y_test.dtype} == {np.dtype(np.uint8)}
    X_train[:] = 5.0
    assert X.max() == 1.0


def test_lists_are_taken() -> None:
    _, X_test, _, y_test = train_test_split([[1, 2], [3, 4], [5, 6]], ["a", "b", "c"], test_size=1, seed=0)
    assert X_test.shape == (1, 2)
    assert y_test.shape == (1,)


def test_parts_of_digits_are_learnable_shapes() -> None:
    X_train, X_test, y_train, y_test = train_test_split(*digits(), seed=0)
    assert (X_train.shape, X_test.shape) == ((1437, 64), (360, 64))
    assert set(y_train) == set(y_test) == set(range(10))


@pytest.mark.parametrize("test_size", [0.0, 1.0, -0.5, 1.5, float("nan"), 0.999, 0, 10, 11, -1])
def test_sizes_that_leave_a_part_empty_are_value_errors(test_size: float) -> None:
    with pytest.raises(ValueError, match="test_size"):
        train_test_split(np.arange(10), np.arange(10), test_size)


@pytest.mark.parametrize("test_size", ["0.2", None, True, 0.2j])
def test_a_size_that_is_no_number_is_a_type_error(test_size: Any) -> None:
    with pytest.raises(TypeError, match=f"int or a float, got {type(test_size).__name__}"):
        train_test_split(np.arange(10), np.arange(10), test_size)


def test_different_lengths_are_a_value_error_with_both() -> None:
    with pytest.raises(ValueError, match="X has 3 samples and y 4 labels"):
        train_test_split(np.zeros(3), np.zeros(4))


def test_single_numbers_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="single number"):
        train_test_split(1.0, np.zeros(4))
