"""Sorting, the largest, the middle, what occurs and where: what the table of ops does not say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import array, dtype_name, leaf, ours, pg, refused

inf, nan = math.inf, math.nan
DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]


def samples(dtype, n, seed=1):
    """Return n elements with ties, of both signs where there are signs, and the ends of the dtype."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(n) < 0.5
    if dtype.startswith("float"):
        x = rng.choice(np.array([0.0, -0.0, 1.5, -1.5, inf, -inf, nan, 1e-40, -1e-40, 3e38, 2.0, -7.25]), n)
        return x.astype(dtype)
    ends = np.iinfo(dtype)
    x = rng.integers(-5 if ends.min else 0, 6, n).astype(dtype)
    x[rng.random(n) < 0.1], x[rng.random(n) < 0.1] = ends.min, ends.max
    return x


def ranks(x, descending):
    """Return keys whose stable order is wanted: nan beyond infinity."""
    keys = np.unique(np.where(np.isnan(x), inf, x) if x.dtype.kind == "f" else x, return_inverse=True)[1]
    keys = keys + (np.isnan(x) * 1 if x.dtype.kind == "f" else 0)
    return -keys if descending else keys


# ---- sort -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 300, 5000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_is_stable_with_nan_as_the_largest(dtype, n, descending):
    x = samples(dtype, n)
    values, indices = pg.sort(pg.tensor(x), dim=0, descending=descending, stable=True)
    wanted = np.argsort(ranks(x, descending), kind="stable")
    np.testing.assert_array_equal(array(indices), wanted)
    np.testing.assert_array_equal(array(values), x[wanted])
    assert dtype_name(values) == dtype
    assert dtype_name(indices) == "int64"
    assert not indices.requires_grad
    assert array(pg.tensor(x).argsort(descending=descending, stable=True)).tolist() == wanted.tolist()


def test_sort_has_names_for_its_results():
    found = pg.tensor([2.0, 1.0]).sort()
    assert found.values.tolist() == [1.0, 2.0]
    assert found.indices.tolist() == [1, 0]


def test_gradient_of_sort_goes_back_where_the_elements_were():
    x = leaf([[3.0, 1.0, 2.0], [1.0, 1.0, nan]])
    x.sort(dim=1, descending=True, stable=True)[0].backward(pg.tensor([[1.0, 2, 3], [4, 5, 6]], dtype=pg.float64))
    np.testing.assert_array_equal(array(x.grad), [[1.0, 3.0, 2.0], [5.0, 6.0, 4.0]])


def test_sort_refuses_a_dimension_that_is_not_there():
    for call in (pg.ones(2, 3).sort, pg.ones(2, 3).argsort):
        with refused(IndexError):
            call(2)
    with refused(IndexError):
        pg.tensor(1.0).sort(1)


@ours("it does not look whether the indices were changed")
def test_changed_indices_are_noticed_by_backward():
    x = leaf([3.0, 1.0, 2.0])
    values, indices = x.sort()
    indices.zero_()
    with pytest.raises(RuntimeError, match="modified"):
        values.sum().backward()


# ---- topk -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("k", [0, 1, 5, 32, 33, 100, 300])
@pytest.mark.parametrize("dtype", DTYPES[1:])  # PyTorch has none of bools
def test_topk_is_the_beginning_of_sort(dtype, k, largest):
    x = pg.tensor(samples(dtype, 300))
    values, indices = x.topk(k, largest=largest)
    np.testing.assert_array_equal(array(values), array(x.sort(descending=largest)[0])[:k])
    np.testing.assert_array_equal(array(x[indices]), array(values))


@ours("it leaves the order of equal elements open")
@pytest.mark.parametrize("k", [5, 32, 33, 100])
def test_topk_takes_the_first_of_equal_elements(k):
    x = pg.tensor(samples("int32", 300))
    np.testing.assert_array_equal(array(x.topk(k)[1]), array(x.argsort(descending=True))[:k])


