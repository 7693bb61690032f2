"""Which dtype comes out: every pair of dtypes, as tensors with dimensions, 0-d tensors and Python numbers.

The wanted dtypes come from the rule below, written out after PyTorch's documentation of type promotion
(https://pytorch.org/docs/stable/tensor_attributes.html#torch.dtype), and PyTorch, where installed, is asked as well.
"""

from __future__ import annotations

import importlib.util
import itertools
import operator

import numpy as np
import pytest
from tensor_backend import array, dtype_name, leaf, ours, pg, refused

# Every dtype holds, for this purpose, those to its left.
ORDER = ["bool", "uint8", "int32", "int64", "float32", "float64"]
CATEGORY = {"bool": 0, "uint8": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}
NUMBERS = {"bool": True, "int64": 3, "float32": 1.5}  # the dtype that a Python number stands for
KINDS = ("tensor", "0-d", "number")


def promoted(*operands):
    """Return the dtype of the result of operands given as (kind, dtype).

    The widest dtype among the operands of the highest-ranking kind (tensors with dimensions before 0-d ones before
    Python numbers) decides, unless a lower kind is of a higher category (bool < integers < floats): then the widest
    of both.
    """
    result = None
    for kind in reversed(KINDS):
        mine = [dtype for k, dtype in operands if k == kind]
        if not mine:
            continue
        widest = max(mine, key=ORDER.index)
        if result is None or CATEGORY[widest] >= CATEGORY[result]:
            result = widest
        else:
            result = max(widest, result, key=ORDER.index)
    return result


def test_the_rule_gives_the_examples():
    assert promoted(("tensor", "float32"), ("0-d", "float64")) == "float32"
    assert promoted(("tensor", "int64"), ("0-d", "float64")) == "float64"
    assert promoted(("tensor", "int64"), ("number", "float32")) == "float32"
    assert promoted(("tensor", "int32"), ("0-d", "int64")) == "int32"
    assert promoted(("tensor", "uint8"), ("number", "int64")) == "uint8"
    assert promoted(("tensor", "bool"), ("number", "int64")) == "int64"
    assert promoted(("0-d", "float64"), ("number", "float32")) == "float64"
    assert promoted(("tensor", "float64"), ("tensor", "float32")) == "float64"


def make(kind, dtype, module=pg):
    if kind == "number":
        return NUMBERS[dtype]
    values = np.asarray(1 if kind == "0-d" else [1, 1, 1], dtype=dtype)
    return module.tensor(values)


PAIRS = [
    (a, b)
    for a, b in itertools.product(itertools.product(KINDS, ORDER), repeat=2)
    if not (a[0] == b[0] == "number") and all(k != "number" or d in NUMBERS for k, d in (a, b))
]
pairs = pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda p: "-".join(p))


def both_bool(a, b):
    return a[1] == b[1] == "bool"


@pairs
def test_sums_and_products_have_the_promoted_dtype(a, b):
    x, y = make(*a), make(*b)
    for f in (operator.add, operator.mul):
        assert dtype_name(f(x, y)) == promoted(a, b)
    if "bool" not in (a[1], b[1]):
        assert dtype_name(x - y) == promoted(a, b)


@pairs
def test_quotients_are_floats(a, b):
    wanted = promoted(a, b)
    assert dtype_name(make(*a) / make(*b)) == (wanted if CATEGORY[wanted] == 2 else "float32")


@pairs
def test_comparisons_are_bool(a, b):
    x, y = make(*a), make(*b)
    for f in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        assert dtype_name(f(x, y)) == "bool"


@pairs
def test_powers_have_the_promoted_dtype(a, b):
    if "bool" in (a[1], b[1]):
        pytest.skip("no power of bools is promised")
    assert dtype_name(make(*a) ** make(*b)) == promoted(a, b)


@pairs
def test_maximum_and_where_have_the_promoted_dtype(a, b):
    x, y = make(*a), make(*b)
    if "number" not in (a[0], b[0]):
        assert dtype_name(pg.maximum(x, y)) == promoted(a, b)
        assert dtype_name(pg.minimum(x, y)) == promoted(a, b)
    assert dtype_name(pg.where(pg.tensor([True, False, True]), x, y)) == promoted(a, b)


@pairs
def test_bits_have_the_promoted_dtype_and_floats_none(a, b):
    if "float32" in (a[1], b[1]) or "float64" in (a[1], b[1]):
        with pytest.raises((RuntimeError, TypeError)):
            make(*a) & make(*b)
    else:
        assert dtype_name(make(*a) & make(*b)) == promoted(a, b)
        assert dtype_name(make(*a) | make(*b)) == promoted(a, b)
        assert dtype_name(make(*a) ^ make(*b)) == promoted(a, b)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pairs
