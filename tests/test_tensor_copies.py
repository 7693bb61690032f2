"""Copies and pickles of tensors, tensors that are made, and printing, as in PyTorch."""

from __future__ import annotations

import copy
import math
import pickle
from math import inf, nan

import numpy as np
import pytest
from tensor_backend import DTYPES, dtype_name, leaf, pg

# ---- copies and pickles ---------------------------------------------------------------------------------------------

DUPLICATES = {
    "deepcopy": copy.deepcopy,
    **{f"pickle {p}": lambda t, p=p: pickle.loads(pickle.dumps(t, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("name", DUPLICATES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_duplicate_has_the_values_and_shares_nothing(name, dtype):
    a = np.arange(6).reshape(2, 3).astype(dtype)
    for t in (pg.tensor(a), pg.tensor(a).T, pg.tensor(a)[:, 1:], pg.tensor(a)[0, 0], pg.tensor(a)[:0]):
        d = DUPLICATES[name](t)
        assert type(d) is type(t)
        assert d.dtype == t.dtype
        np.testing.assert_array_equal(d.numpy(), t.numpy())
        assert not np.shares_memory(d.numpy(), t.numpy())


@pytest.mark.parametrize("name", DUPLICATES)
def test_duplicate_of_a_leaf_is_a_leaf(name):
    x = leaf([1.0, 2.0], "float32")
    d = DUPLICATES[name](x)
    assert d.requires_grad
    assert d.is_leaf
    (d * 2).sum().backward()
    assert x.grad is None
    assert d.grad.tolist() == [2.0, 2.0]


def test_result_cannot_be_deep_copied():
    with pytest.raises(RuntimeError, match=r"leaf|leaves|detach"):
        copy.deepcopy(leaf([1.0]) * 2)


def test_deepcopy_keeps_what_is_shared():
    t = pg.ones(2)
    a, b = copy.deepcopy([t, t])
    assert a is b


def test_shallow_copy_shares_memory():
    t = pg.ones(2)
    c = copy.copy(t)
    assert c is not t
    t.add_(1.0)
    assert c.tolist() == [2.0, 2.0]


def test_broken_pickle_of_a_tensor_does_not_crash():
    data = pickle.dumps(pg.arange(100, dtype=pg.float32))
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(data), 50):
        with pytest.raises(Exception):  # noqa: B017 - any error will do, but an error it must be
            pickle.loads(data[:cut])


# ---- creation -------------------------------------------------------------------------------------------------------


def test_constant_tensors():
    assert pg.zeros(2, 3).tolist() == [[0.0] * 3] * 2
    assert pg.ones(2).tolist() == [1.0, 1.0]
    assert pg.zeros(()).item() == 0.0
    assert pg.full((2,), 2.5).tolist() == [2.5, 2.5]
    assert dtype_name(pg.full((2,), 3)) == "int64"
    assert dtype_name(pg.full((2,), True)) == "bool"
    assert dtype_name(pg.zeros(1)) == dtype_name(pg.empty(1)) == "float32"
    assert pg.empty(2, 3).shape == (2, 3)
    assert pg.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert pg.eye(2, 3).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    "arguments",
    [
        (5,),
        (2, 7),
        (2, 7, 2),
        (7, 2, -2),
        (0,),
        (3, 3),
        (0.0, 1.0, 0.25),
        (1.0, 2.5),
        (5, 0, -1),
        (0, 1, 0.1),
        (-1.5, 1),
    ],
)
def test_arange_is_numpys(arguments):
    got, wanted = pg.arange(*arguments), np.arange(*arguments)
    assert dtype_name(got) == ("int64" if all(isinstance(x, int) for x in arguments) else "float32")
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got.numpy(), wanted, rtol=2.0**-22, atol=2.0**-24)


def test_arange_that_leads_nowhere_is_refused():
    for arguments in ((0, 1, 0), (0, 5, -1), (5, 0), (0.0, inf), (0, 1, nan)):
        with pytest.raises((RuntimeError, ValueError)):
            pg.arange(*arguments)


@pytest.mark.parametrize("arguments", [(0, 1, 5), (-3, 2, 11), (1, 1, 3), (5, -5, 2), (0, 1, 1), (0, 1, 0)])
def test_linspace_is_numpys(arguments):
    got = pg.linspace(*arguments, dtype=pg.float64)
    np.testing.assert_allclose(got.numpy(), np.linspace(*arguments), rtol=1e-15, atol=1e-15)
    assert dtype_name(pg.linspace(0, 1, 3)) == "float32"
    if arguments[2] > 1:
        assert (got[0].item(), got[-1].item()) == arguments[:2]


def test_like_functions_take_shape_and_dtype():
    for t in (pg.ones(2, 3, dtype=pg.float64), pg.zeros(0, dtype=pg.int32), pg.tensor(True)):
        for f in (pg.zeros_like, pg.ones_like, pg.empty_like):
            assert f(t).shape == t.shape
            assert f(t).dtype == t.dtype
        assert pg.full_like(t, 1).dtype == t.dtype
    for f in (pg.rand_like, pg.randn_like):
        assert f(pg.ones(2, 3, dtype=pg.float64)).shape == (2, 3)
        assert dtype_name(f(pg.ones(2, 3, dtype=pg.float64))) == "float64"
    assert dtype_name(pg.zeros_like(pg.ones(1), dtype=pg.int64)) == "int64"
    assert not pg.zeros_like(leaf([1.0])).requires_grad


def test_random_numbers_follow_their_seed():
    for f in (lambda: pg.rand(100), lambda: pg.randn(3, 5), lambda: pg.randint(0, 1000, (50,)), lambda: pg.randn(101)):
        pg.manual_seed(7)
        a, b = f(), f()
        pg.manual_seed(7)
        assert f().tolist() == a.tolist() != b.tolist()
        pg.manual_seed(8)
        assert f().tolist() != a.tolist()


def test_random_numbers_have_their_distribution():
    pg.manual_seed(0)
    n = 100_000
    u, z, i = (
        pg.rand(n, dtype=pg.float64).numpy(),
        pg.randn(n, dtype=pg.float64).numpy(),
        pg.randint(-2, 3, (n,)).numpy(),
    )
    # Five standard errors of each estimate.
    assert abs(u.mean() - 0.5) < 5 * math.sqrt(1 / 12 / n)
    assert 0 <= u.min() and u.max() < 1
    assert np.abs(np.quantile(u, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 5 * 0.5 / math.sqrt(n)
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs(z.std() - 1) < 5 / math.sqrt(2 * n)
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / n)
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 5 / math.sqrt(n)
    assert i.dtype == np.int64
    assert np.abs(np.bincount(i + 2) / n - 0.2).max() < 5 * 0.4 / math.sqrt(n)
    assert pg.rand(n).max().item() < 1.0
    assert dtype_name(pg.rand(2)) == dtype_name(pg.randn(2)) == "float32"


def test_bad_bounds_of_random_integers_are_refused():
    for arguments in ((3, 3, (2,)), (5, 2, (2,)), (0, (2,))):
        with pytest.raises((RuntimeError, ValueError)):
            pg.randint(*arguments)


# ---- printing -------------------------------------------------------------------------------------------------------

# What PyTorch 2.13 prints; the texts were written by it.
PRINTED = [
    (lambda: pg.tensor(1.0), "tensor(1.)"),
    (lambda: pg.tensor(3), "tensor(3)"),
    (lambda: pg.tensor(True), "tensor(True)"),
    (lambda: pg.tensor([]), "tensor([])"),
    (lambda: pg.zeros(2, 0), "tensor([], size=(2, 0))"),
    (lambda: pg.zeros(0, dtype=pg.int64), "tensor([], dtype=torch.int64)"),
    (lambda: pg.tensor([1.0, 2.5, -3.0]), "tensor([ 1.0000,  2.5000, -3.0000])"),
    (lambda: pg.tensor([1.0, 2.0, 3.0]), "tensor([1., 2., 3.])"),
    (lambda: pg.tensor([1, 20, -300]), "tensor([   1,   20, -300])"),
    (lambda: pg.tensor([True, False]), "tensor([ True, False])"),
    (lambda: pg.tensor([[1.0, 2.0], [3.0, 4.5]]), "tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])"),
    (lambda: pg.tensor([1.0], dtype=pg.float64), "tensor([1.], dtype=torch.float64)"),
    (lambda: pg.tensor([1], dtype=pg.int32), "tensor([1], dtype=torch.int32)"),
    (lambda: pg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
    (lambda: pg.tensor([nan, inf, -inf, 1.0]), "tensor([nan, inf, -inf, 1.])"),
    (lambda: pg.tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
    (lambda: pg.tensor([1e8, 1.5]), "tensor([1.0000e+08, 1.5000e+00])"),
    (lambda: pg.tensor(0.1), "tensor(0.1000)"),
    (lambda: pg.zeros(1, 1, 2), "tensor([[[0., 0.]]])"),
]


@pytest.mark.parametrize(("make", "text"), PRINTED, ids=lambda v: v.replace("\n", " ") if isinstance(v, str) else "")
def test_tensor_prints_as_in_pytorch(make, text):
    assert repr(make()).replace("pygrad.", "torch.") == text
    assert str(make()) == repr(make())


def test_result_prints_its_function():
    assert repr(leaf([1.0], "float32") + 1).startswith("tensor([2.], grad_fn=<Add")


def test_long_tensors_are_cut():
    text = repr(pg.arange(10_000))
    assert len(text) < 200
    assert text.startswith("tensor([   0,    1,    2,  ..., 9997, 9998, 9999])")
    assert len(repr(pg.zeros(200, 200))) < 1000
    assert len(repr(pg.arange(1000))) > 4000
