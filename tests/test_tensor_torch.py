"""PyTorch, where it is installed, as the judge of tensors: ops over many shapes and dtypes, and whole trainings."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
import pytest
from tensor_backend import TORCH, array, dtype_name, ours, pg
from tensor_table import TABLE, as_torch_index

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing here is compared with it")
F = torch.nn.functional
torch.set_num_threads(1)  # on tensors this small more of them only wait for each other
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}

# Numbers at every edge that elementwise functions have, in every pairing.
EDGES = np.array([-np.inf, -1000.0, -6.0, -3.0, -1.0, -0.5, -0.0, 0.0, 1e-30, 0.5, 1.0, 2.0, 3.0, 6.0, 25.0, 1000.0,
                  np.inf, np.nan])  # fmt: skip


def theirs(name):
    home = F if hasattr(F, name) else torch
    return getattr(home, name)


def both(f, arrays, dtype, options=None):
    """Return (value, gradients) of pygrad and of PyTorch; f takes the module that it finds names in."""
    results = []
    for make, find in ((pg.tensor, lambda name: getattr(pg, name)), (torch.tensor, theirs)):
        tensors = [make(np.asarray(a, dtype=dtype)).requires_grad_() for a in arrays]
        out = f(find)(*tensors, **(options or {}))
        cotangent = np.random.default_rng(0).uniform(0.5, 1.5, tuple(out.shape)).astype(dtype)
        out.backward(make(cotangent))
        results.append((array(out), [array(t.grad) for t in tensors]))
    return results


def assert_alike(got, wanted, dtype, roundings=32, scale=0.0):
    """Equal up to roundings of the largest number, of 1 at most, or of the terms that made it, of size `scale`."""
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    finite = np.abs(wanted[np.isfinite(wanted)]).max(initial=scale)
    np.testing.assert_allclose(
        got, wanted, rtol=roundings * UNIT[dtype], atol=roundings * UNIT[dtype] * min(finite, 1.0)
    )


UNARY = {
    "neg": {}, "exp": {}, "log": {}, "log1p": {}, "expm1": {}, "sqrt": {}, "rsqrt": {}, "square": {}, "reciprocal": {},
    "abs": {}, "sign": {}, "tanh": {}, "sigmoid": {}, "erf": {}, "relu": {}, "leaky_relu": {}, "gelu": {},
    "silu": {}, "softplus": {}, "mish": {}, "hardtanh": {}, "relu6": {}, "logsigmoid": {},
    "exp2": {}, "log2": {}, "log10": {}, "asin": {}, "acos": {}, "atan": {}, "sinh": {}, "cosh": {}, "floor": {},
    "ceil": {}, "round": {}, "trunc": {},
}  # fmt: skip

# Where PyTorch's own body and tail of a vector, or its two precisions, disagree on NaN or inf * 0: no judge there.
NO_JUDGE = {
    "gelu": lambda x: ~np.isfinite(x), "silu": lambda x: ~np.isfinite(x), "mish": lambda x: ~np.isfinite(x),
    "softplus": lambda x: np.isnan(x), "leaky_relu": lambda x: np.isnan(x), "hardtanh": lambda x: np.isnan(x),
    "relu6": lambda x: np.isnan(x), "logsigmoid": lambda x: ~np.isfinite(x), "erf": lambda x: np.isnan(x),
}  # fmt: skip


@ours("it would be compared with itself")
@pytest.mark.parametrize("dtype", UNIT)
@pytest.mark.parametrize("name", UNARY)
def test_unary_function_at_every_edge(name, dtype):
    x = EDGES[~NO_JUDGE.get(name, lambda x: np.zeros(x.shape, dtype=bool))(EDGES)]
    for at in (x, np.tile(x, 5)):
        (value, gradients), (wanted, wanted_gradients) = both(lambda find: find(name), [at], dtype, UNARY[name])
        assert_alike(value, wanted, dtype)
        assert_alike(gradients[0], wanted_gradients[0], dtype)


@ours("it would be compared with itself")
@pytest.mark.parametrize("dtype", UNIT)
@pytest.mark.parametrize(
    "name", "add sub mul div pow maximum minimum fmax fmin remainder fmod hypot atan2 logaddexp".split()
)
def test_binary_function_at_every_pair_of_edges(name, dtype):
    a, b = (np.array(side) for side in zip(*itertools.product(EDGES, repeat=2), strict=True))
    if name == "atan2" and dtype == "float32":  # of 1e-30 PyTorch takes the square, which is 0 then
        apart = (np.abs(a) != 1e-30) & (np.abs(b) != 1e-30)
        a, b = a[apart], b[apart]
    (value, gradients), (wanted, wanted_gradients) = both(lambda find: find(name), [a, b], dtype)
    assert_alike(value, wanted, dtype)
    for got, want in zip(gradients, wanted_gradients, strict=True):
        assert_alike(got, want, dtype, roundings=64)


@ours("it would be compared with itself")
@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4])
def test_power_by_a_number_at_every_edge(exponent):
    # PyTorch 2.13 takes roots for half-integer exponents: NaN at -inf and -inf at -0, where C's pow, and so a tensor
    # as exponent, gives inf.
    apart = (EDGES == -np.inf) | ((EDGES == 0) & np.signbit(EDGES))
    x = EDGES[(np.abs(EDGES) != 1e-30) & (~apart | (exponent % 1 == 0))]
    (value, gradients), (wanted, wanted_gradients) = both(lambda _find: lambda t: t**exponent, [x], "float64")
    assert_alike(value, wanted, "float64")
    assert_alike(gradients[0], wanted_gradients[0], "float64")


FLOAT_ROWS = [row for row in TABLE if row.differentiable() and row.call is None]


@ours("it would be compared with itself")
@pytest.mark.parametrize("dtype", UNIT)
@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda row: row.name)
def test_row_of_the_table_is_pytorchs(row, dtype):
    for c in row.cases:
        rng = np.random.default_rng(zlib.crc32(f"torch {row.name} {c}".encode()))
        arrays = [np.asarray(given.sample(rng, shape)) for given, shape in zip(row.inputs, c.shapes, strict=True)]
        outs = []
        for make, find in ((pg.tensor, lambda name: getattr(pg, name)), (torch.tensor, theirs)):
            tensors = []
            for given, a in zip(row.inputs, arrays, strict=True):
                t = make(a.astype(dtype if given.dtype == "float" else given.dtype))
                tensors.append(t.requires_grad_() if given.differentiable else t)
            out = find(row.op)(*tensors, **c.options)
            out.backward(make(np.random.default_rng(1).uniform(-1, 1, tuple(out.shape)).astype(dtype)))
            outs.append([array(out), *(array(tensors[i].grad) for i in row.differentiable())])
        scale = row.scale(*arrays) if row.scale else 1.0
        for got, want in zip(*outs, strict=True):
            terms = max(1.0, max(a.size for a in arrays) / max(got.size, 1), scale)
            assert_alike(got, want, dtype, roundings=32 * terms, scale=0.1)


@ours("it would be compared with itself")
def test_integer_arithmetic_is_pytorchs():
    rng = np.random.default_rng(2)
    for a, b in itertools.product(["uint8", "int32", "int64"], repeat=2):
        x, y = (rng.integers(0, 250, 40).astype(d) for d in (a, b))
        for f in (lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / q, lambda p, q: p < q,
                  lambda p, q: p**2, lambda p, q: p & q, lambda p, q: p ^ q):  # fmt: skip
            got, want = f(pg.tensor(x), pg.tensor(y)), f(torch.tensor(x), torch.tensor(y))
            assert dtype_name(got) == dtype_name(want)
            np.testing.assert_array_equal(array(got), array(want))


@ours("it would be compared with itself")
def test_division_of_integers_is_pytorchs():
    rng = np.random.default_rng(3)
    for a, b in itertools.product(["uint8", "int32", "int64"], repeat=2):
        x = rng.integers(0 if a == "uint8" else -200, 200, 60).astype(a)
        y = (rng.integers(1, 20, 60) * (1 if b == "uint8" else rng.choice([-1, 1], 60))).astype(b)
        for f in (lambda p, q: p % q, lambda p, q: p // q, lambda p, q: p.fmod(q), lambda p, q: p.fmax(q),
                  lambda p, q: p.fmin(q), lambda p, q: p % 7, lambda p, q: 100 // q, lambda p, q: 100 % q):  # fmt: skip
            got, want = f(pg.tensor(x), pg.tensor(y)), f(torch.tensor(x), torch.tensor(y))
            assert dtype_name(got) == dtype_name(want)
            np.testing.assert_array_equal(array(got), array(want))


@ours("it would be compared with itself")
def test_indexing_where_numpy_differs_is_pytorchs():
    a = np.arange(120.0).reshape(2, 3, 4, 5)
    for index in [
        (1, slice(None), [0, 0]), (1, slice(None), slice(None), [0, 3, 1]), ([0, 1], slice(None), 2),
        (slice(None), 0, slice(None), [1, 2]), (0, ..., [1, 2]), (None, 1, slice(None), [0, 1]),
        (np.array([0, 1]), slice(None), 1, slice(1, 3)), (0, [1, 2], slice(None), [0, 4]),
        (slice(None), [1, 2], None, [0, 3]),
    ]:  # fmt: skip
        torchs = tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)
        want = torch.tensor(a)[torchs]
        got = pg.tensor(a)[as_torch_index(index)]
        assert got.shape == tuple(want.shape)
        np.testing.assert_array_equal(array(got), array(want))


@ours("it would be compared with itself")
def test_repr_is_pytorchs():
    rng = np.random.default_rng(3)
    for _ in range(200):
        shape = tuple(rng.integers(0, 4, rng.integers(0, 4)))
        scale = 10.0 ** rng.integers(-6, 9)
        a = rng.normal(0, scale, shape)
        a = np.round(a) if rng.random() < 0.4 else a
        if a.size and rng.random() < 0.2:
            a.flat[0] = rng.choice([np.nan, np.inf, -np.inf])
        dtype = rng.choice(["float32", "float64"])
        text = repr(torch.tensor(a.astype(dtype)))
        assert repr(pg.tensor(a.astype(dtype))).replace("pygrad.", "torch.") == text


# ---- random graphs --------------------------------------------------------------------------------------------------


def broadcastable(a, b):
    return all(m == n or 1 in (m, n) for m, n in zip(a.shape[::-1], b.shape[::-1], strict=False))


def random_op(rng, find, a, b, weight):
    """Return a random op of a, and of b where they broadcast, and whether it can make values grow.

    No maximum among the ops: numbers that are equal but for roundings may tie in one library and not in the other.
    """
    kind, n, d = rng.integers(19), a.dim(), int(rng.integers(max(a.dim(), 1)))
    if kind < 6:
        b = b if broadcastable(a, b) else a
        ops = (
            lambda: a + b,
            lambda: a - b,
            lambda: a * b,
            lambda: a / (b * b + 0.5),
            lambda: 2.0 - b / 3 * a,
            lambda: find("where")(a > 0.75, a, b * 0.5),
        )
        return ops[kind](), True
    if kind < 9:
        names = ("tanh", "sigmoid", "gelu", "softplus", "silu", "sin", "logsigmoid")
        return find(names[rng.integers(len(names))])(a), False
    if kind == 9:
        return (a.sum, a.mean, a.logsumexp)[rng.integers(3)](d, keepdim=bool(rng.integers(2))), True
    if kind == 10:
        return find("softmax")(a, d) + find("log_softmax")(a, d), True
    if kind == 11:
        return a.permute(*rng.permutation(n).tolist()) if n else a.reshape(1), False
    if kind == 12:
        return a.reshape(-1) if n > 1 else a.unsqueeze(0), False
    if kind == 13:
        return a[..., :: int(rng.integers(1, 3))] if n else a[None], False
    if kind == 14:
        return a[rng.integers(0, a.shape[0], 3).tolist()] if n else a.expand(2), False
    if kind == 15:
        return find("cat")([a, a * 0.5], dim=d) if n else find("stack")([a, a + 1]), False
    if kind == 16:
        return (a @ (a.transpose(-1, -2) if n > 1 else a) if n else a * a), True
    if kind == 17:
        out = a.clone()
        out += find("tanh")(b) if broadcastable(a, b) and (a + b).shape == a.shape else 0.5
        return out.mul_(0.75), False
    if n and a.shape[-1] == weight.shape[1]:
        return find("linear")(a, weight), True
    return (a.unsqueeze(d).expand(*a.shape[:d], 2, *a.shape[d:]) if n else a**2), True


def grown(make, find, seed, length=25):
    """Return (values, gradients) of a graph of random ops, the same for a seed whatever the library."""
    rng = np.random.default_rng(seed)
    leaves = [make(rng.uniform(0.5, 1.5, s)).requires_grad_() for s in [(3, 4), (4,), (3, 1), (2, 3, 4), (), (1,)]]
    pool = list(leaves)
    for _ in range(length):
        a, b = (pool[rng.integers(len(pool))] for _ in range(2))
        out, grows = random_op(rng, find, a, b, leaves[0])
        while out.numel() > 400 or out.dim() > 4:
            out = out.mean(0)
        pool.append(find("tanh")(out) * 1.5 if grows else out)
    loss = sum(find("tanh")(t).mean() for t in pool)
    loss.backward()
    return [array(t) for t in pool], [array(t.grad) for t in leaves]


@ours("it would be compared with itself")
@pytest.mark.parametrize("seed", range(100))
def test_random_graph_is_pytorchs(seed):
    values, gradients = grown(pg.tensor, lambda name: getattr(pg, name), seed)
    their_values, their_gradients = grown(torch.tensor, theirs, seed)
    # 25 ops deep, each a few roundings and a derivative of a few units.
    for got, want in zip([*values, *gradients], [*their_values, *their_gradients], strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-11)


def test_random_graphs_are_finite_and_reach_their_leaves():
    for seed in range(5):
        _, gradients = grown(torch.tensor, theirs, seed)
        assert all(np.isfinite(g).all() and g.shape for g in gradients[:4])
        assert any((g != 0).any() for g in gradients)


# ---- trainings ------------------------------------------------------------------------------------------------------


def sgd(module, parameters, lr=0.05, momentum=0.9):
    """Return the step p -= lr * v, v = momentum * v + g, on either library."""
    buffers = {}

    def step():
        with module.no_grad():
            for i, p in enumerate(parameters):
                buffers[i] = p.grad.clone() if i not in buffers else buffers[i] * momentum + p.grad
                p -= lr * buffers[i]
                p.grad = None

    return step


def adam(module, parameters, lr=0.01, betas=(0.9, 0.999), eps=1e-8):
    """Return Adam's step (Kingma and Ba, 2015, algorithm 1), on either library."""
    m, v, t = {}, {}, [0]

    def step():
        t[0] += 1
        with module.no_grad():
            for i, p in enumerate(parameters):
                g = p.grad
                m[i] = (1 - betas[0]) * g + (m[i] * betas[0] if i in m else 0.0)
                v[i] = (1 - betas[1]) * g * g + (v[i] * betas[1] if i in v else 0.0)
                p -= lr * (m[i] / (1 - betas[0] ** t[0])) / ((v[i] / (1 - betas[1] ** t[0])).sqrt() + eps)
                p.grad = None

    return step


