"""Random numbers: the raw words are numpy's, the numbers follow from them by formulas written here."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from oracle import EPS

from pygrad._engine import ffi, lib
from pygrad.random import Generator

SEEDS = [0, 1, 2, 42, 2**31, 2**32 + 5, 2**63, 2**64 - 1]


def words(seed, n):
    """Return the first n 64-bit words of numpy's Philox4x64-10 with that key."""
    return [int(w) for w in np.random.Philox(key=seed, counter=0).random_raw(n)]


def our_words(seed, n):
    state = ffi.new("pg_rng *")
    lib.pg_rng_seed(state, seed)
    return [lib.pg_rng_bits(state) for _ in range(n)]


def unit(word):
    return (word >> 11) * 2.0**-53


@pytest.mark.parametrize("seed", SEEDS)
def test_raw_words_are_those_of_numpys_philox(seed):
    assert our_words(seed, 1000) == words(seed, 1000)


def test_counter_carries_into_its_next_word():
    state = ffi.new("pg_rng *")
    lib.pg_rng_seed(state, 7)
    state.counter[0] = 2**64 - 2
    state.counter[1] = 2**64 - 1
    numpys = np.random.Philox(key=7, counter=np.array([2**64 - 2, 2**64 - 1, 0, 0], dtype=np.uint64))
    assert [lib.pg_rng_bits(state) for _ in range(40)] == [int(w) for w in numpys.random_raw(40)]


def test_known_answer_of_the_paper():
    # Philox4x64-10 of key 0 and counter 0, as the paper's authors publish it; counter 0 follows the largest one.
    state = ffi.new("pg_rng *")
    lib.pg_rng_seed(state, 0)
    for i in range(4):
        state.counter[i] = 2**64 - 1
    wanted = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert [lib.pg_rng_bits(state) for _ in range(4)] == wanted


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_uniform_numbers_are_the_high_53_bits_scaled(seed):
    low, high = -1.5, 2.25
    wanted = [low + (high - low) * unit(w) for w in words(seed, 101)]
    assert Generator(seed).uniform(low, high, 101) == wanted
    assert Generator(seed).uniform(0.0, 1.0, 101) == [unit(w) for w in words(seed, 101)]


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_normal_numbers_are_box_and_mullers(seed):
    mean, std = 0.5, 3.0
    raw = words(seed, 200)
    wanted = [
        mean + std * (math.sqrt(-2.0 * math.log(1.0 - unit(u))) * math.cos(2.0 * math.pi * unit(v)))
        for u, v in zip(raw[::2], raw[1::2], strict=True)
    ]
    # The two may contract or order the products otherwise: a few roundings of numbers under 20.
    assert Generator(seed).normal(mean, std, 100) == pytest.approx(wanted, rel=8 * EPS, abs=64 * EPS)


def test_a_generator_goes_on_where_it_stopped_and_can_be_shared():
    whole = Generator(5).uniform(0, 1, 10)
    pieces = Generator(5)
    shared = Generator(pieces)
    assert pieces.uniform(0, 1, 3) + shared.uniform(0, 1, 4) + pieces.uniform(0, 1, 3) == whole
    assert Generator(5).uniform(0, 1, 0) == []


def test_no_seed_takes_one_from_python():
    random.seed(123)
    first, second = Generator().uniform(0, 1, 5), Generator(None).uniform(0, 1, 5)
    assert first != second
    random.seed(123)
    assert Generator().uniform(0, 1, 5) == first
    random.seed(123)
    assert Generator(random.getrandbits(64)).uniform(0, 1, 5) == first


def test_seeds_of_numpy_are_integers_too():
    for seed in (np.int64(9), np.uint64(9), np.int32(9)):
        assert Generator(seed).uniform(0, 1, 3) == Generator(9).uniform(0, 1, 3)


@pytest.mark.parametrize("seed", [-1, 2**64, 10**30])
def test_seed_out_of_range_is_a_value_error_that_names_it(seed):
    with pytest.raises(ValueError, match=f"seed.*{seed}"):
        Generator(seed)


@pytest.mark.parametrize("seed", ["x", 1.5, [1], 1j])
def test_seed_that_is_no_integer_is_a_type_error(seed):
    with pytest.raises(TypeError):
        Generator(seed)


def test_moments_are_those_of_the_distributions():
    # 200,000 numbers from seed 0: each bound is four standard deviations of the estimate.
    n = 200_000
    u = np.array(Generator(0).uniform(0, 1, n))
    assert 0 <= u.min() and u.max() < 1
    assert abs(u.mean() - 0.5) < 4 * math.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 4 * math.sqrt(1 / 180 / n)
    z = np.array(Generator(0).normal(0, 1, n))
    assert abs(z.mean()) < 4 / math.sqrt(n)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 4 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / n)
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 4 / math.sqrt(n)
