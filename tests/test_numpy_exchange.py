"""Memory shared with numpy and through DLPack, and allocations that fail there."""

from __future__ import annotations

import copy
import gc
import sys
import weakref

import numpy as np
import pytest

import pygrad
from pygrad import creation, dtypes
from pygrad._engine import lib

DTYPES = dtypes.BY_CODE

# ---- from_numpy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 0, 3), (2, 3, 4)])
def test_from_numpy_shares_memory(kind, shape):
    a = np.ones(shape, kind.numpy)
    t = creation.from_numpy(a)
    assert t.dtype is kind
    assert tuple(t.shape) == shape
    a[...] = 0
    assert np.array_equal(t.numpy(), a)
    t.numpy()[...] = 1
    assert (a == 1).all()
    assert t.numpy().__array_interface__["data"][0] == a.__array_interface__["data"][0] or a.size == 0


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a[:, ::2],
        lambda a: a[1:, 2:4],
        lambda a: a[::3],
        lambda a: a[:, 1],
        lambda a: a[1:1],
        lambda a: a[2, 3, ...],
        np.asfortranarray,
        lambda a: a[:, None, :],
        lambda a: a[3:4, ::-1][:, :1],  # a negative stride over one element
        lambda a: np.lib.stride_tricks.as_strided(a, (3, 2), (8, 0)),
    ],
)
def test_from_numpy_takes_every_layout_without_negative_strides(view):
    a = view(np.arange(24.0).reshape(4, 6))
    t = creation.from_numpy(a)
    assert np.array_equal(t.numpy(), a)
    assert tuple(t.shape) == a.shape
    if a.size:
        assert np.shares_memory(t.numpy(), a)


def misaligned():
    return np.ndarray((3,), np.float32, np.zeros(16, np.uint8), 1)


def broken_strides():
    return np.ndarray((2,), np.float32, np.zeros(20, np.uint8), 0, (6,))


def read_only():
    a = np.zeros(3)
    a.flags.writeable = False
    return a


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: [1.0], TypeError, "expected np.ndarray \\(got list\\)"),
        (lambda: np.float64(1), TypeError, "expected np.ndarray"),
        (lambda: np.zeros(3, np.float16), TypeError, "float16"),
        (lambda: np.zeros(3, np.uint16), TypeError, "uint16"),
        (lambda: np.zeros(3, np.complex128), TypeError, "complex128"),
        (lambda: np.zeros(3, "U1"), TypeError, "<U1"),
        (lambda: np.zeros(3, object), TypeError, "object"),
        (lambda: np.zeros(3, "M8[s]"), TypeError, "datetime64"),
        (lambda: np.zeros(3, [("a", "f8")]), TypeError, "'a'"),
        (lambda: np.zeros(3, ">f4"), ValueError, "byte order"),
        (lambda: np.zeros(3)[::-1], ValueError, "negative stride"),
        (lambda: np.zeros((2, 3))[:, ::-2], ValueError, "negative stride"),
        (misaligned, ValueError, "aligned"),
        (broken_strides, ValueError, "multiple of the element size"),
        (read_only, ValueError, "read-only"),
        (lambda: np.broadcast_to(np.zeros(3), (2, 3)), ValueError, "read-only"),
        (lambda: np.frombuffer(b"12345678", np.float32), ValueError, "read-only"),
        (lambda: np.zeros((1,) * 9), ValueError, "8 dimensions"),
    ],
)
def test_arrays_that_cannot_be_shared_are_refused_by_name(make, error, text):
    with pytest.raises(error, match=text):
        creation.from_numpy(make())


def test_arrays_that_cannot_be_shared_are_copied_by_tensor():
    for make in (
        misaligned,
        broken_strides,
        read_only,
        lambda: np.arange(3.0)[::-1],
        lambda: np.arange(3, dtype=">i4"),
    ):
        a = make()
        assert creation.tensor(a).tolist() == a.tolist()


def test_the_array_lives_as_long_as_a_tensor_over_it():
    a = np.arange(4.0)
    gone = weakref.ref(a)
    t = creation.from_numpy(a)
    view = t.detach()
    del a, t
    gc.collect()
    assert gone() is not None
    assert view.tolist() == [0.0, 1.0, 2.0, 3.0]
    del view
    gc.collect()
    assert gone() is None


def test_a_refused_array_is_let_go():
    for make in (lambda: np.zeros(3)[::-1], misaligned, read_only):
        a = make()
        gone = weakref.ref(a)
        with pytest.raises(ValueError, match="tensor"):
            creation.from_numpy(a)
        del a
        gc.collect()
        assert gone() is None


# ---- numpy() -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DTYPES)
def test_numpy_shares_memory(kind):
    t = creation.zeros(2, 3, dtype=kind)
    a = t.numpy()
    assert a.dtype == kind.numpy
    assert a.shape == (2, 3)
    a[1, 2] = 1
    assert t.tolist()[1][2] == 1
    assert a.flags.writeable
    assert a.ctypes.data % 64 == 0