def test_the_rule_is_pytorchs(a, b):
    import torch

    assert dtype_name(make(*a, torch) + make(*b, torch)) == promoted(a, b)


@pytest.mark.parametrize("number", [np.float64(1.5), np.float32(1.5)], ids=repr)
@pytest.mark.parametrize("dtype", ORDER)
def test_numpy_number_acts_like_a_python_number(dtype, number):
    for t in (make("tensor", dtype), make("0-d", dtype)):
        wanted = dtype if CATEGORY[dtype] == 2 else "float32"
        for result in (t + number, number + t, t * number, number * t):
            assert dtype_name(result) == wanted


@ours("an ndarray as left operand is refused")
@pytest.mark.parametrize("dtype", ORDER)
@pytest.mark.parametrize("other", ORDER)
def test_numpy_array_acts_like_a_tensor_of_its_dtype(dtype, other):
    a = np.ones(3, dtype=other)
    for result in (make("tensor", dtype) + a, a + make("tensor", dtype)):
        assert dtype_name(result) == promoted(("tensor", dtype), ("tensor", other))


# ---- dtypes at birth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1, 2], "int64"), ([1.0], "float32"), (True, "bool"), (3, "int64"), (2.5, "float32"), ([1, 2.5], "float32"),
        ([True, 2], "int64"), ([], "float32"), (np.ones(2), "float64"), (np.float64(1.0), "float64"),
        (np.ones(2, dtype=np.float32), "float32"), (np.arange(2), "int64"), (np.ones(2, dtype=np.int32), "int32"),
        (np.ones(2, dtype=np.uint8), "uint8"), (np.ones(2, dtype=bool), "bool"),
    ],
    ids=repr,
)  # fmt: skip
def test_tensor_takes_the_dtype_of_its_data(data, dtype):
    assert dtype_name(pg.tensor(data)) == dtype


@pytest.mark.parametrize("dtype", ORDER)
def test_dtype_can_be_asked_for(dtype):
    wanted = getattr(pg, dtype)
    assert pg.tensor([0, 1, 1], dtype=wanted).dtype == wanted
    assert pg.zeros(2, dtype=wanted).dtype == wanted
    assert pg.ones(2).to(wanted).dtype == wanted
    assert pg.tensor([0.0, 1.0, 2.0]).to(wanted).tolist() == ([False, True, True] if dtype == "bool" else [0, 1, 2])


def test_conversions_by_name():
    t = pg.tensor([0.0, 1.5, -2.5])
    assert dtype_name(t.double()) == "float64"
    assert dtype_name(t.double().float()) == "float32"
    assert t.long().tolist() == [0, 1, -2]
    assert t.int().tolist() == [0, 1, -2]
    assert dtype_name(t.int()) == "int32"
    assert t.bool().tolist() == [False, True, True]
    assert t.float() is t
    assert t.to(pg.float32) is t


def test_gradient_of_a_conversion_has_the_dtype_of_the_leaf():
    x = leaf([1.0, 2.0], "float32")
    y = (x.double() * 3.0).sum()
    assert dtype_name(y) == "float64"
    y.backward()
    assert dtype_name(x.grad) == "float32"
    assert x.grad.tolist() == [3.0, 3.0]


def test_gradient_of_mixed_dtypes_has_the_dtype_of_each_leaf():
    a, b = leaf([1.0, 2.0], "float32"), leaf([3.0, 4.0], "float64")
    (a * b).sum().backward()
    assert (dtype_name(a.grad), dtype_name(b.grad)) == ("float32", "float64")
    assert a.grad.tolist() == [3.0, 4.0]
    assert b.grad.tolist() == [1.0, 2.0]
    s = leaf(2.0, "float64")
    c = leaf([1.0, 2.0], "float32")
    y = s * c
    assert dtype_name(y) == "float32"
    y.sum().backward()
    assert dtype_name(s.grad) == "float64"
    assert s.grad.item() == 3.0


# ---- functions of integers and bools --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
@pytest.mark.parametrize("name", "exp log log1p expm1 sqrt rsqrt reciprocal sin cos tanh sigmoid erf".split())
def test_float_functions_of_integers_are_float32(name, dtype):
    ints = np.array([1, 0, 1]).astype(dtype)
    got = getattr(pg, name)(pg.tensor(ints))
    assert dtype_name(got) == "float32"
    np.testing.assert_array_equal(array(got), array(getattr(pg, name)(pg.tensor(ints.astype(np.float32)))))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_functions_that_keep_integers(dtype):
    t = pg.tensor(np.array([3, 0, 2]).astype(dtype))
    for got, wanted in [
        (pg.relu(t), [3, 0, 2]), (t.abs(), [3, 0, 2]), (pg.sign(t), [1, 0, 1]), (pg.square(t), [9, 0, 4]),
        (t.clamp(1, 2), [2, 1, 2]), (t * t, [9, 0, 4]), (t**2, [9, 0, 4]), (t.max(), 3), (t.amin(0), 0),
        (pg.maximum(t, t), [3, 0, 2]), (t.reshape(3, 1), [[3], [0], [2]]), (pg.cat([t, t]), [3, 0, 2, 3, 0, 2]),
    ]:  # fmt: skip
        assert dtype_name(got) == dtype
        assert got.tolist() == wanted


