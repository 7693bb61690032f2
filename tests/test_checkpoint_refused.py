"""One line for every file that is no checkpoint."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_support import arrays_of_all_kinds, old_checkpoint, pack, refusal, same  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st

from pygrad import checkpoint
from pygrad.checkpoint import CheckpointError

MIB = 1 << 20


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


# --- what is no checkpoint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "none")


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    assert "cannot be read (is a folder)" in refusal(tmp_path)


@pytest.mark.parametrize("contents", [b"", b"text", b"\x80\x04.", b"<html></html>", npy(np.zeros(3)), bytes(1000)])
def test_what_is_no_zip_file_is_refused(contents: bytes, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(contents)
    assert "is no npz file, or cut off or damaged" in refusal(tmp_path / "c")


class Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def test_objects_are_refused_and_never_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", w=np.zeros(1), x=np.array([Bomb(tmp_path / "exploded")], dtype=object))
    assert "'x.npy' Python objects, which are never loaded" in refusal(tmp_path / "c.npz")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.zeros(1, complex), np.zeros(1, [("a", "i4")]), np.zeros(1, "M8[s]")]
)
def test_what_is_no_number_is_refused(array: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", x=array)
    assert "wanted numbers" in refusal(tmp_path / "c.npz")


def test_a_zip_file_of_other_things_is_refused(tmp_path: Path) -> None:
    pack(tmp_path / "c", {"readme.txt": b"hello"})
    assert "holds 'readme.txt', wanted npy members only" in refusal(tmp_path / "c")


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"hello", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00\xff\xff{}", b"\x93NUMPY\x09\x00" + bytes(90)):
        pack(tmp_path / "c", {"x.npy": data})
        assert "is damaged (ValueError" in refusal(tmp_path / "c")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c", "w") as archive:
        archive.writestr("x.npy", npy(np.zeros(1)))
        archive.writestr("x.npy", npy(np.ones(1)))
    assert "two members of one name" in refusal(tmp_path / "c")


def header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n"


@pytest.mark.parametrize("shape", ["(1099511627776,)", "(4294967296, 4294967296)", "(3,)", "(1,)", "()", "(-1,)",
                                   "(-1, -2)", "(0, -5)", "(True,)", "2", "(2**40,)"])  # fmt: skip
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_claims_another_size_is_refused_without_the_memory(
    shape: str, compression: int, tmp_path: Path
) -> None:
    pack(tmp_path / "c", {"x.npy": header(shape) + bytes(16)}, compression)
    tracemalloc.start()
    try:
        refusal(tmp_path / "c")
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("claim", [0, 1, 2**31, 2**32 - 2])
def test_a_directory_that_claims_another_size_is_refused_without_the_memory(claim: int, tmp_path: Path) -> None:
    pack(tmp_path / "c", {"x.npy": npy(np.zeros(10))})
    damaged = bytearray((tmp_path / "c").read_bytes())
    at = damaged.index(b"PK\x01\x02") + 24
    damaged[at : at + 4] = struct.pack("<I", claim)
    (tmp_path / "c").write_bytes(damaged)
    tracemalloc.start()
    try:
        refusal(tmp_path / "c")
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_a_comment_that_swallows_the_next_array_is_noticed(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", x=np.zeros(1), y=np.ones(1))
    damaged = bytearray((tmp_path / "c.npz").read_bytes())
    first = damaged.index(b"PK\x01\x02")
    damaged[first + 32 : first + 34] = struct.pack("<H", damaged.index(b"PK\x05\x06") - first)
    (tmp_path / "c.npz").write_bytes(damaged)
    assert "its directory is not as long as its last record says" in refusal(tmp_path / "c.npz")


def relabelled(file: Path, change: dict[str, Any] | bytes) -> Path:
    """Give a copy of a checkpoint with another description in it."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "__pygrad__.json"
    members[name] = change if isinstance(change, bytes) else json.dumps(json.loads(members[name]) | change).encode()
    pack(file.with_name("relabelled"), members)
    return file.with_name("relabelled")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "other"}, "is no checkpoint of pygrad"),
        ({"version": 2}, "has the format 2, and this pygrad reads 1"),
        ({"version": None}, "has the format None"),
        ({"meta": [1]}, "lacks arrays or meta"),
        ({"arrays": None}, "lacks arrays or meta"),
        ({"arrays": {}}, "its arrays are not those that it lists"),
        ({"arrays": {"old": ["int32", [3]]}}, "its arrays are not those that it lists"),
        ({"arrays": {"old": ["int64", [1, 3]]}}, "its arrays are not those that it lists"),
        ({"arrays": {"old": ["int64", [3]], "lost": ["int64", [3]]}}, "its arrays are not those that it lists"),
        (b"[1]", "is no checkpoint of pygrad"),
        (b"", "is damaged (JSONDecodeError"),
        (b"\xff\xfe\xff", "is damaged (UnicodeDecodeError"),
        (b"[" * 100_000, "is damaged (RecursionError"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(change: Any, says: str, old: Path) -> None:
    assert says in refusal(relabelled(old, change))


def test_meta_is_what_the_file_says_and_nothing_else(old: Path) -> None:
    assert checkpoint.load(relabelled(old, {"meta": {"a": 1}}))[1] == {"a": 1}


# --- fuzzing


@pytest.mark.parametrize("kind", ["save", "savez", "savez_compressed"])
def test_no_cut_and_no_flipped_bit_gives_another_array(
    kind: str, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    meta: dict[str, Any] = {}
    if kind == "save":
        meta = {"epochs": 5}
        checkpoint.save(tmp_path / "c.npz", arrays, meta)
    else:
        getattr(np, kind)(tmp_path / "c.npz", **arrays)
    data = (tmp_path / "c.npz").read_bytes()
    for length in range(0, len(data), 3):
        (tmp_path / "d").write_bytes(data[:length])
        refusal(tmp_path / "d")
    refused = 0
    rng = np.random.default_rng(0)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "d").write_bytes(damaged)
        try:
            loaded, found = checkpoint.load(tmp_path / "d")
        except CheckpointError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert same(loaded, arrays)
            assert found == meta
    assert refused > len(data) // 2  # what passes are dates, attributes and the local copies of what the directory says


@settings(max_examples=200)
@given(data=st.data())
def test_any_bytes_in_any_place_are_arrays_or_a_checkpoint_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.npz"
    checkpoint.save(file, {"x": np.arange(3.0), "y": np.ones((2, 2), np.uint8)}, {"a": 1})
    contents = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(contents)))
    contents[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    file.write_bytes(contents)
    try:
        loaded, meta = checkpoint.load(file)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert same(loaded, {"x": np.arange(3.0), "y": np.ones((2, 2), np.uint8)})
        assert meta == {"a": 1}
