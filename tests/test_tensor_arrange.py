"""Pieces, diagonals, elements elsewhere and products by letters: what is shared, what is refused, what is at the edges.

Values and gradients of the usual cases have rows in `tensor_table`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, leaf, ours, pg, refused


def counted(*shape, dtype=np.float64):
    return np.arange(math.prod(shape), dtype=dtype).reshape(shape)


# ---- memory ---------------------------------------------------------------------------------------------------------

VIEWS = {
    "unflatten": lambda t: t.unflatten(1, (2, 2)),
    "movedim": lambda t: t.movedim(0, 1),
    "moveaxis": lambda t: t.moveaxis((0, 1), (1, 0)),
    "swapaxes": lambda t: t.swapaxes(0, 1),
    "swapdims": lambda t: t.swapdims(0, 1),
    "broadcast_to": lambda t: t.broadcast_to((2, 4, 4)),
    "diagonal": lambda t: t.diagonal(),
    "split": lambda t: t.split(2)[0],
    "chunk": lambda t: t.chunk(2, 1)[0],
    "unbind": lambda t: t.unbind(1)[0],
    "einsum": lambda t: pg.einsum("ij->ji", t),
    "einsum of a diagonal": lambda t: pg.einsum("ii->i", t),
}
COPIES = {
    "repeat": lambda t: t.repeat(1, 1),
    "repeat of one element": lambda t: t[:1, :1].repeat(3, 1),
    "tile": lambda t: t.tile(1),
    "flip": lambda t: t.flip(()),
    "roll": lambda t: t.roll(0),
    "tril": lambda t: t.tril(9),
    "triu": lambda t: t.triu(-9),
    "diag": lambda t: t.diag(),
    "pad": lambda t: pg.pad(t, (0, 0)),
}


@pytest.mark.parametrize("name", VIEWS)
def test_view_shares_memory(name):
    t = pg.tensor(counted(4, 4))
    view = VIEWS[name](t)
    t += 100
    assert array(view).min() >= 100


@pytest.mark.parametrize("name", COPIES)
def test_copy_has_memory_of_its_own(name):
    t = pg.tensor(counted(4, 4))
    copy = COPIES[name](t)
    before = array(copy).copy()
    t += 100
    np.testing.assert_array_equal(array(copy), before)
    copy += 1  # and its elements do not share theirs
    np.testing.assert_array_equal(array(copy), before + 1)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_elements_of_every_dtype_are_moved(dtype):
    a = (np.random.default_rng(0).integers(0, 9, (3, 4)) % (2 if dtype == "bool" else 9)).astype(dtype)
    t = pg.tensor(a)
    pairs = [
        (t.flip(0), a[::-1]), (t.roll((1, 3), (0, 1)), np.roll(a, (1, 3), (0, 1))), (t.tril(), np.tril(a)),
        (t.triu(1), np.triu(a, 1)), (t.diagonal(1), np.diagonal(a, 1)), (t[0].diag(), np.diag(a[0])),
        (t.repeat(2, 2), np.tile(a, (2, 2))), (t.split(3, 1)[1], a[:, 3:]), (t.unbind()[2], a[2]),
        (pg.pad(t, (1, 0), value=1), np.pad(a, ((0, 0), (1, 0)), constant_values=1)),
    ]  # fmt: skip
    if not (TORCH and dtype == "bool"):  # which it does not mirror
        pairs.append((pg.pad(t, (2, 1), "reflect"), np.pad(a, ((0, 0), (2, 1)), "reflect")))
    for got, wanted in pairs:
        assert dtype_name(got) == dtype
        np.testing.assert_array_equal(array(got), wanted)


# ---- pieces ---------------------------------------------------------------------------------------------------------


def test_pieces_without_a_gradient_count_as_zero():
    for pieces in (lambda x: x.split([1, 0, 2, 1], 1), lambda x: x.chunk(4, 1)):
        x = leaf(counted(2, 4))
        parts = pieces(x)
        parts[2].sum().backward()
        wanted = np.zeros((2, 4))
        first = sum(p.shape[1] for p in parts[:2])
        wanted[:, first : first + parts[2].shape[1]] = 1
        np.testing.assert_array_equal(array(x.grad), wanted)
    x = leaf(counted(3, 2))
    rows = x.unbind()
    (rows[0] * 2 + rows[2] * rows[2]).sum().backward()
    np.testing.assert_array_equal(array(x.grad), [[2, 2], [0, 0], [8, 10]])


def test_pieces_are_tuples():
    x = pg.zeros(4, 3)
    for pieces in (x.split(2), x.split([1, 3]), x.chunk(2), x.unbind(), pg.zeros(0, 3).unbind()):
        assert isinstance(pieces, tuple)
    assert pg.zeros(0, 3).unbind() == ()
    assert [p.shape for p in pg.zeros(0, 3).unbind(1)] == [(0,)] * 3
    assert [p.shape for p in pg.zeros(0, 2).chunk(3)] == [(0, 2)] * 3
    assert [p.shape for p in pg.zeros(0).split(2)] == [p.shape for p in pg.zeros(0).split(0)] == [(0,)]


def test_seventy_thousand_pieces_are_no_problem():
    n = 70_000
    for pieces in (lambda x: x.unbind(), lambda x: x.split(1)):
        x = leaf(np.ones(n))
        parts = pieces(x)
        assert len(parts) == n
        (parts[0] * 2.0 + parts[65_534] * 3.0 + parts[65_535] * 5.0 + parts[-1] * 7.0).sum().backward()
        wanted = np.zeros(n)
        wanted[[0, 65_534, 65_535, -1]] = 2, 3, 5, 7
        np.testing.assert_array_equal(array(x.grad), wanted)


def test_gradient_of_all_pieces_costs_one_pass():
    x = leaf(counted(5000, 20))
    total = x.unbind()[0]
    for row in x.unbind()[1:]:
        total = total + row
    total.sum().backward()
    np.testing.assert_array_equal(array(x.grad), np.ones((5000, 20)))


# ---- what is refused ------------------------------------------------------------------------------------------------

X = pg.tensor(counted(2, 3))
V = pg.tensor(counted(3))
S = pg.tensor(2.0)
REFUSED = {
    "flip twice": (lambda: X.flip(0, 0), RuntimeError, ("flip", 0)),
    "flip range": (lambda: X.flip(2), IndexError, ("flip", 2)),
    "roll align": (lambda: X.roll((1, 2), (0,)), RuntimeError, ("roll", 2)),
    "roll align without dims": (lambda: X.roll((1, 2)), RuntimeError, ("roll",)),
    "roll nothing": (lambda: X.roll((), ()), RuntimeError, ("roll",)),
    "roll range": (lambda: X.roll(1, 5), IndexError, ("roll", 5)),
    "roll scalar": (lambda: S.roll(1, 0), IndexError, ("roll",)),
    "tril": (lambda: V.tril(), RuntimeError, ("tril", (3,))),
    "triu": (lambda: S.triu(), RuntimeError, ("triu",)),
    "diagonal same": (lambda: X.diagonal(0, 1, -1), RuntimeError, ("diagonal", (2, 3))),
    "diagonal range": (lambda: V.diagonal(), IndexError, ("diagonal", 1)),
    "diag": (lambda: pg.zeros(2, 2, 2).diag(), RuntimeError, ("diag", (2, 2, 2))),
    "trace": (lambda: V.trace(), RuntimeError, ("trace", (3,))),
    "trace of bools": (lambda: pg.ones(2, 2).bool().trace(), NotImplementedError, ("trace",)),
    "split sum": (lambda: X.split([1, 1], 1), RuntimeError, ("split", (2, 3))),
    "split negative": (lambda: X.split(-1), RuntimeError, ("split", -1)),
    "split negative size": (lambda: X.split([-1, 3]), RuntimeError, ("split", -1)),
    "split zero": (lambda: X.split(0), RuntimeError, ("split", 0)),
    "split scalar": (lambda: S.split(1), RuntimeError, ("split",)),
    "split range": (lambda: X.split(1, 2), IndexError, ("split", 2)),
    "split float": (lambda: X.split(1.0), TypeError, ()),
    "chunk": (lambda: X.chunk(0), RuntimeError, ("chunk", 0)),
    "chunk scalar": (lambda: S.chunk(1), RuntimeError, ("chunk",)),
    "chunk float": (lambda: X.chunk(1.5), TypeError, ()),
    "unbind": (lambda: X.unbind(2), IndexError, ("unbind", 2)),
    "unbind scalar": (lambda: S.unbind(), IndexError, ("unbind",)),
    "unflatten product": (lambda: X.unflatten(1, (2, 2)), RuntimeError, ("unflatten", (2, 2), (2, 3))),
    "unflatten inferred": (lambda: X.unflatten(1, (-1, 2)), RuntimeError, ("unflatten", (2, 3))),
    "unflatten two": (lambda: X.unflatten(1, (-1, -1)), RuntimeError, ("unflatten",)),
    "unflatten nothing": (lambda: X.unflatten(1, ()), RuntimeError, ("unflatten",)),
    "unflatten range": (lambda: X.unflatten(2, (1,)), IndexError, ("unflatten", 2)),
    "unflatten scalar": (lambda: S.unflatten(0, (1,)), RuntimeError, ("unflatten",)),
    "unflatten empty": (lambda: pg.zeros(0, 3).unflatten(0, (-1, 0)), RuntimeError, ("unflatten", (0, 3))),
    "movedim align": (lambda: X.movedim((0, 1), (0,)), RuntimeError, ("movedim", (0, 1))),
    "movedim source": (lambda: X.movedim((0, 0), (0, 1)), RuntimeError, ("movedim", "source")),
    "movedim destination": (lambda: X.movedim((0, 1), (1, -1)), RuntimeError, ("movedim", "destination")),
    "movedim range": (lambda: X.movedim(0, 4), IndexError, ("movedim", 4)),
    "broadcast_to": (lambda: X.broadcast_to((4, 3)), RuntimeError, ((4, 3), (2, 3))),
    "repeat few": (lambda: X.repeat(2), RuntimeError, ("repeat", (2, 3))),
    "repeat negative": (lambda: X.repeat(-1, 1), RuntimeError, ("repeat", (2, 3))),
    "repeat nothing": (lambda: X.repeat(), TypeError, ()),
    "repeat beyond": (lambda: V.repeat(2**62), RuntimeError, ()),
    "tile negative": (lambda: X.tile(-1), RuntimeError, ("tile",)),
    "pad odd": (lambda: pg.pad(X, (1, 1, 1)), RuntimeError, ("pad", (2, 3))),
    "pad many": (lambda: pg.pad(X, (1,) * 6), RuntimeError, ("pad", (2, 3))),
    "pad scalar": (lambda: pg.pad(S, (1, 1)), RuntimeError, ("pad",)),
    "pad away": (lambda: pg.pad(X, (-4, 3)), RuntimeError, ("pad", -4)),
    "pad beyond": (lambda: pg.pad(X, (2**61, 2**61)), RuntimeError, ()),
    "pad value": (lambda: pg.pad(V.long(), (1, 1), value=1e30), RuntimeError, ()),
    "pad value of many": (lambda: pg.pad(X, (1, 1), value=V), TypeError, ()),
    "pad mode": (lambda: pg.pad(X, (1, 1), "mirror"), NotImplementedError, ("pad", "mirror")),
    "pad mode value": (lambda: pg.pad(X, (1, 1), "reflect", 1.0), RuntimeError, ("pad", "reflect")),
    "pad mode dims": (lambda: pg.pad(V, (1, 1), "replicate"), NotImplementedError, ("pad", (3,))),
    "pad reflect": (lambda: pg.pad(X, (3, 1), "reflect"), RuntimeError, ("pad", (2, 3))),
    "pad circular": (lambda: pg.pad(X, (4, 1), "circular"), RuntimeError, ("pad", (2, 3))),
    "pad nothing": (lambda: pg.pad(pg.zeros(2, 0), (1, 1), "replicate"), RuntimeError, ("pad", (2, 0))),
    "pad float": (lambda: pg.pad(X, (1.5, 1)), TypeError, ()),
    "pad int": (lambda: pg.pad(X, 1), TypeError, ()),
    "mm inner": (lambda: X.mm(X), RuntimeError, ((2, 3),)),
    "mm vector": (lambda: X.mm(V), RuntimeError, ("mm", "mat2", (3,))),
    "mm dtype": (lambda: X.mm(X.T.float()), RuntimeError, ("float32", "float64")),
    "bmm dims": (lambda: pg.zeros(2, 3, 2).bmm(pg.zeros(2, 2)), RuntimeError, ("bmm", (2, 2))),
    "bmm stack": (lambda: pg.zeros(2, 3, 2).bmm(pg.zeros(1, 2, 3)), RuntimeError, ("bmm", (1, 2, 3))),
    "bmm inner": (lambda: pg.zeros(2, 3, 2).bmm(pg.zeros(2, 3, 2)), RuntimeError, ("bmm", (2, 3, 2))),
    "mv matrix": (lambda: X.mv(X), RuntimeError, ("mv", (2, 3))),
    "mv size": (lambda: X.mv(V[:2]), RuntimeError, ((2, 3), (2,))),
    "dot dims": (lambda: V.dot(X), RuntimeError, ("dot", (2, 3))),
    "dot size": (lambda: V.dot(V[:2]), RuntimeError, ((3,), (2,))),
    "dot dtype": (lambda: V.dot(V.float()), RuntimeError, ("float32",)),
    "dot bools": (lambda: (V > 1).dot(V > 1), NotImplementedError, ("dot",)),
    "dot number": (lambda: V.dot(2.0), TypeError, ()),
    "outer": (lambda: V.outer(X), RuntimeError, ("outer", (2, 3))),
    "addmm shape": (lambda: pg.addmm(V, X, X.T), RuntimeError, ("addmm", (3,), (2, 2))),
    "addmm more": (lambda: pg.addmm(pg.zeros(1, 2, 2).double(), X, X.T), RuntimeError, ("addmm", (1, 2, 2))),
    "addmm dims": (lambda: pg.addmm(S, X, V), RuntimeError, ("addmm", "mat2")),
    "addmm dtype": (lambda: pg.addmm(S.float(), X, X.T), RuntimeError, ("addmm", "float32")),
    "baddbmm": (lambda: pg.baddbmm(S, pg.zeros(2, 3, 2), pg.zeros(2, 3, 2)), RuntimeError, ("baddbmm", (2, 3, 2))),
    "einsum few": (lambda: pg.einsum("ij,jk", X), (RuntimeError, ValueError), ("ij,jk",)),
    "einsum many": (lambda: pg.einsum("ij", X, X), RuntimeError, ("ij",)),
    "einsum none": (lambda: pg.einsum("ij"), ValueError, ("operand",)),
    "einsum dims": (lambda: pg.einsum("ijk", X), RuntimeError, ("ijk", (2, 3))),
    "einsum dims below": (lambda: pg.einsum("i", X), RuntimeError, ("i", (2, 3))),
    "einsum ellipsis": (lambda: pg.einsum("ijk...", X), RuntimeError, ("ijk...", (2, 3))),
    "einsum dots": (lambda: pg.einsum("i.j", X), RuntimeError, ("i.j",)),
    "einsum two ellipses": (lambda: pg.einsum("......", X), RuntimeError, ("......",)),
    "einsum digit": (lambda: pg.einsum("i1", X), RuntimeError, ("1",)),
    "einsum arrows": (lambda: pg.einsum("ij->i->j", X), RuntimeError, ("-",)),
    "einsum unknown": (lambda: pg.einsum("i->j", V), RuntimeError, ("j",)),
    "einsum twice": (lambda: pg.einsum("i,i->ii", V, V), RuntimeError, ("i",)),
    "einsum repeated": (lambda: pg.einsum("ii", X), RuntimeError, (2, 3)),
    "einsum repeated one": (lambda: pg.einsum("ii", pg.ones(1, 3)), RuntimeError, (1, 3)),
    "einsum sizes": (lambda: pg.einsum("ij,jk->ik", X, X), RuntimeError, ("j", 2, 3)),
    "einsum hidden sizes": (lambda: pg.einsum("...,...", X, V[:2]), RuntimeError, ("...", 2, 3)),
    "einsum dtypes": (lambda: pg.einsum("ij,j->i", X, V.long()), RuntimeError, ()),
    "einsum bools": (lambda: pg.einsum("i,i", V > 1, V > 1), NotImplementedError, ("einsum",)),
    "einsum number": (lambda: pg.einsum("i,", V, 2.0), (TypeError, AttributeError), ()),
    "einsum list range": (lambda: pg.einsum(X, [0, 52]), ValueError, (52,)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    call, error, naming = REFUSED[name]
    with refused(*(error if isinstance(error, tuple) else (error,)), naming=naming):
        call()


@ours("it truncates the factor")
def test_fraction_times_integers_is_refused():
    i = pg.ones(2, 2, dtype=pg.int64)
    with pytest.raises(RuntimeError, match="beta"):
        pg.addmm(i, i, i, beta=0.5)
    assert pg.addmm(i, i, i, beta=2, alpha=3).tolist() == [[8, 8], [8, 8]]


# ---- edges ----------------------------------------------------------------------------------------------------------


def test_tensor_without_dimensions():
    x = leaf(3.0)
    for same in (x.flip(()), x.flip(0), x.roll(5), x.movedim(0, -1), x.movedim((), ()), x.repeat(()), pg.pad(x, ())):
        assert same.shape == ()
        assert float(same) == 3.0
    y = x.repeat(2, 2).sum() + pg.einsum(",->", x, x)
    y.backward()
    assert float(x.grad) == 4 + 6
    assert pg.einsum("", x).shape == ()


def test_offset_far_outside_is_an_empty_diagonal():
    x = leaf(counted(2, 3))
    for offset in (5, -5, 2**62, -(2**62)):
        d = x.diagonal(offset)
        assert d.shape == (0,)
        assert array(x.tril(-offset if offset > 0 else offset)).sum() == 0
    (x.diagonal(7).sum() + x.sum()).backward()
    np.testing.assert_array_equal(array(x.grad), np.ones((2, 3)))


@pytest.mark.parametrize("name", ["addmm", "baddbmm"])
def test_factor_of_zero_hides_what_is_not_finite(name):
    shape = (2, 2) if name == "addmm" else (3, 2, 2)
    f, a, bad = getattr(pg, name), pg.ones(*shape), pg.full(shape, math.nan)
    np.testing.assert_array_equal(array(f(bad, a, a, beta=0)), np.full(shape, 2.0))
    product = array(f(a, bad, a, alpha=0))
    assert (product == 1).all() if name == "addmm" else np.isnan(product).all()
    x = pg.full(shape, math.nan).requires_grad_()
    f(x, a, a, beta=0).sum().backward()
    np.testing.assert_array_equal(array(x.grad), np.zeros(shape))


def test_pad_fills_integers_with_a_truncated_number():
    assert pg.pad(pg.tensor([1, 2]), (1, 1), value=1.5).tolist() == [1, 1, 2, 1]
    assert TORCH or pg.pad(pg.tensor([1, 2]), (1, 0), value=2**53 + 1).tolist() == [2**53 + 1, 1, 2]
    assert pg.pad(pg.tensor([1, 2]), (1, 0), value=None).tolist() == [0, 1, 2]


def test_pad_takes_no_value_that_wants_a_gradient():
    assert pg.pad(pg.zeros(1), (1, 0), value=pg.tensor(2.0)).tolist() == [2.0, 0.0]
    with refused(TypeError, naming=("gradient",)):
        pg.pad(pg.zeros(1), (1, 0), value=leaf(2.0))


def test_pad_of_negative_margins_in_every_mode():
    x = pg.tensor(counted(2, 3))
    assert pg.pad(x, (-1, 1), "reflect").tolist() == [[1, 2, 1], [4, 5, 4]]
    assert pg.pad(x, (-1, 1), "replicate").tolist() == [[1, 2, 2], [4, 5, 5]]
    assert pg.pad(x, (-1, 1), "circular").tolist() == [[1, 2, 1], [4, 5, 4]]


def test_pads_come_from_the_last_dimension():
    assert pg.pad(pg.zeros(1, 2, 3), (1, 0, 0, 4)).shape == (1, 6, 4)


def test_arguments_have_pytorchs_names():
    x = pg.tensor(counted(2, 3))
    assert pg.flip(x, dims=(0,)).shape == (2, 3)
    assert x.repeat(repeats=(2, 1)).shape == (4, 3)
    assert x.tile(dims=(2,)).shape == (2, 6)
    assert x.broadcast_to(size=(1, 2, 3)).shape == (1, 2, 3)
    assert len(x.split(split_size=1, dim=1)) == len(pg.split(x, split_size_or_sections=1, dim=1)) == 3
    assert pg.movedim(x, source=0, destination=1).shape == (3, 2)
    assert pg.swapaxes(x, axis0=0, axis1=1).shape == pg.swapdims(x, dim0=0, dim1=1).shape == (3, 2)
    assert x.roll(shifts=1, dims=0).shape == (2, 3)
    assert x.diagonal(offset=1, dim1=1, dim2=0).tolist() == [3.0]
    v = pg.ones(3)
    assert float(pg.dot(v, tensor=v)) == 3
    assert pg.outer(v, vec2=v).shape == (3, 3)
    assert pg.mv(x.float(), vec=v).shape == (2,)
    assert pg.mm(x, mat2=x.T).shape == pg.addmm(x[:, :2], mat1=x, mat2=x.T).shape == (2, 2)


@ours("it has no values")
def test_dot_is_for_values_too():
    a, b = pg.Value(2.0), pg.Value(3.0)
    y = pg.dot([a, b], [4.0, 5.0])
    y.backward()
    assert (y.data, a.grad, b.grad) == (23.0, 4.0, 5.0)
    assert float(pg.dot(pg.tensor([2.0, 3.0]), pg.tensor([4.0, 5.0]))) == 23.0
    with pytest.raises(TypeError):
        pg.dot(pg.tensor([2.0]), [1.0])
    with pytest.raises(TypeError):
        pg.dot([a], pg.tensor([2.0]))


# ---- einsum ---------------------------------------------------------------------------------------------------------


def test_letters_of_a_result_that_is_left_out_are_in_order_capitals_first():
    x = pg.tensor(counted(2, 3))
    assert pg.einsum("aB", x).shape == (3, 2)
    assert pg.einsum("ba", x).shape == (3, 2)
    assert pg.einsum("i...", x).shape == (3, 2)
    assert pg.einsum("b...,...b", x, x.T).shape == (3,)


def test_blanks_and_lists_are_read():
    x = pg.tensor(counted(2, 3))
    wanted = counted(2, 3) @ counted(2, 3).T
    for got in (
        pg.einsum(" i j , k j -> i k ", x, x), pg.einsum("ij,kj->ik", [x, x]),
        pg.einsum(x, [0, 1], x, [2, 1], [0, 2]), pg.einsum(x, [0, 30], x, [2, 30]),
        pg.einsum(x, [..., 1], x, [2, 1], [..., 2]),
    ):  # fmt: skip
        np.testing.assert_array_equal(array(got), wanted)


def test_integers_are_multiplied_as_integers():
    i = pg.tensor([2**40 + 1, 3])
    assert pg.einsum("i,i", i, i).tolist() == ((2**40 + 1) ** 2 + 9 + 2**63) % 2**64 - 2**63
    assert pg.einsum("i,i->i", i, i).tolist()[1] == 9


def test_ellipsis_that_stands_for_nothing():
    v = pg.tensor([1.0, 2.0])
    assert pg.einsum("i->i...", v).tolist() == [1.0, 2.0]
    assert float(pg.einsum("i->...", v)) == 3.0
    assert float(pg.einsum("...i,...i", v, v)) == 5.0


def test_same_tensor_three_times_gets_all_its_gradients():
    a = np.random.default_rng(3).normal(size=(3, 3))
    x = leaf(a)
    pg.einsum("ij,jk,ki", x, x, x).backward()
    np.testing.assert_allclose(array(x.grad), 3 * (a @ a).T, rtol=1e-13)


PROGRAMS = 200


def random_program(rng):
    """Return an equation and shapes that go with it."""
    letters = list("abcDe")
    sizes = {letter: int(rng.integers(1, 4)) for letter in letters}
    terms, shapes = [], []
    ellipsis = rng.random() < 0.3
    hidden = [int(n) for n in rng.integers(1, 4, 2)]
    for _ in range(rng.integers(1, 4)):
        term = [str(x) for x in rng.choice(letters, rng.integers(0, 4))]
        shape = [sizes[x] for x in term]
        if ellipsis and rng.random() < 0.7:
            at, many = int(rng.integers(0, len(term) + 1)), int(rng.integers(0, 3))
            term.insert(at, "...")
            shape[at:at] = [n if rng.random() < 0.8 else 1 for n in hidden[2 - many :]]
        terms.append("".join(term))
        shapes.append(shape)
    equation = ",".join(terms)
    if rng.random() < 0.7:
        there = sorted({x for x in equation if x.isalpha()})
        kept = [str(x) for x in rng.permutation(there)[: rng.integers(0, len(there) + 1)]] if there else []
        if "..." in equation:
            kept.insert(int(rng.integers(0, len(kept) + 1)), "...")
        equation += "->" + "".join(kept)
    return equation, shapes


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_random_equation_is_numpys(seed):
    rng = np.random.default_rng(seed)
    equation, shapes = random_program(rng)
    arrays = [rng.integers(-3, 4, shape).astype(np.float64) for shape in shapes]
    xs = [leaf(a) for a in arrays]
    y = pg.einsum(equation, *xs)
    wanted = np.asarray(np.einsum(equation, *arrays))
    assert y.shape == wanted.shape, equation
    np.testing.assert_array_equal(array(y), wanted, err_msg=equation)  # small integers: exact
    g = rng.integers(-3, 4, wanted.shape).astype(np.float64)
    y.backward(pg.tensor(g))
    for i, a in enumerate(arrays):
        # Linear in each operand: the derivative towards a direction is the value with the direction in its place.
        direction = rng.integers(-3, 4, a.shape).astype(np.float64)
        towards = np.einsum(equation, *arrays[:i], direction, *arrays[i + 1 :])
        assert (array(xs[i].grad) * direction).sum() == (g * towards).sum(), equation
