"""Tensors of random numbers: the scheme against numpy's words, the distributions by bounds stated beforehand."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import pygrad
from pygrad import creation, dtypes, sampling
from pygrad.random import Generator

N = 100_000
# By chance a sample exceeds a bound of 5 standard errors once in 1.7 million; the seeds are fixed besides.
SIGMAS = 5


def array(t):
    return t.detach().numpy()


def words(seed, n, start=0):
    """Return words start to start + n - 1 of numpy's Philox4x64-10 with that key."""
    return np.random.Philox(key=seed).random_raw(start + n)[start:]


def numpys(seed):
    return np.random.Generator(np.random.Philox(key=seed))


# ---- the scheme --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 42, 2**64 - 1])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 511, 512, 513, 1025, 4001])
def test_uniform_numbers_are_numpys(seed, n):
    for kind in (dtypes.float32, dtypes.float64):
        t = sampling.rand(n, dtype=kind, generator=Generator(seed))
        assert np.array_equal(array(t), numpys(seed).random(n, dtype=kind.numpy))


def test_a_call_takes_the_next_words_wherever_the_last_one_ended():
    generator, n, place = Generator(7), 0, 0
    for n in (1, 2, 3, 4, 5, 1, 1, 513, 6, 0, 2, 1030):
        t = array(sampling.rand(n, dtype="float64", generator=generator))
        assert np.array_equal(t, (words(7, n, place) >> 11) * 2.0**-53)
        place += n
    assert np.array_equal(array(sampling.rand(3, generator=generator)), _float32s(words(7, 2, place))[:3])
    place += 2  # three halves of words are two words
    single = generator.uniform(0, 1, 2)  # the scalars' calls share the stream
    assert single == list((words(7, 2, place) >> 11) * 2.0**-53)
    place += 2
    assert np.array_equal(array(sampling.rand(3, dtype="float64", generator=generator)), _doubles(7, 3, place))


def _doubles(seed, n, place):
    return (words(seed, n, place) >> np.uint64(11)) * 2.0**-53


def _float32s(w):
    halves = np.stack([w & np.uint64(2**32 - 1), w >> np.uint64(32)], axis=1).ravel()
    return ((halves >> np.uint64(8)) * 2.0**-24).astype(np.float32)


def test_counter_carries_within_a_call():
    generator = Generator(3)
    generator._state.counter[0] = 2**64 - 3
    bits = np.random.Philox(key=3, counter=np.array([2**64 - 3, 0, 0, 0], np.uint64)).random_raw(40)
    t = sampling.rand(40, dtype="float64", generator=generator)
    assert np.array_equal(array(t), (bits >> np.uint64(11)) * 2.0**-53)
    assert generator._state.counter[1] == 1


def test_normal_float64_are_those_of_the_generators_own_stream():
    t = sampling.randn(1001, dtype="float64", generator=Generator(5))
    assert array(t).tolist() == Generator(5).normal(0.0, 1.0, 1001)


def test_normal_float32_follow_the_formula():
    w = words(5, 1001)
    u, v = ((w >> np.uint64(32)).astype(np.float64) + 1) * 2.0**-32, (w & np.uint64(2**32 - 1)) * 2.0**-32
    wanted = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    t = array(sampling.randn(1001, generator=Generator(5)))
    # u near 1 and the angle carry half a unit of 1 each from their rounding: the radius falls as sqrt of the first.
    assert np.abs(t - wanted).max() <= 2 * math.sqrt(np.finfo(np.float32).eps)
    assert np.median(np.abs(t - wanted)) <= 4 * np.finfo(np.float32).eps


def test_integers_follow_the_high_word_of_a_product():
    t = sampling.randint(-3, 1000, (2000,), generator=Generator(11))
    assert array(t).tolist() == [-3 + (int(w) * 1003 >> 64) for w in words(11, 2000)]


