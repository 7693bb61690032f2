"""What numpy reads at the same index, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import TORCH, array, counted, leaf, ours, pg, refused
from tensor_table import as_torch_index

# ---- reading by index -----------------------------------------------------------------------------------------------


def random_basic(rng, n):
    """An integer, a slice (possibly empty, or reaching beyond) or a step."""
    kind = rng.integers(6)
    if kind == 0 and n:
        return int(rng.integers(-n, n))
    bounds = [None if rng.random() < 0.3 else int(rng.integers(-n - 2, n + 3)) for _ in range(2)]
    step = int(rng.integers(1, 4)) if rng.random() < 0.5 or TORCH else -int(rng.integers(1, 4))
    return slice(*bounds, None if rng.random() < 0.3 else step)


def random_index(rng, shape):
    """An index of slices, integers, None and Ellipsis, shorter than the shape or not."""
    parts = [random_basic(rng, n) for n in shape[: rng.integers(0, len(shape) + 1)]]
    if rng.random() < 0.3:
        # After an ellipsis the items count from the last axis.
        tail = rng.integers(0, len(shape) - len(parts) + 1)
        parts += [Ellipsis, *(random_basic(rng, n) for n in shape[len(shape) - tail :])]
    for _ in range(rng.integers(0, 3)):
        parts.insert(rng.integers(0, len(parts) + 1), None)
    return parts[0] if len(parts) == 1 and rng.random() < 0.5 else tuple(parts)


SHAPES = [(5,), (3, 4), (2, 3, 4), (1, 4, 1, 2), (0, 3), (3, 0, 2), ()]


@pytest.mark.parametrize("seed", range(40))
def test_basic_index_reads_what_numpy_reads(seed):
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        a = counted(*shape)
        t = pg.tensor(a)
        for _ in range(15):
            index = random_index(rng, shape)
            got, wanted = t[index], a[index]
            assert got.shape == np.shape(wanted), index
            np.testing.assert_array_equal(got.numpy(), wanted, err_msg=repr(index))


def random_advanced(rng, shape):
    """An index with integer or boolean arrays, which numpy and PyTorch read alike.

    They differ where an integer, or an array with no dimensions, stands apart from an array, with a slice between:
    numpy counts the integer as an array.
    """
    parts = [random_basic(rng, n) for n in shape]
    arrays = [d for d in range(len(shape)) if shape[d] and rng.random() < 0.6] or [int(rng.integers(len(shape)))]
    broadcast = [(3,), (2, 1), (1,), (2, 3), ()]
    apart = len(arrays) > 1 and arrays[-1] - arrays[0] >= len(arrays)
    for d, part in enumerate(parts):
        if d in arrays:
            continue
        if isinstance(part, int):
            parts[d] = slice(part, None) if apart or arrays else part
    if rng.random() < 0.3:
        d = arrays[0]
        parts[d] = rng.random(shape[d]) < 0.5
        arrays = [d]
        for other in range(len(shape)):
            if other != d and not isinstance(parts[other], slice):
                parts[other] = slice(None)
    else:
        for d in arrays:
            n = shape[d]
            parts[d] = (
                np.array(rng.integers(-n, n, broadcast[rng.integers(4 if apart else 5)]))
                if n
                else np.zeros(0, dtype=np.int64)
            )
    return tuple(parts)


@pytest.mark.parametrize("seed", range(40))
def test_advanced_index_reads_what_numpy_reads_and_differentiates(seed):
    rng = np.random.default_rng(1000 + seed)
    for shape in [(5,), (3, 4), (2, 3, 4), (4, 1, 3, 2)]:
        a = counted(*shape)
        for _ in range(6):
            index = random_advanced(rng, shape)
            wanted, x = a[index], leaf(a)
            got = x[as_torch_index(index)]
            assert got.shape == wanted.shape, index
            np.testing.assert_array_equal(array(got), wanted, err_msg=repr(index))
            g = rng.normal(size=wanted.shape)
            got.backward(pg.tensor(g))
            scattered = np.zeros(shape)
            np.add.at(scattered, index, g)
            np.testing.assert_allclose(array(x.grad), scattered, rtol=1e-13, atol=1e-15)


def test_numpy_arrays_and_lists_are_indices_too():
    t, a = pg.tensor(counted(3, 4)), counted(3, 4)
    for index in (np.array([2, 0]), [2, 0], (slice(None), np.array([1, 1])), a > 4, np.array([True, False, True]),
                  ([0, 1], [2, 3]), [True, False, True]):  # fmt: skip
        np.testing.assert_array_equal(t[index].numpy(), a[index])


def test_mask_of_the_whole_and_of_the_first_axes():
    x = leaf(counted(2, 3))
    (x[x > 2] * 2).sum().backward()
    assert array(x.grad).tolist() == [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    t = pg.tensor(counted(2, 3, 4))
    mask = counted(2, 3) % 2 == 1
    np.testing.assert_array_equal(t[pg.tensor(mask)].numpy(), counted(2, 3, 4)[mask])
    assert t[pg.tensor(mask) & ~pg.tensor(mask)].shape == (0, 4)
    assert pg.tensor(3.0)[pg.tensor(True)].tolist() == [3.0]
    assert pg.tensor(3.0)[pg.tensor(False)].shape == (0,)


def test_integer_beside_an_array_selects_first():
    # x[0, :, [0, 0]] is x[0][:, [0, 0]] in PyTorch; numpy moves the new axis to the front.
    t = pg.tensor(counted(2, 3, 4))
    assert t[1, :, [0, 0]].shape == (3, 2)
    np.testing.assert_array_equal(t[1, :, [0, 3]].numpy(), counted(2, 3, 4)[1][:, [0, 3]])


def test_int_and_0d_tensor_index_alike():
    t = pg.tensor(counted(3, 2))
    assert t[pg.tensor(1)].tolist() == t[1].tolist() == [2.0, 3.0]
    assert t[pg.tensor([1])].shape == (1, 2)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_indices_may_be_int32_or_int64(dtype):
    assert pg.tensor(counted(3))[pg.tensor([2, 0], dtype=getattr(pg, dtype))].tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("index", "naming"),
    [
        (3, (3,)), (-4, (-4,)), ((0, 4), (4,)), ((0, 0, 0), ()), ((..., 0, 0, 0), ()), ([0, 3], (3,)), ([0, -4], (-4,)),
        ((0, [4]), (4,)), (np.array([[0, 1], [1, 9]]), (9,)), (1.0, ()),
        ([True, False], ()), (np.zeros((3, 5), dtype=bool), ()), (([0, 1], [0, 1, 2]), ()),
        (np.zeros((3, 4, 1), dtype=bool), ()),
    ],
    ids=repr,
)  # fmt: skip
def test_index_that_does_not_fit_is_an_index_error(index, naming):
    errors = (IndexError, TypeError) if isinstance(index, (str, float)) else (IndexError,)
    with refused(*errors, naming=naming):
        pg.tensor(counted(3, 4))[as_torch_index(index) if isinstance(index, np.ndarray) else index]


@ours("it reads [0.5] as [0]")
@pytest.mark.parametrize("index", [[0.5], np.array([1.0])], ids=repr)
def test_index_that_pytorch_guesses_is_refused(index):
    with pytest.raises((IndexError, TypeError)):
        pg.zeros(3, 4)[index]


def test_huge_index_is_refused():
    for index in (2**63, -(2**70), 2**62):
        with pytest.raises((IndexError, OverflowError, RuntimeError, ValueError, TypeError)):
            pg.zeros(3)[index]
    assert pg.arange(3)[: 2**62].tolist() == [0, 1, 2]
    assert pg.arange(3)[-(2**62) :].tolist() == [0, 1, 2]


def test_zero_step_is_refused():
    with pytest.raises(ValueError):
        pg.zeros(3)[::0]


def test_0d_tensor_cannot_be_indexed_by_an_int():
    with pytest.raises(IndexError):
        pg.tensor(1.0)[0]
    assert pg.tensor(1.0)[...].item() == 1.0
    assert pg.tensor(1.0)[None].shape == (1,)
    assert pg.tensor(1.0)[()].item() == 1.0
