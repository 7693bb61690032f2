"""What operations in place refuse, and that they have changed nothing then; dtypes and indices at their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, ours, pg, refused

if TORCH:
    pass
from in_place_table import FITTING, OVERWRITING, ROWS, beside, cases, in_place, sampled

# ---- what is refused ------------------------------------------------------------------------------------------------

FLOAT_SELF = [p for p in {p.values[0].name: p for p in FITTING if p.values[0].inputs[0].dtype == "float"}.values()]


@pytest.mark.parametrize(("row", "c"), FLOAT_SELF)
def test_leaf_is_changed_in_place_without_recording_only(row, c):
    if TORCH and row.op.startswith("logical"):
        pytest.skip("PyTorch changes it")
    first, *rest = sampled(row, c)
    self, rest = pg.tensor(first).requires_grad_(), [pg.tensor(a) for a in rest]
    with refused(RuntimeError, naming=("leaf", "no_grad")):
        in_place(row, [self, *rest], c.options)
    np.testing.assert_array_equal(array(self), first)
    assert self._version == 0
    with pg.no_grad():
        assert in_place(row, [self, *rest], c.options) is self
    np.testing.assert_allclose(
        array(self), array(beside(row, [pg.tensor(first), *rest], c.options)), rtol=1e-14, atol=1e-14
    )
    assert self.is_leaf
    assert self.requires_grad
    assert self._version > 0


@ours("it lets some methods overwrite one place several times")
@pytest.mark.parametrize(("row", "c"), [p for p in FITTING if math.prod(p.values[1].shapes[0]) > 1])
def test_elements_that_share_memory_are_not_changed_in_place(row, c):
    tensors = [pg.tensor(a) for a in sampled(row, c)]
    self = tensors[0][(slice(0, 1),) * tensors[0].ndim].expand(tensors[0].shape)
    before = array(self).copy()
    with refused(RuntimeError, naming=("single memory location",)):
        in_place(row, [self, *tensors[1:]], c.options)
    np.testing.assert_array_equal(array(self), before)


@pytest.mark.parametrize(("row", "c"), cases(ROWS, fitting=False))
def test_shape_does_not_change_in_place(row, c):
    tensors = [pg.tensor(a) for a in sampled(row, c)]
    before = array(tensors[0]).copy()
    with refused(RuntimeError, naming=(c.shapes[0],)):
        in_place(row, tensors, c.options)
    np.testing.assert_array_equal(array(tensors[0]), before)
    assert tuple(tensors[0].shape) == c.shapes[0]
    assert tensors[0]._version == 0


def positive_integers(a):
    return np.abs(np.nan_to_num(a, posinf=2.0, neginf=2.0)).astype("int64") + 1


def raising():
    """The rows that make floats of integers."""
    found = []
    for row, c in (p.values for p in FLOAT_SELF):
        whole = [pg.tensor(positive_integers(a) if a.dtype.kind == "f" else a) for a in sampled(row, c)]
        try:
            result = row(*whole, **c.options)
        except (RuntimeError, TypeError):
            continue
        if dtype_name(result).startswith("float") and row.name not in {r.name for r in OVERWRITING}:
            found.append(pytest.param(row, c, whole, id=row.name))
    return found


@pytest.mark.parametrize(("row", "c", "whole"), raising())
def test_kind_of_dtype_does_not_rise_in_place(row, c, whole):
    before = array(whole[0]).copy()
    with refused(RuntimeError, naming=("float32", "int64")):
        in_place(row, whole, c.options)
    np.testing.assert_array_equal(array(whole[0]), before)
    assert dtype_name(whole[0]) == "int64"
    assert whole[0]._version == 0


def test_lower_kinds_of_dtype_are_converted():
    assert pg.tensor([1.0, 0.0]).eq_(pg.tensor([1.0, 5.0])).tolist() == [1.0, 0.0]
    assert pg.tensor([1, 2], dtype=pg.uint8).bitwise_or_(pg.tensor([256 + 4, 4])).tolist() == [5, 6]
    half = pg.tensor([1.0, 2.0]).clamp_(max=pg.tensor([1.5, 1.5], dtype=pg.float64))
    assert (half.tolist(), dtype_name(half)) == ([1.0, 1.5], "float32")
    assert pg.tensor([200, 100], dtype=pg.uint8).cumsum_(0).tolist() == [200, 44]


@pytest.mark.parametrize("dim", [3, -3])
def test_dimension_out_of_range(dim):
    t, index = pg.zeros(2, 2), pg.tensor([0])
    for f in (
        lambda: t.index_fill_(dim, index, 1.0), lambda: t.index_copy_(dim, index, pg.ones(1, 2)),
        lambda: t.cumsum_(dim), lambda: t.cumprod_(dim),
    ):  # fmt: skip
        with pytest.raises(IndexError):
            f()


def test_bad_indices_change_nothing():
    t, one, two = pg.zeros(3, 2), pg.tensor([3]), pg.tensor([[0]])
    for f in (
        lambda: t.index_fill_(0, one, 1.0), lambda: t.index_copy_(0, one, pg.ones(1, 2)),
        lambda: t.index_put_((one,), pg.ones(1, 2)), lambda: t.index_put_((one,), pg.ones(1, 2), accumulate=True),
        lambda: t.put_(pg.tensor([6]), pg.ones(1)), lambda: t.put_(pg.tensor([-7]), pg.ones(1)),
        lambda: t.index_fill_(0, two, 1.0), lambda: t.index_copy_(0, two, pg.ones(1, 2)),
        lambda: t.index_fill_(0, pg.tensor([0.0]), 1.0), lambda: t.index_copy_(0, pg.tensor([0.0]), pg.ones(1, 2)),
        lambda: t.index_fill_(0, pg.tensor([True, False, True]), 1.0),
        lambda: t.index_copy_(0, pg.tensor([0, 1]), pg.ones(1, 2)),
        lambda: t.index_copy_(0, pg.tensor([0]), pg.ones(1)),
        lambda: t.index_copy_(0, pg.tensor([0]), pg.ones(1, 2, dtype=pg.float64)),
        lambda: t.index_fill_(0, pg.tensor([0]), pg.ones(1)),
        lambda: t.index_put_((pg.tensor([0]),), pg.ones(1, 2, dtype=pg.float64)),
        lambda: t.index_put_((pg.tensor([0]),), pg.ones(3)), lambda: t.index_put_(pg.tensor([0]), pg.ones(2)),
        lambda: t.put_(pg.tensor([0, 1]), pg.ones(1)),
        lambda: t.masked_scatter_(pg.tensor([[True], [True], [False]]), pg.ones(3)),
        lambda: t.masked_scatter_(pg.tensor([[1], [1], [0]]), pg.ones(6)),
        lambda: t.masked_scatter_(pg.tensor([True, True]), pg.ones(6, dtype=pg.float64)),
    ):  # fmt: skip
        with pytest.raises((IndexError, RuntimeError, TypeError)):
            f()
    if not TORCH:  # whose masked_scatter_ writes what there is first
        assert not t.any()
        assert t._version == 0


def test_indices_that_count_from_the_end():
    assert pg.zeros(3).index_fill_(0, pg.tensor([-1]), 2.0).tolist() == [0.0, 0.0, 2.0]
    assert pg.zeros(3).index_put_((pg.tensor([-2]),), pg.tensor(2.0)).tolist() == [0.0, 2.0, 0.0]
    assert pg.zeros(2, 2).put_(pg.tensor([-1]), pg.tensor([2.0])).tolist() == [[0.0, 0.0], [0.0, 2.0]]


def test_only_element_of_a_tensor_without_dimensions_is_at_index_0():
    assert pg.tensor(1.0).index_fill_(0, pg.tensor([0]), 2.0).item() == 2.0
    assert pg.tensor(1.0).index_copy_(-1, pg.tensor([0]), pg.tensor([2.0])).item() == 2.0
    assert pg.tensor(1.0).index_copy_(0, pg.tensor(0), pg.tensor(2.0)).item() == 2.0
    with pytest.raises(IndexError):
        pg.tensor(1.0).index_fill_(0, pg.tensor([1]), 2.0)


# ---- a function that does what it should not -----------------------------------------------------------------------


@ours("it is a matter of our own mechanism")
def test_what_a_function_in_place_may_run_does_no_harm():
    from pygrad._engine import native

    t = pg.ones(3)
    with pytest.raises(TypeError, match="Tensor"):
        native.tensor_in_place("f_", lambda x: 5, t)
    with pytest.raises(ZeroDivisionError):
        native.tensor_in_place("f_", lambda x: 1 / 0, t)
    with pytest.raises(TypeError):
        native.tensor_in_place("f_", lambda x: x)
    with pytest.raises(TypeError):
        native.tensor_in_place("f_", lambda x: x, [1.0])
    assert t._version == 0
    # Another change, made while the values are computed, counts too; a leaf that began to want a gradient is kept.
    native.tensor_in_place("f_", lambda x: x + t.mul_(2), t)
    assert t.tolist() == [3.0, 3.0, 3.0]
    with pytest.raises(RuntimeError, match="leaf"):
        native.tensor_in_place("f_", lambda x: t.requires_grad_().detach() + 1, t)
    assert t.tolist() == [3.0, 3.0, 3.0]
    same = pg.tensor([1.0, 2.0])
    assert native.tensor_in_place("f_", lambda x: x, same) is same
    assert same.tolist() == [1.0, 2.0]