def test_integers_of_a_wide_range_reject_the_surplus():
    # Of 2**64 words a third is too many for 3 * 2**62 numbers... of which about one word in four is drawn again.
    low, high = -(2**63), 2**62
    span = high - low
    surplus = 2**64 % span
    wanted = []
    for i, word in enumerate(words(9, 1000).tolist()):
        attempt = 0
        while (word * span) % 2**64 < surplus:
            attempt += 1
            counter = np.array([i // 4, 0, 0, attempt], np.uint64)  # numpy adds one before the first block
            word = int(np.random.Philox(key=9, counter=counter).random_raw(4)[i % 4])
        wanted.append(low + (word * span >> 64))
    assert array(sampling.randint(low, high, (1000,), generator=Generator(9))).tolist() == wanted


def test_permutations_follow_fisher_and_yates():
    n = 1300
    wanted = list(range(n))
    for i, word in enumerate(words(2, n - 1).tolist()):
        last = n - 1 - i
        other = word * (last + 1) >> 64
        wanted[last], wanted[other] = wanted[other], wanted[last]
    assert sampling.randperm(n, generator=Generator(2)).tolist() == wanted


# ---- seeds -------------------------------------------------------------------------------------------------------

CALLS = {
    "rand": lambda g: sampling.rand(3, 5, generator=g),
    "randn": lambda g: sampling.randn(3, 5, generator=g),
    "randint": lambda g: sampling.randint(100, (3, 5), generator=g),
    "randperm": lambda g: sampling.randperm(15, generator=g),
    "rand_like": lambda g: sampling.rand_like(creation.zeros(3, 5), generator=g),
    "randn_like": lambda g: sampling.randn_like(creation.zeros(3, 5), generator=g),
    "randint_like": lambda g: sampling.randint_like(creation.zeros(3, 5), 100, generator=g),
    "uniform_": lambda g: creation.zeros(3, 5).uniform_(generator=g),
    "normal_": lambda g: creation.zeros(3, 5).normal_(generator=g),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_seed_gives_one_stream(name):
    def draw(generator):
        return CALLS[name](generator).tolist()

    assert draw(Generator(1)) == draw(Generator(1)) != draw(Generator(2))
    generator = Generator(1)
    first, second = draw(generator), draw(generator)
    assert first != second
    pygrad.manual_seed(1)
    assert [draw(None), draw(None)] == [first, second]
    assert sampling.manual_seed(1).initial_seed() == 1
    assert draw(None) == first


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_outside_64_bits_are_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        sampling.manual_seed(seed)


@pytest.mark.parametrize("seed", [1.5, "1", None])
def test_seeds_that_are_no_integers_are_refused(seed):
    with pytest.raises(TypeError):
        sampling.manual_seed(seed)


@pytest.mark.parametrize("generator", [1, random.Random(1), np.random.default_rng(1)])
def test_other_generators_are_refused(generator):
    with pytest.raises(TypeError, match="generator"):
        sampling.rand(2, generator=generator)


# ---- distributions -----------------------------------------------------------------------------------------------


def distance_from(cdf, sample):
    """Return Kolmogorov's and Smirnov's distance between a sample (n) and a distribution."""
    x = np.sort(sample.astype(np.float64))
    n, p = len(x), cdf(x)
    return max((np.arange(1, n + 1) / n - p).max(), (p - np.arange(n) / n).max())


# Its chance is 2 exp(-2 c^2), 1e-9 for c = 3.3 (Smirnov).
KS_BOUND = 3.3 / math.sqrt(N)


@pytest.mark.parametrize("kind", [dtypes.float32, dtypes.float64])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-2.0, 5.0)])
def test_uniform_numbers_are_uniform(kind, low, high):
    x = array(creation.empty(N, dtype=kind).uniform_(low, high, generator=Generator(0))).astype(np.float64)
    width = high - low
    assert low <= x.min()
    assert x.max() < high
    assert abs(x.mean() - (low + high) / 2) <= SIGMAS * width / math.sqrt(12 * N)
    assert abs(x.var() - width**2 / 12) <= SIGMAS * width**2 / math.sqrt(180 * N)
    assert distance_from(lambda v: (v - low) / width, x) <= KS_BOUND


@pytest.mark.parametrize("kind", [dtypes.float32, dtypes.float64])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (3.0, 0.5)])
def test_normal_numbers_are_normal(kind, mean, std):
    x = array(creation.empty(N, dtype=kind).normal_(mean, std, generator=Generator(0))).astype(np.float64)
    z = (x - mean) / std
    assert abs(z.mean()) <= SIGMAS / math.sqrt(N)
    assert abs(z.var() - 1) <= SIGMAS * math.sqrt(2 / N)
    assert abs((z**3).mean()) <= SIGMAS * math.sqrt(15 / N)
    assert abs((z**4).mean() - 3) <= SIGMAS * math.sqrt(96 / N)
    assert distance_from(np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2))), z) <= KS_BOUND
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) <= SIGMAS / math.sqrt(N)


@pytest.mark.parametrize("kind", [dtypes.uint8, dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64])
def test_integers_are_equally_likely(kind):
    x = array(sampling.randint(2, 9, (N,), dtype=kind, generator=Generator(0)))
    assert x.dtype == kind.numpy
    counts = np.bincount(x.astype(int), minlength=9)
    assert counts[:2].sum() == 0
    assert np.abs(counts[2:] - N / 7).max() <= SIGMAS * math.sqrt(N * (1 / 7) * (6 / 7))


