"""What the tests of checkpoints share."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from pygrad import checkpoint
from pygrad.checkpoint import CheckpointError


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return list(a) == list(b) and all(
        (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())
        for x, y in zip(a.values(), b.values(), strict=True)
    )


def refusal(file: Path) -> str:
    """Return the message of the error, which is one line and names the file."""
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message


def pack(file: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.fixture(name="arrays")
def arrays_of_all_kinds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "0.weight": rng.standard_normal((3, 4)).astype(np.float32),
        "0.bias": rng.standard_normal(3),
        "steps": np.array(7, dtype=np.int64),
    }


# --- whole or not there


@pytest.fixture(name="old")
def old_checkpoint(tmp_path: Path) -> Path:
    """Give a checkpoint that is there already."""
    checkpoint.save(tmp_path / "c.npz", {"old": np.arange(3)})
    return tmp_path / "c.npz"
