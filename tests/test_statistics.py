"""Products, spreads, norms and running totals: what the table of ops does not say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, leaf, ours, pg, refused

inf, nan = math.inf, math.nan


def slope_of(function, x):
    """Return dy/dx, the gradient of a function with one number as its value."""
    t = leaf(x)
    function(t).backward()
    return array(t.grad)


# ---- products -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "wanted"), [([2, 0, 5], [0, 10, 0]), ([0, 3, 0], [0, 0, 0]), ([0], [1]), ([4, 5], [5, 4]), ([], [])]
)
def test_gradient_of_a_product_is_the_product_of_the_others(x, wanted):
    np.testing.assert_array_equal(slope_of(lambda t: t.prod(), x), wanted)


def test_zeros_in_some_rows_leave_the_gradient_of_the_others_alone():
    x = leaf([[2.0, 0.0, 3.0], [1.0, 2.0, 4.0], [0.0, 7.0, 0.0]])
    x.prod(1).backward(pg.tensor([1.0, 10.0, 1.0], dtype=pg.float64))
    np.testing.assert_allclose(array(x.grad), [[0, 6, 0], [80, 40, 20], [0, 0, 0]], rtol=1e-15)


def test_product_that_underflows_has_the_gradient_of_its_factors():
    x = leaf([1e-200, 1e-200, 3.0])
    x.prod().backward()
    wanted = [0.0, 0.0, 0.0] if TORCH else [3e-200, 3e-200, 0.0]
    np.testing.assert_allclose(array(x.grad), wanted, rtol=1e-15)


def test_running_product_with_zeros_has_the_gradient_of_polynomials():
    # d/dx of a + ab + abc at (2, 0, 5): 1 + b + bc, a + ac, ab
    np.testing.assert_array_equal(slope_of(lambda t: t.cumprod(0).sum(), [2.0, 0.0, 5.0]), [1.0, 12.0, 0.0])
    np.testing.assert_array_equal(slope_of(lambda t: t.cumprod(0).sum(), [0.0, 0.0, 5.0]), [1.0, 0.0, 0.0])


@pytest.mark.parametrize("name", ["prod", "cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_totals_of_integers_are_int64(name, dtype):
    x = pg.tensor(np.array([1, 3, 2]).astype(dtype))
    got = getattr(pg, name)(x, 0)
    assert dtype_name(got) == "int64"
    np.testing.assert_array_equal(array(got), getattr(np, name)(array(x).astype(np.int64)))


@pytest.mark.parametrize("name", ["prod", "cumsum", "cumprod"])
def test_totals_convert_before(name):
    got = getattr(pg.tensor([100, 100, 100], dtype=pg.uint8), name)(0, dtype=pg.float64)
    assert dtype_name(got) == "float64"
    assert array(got).reshape(-1)[-1] == {"prod": 1e6, "cumsum": 300.0, "cumprod": 1e6}[name]


def test_product_takes_one_dimension():
    x = pg.ones(2, 3)
    with pytest.raises(TypeError):
        x.prod((0, 1))
    with refused(IndexError):
        x.prod(2)
    with refused(IndexError):
        pg.tensor(1.0).prod(1)
    with pytest.raises(TypeError):
        x.cumsum()
    with refused(IndexError):
        x.cumprod(-3)


@ours("it keeps float32 while it adds up")
def test_running_sum_does_not_drift():
    x = np.full(1_000_000, 0.1, dtype=np.float32)
    got = array(pg.tensor(x).cumsum(0))
    np.testing.assert_allclose(got, np.cumsum(x.astype(np.float64)), rtol=2.0**-24)


# ---- spreads --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize(("x", "correction", "wanted"), [([3.0], 1, nan), ([], 1, nan), ([1.0, 2.0], 2, inf),
                                                         ([1.0, 2.0], 3, inf), ([2.0, 2.0], 2, nan)])  # fmt: skip
def test_spread_without_a_degree_of_freedom_warns(name, x, correction, wanted):
    with pytest.warns(UserWarning, match="degrees of freedom"):
        got = getattr(pg.tensor(x), name)(correction=correction)
    np.testing.assert_equal(got.item(), wanted)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
def test_gradient_without_a_degree_of_freedom_is_no_number():
    assert np.isnan(slope_of(lambda t: t.var(), [3.0])).all()
    assert np.isnan(slope_of(lambda t: t.std(), [3.0])).all()
    np.testing.assert_array_equal(slope_of(lambda t: t.var(correction=2), [1.0, 3.0]), [inf, inf])


@pytest.mark.parametrize("constant", [2.0, 0.1, 1e30, -7e-30])
def test_standard_deviation_of_a_constant_has_gradient_zero(constant):
    for dtype in ("float32", "float64"):
        x = leaf([constant] * 5, dtype)
        y = x.std(correction=0)
        y.backward()
        assert y.item() == 0.0
        np.testing.assert_array_equal(array(x.grad), np.zeros(5))


def test_spread_is_called_in_every_way():
    x = pg.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]])
    of_all = array(x).var()
    assert x.var(unbiased=False).item() == pytest.approx(of_all)
    assert x.var(False).item() == pytest.approx(of_all)
    assert x.var(0, False, True).shape == (1, 3)
    np.testing.assert_allclose(array(x.var((0, 1), correction=0)), of_all, rtol=1e-6)
    np.testing.assert_array_equal(array(x.var(1, True)), array(x.var(1)))
    np.testing.assert_array_equal(array(x.std(dim=-1, unbiased=True)), array(x.std(1, correction=1)))
    spread, mean = pg.std_mean(x, 0, keepdim=True)
    assert spread.shape == mean.shape == (1, 3)


@ours("it has its own words for it")
def test_spread_refuses_what_contradicts_itself():
    x = pg.ones(2, 2)
    for call in (lambda: x.var(0, unbiased=True, correction=1), lambda: x.var(False, True)):
        with pytest.raises(TypeError, match="unbiased"):
            call()


@pytest.mark.parametrize("name", ["var", "std", "norm"])
def test_integers_have_no_spread_and_no_norm(name):
    with refused(RuntimeError, naming=(name, "int64")):
        getattr(pg.tensor([1, 2]), name)()


def test_variance_of_large_numbers_close_together_is_exact():
    x = 1e9 + np.arange(1000.0) % 7
    got = pg.tensor(x).var(correction=0).item()
    assert got == pytest.approx((x - 1e9).var(), rel=1e-13)


def test_variance_of_columns_is_that_of_rows():
    x = np.random.default_rng(3).normal(5.0, 2.0, (700, 70))
    np.testing.assert_allclose(array(pg.tensor(x).var(0)), x.var(0, ddof=1), rtol=1e-13)
    np.testing.assert_allclose(array(pg.tensor(x.T.copy()).var(1)), x.var(0, ddof=1), rtol=1e-13)
    np.testing.assert_allclose(pg.tensor(x).std().item(), x.std(ddof=1), rtol=1e-13)


# ---- norms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, inf, -inf, -1, "fro"])
def test_norm_at_zero_has_gradient_zero(p):
    np.testing.assert_array_equal(slope_of(lambda t: t.norm(p), [0.0, 0.0]), [0.0, 0.0])


@pytest.mark.parametrize(("p", "wanted"), [(1, [1, -1, 0]), (inf, [0.5, -0.5, 0]), (-inf, [0, 0, 0])])
def test_norm_at_a_corner(p, wanted):
    np.testing.assert_array_equal(slope_of(lambda t: t.norm(p), [3.0, -3.0, 0.0]), wanted)


@pytest.mark.parametrize("p", [0.5, 1.5, 2, 3])
def test_norm_of_a_row_of_zeros_leaves_the_other_rows_alone(p):
    x = leaf([[0.0, 0.0], [3.0, -4.0]])
    x.norm(p, dim=1).sum().backward()
    y = leaf([3.0, -4.0])
    y.norm(p).backward()
    np.testing.assert_array_equal(array(x.grad)[0], [0.0, 0.0])
    np.testing.assert_allclose(array(x.grad)[1], array(y.grad), rtol=1e-15)


def test_norm_of_nothing():
    assert pg.tensor([]).norm().item() == 0.0
    for p in (inf, -inf, -1):
        with refused(RuntimeError, naming=("norm",)):
            pg.tensor([]).norm(p)


def test_norm_of_an_unknown_order_is_refused():
    with refused(ValueError, RuntimeError):
        pg.ones(2, 2).norm("x")


def test_norm_converts_before():
    assert dtype_name(pg.ones(3).norm(dtype=pg.float64)) == "float64"


# ---- truth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_any_and_all_of_each_dtype(dtype):
    x = np.zeros((3, 700)).astype(dtype)
    x[1, 699] = x[2, :] = 1
    for t in (pg.tensor(x), pg.tensor(np.ascontiguousarray(x.T)).T):
        assert array(t.any(1)).tolist() == [False, True, True]
        assert array(t.all(1)).tolist() == [False, False, True]
        assert array(t.any(0)).all()
        assert not array(t.all(0)).any()
        assert dtype_name(t.any()) == dtype_name(t.all(1)) == ("uint8" if dtype == "uint8" else "bool")


def test_nan_is_true():
    assert pg.tensor([nan]).all().item() is True
    assert pg.tensor([0.0, -0.0]).any().item() is False
