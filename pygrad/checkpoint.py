"""Checkpoints: named arrays and a description of them in one file, without any code in it.

A checkpoint is an uncompressed npz archive, which `numpy.load` opens as well: a zip file with one npy member for each
array, and one of JSON that marks the format and its version, lists the arrays and holds what the user says of them.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pygrad._engine import Tensor
from pygrad._files import open_regular, read_up_to, reason, replacing

if TYPE_CHECKING:
    import zipfile

__all__ = ["CheckpointError", "load", "save"]

_FORMAT = "pygrad-checkpoint"
_VERSION = 1
_JSON = "__pygrad__.json"  # not an npy member, so that its contents can be read without numpy
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip's first day: the same contents give the same bytes
_END_RECORD = 22  # bytes; section 4.3.16 of PKWARE's APPNOTE.TXT
_MAX_KEY_BYTES = 1024
_MAX_NPY_HEADER = 1 << 16  # numpy itself refuses longer ones than 10,000
# With the same meaning on every machine: no long double, nothing that needs pickle.
_DTYPES = [np.dtype("bool"), *(np.dtype(f"{kind}{1 << power}") for kind in "iu" for power in range(4))]
_DTYPES += [np.dtype(f"f{size}") for size in (2, 4, 8)]


class CheckpointError(ValueError):
    """A checkpoint cannot be written or read, or is not what it should be; one line that names the file."""


def save(path: str | os.PathLike[str], arrays: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> None:
    """Write arrays and what is to be known of them into one file.

    It is written beside `path`, under another name, and takes its place when it is whole: whatever happens, `path`
    holds the old checkpoint or the new one.

    Parameters
    ----------
    path : str or path
        The file, under exactly this name; a file of that name is replaced. ``.npz`` suits it.
    arrays : mapping of str to Tensor, ndarray or numpy scalar
        Of any shape and layout; bool, integers, and floats of 16 to 64 bits. Keys are names such as ``0.weight``.
    meta : mapping, optional
        What JSON can say, with str as keys: architecture, recipe, results. Tuples come back as lists.

    Raises
    ------
    TypeError
        A key is no str, a value no array of such a dtype, or `meta` holds what JSON cannot say.
    ValueError
        A key is empty, longer than 1024 bytes, ``.`` or ``..``, has a slash, a backslash or unprintable characters,
        which could lead an unpacker astray, or is the format's own; or `meta` holds NaN or infinities, which JSON has
        no words for.
    CheckpointError
        The file cannot be written; `path` is as before. A ValueError.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from pygrad import checkpoint
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "model.npz")
    ...     checkpoint.save(file, {"weight": np.eye(2, dtype=np.float32)}, {"epochs": 5})
    ...     arrays, meta = checkpoint.load(file)
    >>> arrays["weight"].tolist(), meta
    ([[1.0, 0.0], [0.0, 1.0]], {'epochs': 5})
    """
    import json
    import zipfile

    plain = {_check_key(key): _as_array(key, value) for key, value in arrays.items()}
    contents = {
        "format": _FORMAT,
        "version": _VERSION,
        "arrays": {key: _describe(array) for key, array in plain.items()},
        "meta": _check_meta(meta),
    }
    try:
        text = json.dumps(contents, allow_nan=False, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise type(error)(f"meta must be what JSON can say: {reason(error)}") from error
    try:
        with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(_JSON, _EPOCH), text)
            for key, array in plain.items():
                # 64-bit sizes throughout, as the size is not known to zipfile when it writes the header.
                with archive.open(zipfile.ZipInfo(f"{key}.npy", _EPOCH), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
    except OSError as error:
        raise CheckpointError(f"{os.fspath(path)!r} cannot be written ({reason(error)})") from error


def load(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `save` wrote, or a plain npz file of numbers.

    Nothing in the file is executed: pickled objects are refused. Every byte of an array is covered by a checksum.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        In the order of the file; dtypes and shapes are those that were saved, in the machine's byte order and C
        layout. They are the caller's own.
    meta : dict
        As given to `save`; empty if `numpy.savez` or `numpy.savez_compressed` wrote the file.

    Raises
    ------
    CheckpointError
        The file is missing or unreadable, cut off, damaged, no npz file, of a newer format, or holds objects, text or
        other things that are no numbers. A ValueError.
    """
    import zipfile

    name = repr(os.fspath(path))
    try:
        with open_regular(path) as (file, _), zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(set(names)) != len(names):
                raise CheckpointError(f"{name} has two members of one name")
            if _count_of_members(file, archive) != min(len(members), 0xFFFF):
                raise CheckpointError(f"{name} is damaged: its directory is not as long as its last record says")
            contents = _read_json(archive, name) if _JSON in names else None
            arrays = {
                _key_of(member, name): _read_array(archive, member, name)
                for member in members
                if member.filename != _JSON
            }
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read ({reason(error)})") from error
    except zipfile.BadZipFile as error:
        raise CheckpointError(f"{name} is no npz file, or cut off or damaged ({reason(error)})") from error
    except Exception as error:  # a damaged archive raises nearly anything: zip, zlib, header and size errors
        raise CheckpointError(f"{name} is damaged ({type(error).__name__}: {reason(error)})") from error
    if contents is None:
        return arrays, {}
    if contents["arrays"] != {key: _describe(array) for key, array in arrays.items()}:
        raise CheckpointError(f"{name} is damaged: its arrays are not those that it lists")
    return arrays, contents["meta"]