def trained(module, find, make_step, dtype, steps, activation):
    """Return the losses and the parameters of a 5-16-8-3 network on 40 fixed samples in batches of 10."""
    rng = np.random.default_rng(4)
    x, y = module.tensor(rng.normal(size=(40, 5)).astype(dtype)), module.tensor(rng.integers(0, 3, 40))
    parameters = []
    for fan_in, fan_out in ((5, 16), (16, 8), (8, 3)):
        weight = rng.normal(0, (2 / fan_in) ** 0.5, (fan_out, fan_in)).astype(dtype)
        parameters += [
            module.tensor(weight).requires_grad_(),
            module.zeros(fan_out, dtype=module.float64).requires_grad_(),
        ]
    if dtype == "float32":
        parameters = [p.detach().float().requires_grad_() for p in parameters]
    step, losses = make_step(module, parameters), []
    for k in range(steps):
        batch = slice(10 * (k % 4), 10 * (k % 4) + 10)
        h = x[batch]
        for i in (0, 2):
            h = find(activation)(find("linear")(h, parameters[i], parameters[i + 1]))
        loss = find("cross_entropy")(find("linear")(h, parameters[4], parameters[5]), y[batch])
        loss.backward()
        step()
        losses.append(loss.item())
    return np.array(losses), [array(p) for p in parameters]


