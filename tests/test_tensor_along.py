"""Reading and writing at indices, beyond the table: duplicates, errors before anything is written, in place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import ShapeError, array, leaf, ours, pg, refused


def ints(*x):
    return pg.tensor(np.array(x, dtype=np.int64))


X = np.arange(6.0).reshape(2, 3)
ONE, FAR, BACK = ints([0, 1, 0]), ints([0, 7, 0]), ints([0, -1, 0])


# ---- what is written to one place several times ---------------------------------------------------------------------


@ours("it gives the elements that were written over a gradient too")
def test_last_of_several_stays_and_has_the_gradient():
    x, src = leaf(np.zeros(3)), leaf([1.0, 2.0, 4.0])
    y = x.scatter(0, ints(1, 1, 0), src)
    assert y.tolist() == [4.0, 2.0, 0.0]
    (y * pg.tensor(np.array([10.0, 20.0, 30.0]))).sum().backward()
    assert src.grad.tolist() == [0.0, 20.0, 10.0]
    assert x.grad.tolist() == [0.0, 0.0, 30.0]


@ours("it has no gradient of a source that is larger than the index")
@pytest.mark.parametrize("name", ["scatter", "scatter_add"])
def test_source_that_is_not_reached_has_the_gradient_zero(name):
    src = leaf(np.ones((3, 4)))
    getattr(pg.zeros(5, 3, dtype=pg.float64), name)(1, ints([2, 0], [1, 2]), src).sum().backward()
    assert src.grad.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_additions_to_one_place_come_in_the_order_of_the_index():
    # 1 is lost in 2**53 unless it comes after -2**53.
    src = pg.tensor(np.array([2.0**53, 1.0, -(2.0**53), 1.0]))
    assert pg.zeros(1, dtype=pg.float64).scatter_add(0, ints(0, 0, 0, 0), src).tolist() == [1.0]
    assert pg.zeros(1, dtype=pg.float64).index_add(0, ints(0, 0, 0, 0), src).tolist() == [1.0]


def test_embedding_adds_up_rows_that_are_named_twice_and_leaves_out_the_padding():
    for padding in (2, -1):
        w = leaf(np.ones((3, 2)))
        y = pg.embedding(ints([0, 2, 0], [2, 1, 0]), w, padding_idx=padding)
        assert y.shape == (2, 3, 2)
        y.sum().backward()
        assert w.grad.tolist() == [[3.0, 3.0], [1.0, 1.0], [0.0, 0.0]]


def test_embedding_of_integers_is_a_lookup():
    assert pg.embedding(ints(1), ints([1, 2], [3, 4])).tolist() == [[3, 4]]


def test_take_along_dim_counts_negative_indices_from_the_end():
    assert pg.take_along_dim(pg.tensor(X), ints([-1], [-3]), 1).tolist() == [[2.0], [3.0]]


def test_one_hot_finds_the_number_of_classes():
    assert pg.one_hot(ints([1], [2])).tolist() == [[[0, 1, 0]], [[0, 0, 1]]]


def test_scatter_add_of_other_dtypes():
    for dtype, wanted in [(np.int32, [3, 3]), (np.uint8, [3, 3]), (np.int64, [3, 3]), (np.bool_, [True, True])]:
        x = pg.tensor(np.ones(2, dtype=dtype))
        assert x.scatter_add(0, ints(0, 1, 0, 1), pg.tensor(np.ones(4, dtype=dtype)))[0].item() == wanted[0]


def test_tensor_without_dimensions_has_one_place():
    x, zero = leaf(3.0), pg.tensor(0)
    for y in (x.gather(0, zero), x.index_select(0, zero), x.scatter_add(0, zero, pg.tensor(0.0).double()),
              x.index_add(0, zero, pg.tensor(0.0).double())):  # fmt: skip
        assert y.shape == ()
        assert y.item() == 3.0
    y = x.gather(0, ints(0, 0)) + x.index_select(0, ints(0)) + x.scatter_add(0, ints(0, 0), leaf([1.0, 2.0]))
    assert y.tolist() == [12.0, 12.0]
    y.sum().backward()
    assert x.grad.item() == 6.0


def test_masked_fill_with_infinity_is_a_causal_mask():
    later = pg.tensor([[False, True], [False, False]])
    assert pg.softmax(pg.zeros(2, 2).masked_fill(later, -math.inf), 1).tolist() == [[1.0, 0.0], [0.5, 0.5]]


@pytest.mark.parametrize(("value", "wanted"), [(1.7, 1), (-1, -1), (True, 1)])
def test_number_is_converted_to_the_dtype_of_the_input(value, wanted):
    x = ints(5, 6)
    assert x.masked_fill(pg.tensor([True, False]), value).tolist() == [wanted, 6]
    assert x.scatter(0, ints(0), value).tolist() == [wanted, 6]
    assert pg.tensor([True, False]).masked_fill(pg.tensor([False, True]), value).tolist() == [True, True]


# ---- what is refused ------------------------------------------------------------------------------------------------

MASK = pg.tensor([True, False, True])
REFUSED = {
    "gather, far": (lambda x: x.gather(1, FAR), RuntimeError, ("gather", 7)),
    "gather, back": (lambda x: x.gather(1, BACK), RuntimeError, ("gather", -1)),
    "gather, float": (lambda x: x.gather(1, pg.zeros(1, 3)), RuntimeError, ("gather", "float32")),
    "gather, vector": (lambda x: x.gather(1, ints(0)), ShapeError, ("gather", [2, 3])),
    "gather, long": (lambda x: x.gather(1, ints([0], [0], [0])), ShapeError, ("gather", [3, 1], [2, 3])),
    "gather, dim": (lambda x: x.gather(2, ONE), IndexError, ("gather",)),
    "index_select, far": (lambda x: x.index_select(1, ints(3)), RuntimeError, ("index_select", 3)),
    "index_select, back": (lambda x: x.index_select(1, ints(-1)), RuntimeError, ("index_select", -1)),
    "index_select, matrix": (lambda x: x.index_select(1, ints([1])), IndexError, ("index_select", [1, 1])),
    "index_select, uint8": (lambda x: x.index_select(0, pg.tensor(np.uint8([1]))), RuntimeError, ("uint8",)),
    "index_select, 0-d": (lambda x: x[0, 0].index_select(0, ints(0, 0)), RuntimeError, ("index_select",)),
    "take_along_dim, vector": (lambda x: pg.take_along_dim(x, ints(1), 1), ShapeError, ("take_along_dim", [2, 3])),
    "masked_select, ints": (lambda x: x.masked_select(ints(0, 1, 0)), RuntimeError, ("masked_select", "int64")),
    "masked_select, shape": (lambda x: x.masked_select(MASK[:2]), ShapeError, ("masked_select", [2, 3], [2])),
    "masked_fill, ints": (lambda x: x.masked_fill(ints(0, 1, 0), 0), RuntimeError, ("masked_fill", "int64")),
    "masked_fill, vector": (lambda x: x.masked_fill(MASK, pg.ones(1)), RuntimeError, ("masked_fill", [1])),
    "masked_fill_, shape": (lambda x: x[0].masked_fill_(MASK.expand(2, 3), 0), ShapeError, ("masked_fill_", [2, 3])),
    "scatter, far": (lambda x: x.scatter(1, FAR, 0.0), RuntimeError, ("scatter", 7)),
    "scatter, dtype": (lambda x: x.scatter(1, ONE, ints([0, 1, 2])), RuntimeError, ("float64", "int64")),
    "scatter, small": (lambda x: x.scatter(1, ONE, x[:, :2]), ShapeError, ("scatter", [1, 3], [2, 2])),
    "scatter, 0-d": (lambda x: x.scatter(1, ONE, x[0, 0]), ShapeError, ("scatter",)),
    "scatter_add, far": (lambda x: x.scatter_add(1, FAR, x), RuntimeError, ("scatter_add", 7)),
    "index_add, far": (lambda x: x.index_add(1, ints(0, 3), x[:, :2]), RuntimeError, ("index_add", 3)),
    "index_add, count": (lambda x: x.index_add(1, ints(0, 1), x), ShapeError, ("index_add", 2, [2, 3])),
    "index_add, shape": (lambda x: x.index_add(1, ints(0, 1, 2), x[:1]), ShapeError, ("index_add", [1, 3], [2, 3])),
    "index_add, dtype": (lambda x: x.index_add(1, ints(0, 1, 2), x.float()), RuntimeError, ("float64", "float32")),
    "embedding, far": (lambda x: pg.embedding(ints(2), x), IndexError, ("embedding", 2)),
    "embedding, back": (lambda x: pg.embedding(ints(-1), x), IndexError, ("embedding", -1)),
    "embedding, vector": (lambda x: pg.embedding(ints(1), x[0]), ShapeError, ("embedding", [3])),
    "embedding, float": (lambda x: pg.embedding(pg.ones(1), x), RuntimeError, ("embedding", "float32")),
    "one_hot, negative": (lambda x: pg.one_hot(ints(-1)), RuntimeError, ("one_hot", -1)),
    "one_hot, large": (lambda x: pg.one_hot(ints(1, 2), 2), RuntimeError, ("one_hot", 2)),
    "one_hot, nothing": (lambda x: pg.one_hot(ints()), RuntimeError, ("one_hot", [0])),
    "one_hot, dtype": (lambda x: pg.one_hot(pg.tensor(np.int32([1]))), RuntimeError, ("one_hot", "int32")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, error, naming = REFUSED[name]
    with refused(error, naming=[str(n) for n in naming]):
        call(pg.tensor(X))


@ours("it takes the remainder")
def test_take_along_dim_refuses_what_is_out_of_range():
    for index in (3, -4):
        with refused(IndexError, naming=("take_along_dim", index)):
            pg.take_along_dim(pg.tensor(X), ints([index]), 1)


def test_embedding_refuses_a_padding_that_is_no_row():
    with refused(ValueError, AssertionError, naming=("embedding", 5)):
        pg.embedding(ints(1), pg.tensor(X), padding_idx=5)


# ---- in place -------------------------------------------------------------------------------------------------------

OUT_OF_PLACE = {
    "scatter_": "scatter", "scatter_ value": "scatter", "scatter_add_": "scatter_add", "index_add_": "index_add",
    "masked_fill_": "masked_fill",
}  # fmt: skip


def arguments(name, s):
    if name == "scatter_":
        return (1, ints([0, 2], [1, 0]), s), {}
    if name == "scatter_ value":
        return (1, ONE), {"value": 9.0}
    if name == "scatter_add_":
        return (1, ints([0, 0], [1, 0]), s), {}
    if name == "index_add_":
        return (1, ints(2, 0), s), {"alpha": 2}
    return (MASK, 5.0), {}


@pytest.mark.parametrize("name", OUT_OF_PLACE)
def test_in_place_form_has_the_value_and_the_gradients_of_the_other(name):
    g, results = pg.tensor(np.arange(1.0, 7.0).reshape(2, 3)), []
    for in_place in (True, False):
        x, s = leaf(X), leaf([[7.0, 8.0], [9.0, 10.0]])
        y = x * 2.0
        args, options = arguments(name, s)
        method = name.partition(" ")[0] if in_place else OUT_OF_PLACE[name]
        z = getattr(y, method)(*args, **options)
        assert (z is y) == in_place
        z.backward(g)
        results.append((array(z), array(x.grad), None if s.grad is None else array(s.grad)))
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", OUT_OF_PLACE)
def test_in_place_form_moves_the_version_and_refuses_a_leaf_that_wants_a_gradient(name):
    s = pg.tensor(np.ones((2, 2)))
    args, options = arguments(name, s)
    method = name.partition(" ")[0]
    x = pg.tensor(X)
    before = x._version
    getattr(x, method)(*args, **options)
    assert x._version > before
    with refused(RuntimeError, naming=(method,)):
        getattr(leaf(X), method)(*args, **options)


@ours("it checks as it goes")
def test_nothing_is_written_when_the_last_index_is_wrong():
    x, bad = pg.tensor(X), ints([0, 1, 2], [0, 1, 3])
    for call in (lambda: x.scatter_(1, bad, 9.0), lambda: x.scatter_add_(1, bad, pg.tensor(X)),
                 lambda: x.index_add_(1, ints(0, 1, 3), pg.tensor(X))):  # fmt: skip
        with pytest.raises(RuntimeError):
            call()
        np.testing.assert_array_equal(array(x), X)
        assert x._version == 0
