"""Random index expressions over random shapes and layouts, against numpy: values, shapes, sharing of memory, errors.

numpy and PyTorch differ in two rules, and pygrad follows PyTorch: an integer beside index arrays is applied before
them, where numpy takes it for one more index array; and dots that stand for no dimension do not separate index arrays.
`numpy_reads` therefore leaves such dots out, and lets numpy read in two steps.
"""

import math
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import pygrad

READS = 400 if "PYGRAD_SANITIZE" in os.environ else 4000
GRADIENTS = READS // 4
DTYPES = [np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_]


# ---- arrays and tensors of the same layout -------------------------------------------------------


def random_layout(rng: random.Random) -> tuple[tuple[int, ...], list[tuple[Any, ...]]]:
    """Return the shape of an array, and steps that turn it into another layout of its elements."""
    ndim = rng.choice([0, 1, 1, 2, 2, 2, 3, 3, 4])
    shape = tuple(rng.choice([0, 1, 2, 3, 3, 4, 5] if rng.random() < 0.3 else [1, 2, 3, 4, 5]) for _ in range(ndim))
    steps: list[tuple[Any, ...]] = []
    for _ in range(rng.randrange(3)):
        kind = rng.choice(["permute", "slice", "expand"])
        if kind == "permute":
            steps.append(("permute", rng.sample(range(ndim), ndim)))
        elif kind == "slice" and ndim > 0:
            steps.append(("slice", rng.randrange(ndim), rng.choice([2, -1, -2, 3])))
        elif kind == "expand" and ndim < 4:
            steps.append(("expand", rng.choice([0, 1, 2, 3])))
            ndim += 1
    return shape, steps


def lay_out(x: Any, steps: list[tuple[Any, ...]]) -> Any:
    for name, *arguments in steps:
        if name == "permute":
            x = x.transpose(arguments[0]) if isinstance(x, np.ndarray) else x.permute(arguments[0])
        elif name == "slice":
            x = x[(slice(None),) * arguments[0] + (slice(None, None, arguments[1]),)]
        else:
            shape = (arguments[0], *x.shape)
            x = np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else x.expand(shape)
    return x


# ---- index expressions ---------------------------------------------------------------------------


@dataclass
class Key:
    items: list[Any]  # for numpy: ints, slices, None, Ellipsis, arrays
    written: list[Any]  # the same, in one of the forms that an index may have
    single: bool  # not in a tuple

    @property
    def for_numpy(self) -> Any:
        return self.items[0] if self.single else tuple(self.items)

    @property
    def for_tensor(self) -> Any:
        return self.written[0] if self.single else tuple(self.written)

    @property
    def indexed(self) -> bool:
        return any(isinstance(item, np.ndarray) for item in self.items)


def random_integer(rng: random.Random, size: int) -> int:
    if rng.random() < 0.015 or size == 0:
        return rng.choice([size, -size - 1, size + 7])
    return rng.randrange(-size, size)


def random_slice(rng: random.Random, size: int) -> slice:
    def end() -> int | None:
        return None if rng.random() < 0.4 else rng.randint(-size - 2, size + 2)

    return slice(end(), end(), rng.choice([None, None, 1, 2, 3, -1, -2, 2**62, -(2**62)]))


def write_integer(rng: random.Random, value: int) -> Any:
    forms = [int, int, int, np.int64, np.int32, np.array, lambda v: pygrad.tensor(v)]
    return rng.choice(forms)(value)


def write_array(rng: random.Random, array: np.ndarray) -> Any:
    form = rng.randrange(6)
    if form == 0 and array.ndim > 0 and (array.size > 0 or array.dtype != np.bool_):
        return array.tolist()
    if form == 1:
        return pygrad.tensor(array)
    if array.dtype == np.bool_ or form == 2:
        return bool(array) if array.ndim == 0 else array
    if form == 3:
        return pygrad.tensor(array.astype(np.int32))
    if form == 4:
        return np.repeat(array.astype(np.int16), 2, axis=-1)[..., ::2]  # not contiguous
    return np.asfortranarray(array)


def random_array(rng: random.Random, size: int, common: tuple[int, ...]) -> np.ndarray:
    """Return indices of a shape that mostly broadcasts to `common`."""
    dims = tuple(1 if rng.random() < 0.15 else n for n in common)[rng.randrange(len(common)) :]
    if rng.random() < 0.03:
        dims = (rng.choice([0, 4]),)
    return np.array([random_integer(rng, size) for _ in range(math.prod(dims))], dtype=np.int64).reshape(dims)


