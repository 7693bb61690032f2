"""Tensors beside numpy and Python: shared memory, odd arrays, what is refused by name."""

from __future__ import annotations

import math
import warnings
from math import inf, nan

import numpy as np
import pytest
from tensor_backend import DTYPES, TORCH, array, dtype_name, leaf, ours, pg, refused

# ---- numpy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_from_numpy_and_numpy_share_memory_both_ways(dtype):
    a = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    t = pg.from_numpy(a)
    assert dtype_name(t) == dtype
    assert np.shares_memory(t.numpy(), a)
    a[0, 0] = 0
    assert not t[0, 0].item()
    b = t.numpy()
    b[1, 0] = 1
    assert a[1, 0] == 1
    assert b.dtype == a.dtype
    assert b.strides == a.strides


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensor_copies_its_data(dtype):
    a = np.array([1, 0, 1], dtype=dtype)
    t = pg.tensor(a)
    a[:] = 0
    assert t.tolist() == np.array([1, 0, 1], dtype=dtype).tolist()
    assert not np.shares_memory(t.numpy(), a)


def test_memory_of_an_array_lives_as_long_as_its_tensor():
    t = pg.from_numpy(np.arange(1000.0))
    view = t[10:20]
    del t
    _others = [np.full(1000, -1.0) for _ in range(50)]
    assert view.tolist() == list(range(10, 20))


def test_memory_of_a_tensor_lives_as_long_as_its_array():
    a = pg.tensor(np.arange(1000.0)).numpy()[5:8]
    _others = [pg.full((1000,), -1.0, dtype=pg.float64) for _ in range(50)]
    assert a.tolist() == [5.0, 6.0, 7.0]


def test_in_place_operations_are_seen_by_numpy():
    a = np.ones(3)
    t = pg.from_numpy(a)
    t += 1
    t.mul_(3)
    assert a.tolist() == [6.0, 6.0, 6.0]


def test_numpy_functions_take_tensors():
    t = pg.tensor([[1.0, 2.0], [3.0, 4.0]])
    a = np.asarray(t)
    assert a.dtype == np.float32
    assert np.shares_memory(a, t.numpy())
    assert np.array(t, dtype=np.float64).dtype == np.float64
    assert np.array(t, dtype=np.int64).tolist() == [[1, 2], [3, 4]]
    copied = np.array(t)
    copied[0, 0] = 9
    assert t[0, 0].item() == 1.0
    np.testing.assert_allclose(t, [[1.0, 2.0], [3.0, 4.0]])
    assert np.linalg.norm(t.numpy()) == pytest.approx(math.sqrt(30))


@ours("its __array_ufunc__ is not None")
def test_array_ufuncs_leave_operators_to_the_tensor():
    assert pg.Tensor.__array_ufunc__ is None
    with pytest.raises(TypeError):
        np.add(np.ones(2), pg.ones(2))


LAYOUTS = {
    "Fortran": lambda a: np.asfortranarray(a),
    "transposed": lambda a: a.T.copy().T,
    "every second": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "read-only": lambda a: np.frombuffer(a.tobytes(), dtype=a.dtype).reshape(a.shape),
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "0-d": lambda a: np.asarray(a[0, 0]),
    "zero-size": lambda a: a[:0],
    "zero-size with odd strides": lambda a: a[:, 3:3],
}
ODD_LAYOUTS = {
    "reversed": lambda a: a[::-1, ::-1],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "misaligned": lambda a: misaligned(a),
    "matrix": lambda a: a.view(np.matrix),
}


