"""Tensors print as PyTorch prints them, `pygrad` standing where that says `torch`."""

from __future__ import annotations

import random
from math import inf, nan

import numpy as np
import pytest

from pygrad import dtypes
from pygrad._printing import get_printoptions, printoptions, set_printoptions, tensor_repr


@pytest.fixture(autouse=True)
def _defaults():
    before = dtypes.get_default_dtype()
    yield
    dtypes.set_default_dtype(before)
    set_printoptions(profile="default")


def text(data, dtype="float32", **more):
    array = np.array(data, dtype=dtype)
    return tensor_repr(array, dtype=dtypes.as_dtype(array.dtype), **more)


WRITTEN = [
    ([1, 2], "float32", "tensor([1., 2.])"),
    ([[1, 2], [3, 4]], "int64", "tensor([[1, 2],\n        [3, 4]])"),
    ([1.5, 2], "float32", "tensor([1.5000, 2.0000])"),
    ([0.1], "float32", "tensor([0.1000])"),
    ([0.1], "float64", "tensor([0.1000], dtype=pygrad.float64)"),
    (3.5, "float32", "tensor(3.5000)"),
    (3, "float32", "tensor(3.)"),
    (3, "int64", "tensor(3)"),
    (True, "bool", "tensor(True)"),
    ([True, False], "bool", "tensor([ True, False])"),
    ([1, -20], "int32", "tensor([  1, -20], dtype=pygrad.int32)"),
    ([255], "uint8", "tensor([255], dtype=pygrad.uint8)"),
    ([-1, 2], "float32", "tensor([-1.,  2.])"),
    ([0.0, -0.0], "float32", "tensor([0., -0.])"),
    ([0.5, -0.0], "float32", "tensor([0.5000, -0.0000])"),
    ([nan, inf, -inf], "float32", "tensor([nan, inf, -inf])"),
    ([nan, 1], "float32", "tensor([nan, 1.])"),
    ([nan, 1.5, -inf], "float32", "tensor([   nan, 1.5000,   -inf])"),
    ([1e-5], "float32", "tensor([1.0000e-05])"),
    ([1, 1001], "float32", "tensor([1.0000e+00, 1.0010e+03])"),
    ([1, 1000], "float32", "tensor([   1., 1000.])"),
    ([1e8], "float32", "tensor([100000000.])"),
    ([2e8], "float32", "tensor([2.0000e+08])"),
    ([1e-4], "float32", "tensor([1.0000e-04])"),  # the nearest float32 is below 1e-4
    ([1e-4], "float64", "tensor([0.0001], dtype=pygrad.float64)"),
    ([1e9, nan], "float32", "tensor([1.0000e+09,        nan])"),
    ([], "float32", "tensor([])"),
    ([], "int64", "tensor([], dtype=pygrad.int64)"),
    (np.zeros((0, 3)), "float32", "tensor([], size=(0, 3))"),
    (np.zeros((2, 0)), "bool", "tensor([], size=(2, 0), dtype=pygrad.bool)"),
    ([[[1], [2]], [[3], [4]]], "int64", "tensor([[[1],\n         [2]],\n\n        [[3],\n         [4]]])"),
    (np.arange(1001), "int64", "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        np.zeros((1001, 1)),
        "int64",
        "tensor([[0],\n        [0],\n        [0],\n        ...,\n" + "        [0],\n" * 2 + "        [0]])",
    ),
]


@pytest.mark.parametrize(("data", "dtype", "expected"), WRITTEN)
def test_the_text_is_the_documented_one(data, dtype, expected):
    assert text(data, dtype) == expected


def test_lines_are_filled_up_to_the_width():
    # 80 columns less the 7 of `tensor(` hold 8 numbers of 9 columns: 7 digits, comma, space.
    rows = [range(0, 8), range(8, 16), range(16, 20)]
    lines = [", ".join(f"{i * 100000:7d}" for i in row) for row in rows]
    assert text(np.arange(20) * 100000, "int64") == "tensor([" + ",\n        ".join(lines) + "])"


def test_what_is_known_about_gradients_is_said():
    assert text([1.0], requires_grad=True) == "tensor([1.], requires_grad=True)"
    assert text([1.0], requires_grad=True, grad_fn_name="AddBackward0") == "tensor([1.], grad_fn=<AddBackward0>)"
    expected = "tensor([1.5000], dtype=pygrad.float64, requires_grad=True)"
    assert text([1.5], "float64", requires_grad=True) == expected


def test_a_note_that_does_not_fit_takes_a_new_line():
    ten = "tensor([" + ", ".join(["0.5000"] * 9)
    assert text([0.5] * 9, requires_grad=True) == ten + "],\n       requires_grad=True)"
    assert text([0.5] * 9) == ten + "])"


def test_the_default_dtype_goes_without_saying():
    dtypes.set_default_dtype("float64")
    assert text([0.5], "float64") == "tensor([0.5000])"
    assert text([0.5], "float32") == "tensor([0.5000], dtype=pygrad.float32)"


