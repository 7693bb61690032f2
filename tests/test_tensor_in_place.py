"""Every method that ends in `_` does in place what its namesake does beside, and is recorded like it.

The cases come from the rows of `tensor_table`, so that an op is tested in place as soon as it has such a method.
`test_tensor_filling` has the random numbers.
"""

from __future__ import annotations

import numpy as np
import pytest
from in_place_table import FITTING, OTHER_GEOMETRY, ROWS, beside, in_place, method, sampled
from tensor_backend import TORCH, array, ours, pg, refused
from tensor_table import ALIASES

FILLING = {"bernoulli_", "exponential_", "log_normal_", "normal_", "random_", "uniform_"}
OF_AUTOGRAD = {"detach_", "requires_grad_"}


@ours("it has more of them")
def test_every_method_in_place_is_tested():
    in_place = {name for name in dir(pg.Tensor) if name.endswith("_") and not name.startswith("_")}
    aliases = {f"{alias}_" for alias in ALIASES} & in_place
    of_geometry = {f"{name}_" for name in OTHER_GEOMETRY}  # test_tensor_view_in_place
    assert in_place == {f"{row.op}_" for row in ROWS} | aliases | FILLING | OF_AUTOGRAD | of_geometry


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


def test_value_that_fills_a_place_twice_has_the_gradient_of_one():
    """The writing was that of an assignment, in which each time that a place is named counts."""
    value = pg.tensor(2.0, requires_grad=True)
    pg.index_fill(pg.zeros(4), 0, pg.tensor([1, 1, 2]), value).sum().backward()
    assert value.grad.item() == 2.0
    if not TORCH:  # which takes no negative ones
        pg.zeros(2, 4).index_fill_(1, pg.tensor([3, -1]), value).sum().backward()
        assert value.grad.item() == 4.0
