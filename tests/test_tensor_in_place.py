"""Every method that ends in `_` does in place what its namesake does beside, and is recorded like it.

The cases come from the rows of `tensor_table`, so that an op is tested in place as soon as it has such a method. What a
tensor becomes when it is overwritten is written out here. `test_tensor_filling` has the random numbers.
"""

from __future__ import annotations

import math
import os
import zlib

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, ours, pg, refused
from tensor_table import ALIASES, TABLE, Row
from tensor_table.rows import ANY, case, real

if TORCH:
    import torch

SAMPLE = int(os.environ.get("PYGRAD_TEST_SAMPLE", "1"))


def method(name):
    """The function that changes the tensor that is its first argument; None where there is none."""
    if TORCH:
        return getattr(torch.Tensor, name, None) or getattr(torch.nn.functional, name, None)
    return getattr(pg.Tensor, name, None)


# ---- what is done ---------------------------------------------------------------------------------------------------


def diagonal_filled(t, fill_value):
    places = np.indices(t.shape)
    on_it = pg.tensor((places == places[0]).all(0))
    return pg.where(on_it, fill_value if fill_value.__class__ is t.__class__ else pg.full_like(t, fill_value), t)


# What is overwritten has no influence any more; here it has the factor 0.
OVERWRITING = (
    Row("copy", (ANY, ANY), None, [case((3, 4), (3, 4)), case((3, 4), (4,)), case((), ()), case((4,), (3, 4))],
        call=lambda t, src: src + 0 * t),
    Row("fill", (ANY, ANY), None, [case((3, 4), ()), case((), ())], call=lambda t, value: value + 0 * t),
    Row("fill(number)", (ANY,), None, [case((3, 4), value=2.5), case((), value=1)],
        call=lambda t, value: value + 0 * t),
    Row("zero", (ANY,), None, [case((3, 4)), case(())], call=lambda t: 0 * t),
    Row("fill_diagonal", (ANY,), None,
        [case(s, fill_value=1.5) for s in [(3, 4), (3, 3), (2, 5), (5, 2), (3, 3, 3), (0, 2)]], call=diagonal_filled),
)  # fmt: skip

# Rows of the engine that the table has under the name of another function, and what PyTorch does not take.
OURS = (
    Row("fill_diagonal(tensor)", (ANY, ANY), None, [case((3, 3), ()), case((2, 4), ())], call=diagonal_filled),
    Row("bce_with_logits", (ANY, real(0, 1)), None, [case((3, 4), (3, 4)), case((3, 4), (4,))],
        call=lambda t, y: t.bce_with_logits(y)),
    Row("gelu_tanh", (ANY,), None, [case((3, 4))], call=lambda t: t.gelu_tanh()),
    Row("swish", (ANY,), None, [case((3, 4)), case((3, 4), beta=0.5)], call=lambda t, beta=1.0: pg.swish(t, beta)),
    Row("swish(tensor)", (ANY, ANY), None, [case((3, 4), (4,))], call=lambda t, beta: pg.swish(t, beta)),
)  # fmt: skip

CANDIDATES = (*OVERWRITING, *(() if TORCH else OURS), *(row for row in TABLE if row.call is None))
OTHER_GEOMETRY = {"squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"}  # PyTorch has those too
ROWS = [row for row in CANDIDATES if method(f"{row.op}_") is not None and row.op not in OTHER_GEOMETRY]
FILLING = {"bernoulli_", "exponential_", "log_normal_", "normal_", "random_", "uniform_"}
OF_AUTOGRAD = {"detach_", "requires_grad_"}


@ours("it has more of them")
def test_every_method_in_place_is_tested():
    in_place = {name for name in dir(pg.Tensor) if name.endswith("_") and not name.startswith("_")}
    aliases = {f"{alias}_" for alias in ALIASES} & in_place
    assert in_place == {f"{row.op}_" for row in ROWS} | aliases | FILLING | OF_AUTOGRAD


def sampled(row, c, dtype="float64"):
    """Arrays for the inputs: the same ones in each test."""
    rng = np.random.default_rng(zlib.crc32(f"{row.name} {c}".encode()))
    return [
        np.asarray(given.sample(rng, shape)).astype(dtype if given.dtype == "float" else given.dtype)
        for given, shape in zip(row.inputs, c.shapes, strict=True)
    ]


