"""Every row of the tensor table: values, gradients, layouts, broadcasting, reuse; and that every op has a row.

Wanted values come from the row's oracle in float64, wanted gradients from central differences of that oracle, so that
neither knows the engine. Tolerances are roundings: of the dtype, at the scale of the value or of the inputs, times the
number of terms that were added up.
"""

from __future__ import annotations

import inspect
import os
import zlib
from math import prod

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, leaf, ours, pg
from tensor_table import ALIASES, ARRANGED, PRODUCTS_OF_ONE_KIND, READING, SHAPES, TABLE, Case

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
ROWS = {row.name: row for row in TABLE}
# One case in so many: for runs under a sanitizer, and for those on one more interpreter.
SAMPLE = int(os.environ.get("PYGRAD_TEST_SAMPLE", "1"))
CASES = [
    pytest.param(row, c, id=f"{row.name}-{i}-{c}"[:80])
    for row in TABLE
    for i, c in enumerate(row.cases)
    if (i + zlib.crc32(row.name.encode())) % SAMPLE == 0
]
VIEWS = (*SHAPES, *ARRANGED, *READING, *(row for row in PRODUCTS_OF_ONE_KIND if len(row.inputs) == 1))
GRADIENT_CASES = [p for p in CASES if p.values[0].differentiable() and sum(map(prod, p.values[1].shapes)) <= 80]
FIRST_CASES = [
    pytest.param(row, c, id=f"{row.name}-{c}"[:80])
    for row in TABLE
    for c in [c for c in row.cases if any(s and prod(s) for s in c.shapes)][: max(1, 3 // SAMPLE)]
]


def sampled(row, c: Case):
    """Return the arrays of a case, the same in every run."""
    rng = np.random.default_rng(zlib.crc32(f"{row.name}{c}".encode()))
    return [np.asarray(given.sample(rng, shape)) for given, shape in zip(row.inputs, c.shapes, strict=True)]


def dtype_of(given, dtype):
    return dtype if given.dtype == "float" else given.dtype


def tensors_of(row, arrays, dtype, make=None):
    """Return the inputs as tensors, those of float dtype wanting a gradient where the row has one."""
    tensors = []
    for given, a in zip(row.inputs, arrays, strict=True):
        t = (make or pg.tensor)(np.asarray(a, dtype=dtype_of(given, dtype)))
        tensors.append(t.requires_grad_() if given.differentiable and row.result == "float" else t)
    return tensors


def tolerance(row, arrays, wanted, dtype):
    """Return what each element of the value may be off by."""
    if row.scale is not None:
        scale = row.scale(*arrays)
    else:
        terms = max([prod(a.shape) for a in arrays]) / max(wanted.size, 1)
        largest = max([1.0, *(float(abs(a).max()) for a in arrays if a.size and a.dtype.kind == "f")])
        scale = largest * max(terms, 1.0)
    return row.roundings * UNIT[dtype] * (abs(wanted) + scale)


def assert_value(row, arrays, got, c, dtype):
    wanted = row.wanted(*arrays, **c.options)
    assert got.shape == wanted.shape
    assert dtype_name(got) == (dtype if row.result == "float" else row.result)
    got = array(got).astype(np.float64)
    off = abs(got - wanted)
    fine = (off <= tolerance(row, arrays, wanted, dtype)) | (np.isnan(got) & np.isnan(wanted))
    assert fine.all(), f"off by {np.nanmax(off)}: {got} instead of {wanted}"


def cotangent(shape, seed):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape)


def central_differences(row, arrays, c, g, which, eps=1e-5):
    """Return d(sum of g * oracle)/d(arrays[which]), one element after the other."""
    gradient = np.zeros(arrays[which].shape)
    for at in np.ndindex(*gradient.shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = [np.array(a) for a in arrays]
            moved[which][at] += sign * eps
            ends.append(float((g * row.wanted(*moved, **c.options)).sum()))
        gradient[at] = (ends[0] - ends[1]) / (2 * eps)
    return gradient


def gradients(row, tensors, c, g):
    """Return the gradients of sum(g * op) as float64 arrays, for the inputs that have one."""
    out = row(*tensors, **c.options)
    out.backward(pg.tensor(np.asarray(g, dtype=dtype_name(out))))
    return [array(tensors[i].grad).astype(np.float64) for i in row.differentiable()]


# ---- the table ------------------------------------------------------------------------------------------------------

# Methods and attributes that are no ops: they are tested by name in the files about autograd, shapes and interop.
NOT_OPS = set(
    """
    backward bool data detach dim double dtype element_size float grad grad_fn int is_contiguous is_leaf item long ndim
    numel numpy requires_grad requires_grad_ retain_grad shape size storage_offset stride to tolist
    register_hook register_post_accumulate_grad_hook copy_ fill_ zero_ normal_ uniform_ detach_ byte cpu data_ptr
    is_floating_point ndimension nelement type_as bernoulli_ exponential_ fill_diagonal_ log_normal_ random_
    """.split()
)

# The same for functions: makers of tensors, switches, tools, and functions over lists of Values.
NO_OP_FUNCTIONS = set(
    """
    tensor zeros ones full eye arange linspace rand randn randint empty from_numpy manual_seed
    zeros_like ones_like full_like rand_like randn_like randint_like empty_like
    no_grad enable_grad set_grad_enabled is_grad_enabled get_default_dtype set_default_dtype
    draw gradcheck gradgradcheck margin_loss squared_error as_tensor asarray as_dtype finfo iinfo randperm
    set_printoptions
    double float long int bool
    """.split()
)

COVERED = {row.op for row in TABLE} | {name for row in TABLE for name in (*row.methods, *row.covers)} | set(ALIASES)


@ours("it has more of them")
def test_every_method_has_a_row():
    methods = {name for name in dir(pg.Tensor) if not name.startswith("_") and callable(getattr(pg.Tensor, name))}
    in_place = {name for name in methods if name.endswith("_") and name[:-1] in COVERED}
    assert methods - in_place - NOT_OPS <= COVERED


@ours("it has more of them")
def test_every_function_has_a_row():
    functions = {name for name in dir(pg) if not name.startswith("_") and inspect.isroutine(getattr(pg, name))}
    in_place = {name for name in functions if name.endswith("_") and hasattr(pg.Tensor, name)}
    assert functions - in_place - NO_OP_FUNCTIONS <= COVERED


@ours("its ops are listed elsewhere")
def test_every_row_of_the_engine_that_tensors_offer_has_a_row():
    from pygrad._engine import ffi, op_table

    rows = {ffi.string(row.name).decode() for row in op_table()}
    assert {name for name in rows if hasattr(pg.Tensor, name) or hasattr(pg, name)} <= COVERED


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_is_the_function_it_is_named_after(alias):
    if not hasattr(pg, alias):
        pytest.skip(f"there is no {alias}")
    for row in (r for r in TABLE if r.op == ALIASES[alias]):
        for c in row.cases[:2] if row.call is None else ():
            tensors = tensors_of(row, sampled(row, c), "float32")
            got = getattr(pg, alias)(*tensors, **c.options)
            np.testing.assert_array_equal(array(got), array(row(*tensors, **c.options)))
    if ALIASES[alias] == "cat":
        assert getattr(pg, alias)([pg.ones(1), pg.zeros(1)]).tolist() == [1.0, 0.0]


def test_names_of_rows_are_unique():
    assert len(ROWS) == len(TABLE)


# ---- values and gradients -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", UNIT)
@pytest.mark.parametrize(("row", "c"), CASES)
def test_value_is_the_oracles(row, c, dtype):
    arrays = sampled(row, c)
    assert_value(row, arrays, row(*tensors_of(row, arrays, dtype), **c.options), c, dtype)


@pytest.mark.parametrize(("row", "c"), GRADIENT_CASES)
def test_gradient_is_that_of_central_differences(row, c):
    arrays = sampled(row, c)
    g = cotangent(row.wanted(*arrays, **c.options).shape, 1)
    tensors = tensors_of(row, arrays, "float64")
    for i, got in zip(row.differentiable(), gradients(row, tensors, c, g), strict=True):
        assert tensors[i].grad.shape == tensors[i].shape
        assert tensors[i].grad.dtype == tensors[i].dtype
        wanted = central_differences(row, arrays, c, g, i)
        # eps**2 from the formula, 1e-16 / eps from rounding: 1e-10 of a function of size 1.
        assert np.linalg.norm(got - wanted) <= 1e-7 * max(1e-2, np.linalg.norm(wanted)), (got, wanted)


@pytest.mark.parametrize(("row", "c"), GRADIENT_CASES)
def test_float32_gradient_is_the_float64_one_rounded(row, c):
    arrays = sampled(row, c)
    g = cotangent(row.wanted(*arrays, **c.options).shape, 2).astype(np.float32).astype(np.float64)
    wide = gradients(row, tensors_of(row, arrays, "float64"), c, g)
    tensors = tensors_of(row, arrays, "float32")
    for i, got, wanted in zip(row.differentiable(), gradients(row, tensors, c, g), wide, strict=True):
        assert dtype_name(tensors[i].grad) == "float32"
        # Every rounding of the forward and backward formula is seen at most at the scale of the largest gradient.
        scale = max([1.0, *abs(wanted).ravel()])
        assert abs(got - wanted).max(initial=0.0) <= 64 * UNIT["float32"] * scale


@pytest.mark.parametrize("row", [row for row in TABLE if row.differentiable()], ids=lambda row: row.name)
def test_result_wants_a_gradient_only_if_an_input_does(row):
    arrays = sampled(row, row.cases[0])
    tensors = tensors_of(row, arrays, "float32")
    assert row(*tensors, **row.cases[0].options).requires_grad
    with pg.no_grad():
        out = row(*tensors, **row.cases[0].options)
        assert out.is_leaf
        assert out.grad_fn is None
        # PyTorch 2.13 lets a view that is made under no_grad keep its base's flag; pygrad does not.
        assert not out.requires_grad or (TORCH and row in VIEWS)
    plain = [t.detach() for t in tensors]
    assert not row(*plain, **row.cases[0].options).requires_grad
    for i in row.differentiable():
        one = [t.detach().requires_grad_(k == i) if k in row.differentiable() else t for k, t in enumerate(plain)]
        out = row(*one, **row.cases[0].options)
        assert out.requires_grad
        out.sum().backward()
        assert [t.grad is not None for t in one] == [k == i for k in range(len(one))]


@pytest.mark.parametrize("row", [r for r in TABLE if r.result != "float"], ids=lambda row: row.name)
def test_what_is_not_float_has_no_gradient(row):
    arrays = sampled(row, row.cases[0])
    tensors = [
        t.requires_grad_() if given.dtype == "float" else t
        for given, t in zip(row.inputs, tensors_of(row, arrays, "float64"), strict=True)
    ]
    assert not row(*tensors, **row.cases[0].options).requires_grad


METHODS = [pytest.param(row, method, id=f"{row.name}-{method}") for row in TABLE for method in row.methods]


@pytest.mark.parametrize(("row", "method"), METHODS)
def test_method_is_the_function(row, method):
    for c in row.cases[:8]:
        tensors = tensors_of(row, sampled(row, c), "float32")
        by_function, by_method = row(*tensors, **c.options), getattr(tensors[0], method)(*tensors[1:], **c.options)
        np.testing.assert_array_equal(array(by_method), array(by_function))
        assert by_method.dtype == by_function.dtype


# ---- layouts --------------------------------------------------------------------------------------------------------


def transposed(a):
    """The same values, stored with the axes in reverse order."""
    order = tuple(range(a.ndim))[::-1]
    return pg.tensor(np.ascontiguousarray(np.transpose(a))).permute(order)


def spread(a, step=2):
    """The array with other numbers between its elements: reading one of them shows."""
    trap = np.nan if a.dtype.kind == "f" else np.iinfo(a.dtype).max if a.dtype.kind == "i" else True
    wide = np.full((*a.shape[:-1], a.shape[-1] * step), trap, dtype=a.dtype)
    wide[..., ::step] = a
    return wide


def sliced(a):
    return pg.tensor(spread(a))[..., ::2]


def offset(a):
    return pg.tensor(np.concatenate([spread(a[:1], 1), a, a[:1]]))[1:-1]


def shared(a):
    return pg.from_numpy(spread(a))[..., ::2] if TORCH else pg.from_numpy(spread(a)[..., ::2])


def flipped(a):
    return pg.tensor(a[..., ::-1].copy())[..., ::-1]


def expanded(a):
    """The first slice of the array again and again, with stride 0."""
    return pg.tensor(np.ascontiguousarray(a[:1])).expand(*a.shape)


LAYOUTS = {f.__name__: f for f in (transposed, sliced, offset, shared, flipped, expanded)}
if TORCH:
    del LAYOUTS["flipped"]  # PyTorch knows no negative steps


def in_layout(a, layout):
    if a.ndim == 0 or a.size == 0:
        return pg.tensor(a)
    return LAYOUTS[layout](a)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("row", "c"), FIRST_CASES)
def test_layout_of_the_inputs_changes_nothing(row, c, layout):
    arrays = sampled(row, c)
    if layout == "expanded":
        arrays = [np.repeat(a[:1], a.shape[0], axis=0) if a.ndim and a.size else a for a in arrays]
    plain = tensors_of(row, arrays, "float64")
    strided = tensors_of(row, arrays, "float64", lambda a: in_layout(a, layout))
    for t, a in zip(strided, arrays, strict=True):
        np.testing.assert_array_equal(array(t), a)
    assert_value(row, arrays, row(*strided, **c.options), c, "float64")
    if row.differentiable():
        g = cotangent(row.wanted(*arrays, **c.options).shape, 3)
        for got, wanted in zip(gradients(row, strided, c, g), gradients(row, plain, c, g), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", [r for r in TABLE if r.differentiable()], ids=lambda row: row.name)
def test_cotangent_may_have_any_layout(row, layout):
    c = next(c for c in row.cases if any(prod(s) for s in c.shapes))
    arrays = sampled(row, c)
    g = cotangent(row.wanted(*arrays, **c.options).shape, 4)
    if layout == "expanded" and g.ndim:
        g = np.repeat(g[:1], g.shape[0], axis=0)
    plain, strided = tensors_of(row, arrays, "float64"), tensors_of(row, arrays, "float64")
    wanted = gradients(row, plain, c, g)
    row(*strided, **c.options).backward(in_layout(g, layout))
    for i, w in zip(row.differentiable(), wanted, strict=True):
        np.testing.assert_allclose(array(strided[i].grad), w, rtol=1e-13, atol=1e-13)


# ---- one input several times ----------------------------------------------------------------------------------------


def two_alike(row):
    """Return the cases with two vectors or matrices of one shape."""
    return [c for c in row.cases if len(set(c.shapes)) == 1 and len(c.shapes[0]) in (1, 2)]


TWICE = [
    row
    for row in TABLE
    if len(row.differentiable()) == 2 and len(row.inputs) == 2 and row.op != "linear" and two_alike(row)
]


@pytest.mark.parametrize("row", TWICE, ids=lambda row: row.name)
def test_input_used_twice_gets_both_gradients(row):
    c = two_alike(row)[0]
    shape = (3, 3) if row.op == "matmul" else c.shapes[0]
    # The same tensor on both sides; an op with a kink where its operands meet gets x and 2 x, scaled into the domain.
    x0 = np.random.default_rng(5).uniform(0.3, 0.45, shape)
    x, a, b = leaf(x0), leaf(x0), leaf(2.0 * x0)
    row(x, x * 2.0, **c.options).sum().backward()
    row(a, b, **c.options).sum().backward()
    np.testing.assert_allclose(array(x.grad), array(a.grad) + 2.0 * array(b.grad), rtol=1e-13)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum", "pow"])
def test_operand_on_both_sides_gets_the_derivative_of_the_whole(name):
    x0 = np.array([0.5, 1.5, 2.0])
    x = leaf(x0)
    ROWS[name](x, x).sum().backward()
    one = np.ones(3)
    wanted = {"add": 2 * one, "sub": 0 * one, "mul": 2 * x0, "div": 0 * one, "maximum": one, "minimum": one,
              "pow": x0**x0 * (np.log(x0) + 1)}  # fmt: skip
    np.testing.assert_allclose(array(x.grad), wanted[name], rtol=1e-14, atol=1e-15)


# ---- numbers and arrays on either side ------------------------------------------------------------------------------

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("number", [2, 2.5, True, np.float64(1.25)], ids=repr)
def test_number_on_either_side(symbol, number):
    if number is True and symbol in ("-", "**"):
        pytest.skip("PyTorch does not subtract bools")
    op, x0 = OPERATORS[symbol], np.array([0.5, 1.0, 2.0], dtype=np.float32)
    for f in (lambda x: op(x, number), lambda x: op(number, x)):
        x = leaf(x0, "float32")
        y = f(x)
        assert dtype_name(y) == "float32"
        np.testing.assert_allclose(array(y), f(x0.astype(np.float64)), rtol=4 * UNIT["float32"])
        y.sum().backward()
        ends = [f(x0.astype(np.float64) + h) for h in (1e-6, -1e-6)]
        np.testing.assert_allclose(array(x.grad), (ends[0] - ends[1]) / 2e-6, rtol=1e-6)


@ours("an ndarray as left operand is refused, or taken elementwise")
@pytest.mark.parametrize("symbol", OPERATORS)
def test_array_on_either_side_is_a_constant_tensor(symbol):
    op, x0, a = OPERATORS[symbol], np.array([0.5, 1.0, 2.0]), np.array([[1.0], [3.0]])
    for f in (lambda x: op(x, a), lambda x: op(a, x)):
        x = leaf(x0)
        y = f(x)
        assert isinstance(y, pg.Tensor)
        np.testing.assert_allclose(array(y), f(x0), rtol=1e-15)
        y.sum().backward()
        assert x.grad.shape == (3,)


@ours("an ndarray as left operand is refused")
@pytest.mark.parametrize("op", ["__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__", "__matmul__"])
def test_array_on_either_side_of_comparisons_and_products(op):
    import operator

    x0, a = np.array([0.5, 1.0, 2.0]), np.array([1.0, 1.0, 3.0])
    f = getattr(operator, op)
    for got in (f(pg.tensor(x0), a), f(a, pg.tensor(x0))):
        assert isinstance(got, pg.Tensor)
    np.testing.assert_array_equal(array(f(a, pg.tensor(x0))), f(a, x0))
    np.testing.assert_array_equal(array(f(pg.tensor(x0), a)), f(x0, a))


@pytest.mark.parametrize("other", ["a", [1.0, 2.0], None, object()], ids=repr)
@pytest.mark.parametrize("symbol", OPERATORS)
def test_other_operands_are_a_type_error(symbol, other):
    for f in (lambda x: OPERATORS[symbol](x, other), lambda x: OPERATORS[symbol](other, x)):
        with pytest.raises(TypeError):
            f(pg.ones(2))


def test_equality_with_what_is_no_tensor_is_false():
    assert (pg.ones(2) == "a") is False
    assert (pg.ones(2) != None) is True  # noqa: E711
