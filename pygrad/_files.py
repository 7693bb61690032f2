"""Reading and writing of whole files with the failures thought of."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO, Protocol

_CHUNK = 1 << 20


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


@contextlib.contextmanager
def open_regular(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file for reading and give it with its size in bytes.

    Raises
    ------
    OSError
        It is missing or unreadable, or no regular file: opening a pipe would wait for ever, a device need not end.
    """
    _refuse_special(os.stat(path).st_mode)
    with open(path, "rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def read_up_to(stream: Readable, size: int) -> bytearray:
    """Read `size` bytes, or fewer where the stream ends before.

    Memory grows with what arrives, so that a size that a damaged file claims costs nothing.
    """
    data = bytearray()
    while len(data) < size:
        chunk = stream.read(min(_CHUNK, size - len(data)))
        if not chunk:
            break
        data += chunk
    return data


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a new file that takes the place of `path` when the block ends, and is removed when it raises.

    Whoever opens `path` meanwhile, or after a crash or a power cut, finds the old contents or the new, whole.

    Raises
    ------
    OSError
        Something cannot be written; `path` is as before.
    """
    target = os.path.realpath(path)  # so that a link stays one
    with contextlib.suppress(FileNotFoundError):
        _refuse_special(os.stat(target).st_mode)
    folder = os.path.dirname(target)
    # Not the tempfile module: its files are readable by their owner alone, whatever the umask says.
    part = os.path.join(folder, f".pygrad-{os.urandom(8).hex()}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    _sync_folder(folder)


def reason(error: BaseException) -> str:
    """Return in one line what an exception says, without the file's name where the system adds it."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _refuse_special(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError("is a folder" if stat.S_ISDIR(mode) else "is not a regular file")


def _sync_folder(folder: str) -> None:
    # Not every file system can; the file itself is safe by then.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