def test_options_change_and_come_back():
    set_printoptions(precision=2, linewidth=20, sci_mode=True)
    assert text([1 / 3] * 2) == "tensor([3.33e-01,\n        3.33e-01])"
    set_printoptions(profile="short")  # which leaves the notation to the elements again
    assert text([1 / 3]) == "tensor([0.33])"
    assert text(np.arange(1001), "int64") == "tensor([   0,    1,  ...,  999, 1000])"
    with printoptions(threshold=2, edgeitems=1, sci_mode=False):
        assert text([1e-9, 2, 3]) == "tensor([0.00,  ..., 3.00])"
    set_printoptions(profile="full")
    assert "..." not in text(np.arange(1001))
    set_printoptions(profile="default")
    assert get_printoptions() == {
        "precision": 4,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 80,
        "sci_mode": None,
    }


@pytest.mark.parametrize(
    "wrong", [{"precision": -1}, {"edgeitems": 1.5}, {"linewidth": 0}, {"threshold": "all"}, {"profile": "long"}]
)
def test_options_that_make_no_sense_change_nothing(wrong):
    before = get_printoptions()
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        set_printoptions(**{"precision": 7, **wrong})
    assert get_printoptions() == before


def test_a_long_tensor_is_cut_before_it_is_looked_at():
    # 8 TB by its strides: to touch every element would take hours.
    huge = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (10**6, 10**6), (0, 0))
    row = "[1., 1., 1.,  ..., 1., 1., 1.]"
    expected = "tensor([" + ",\n        ".join([row] * 3 + ["..."] + [row] * 3) + "])"
    assert tensor_repr(huge, dtype=dtypes.float32) == expected


def test_any_layout_prints_alike():
    a = np.arange(24.0).reshape(4, 6)
    expected = text(a, "float64")
    for layout in (np.asfortranarray(a), a[::-1, ::-1].copy()[::-1, ::-1], a.astype(">f8")):
        assert tensor_repr(layout, dtype=dtypes.float64) == expected


def _random_array(rng):
    """An array of random shape, size of numbers, and share of what is special."""
    shape = [rng.choice([0, 1, 1, 2, 3, 5, 8]) for _ in range(rng.randrange(5))]
    if rng.random() < 0.2:
        shape = rng.choice([[1500], [1000], [1001, 2], [2, 700], [8, 7, 30], [40, 40], [2, 2, 300], [9, 1, 9, 30]])
    seeded = np.random.default_rng(rng.getrandbits(32))
    dtype = rng.choice(["float32", "float32", "float64", "int64", "int32", "uint8", "bool"])
    if dtype == "bool":
        return seeded.random(shape) < 0.5
    if not dtype.startswith("float"):
        low, high = rng.choice([(0, 2), (0, 200), (-1000, 1000), (-(10**9), 10**9), (0, 256)])
        low, high = (0, 256) if dtype == "uint8" else (low, high)
        return seeded.integers(low, high, shape).astype(dtype)
    values = np.asarray(seeded.normal(0, 10.0 ** rng.randrange(-6, 10), shape))
    if rng.random() < 0.3:
        values = np.asarray(values * 10 ** seeded.uniform(-4, 4, shape))
    if rng.random() < 0.4:
        values = np.asarray(np.round(values))
    for special in (0.0, -0.0, nan, inf, -inf):
        if rng.random() < 0.2:
            values = np.where(seeded.random(shape) < rng.choice([0.1, 0.5, 1.0]), special, values)
    return values.astype(dtype)


OPTIONS = [
    {"profile": "default"},
    {"profile": "short"},
    {"profile": "full"},
    {"precision": 0},
    {"precision": 9, "linewidth": 40},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 2, "linewidth": 1},
    {"threshold": 10, "edgeitems": 0},
    {"sci_mode": True},
    {"sci_mode": False, "linewidth": 200},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_torch_prints_the_same(options):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = random.Random(4302)
    arrays = [_random_array(rng) for _ in range(150)]
    arrays += [np.array(data, dtype) for data, dtype, _ in WRITTEN]
    extremes = [5e-324, 1.7976931348623157e308, 1e-45, 3.4e38, 999.99, 1000.0, 1e8, 1.0001e8, 99999.5, 0.99995, 1e-4]
    arrays += [np.array(pair, "float64") for pair in zip(extremes, extremes[1:] + extremes[:1], strict=True)]
    arrays += [np.array(one, "float64") for one in extremes] + [
        np.array(one, "float32") for one in (0.1, 16777217, 1e-4)
    ]
    torch.set_printoptions(**options)
    set_printoptions(**options)
    try:
        for array in arrays:
            theirs = torch.from_numpy(np.array(array))
            grad_fn_name = None
            if array.dtype.kind == "f":
                theirs.requires_grad_(rng.random() < 0.5)
                if theirs.requires_grad and rng.random() < 0.5:
                    theirs = theirs.reshape(1, *theirs.shape)[0] if rng.random() < 0.5 else theirs * 1
                    grad_fn_name = type(theirs.grad_fn).__name__
            ours = tensor_repr(
                theirs.detach().numpy(),
                dtype=dtypes.as_dtype(array.dtype),
                requires_grad=theirs.requires_grad,
                grad_fn_name=grad_fn_name,
            )
            assert ours == repr(theirs).replace("torch.", "pygrad.")
    finally:
        torch.set_printoptions(profile="default", sci_mode=None)
