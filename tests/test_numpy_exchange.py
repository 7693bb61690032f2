"""Memory shared with numpy, Python's numbers, dtypes, copies and pickles of tensors."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import sys
import weakref

import numpy as np
import pytest

import pygrad
from pygrad import creation, dtypes
from pygrad._engine import lib

Tensor = pygrad.Tensor
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


# ---- Python's numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DTYPES)
def test_item_and_tolist_give_pythons_types(kind):
    wanted = {"b": bool, "u": int, "i": int, "f": float}[kind.numpy.kind]
    t = creation.ones(1, 1, dtype=kind)
    assert type(t.item()) is wanted
    assert t.item() == 1
    assert type(t.tolist()[0][0]) is wanted
    assert type(creation.tensor(1, dtype=kind).tolist()) is wanted


def test_item_reads_every_value_exactly():
    for kind, values in {
        "uint8": [0, 255],
        "int32": [-(2**31), 2**31 - 1],
        "int64": [-(2**63), 2**63 - 1],
        "float64": [math.inf, -0.0, 5e-324, 0.1],
    }.items():
        for value in values:
            got = creation.tensor(value, dtype=kind).item()
            assert (got, math.copysign(1, got)) == (value, math.copysign(1, value))
    assert creation.tensor(0.1).item() == float(np.float32(0.1))
    assert creation.from_numpy(np.arange(6.0)[3::6]).item() == 3.0


@pytest.mark.parametrize("size", [(0,), (2,), (2, 1)])
def test_only_one_element_is_a_number(size):
    t = creation.zeros(size)
    n = math.prod(size)
    with pytest.raises(RuntimeError, match=f"a Tensor with {n} elements cannot be converted to Scalar"):
        t.item()
    for convert in (float, int, complex):
        with pytest.raises((RuntimeError, ValueError), match=f"{n} elements"):
            convert(t)
    with pytest.raises(
        RuntimeError, match=r"Boolean value of Tensor with (more than one value|no values) is ambiguous"
    ):
        bool(t)


def test_numbers_of_one_element():
    assert float(creation.tensor([2.5])) == 2.5
    assert int(creation.tensor(-2.7)) == -2
    assert complex(creation.tensor(1.5)) == 1.5
    assert bool(creation.tensor(0.0)) is False
    assert bool(creation.tensor([[3]])) is True
    assert bool(creation.tensor(math.nan)) is True
    assert float(creation.tensor(2.0, requires_grad=True)) == 2.0
    with pytest.raises(ValueError, match="NaN"):
        int(creation.tensor(math.nan))


def test_integers_of_one_element_are_indices():
    assert [5, 6, 7][creation.tensor(1)] == 6
    assert [5, 6, 7][creation.tensor([2])] == 7
    assert list(range(creation.tensor(3, dtype="uint8"))) == [0, 1, 2]
    for t in (creation.tensor(1.0), creation.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            [1, 2, 3][t]


# ---- dtypes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_conversion_is_numpys(source, target):
    a = np.array([0, 1, 3, 100]).astype(source.numpy)
    t = creation.from_numpy(a)
    for made in (
        t.to(target),
        t.to(target.numpy),
        t.to(target.name),
        t.to(dtype=target),
        t.to(creation.ones(1, dtype=target)),
    ):
        assert made.dtype is target
        assert np.array_equal(made.numpy(), a.astype(target.numpy))
        assert (made is t) == (source is target)
    assert t.to(target, copy=True) is not t
    assert t.type_as(creation.ones(1, dtype=target)).dtype is target


def test_conversion_methods_have_pytorchs_names():
    t = creation.tensor([1.5, -1.5])
    names = {"float": "float32", "double": "float64", "long": "int64", "int": "int32", "bool": "bool", "byte": "uint8"}
    for name, kind in names.items():
        assert getattr(t, name)().dtype.name == kind
    assert t.long().tolist() == [1, -1]
    assert t.float() is t


def test_to_knows_one_device():
    t = creation.ones(2)
    assert t.cpu() is t.to("cpu") is t.to(device="cpu") is t.to("cpu", non_blocking=True) is t
    assert t.to("cpu", dtypes.float64).dtype is dtypes.float64
    with pytest.raises(RuntimeError, match="cuda"):
        t.to("cuda")
    for bad in ("float99", 3, [1]):
        with pytest.raises(TypeError):
            t.to(bad)
    with pytest.raises(TypeError, match="unexpected keyword"):
        t.to(dtypes.float64, colour="red")


def test_gradients_pass_between_floating_point_dtypes():
    x = creation.tensor([1.0, 2.0], requires_grad=True)
    y = x.double()
    assert y.requires_grad
    (y * creation.tensor([3.0, 4.0], dtype="float64")).sum().backward()
    assert x.grad.dtype is dtypes.float32
    assert x.grad.tolist() == [3.0, 4.0]
    assert not x.long().requires_grad


# ---- text --------------------------------------------------------------------------------------------------------


def test_text_tells_of_elements_dtype_and_gradient():
    assert repr(creation.tensor([1.0, 2.5])) == "tensor([1.0000, 2.5000])"
    assert repr(creation.zeros(2, dtype="float64")) == "tensor([0., 0.], dtype=pygrad.float64)"
    x = creation.ones(2, requires_grad=True)
    assert repr(x) == "tensor([1., 1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 2.], grad_fn=<MulBackward0>)"
    assert str(x) == repr(x)


def test_format_is_for_numbers():
    assert f"{creation.tensor(1.5):.3f}" == "1.500"
    assert f"{creation.tensor(3):>4}" == "   3"
    assert f"{creation.tensor(1.5)}" == "1.5"
    assert f"{creation.zeros(2)}" == "tensor([0., 0.])"
    with pytest.raises(TypeError, match="format"):
        format(creation.zeros(2), ".3f")


# ---- copies and pickles ------------------------------------------------------------------------------------------


class Tagged(Tensor):
    pass


def leaves():
    yield creation.tensor([[1.0, 2.0], [3.0, 4.0]])
    yield creation.tensor(2.5, dtype="float64", requires_grad=True)
    yield creation.zeros(0, 3, dtype="int64")
    yield creation.tensor([True, False])
    yield creation.from_numpy(np.arange(6.0).reshape(2, 3).T)
    yield creation.ones(3, 1).expand(3, 4)


PICKLES = {f"protocol {p}": lambda t, p=p: pickle.loads(pickle.dumps(t, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)}


def out_of_band(t):
    buffers = []
    data = pickle.dumps(t, 5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(b.raw()) for b in buffers])


COPIES = {**PICKLES, "out of band": out_of_band, "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("way", COPIES)
def test_copies_are_equal_and_apart(way):
    for t in leaves():
        c = COPIES[way](t)
        assert type(c) is Tensor
        assert c.dtype is t.dtype
        assert tuple(c.shape) == tuple(t.shape)
        assert c.requires_grad is t.requires_grad
        assert c.is_leaf
        assert c.tolist() == t.tolist()
        assert not np.shares_memory(c.detach().numpy(), t.detach().numpy())
        assert c.detach().numpy().flags.writeable


@pytest.mark.parametrize("way", COPIES)
def test_subclasses_and_attributes_survive(way):
    t = pygrad._engine.native.tensor_subclass(Tagged, creation.ones(2), False)
    t.label = ["weights"]
    c = COPIES[way](t)
    assert type(c) is Tagged
    assert c.label == ["weights"]
    assert c.label is not t.label


@pytest.mark.parametrize("way", COPIES)
def test_one_tensor_in_two_places_stays_one(way):
    t = creation.ones(2)
    a, b = COPIES[way]([t, t])
    assert a is b


def test_deepcopy_takes_the_gradient_along_and_pickle_does_not():
    x = creation.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    c = copy.deepcopy(x)
    assert c.grad.tolist() == [3.0, 3.0]
    assert c.grad is not x.grad
    assert pickle.loads(pickle.dumps(x)).grad is None


def test_only_leaves_are_deep_copied():
    x = creation.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)
    assert pickle.loads(pickle.dumps(x * 2)).is_leaf


def test_copy_shares_memory():
    for x in (creation.ones(2, requires_grad=True), creation.ones(2), creation.ones(2, requires_grad=True) * 2):
        c = copy.copy(x)
        assert c is not x
        assert c.is_leaf
        assert c.requires_grad is x.requires_grad
        assert np.shares_memory(c.detach().numpy(), x.detach().numpy())


def test_pickles_of_a_foreign_byte_order_are_read():
    from pygrad.conversion import _rebuild

    t = _rebuild(Tensor, np.arange(3, dtype=">i4"), False, {})
    assert t.dtype is dtypes.int32
    assert t.tolist() == [0, 1, 2]


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