def test_integers_wrap_and_are_exact_beyond_float64():
    big = 2**62 + 1
    assert (pg.tensor([big]) + pg.tensor([1])).tolist() == [big + 1]
    assert (pg.tensor([3]) * pg.tensor([2**61 + 7])).tolist() == [3 * (2**61 + 7)]
    assert (pg.tensor([2**63 - 1]) + 1).tolist() == [-(2**63)]
    assert (pg.tensor([200], dtype=pg.uint8) + 100).tolist() == [44]
    assert (-pg.tensor([1], dtype=pg.uint8)).tolist() == [255]
    assert (pg.tensor([3, -2]) ** 5).tolist() == [243, -32]
    assert pg.tensor([big, 1]).sum().item() == big + 1
    assert pg.tensor([big, big - 1]).max().item() == big
    assert (pg.tensor([big]) == pg.tensor([big - 1])).tolist() == [False]
    assert (pg.tensor([7, -7]) / 2).tolist() == [3.5, -3.5]


def test_clamp_of_integers_by_a_float_is_a_float():
    assert dtype_name(pg.tensor([1, 5]).clamp(max=2.5)) == "float32"
    assert pg.tensor([1, 5]).clamp(max=2.5).tolist() == [1.0, 2.5]


def test_float_number_with_integers_is_float32():
    assert dtype_name(pg.arange(3) + 1.5) == "float32"
    assert dtype_name(pg.arange(3) ** 0.5) == "float32"
    assert dtype_name(2.0 - pg.arange(3)) == "float32"
    assert (pg.arange(3) < 1.5).tolist() == [True, True, False]


def test_negative_integer_power_of_integers_is_refused():
    with refused(RuntimeError, naming=("pow",)):
        pow(pg.arange(3), -1)


def test_bools_have_no_minus():
    t = pg.tensor([True, False])
    with refused(RuntimeError, naming=("sub",)):
        t.sub(t)
    with refused(RuntimeError, naming=("neg",)):
        pg.neg(t)
    assert (t + t).tolist() == [True, False]
    assert (t * t).tolist() == [True, False]
    assert (~t).tolist() == [False, True]


def test_matmul_and_linear_do_not_promote():
    a, b = pg.ones(2, 2), pg.ones(2, 2, dtype=pg.float64)
    for f, name in [(lambda: a @ b, "matmul"), (lambda: b @ a, "matmul"), (lambda: pg.linear(a, b), "linear")]:
        with refused(RuntimeError, naming=(name, "float32", "float64")):
            f()
    with pytest.raises(RuntimeError):
        a @ pg.ones(2, 2, dtype=pg.int64)


def test_cat_and_stack_promote():
    assert dtype_name(pg.cat([pg.ones(1), pg.ones(1, dtype=pg.float64)])) == "float64"
    assert dtype_name(pg.cat([pg.ones(1, dtype=pg.int64), pg.ones(1)])) == "float32"
    assert dtype_name(pg.stack([pg.ones(1, dtype=pg.bool), pg.ones(1, dtype=pg.uint8)])) == "uint8"


def test_sum_and_mean_in_another_dtype():
    assert dtype_name(pg.ones(2).sum(dtype=pg.float64)) == "float64"
    assert pg.tensor([1, 2]).mean(dtype=pg.float32).item() == 1.5


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_integers_is_refused(name):
    with refused(RuntimeError, naming=(name, "int64")):
        getattr(pg, name)(pg.tensor([1, 2]), 0)


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_"])
def test_in_place_keeps_its_dtype(name):
    t = pg.ones(2)
    assert getattr(t, name)(pg.full((2,), 2.0, dtype=pg.float64)) is t
    assert dtype_name(t) == "float32"


def test_in_place_of_a_higher_category_is_refused():
    t = pg.tensor([1, 2])
    with refused(RuntimeError, naming=("float32", "int64")):
        t += 1.5
    with pytest.raises(RuntimeError):
        t /= 2
    t = pg.tensor([True])
    with pytest.raises(RuntimeError):
        t += 1
    assert t.tolist() == [True]
