"""Numbers that backward needs, overwritten through an array of their memory: an error, never a wrong gradient."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from tensor_backend import TORCH, leaf, pg

if TORCH:
    pytest.skip("PyTorch does not notice what is written through numpy", allow_module_level=True)

from pygrad._engine import lib

NOTICED = "modified by an inplace operation"


def product(x):
    """Return what saves x, and a function to go on from there."""
    return (x * x).sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 8, 9, 1000])
def test_write_between_forward_and_backward(n, dtype):
    """The first change of any single element is seen, wherever it is."""
    for at in {0, n // 2, n - 1}:
        x = leaf(np.linspace(1, 2, n), dtype)
        loss = product(x)
        x.detach().numpy()[at] *= -1
        with pytest.raises(RuntimeError, match="Mul.*" + NOTICED):
            loss.backward()
        assert x.grad is None


@pytest.mark.parametrize("changed", [lambda a: np.negative(a, out=a), lambda a: a.sort(), lambda a: a.fill(0)])
def test_changes_of_all_elements(changed):
    x = leaf(np.linspace(2, -1, 64))
    loss = product(x)
    changed(x.detach().numpy())
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_array_that_lives_on_or_is_gone(when, held):
    x = leaf([1.0, 2.0, 3.0])
    array = x.detach().numpy() if when == "before" else None
    loss = product(x)
    array = x.detach().numpy() if array is None else array
    array[1] = 5
    if not held:
        del array
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_looking_is_no_writing():
    x = leaf([1.0, 2.0, 3.0])
    array = x.detach().numpy()
    loss = product(x)
    assert array.sum() == 6
    other = np.asarray(x.detach())
    loss.backward(retain_graph=True)
    del array
    loss.backward(retain_graph=True)
    del other
    loss.backward()
    assert x.grad.tolist() == [6.0, 12.0, 18.0]


def test_writes_before_the_forward_pass_count_as_data():
    x = leaf([1.0, 2.0, 3.0])
    early = product(x)
    array = x.detach().numpy()
    array[0] = 10
    late = product(x)
    late.backward()
    assert x.grad.tolist() == [20.0, 4.0, 6.0]
    with pytest.raises(RuntimeError, match=NOTICED):
        early.backward()


def test_array_that_goes_takes_nothing_along():
    """What was saved after it was written is intact, what was saved before is not."""
    x = leaf([1.0, 2.0, 3.0])
    early = product(x)
    array = x.detach().numpy()
    array[0] = 10
    late = product(x)
    del array
    latest = product(x)
    (late + latest).backward()
    assert x.grad.tolist() == [40.0, 8.0, 12.0]
    with pytest.raises(RuntimeError, match=NOTICED):
        early.backward()


@pytest.mark.parametrize("far", range(1, 17))
def test_sign_of_one_and_a_bit_of_another(far):
    """Two changes of one bit each do not make up for each other: a sign here, and 2.0 that becomes 0.0 there."""
    for at in 0, 1:
        array = np.ones(32, dtype=np.float32)
        array[at + far] = 2
        x = pg.from_numpy(array).requires_grad_()
        loss = product(x)
        array[at] = -1
        array[at + far] = 0
        with pytest.raises(RuntimeError, match=NOTICED):
            loss.backward()


def test_own_change_beside_an_array():
    """The version tells of it, and what is saved afterwards is intact."""
    x = leaf([1.0, 2.0, 3.0])
    early = product(x)
    array = x.detach().numpy()
    with pg.no_grad():
        x.mul_(2)
    late = product(x)
    del array
    late.backward()
    assert x.grad.tolist() == [4.0, 8.0, 12.0]
    with pytest.raises(RuntimeError, match=NOTICED):
        early.backward()


def test_tensor_of_an_array():
    array = np.array([1.0, 2.0, 3.0])
    x = pg.from_numpy(array).requires_grad_()
    product(x).backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]
    loss = product(x)
    array[2] = 0
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_writes_elsewhere_in_a_shared_array_do_not_matter():
    array = np.arange(12.0).reshape(3, 4)
    part = pg.from_numpy(array)[1].detach().requires_grad_()
    loss = product(part)
    array[0] = array[2] = 7
    loss.backward()
    assert part.grad.tolist() == [8.0, 10.0, 12.0, 14.0]


@pytest.mark.parametrize("layout", [lambda t: t.T, lambda t: t[:, ::2], lambda t: t[::-1], lambda t: t[0].expand(2, 4)])
def test_layouts(layout):
    array = np.linspace(1, 2, 12).reshape(3, 4)
    w = leaf(np.ones(tuple(layout(pg.from_numpy(array)).shape)))
    for touched in False, True:
        loss = (layout(pg.from_numpy(array)) * w).sum()
        if touched:
            array[0, 2] += 1
            with pytest.raises(RuntimeError, match=NOTICED):
                loss.backward()
        else:
            loss.backward()


def test_what_is_not_needed_may_change():
    x = leaf([1.0, 2.0])
    y = x * 2
    loss = (y + 1).sum()
    y.detach().numpy()[0] = 100
    loss.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_other_libraries_through_dlpack():
    x = leaf([1.0, 2.0])
    loss = product(x)
    np.from_dlpack(x.detach())
    view = np.asarray(x.detach())
    loss.backward(retain_graph=True)
    view[0] = 3
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_nothing_is_left():
    def run():
        x = leaf(np.ones(100))
        loss = product(x)
        arrays = [x.detach().numpy() for _ in range(3)]
        loss.backward()
        del arrays[1]

    run()
    gc.collect()
    before = lib.pg_live_bytes() - lib.pg_cached_bytes()
    for _ in range(10):
        run()
    gc.collect()
    assert lib.pg_live_bytes() - lib.pg_cached_bytes() == before
