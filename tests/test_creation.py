"""Tensors from data and of regular numbers: against numpy, written formulas, and PyTorch where it is installed."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

import pygrad
from pygrad import creation, dtypes, sampling

DTYPES = dtypes.BY_CODE
FLOATS = [kind for kind in DTYPES if kind.is_floating_point]
NUMBERS = DTYPES[1:]


def array(t):
    return t.detach().numpy()


def same(t, wanted):
    """Whether a tensor has the shape, dtype and elements of an array, bit for bit."""
    got = array(t)
    return got.shape == wanted.shape and got.dtype == wanted.dtype and got.tobytes() == wanted.tobytes()


# ---- one number --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("size", [(), (0,), (3,), (2, 0, 4), (2, 3), (1, 1, 2, 1, 1, 1, 1, 3)])
def test_zeros_ones_and_full_hold_one_number(kind, size):
    assert same(creation.zeros(size, dtype=kind), np.zeros(size, kind.numpy))
    assert same(creation.ones(size, dtype=kind), np.ones(size, kind.numpy))
    assert same(creation.full(size, 1, dtype=kind), np.ones(size, kind.numpy))
    assert creation.empty(size, dtype=kind).shape == size


@pytest.mark.parametrize("make", [creation.zeros, creation.ones, creation.empty])
def test_sizes_come_one_by_one_as_a_sequence_or_by_keyword(make):
    for t in (make(2, 3), make((2, 3)), make([2, 3]), make(size=(2, 3)), make(np.int64(2), np.int32(3))):
        assert tuple(t.shape) == (2, 3)
        assert t.dtype is dtypes.float32
    assert tuple(make(4).shape) == (4,)
    assert tuple(make(()).shape) == ()


@pytest.mark.parametrize("make", [creation.zeros, creation.ones, creation.empty])
@pytest.mark.parametrize(
    ("args", "error"),
    [
        ((), TypeError),
        ((2.0,), TypeError),
        (("2",), TypeError),
        (([2], 3), TypeError),
        ((None,), TypeError),
        ((-1,), RuntimeError),
        ((2, -3), RuntimeError),
        ((2**40, 2**40), RuntimeError),
        ((0, 2**62, 2**62), RuntimeError),
        ((1,) * 9, (RuntimeError, ValueError, TypeError)),
        ((2**70,), (RuntimeError, OverflowError, TypeError)),
    ],
)
def test_sizes_that_are_none_are_refused(make, args, error):
    with pytest.raises(error):
        make(*args)


@pytest.mark.skipif("PYGRAD_SANITIZE" in os.environ, reason="AddressSanitizer ends the process at such a request")
def test_a_size_that_memory_cannot_hold_is_refused():
    with pytest.raises((MemoryError, RuntimeError)):
        creation.empty(2**46)


def test_size_is_given_once():
    with pytest.raises(TypeError, match="several values"):
        creation.zeros(2, size=(2,))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, dtypes.bool), (3, dtypes.int64), (2.5, dtypes.float32), (np.float64(2.5), dtypes.float32)],
)
def test_full_takes_its_dtype_from_the_number(value, kind):
    t = creation.full((2,), value)
    assert t.dtype is kind
    assert t.tolist() == [value, value]


def test_full_keeps_integers_that_no_double_holds():
    assert creation.full((1,), 2**62 + 1).item() == 2**62 + 1
    assert creation.full((1,), -(2**63)).item() == -(2**63)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (300, "uint8"),
        (-1, "uint8"),
        (2**31, "int32"),
        (2**63, None),
        (10**400, "float32"),
        (math.nan, "int64"),
        (math.inf, "int32"),
        (1e300, "float32"),
    ],
)
def test_numbers_that_the_dtype_cannot_hold_are_refused(value, kind):
    with pytest.raises(RuntimeError, match="does not fit") as caught:
        creation.full((2,), value, dtype=kind)
    assert isinstance(caught.value, OverflowError)


def test_full_of_infinity_and_nan_in_floats_and_bool():
    assert creation.full((1,), math.inf).item() == math.inf
    assert math.isnan(creation.full((1,), math.nan, dtype="float64").item())
    assert creation.full((1,), math.nan, dtype="bool").item() is True
    assert creation.full((1,), 2.7, dtype="int64").item() == 2


def test_like_takes_shape_and_dtype_of_the_other():
    for kind in DTYPES:
        other = creation.ones(2, 3, dtype=kind)
        assert same(creation.zeros_like(other), np.zeros((2, 3), kind.numpy))
        assert same(creation.ones_like(other), np.ones((2, 3), kind.numpy))
        assert same(creation.full_like(other, 1), np.ones((2, 3), kind.numpy))
        assert creation.empty_like(other).dtype is kind
    assert creation.zeros_like(creation.ones(2, requires_grad=True)).requires_grad is False
    assert creation.zeros_like(other, dtype="int32").dtype is dtypes.int32
    with pytest.raises(TypeError, match="zeros_like"):
        creation.zeros_like([1.0])


@pytest.mark.parametrize(("n", "m"), [(0, 0), (1, None), (3, None), (2, 5), (5, 2), (0, 3)])
@pytest.mark.parametrize("kind", DTYPES)
def test_eye_has_ones_on_the_diagonal(n, m, kind):
    assert same(creation.eye(n, m, dtype=kind), np.eye(n, m, dtype=kind.numpy))


def test_eye_refuses_negative_sizes():
    with pytest.raises(RuntimeError):
        creation.eye(-1)


# ---- requires_grad -----------------------------------------------------------------------------------------------

MAKERS = {
    "zeros": lambda **k: creation.zeros(2, **k),
    "ones": lambda **k: creation.ones(2, **k),
    "empty": lambda **k: creation.empty(2, **k),
    "full": lambda **k: creation.full((2,), 1.0, **k),
    "eye": lambda **k: creation.eye(2, **k),
    "arange": lambda **k: creation.arange(2.0, **k),
    "linspace": lambda **k: creation.linspace(0, 1, 3, **k),
    "tensor": lambda **k: creation.tensor([1.0, 2.0], **k),
    "ones_like": lambda **k: creation.ones_like(creation.zeros(2), **k),
    "Tensor": lambda **k: pygrad.Tensor([1, 2], **k),
}


@pytest.mark.parametrize("name", MAKERS)
def test_requires_grad_makes_a_leaf(name):
    t = MAKERS[name](requires_grad=True)
    assert t.requires_grad
    assert t.is_leaf
    assert t.grad_fn is None
    assert MAKERS[name]().requires_grad is False


def test_integers_have_no_gradient():
    with pytest.raises(RuntimeError, match="floating point"):
        creation.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="floating point"):
        creation.zeros(2, dtype="int64", requires_grad=True)


# ---- ranges ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args", [(0,), (5,), (2, 7), (2, 7, 3), (7, 2, -2), (-5, 5, 3), (3, 3), (3, 3, -1), (10**12, 10**12 + 3)]
)
def test_arange_of_ints_is_pythons_range(args):
    t = creation.arange(*args)
    assert t.dtype is dtypes.int64
    assert t.tolist() == list(range(*args))


def test_arange_reaches_the_ends_of_int64():
    low, high = -(2**63), 2**63 - 1
    assert creation.arange(low, high, 2**62).tolist() == list(range(low, high, 2**62))
    assert creation.arange(high, low, low).tolist() == [high, -1]


@pytest.mark.parametrize(
    "args", [(0, 1, 0.1), (0, 10, 0.1), (-3, 5, 0.37), (1, 0, -0.25), (0.5,), (1.0, 1.0), (0, 1e6, 7.3)]
)
def test_arange_of_floats_is_computed_from_the_index_in_double(args):
    start, end, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3]
    n = math.ceil((end - start) / step)
    wanted = start + step * np.arange(n, dtype=np.float64)
    assert same(creation.arange(*args), wanted.astype(np.float32))
    assert same(creation.arange(*args, dtype="float64"), wanted)


def test_arange_takes_keywords_numpy_numbers_and_tensors():
    assert creation.arange(start=1, end=7, step=2).tolist() == [1, 3, 5]
    assert creation.arange(end=3).tolist() == [0, 1, 2]
    assert creation.arange(np.int32(3)).dtype is dtypes.int64
    assert creation.arange(np.float32(3)).dtype is dtypes.float32
    assert creation.arange(creation.tensor(3)).tolist() == [0, 1, 2]
    assert creation.arange(0, 5.5, 1.5, dtype="int64").tolist() == [0, 1, 2, 3, 4]
    for kind in NUMBERS:
        assert same(creation.arange(4, dtype=kind), np.arange(4, dtype=kind.numpy))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((3, 1), "bounds? .* inconsistent"),
        ((1, 3, -1), "bounds? .* inconsistent"),
        ((1.0, 3.0, -1), "bounds? .* inconsistent"),
        ((1, 3, 0), "nonzero"),
        ((1, 3, 0.0), "nonzero"),
        ((1.0, 3, math.nan), "nonzero"),
        ((0, math.inf), "unsupported range"),
        ((math.nan, 3), "unsupported range"),
    ],
)
def test_ranges_that_never_arrive_are_refused(args, text):
    with pytest.raises((RuntimeError, ValueError), match=text):
        creation.arange(*args)


@pytest.mark.parametrize("args", [(0, 1e300, 1e-10), (0, 1, 1e-300), (-(2**63), 2**63 - 1)])
def test_ranges_of_too_many_numbers_are_refused(args):
    with pytest.raises((RuntimeError, MemoryError)):
        creation.arange(*args)


def test_ranges_that_a_dtype_cannot_hold_are_refused():
    with pytest.raises((RuntimeError, ValueError), match="does not fit uint8"):
        creation.arange(300, dtype="uint8")
    with pytest.raises((RuntimeError, OverflowError)):
        creation.arange(2**63, 2**63 + 4)
    for call in (lambda: creation.arange(2, dtype="bool"), lambda: creation.linspace(0, 1, 2, dtype="bool")):
        with pytest.raises((RuntimeError, TypeError), match="bool"):
            call()


@pytest.mark.parametrize("args", [(), ("3",), (None, None, 2), ([3],)])
def test_arange_takes_numbers_only(args):
    with pytest.raises(TypeError):
        creation.arange(*args)


@pytest.mark.parametrize("ends", [(0, 1), (-1, 1), (5, -3), (0.1, 0.7), (2, 2), (-1e10, 3)])
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 101, 1000])
def test_linspace_is_within_rounding_of_the_exact_points(ends, steps):
    for kind in FLOATS:
        start, end = (float(kind.numpy.type(x)) for x in ends)
        t = array(creation.linspace(*ends, steps, dtype=kind))
        exact = np.linspace(np.longdouble(start), np.longdouble(end), steps)
        assert t.shape == (steps,)
        # Half a unit for the step, up to steps/2 times over, and one for the sum.
        tolerance = np.finfo(kind.numpy).eps * (abs(end - start) + max(abs(start), abs(end)))
        assert np.abs(t - exact).max() <= tolerance
        assert t[0] == start
        assert steps == 1 or t[-1] == end


@pytest.mark.parametrize("steps", [2, 3, 7, 100, 101])
@pytest.mark.parametrize("kind", FLOATS)
def test_linspace_around_zero_is_symmetric(steps, kind):
    t = array(creation.linspace(-0.7, 0.7, steps, dtype=kind))
    # The middle of an odd number belongs to the second half, and may miss 0 by a rounding.
    outer = np.arange(steps) != steps // 2 if steps % 2 else np.ones(steps, bool)
    assert np.array_equal(t[outer], -t[::-1][outer])


def test_linspace_of_integers_rounds_towards_zero():
    assert creation.linspace(1, 10, 4, dtype="int64").tolist() == [1, 4, 7, 10]
    assert creation.linspace(0, -7, 4, dtype="int32").tolist() == [0, -2, -4, -7]
    assert creation.linspace(0, 255, 2, dtype="uint8").tolist() == [0, 255]


def test_linspace_counts_its_steps():
    assert creation.linspace(3, 4, 0).tolist() == []
    assert creation.linspace(3, 4, 1).tolist() == [3.0]
    with pytest.raises((RuntimeError, ValueError), match="non-negative"):
        creation.linspace(0, 1, -1)
    with pytest.raises(TypeError):
        creation.linspace(0, 1, 5.0)
    with pytest.raises((RuntimeError, ValueError)):
        creation.linspace(0, 300, 5, dtype="uint8")


# ---- from data ---------------------------------------------------------------------------------------------------


def test_tensor_follows_the_data():
    assert creation.tensor([1, 2]).dtype is dtypes.int64
    assert creation.tensor([1.0]).dtype is dtypes.float32
    assert creation.tensor(True).dtype is dtypes.bool
    assert creation.tensor(np.zeros(2)).dtype is dtypes.float64
    assert creation.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert creation.tensor([1, 2], dtype="float64").dtype is dtypes.float64
    assert creation.tensor([]).shape == (0,)
    assert creation.tensor(5).shape == ()


def test_tensor_copies():
    a = np.zeros(3)
    t = creation.tensor(a)
    a[0] = 1.0
    assert t.tolist() == [0.0, 0.0, 0.0]
    u = creation.tensor(t)
    array(t)[1] = 2.0
    assert u.tolist() == [0.0, 0.0, 0.0]


def test_tensor_of_a_tensor_has_no_history():
    x = creation.ones(2, requires_grad=True)
    t = creation.tensor(x * 2)
    assert t.is_leaf
    assert not t.requires_grad
    assert t.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "view", [lambda a: a[::-1], lambda a: a.T, lambda a: a[:, ::2], lambda a: a.astype(">f8"), np.asfortranarray]
)
def test_tensor_takes_any_layout(view):
    a = view(np.arange(12.0).reshape(3, 4))
    assert creation.tensor(a).tolist() == a.tolist()


@pytest.mark.parametrize("data", ["12", [1, "2"], None, {1: 2}, object(), [[1], 2], 1j])
def test_what_is_no_number_is_a_type_error(data):
    with pytest.raises(TypeError):
        creation.tensor(data)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="expected sequence of length 2 at dim 1"):
        creation.tensor([[1, 2], [3]])


def test_constructor_makes_the_default_dtype():
    for data in ([1, 2], np.array([1, 2]), (True, 2), np.arange(1.0, 3.0)):
        t = pygrad.Tensor(data)
        assert t.dtype is dtypes.float32
        assert t.tolist() == [1.0, 2.0]
    assert pygrad.Tensor().shape == (0,)
    assert pygrad.Tensor(3).item() == 3.0
    assert pygrad.Tensor([1], dtype="int32").dtype is dtypes.int32


def test_as_tensor_returns_what_is_one_already():
    t = creation.ones(2, requires_grad=True)
    assert creation.as_tensor(t) is t
    assert creation.as_tensor(t, dtype="float32") is t
    assert creation.as_tensor(t, dtype="float64").dtype is dtypes.float64
    assert creation.asarray([1.0]).tolist() == [1.0]


def test_as_tensor_shares_arrays_where_it_can_and_copies_where_not():
    a = np.zeros(4)
    creation.as_tensor(a).numpy()[0] = 1.0
    assert a[0] == 1.0
    frozen = np.zeros(4)
    frozen.flags.writeable = False
    for array_ in (a[::-1], a.astype(">f8"), frozen, np.broadcast_to(1.0, (3,))):
        t = creation.as_tensor(array_)
        assert t.tolist() == array_.tolist()
        t.numpy()[0] = 9.0
    assert a.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert not frozen.any()
    assert creation.as_tensor(a, dtype="float32").dtype is dtypes.float32


# ---- against PyTorch ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.linspace(0, 1, 11),
        lambda m: m.linspace(-1, 1, 101),
        lambda m: m.linspace(0, 10, 1000),
        lambda m: m.linspace(3, 7.3, 17),
        lambda m: m.linspace(-5, 5, 7),
        lambda m: m.linspace(1, 10, 4, dtype=m.int64),
        lambda m: m.linspace(0, -7, 4, dtype=m.int32),
        lambda m: m.linspace(-3.3, 200.7, 9, dtype=m.int32),
        lambda m: m.arange(0, 1, 0.1),
        lambda m: m.arange(5, 1, -2),
        lambda m: m.arange(0, 5.5, 1.5, dtype=m.int64),
        lambda m: m.arange(True),
        lambda m: m.arange(-3, 5, 0.37),
        lambda m: m.eye(3, 2),
        lambda m: m.full((2,), 2.7, dtype=m.int64),
        lambda m: m.full((2,), True),
        lambda m: m.full((), 3),
        lambda m: m.zeros(2, 0),
    ],
)
def test_values_and_dtypes_are_pytorchs(call):
    torch = pytest.importorskip("torch")
    wanted = call(torch).numpy()
    assert same(call(_Ours), wanted)


class _Ours:
    linspace, arange, eye, full, zeros = map(
        staticmethod, (creation.linspace, creation.arange, creation.eye, creation.full, creation.zeros)
    )
    int32, int64 = dtypes.int32, dtypes.int64


@pytest.mark.parametrize(("start", "end", "step"), [(0, 10, 0.1), (0, 1000, 0.7), (-7, 3, 1e-3)])
def test_arange_in_float32_is_within_a_rounding_of_pytorchs(start, end, step):
    torch = pytest.importorskip("torch")
    theirs, ours = torch.arange(start, end, step).numpy(), array(creation.arange(start, end, step))
    assert theirs.shape == ours.shape
    # It rounds the first number of each vector and then each number, both within half a unit of the largest.
    assert np.abs(theirs.astype(np.float64) - ours).max() <= np.spacing(np.float32(max(abs(start), abs(end))))


def test_public_names_are_in_the_package():
    for module in (creation, sampling):
        for name in module.__all__:
            assert getattr(pygrad, name) is getattr(module, name)