@ours("it would be compared with itself")
@pytest.mark.parametrize("make_step", [sgd, adam], ids=["sgd", "adam"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "silu"])
def test_float64_training_follows_pytorchs(activation, make_step):
    ours_, ours_parameters = trained(pg, lambda name: getattr(pg, name), make_step, "float64", 100, activation)
    losses, parameters = trained(torch, theirs, make_step, "float64", 100, activation)
    # Roundings of 1e-16 grow by the curvature, at most a few percent a step.
    np.testing.assert_allclose(ours_, losses, rtol=1e-10)
    for got, want in zip(ours_parameters, parameters, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@ours("it would be compared with itself")
def test_float32_training_follows_pytorchs_for_a_while():
    ours_, _ = trained(pg, lambda name: getattr(pg, name), sgd, "float32", 20, "tanh")
    losses, _ = trained(torch, theirs, sgd, "float32", 20, "tanh")
    np.testing.assert_allclose(ours_, losses, rtol=1e-4)


@pytest.mark.parametrize(("make_step", "theirs_"), [(sgd, "SGD"), (adam, "Adam")], ids=["sgd", "adam"])
def test_the_steps_written_here_are_pytorchs_optimisers(make_step, theirs_):
    def library(_module, parameters):
        options = {"lr": 0.05, "momentum": 0.9} if theirs_ == "SGD" else {"lr": 0.01}
        optimiser = getattr(torch.optim, theirs_)(parameters, **options)

        def step():
            optimiser.step()
            optimiser.zero_grad()

        return step

    ours_, _ = trained(torch, theirs, make_step, "float64", 50, "tanh")
    losses, _ = trained(torch, theirs, library, "float64", 50, "tanh")
    np.testing.assert_allclose(ours_, losses, rtol=1e-10)
    assert losses[-1] < losses[0]
    assert TORCH or pg is not torch
