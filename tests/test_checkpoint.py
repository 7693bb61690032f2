"""Checkpoints: exact, whole or not there at all."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_support import arrays_of_all_kinds, old_checkpoint, pack, refusal, same  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pygrad
import pygrad._files as files
from pygrad import checkpoint
from pygrad.checkpoint import CheckpointError

META = {"architecture": [784, 256, 10], "recipe": {"lr": 0.1, "seed": 0}, "note": "Grüße", "accuracy": None, "ok": True}
DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64", "int8", "int16", "uint16", "uint32", "uint64",
          "float16"]  # fmt: skip


# --- there and back


@settings(max_examples=60)
@given(
    arrays=st.dictionaries(
        st.sampled_from(["a", "file", "args", "0.weight", "a.npy", "arr_0", "Größe", "a b", "__pygrad__"]),
        st.sampled_from(DTYPES).flatmap(
            lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=3))
        ),
        max_size=4,
    ),
    foreign=st.booleans(),
    fortran=st.booleans(),
)
def test_what_is_saved_is_loaded_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray], foreign: bool, fortran: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / "there-and-back.npz"
    given = {
        key: np.asarray(array, array.dtype.newbyteorder() if foreign else None, order="F" if fortran else "C")
        for key, array in arrays.items()
    }
    checkpoint.save(file, given, META)
    loaded, meta = checkpoint.load(file)
    assert same(loaded, arrays)
    assert meta == META
    for array in loaded.values():
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.dtype.isnative


def test_special_numbers_keep_their_bits(tmp_path: Path) -> None:
    array = np.array([0x7FC00001, 0xFFC12345, 0x7F800000, 0x80000000, 1], dtype=np.uint32).view(np.float32)
    checkpoint.save(tmp_path / "c", {"x": array})
    assert checkpoint.load(tmp_path / "c")[0]["x"].tobytes() == array.tobytes()


def test_views_are_saved_as_what_they_show(tmp_path: Path) -> None:
    base = np.arange(24.0).reshape(4, 6)
    views = {"cut": base[1:3, ::2], "turned": base.T, "back": base[::-1], "row": np.broadcast_to(base[0], (3, 6))}
    checkpoint.save(tmp_path / "c", views)
    loaded, _ = checkpoint.load(tmp_path / "c")
    assert all(np.array_equal(loaded[key], view) for key, view in views.items())


def test_tensors_are_saved_without_their_graph(tmp_path: Path) -> None:
    x = pygrad.tensor([0.0, 1.0, 2.0], requires_grad=True)
    checkpoint.save(tmp_path / "c", {"x": x * 1, "y": np.float32(2.0)})
    loaded, _ = checkpoint.load(tmp_path / "c")
    assert loaded["x"].tolist() == [0.0, 1.0, 2.0]
    assert (loaded["y"].dtype, loaded["y"].shape) == (np.float32, ())


def test_nothing_at_all_can_be_saved(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c", {})
    assert checkpoint.load(tmp_path / "c") == ({}, {})


def test_the_same_contents_give_the_same_bytes(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a", arrays, META)
    checkpoint.save(tmp_path / "b", {key: np.array(array, order="F") for key, array in arrays.items()}, META)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numpy_opens_a_checkpoint(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c.npz", arrays, META)
    with np.load(tmp_path / "c.npz", allow_pickle=False) as archive:
        assert same({key: archive[key] for key in arrays}, arrays)
        contents = json.loads(archive["__pygrad__.json"])
    assert (contents["format"], contents["version"], contents["meta"]) == ("pygrad-checkpoint", 1, META)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpys_own_files_are_loaded_without_meta(save: Any, arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    arrays |= {
        "F": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(3, dtype=">i4"),
        "a/b": np.ones(1),
    }
    save(tmp_path / "c.npz", **arrays)
    loaded, meta = checkpoint.load(tmp_path / "c.npz")
    assert meta == {}
    assert same(loaded, arrays | {"big": np.arange(3, dtype=np.int32)})


def test_an_array_with_a_header_of_version_2_is_loaded(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.arange(3.0), version=(2, 0))
    pack(tmp_path / "c", {"x.npy": stream.getvalue()})
    assert checkpoint.load(tmp_path / "c")[0]["x"].tolist() == [0.0, 1.0, 2.0]


# --- what cannot be saved


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "/a", "../a", "a\\b", "a\0b", "a\nb", "\ud800", "k" * 1025])
def test_a_key_that_is_no_name_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key"):
        checkpoint.save(tmp_path / "c", {key: np.zeros(1)})
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_the_format_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'__pygrad__\.json' cannot be a key"):
        checkpoint.save(tmp_path / "c", {"__pygrad__.json": np.zeros(1)})


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="keys of a checkpoint are str, got 1"):
        checkpoint.save(tmp_path / "c", {1: np.zeros(1)})  # type: ignore[dict-item]


@pytest.mark.parametrize("value", [[1.0], 1.0, "text", None, {"a": 1}, print])
def test_a_value_that_is_no_array_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=f"tensors and arrays, got {type(value).__name__} under 'x'"):
        checkpoint.save(tmp_path / "c", {"x": value})


@pytest.mark.parametrize("dtype", ["object", "U3", "complex64", "datetime64[s]", "V4", [("a", "i4")]])
def test_an_array_of_other_things_than_numbers_is_refused(dtype: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"a checkpoint holds bool, int8, .* under 'x'"):
        checkpoint.save(tmp_path / "c", {"x": np.zeros(2, dtype)})
    assert list(tmp_path.iterdir()) == []


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("meta", "error"),
    [
        ({"a": np.float32(1.0)}, TypeError),
        ({"a": {1, 2}}, TypeError),
        ({("a",): 1}, TypeError),
        ([1], TypeError),
        ("text", TypeError),
        ({"a": float("nan")}, ValueError),
        ({"a": [float("inf")]}, ValueError),
        ({"a": LOOP}, ValueError),
    ],
)
def test_meta_that_json_cannot_say_is_refused(meta: Any, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error, match="meta must be"):
        checkpoint.save(tmp_path / "c", {}, meta)
    assert list(tmp_path.iterdir()) == []


def untouched(old: Path) -> bool:
    return list(old.parent.iterdir()) == [old] and checkpoint.load(old)[0]["old"].tolist() == [0, 1, 2]


def test_a_new_checkpoint_takes_the_place_of_the_old(old: Path) -> None:
    checkpoint.save(old, {"new": np.arange(2)})
    assert list(checkpoint.load(old)[0]) == ["new"]
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("room", [0, 1, 100, 1000, 3900])
def test_a_full_disk_leaves_the_old_one_and_nothing_else(room: int, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk(io.FileIO):
        written = 0

        def write(self, data: Any) -> int:
            Disk.written += len(memoryview(data).cast("B"))
            if Disk.written > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(files, "open", lambda path, mode: Disk(path, mode), raising=False)
    with pytest.raises(CheckpointError, match=r"c\.npz' cannot be written \(No space left on device\)") as caught:
        checkpoint.save(old, {"x": np.zeros(500)})
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert untouched(old)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_whatever_step_fails_the_old_one_stays(
    step: str, error: BaseException, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(CheckpointError if isinstance(error, OSError) else KeyboardInterrupt):
        checkpoint.save(old, {"x": np.zeros(5)})
    monkeypatch.undo()
    assert untouched(old)


def test_what_is_renamed_is_whole_and_on_the_disk(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, fsync, replace = [], os.fsync, os.replace

    def look(part: str, target: str) -> None:
        assert calls == ["fsync"]
        assert os.path.dirname(part) == str(old.parent)
        assert checkpoint.load(part)[0]["x"].tolist() == [0.0] * 5
        assert checkpoint.load(target)[0]["old"].tolist() == [0, 1, 2]
        replace(part, target)

    monkeypatch.setattr(files.os, "fsync", lambda number: (calls.append("fsync"), fsync(number)))
    monkeypatch.setattr(files.os, "replace", look)
    checkpoint.save(old, {"x": np.zeros(5)})
    assert checkpoint.load(old)[0]["x"].tolist() == [0.0] * 5


def test_a_file_that_is_being_read_stays_what_it_was(old: Path) -> None:
    with open(old, "rb") as reader:
        start = reader.read(10)
        checkpoint.save(old, {"new": np.zeros(1000)})
        assert "old.npy" in zipfile.ZipFile(io.BytesIO(start + reader.read())).namelist()


def test_two_threads_that_save_to_one_name_leave_one_whole_checkpoint(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for _ in range(20):
            checkpoint.save(tmp_path / "c", {"x": np.full(1000, number)})

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(checkpoint.load(tmp_path / "c")[0]["x"].tolist()) in ({1}, {2})
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX")
def test_a_link_stays_a_link_and_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "c")
    before = os.umask(0o022)
    try:
        checkpoint.save(tmp_path / "link", {"x": np.zeros(1)})
    finally:
        os.umask(before)
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "real" / "c").stat().st_mode) == 0o644
    assert list(checkpoint.load(tmp_path / "link")[0]) == ["x"]


def test_a_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none/c' cannot be written \(No such file or directory\)"):
        checkpoint.save(tmp_path / "none" / "c", {})


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot be written \(is a folder\)"):
        checkpoint.save(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_neither_replaced_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match=r"cannot be written \(is not a regular file\)"):
        checkpoint.save(tmp_path / "pipe", {})
    assert "is not a regular file" in refusal(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