def _check_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the keys of a checkpoint are str, got {key!r}")
    if key in ("", ".", "..", _JSON) or not key.isprintable() or "/" in key or "\\" in key:
        raise ValueError(f"{key!r} cannot be a key of a checkpoint; wanted a name such as '0.weight'")
    if len(key.encode()) > _MAX_KEY_BYTES:
        raise ValueError(f"a key of a checkpoint has at most {_MAX_KEY_BYTES} bytes, got {len(key.encode())}")
    return key


def _as_array(key: str, value: Any) -> NDArray[Any]:
    """Return C-contiguous, little-endian numbers."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if not isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"a checkpoint holds tensors and arrays, got {type(value).__name__} under {key!r}")
    array = np.asarray(value)
    if array.dtype.newbyteorder("=") not in _DTYPES:
        raise TypeError(f"a checkpoint holds {', '.join(map(str, _DTYPES))}, got {array.dtype} under {key!r}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _check_meta(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    if meta is None:
        return {}
    if not isinstance(meta, Mapping):
        raise TypeError(f"meta must be a mapping, got {type(meta).__name__}")
    return dict(meta)


def _describe(array: NDArray[Any]) -> list[Any]:
    return [array.dtype.newbyteorder("=").name, list(array.shape)]


def _count_of_members(file: BinaryIO, archive: zipfile.ZipFile) -> int:
    """Return what the end of central directory record counts, which zipfile does not look at.

    A wrong length of a member's comment can make the comment of one entry swallow those that follow.
    """
    file.seek(-_END_RECORD - len(archive.comment), os.SEEK_END)
    return int.from_bytes(file.read(_END_RECORD)[10:12], "little")


def _key_of(member: zipfile.ZipInfo, name: str) -> str:
    key = member.filename.removesuffix(".npy")
    if key == member.filename:
        raise CheckpointError(f"{name} is no checkpoint: it holds {key!r}, wanted npy members only")
    return key


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytearray:
    """Read the whole of a member, so that its checksum is compared before anything in it is believed."""
    with archive.open(member) as stream:
        data = read_up_to(stream, member.file_size)
    if len(data) != member.file_size:
        raise EOFError(f"{member.filename!r} has {len(data):,} bytes, wanted {member.file_size:,}")
    return data


def _read_json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    import json

    contents = json.loads(_read_member(archive, archive.getinfo(_JSON)))
    if not isinstance(contents, dict) or contents.get("format") != _FORMAT:
        raise CheckpointError(f"{name} is no checkpoint of pygrad: its {_JSON} does not say so")
    if contents.get("version") != _VERSION:
        raise CheckpointError(f"{name} has the format {contents.get('version')!r}, and this pygrad reads {_VERSION}")
    if not isinstance(contents.get("arrays"), dict) or not isinstance(contents.get("meta"), dict):
        raise CheckpointError(f"{name} is damaged: its {_JSON} lacks arrays or meta")
    return contents


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    data = _read_member(archive, member)
    header = io.BytesIO(data[:_MAX_NPY_HEADER])
    shape, fortran, dtype = _read_npy_header(header)
    what = f"{name} has under {member.filename!r}"
    if dtype.hasobject:
        raise CheckpointError(f"{what} Python objects, which are never loaded")
    native = dtype.newbyteorder("=")
    if native not in _DTYPES:
        raise CheckpointError(f"{what} {dtype}, wanted numbers")
    found, wanted = len(data) - header.tell(), math.prod(shape) * dtype.itemsize
    if found != wanted:  # negative lengths whose product fits are left to numpy
        raise CheckpointError(f"{what} {found:,} bytes for {native} of shape {shape}, wanted {wanted:,}")
    array = np.ndarray(shape, dtype, data, header.tell(), order="F" if fortran else "C")
    return array.astype(native, order="C", copy=False)


def _read_npy_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"npy version {version}")  # 3.0 is for the names of structures, which are refused anyway
