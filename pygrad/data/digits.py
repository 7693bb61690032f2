"""The handwritten digits that come with the package."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pygrad.data.errors import DatasetError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_COUNT = 1797
_MAX_PIXEL = 16.0

# Of the images' bytes followed by the labels', not of the archive: it may be packed anew.
_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def digits(scale: bool = True) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Load 1,797 handwritten digits of 8x8 pixels.

    They are scikit-learn's ``load_digits``, in its order: the test set of "Optical Recognition of Handwritten
    Digits" by E. Alpaydin and C. Kaynak (https://doi.org/10.24432/C50P49), CC BY 4.0; ``DIGITS_LICENSE.txt``
    beside this module has the details. They ship with the package: no network is used.

    Parameters
    ----------
    scale : bool, default True
        Divide the pixels by 16, so that they lie in [0, 1], which suits the usual initialisations and
        learning rates. False gives the counts 0 to 16 as they are in the file.

    Returns
    -------
    X : ndarray of float64, shape (1797, 64)
        One image per row; ``X[i].reshape(8, 8)`` is the picture, 0 is paper. The array is the caller's own.
    y : ndarray of int64, shape (1797,)
        The digit, 0 to 9. Every class has 174 to 183 images.

    Raises
    ------
    DatasetError
        The file in the package is missing or damaged; a ValueError.

    Examples
    --------
    >>> from pygrad.data import digits
    >>> X, y = digits()
    >>> X.shape, y.shape, float(X.max())
    ((1797, 64), (1797,), 1.0)
    >>> print((X[0].reshape(8, 8) > 0.4).astype(int))
    [[0 0 0 1 1 0 0 0]
     [0 0 1 1 1 1 0 0]
     [0 0 1 0 0 1 1 0]
     [0 0 1 0 0 1 1 0]
     [0 0 1 0 0 1 1 0]
     [0 0 1 0 0 1 1 0]
     [0 0 1 0 1 1 0 0]
     [0 0 0 1 1 0 0 0]]
    >>> int(y[0])
    0
    """
    from importlib import resources  # here, like hashlib below, to keep ``import pygrad`` quick

    images, labels = _load(resources.files("pygrad.data") / "digits.npz")
    X = images.reshape(_COUNT, 64).astype(np.float64)
    if scale:
        X /= _MAX_PIXEL
    return X, labels.astype(np.int64)


def _load(file: Traversable) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    import hashlib

    try:
        packed = file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error}): install pygrad again") from error
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
    except Exception as error:  # a damaged archive raises nearly anything: zip, zlib, header and size errors
        raise _damaged(file, str(error) or type(error).__name__) from error
    for name, array, shape in (("images", images, (_COUNT, 8, 8)), ("labels", labels, (_COUNT,))):
        if array.dtype != np.uint8 or array.shape != shape:
            raise _damaged(file, f"{name} are {array.dtype} {array.shape}, wanted uint8 {shape}")
    found = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if found != _SHA256:
        raise _damaged(file, f"SHA-256 of the contents is {found}, wanted {_SHA256}")
    return images, labels


def _damaged(file: Traversable, why: str) -> DatasetError:
    return DatasetError(f"{file} is damaged ({why}): install pygrad again")
