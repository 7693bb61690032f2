"""IDX files: exact contents, and one clear line for everything that is no such file."""

from __future__ import annotations

import errno
import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pygrad._files as files
from pygrad.data import DatasetError, read_idx, write_idx

CODES = {0x08: ("uint8", "B"), 0x09: ("int8", "b"), 0x0B: ("int16", "h"), 0x0C: ("int32", "i"),
         0x0D: ("float32", "f"), 0x0E: ("float64", "d")}  # fmt: skip
WEB_PAGE = b"\n<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>"


def idx(code: int, shape: tuple[int, ...], elements: bytes) -> bytes:
    """Give the bytes of a file as the format's description has them."""
    return bytes([0, 0, code, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape) + elements


def refusal(file: Path, **options: object) -> str:
    """Return the message of the error, which is one line and names the file."""
    with pytest.raises(DatasetError) as caught:
        read_idx(file, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message


# --- what is right


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("code", CODES)
def test_every_dtype_is_read_big_end_first(code: int, packed: bool, tmp_path: Path) -> None:
    dtype, letter = CODES[code]
    numbers = [0, 1, 2, 100, 127, 3]
    contents = idx(code, (2, 3), struct.pack(f">6{letter}", *numbers))
    (tmp_path / "f").write_bytes(gzip.compress(contents) if packed else contents)
    array = read_idx(tmp_path / "f")
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    assert array.tolist() == [numbers[:3], numbers[3:]]


def test_the_array_is_the_callers_own_and_writable(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(idx(0x08, (3,), b"abc"))
    array = read_idx(tmp_path / "f")
    array[:] = 0
    assert read_idx(tmp_path / "f").tolist() == [97, 98, 99]


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (3, 0), (0, 2**32 - 1)])
def test_zero_lengths_are_shapes_too(shape: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(idx(0x08, shape, b""))
    assert read_idx(tmp_path / "f").shape == shape


def test_contents_tell_what_is_compressed_and_not_the_name(tmp_path: Path) -> None:
    contents = idx(0x08, (3,), b"abc")
    (tmp_path / "plain.gz").write_bytes(contents)
    (tmp_path / "packed").write_bytes(gzip.compress(contents))
    assert read_idx(tmp_path / "plain.gz").tolist() == read_idx(str(tmp_path / "packed")).tolist() == [97, 98, 99]


def test_a_gzip_file_of_several_members_is_their_concatenation(tmp_path: Path) -> None:
    contents = idx(0x08, (3,), b"abc")
    (tmp_path / "f").write_bytes(gzip.compress(contents[:5]) + gzip.compress(contents[5:]))
    assert read_idx(tmp_path / "f").tolist() == [97, 98, 99]


ARRAYS = st.sampled_from([dtype for dtype, _ in CODES.values()]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=8, min_side=0, max_side=3))
)


@settings(max_examples=60)
@given(array=ARRAYS, name=st.sampled_from(["a", "a.gz"]), foreign=st.booleans())
def test_what_is_written_is_read_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, name: str, foreign: bool
) -> None:
    file = tmp_path_factory.mktemp("idx") / name
    write_idx(file, array.astype(array.dtype.newbyteorder()) if foreign else array)
    back = read_idx(file)
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_the_writers_bytes_are_those_of_the_format_whatever_the_layout(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    for layout in (array, np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2], array[::-1][::-1]):
        write_idx(tmp_path / "f", layout)
        assert (tmp_path / "f").read_bytes() == idx(0x0B, (2, 3), struct.pack(">6h", *range(6)))
    write_idx(tmp_path / "f.gz", array)
    packed = (tmp_path / "f.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "f").read_bytes()
    assert packed[4:8] == bytes(4)  # no time of day: the same array gives the same file


@pytest.mark.parametrize("dtype", ["int64", "uint16", "bool", "float16", "complex64", "object", "U3"])
def test_a_dtype_without_a_code_is_not_written(dtype: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"IDX files hold uint8, .*, not "):
        write_idx(tmp_path / "f", np.zeros(3, dtype))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ndim", [0, 9])
def test_too_few_and_too_many_dimensions_are_not_written(ndim: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 8 dimensions"):
        write_idx(tmp_path / "f", np.zeros((1,) * ndim, np.uint8))


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path / "f", np.zeros(3, np.uint8))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DatasetError, match=r"f' cannot be written \(No space left on device\)"):
        write_idx(tmp_path / "f", np.ones(3, np.uint8))
    assert read_idx(tmp_path / "f").tolist() == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