def random_mask(rng: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    wrong = rng.random() < 0.01
    dims = tuple(n + wrong for n in shape)
    return np.array([rng.random() < 0.5 for _ in range(math.prod(dims))], dtype=bool).reshape(dims)


def random_items(rng: random.Random, shape: tuple[int, ...], common: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """Yield items that use up the dimensions of `shape`, each as numpy takes it and as it is written."""
    used, added = 0, 0  # of new dimensions one is enough
    while used < len(shape):
        size = shape[used]
        kind = rng.choice(["integer", "slice", "slice", "none", "array", "array", "mask"])
        if kind == "none":
            added += 1
            if added == 1:
                yield None, None
            continue
        if kind == "mask":
            ndim = rng.choice([0, 1, 1, 2])
            added += ndim == 0
            if used + ndim <= len(shape) and (ndim > 0 or added == 1):
                mask = random_mask(rng, shape[used : used + ndim])
                yield mask, write_array(rng, mask)
                used += ndim
            continue
        used += 1
        if kind == "integer":
            value = random_integer(rng, size)
            yield value, write_integer(rng, value)
        elif kind == "slice":
            part = random_slice(rng, size)
            yield part, part
        else:
            array = random_array(rng, size, common)
            yield array, write_array(rng, array)


def random_key(rng: random.Random, shape: tuple[int, ...]) -> Key:
    common = tuple(rng.choice([1, 2, 3]) for _ in range(rng.choice([1, 1, 1, 2])))
    start, stop = sorted(rng.randint(0, len(shape)) for _ in range(2))
    pairs = list(random_items(rng, shape[:start], common))
    if rng.random() < 0.3 or not pairs:
        pairs += [(Ellipsis, Ellipsis), *random_items(rng, shape[stop:], common)]
    if rng.random() < 0.01:
        pairs += [(0, 0)] * (len(shape) + 1)
    items, written = [item for item, _ in pairs], [form for _, form in pairs]
    return Key(items, written, single=len(items) == 1 and rng.random() < 0.5)


def dimensions_used(item: Any) -> int:
    if isinstance(item, np.ndarray) and item.dtype == np.bool_:
        return item.ndim
    return 0 if item is None or item is Ellipsis else 1


def numpy_reads(x: np.ndarray, key: Key) -> np.ndarray:
    """Return what PyTorch reads: integers, slices and new dimensions first, then arrays into what they leave."""
    if not key.indexed:
        return np.asarray(x[key.for_numpy])
    items = key.items
    if sum(dimensions_used(item) for item in items) == x.ndim:
        items = [item for item in items if item is not Ellipsis]
    if not any(isinstance(item, int) for item in items):
        return np.asarray(x[tuple(items)])
    first: list[Any] = []
    then: list[Any] = []
    for item in items:
        if isinstance(item, np.ndarray):
            first += [slice(None)] * dimensions_used(item)
            then.append(item)
            continue
        first.append(item)
        if not isinstance(item, int):
            then.append(item if item is Ellipsis else slice(None))
    return np.asarray(np.asarray(x[tuple(first)])[tuple(then)])


def outcome(read: Any) -> Any:
    try:
        return read()
    except IndexError as error:
        return error


# ---- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_random_expressions_read_what_numpy_reads(seed: int) -> None:
    rng = random.Random(seed)
    failures = 0
    for _ in range(READS // 8):
        shape, steps = random_layout(rng)
        dtype = rng.choice(DTYPES)
        base = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
        x, t = lay_out(base, steps), lay_out(pygrad.from_numpy(base), steps)
        key = random_key(rng, x.shape)
        want, got = outcome(lambda x=x, key=key: numpy_reads(x, key)), outcome(lambda t=t, key=key: t[key.for_tensor])
        case = f"shape {x.shape} strides {x.strides} [{key.written!r}]"
        if isinstance(want, IndexError) or isinstance(got, IndexError):
            # Where the result is empty numpy does not look at every index; pygrad always does.
            assert isinstance(got, IndexError), f"{case}: numpy says {want!r}"
            assert isinstance(want, IndexError) or want.size == 0, f"{case}: {got!r}"
            failures += 1
            continue
        assert tuple(got.shape) == want.shape, case
        read = got.numpy()
        np.testing.assert_array_equal(read, want, err_msg=case)
        assert read.dtype == want.dtype, case
        if want.size > 0:
            assert np.shares_memory(read, base) == (not key.indexed), case
    assert 0 < failures < READS // 16  # both kinds of outcome were seen


# ---- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(100, 108))
def test_gradient_of_a_random_expression_adds_where_it_read(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(GRADIENTS // 8):
        shape, steps = random_layout(rng)
        dtype = rng.choice([np.float32, np.float64])
        n = math.prod(shape)
        positions = lay_out(np.arange(n).reshape(shape), steps)
        key = random_key(rng, positions.shape)
        x = pygrad.tensor(np.zeros(shape, dtype), requires_grad=True)
        read = outcome(lambda x=x, steps=steps, key=key: lay_out(x, steps)[key.for_tensor])
        if isinstance(read, IndexError):
            continue
        where = numpy_reads(positions, key)
        # Whole numbers, so that sums are exact in any order.
        weights = np.array([rng.randint(-9, 9) for _ in range(where.size)], dtype).reshape(where.shape)
        read.backward(pygrad.tensor(weights))
        want = np.zeros(n, dtype)
        np.add.at(want, where.ravel(), weights.ravel())
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), want.reshape(shape), err_msg=f"{shape} {steps} {key.written!r}")


# ---- what is refused, and deliberate differences -------------------------------------------------


X = pygrad.tensor(np.arange(24.0).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (5, "index 5 is out of bounds for dimension 0 with size 2"),
        (-3, "index -3 is out of bounds for dimension 0 with size 2"),
        ((slice(None), 3), "index 3 is out of bounds for dimension 1 with size 3"),
        ([0, 2], "index 2 is out of bounds for dimension 0 with size 2"),
        ((slice(None), slice(None), [[-5]]), "index -5 is out of bounds for dimension 2 with size 4"),
        ((0, 0, 0, 0), "too many indices for tensor of dimension 3"),
        (([0, 1], [0, 1, 2]), r"could not be broadcast together with shapes \[2\], \[3\]"),
        (np.ones((3, 1), bool), r"The shape of the mask \[3, 1\] at index 0 does not match .*\[2, 3, 4\]"),
        (1.5, "valid indices, not 1.5 of type float"),
        ("a", "valid indices, not 'a' of type str"),
        ([0.0, 1.0], "valid indices"),
        ([[0, 1], [0]], "has no shape"),
        ([0, slice(None)], "valid indices"),
        (np.array([0, 1], np.uint8), "uint8 is a mask to PyTorch and indices to numpy"),
        (np.array([2**63], np.uint64), "9223372036854775808 is out of bounds"),
        (2**70, "cannot fit 'int' into an index-sized integer"),
        (pygrad.tensor([1.0]), "must be int64, int32 or bool tensors, not float32"),
        (pygrad.tensor(np.array([1], np.uint8)), "a uint8 tensor is a mask to PyTorch and indices to numpy"),
        ((None,) * 6, "at most 8 dimensions"),
        ((..., 0, ...), "a single ellipsis"),
    ],
)
def test_a_wrong_index_is_named(key: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        X[key]


def test_a_slice_step_of_zero_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        X[::0]


def test_a_tensor_without_dimensions_has_no_length_no_iterator_and_no_index() -> None:
    scalar = pygrad.tensor(1.0)
    with pytest.raises(TypeError, match="len\\(\\) of a 0-d tensor"):
        len(scalar)
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(scalar)
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 0"):
        scalar[0]
    assert scalar[None].shape == (1,) and scalar[...].shape == ()


def test_iteration_yields_views_of_the_first_dimension() -> None:
    rows = list(X)
    assert len(rows) == len(X) == 2
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(row.numpy(), X.numpy()[i])
        assert np.shares_memory(row.numpy(), X.numpy())


def test_an_integer_beside_index_arrays_is_applied_first_as_in_pytorch() -> None:
    assert X[0, :, [1, 2]].shape == (3, 2)  # numpy: (2, 3)
    assert X[[0, 1], :, [1, 2]].shape == (2, 3)


def test_a_nested_list_is_one_array_of_indices_as_in_numpy() -> None:
    assert X[[[0, 1], [1, 0]]].shape == (2, 2, 3, 4)


def test_an_index_tensor_that_is_changed_afterwards_stops_backward() -> None:
    x = pygrad.tensor(np.arange(3.0), requires_grad=True)
    index = pygrad.tensor([0, 2])
    y = x[index]
    index.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward(pygrad.ones(2))