def beside(row, tensors, options):
    """The result in self's dtype, which is what the operation in place has to leave."""
    return row(*tensors, **options).to(tensors[0].dtype)


def in_place(row, tensors, options):
    return row.apply(method(f"{row.op}_"), *tensors, **options)


def cases(rows, fitting=True):
    """The cases in which the result has the shape of what it is to replace, or those in which it has not."""
    found = []
    for row in rows:
        chosen = []
        for c in row.cases:
            result = row(*map(pg.tensor, sampled(row, c)), **c.options)
            if (tuple(result.shape) == c.shapes[0]) == fitting:
                chosen.append(c)
        # A few of each: the shapes themselves are the business of what is done beside.
        found += [pytest.param(row, c, id=f"{row.name}-{c}"[:80]) for c in chosen[:6:SAMPLE]]
    return found


FITTING = cases(ROWS)


# ---- values ---------------------------------------------------------------------------------------------------------


def contiguous(a):
    t = pg.tensor(a)
    return t, t


def transposed(a):
    base = pg.tensor(np.ascontiguousarray(a.T))
    return base, base.permute(tuple(range(a.ndim))[::-1])


def sliced(a):
    base = pg.tensor(np.repeat(a, 2, axis=-1))
    return base, base[..., ::2]


LAYOUTS = {f.__name__: f for f in (contiguous, transposed, sliced)}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("row", "c"), FITTING)
def test_method_in_place_leaves_what_is_computed_beside(row, c, layout):
    arrays = sampled(row, c)
    base, self = LAYOUTS[layout if arrays[0].ndim else "contiguous"](arrays[0])
    rest = [pg.tensor(a) for a in arrays[1:]]
    want = array(beside(row, [pg.tensor(arrays[0]), *rest], c.options))
    version, dtype = self._version, self.dtype
    assert in_place(row, [self, *rest], c.options) is self
    np.testing.assert_allclose(array(self), want, rtol=1e-14, atol=1e-14)
    assert self.dtype == dtype
    assert tuple(self.shape) == c.shapes[0]
    assert self._version > version
    for other, a in zip(rest, arrays[1:], strict=True):
        np.testing.assert_array_equal(array(other), a)
    if self is not base and layout == "sliced":
        np.testing.assert_array_equal(array(base)[..., ::2], array(self))
        np.testing.assert_array_equal(array(base)[..., 1::2], arrays[0])


@ours("some of its methods count more than once")
@pytest.mark.parametrize(("row", "c"), FITTING)
def test_change_in_place_counts_once(row, c):
    tensors = [pg.tensor(a) for a in sampled(row, c)]
    in_place(row, tensors, c.options)
    assert tensors[0]._version == 1


TWO_OF_A_SHAPE = [
    p
    for p in FITTING
    if len(p.values[1].shapes) == 2 and len(set(p.values[1].shapes)) == 1 and p.values[0].inputs[1].dtype == "float"
]


@pytest.mark.parametrize(("row", "c"), TWO_OF_A_SHAPE)
def test_tensor_may_be_its_own_operand(row, c):
    first, _ = sampled(row, c)
    want = beside(row, [pg.tensor(first), pg.tensor(first)], c.options)
    self = pg.tensor(first)
    in_place(row, [self, self], c.options)
    np.testing.assert_array_equal(array(self), array(want))


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_in_place_is_the_method_it_is_named_after(alias):
    if method(f"{alias}_") is None:
        pytest.skip(f"there is no {alias}_")
    for row in (r for r in ROWS if r.op == ALIASES[alias]):
        tensors = [pg.tensor(a) for a in sampled(row, row.cases[0])]
        again = [t.clone() for t in tensors]
        assert method(f"{alias}_")(*tensors, **row.cases[0].options) is tensors[0]
        in_place(row, again, row.cases[0].options)
        np.testing.assert_array_equal(array(tensors[0]), array(again[0]))