def test_places_of_a_permutation_are_equally_likely():
    generator, n, rounds = Generator(0), 5, 5000
    places = np.array([sampling.randperm(n, generator=generator).tolist() for _ in range(rounds)])
    assert (np.sort(places, axis=1) == np.arange(n)).all()
    for column in places.T:
        assert np.abs(np.bincount(column, minlength=n) - rounds / n).max() <= SIGMAS * math.sqrt(rounds * 0.2 * 0.8)


def test_uniform_numbers_never_reach_the_upper_end():
    # Between 1 and its neighbour there is nothing: nearly half of the products would round up to the end.
    top = float(np.nextafter(np.float32(1), np.float32(2)))
    assert set(creation.empty(1000).uniform_(1.0, top).tolist()) == {1.0}
    assert set(creation.empty(10).uniform_(2.0, 2.0).tolist()) == {2.0}


# ---- arguments ---------------------------------------------------------------------------------------------------


def test_random_tensors_have_the_size_and_dtype_asked_for():
    assert tuple(sampling.rand(2, 3).shape) == tuple(sampling.randn((2, 3)).shape) == (2, 3)
    assert tuple(sampling.rand(size=(2,)).shape) == (2,)
    assert sampling.rand(2).dtype is sampling.randn(2).dtype is dtypes.float32
    assert sampling.randint(5, (2,)).dtype is sampling.randperm(2).dtype is dtypes.int64
    assert sampling.randint(0, 5, size=(2, 0)).shape == (2, 0)
    assert sampling.randint(5, size=(2,)).shape == (2,)
    assert sampling.randint(high=5, size=(2,)).shape == (2,)
    assert set(sampling.randint(2, (100,), dtype="bool").tolist()) == {False, True}
    assert sampling.randperm(3, dtype="int32").dtype is dtypes.int32
    assert sampling.rand(2, requires_grad=True).requires_grad
    assert sampling.randn_like(creation.zeros(2, dtype="float64")).dtype is dtypes.float64
    assert sampling.randperm(0).tolist() == []
    assert sampling.randperm(1).tolist() == [0]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: sampling.rand(), TypeError),
        (lambda: sampling.rand(-1), RuntimeError),
        (lambda: sampling.rand(2, dtype="int64"), (TypeError, RuntimeError)),
        (lambda: sampling.randn(2, dtype="bool"), (TypeError, RuntimeError)),
        (lambda: sampling.randint(5), TypeError),
        (lambda: sampling.randint(5, 5, (2,)), (ValueError, RuntimeError)),
        (lambda: sampling.randint(2.5, (2,)), TypeError),
        (lambda: sampling.randint(300, (2,), dtype="uint8"), (ValueError, RuntimeError)),
        (lambda: sampling.randint(-1, 3, (2,), dtype="uint8"), (ValueError, RuntimeError)),
        (lambda: sampling.randint(2**25, (2,), dtype="float32"), (ValueError, RuntimeError)),
        (lambda: sampling.randperm(-1), RuntimeError),
        (lambda: creation.zeros(2).uniform_(2, 1), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2).uniform_(0, math.inf), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2).uniform_(-3e38, 3e38), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2).uniform_(math.nan, 1), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2).normal_(0, -1), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2).normal_(0, math.nan), (ValueError, RuntimeError)),
        (lambda: creation.zeros(2, dtype="int64").uniform_(), (TypeError, RuntimeError)),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, error):
    with pytest.raises(error):
        call()


# ---- in place ----------------------------------------------------------------------------------------------------


def test_filling_in_place_returns_the_tensor_and_moves_the_version():
    t = creation.zeros(4)
    before = t._version
    assert t.uniform_() is t
    assert t.normal_() is t
    assert t._version == before + 2


def test_a_view_is_filled_in_row_major_order_and_nothing_beside_it():
    base = np.zeros((4, 6))
    t = creation.from_numpy(base[:, ::2].T)
    t.uniform_(1, 2, generator=Generator(4))
    assert np.array_equal(base[:, ::2].T, 1 + numpys(4).random((3, 4)))
    assert not base[:, 1::2].any()


def test_a_leaf_that_requires_a_gradient_is_filled_under_no_grad_only():
    t = creation.zeros(3, requires_grad=True)
    for fill in (t.uniform_, t.normal_):
        with pytest.raises(RuntimeError, match="leaf"):
            fill()
    with pygrad.no_grad():
        t.uniform_(1, 2)
    assert t.requires_grad
    assert t.is_leaf
    assert (array(t) >= 1).all()


def test_what_was_there_before_the_random_numbers_has_gradient_zero():
    x = creation.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    assert y.requires_grad
    (x * y).sum().backward()
    assert np.array_equal(array(x.grad), array(y))


def test_what_backward_saved_may_not_be_filled_anew():
    x = creation.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.normal_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
