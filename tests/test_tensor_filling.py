"""Filling a tensor with random numbers in place: the distributions, and what holds for every change in place.

The bounds are five standard deviations of what is counted, so that one seed in two million fails; the seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, ours, pg, refused

if TORCH:
    import torch

N = 40_000
FILLS = {
    "bernoulli_": lambda t: t.bernoulli_(0.3), "exponential_": lambda t: t.exponential_(2.0),
    "log_normal_": lambda t: t.log_normal_(0.5, 0.25), "normal_": lambda t: t.normal_(1.0, 2.0),
    "random_": lambda t: t.random_(3, 9), "uniform_": lambda t: t.uniform_(-1.0, 3.0),
}  # fmt: skip
fills = pytest.mark.parametrize("name", FILLS)


def generator(seed):
    return torch.Generator().manual_seed(seed) if TORCH else pg.random.Generator(seed)


def normal_cdf(x):
    return np.vectorize(lambda z: 0.5 * math.erfc(-z / math.sqrt(2)))(x)


DISTRIBUTIONS = {
    "exponential_": lambda x: 1 - np.exp(-2.0 * x),
    "log_normal_": lambda x: normal_cdf((np.log(x) - 0.5) / 0.25),
    "normal_": lambda x: normal_cdf((x - 1.0) / 2.0),
    "uniform_": lambda x: (x + 1.0) / 4.0,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_numbers_are_distributed_as_they_should(name, dtype):
    pg.manual_seed(7)
    t = FILLS[name](pg.empty(N, dtype=getattr(pg, dtype)))
    assert dtype_name(t) == dtype
    x = np.sort(array(t).astype(np.float64))
    assert np.isfinite(x).all()
    # Kolmogorov and Smirnov: the largest distance exceeds 3 / sqrt(n) once in 33 million samples.
    assert abs(DISTRIBUTIONS[name](x) - (np.arange(N) + 0.5) / N).max() < 3 / math.sqrt(N)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_bernoulli_has_its_share_of_ones(dtype):
    pg.manual_seed(3)
    t = pg.zeros(N, dtype=getattr(pg, dtype)).bernoulli_(0.3)
    assert dtype_name(t) == dtype
    x = array(t).astype(float)
    assert set(x) == {0.0, 1.0}
    assert abs(x.mean() - 0.3) < 5 * math.sqrt(0.3 * 0.7 / N)


def test_bernoulli_takes_a_probability_for_each_element():
    p = pg.tensor([0.0, 1.0, 0.5])
    x = array(pg.zeros(2000, 3).bernoulli_(p.expand(2000, 3)))
    assert x[:, 0].max() == 0.0
    assert x[:, 1].min() == 1.0
    assert abs(x[:, 2].mean() - 0.5) < 5 * math.sqrt(0.25 / 2000)
    for bad in (-0.1, 1.1, math.nan):
        with refused(RuntimeError, ValueError):
            pg.zeros(2).bernoulli_(bad)
    with refused(RuntimeError, ValueError):
        pg.zeros(2).bernoulli_(pg.tensor([0.5, 2.0]))
    with refused(RuntimeError):
        pg.zeros(2).bernoulli_(pg.full((3, 2), 0.5))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
def test_random_integers_are_those_of_the_range(dtype):
    pg.manual_seed(5)
    t = pg.zeros(N, dtype=getattr(pg, dtype)).random_(3, 9)
    counts = np.bincount(array(t).astype(int), minlength=9)
    assert counts[:3].sum() == 0
    assert abs(counts[3:] - N / 6).max() < 5 * math.sqrt(N * 5 / 36)
    assert set(array(pg.zeros(200, dtype=getattr(pg, dtype)).random_(2)).astype(int)) == {0, 1}


@pytest.mark.parametrize(
    ("dtype", "last"),
    [("bool", 1), ("uint8", 255), ("int32", 2**31 - 1), ("int64", 2**63 - 1), ("float32", 2**24), ("float64", 2**53)],
)
def test_random_integers_go_as_far_as_the_dtype_has_them_without_gaps(dtype, last):
    pg.manual_seed(2)
    x = array(pg.zeros(N, dtype=getattr(pg, dtype)).random_())
    assert x.min() >= 0
    assert int(x.max()) <= last
    if last < 300:
        assert set(x.astype(int)) == set(range(last + 1))
    else:
        # Half of them are in the upper half, to five standard deviations; and whole.
        assert abs((x > last / 2).mean() - 0.5) < 5 * 0.5 / math.sqrt(N)
        assert (x == np.floor(x)).all()


def test_bounds_that_make_no_sense_are_refused():
    for f in (
        lambda t: t.random_(5, 5), lambda t: t.random_(0), lambda t: t.exponential_(0.0),
        lambda t: t.exponential_(-1.0), lambda t: t.log_normal_(0.0, -1.0),
        lambda t: t.normal_(0.0, -1.0), lambda t: t.uniform_(1.0, 0.0),
    ):  # fmt: skip
        t = pg.zeros(3)
        with pytest.raises((RuntimeError, ValueError)):
            f(t)
        assert t.tolist() == [0.0, 0.0, 0.0]
        assert t._version == 0
    with pytest.raises((RuntimeError, ValueError)):
        pg.zeros(3, dtype=pg.uint8).random_(300)
    for name in ("exponential_", "log_normal_"):
        with pytest.raises((RuntimeError, TypeError)):
            getattr(pg.zeros(3, dtype=pg.int64), name)()


@fills
def test_what_was_filled_depends_on_nothing(name):
    x = pg.tensor([0.5, 0.25, 2.0], requires_grad=True)
    y = x * 2
    before = y + 1
    assert FILLS[name](y) is y
    (before.sum() + (y * y).sum()).backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    with refused(RuntimeError, naming=("leaf",)):
        FILLS[name](x)
    assert x.tolist() == [0.5, 0.25, 2.0]
    with pg.no_grad():
        assert FILLS[name](x) is x
    assert x._version == 1
    assert x.is_leaf
    assert x.requires_grad


@fills
def test_views_are_filled_and_nothing_beside_them(name):
    base = pg.full((4, 6), -7.5)
    FILLS[name](base[1:3, ::2])
    x = array(base)
    assert (x[1:3, ::2] != -7.5).all()
    assert (x == -7.5).sum() == 24 - 6
    with refused(RuntimeError, naming=("single memory location",)):
        FILLS[name](pg.ones(1).expand(3))
    assert FILLS[name](pg.empty(0, 3)).shape == (0, 3)


@fills
def test_numbers_come_from_the_generator_that_is_given(name):
    options = {"bernoulli_": (0.5,), "random_": (1000,)}.get(name, ())

    def draw(of):
        return getattr(pg.zeros(50), name)(*options, generator=of).tolist()

    one, same, other = draw(generator(1)), draw(generator(1)), draw(generator(2))
    assert one == same
    assert one != other
    pg.manual_seed(9)
    first = draw(None)
    pg.manual_seed(9)
    draw(generator(1))
    assert draw(None) == first


@ours("PyTorch draws in another order")
def test_numbers_are_those_of_the_functions():
    pg.manual_seed(4)
    t = pg.zeros(30, dtype=pg.int64).random_(10)
    pg.manual_seed(4)
    assert pg.randint(0, 10, (30,)).tolist() == t.tolist()