@pytest.mark.parametrize("symbol", ["&", "|", "^"])
def test_augmented_logic_changes_the_very_tensor(symbol):
    x, y = np.array([True, True, False]), np.array([True, False, False])
    t = view = pg.tensor(x)
    scope = {"t": t, "y": pg.tensor(y)}
    exec(f"t {symbol}= y", scope)  # the statement itself is what is tried
    assert scope["t"] is view
    assert view.tolist() == eval(f"x {symbol} y", {"x": x, "y": y}).tolist()
    numbers = pg.tensor([6, 5])
    scope = {"t": numbers}
    exec(f"t {symbol}= 3", scope)
    assert numbers.tolist() == [eval(f"{n} {symbol} 3") for n in (6, 5)]
    with refused(RuntimeError, naming=("float32",)):
        exec(f"t {symbol}= y", {"t": pg.ones(3), "y": pg.ones(3)})
    with refused(RuntimeError, naming=("int64", "bool")):
        exec(f"t {symbol}= y", {"t": view, "y": pg.tensor([1, 2, 3])})


def test_whole_diagonal_of_a_tall_matrix():
    want = np.zeros((7, 3))
    np.fill_diagonal(want, 2.0, wrap=True)
    np.testing.assert_array_equal(array(pg.zeros(7, 3).fill_diagonal_(2.0, wrap=True)), want)
    for shape in ((3,), (), (3, 3, 2)):
        with refused(RuntimeError, naming=(shape,)):
            pg.ones(shape).fill_diagonal_(1.0)


# ---- gradients ------------------------------------------------------------------------------------------------------


def gradients(row, c, wanted, change):
    """The gradients of the inputs in `wanted` where the first is used, changed, and used again."""
    arrays = sampled(row, c)
    leaves = [pg.tensor(a).requires_grad_() if i in wanted else pg.tensor(a) for i, a in enumerate(arrays)]
    self = leaves[0] * 1
    rng = np.random.default_rng(0)
    before = (self * pg.tensor(rng.normal(size=tuple(self.shape)))).sum()
    after = change(row, [self, *leaves[1:]], c.options)
    loss = before + (after * after * pg.tensor(rng.normal(size=tuple(self.shape)))).sum()
    loss.backward()
    return [leaves[i].grad if leaves[i].grad is not None else pg.zeros_like(leaves[i]) for i in sorted(wanted)]


DIFFERENTIABLE = [p for p in FITTING if 0 in p.values[0].differentiable()]


@pytest.mark.parametrize(("row", "c"), DIFFERENTIABLE)
def test_gradient_in_place_is_that_beside(row, c):
    inputs = set(row.differentiable())
    for wanted in (inputs, *({i} for i in inputs)):
        want = gradients(row, c, wanted, beside)
        for got, exact in zip(gradients(row, c, wanted, in_place), want, strict=True):
            np.testing.assert_allclose(array(got), array(exact), rtol=1e-13, atol=1e-13)


def of_a_view(layout):
    """The operation beside and in place on a view that was computed."""

    def changed(change):
        def run(row, tensors, options):
            self = tensors[0]
            if layout == "transposed":
                order = tuple(range(self.dim()))[::-1]
                self = self.permute(order).clone().permute(order)
            else:
                self = pg.stack([self, self * 3], -1)[..., 0]
            return change(row, [self, *tensors[1:]], options)

        return run

    return changed


@pytest.mark.parametrize("layout", ["transposed", "sliced"])
@pytest.mark.parametrize(("row", "c"), DIFFERENTIABLE[::3])
def test_gradient_of_a_view_in_place_is_that_beside(row, c, layout):
    wanted, change = set(row.differentiable()), of_a_view(layout)
    want = gradients(row, c, wanted, change(beside))
    for got, exact in zip(gradients(row, c, wanted, change(in_place)), want, strict=True):
        np.testing.assert_allclose(array(got), array(exact), rtol=1e-13, atol=1e-13)


def through_a_view(row, tensors, options):
    self, *rest = tensors
    base = pg.stack([self, self * 3], -1)
    in_place(row, [base[..., 0], *rest], options)
    return base.sum(-1)


@pytest.mark.parametrize(("row", "c"), DIFFERENTIABLE[1::3])
def test_tensor_whose_view_was_changed_has_its_gradient(row, c):
    wanted = set(row.differentiable())
    want = gradients(row, c, wanted, lambda row, tensors, options: beside(row, tensors, options) + tensors[0] * 3)
    for got, exact in zip(gradients(row, c, wanted, through_a_view), want, strict=True):
        np.testing.assert_allclose(array(got), array(exact), rtol=1e-13, atol=1e-13)


