"""Python's numbers, dtypes, text, copies and pickles of tensors."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import pygrad
from pygrad import creation, dtypes

Tensor = pygrad.Tensor
DTYPES = dtypes.BY_CODE


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