# --- what is wrong


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "is empty"),
        (b"\0\0\x08", "ends within its header: 3 bytes"),
        (b"\0\0\x08\x01\0\0", "ends within its header: 6 bytes, wanted at least 8"),
        (b"\x01\0\x08\x01" + bytes(8), "starts with 01 00 08 01, wanted 00 00"),
        (b"PK\x03\x04" + bytes(90), "starts with 50 4b 03 04"),
        (idx(0x07, (1,), b"a"), "dtype code 07, wanted one of 08 09 0b 0c 0d 0e"),
        (idx(0x08, (), b"a"), "0 dimensions, wanted 1 to 8"),
        (idx(0x08, (1,) * 9, b"a"), "9 dimensions, wanted 1 to 8"),
        (idx(0x08, (3,), b"ab"), "uint8 of shape (3,), 3 bytes after the header, but has 2"),
        (idx(0x0C, (1, 2), bytes(12)), "int32 of shape (1, 2), 8 bytes after the header, but has "),
        (idx(0x08, (0,), b"a"), "0 bytes after the header, but has "),
        (idx(0x0E, (2**32 - 1,) * 2, b""), "impossible shape"),
        (idx(0x08, (0, 2**32 - 1, 2**32 - 1), b""), "impossible shape"),
        (WEB_PAGE, "is a web page (HTML), not an IDX file"),
        (b"\xef\xbb\xbf<html>", "is a web page (HTML)"),
        (b"<?xml version='1.0'?><html>", "is a web page (HTML)"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_what_is_no_idx_file_is_said_in_one_line(contents: bytes, says: str, packed: bool, tmp_path: Path) -> None:
    if packed and not contents:
        says = "ends within its header: 0 bytes"
    (tmp_path / "f").write_bytes(gzip.compress(contents) if packed else contents)
    assert says in refusal(tmp_path / "f")


def test_a_plain_file_is_measured_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(idx(0x0C, (1, 2), bytes(12)))
    assert "8 bytes after the header, but has 12" in refusal(tmp_path / "f")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refusal(tmp_path / "none")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read (is a folder)" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in refusal(tmp_path / "pipe")


@pytest.mark.parametrize("keep", [3, 12, 30, -9, -4, -1])
def test_a_cut_off_gzip_file_is_refused(keep: int, tmp_path: Path) -> None:
    packed = gzip.compress(idx(0x08, (1000,), np.random.default_rng(0).bytes(1000)))
    (tmp_path / "f").write_bytes(packed[:keep])
    assert "damaged or cut-off gzip file" in refusal(tmp_path / "f")


def test_bytes_after_the_gzip_stream_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(gzip.compress(idx(0x08, (3,), b"abc")) + b"more")
    assert "damaged or cut-off gzip file" in refusal(tmp_path / "f")


def test_another_dtype_or_shape_than_asked_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(idx(0x0C, (2, 3), bytes(24)))
    assert read_idx(tmp_path / "f", dtype=np.int32, shape=(None, 3)).shape == (2, 3)
    assert "holds int32, wanted uint8" in refusal(tmp_path / "f", dtype=np.uint8)
    assert "has the shape (2, 3), wanted (n, 4)" in refusal(tmp_path / "f", shape=(None, 4))
    assert "has the shape (2, 3), wanted (n,)" in refusal(tmp_path / "f", shape=(None,))


# --- what costs nothing

MIB = 1 << 20


def peak_of_refusal(file: Path) -> int:
    tracemalloc.start()
    try:
        refusal(file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_huge_claim_allocates_nothing(packed: bool, tmp_path: Path) -> None:
    contents = idx(0x08, (2**31, 2**10), bytes(100))
    (tmp_path / "f").write_bytes(gzip.compress(contents) if packed else contents)
    assert peak_of_refusal(tmp_path / "f") < 4 * MIB


def test_a_gzip_bomb_is_left_at_what_its_header_promises(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "f", "wb", compresslevel=1) as file:
        file.write(idx(0x08, (100,), b""))
        for _ in range(128):
            file.write(bytes(MIB))
    assert peak_of_refusal(tmp_path / "f") < 4 * MIB


# --- fuzzing


def test_no_cut_and_no_flipped_bit_of_a_gzip_file_gives_another_array(tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(0, 5, (4, 7, 7)).astype(np.uint8)
    write_idx(tmp_path / "f.gz", array)
    packed = (tmp_path / "f.gz").read_bytes()
    for length in range(len(packed)):
        (tmp_path / "g").write_bytes(packed[:length])
        refusal(tmp_path / "g")
    refused = 0
    for position in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[position // 8] ^= 1 << position % 8
        (tmp_path / "g").write_bytes(damaged)
        try:
            assert np.array_equal(read_idx(tmp_path / "g", dtype=np.uint8, shape=(4, 7, 7)), array)
        except DatasetError:
            refused += 1
    assert refused > 4 * len(packed)  # what passes is the time, the system and the like in gzip's header


def test_no_cut_and_no_flipped_header_bit_of_a_plain_file_passes(tmp_path: Path) -> None:
    contents = idx(0x08, (5, 2), bytes(range(10)))
    for length in range(len(contents)):
        (tmp_path / "g").write_bytes(contents[:length])
        refusal(tmp_path / "g")
    for position in range(8 * 12):
        damaged = bytearray(contents)
        damaged[position // 8] ^= 1 << position % 8
        (tmp_path / "g").write_bytes(damaged)
        refusal(tmp_path / "g", dtype=np.uint8)


@settings(max_examples=300)
@given(start=st.sampled_from([b"", b"\0\0", b"\0\0\x08\x01", b"\0\0\x0c\x02\0\0\0", b"\x1f\x8b", b"\x1f\x8b\x08\0"]),
       rest=st.binary(max_size=60))  # fmt: skip
def test_any_bytes_are_an_array_or_a_dataset_error(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(start + rest)
    try:
        array = read_idx(file)
    except DatasetError as error:
        assert "\n" not in str(error)
    else:
        assert len(start + rest) == 4 + 4 * array.ndim + array.nbytes
