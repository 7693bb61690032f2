"""Python data become arrays: PyTorch's dtypes, any layout, and errors that say what was given."""

from __future__ import annotations

import ctypes
import decimal
import enum
import fractions
import math
import random
import warnings
from array import array
from collections import UserList, deque

import numpy as np
import pytest

from pygrad import dtypes
from pygrad._from_python import DataError, NumberRangeError, array_from

SIX = [kind.name for kind in dtypes.BY_CODE]


@pytest.fixture(autouse=True)
def _default_dtype():
    before = dtypes.get_default_dtype()
    yield
    dtypes.set_default_dtype(before)


class Arrayish:
    """What pandas and others offer."""

    def __init__(self, inner):
        self.inner = inner

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.inner, dtype=dtype)


class NeedsDetach(Arrayish):
    """What a tensor that requires a gradient does."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("detach first")

    def detach(self):
        return Arrayish(self.inner)


class Colour(enum.IntEnum):
    RED = 2


def check(got, dtype, expected):
    """`got` is new and well laid out, with the dtype and the values of the reference, which is made by numpy."""
    reference = np.array(expected, dtype=dtype)
    assert got.dtype == np.dtype(dtype) and got.dtype.isnative
    assert got.shape == reference.shape
    assert got.flags.c_contiguous and got.flags.aligned and got.flags.writeable
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, reference)


INFERRED = [
    (1.5, "float32", 1.5),
    (2, "int64", 2),
    (True, "bool", True),
    ([1.0, 2.0], "float32", [1, 2]),
    ((1.0, 2.0), "float32", [1, 2]),
    ([1, 2], "int64", [1, 2]),
    ([True, False], "bool", [1, 0]),
    ([True, 2], "int64", [1, 2]),
    ([True, 0.5], "float32", [1, 0.5]),
    ([1, 2.5], "float32", [1, 2.5]),
    ([2.5, 1], "float32", [2.5, 1]),
    ([[1, 2], (3, 4)], "int64", [[1, 2], [3, 4]]),
    ([[[1.0]], [[2.0]]], "float32", [[[1]], [[2]]]),
    ([], "float32", []),
    ([[], []], "float32", np.zeros((2, 0))),
    ([[[]]], "float32", np.zeros((1, 1, 0))),
    (np.float64(1.5), "float64", 1.5),
    (np.int32(3), "int32", 3),
    ([np.float64(1.5)], "float64", [1.5]),
    ([np.float64(1.5), 2.5], "float64", [1.5, 2.5]),
    ([np.float32(1.5), 2.5], "float32", [1.5, 2.5]),
    ([np.float32(1.5), np.int32(2)], "float32", [1.5, 2]),
    ([np.int32(1), np.uint8(2)], "int32", [1, 2]),
    ([np.int32(1), 2], "int64", [1, 2]),
    ([np.uint8(1), True], "uint8", [1, 1]),
    ([np.True_, False], "bool", [1, 0]),
    ([1.0, np.array(2.0)], "float64", [1, 2]),
    ([np.array(2.0)], "float64", [2]),
    ([np.array([1.0, 2.0]), [3, 4]], "float64", [[1, 2], [3, 4]]),
    ([[3, 4], np.array([1.0, 2.0], "float32")], "float32", [[3, 4], [1, 2]]),
    ([[np.array([1, 2], "uint8")], [[3, True]]], "int64", [[[1, 2]], [[3, 1]]]),
    (np.array([1.0, 2.0]), "float64", [1, 2]),
    (range(3), "int64", [0, 1, 2]),
    ([range(2), range(2, 4)], "int64", [[0, 1], [2, 3]]),
    (deque([1, 2]), "int64", [1, 2]),
    (UserList([[1.0], [2.0]]), "float32", [[1], [2]]),
    (array("d", [1.0]), "float32", [1]),
    (array("b", [-1, 2]), "int64", [-1, 2]),
    (bytearray(b"ab"), "int64", [97, 98]),
    (memoryview(np.array([[1.0, 2.0]])), "float32", [[1, 2]]),
    (memoryview(np.array([1, 2], ">i2")), "int64", [1, 2]),
    ((ctypes.c_double * 2)(1.0, 2.0), "float32", [1, 2]),
    (Arrayish([1.0, 2.0]), "float64", [1, 2]),
    ([Arrayish(1.0), NeedsDetach(2.0)], "float64", [1, 2]),
    ([Colour.RED], "int64", [2]),
    (Colour.RED, "int64", 2),
    ([2**70, 1.5], "float32", [2**70, 1.5]),
    ([1e300, -1e300], "float32", [math.inf, -math.inf]),
    ([math.nan, math.inf, -0.0], "float32", [math.nan, math.inf, -0.0]),
    ([2**63 - 1, -(2**63)], "int64", [2**63 - 1, -(2**63)]),
]


@pytest.mark.parametrize(("data", "dtype", "expected"), INFERRED, ids=lambda x: repr(x)[:40])
def test_the_dtype_follows_from_the_data(data, dtype, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(array_from(data), dtype, expected)


def test_python_floats_follow_the_default_dtype():
    dtypes.set_default_dtype("float64")
    for data in ([0.1, 0.2], [[0.1], [2]], 0.1, [], [0.1, np.float32(2.0)]):
        assert array_from(data).dtype == np.float64
    assert array_from([0.1])[0] == 0.1
    assert array_from([np.float32(0.1)]).dtype == np.float32


@pytest.mark.parametrize("dtype", SIX)
@pytest.mark.parametrize(
    "data", [[0, 1, 2], [0.0, 1.0, 2.0], [False, True], [[1, 0.0]], np.arange(3.0), [np.arange(2)]]
)
def test_a_dtype_that_is_asked_for_is_given(data, dtype):
    check(array_from(data, dtypes.as_dtype(dtype)), dtype, np.array(data))


def test_arrays_are_converted_as_in_c_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(array_from(np.array([1e300, -1e300, 1.5]), dtypes.float32), "float32", [math.inf, -math.inf, 1.5])
        check(array_from(np.array([1.7, -1.7]), dtypes.int64), "int64", [1, -1])
        check(array_from(np.array([300, -1]), dtypes.uint8), "uint8", [44, 255])
        assert array_from(np.array([math.nan]), dtypes.int64).shape == (1,)


def test_conversion_of_numbers_truncates_and_booleans_are_truth():
    check(array_from([1.7, -1.7], dtypes.int64), "int64", [1, -1])
    check(array_from([255.9, 2], dtypes.uint8), "uint8", [255, 2])
    check(array_from([2**60 + 1, 1.5], dtypes.int64), "int64", np.array([2**60 + 1, 1]))
    check(array_from([2, 0.5, 0, math.nan, 2**70], dtypes.bool), "bool", [1, 1, 0, 1, 1])


@pytest.mark.parametrize("name", ["int8", "int16", "uint16", "uint32", "uint64", "float16"])
def test_other_real_arrays_are_converted_when_a_dtype_is_asked_for(name):
    check(array_from(np.arange(3, dtype=name), dtypes.float32), "float32", [0, 1, 2])
    check(array_from([np.arange(3, dtype=name)], dtypes.int64), "int64", [[0, 1, 2]])


@pytest.mark.parametrize("dtype", SIX)
def test_any_layout_comes_out_in_one(dtype):
    base = (np.arange(24) % 5).reshape(2, 3, 4).astype(dtype)
    misaligned = np.frombuffer(b"x" + base.tobytes(), dtype=np.uint8)[1:].view(dtype).reshape(base.shape)
    frozen = base.copy()
    frozen.flags.writeable = False
    layouts = [
        base,
        np.asfortranarray(base),
        base[::-1, :, ::-1],
        base.transpose(2, 0, 1),
        base[:, 1:2, ::2],
        np.broadcast_to(base[:1], base.shape),
        misaligned,
        frozen,
        base.astype(base.dtype.newbyteorder("S")),
        base[:, :0],
        base[0, 0, 0],
        base[0, 0, 0:1].reshape(()),
        base.view(np.recarray),
        np.ma.masked_array(base, mask=base > 2),
    ]
    for layout in layouts:
        got = array_from(layout)
        check(got, dtype, np.asarray(layout))
        assert not np.shares_memory(got, layout)


def test_a_list_of_arrays_is_copied():
    row = np.ones(2)
    got = array_from([row])
    got[:] = 5
    assert row.tolist() == [1, 1]


@pytest.mark.parametrize("name", ["float16", "int8", "int16", "uint16", "uint32", "uint64", "longdouble"])
def test_other_real_dtypes_are_refused_by_name(name):
    for data in (np.zeros(2, name), [np.zeros(2, name)], np.dtype(name).type(0), [np.dtype(name).type(0)]):
        with pytest.raises(TypeError, match=f"{np.dtype(name).name}.*{dtypes.VALID}.*dtype="):
            array_from(data)


@pytest.mark.parametrize("dtype", [None, dtypes.float32, dtypes.int64, dtypes.bool])
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (np.zeros(2, complex), "complex128"),
        (np.array([1, "a"], object), "object"),
        (np.array([1.0], object), "object"),
        (np.array(["a"]), "<U1"),
        (np.array([b"a"]), "S1"),
        (np.array(["2020-01-01"], "M8[D]"), r"datetime64\[D\]"),
        (np.array([1], "m8[s]"), r"timedelta64\[s\]"),
        (np.zeros(1, [("a", "f4")]), "'a'"),
    ],
)
def test_arrays_of_no_real_numbers_are_refused_whatever_is_asked_for(data, name, dtype):
    for given in (data, [data], Arrayish(data)):
        with pytest.raises(TypeError, match=f"{name}.*{dtypes.VALID}"):
            array_from(given, dtype)


@pytest.mark.parametrize("dtype", [None, dtypes.float32, dtypes.int64, dtypes.bool])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("12", "text: '12'"),
        (b"12", "text: b'12'"),
        ("", "text: ''"),
        (None, "NoneType"),
        (1j, "complex"),
        (fractions.Fraction(1, 2), "Fraction"),
        (decimal.Decimal(1), "Decimal"),
        ({1: 2}, "dict"),
        ({1}, "set"),
        ((i for i in [1]), "generator"),
        (object(), "an object"),
        (float, "type"),
        (memoryview(np.zeros(1, complex)), "memoryview of complex128"),
    ],
    ids=lambda x: str(x)[:20],
)
def test_what_is_no_number_is_refused_by_name(data, said, dtype):
    for given in (data, [data], [1.0, data], [[1.0, 2.0], [3.0, data]], (data,)):
        with pytest.raises(DataError, match=said):
            array_from(given, dtype)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[1, 2], [1]], r"length 2 at dim 1 \(got 1\)"),
        ([[1], [1, 2]], r"length 1 at dim 1 \(got 2\)"),
        ([[[1], [1]], [[1], []]], r"length 1 at dim 2 \(got 0\)"),
        ([[], [1]], r"length 0 at dim 1 \(got 1\)"),
        ([[1.0, 2.0], np.zeros(3)], r"length 2 at dim 1 \(got 3\)"),
        ([np.zeros((2, 3)), [[1, 2], [1, 2]]], r"length 3 at dim 2 \(got 2\)"),
        ([range(2), range(3)], r"length 2 at dim 1 \(got 3\)"),
    ],
)
def test_ragged_lists_are_value_errors_that_say_where(data, said):
    with pytest.raises(ValueError, match="expected sequence of " + said):
        array_from(data)


@pytest.mark.parametrize(
    "data", [[1, [2]], [[1], 2], [[1], [[2]]], [1.0, np.zeros(2)], [np.zeros(2), 1.0], [1, range(2)]]
)
def test_a_number_beside_a_sequence_is_a_type_error(data):
    with pytest.raises(DataError, match="stands beside"):
        array_from(data)


def nested(depth, leaf=1.0, wrap=lambda x: [x]):
    for _ in range(depth):
        leaf = wrap(leaf)
    return leaf


def test_eight_dimensions_are_the_most():
    for wrap in (lambda x: [x], lambda x: UserList([x]), lambda x: (x,)):
        assert array_from(nested(8, wrap=wrap)).shape == (1,) * 8
        for depth in (9, 10_000):
            with pytest.raises(ValueError, match="at most 8 dimensions"):
                array_from(nested(depth, wrap=wrap))
    assert array_from([np.zeros((1,) * 7)]).ndim == 8
    nine = (1,) * 9
    for data in (np.zeros(nine), [np.zeros(nine[1:])], nested(5, np.zeros(nine[:4])), memoryview(np.zeros(nine))):
        with pytest.raises(ValueError, match="at most 8 dimensions"):
            array_from(data)


def test_lists_inside_themselves_do_not_hang():
    alone = []
    alone.append(alone)
    wide = []
    wide.extend([wide] * 1000)
    beside = [[1.0, 2.0]]
    beside.append(beside)
    late = [np.zeros(2)]
    late.extend([late] * 1000)
    empty = [[]]
    empty.extend([empty] * 1000)
    queue = deque()
    queue.extend([queue] * 1000)
    mutual, other = [1.0], [2.0]
    mutual.append(other)
    other.append(mutual)
    for data in (alone, wide, beside, late, empty, queue, mutual):
        with pytest.raises((ValueError, DataError)):
            array_from(data)


def test_a_list_that_repeats_itself_beyond_all_memory_is_refused():
    data = [1.0] * 1000
    for _ in range(7):
        data = [data] * 1000
    with pytest.raises(ValueError, match=f"{1000**8} numbers"):
        array_from(data)


@pytest.mark.parametrize(
    ("data", "dtype", "said"),
    [
        ([2**63], None, f"{2**63} does not fit int64"),
        ([1, -(2**63) - 1], None, f"{-(2**63) - 1} does not fit int64"),
        ([2**63, -1], None, f"{2**63} does not fit int64"),
        (2**63, None, f"{2**63} does not fit int64"),
        ([10**400], None, "0 does not fit int64"),
        ([2**31], dtypes.int32, f"{2**31} does not fit int32"),
        ([1, 300], dtypes.uint8, "300 does not fit uint8"),
        ([-1], dtypes.uint8, "-1 does not fit uint8"),
        ([1e10], dtypes.int32, "10000000000.0 does not fit int32"),
        ([2.0**63], dtypes.int64, "does not fit int64"),
        ([math.nan], dtypes.int64, "nan does not fit int64"),
        ([0.5, -math.inf], dtypes.uint8, "-inf does not fit uint8"),
        ([[np.int64(300)]], dtypes.uint8, "300 does not fit uint8"),
    ],
)
def test_numbers_out_of_range_are_overflow_errors_that_name_them(data, dtype, said):
    with pytest.raises(NumberRangeError, match=said):
        array_from(data, dtype)


@pytest.mark.parametrize("dtype", [dtypes.float32, dtypes.float64])
def test_an_int_beyond_all_floats_is_an_overflow_error(dtype):
    with pytest.raises(OverflowError):
        array_from([10**400], dtype)


def test_errors_serve_the_habits_of_torch_numpy_and_python():
    assert issubclass(DataError, TypeError) and issubclass(DataError, RuntimeError)
    assert all(issubclass(NumberRangeError, base) for base in (OverflowError, ValueError, RuntimeError))


def _comparable():
    """Data that both take: INFERRED without what PyTorch refuses or reads as the data of something else."""
    refused = (Arrayish, NeedsDetach, memoryview, ctypes.Array)
    for data, _, _ in INFERRED:
        parts = data if isinstance(data, list) else [data]
        zero_dim = [part for part in parts if isinstance(part, np.ndarray) and part.ndim == 0]
        if not any(isinstance(part, refused) for part in parts) and parts[:1] != zero_dim[:1]:
            yield data


def _random_data(rng):
    """A nested list of random depth, sizes and kinds of numbers."""
    kinds = rng.choices(
        [
            lambda: rng.uniform(-10, 10),
            lambda: rng.randrange(-100, 100),
            lambda: rng.random() < 0.5,
            lambda: np.float32(rng.uniform(-10, 10)),
            lambda: np.float64(rng.uniform(-10, 10)),
            lambda: np.int32(rng.randrange(100)),
            lambda: np.int64(rng.randrange(100)),
            lambda: np.uint8(rng.randrange(100)),
        ],
        k=rng.choice([1, 1, 2, 3]),
    )

    def build(shape):
        if not shape:
            return rng.choice(kinds)()
        return rng.choice([list, tuple])([build(shape[1:]) for _ in range(shape[0])])

    return build([rng.randrange(1, 4) for _ in range(rng.randrange(5))])


def _same_as_torch(data, torch, **dtype):
    theirs = torch.tensor(data, **{key: getattr(torch, name) for key, name in dtype.items()}).numpy()
    ours = array_from(data, **{key: dtypes.as_dtype(name) for key, name in dtype.items()})
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_torch_makes_the_same_of_the_same_data():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lists of arrays, which it finds slow
        for data in _comparable():
            _same_as_torch(data, torch)
        rng = random.Random(4301)
        for _ in range(500):
            data = _random_data(rng)
            _same_as_torch(data, torch)
            _same_as_torch(data, torch, dtype=rng.choice(["float32", "float64"]))


def test_torch_tensors_are_read_too():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    check(array_from(torch.tensor([[1.0, 2.0]], requires_grad=True)), "float32", [[1, 2]])
    check(array_from([torch.tensor(1.0), torch.tensor(2)]), "float32", [1, 2])