def test_gradient_of_topk_goes_to_what_was_taken():
    x = leaf([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    x.topk(2, dim=1)[0].backward(pg.tensor([[1.0, 2], [3, 4]], dtype=pg.float64))
    np.testing.assert_array_equal(array(x.grad), [[1.0, 0.0, 2.0], [0.0, 3.0, 4.0]])
    x = leaf([1.0, 2.0])
    x.topk(0)[0].sum().backward()
    np.testing.assert_array_equal(array(x.grad), [0.0, 0.0])


def test_topk_refuses_more_than_there_are():
    for k in (4, -1):
        with refused(RuntimeError, naming=("topk", k, (2, 3))):
            pg.ones(2, 3).topk(k)


# ---- median ---------------------------------------------------------------------------------------------------------


def test_median_of_an_even_count_is_the_lower():
    assert pg.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2.0
    values, indices = pg.tensor([[4, 1, 3, 2], [9, 9, 0, 9]]).median(1)
    assert values.tolist() == [2, 9]
    assert indices.tolist()[0] == 3
    assert indices.tolist()[1] != 2


def test_median_is_nan_where_there_is_one():
    assert math.isnan(pg.tensor([1.0, nan, 2.0]).median().item())
    values, indices = pg.tensor([[1.0, nan, 2.0, nan], [1.0, 2.0, 3.0, 4.0]]).median(1)
    np.testing.assert_array_equal(array(values), [nan, 2.0])
    assert indices.tolist() == [1, 1]


def test_gradient_of_the_median_of_everything_is_shared():
    x = leaf([1.0, 2.0, 2.0, 3.0, 2.0, 5.0])
    x.median().backward()
    np.testing.assert_array_equal(array(x.grad), np.array([0, 1, 1, 0, 1, 0]) / 3)
    x = leaf([[1.0, nan], [2.0, nan]])
    x.median().backward()
    np.testing.assert_array_equal(array(x.grad), [[0, 0.5], [0, 0.5]])


def test_gradient_of_the_median_along_a_dimension_goes_to_one_place():
    x = leaf([[1.0, 2.0, 2.0], [5.0, 4.0, 3.0]])
    values, indices = x.median(1, keepdim=True)
    assert values.shape == indices.shape == (2, 1)
    values.sum().backward()
    grad = array(x.grad)
    assert grad[0].sum() == 1.0
    assert grad[0][indices[0, 0].item()] == 1.0
    np.testing.assert_array_equal(grad[1], [0, 1, 0])


def test_median_of_nothing():
    assert math.isnan(pg.tensor([]).median().item())
    assert pg.zeros(0, 3).median(1)[0].shape == (0,)
    with refused(IndexError, naming=("median", (0, 3))):
        pg.zeros(0, 3).median(0)
    with refused(RuntimeError, naming=("median", "bool")):
        pg.tensor([True]).median()


# ---- nonzero --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_nonzero_is_in_row_major_order_for_each_dtype(dtype):
    x = (np.arange(24).reshape(2, 3, 4) % 3).astype(dtype)
    for t in (pg.tensor(x), pg.tensor(np.ascontiguousarray(x.T)).permute(2, 1, 0)):
        np.testing.assert_array_equal(array(t.nonzero()), np.argwhere(x))
        for got, wanted in zip(t.nonzero(as_tuple=True), np.nonzero(x), strict=True):
            np.testing.assert_array_equal(array(got), wanted)


def test_nonzero_of_a_number_and_of_nothing():
    assert pg.tensor(3).nonzero().shape == (1, 0)
    assert pg.tensor(0).nonzero().shape == (0, 0)
    assert [t.tolist() for t in pg.tensor(3).nonzero(as_tuple=True)] == [[0]]
    assert pg.zeros(0, 3).nonzero().shape == (0, 2)
    assert pg.tensor([0.0, nan, -0.0]).nonzero().tolist() == [[1]]


# ---- unique ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_unique_with_inverse_and_counts(dtype):
    x = np.random.default_rng(2).integers(0, 7, (5, 9)).astype(dtype)
    values, inverse, counts = pg.unique(pg.tensor(x), return_inverse=True, return_counts=True)
    wanted, wanted_counts = np.unique(x, return_counts=True)
    np.testing.assert_array_equal(array(values), wanted)
    np.testing.assert_array_equal(array(counts), wanted_counts)
    np.testing.assert_array_equal(array(values)[array(inverse)], x)
    assert dtype_name(values) == dtype
    assert dtype_name(inverse) == dtype_name(counts) == "int64"


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_unique_slices(dim):
    x = np.random.default_rng(3).integers(0, 2, (7, 3, 2) if dim == 0 else (2, 3, 9) if dim == -1 else (2, 8, 1))
    values, inverse, counts = pg.tensor(x).unique(return_inverse=True, return_counts=True, dim=dim)
    wanted, wanted_counts = np.unique(x, axis=dim, return_counts=True)
    np.testing.assert_array_equal(array(values), wanted)
    np.testing.assert_array_equal(array(counts), wanted_counts)
    np.testing.assert_array_equal(np.take(array(values), array(inverse), dim), x)


def test_every_nan_is_unique():
    values, inverse, counts = pg.tensor([nan, 1.0, nan, 1.0]).unique(return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(array(values), [1.0, nan, nan])
    assert counts.tolist() == [2, 1, 1]
    assert inverse.tolist() == [1, 0, 2, 0]


def test_unique_of_nothing_and_of_a_number():
    values, inverse, counts = pg.tensor([]).unique(return_inverse=True, return_counts=True)
    assert values.shape == inverse.shape == counts.shape == (0,)
    values, inverse = pg.tensor(3).unique(return_inverse=True)
    assert values.tolist() == [3]
    assert inverse.tolist() == 0
    with refused(IndexError):
        pg.tensor(3).unique(dim=0)
    with refused(IndexError):
        pg.ones(2).unique(dim=1)