def test_the_array_keeps_the_storage_alive():
    before = lib.pg_live_bytes() - lib.pg_cached_bytes()
    a = creation.full((1000, 1000), 7.0).numpy()
    assert lib.pg_live_bytes() - lib.pg_cached_bytes() >= before + 4_000_000
    creation.full((1000, 1000), 8.0)
    assert (a == 7).all()
    view = a[1:, ::3]
    del a
    assert (view == 7).all()
    del view
    gc.collect()
    assert lib.pg_live_bytes() - lib.pg_cached_bytes() == before


def test_numpy_of_views_has_their_strides():
    a = np.arange(24.0).reshape(4, 6)
    for view in (a.T, a[1:, ::2], a[2], a[4:], a[:, :0]):
        got = creation.from_numpy(view).numpy()
        assert got.shape == view.shape
        assert np.array_equal(got, view)
        assert not view.size or got.strides == view.strides


def test_numpy_of_an_expanded_tensor_is_read_only():
    a = creation.ones(3, 1).expand(3, 4).numpy()
    assert a.strides == (4, 0)
    with pytest.raises(ValueError, match="read-only"):
        a[0, 0] = 2.0
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        a.flags.writeable = True


def test_numpy_refuses_what_requires_a_gradient():
    x = creation.ones(2, requires_grad=True)
    for t in (x, x * 2):
        for call in (t.numpy, lambda t=t: np.asarray(t)):
            with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\) instead"):
                call()
        assert t.detach().numpy().shape == t.numpy(force=True).shape == (2,)


def test_array_protocol_shares_converts_or_copies():
    t = creation.tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy())
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert t.__array__(np.int64).tolist() == [1, 2]
    assert np.shares_memory(t.__array__(np.dtype("float32")), t.numpy())
    assert not np.shares_memory(t.__array__(copy=True), t.numpy())
    assert np.shares_memory(t.__array__(copy=False), t.numpy())
    with pytest.raises(ValueError, match="without a copy"):
        t.__array__(np.float64, copy=False)


def test_numpy_and_back_is_the_same_memory():
    t = creation.arange(6)
    u = creation.from_numpy(creation.from_numpy(t.numpy()).numpy())
    t.numpy()[0] = 9
    del t
    assert u.tolist() == [9, 1, 2, 3, 4, 5]


# ---- failing allocations -----------------------------------------------------------------------------------------

HELD = np.arange(12.0).reshape(3, 4)
TENSOR = creation.ones(3, 4)
BUILDERS = {
    "from_numpy": lambda: creation.from_numpy(HELD),
    "tensor": lambda: creation.tensor(HELD),
    "numpy": TENSOR.numpy,
    "deepcopy": lambda: copy.deepcopy(TENSOR),
    "to": lambda: TENSOR.to("float64"),
    "eye": lambda: creation.eye(3),
    "full": lambda: creation.full((3, 4), 1.0),
    "arange": lambda: creation.arange(5),
    "linspace": lambda: creation.linspace(0, 1, 5),
    "rand": lambda: pygrad.rand(5),
    "randperm": lambda: pygrad.randperm(5),
    "normal_": lambda: creation.from_numpy(HELD.T).normal_(),
}


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("forever", [0, 1])
def test_an_allocation_that_fails_leaves_nothing_behind(name, forever):
    BUILDERS[name]()
    gc.collect()
    lib.pg_empty_cache()
    before, references = lib.pg_live_bytes(), sys.getrefcount(HELD)
    for nth in range(1, 20):
        lib.pg_fail_allocation(nth, forever)
        try:
            made = BUILDERS[name]()
        except MemoryError:
            made = None
        finally:
            lib.pg_fail_allocation(0, 0)
        if made is not None:
            break
        lib.pg_empty_cache()
        assert lib.pg_live_bytes() <= before  # the pool of Python's objects may have grown before
        assert sys.getrefcount(HELD) == references
    assert made is not None
    assert nth > 1


# ---- DLPack ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
def test_dlpack_shares_memory(dtype):
    t = pygrad.arange(6).to(dtype).reshape(2, 3)
    array = np.from_dlpack(t)
    np.testing.assert_array_equal(array, t.numpy())
    t.add_(1)
    np.testing.assert_array_equal(array, t.numpy())
    assert t.__dlpack_device__() == (1, 0)


def test_dlpack_takes_strides_and_keeps_the_memory_alive():
    array = np.from_dlpack(pygrad.arange(12).reshape(3, 4).T[1:])
    gc.collect()
    np.testing.assert_array_equal(array, np.arange(12).reshape(3, 4).T[1:])


def test_dlpack_of_a_tensor_that_requires_a_gradient_is_refused():
    with pytest.raises(RuntimeError, match="detach"):
        np.from_dlpack(pygrad.ones(2, requires_grad=True))
