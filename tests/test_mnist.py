"""MNIST from its four files: wherever they lie, exactly what they hold, and one line for what does not fit."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from pygrad.data import MNIST, DatasetError, mnist, write_idx

NAMES = {
    "X_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "X_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@pytest.fixture
def contents() -> dict[str, np.ndarray]:
    """Give the contents of four small files."""
    rng = np.random.default_rng(0)
    return {
        "X_train": rng.integers(0, 256, (20, 28, 28)).astype(np.uint8),
        "y_train": np.arange(20, dtype=np.uint8) % 10,
        "X_test": rng.integers(0, 256, (7, 28, 28)).astype(np.uint8),
        "y_test": np.arange(7, dtype=np.uint8),
    }


@pytest.fixture(autouse=True)
def no_folder_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYGRAD_DATA_DIR", raising=False)


def write(folder: Path, contents: dict[str, np.ndarray], suffix: str = "", dots: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for key, array in contents.items():
        name = NAMES[key].replace("-idx", ".idx") if dots else NAMES[key]
        write_idx(folder / f"{name}{suffix}", array)


def refusal(folder: Path | None) -> str:
    with pytest.raises(DatasetError) as caught:
        mnist(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what comes out


def test_images_are_rows_in_the_unit_interval_and_labels_are_int64(
    contents: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write(tmp_path, contents)
    X_train, X_test, y_train, y_test = loaded = mnist(tmp_path)
    assert isinstance(loaded, MNIST)
    assert (X_train.shape, X_test.shape, y_train.shape, y_test.shape) == ((20, 784), (7, 784), (20,), (7,))
    assert (X_train.dtype, X_test.dtype, y_train.dtype, y_test.dtype) == (np.float32, np.float32, np.int64, np.int64)
    for key, array in contents.items():
        values = array.reshape(len(array), -1).astype(np.float64) / 255.0 if key.startswith("X") else array
        assert np.array_equal(getattr(loaded, key), values.astype(getattr(loaded, key).dtype))


def test_black_and_white_are_exactly_0_and_1(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    contents["X_train"][0, 0, :2] = 0, 255
    write(tmp_path, contents)
    assert mnist(tmp_path).X_train[0, :2].tolist() == [0.0, 1.0]


def test_unscaled_images_are_the_bytes_of_the_file(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents)
    X = mnist(tmp_path, scale=False).X_train
    assert X.dtype == np.uint8
    assert np.array_equal(X, contents["X_train"].reshape(20, 784))


# --- where it looks


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dots", [False, True])
@pytest.mark.parametrize("below", [".", "mnist", "MNIST/raw", "raw"])
def test_files_are_found_under_their_usual_names_and_folders(
    suffix: str, dots: bool, below: str, contents: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write(tmp_path / below, contents, suffix, dots)
    assert mnist(str(tmp_path)).y_test.tolist() == list(range(7))


def test_a_dot_before_ubyte_is_a_usual_name_too(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents)
    os.rename(tmp_path / "t10k-labels-idx1-ubyte", tmp_path / "t10k-labels-idx1.ubyte")
    assert len(mnist(tmp_path).y_test) == 7


@pytest.mark.parametrize("below", [".", "mnist"])
def test_the_environment_names_the_folder(
    below: str, contents: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / below, contents)
    monkeypatch.setenv("PYGRAD_DATA_DIR", str(tmp_path))
    assert len(mnist().y_test) == 7


def test_the_argument_goes_before_the_environment(
    contents: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a", contents)
    monkeypatch.setenv("PYGRAD_DATA_DIR", str(tmp_path / "none"))
    assert len(mnist(tmp_path / "a").y_test) == 7


def test_a_tilde_is_the_home_folder(
    contents: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a", contents)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(mnist("~/a").y_test) == 7


def test_the_folder_with_all_four_goes_before_one_with_some(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path / "mnist", contents)
    (tmp_path / NAMES["y_test"]).write_bytes(b"")
    write(tmp_path / "raw", {"y_test": contents["y_test"][:2]})
    assert len(mnist(tmp_path).y_test) == 7


def test_where_both_are_there_the_plain_file_is_taken(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents)
    (tmp_path / f"{NAMES['y_test']}.gz").write_bytes(b"")
    assert len(mnist(tmp_path).y_test) == 7


# --- what is wrong


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_folder_the_message_says_what_to_name(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("PYGRAD_DATA_DIR", value)
    message = refusal(None)
    assert "PYGRAD_DATA_DIR is not set" in message
    assert all(name in message for name in NAMES.values())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"'{tmp_path / 'none'}' is no folder" in refusal(tmp_path / "none")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert f"'{tmp_path / 'file'}' is no folder" in refusal(tmp_path / "file")


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    assert f"'{tmp_path}' has no 'train-images-idx3-ubyte'" in refusal(tmp_path)


@pytest.mark.parametrize("missing", NAMES)
def test_the_one_that_is_missing_is_named(missing: str, contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    del contents[missing]
    write(tmp_path / "mnist", contents, ".gz")
    assert f"'{tmp_path / 'mnist'}' has no '{NAMES[missing]}'" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("key", "array", "says"),
    [
        ("X_train", np.zeros((20, 8, 8), np.uint8), "has the shape (20, 8, 8), wanted (n, 28, 28)"),
        ("X_train", np.zeros((20, 784), np.uint8), "has the shape (20, 784), wanted (n, 28, 28)"),
        ("X_train", np.zeros((20, 28, 28), np.float32), "holds float32, wanted uint8"),
        ("y_test", np.zeros((7, 1), np.uint8), "has the shape (7, 1), wanted (n,)"),
        ("y_test", np.zeros(7, np.int8), "holds int8, wanted uint8"),
        ("y_test", np.array([0, 1, 2, 3, 10, 5, 10], np.uint8), "has the label 10 at 4, wanted 0 to 9"),
        ("y_train", np.zeros(19, np.uint8), "20 images and 'train-labels-idx1-ubyte' 19 labels"),
    ],
)
def test_other_contents_are_refused_by_name(
    key: str, array: np.ndarray, says: str, contents: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write(tmp_path, contents | {key: array})
    message = refusal(tmp_path)
    assert says in message
    assert NAMES[key] in message


def test_images_and_labels_that_changed_places_are_noticed(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents | {"X_test": contents["y_test"], "y_test": contents["X_test"]})
    assert "t10k-images-idx3-ubyte' has the shape (7,), wanted (n, 28, 28)" in refusal(tmp_path)


def test_no_images_are_refused(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents | {"X_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)})
    assert "t10k-images-idx3-ubyte' has no images" in refusal(tmp_path)


def test_a_web_page_in_the_place_of_a_file_is_named(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents)
    (tmp_path / NAMES["X_test"]).write_text("<html><body>Not found</body></html>")
    assert f"'{tmp_path / NAMES['X_test']}' is a web page" in refusal(tmp_path)


def test_a_download_that_broke_off_is_named(contents: dict[str, np.ndarray], tmp_path: Path) -> None:
    write(tmp_path, contents, ".gz")
    file = tmp_path / f"{NAMES['X_train']}.gz"
    file.write_bytes(file.read_bytes()[:-1000])
    assert f"'{file}' is a damaged or cut-off gzip file" in refusal(tmp_path)


# --- the real files


def test_the_real_files_have_the_published_counts() -> None:
    folder = os.environ.get("PYGRAD_TEST_MNIST")
    if not folder:
        pytest.skip("PYGRAD_TEST_MNIST does not name the folder with the real files")
    loaded = mnist(folder)
    assert loaded.X_train.shape == (60000, 784)
    assert loaded.X_test.shape == (10000, 784)
    assert loaded.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert (loaded.X_train.min(), loaded.X_train.max()) == (0.0, 1.0)
    # The mean and deviation of the training pixels that are in general use for normalising MNIST: 0.1307, 0.3081.
    assert round(float(loaded.X_train.mean(dtype=np.float64)), 4) == 0.1307
    assert round(float(loaded.X_train.std(dtype=np.float64)), 4) == 0.3081
    packed = Path(folder) / "t10k-images-idx3-ubyte.gz"
    if packed.exists():  # against the bytes themselves
        pixels = np.frombuffer(gzip.decompress(packed.read_bytes()), np.uint8, offset=16)
        assert np.array_equal(mnist(folder, scale=False).X_test.ravel(), pixels)
