"""The MNIST digits, from files that the user has."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pygrad.data.errors import DatasetError
from pygrad.data.idx import read_idx

_VARIABLE = "PYGRAD_DATA_DIR"
_SIDE = 28
_PIXELS = _SIDE * _SIDE
_CLASSES = 10
# Below the folder that is named: itself, a cache with one folder per data set, and what torchvision makes.
_SUBFOLDERS = (".", "mnist", "MNIST/raw", "raw")


class MNIST(NamedTuple):
    """Images and labels to train and to test on, in the order of `train_test_split`.

    Attributes
    ----------
    X_train, X_test : ndarray, shape (n, 784)
        One image per row; ``X[i].reshape(28, 28)`` is the picture, 0 is paper.
    y_train, y_test : ndarray of int64, shape (n,)
        The digit, 0 to 9.
    """

    X_train: NDArray[Any]
    X_test: NDArray[Any]
    y_train: NDArray[np.int64]
    y_test: NDArray[np.int64]


def mnist(folder: str | os.PathLike[str] | None = None, scale: bool = True) -> MNIST:
    """Load the MNIST database of handwritten digits, 28x28 pixels, from its four files.

    Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist: 60,000 images to train and 10,000 to test
    on. No network is used. Data sets of the same form, such as Fashion-MNIST, load as well.

    Parameters
    ----------
    folder : str or path, optional
        Where the files are: ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, each plain or with ``.gz``, with a dot in the place of the last two hyphens if
        need be; in the folder itself or in its ``mnist``, ``MNIST/raw`` (torchvision's layout) or ``raw``. Without
        it the environment variable ``PYGRAD_DATA_DIR`` names the folder.
    scale : bool, default True
        Divide the pixels by 255 into float32 in [0, 1]. False gives the uint8 of the files, a quarter of the memory.

    Returns
    -------
    MNIST
        A named tuple ``(X_train, X_test, y_train, y_test)`` of arrays that are the caller's own.

    Raises
    ------
    DatasetError
        No folder is known, a file is missing, damaged or of other contents, or images and labels are not as many.
        One line that names the file; a ValueError.

    Notes
    -----
    float32 from the start, 220 MB, rather than a conversion per batch: gathering the batches of an epoch takes as
    long either way (the memory that is read shrinks by as much as the arithmetic adds).

    Examples
    --------
    >>> from pygrad.data import mnist
    >>> X_train, X_test, y_train, y_test = mnist("~/data")  # doctest: +SKIP
    >>> X_train.shape, X_test.shape, X_train.dtype  # doctest: +SKIP
    ((60000, 784), (10000, 784), dtype('float32'))
    """
    files = _find(_root(folder))
    X_train, y_train = _load(files["train", "images"], files["train", "labels"], scale)
    X_test, y_test = _load(files["t10k", "images"], files["t10k", "labels"], scale)
    return MNIST(X_train, X_test, y_train, y_test)


def _root(folder: str | os.PathLike[str] | None) -> Path:
    if folder is None:
        folder = os.environ.get(_VARIABLE) or None
        if folder is None:
            raise DatasetError(
                f"mnist() got no folder and {_VARIABLE} is not set: name the folder with the four files "
                "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
                "t10k-labels-idx1-ubyte.gz"
            )
    root = Path(os.path.expanduser(folder))
    if not os.path.isdir(root):  # unlike Path.is_dir(), no error where a parent is closed to us
        raise DatasetError(f"{str(root)!r} is no folder, wanted the one with the MNIST files")
    return root


def _find(root: Path) -> dict[tuple[str, str], Path]:
    """Return the four files of the subfolder that has most of them, the first of equals."""
    best: dict[tuple[str, str], Path] = {}
    for subfolder in _SUBFOLDERS:
        found = {}
        for part, kind in itertools.product(("train", "t10k"), ("images", "labels")):
            names = (root / subfolder / name for name in _names(part, kind))
            file = next((name for name in names if os.path.exists(name)), None)
            if file is not None:
                found[part, kind] = file
        if len(found) > len(best):
            best = found
    for part, kind in itertools.product(("train", "t10k"), ("images", "labels")):
        if (part, kind) not in best:
            where = next(iter(best.values())).parent if best else root
            wanted = next(_names(part, kind))
            raise DatasetError(f"{str(where)!r} has no {wanted!r}, neither plain nor with .gz")
    return best


def _names(part: str, kind: str) -> itertools.chain[str]:
    dims = 3 if kind == "images" else 1
    plain = [f"{part}-{kind}{a}idx{dims}{b}ubyte" for a, b in itertools.product("-.", repeat=2)]
    return itertools.chain(plain, (f"{name}.gz" for name in plain))


def _load(images_file: Path, labels_file: Path, scale: bool) -> tuple[NDArray[Any], NDArray[np.int64]]:
    images = read_idx(images_file, dtype=np.uint8, shape=(None, _SIDE, _SIDE))
    labels = read_idx(labels_file, dtype=np.uint8, shape=(None,))
    if len(images) != len(labels):
        raise DatasetError(
            f"{str(images_file)!r} has {len(images)} images and {labels_file.name!r} {len(labels)} labels, "
            "wanted as many"
        )
    if len(images) == 0:
        raise DatasetError(f"{str(images_file)!r} has no images")
    if labels.max() >= _CLASSES:
        at = int(np.argmax(labels >= _CLASSES))
        raise DatasetError(f"{str(labels_file)!r} has the label {labels[at]} at {at}, wanted 0 to {_CLASSES - 1}")
    X = images.reshape(len(images), _PIXELS)
    if scale:
        return np.divide(X, np.float32(255.0), dtype=np.float32), labels.astype(np.int64)
    return X, labels.astype(np.int64)