WITHOUT_GRADIENT = ["eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "logical_not"]


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_what_has_no_gradient_cuts_the_history(name):
    if TORCH and name.startswith("logical"):
        pytest.skip("PyTorch keeps the history of what was overwritten")
    x = pg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    other = [] if name == "logical_not" else [pg.tensor([2.0, 0.0, 8.0])]
    assert getattr(y, f"{name}_")(*other) is y
    assert y.tolist() == array(getattr(pg, name)(x.detach() * 2, *other)).astype(float).tolist()
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_history_of_what_is_written_replaces_that_of_a_constant():
    w = pg.tensor([2.0, 3.0], requires_grad=True)
    buffer = pg.zeros(2)
    buffer.lerp_(w * w, 0.5)
    assert buffer.requires_grad
    assert not buffer.is_leaf
    buffer.sum().backward()
    assert w.grad.tolist() == [2.0, 3.0]


# ---- what is refused ------------------------------------------------------------------------------------------------

FLOAT_SELF = [p for p in {p.values[0].name: p for p in FITTING if p.values[0].inputs[0].dtype == "float"}.values()]


@pytest.mark.parametrize(("row", "c"), FLOAT_SELF)
def test_leaf_is_changed_in_place_without_recording_only(row, c):
    if TORCH and row.op.startswith("logical"):
        pytest.skip("PyTorch changes it")
    first, *rest = sampled(row, c)
    self, rest = pg.tensor(first).requires_grad_(), [pg.tensor(a) for a in rest]
    with refused(RuntimeError, naming=("leaf", "no_grad")):
        in_place(row, [self, *rest], c.options)
    np.testing.assert_array_equal(array(self), first)
    assert self._version == 0
    with pg.no_grad():
        assert in_place(row, [self, *rest], c.options) is self
    np.testing.assert_allclose(
        array(self), array(beside(row, [pg.tensor(first), *rest], c.options)), rtol=1e-14, atol=1e-14
    )
    assert self.is_leaf
    assert self.requires_grad
    assert self._version > 0


@ours("it lets some methods overwrite one place several times")
@pytest.mark.parametrize(("row", "c"), [p for p in FITTING if math.prod(p.values[1].shapes[0]) > 1])
def test_elements_that_share_memory_are_not_changed_in_place(row, c):
    tensors = [pg.tensor(a) for a in sampled(row, c)]
    self = tensors[0][(slice(0, 1),) * tensors[0].ndim].expand(tensors[0].shape)
    before = array(self).copy()
    with refused(RuntimeError, naming=("single memory location",)):
        in_place(row, [self, *tensors[1:]], c.options)
    np.testing.assert_array_equal(array(self), before)


@pytest.mark.parametrize(("row", "c"), cases(ROWS, fitting=False))
def test_shape_does_not_change_in_place(row, c):
    tensors = [pg.tensor(a) for a in sampled(row, c)]
    before = array(tensors[0]).copy()
    with refused(RuntimeError, naming=(c.shapes[0],)):
        in_place(row, tensors, c.options)
    np.testing.assert_array_equal(array(tensors[0]), before)
    assert tuple(tensors[0].shape) == c.shapes[0]
    assert tensors[0]._version == 0


def raising():
    """The rows that make floats of integers."""
    found = []
    for row, c in (p.values for p in FLOAT_SELF):
        whole = [pg.tensor(np.abs(a).astype("int64") + 1 if a.dtype.kind == "f" else a) for a in sampled(row, c)]
        try:
            result = row(*whole, **c.options)
        except (RuntimeError, TypeError):
            continue
        if dtype_name(result).startswith("float") and row.name not in {r.name for r in OVERWRITING}:
            found.append(pytest.param(row, c, whole, id=row.name))
    return found


@pytest.mark.parametrize(("row", "c", "whole"), raising())
def test_kind_of_dtype_does_not_rise_in_place(row, c, whole):
    before = array(whole[0]).copy()
    with refused(RuntimeError, naming=("float32", "int64")):
        in_place(row, whole, c.options)
    np.testing.assert_array_equal(array(whole[0]), before)
    assert dtype_name(whole[0]) == "int64"
    assert whole[0]._version == 0


def test_lower_kinds_of_dtype_are_converted():
    assert pg.tensor([1.0, 0.0]).eq_(pg.tensor([1.0, 5.0])).tolist() == [1.0, 0.0]
    assert pg.tensor([1, 2], dtype=pg.uint8).bitwise_or_(pg.tensor([256 + 4, 4])).tolist() == [5, 6]
    half = pg.tensor([1.0, 2.0]).clamp_(max=pg.tensor([1.5, 1.5], dtype=pg.float64))
    assert (half.tolist(), dtype_name(half)) == ([1.0, 1.5], "float32")
    assert pg.tensor([200, 100], dtype=pg.uint8).cumsum_(0).tolist() == [200, 44]


@pytest.mark.parametrize("dim", [3, -3])
def test_dimension_out_of_range(dim):
    t, index = pg.zeros(2, 2), pg.tensor([0])
    for f in (
        lambda: t.index_fill_(dim, index, 1.0), lambda: t.index_copy_(dim, index, pg.ones(1, 2)),
        lambda: t.cumsum_(dim), lambda: t.cumprod_(dim),
    ):  # fmt: skip
        with pytest.raises(IndexError):
            f()


def test_bad_indices_change_nothing():
    t, one, two = pg.zeros(3, 2), pg.tensor([3]), pg.tensor([[0]])
    for f in (
        lambda: t.index_fill_(0, one, 1.0), lambda: t.index_copy_(0, one, pg.ones(1, 2)),
        lambda: t.index_put_((one,), pg.ones(1, 2)), lambda: t.index_put_((one,), pg.ones(1, 2), accumulate=True),
        lambda: t.put_(pg.tensor([6]), pg.ones(1)), lambda: t.put_(pg.tensor([-7]), pg.ones(1)),
        lambda: t.index_fill_(0, two, 1.0), lambda: t.index_copy_(0, two, pg.ones(1, 2)),
        lambda: t.index_fill_(0, pg.tensor([0.0]), 1.0), lambda: t.index_copy_(0, pg.tensor([0.0]), pg.ones(1, 2)),
        lambda: t.index_fill_(0, pg.tensor([True, False, True]), 1.0),
        lambda: t.index_copy_(0, pg.tensor([0, 1]), pg.ones(1, 2)),
        lambda: t.index_copy_(0, pg.tensor([0]), pg.ones(1)),
        lambda: t.index_copy_(0, pg.tensor([0]), pg.ones(1, 2, dtype=pg.float64)),
        lambda: t.index_fill_(0, pg.tensor([0]), pg.ones(1)),
        lambda: t.index_put_((pg.tensor([0]),), pg.ones(1, 2, dtype=pg.float64)),
        lambda: t.index_put_((pg.tensor([0]),), pg.ones(3)), lambda: t.index_put_(pg.tensor([0]), pg.ones(2)),
        lambda: t.put_(pg.tensor([0, 1]), pg.ones(1)),
        lambda: t.masked_scatter_(pg.tensor([[True], [True], [False]]), pg.ones(3)),
        lambda: t.masked_scatter_(pg.tensor([[1], [1], [0]]), pg.ones(6)),
        lambda: t.masked_scatter_(pg.tensor([True, True]), pg.ones(6, dtype=pg.float64)),
    ):  # fmt: skip
        with pytest.raises((IndexError, RuntimeError, TypeError)):
            f()
    if not TORCH:  # whose masked_scatter_ writes what there is first
        assert not t.any()
        assert t._version == 0


def test_indices_that_count_from_the_end():
    assert pg.zeros(3).index_fill_(0, pg.tensor([-1]), 2.0).tolist() == [0.0, 0.0, 2.0]
    assert pg.zeros(3).index_put_((pg.tensor([-2]),), pg.tensor(2.0)).tolist() == [0.0, 2.0, 0.0]
    assert pg.zeros(2, 2).put_(pg.tensor([-1]), pg.tensor([2.0])).tolist() == [[0.0, 0.0], [0.0, 2.0]]


def test_only_element_of_a_tensor_without_dimensions_is_at_index_0():
    assert pg.tensor(1.0).index_fill_(0, pg.tensor([0]), 2.0).item() == 2.0
    assert pg.tensor(1.0).index_copy_(-1, pg.tensor([0]), pg.tensor([2.0])).item() == 2.0
    assert pg.tensor(1.0).index_copy_(0, pg.tensor(0), pg.tensor(2.0)).item() == 2.0
    with pytest.raises(IndexError):
        pg.tensor(1.0).index_fill_(0, pg.tensor([1]), 2.0)


# ---- the switch of functions and modules ----------------------------------------------------------------------------

SWITCHED = {
    "relu": {}, "relu6": {}, "selu": {}, "silu": {}, "mish": {}, "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 0.7}, "hardtanh": {"min_val": -0.5, "max_val": 0.25},
}  # fmt: skip


@pytest.mark.parametrize("name", SWITCHED)
def test_activation_is_told_to_work_in_place(name):
    x = pg.tensor([-2.0, -0.3, 0.4, 7.0], requires_grad=True)
    y, z = x * 1, x * 1
    after = getattr(pg, name)(y, **SWITCHED[name], inplace=True)
    want = getattr(pg, name)(z, **SWITCHED[name])
    assert after is y
    assert after.tolist() == want.tolist()
    assert z.tolist() == x.tolist()
    after.sum().backward()
    got, x.grad = x.grad, None
    want.sum().backward()
    np.testing.assert_allclose(array(got), array(x.grad), rtol=1e-6)
    nn = torch.nn if TORCH else pg.nn
    kind = {"leaky_relu": "LeakyReLU", "elu": "ELU", "hardtanh": "Hardtanh", "mish": "Mish", "silu": "SiLU"}
    module = getattr(nn, kind.get(name, name.upper().replace("RELU", "ReLU")))
    y = x * 1
    layer = module(*SWITCHED[name].values(), inplace=True)
    assert layer(y) is y
    assert y.tolist() == want.tolist()
    assert repr(layer).endswith("inplace=True)")
    assert "inplace" not in repr(module())
    assert module()(z) is not z


def test_dropout_in_place():
    x = pg.ones(1000, requires_grad=True)
    y = x * 1
    assert pg.dropout(y, 0.25, True, True) is y
    kept = y.detach() != 0
    np.testing.assert_allclose(array(y), array(kept) / 0.75, rtol=1e-6)
    assert 650 < kept.sum().item() < 850
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    z = pg.ones(3)
    assert pg.dropout(z, 0.5, False, True) is z
    assert z.tolist() == [1.0, 1.0, 1.0]
    with refused(RuntimeError, naming=("leaf",)):
        pg.dropout(x, 0.5, inplace=True)


@pytest.mark.parametrize("name", ["relu_", "leaky_relu_", "elu_", "selu_", "hardtanh_", "sigmoid_", "clamp_", "exp_"])
def test_methods_are_functions_too(name):
    x, y = pg.tensor([-2.0, 0.3, 4.0]), pg.tensor([-2.0, 0.3, 4.0])
    options = {"min": 0.0} if name == "clamp_" else {}
    assert getattr(pg, name)(x, **options) is x
    assert x.tolist() == getattr(pg, name[:-1])(y, **options).tolist()
    if not TORCH:
        assert getattr(pg.functional, name) is getattr(pg, name)


@ours("its functions are in several modules")
def test_functions_in_place_are_the_methods():
    names = [name for name in pg.functional.__all__ if name.endswith("_")]
    assert len(names) > 40
    for name in names:
        t = pg.tensor([0.25, 0.5])
        if name not in ("fill_", "clamp_", "clip_", "clamp_min_", "clamp_max_", "index_put_"):
            assert getattr(pg, name)(t) is t
            assert t._version == 1


# ---- a function that does what it should not -----------------------------------------------------------------------


@ours("it is a matter of our own mechanism")
def test_what_a_function_in_place_may_run_does_no_harm():
    from pygrad._engine import native

    t = pg.ones(3)
    with pytest.raises(TypeError, match="Tensor"):
        native.tensor_in_place("f_", lambda x: 5, t)
    with pytest.raises(ZeroDivisionError):
        native.tensor_in_place("f_", lambda x: 1 / 0, t)
    with pytest.raises(TypeError):
        native.tensor_in_place("f_", lambda x: x)
    with pytest.raises(TypeError):
        native.tensor_in_place("f_", lambda x: x, [1.0])
    assert t._version == 0
    # Another change, made while the values are computed, counts too; a leaf that began to want a gradient is kept.
    native.tensor_in_place("f_", lambda x: x + t.mul_(2), t)
    assert t.tolist() == [3.0, 3.0, 3.0]
    with pytest.raises(RuntimeError, match="leaf"):
        native.tensor_in_place("f_", lambda x: t.requires_grad_().detach() + 1, t)
    assert t.tolist() == [3.0, 3.0, 3.0]
    same = pg.tensor([1.0, 2.0])
    assert native.tensor_in_place("f_", lambda x: x, same) is same
    assert same.tolist() == [1.0, 2.0]
