"""Floor division and remainders, of floats and of integers: operators, in place, and what divides by zero."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from tensor_backend import array, dtype_name, leaf, ours, pg, refused

INTEGERS = ["uint8", "int32", "int64"]
OPERATORS = {"%": operator.mod, "//": operator.floordiv}
symbols = pytest.mark.parametrize("symbol", OPERATORS)


@symbols
@pytest.mark.parametrize("number", [2, 2.5, -3, np.float64(1.25)], ids=repr)
def test_number_on_either_side(symbol, number):
    f, x0 = OPERATORS[symbol], np.array([7.0, -7.0, 0.5, -0.5])
    for g in (lambda x: f(x, number), lambda x: f(number, x)):
        np.testing.assert_array_equal(array(g(pg.tensor(x0))), g(x0))


@symbols
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_divided_as_in_python(symbol, dtype):
    f = OPERATORS[symbol]
    low = 0 if dtype == "uint8" else -9
    a = np.repeat(np.arange(low, 10), 19).astype(dtype)
    b = np.tile(np.array([n for n in range(-9, 10) if n != 0 and n >= low] + [1] * 10)[:19], 19)[: a.size].astype(dtype)
    got = f(pg.tensor(a), pg.tensor(b))
    assert dtype_name(got) == dtype
    assert got.tolist() == [f(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert f(pg.tensor(a), 4).tolist() == [f(x, 4) for x in a.tolist()]
    assert f(7, pg.tensor(b)).tolist() == [f(7, y) for y in b.tolist()]


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_fmod_of_integers_has_the_sign_of_the_dividend(dtype):
    t = pg.tensor(np.array([7, -7, 6], dtype=dtype))
    assert pg.fmod(t, 4).tolist() == [3, -3, 2]
    assert pg.fmod(t, -4).tolist() == [3, -3, 2]
    assert dtype_name(pg.fmod(t, 4)) == dtype


@symbols
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_division_by_zero_is_an_error(symbol, dtype):
    f, t = OPERATORS[symbol], pg.tensor(np.array([3, 4, 5], dtype=dtype))
    zeros = pg.tensor(np.array([1, 0, 2], dtype=dtype))
    for g in (lambda: f(t, 0), lambda: f(t, zeros), lambda: f(7, zeros), lambda: f(t, zeros[1]),
              lambda: f(t[::2], zeros[:2]), lambda: f(t.reshape(3, 1), zeros)):  # fmt: skip
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            g()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        pg.fmod(t, zeros)


@symbols
def test_nothing_divided_by_zero_is_nothing(symbol):
    assert OPERATORS[symbol](pg.tensor([], dtype=pg.int64), 0).tolist() == []


@ours("it has overwritten some")
@symbols
def test_integer_division_by_zero_in_place_changes_nothing(symbol):
    t = pg.tensor([8, 9, 10])
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        {"%": operator.imod, "//": operator.ifloordiv}[symbol](t, pg.tensor([3, 0, 1]))
    assert t.tolist() == [8, 9, 10]
    assert t._version == 0


@pytest.mark.parametrize(("dtype", "bits"), [("int32", 32), ("int64", 64)])
def test_least_integer_divided_by_minus_one_does_not_trap(dtype, bits):
    least = pg.tensor(np.array([-(2 ** (bits - 1))], dtype=dtype))
    for b in (-1, pg.tensor(np.array([-1], dtype=dtype))):
        assert (least % b).tolist() == [0]
        assert pg.fmod(least, b).tolist() == [0]
    if dtype == "int64":  # PyTorch's int32 is not the same in a vector and alone
        assert (least // -1).tolist() == least.tolist()


@symbols
def test_bools_have_no_division(symbol):
    with pytest.raises(RuntimeError):
        OPERATORS[symbol](pg.tensor([True]), pg.tensor([True]))


def test_integers_with_floats_are_floats():
    t = pg.tensor([7, -7])
    for got, wanted in [(t % 2.5, [2.0, 0.5]), (t // 2.5, [2.0, -3.0]), (5.5 // t, [0.0, -1.0])]:
        assert dtype_name(got) == "float32"
        assert got.tolist() == wanted


@symbols
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_in_place(symbol, dtype):
    a, b = np.array([7, -7, 5], dtype=dtype), np.array([2, 3, -4], dtype=dtype)
    t = pg.tensor(a)
    same, before = t, t._version
    t = {"%": operator.imod, "//": operator.ifloordiv}[symbol](t, pg.tensor(b))
    assert t is same
    assert t._version == before + 1
    np.testing.assert_array_equal(array(t), OPERATORS[symbol](a, b))


def test_in_place_of_integers_by_a_float_is_refused():
    t = pg.tensor([7, -7])
    for f in (operator.imod, operator.ifloordiv):
        with refused(RuntimeError, naming=("float32", "int64")):
            f(t, 2.5)
    assert t.tolist() == [7, -7]


def test_in_place_remainder_of_a_result_differentiates():
    x, w = leaf([7.0, -7.0]), leaf([2.0, 3.0])
    y = x * 1
    y %= w
    y.sum().backward()
    assert array(y).tolist() == [1.0, 2.0]
    assert (x.grad.tolist(), w.grad.tolist()) == ([1.0, 1.0], [-3.0, 3.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quotient_is_that_of_the_remainder_where_division_rounds_up(dtype):
    # 6 / 0.1 rounds to 60, and 0.1 fits 59 times: what is left is 0.1 less a rounding.
    t, tenth = pg.tensor(np.array([6.0], dtype=dtype)), pg.tensor(np.array([0.1], dtype=dtype))
    quotient, rest = (t // tenth).item(), (t % tenth).item()
    assert 0.0 <= rest < tenth.item()
    assert quotient * tenth.item() + rest == pytest.approx(6.0, rel=1e-6)
    assert quotient == 6.0 // tenth.item()


@ours("it has no gradient for it")
def test_floor_division_is_flat():
    x, w = leaf([7.5, -7.5]), leaf([2.0, 2.0])
    (x // w).sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([0.0, 0.0], [0.0, 0.0])


@symbols
@pytest.mark.parametrize("other", ["a", [1.0, 2.0], None], ids=repr)
def test_other_operands_are_a_type_error(symbol, other):
    with pytest.raises(TypeError):
        OPERATORS[symbol](pg.ones(2), other)


@symbols
def test_shapes_that_do_not_broadcast_are_refused(symbol):
    with refused(RuntimeError, naming=((2,), (3,))):
        OPERATORS[symbol](pg.ones(2), pg.ones(3))


def test_text_is_still_formatted():
    assert "%s" % pg.tensor([1]) == "tensor([1])"  # noqa: UP031
