"""The six dtypes: singletons that copy to themselves, and what stands for them elsewhere."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from pygrad import dtypes

SIX = ("bool", "uint8", "int32", "int64", "float32", "float64")


@pytest.fixture(autouse=True)
def _default_dtype():
    before = dtypes.get_default_dtype()
    yield
    dtypes.set_default_dtype(before)


@pytest.mark.parametrize("name", SIX)
def test_a_dtype_says_what_numpy_says(name):
    kind = getattr(dtypes, name)
    assert (kind.name, kind.numpy, kind.itemsize) == (name, np.dtype(name), np.dtype(name).itemsize)
    assert kind.is_floating_point == name.startswith("float")
    assert repr(kind) == str(kind) == f"pygrad.{name}"


def test_codes_are_the_order_of_promotion():
    assert [kind.code for kind in dtypes.BY_CODE] == list(range(6))
    assert [kind.name for kind in dtypes.BY_CODE] == list(SIX)


@pytest.mark.parametrize("name", SIX)
def test_copies_and_pickles_are_the_same_object(name):
    kind = getattr(dtypes, name)
    assert copy.copy(kind) is kind
    assert copy.deepcopy([kind])[0] is kind
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(kind, protocol)) is kind


def test_a_dtype_does_not_change_and_none_can_be_added():
    with pytest.raises(AttributeError, match=r"'name' of pygrad\.int32"):
        dtypes.int32.name = "int16"
    with pytest.raises(AttributeError, match=r"'name' of pygrad\.int32"):
        del dtypes.int32.name
    with pytest.raises(TypeError, match="bool, uint8, int32, int64, float32 and float64"):
        dtypes.dtype("int16")


def test_aliases_are_those_of_torch():
    assert dtypes.long is dtypes.int64
    assert dtypes.int is dtypes.int32
    assert dtypes.float is dtypes.float32
    assert dtypes.double is dtypes.float64


def test_star_import_leaves_builtins_alone():
    import builtins

    assert not set(dtypes.__all__) & set(dir(builtins))


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize(
    "form",
    [
        lambda name: getattr(dtypes, name),
        lambda name: name,
        np.dtype,
        lambda name: np.dtype(name).type,
        lambda name: np.dtype(name).newbyteorder("S"),
    ],
)
def test_as_dtype_takes_every_form(name, form):
    assert dtypes.as_dtype(form(name)) is getattr(dtypes, name)


def test_as_dtype_knows_long_long_and_python_types():
    assert dtypes.as_dtype(np.longlong) is dtypes.int64
    assert dtypes.as_dtype(np.dtype(np.intc)) is dtypes.int32
    assert dtypes.as_dtype(int) is dtypes.int64
    assert dtypes.as_dtype(bool) is dtypes.bool
    assert dtypes.as_dtype(float) is dtypes.float32
    dtypes.set_default_dtype("float64")
    assert dtypes.as_dtype(float) is dtypes.float64


@pytest.mark.parametrize(
    "x",
    [
        *(
            np.float16,
            np.dtype("int8"),
            np.dtype("uint16"),
            np.uint64,
            np.complex64,
            complex,
            np.longdouble,
            np.generic,
        ),
        *(np.floating, np.dtype(object), np.dtype("U3"), np.dtype("M8[D]"), np.dtype([("a", "f4")]), object, str),
        *("float16", "double", "<f4", "", None, 4, 1.0, [], np.zeros(2), b"float32"),
    ],
)
def test_anything_else_is_refused_by_name(x):
    with pytest.raises(TypeError, match="bool, uint8, int32, int64, float32 and float64") as caught:
        dtypes.as_dtype(x)
    assert repr(x) in str(caught.value)


@pytest.mark.parametrize("x", ["int64", "bool", int])
def test_the_default_dtype_is_a_floating_one(x):
    with pytest.raises(TypeError, match="float32 or float64"):
        dtypes.set_default_dtype(x)
    assert dtypes.get_default_dtype() is dtypes.float32


def test_limits_are_numpys():
    assert dtypes.finfo().eps == np.finfo(np.float32).eps
    assert dtypes.finfo(dtypes.float64).max == np.finfo(np.float64).max
    assert dtypes.iinfo(dtypes.uint8).max == 255
    with pytest.raises(TypeError, match="not int64"):
        dtypes.finfo(dtypes.int64)
    for name in ("float32", "bool"):
        with pytest.raises(TypeError, match=f"not {name}"):
            dtypes.iinfo(name)
