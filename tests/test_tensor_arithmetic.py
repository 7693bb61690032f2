"""Rounding with decimals, interpolation, and the questions whether numbers are finite or close."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import array, dtype_name, leaf, pg, refused

INTEGERS = ["uint8", "int32", "int64"]
ROUNDING = ["floor", "ceil", "round", "trunc"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", ROUNDING)
def test_rounding_leaves_integers_alone(name, dtype):
    t = pg.tensor(np.array([3, 0, 250 if dtype == "uint8" else -(2**31)], dtype=dtype))
    got = getattr(pg, name)(t)
    assert dtype_name(got) == dtype
    assert got.tolist() == t.tolist()
    assert getattr(t.clone(), f"{name}_")().tolist() == t.tolist()


@pytest.mark.parametrize("name", ROUNDING)
def test_rounding_of_bools_is_refused(name):
    with refused(RuntimeError, naming=(name, "bool")):
        getattr(pg, name)(pg.tensor([True]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROUNDING)
def test_rounding_of_numbers_too_large_for_a_fraction_is_exact(name, dtype):
    half = 2.0 ** (22 if dtype == "float32" else 51) + 0.5
    x = np.array([half, -half, 2 * half - 1, 4 * half, 1e30, -1e30], dtype=dtype)
    wanted = {"floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc}[name](x)
    for at, by in ((x, wanted), (np.tile(x, 9), np.tile(wanted, 9))):
        np.testing.assert_array_equal(array(getattr(pg, name)(pg.tensor(at))), by)


def test_decimals_of_integers_are_refused():
    with refused(RuntimeError, naming=("round", "decimals", "int64")):
        pg.round(pg.tensor([1, 2]), decimals=1)


def test_round_with_decimals_is_flat():
    x = leaf([1.26, -3.14])
    y = pg.round(x, decimals=1)
    y.sum().backward()
    np.testing.assert_allclose(array(y), [1.3, -3.1])
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lerp_reaches_both_ends_exactly(dtype):
    rng = np.random.default_rng(1)
    a, b = (pg.tensor((rng.normal(size=50) * 10.0 ** rng.integers(-3, 4, 50)).astype(dtype)) for _ in range(2))
    for weight in (lambda w: w, lambda w: pg.full((50,), w, dtype=a.dtype), lambda w: pg.tensor(w, dtype=a.dtype)):
        np.testing.assert_array_equal(array(pg.lerp(a, b, weight(0.0))), array(a))
        np.testing.assert_array_equal(array(pg.lerp(a, b, weight(1.0))), array(b))


@pytest.mark.parametrize("weight", [0.25, 0.75, 1.5, -0.5])
def test_gradients_of_lerp(weight):
    a, b, w = leaf([1.0, 2.0]), leaf([5.0, -2.0]), leaf([weight, weight])
    pg.lerp(a, b, w).sum().backward()
    assert a.grad.tolist() == [1 - weight] * 2
    assert b.grad.tolist() == [weight] * 2
    assert w.grad.tolist() == [4.0, -4.0]


def test_lerp_in_place():
    x = leaf([1.0, 2.0])
    y = x * 2
    same = y
    assert y.lerp_(pg.tensor([4.0, 0.0], dtype=pg.float64), 0.25) is same
    y.sum().backward()
    assert array(y).tolist() == [2.5, 3.0]
    assert x.grad.tolist() == [1.5, 1.5]
    with pytest.raises(RuntimeError, match=r"(?i)leaf.*in.?place"):
        leaf([1.0]).lerp_(pg.ones(1, dtype=pg.float64), 0.5)


def test_dtypes_of_lerp_have_to_be_one():
    f, d, i = pg.ones(2), pg.ones(2, dtype=pg.float64), pg.ones(2, dtype=pg.int64)
    with refused(RuntimeError, naming=("lerp", "end", "float32", "float64")):
        pg.lerp(f, d, 0.5)
    with refused(RuntimeError, naming=("lerp", "weight", "float32", "float64")):
        pg.lerp(f, f, d)
    with refused(RuntimeError, naming=("lerp", "int64")):
        pg.lerp(i, i, 0.5)
    with pytest.raises(TypeError):
        pg.lerp(f, 2.0, 0.5)
    assert dtype_name(pg.lerp(f, f, pg.tensor(0.5, dtype=pg.float64))) == "float32"


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_integers_are_finite(name, dtype):
    got = getattr(pg, name)(pg.tensor(np.array([1, 0]).astype(dtype)))
    assert got.tolist() == [name == "isfinite"] * 2


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_integers_can_be_close(dtype):
    a, b = pg.tensor(np.array([1, 1]).astype(dtype)), pg.tensor(np.array([1, 0]).astype(dtype))
    assert pg.isclose(a, b).tolist() == [True, False]
    assert pg.isclose(a, b, rtol=0.0, atol=1.0).tolist() == [True, True]
    assert pg.isclose(a, b, rtol=0.0, atol=0.0, equal_nan=True).tolist() == [True, False]


def test_unsigned_integers_are_close_in_both_directions():
    a, b = (pg.tensor(np.array(x, dtype=np.uint8)) for x in ([1, 3], [3, 1]))
    assert pg.isclose(a, b, rtol=0.0, atol=2.0).tolist() == [True, True]


def test_infinities_are_close_to_themselves_only():
    x = pg.tensor([np.inf, -np.inf, np.inf, 1.0, np.inf])
    y = pg.tensor([np.inf, -np.inf, -np.inf, np.inf, 1.0])
    assert pg.isclose(x, y).tolist() == [True, True, False, False, False]


def test_allclose_is_a_bool():
    a = pg.tensor([1.0, np.nan])
    assert pg.allclose(a, a) is False
    assert pg.allclose(a, a, equal_nan=True) is True
    assert a.allclose(a, rtol=0.0, atol=0.0, equal_nan=True) is True
    assert pg.allclose(pg.tensor([100.0]), pg.tensor([100.5]), rtol=1e-2) is True
    assert pg.allclose(pg.zeros(0), pg.ones(0)) is True


def test_closeness_refuses_what_has_no_answer():
    f = pg.ones(2)
    with refused(RuntimeError, naming=("float32", "float64")):
        pg.isclose(f, f.double())
    with refused(RuntimeError, naming=("rtol", -1)):
        pg.isclose(f, f, rtol=-1)
    with refused(RuntimeError, naming=("atol", -0.5)):
        pg.allclose(f, f, atol=-0.5)
    with pytest.raises(TypeError):
        pg.isclose(f, 1.0)
    with refused(RuntimeError, naming=((2,), (3,))):
        pg.isclose(f, pg.ones(3))


def test_closeness_has_no_history():
    x = leaf([1.0])
    assert not pg.isclose(x, x).requires_grad
    assert not pg.isfinite(x).requires_grad


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_fmax_and_fmin_keep_integers_and_bools(name, dtype):
    a, b = np.array([1, 5, 7], dtype=dtype), np.array([4, 5, 6], dtype=dtype)
    got = getattr(pg, name)(pg.tensor(a), pg.tensor(b))
    assert dtype_name(got) == dtype
    assert got.tolist() == getattr(np, name)(a, b).tolist()
    truth = getattr(pg, name)(pg.tensor([True, False]), pg.tensor([False, False]))
    assert truth.tolist() == [name == "fmax", False]


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize("name", "exp2 log2 log10 tan asin acos atan sinh cosh".split())
def test_float_functions_of_integers_are_float32(name, dtype):
    ints = np.array([1, 0, 1]).astype(dtype)
    got = getattr(pg, name)(pg.tensor(ints))
    assert dtype_name(got) == "float32"
    np.testing.assert_array_equal(array(got), array(getattr(pg, name)(pg.tensor(ints.astype(np.float32)))))
