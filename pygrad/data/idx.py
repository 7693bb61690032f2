"""IDX files, the format of MNIST: a dtype, a shape, and the elements, big end first."""

from __future__ import annotations

import math
import os
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pygrad._files import Readable, open_regular, read_up_to, reason, replacing
from pygrad.data.errors import DatasetError

#: By the third byte of the file, after http://yann.lecun.com/exdb/mnist (section "FILE FORMATS"); 0x0A is not given.
_DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {dtype.newbyteorder("="): code for code, dtype in _DTYPES.items()}
_MAX_DIMS = 8
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(
    path: str | os.PathLike[str],
    *,
    dtype: DTypeLike | None = None,
    shape: tuple[int | None, ...] | None = None,
) -> NDArray[Any]:
    """Read an IDX file, plain or compressed by gzip.

    Which of the two it is the contents tell, not the name. Nothing is allocated on the word of a header: memory grows
    with the elements that are really there, up to those the header promises.

    Parameters
    ----------
    path : str or path
        The file.
    dtype : dtype, optional
        What the elements have to be.
    shape : tuple of int or None, optional
        What the shape has to be; None stands for any length. Both are checked before the elements are read.

    Returns
    -------
    ndarray
        uint8, int8, int16, int32, float32 or float64, in the machine's byte order, 1 to 8 dimensions. It is the
        caller's own.

    Raises
    ------
    DatasetError
        The file is missing or unreadable, empty, no IDX file (a web page that a download left in its place is named
        as such), shorter or longer than its header says, damaged as a gzip file, or of another dtype or shape than
        asked for. One line; a ValueError.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "labels.gz")
    ...     write_idx(file, np.array([5, 0, 4], dtype=np.uint8))
    ...     read_idx(file)
    array([5, 0, 4], dtype=uint8)
    """
    import gzip  # here, to keep ``import pygrad`` quick
    import zlib

    name = repr(os.fspath(path))
    want = None if dtype is None else np.dtype(dtype)
    try:
        with open_regular(path) as (file, size):
            if size == 0:
                raise DatasetError(f"{name} is empty, wanted an IDX file")
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if not packed:
                return _read(file, name, size, want, shape)
            try:
                with gzip.GzipFile(fileobj=file) as stream:
                    return _read(stream, name, None, want, shape)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DatasetError(f"{name} is a damaged or cut-off gzip file ({reason(error)})") from error
    except OSError as error:
        raise DatasetError(f"{name} cannot be read ({reason(error)})") from error


def write_idx(path: str | os.PathLike[str], array: ArrayLike) -> None:
    """Write an array as an IDX file, compressed if the name ends in ``.gz``.

    The file takes its place when it is whole. The same array gives the same bytes.

    Parameters
    ----------
    path : str or path
        The file; one of that name is replaced.
    array : array_like
        uint8, int8, int16, int32, float32 or float64, 1 to 8 dimensions, in any byte order and layout.

    Raises
    ------
    TypeError
        The format has no such dtype.
    ValueError
        It has not so many dimensions, or a length does not fit into 32 bits.
    DatasetError
        The file cannot be written.
    """
    import gzip

    values = np.asarray(array)
    code = _CODES.get(values.dtype.newbyteorder("="))
    if code is None:
        raise TypeError(f"IDX files hold {', '.join(map(str, _CODES))}, not {values.dtype}")
    if not 1 <= values.ndim <= _MAX_DIMS or max(values.shape) >= 2**32:
        raise ValueError(f"an IDX file has 1 to {_MAX_DIMS} dimensions below 2**32, got the shape {values.shape}")
    header = struct.pack(f">HBB{values.ndim}I", 0, code, values.ndim, *values.shape)
    contents = header + values.astype(_DTYPES[code]).tobytes()
    if os.fspath(path).endswith(".gz"):
        contents = gzip.compress(contents, mtime=0)
    try:
        with replacing(path) as file:
            file.write(contents)
    except OSError as error:
        raise DatasetError(f"{os.fspath(path)!r} cannot be written ({reason(error)})") from error


def _read(
    stream: Readable,
    name: str,
    size: int | None,  # of the whole file, where that is known beforehand
    want_dtype: np.dtype[Any] | None,
    want_shape: tuple[int | None, ...] | None,
) -> NDArray[Any]:
    dtype, shape = _read_header(stream, name)
    _check_kind(name, dtype, shape, want_dtype, want_shape)
    promised = math.prod(shape) * dtype.itemsize
    header = 4 + 4 * len(shape)
    if size is not None and size != header + promised:
        raise _wrong_size(name, dtype, shape, promised, f"{size - header:,}")
    data = read_up_to(stream, promised)
    if len(data) < promised:
        raise _wrong_size(name, dtype, shape, promised, f"{len(data):,}")
    if stream.read(1):  # at the end of a gzip stream this compares the checksum, too
        raise _wrong_size(name, dtype, shape, promised, "more")
    return np.ndarray(shape, dtype, buffer=data).astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: Readable, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = bytes(read_up_to(stream, 4))
    if magic[:2] not in (b"", b"\0", b"\0\0"):
        text = (magic + read_up_to(stream, 60)).removeprefix(b"\xef\xbb\xbf").lstrip()
        if text.startswith(b"<"):
            raise DatasetError(f"{name} is a web page (HTML), not an IDX file: download it again")
        raise DatasetError(f"{name} is no IDX file: it starts with {_hex(magic)}, wanted 00 00")
    if len(magic) < 4:
        raise DatasetError(f"{name} ends within its header: {len(magic)} bytes, wanted at least 8")
    code, ndim = magic[2], magic[3]
    if code not in _DTYPES:
        known = _hex(bytes(_DTYPES))
        raise DatasetError(f"{name} has the dtype code {code:02x}, wanted one of {known}")
    if not 1 <= ndim <= _MAX_DIMS:
        raise DatasetError(f"{name} has {ndim} dimensions, wanted 1 to {_MAX_DIMS}")
    lengths = read_up_to(stream, 4 * ndim)
    if len(lengths) < 4 * ndim:
        raise DatasetError(f"{name} ends within its header: {4 + len(lengths)} bytes, wanted at least {4 + 4 * ndim}")
    shape = struct.unpack(f">{ndim}I", lengths)
    # numpy, too, counts the other lengths of an array in which one of them is 0.
    if math.prod(max(length, 1) for length in shape) * _DTYPES[code].itemsize >= 2**63:
        raise DatasetError(f"{name} has the impossible shape {shape}")
    return _DTYPES[code], shape


def _check_kind(
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    want_dtype: np.dtype[Any] | None,
    want_shape: tuple[int | None, ...] | None,
) -> None:
    native = dtype.newbyteorder("=")
    if want_dtype is not None and native != want_dtype:
        raise DatasetError(f"{name} holds {native}, wanted {want_dtype}")
    if want_shape is None:
        return
    fits = len(shape) == len(want_shape) and all(
        want in (None, length) for length, want in zip(shape, want_shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("n" if length is None else str(length) for length in want_shape)
        raise DatasetError(f"{name} has the shape {shape}, wanted ({wanted}{',' * (len(want_shape) == 1)})")


def _wrong_size(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], promised: int, found: str) -> DatasetError:
    return DatasetError(
        f"{name} should hold {dtype.newbyteorder('=')} of shape {shape}, {promised:,} bytes after the header, "
        f"but has {found}"
    )


def _hex(data: bytes) -> str:
    return data.hex(" ")