def misaligned(a):
    raw = np.zeros(a.nbytes + 1, dtype=np.uint8)
    b = raw[1:].view(a.dtype).reshape(a.shape)
    b[...] = a
    assert a.itemsize == 1 or not b.flags.aligned
    return b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_array_of_any_layout_is_read_right(layout, dtype):
    a = LAYOUTS[layout]((np.arange(12) % 2 + np.arange(12) // 3).reshape(3, 4).astype(dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of read-only arrays
        makers = [pg.tensor] if layout in ("read-only", "broadcast") else [pg.tensor, pg.from_numpy]
        for make in makers:
            t = make(a)
            assert t.shape == a.shape
            np.testing.assert_array_equal(t.numpy(), a)
            assert (t + t).tolist() == (a + a).tolist()
            assert t.sum().item() == a.sum()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ODD_LAYOUTS)
@pytest.mark.parametrize("name", ["tensor", "from_numpy"])
def test_array_of_an_odd_layout_is_right_or_refused(layout, dtype, name):
    a = ODD_LAYOUTS[layout]((np.arange(12) % 3).reshape(3, 4).astype(dtype))
    try:
        t = getattr(pg, name)(a)
    except (ValueError, TypeError) as error:
        assert TORCH or name in str(error) or "array" in str(error)
        return
    np.testing.assert_array_equal(t.numpy(), a)
    assert (t + t).tolist() == (a + a).tolist()
    np.testing.assert_array_equal(t.T.numpy(), a.T)


@ours("it warns, and writes all the same")
def test_read_only_memory_is_not_written():
    a = np.frombuffer(np.ones(4).tobytes())
    try:
        t = pg.from_numpy(a)
    except (ValueError, TypeError, RuntimeError):
        return
    try:
        t += 1
    except (ValueError, TypeError, RuntimeError):
        pass
    assert a.tolist() == [1.0] * 4


REFUSED = {
    "objects": np.array([1, None], dtype=object), "strings": np.array(["a", "b"]), "bytes": np.array([b"a"]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"), "records": np.zeros(2, dtype=[("x", "f4")]),
    "void": np.zeros(2, dtype="V4"), "longdouble": np.zeros(2, dtype=np.longdouble),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_array_of_a_strange_dtype_is_refused_by_name(kind):
    if kind == "longdouble" and np.longdouble is np.double:
        pytest.skip("longdouble is float64 here")
    for make in (pg.tensor, pg.from_numpy):
        with pytest.raises(TypeError) as error:
            make(REFUSED[kind])
        dtype = REFUSED[kind].dtype
        assert TORCH or str(dtype) in str(error.value) or dtype.name in str(error.value)


def test_from_numpy_takes_arrays_only():
    for x in ([1.0, 2.0], 1.0, None, "a", pg.ones(2)):
        with pytest.raises(TypeError):
            pg.from_numpy(x)


# ---- data of Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [[[1, 2], [3]], [[1], 2], [1, [2]], [[1, 2], [3, 4, 5]], [[[1], [2]], [[3]]]],
    ids=repr,
)
def test_ragged_lists_are_refused(data):
    with pytest.raises((ValueError, TypeError)):
        pg.tensor(data)


@ours("it drops the 1")
def test_empty_list_beside_another_is_ragged():
    with pytest.raises(ValueError):
        pg.tensor([[], [1]])


@pytest.mark.parametrize("data", ["a", ["a"], None, [None], object(), {"a": 1}, [object()], {1, 2}, b"ab"], ids=repr)
def test_data_that_is_no_number_is_refused(data):
    if TORCH and data == b"ab":
        pytest.skip("PyTorch reads bytes as numbers")
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        pg.tensor(data)


@pytest.mark.parametrize("data", [2**63, [10**30], -(2**63) - 1], ids=repr)
def test_integers_beyond_int64_are_refused(data):
    with pytest.raises((ValueError, OverflowError, RuntimeError)):
        pg.tensor(data)


def test_list_that_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises((ValueError, RecursionError)):
        pg.tensor(loop)


def test_nested_data():
    assert pg.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert pg.tensor(((1.0, 2.0),)).shape == (1, 2)
    assert pg.tensor([[], []]).shape == (2, 0)
    assert pg.tensor([np.float64(1.5), 2]).tolist() == [1.5, 2.0]
    assert pg.tensor([pg.tensor(1.0), pg.tensor(2.0)]).tolist() == [1.0, 2.0]
    assert pg.tensor(range(3)).tolist() == [0, 1, 2]
    assert pg.tensor([nan, inf, -inf])[1:].tolist() == [inf, -inf]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch finds it slow
        assert pg.tensor([np.ones(2), np.zeros(2)]).tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_tensor_of_a_tensor_is_a_copy():
    x = leaf([1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch recommends clone().detach()
        y = pg.tensor(x)
    assert not y.requires_grad
    with pg.no_grad():
        x.zero_()
    assert y.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_tolist_and_item_give_python_numbers(dtype):
    a = np.array([[1, 0], [1, 1]], dtype=dtype)
    t = pg.tensor(a)
    assert t.tolist() == a.tolist()
    kind = {"b": bool, "u": int, "i": int, "f": float}[a.dtype.kind]
    assert type(t.tolist()[0][0]) is kind
    assert type(t[0, 0].item()) is kind
    assert type(t[0, 0].tolist()) is kind
    assert pg.zeros(2, 0).tolist() == [[], []]
    assert pg.zeros(0, 2).tolist() == []


def test_item_needs_one_element():
    assert pg.tensor([[2.5]]).item() == 2.5
    for t in (pg.ones(2), pg.ones(0)):
        with refused(RuntimeError, naming=("element",)):
            t.item()


def test_conversion_to_python_numbers():
    assert float(pg.tensor([1.5])) == 1.5
    assert int(pg.tensor(2.9)) == 2
    assert float(pg.tensor(3)) == 3.0
    assert math.sqrt(pg.tensor(4.0)) == 2.0
    assert [10, 20, 30][pg.tensor(1)] == 20
    assert f"{pg.tensor(1.5):.3f}" == "1.500"
    for f in (float, int):
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            f(pg.ones(2))
    with pytest.raises(TypeError):
        [1, 2][pg.tensor(1.0)]


def test_truth_needs_one_element():
    assert bool(pg.tensor(1.0))
    assert not pg.tensor([0])
    assert bool(pg.tensor([[True]]))
    assert bool(pg.tensor(nan))
    for t in (pg.ones(2), pg.zeros(0)):
        with pytest.raises(RuntimeError, match=r"(?i)bool"):
            bool(t)


def test_length_and_iteration():
    t = pg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(t) == 3
    assert [row.tolist() for row in t] == t.tolist()
    _first, _second, last = t
    assert last.tolist() == [5.0, 6.0]
    assert list(pg.zeros(0)) == []
    for f in (len, list, iter):
        with pytest.raises(TypeError):
            f(pg.tensor(1.0))
    x = leaf([1.0, 2.0, 3.0])
    first, *_rest = x
    (first * 2).backward()
    assert array(x.grad).tolist() == [2.0, 0.0, 0.0]
    assert sum(pg.tensor([1.0, 2.0])).item() == 3.0


def test_equality_is_elementwise_and_identity_hashes():
    a, b = pg.tensor([1.0, 2.0]), pg.tensor([1.0, 2.0])
    assert (a == b).tolist() == [True, True]
    assert (a != b).tolist() == [False, False]
    assert hash(a) == hash(a)
    assert len({a, b, a}) == 2
    assert {a: 1}[a] == 1


def test_contains():
    assert 2.0 in pg.tensor([1.0, 2.0])
    assert 3.0 not in pg.tensor([1.0, 2.0])
