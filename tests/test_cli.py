"""``pygrad train`` and ``pygrad evaluate``: what they print, write and refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pygrad
from pygrad import checkpoint, cli, data
from pygrad.train import task as training


@pytest.fixture
def run(capsys):
    """Run a command line in this process; give its exit code and what it wrote."""

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def test_xor_prints_the_loss_and_the_four_predictions_every_100_epochs(run):
    code, out, err = run("train", "xor", "--epochs", "250")
    assert (code, err) == (0, "")
    rows = [row.split() for row in out.splitlines()]
    assert out.startswith("xor: 2-16-1, sgd lr 0.5, batch 4, seed 0\n")
    assert [row[0] for row in rows[2:5]] == ["100", "200", "250"]
    assert [round(float(p)) for p in rows[4][4:]] == [0, 1, 1, 0]
    assert "test accuracy 100.00%" in out


def test_digits_are_trained_saved_and_evaluated_alike(run, tmp_path):
    file = tmp_path / "digits.npz"
    options = "--epochs 3 --hidden 16,8 --optimizer adam --lr 0.01 --batch-size 50 --seed 7".split()
    code, out, err = run("train", "digits", *options, "--out", file, "--json")
    document = json.loads(out)
    assert code == 0
    assert [line.split()[0] for line in err.splitlines()[2:5]] == ["1", "2", "3"]
    assert "digits: 64-16-8-10, adam lr 0.01, batch 50, seed 7" in err and str(file) in err
    assert document["dims"] == [64, 16, 8, 10] and document["out"] == str(file)
    assert document["recipe"] == {
        "hidden": [16, 8], "epochs": 3, "lr": 0.01, "batch_size": 50, "optimizer": "adam", "seed": 7
    }  # fmt: skip
    assert [epoch["epoch"] for epoch in document["history"]] == [1, 2, 3]
    assert document["accuracy"] == document["history"][-1]["accuracy"]

    code, out, err = run("evaluate", file, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "model": str(file), "task": "digits", "accuracy": document["accuracy"], "samples": 360
    }  # fmt: skip
    code, out, err = run("evaluate", file)
    assert (code, out, err) == (0, f"digits: test accuracy {document['accuracy']:.2%} of 360 samples\n", "")


def write_mnist(folder, n):
    """Write n images of each part: digit d has a bright column 2d."""
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        labels = rng.integers(0, 10, n).astype(np.uint8)
        images = rng.integers(0, 50, (n, 28, 28)).astype(np.uint8)
        images[np.arange(n), :, 2 * labels] = 255
        data.write_idx(folder / f"{part}-images-idx3-ubyte", images)
        data.write_idx(folder / f"{part}-labels-idx1-ubyte", labels)


def test_mnist_is_read_from_the_folder_that_is_named(run, tmp_path, monkeypatch):
    write_mnist(tmp_path, 500)
    file = tmp_path / "mnist.npz"
    code, out, err = run("train", "mnist", "--data", tmp_path, "--epochs", "5", "--hidden", "16", "--out", file)
    assert (code, err) == (0, "")
    assert out.startswith("mnist: 784-16-10, sgd lr 0.1, batch 64, seed 0\n")
    last = out.split("test accuracy ")[1].split(",")[0]
    assert float(last.rstrip("%")) > 90
    assert run("evaluate", file, "--data", tmp_path) == (0, f"mnist: test accuracy {last} of 500 samples\n", "")
    monkeypatch.setenv("PYGRAD_DATA_DIR", str(tmp_path))
    assert run("evaluate", file)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("train", "task"),
        ("train sine", "'sine'"),
        ("train xor --epochs 0", "--epochs: has to be a whole number from 1 on, not '0'"),
        ("train xor --epochs many", "'many'"),
        ("train xor --lr -0.5", "--lr: has to be a number above 0, not '-0.5'"),
        ("train xor --lr 0", "--lr"),
        ("train xor --lr nan", "--lr"),
        ("train xor --batch-size 0", "--batch-size"),
        ("train xor --hidden 16,", "--hidden: has to be whole numbers from 1 on, such as 256,128, not '16,'"),
        ("train xor --hidden 0", "--hidden"),
        ("train xor --seed -1", "--seed"),
        ("train xor --seed 18446744073709551616", "--seed"),
        ("train xor --optimizer sdg", "'sgd', 'momentum', 'adam'"),
        ("train xor --data /tmp", "--data is for mnist"),
        ("train xor --momentum 1", "--momentum"),
        ("evaluate", "MODEL"),
    ],
)
def test_bad_arguments_are_told_in_one_line_and_exit_with_2(run, arguments, told):
    code, out, err = run(*arguments.split())
    assert (code, out) == (2, "")
    assert told in err and err.count("\n") == 1 and err.startswith("pygrad")


def failed(result, *told):
    code, out, err = result
    assert (code, out) == (1, "")
    assert all(str(word) in err for word in told) and err.count("\n") == 1 and err.startswith("pygrad ")


def test_failures_are_one_line_that_names_the_file_and_exit_with_1(run, tmp_path, monkeypatch):
    monkeypatch.delenv("PYGRAD_DATA_DIR", raising=False)
    failed(run("train", "mnist"), "PYGRAD_DATA_DIR")
    failed(run("train", "mnist", "--data", tmp_path), tmp_path)
    failed(run("evaluate", tmp_path / "none.npz"), "none.npz")
    junk = tmp_path / "junk.npz"
    junk.write_bytes(b"<html>not found</html>")
    failed(run("evaluate", junk), "junk.npz")
    checkpoint.save(junk, {"w": np.zeros(3)}, {})
    failed(run("evaluate", junk), "junk.npz", "pygrad train")


def test_file_that_cannot_be_written_is_told_before_training(run, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "fit", lambda *args, **kwargs: pytest.fail("trained"))
    failed(run("train", "xor", "--out", tmp_path / "no" / "such" / "model.npz"), "model.npz")
    failed(run("train", "xor", "--out", tmp_path), tmp_path)
    (tmp_path / "file").touch()
    failed(run("train", "xor", "--out", tmp_path / "file" / "model.npz"), "model.npz")


def test_old_model_stays_when_training_fails(run, tmp_path):
    file = tmp_path / "model.npz"
    file.write_text("precious")
    code, _, err = run("train", "digits", "--lr", "1e9", "--out", file)
    assert code == 1 and "smaller learning rate" in err and err.count("\n") == 1
    assert file.read_text() == "precious" and [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_interrupting_a_run_exits_with_130_and_saves_nothing(run, tmp_path, monkeypatch):
    def fit(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "fit", fit)
    code, _, err = run("train", "xor", "--out", tmp_path / "model.npz")
    assert (code, err) == (130, "interrupted\n") and list(tmp_path.iterdir()) == []


def test_help_tells_the_defaults(run):
    code, out, _ = run("train", "--help")
    assert code == 0
    text = " ".join(out.split())
    assert "xor 1000" in text and "mnist 256,128" in text and "digits momentum" in text and "example:" in text
    assert "pygrad evaluate digits.npz" in run("evaluate", "--help")[1]


def test_package_runs_as_a_module():
    command = [sys.executable, "-m", "pygrad", "train", "xor", "--epochs", "100", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=Path(pygrad.__file__).parent.parent
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["task"] == "xor"
