"""PyTorch, where it is installed, as the judge of values and gradients: same inputs, float64 on both sides."""

from __future__ import annotations

import itertools
import math
import random
from math import inf, nan

import oracle
import pytest
from oracle import EPS, apply, close

import pygrad
from pygrad import Value, nn, optim
from pygrad._engine import ffi, op_table

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing here is compared with it")
F = torch.nn.functional

ROWS = {ffi.string(row.name).decode(): row for row in op_table()}

FUNCTIONS = {
    "neg": torch.neg,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "abs": torch.abs,
    "sign": torch.sign,
    "sin": torch.sin,
    "cos": torch.cos,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
    "logsigmoid": F.logsigmoid,
    "selu": F.selu,
    "mish": F.mish,
    "exp2": torch.exp2,
    "log2": torch.log2,
    "log10": torch.log10,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "trunc": torch.trunc,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "remainder": torch.remainder,
    "fmod": torch.fmod,
    "hypot": torch.hypot,
    "atan2": torch.atan2,
    "logaddexp": torch.logaddexp,
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "leaky_relu": lambda x, slope: F.prelu(x.reshape(1), slope.reshape(1))[0],
    "elu": lambda x, alpha: F.elu(x, alpha.item()),  # without a gradient for alpha
    "swish": lambda x, beta: x * torch.sigmoid(beta * x),
    "bce_with_logits": lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none"),
}
UNARY = [name for name, row in ROWS.items() if row.arity == 1]
BINARY = [name for name, row in ROWS.items() if row.arity == 2]

EDGES = [
    0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 6.0, 20.0, 20.5, 30.0, -30.0, 1000.0,
    -1000.0, 1e-300, -1e-300, 5e-324, 1e10, -1e10, 1e100, -1e100,
]  # fmt: skip


def leaf(x):
    return torch.tensor(float(x), dtype=torch.float64, requires_grad=True)


def torchs(name, operands):
    leaves = [leaf(x) for x in operands]
    y = FUNCTIONS[name](*leaves)
    y.backward()
    return y.item(), [None if x.grad is None else x.grad.item() for x in leaves]


def ours(name, operands):
    leaves = [Value(x) for x in operands]
    y = apply(name, *leaves)
    y.backward()
    return y.data, [x.grad for x in leaves]


def rooms(name, operands, number):
    """Return how far two libraries may be apart, whose vector functions are right to an ulp or two."""
    x = operands[0] if math.isfinite(operands[0]) else 1.0
    # In the tail of gelu a rounding of the argument counts for x^2.
    condition = 1.0 + min(abs(x), 40.0) ** (2 if name in ("gelu", "gelu_tanh", "erfc") else 1)
    absolute = 1.0 + min(abs(x), 40.0) if name in oracle.DIFFERENCE_OF_ONES or name in ("gelu", "mish") else 0.0
    return 16 * EPS * (condition * abs(number) + absolute) + 2 * oracle.TINIEST if math.isfinite(number) else 0.0


def compare(name, operands):
    value, gradients = ours(name, operands)
    wanted, wanted_gradients = torchs(name, operands)
    complaints = []
    if not (close(value, wanted, rooms(name, operands, wanted)) or value == wanted):
        complaints.append(f"{name}{operands} = {value}, torch {wanted}")
    for i, (actual, gradient) in enumerate(zip(gradients, wanted_gradients, strict=True)):
        if gradient is None or actual == gradient or close(actual, gradient, rooms(name, operands, gradient)):
            continue
        complaints.append(f"{name}{operands} = {value}: gradient {i} is {actual}, torch {gradient}")
    return complaints


def test_every_row_has_its_function_in_torch():
    assert set(FUNCTIONS) == set(ROWS)


@pytest.mark.parametrize("name", UNARY)
def test_row_of_one_operand_has_torchs_value_and_gradient(name):
    generator = random.Random(1)
    spread = [generator.gauss(0, 1) * 10 ** generator.uniform(-3, 1.3) for _ in range(200)]
    assert [c for x in EDGES + spread for c in compare(name, (x,))] == []


def comparable(name, a, b):
    if name == "bce_with_logits":  # inf * 0 stands in both formulas, in different places
        return not (math.isinf(a) or math.isinf(b))
    if name == "atan2" and any(0.0 < abs(x) < 1e-150 for x in (a, b)):  # whose squares are 0: torch makes it 0
        return False
    return not (name == "elu" and not math.isfinite(b))  # nor is alpha ever anything but a number


@pytest.mark.parametrize("name", BINARY)
def test_row_of_two_operands_has_torchs_value_and_gradients(name):
    generator = random.Random(2)
    spread = [tuple(generator.gauss(0, 1) * 10 ** generator.uniform(-2, 1) for _ in range(2)) for _ in range(200)]
    pairs = [p for p in itertools.product(EDGES, EDGES) if comparable(name, *p)]
    assert [c for p in pairs + spread for c in compare(name, p)] == []


@pytest.mark.parametrize("slope", [0.01, 0.3])
def test_leaky_relu_and_elu_with_a_number(slope):
    for x in EDGES:
        for mine, theirs in (
            (lambda v, s=slope: v.leaky_relu(s), lambda t, s=slope: F.leaky_relu(t, s)),
            (lambda v, s=slope: v.elu(s), lambda t, s=slope: F.elu(t, s)),
        ):
            if math.isnan(x):
                continue
            v, t = Value(x), leaf(x)
            y, z = mine(v), theirs(t)
            y.backward()
            z.backward()
            assert y.data == pytest.approx(z.item(), rel=4 * EPS, abs=0.0), x
            assert v.grad == pytest.approx(t.grad.item(), rel=4 * EPS, abs=0.0), x


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -1, -2, -0.5, 1 / 3, 10, nan, inf])
def test_power_by_a_number_has_torchs_gradient(exponent):
    for x in EDGES:
        if abs(exponent) == 0.5 and (oracle.same(x, -0.0) or x == -inf):
            continue  # torch takes a square root here, where IEEE 754 has pow(-0.0, -0.5) = pow(-inf, 0.5) = inf
        v, t = Value(x), leaf(x)
        y, z = v**exponent, t**exponent
        y.backward()
        z.backward()
        assert y.data == pytest.approx(z.item(), rel=8 * EPS, abs=0.0, nan_ok=True), x
        assert v.grad == pytest.approx(t.grad.item(), rel=8 * EPS, abs=0.0, nan_ok=True), x


@pytest.mark.parametrize("base", [0.0, 2.0, 0.5, 1.0, -2.0, inf, nan])
def test_number_to_the_power_of_a_value_has_torchs_gradient(base):
    for x in EDGES:
        v, t = Value(x), leaf(x)
        y, z = base**v, base**t
        y.backward()
        z.backward()
        assert y.data == pytest.approx(z.item(), rel=8 * EPS, abs=0.0, nan_ok=True), x
        assert v.grad == pytest.approx(t.grad.item(), rel=8 * EPS, abs=0.0, nan_ok=True), x


LISTS = [
    [0.3, -1.2, 2.0], [0.0], [1000.0, -1000.0], [-1000.0, -1001.0, -999.5], [1e10, 1.0], [-inf, 1.0], [-inf, -inf],
    [inf, 1.0], [nan, 1.0], [2.0, 2.0, 2.0],
]  # fmt: skip


@pytest.mark.parametrize("numbers", LISTS, ids=str)
def test_logsumexp_softmax_and_cross_entropy_are_torchs(numbers):
    room = {"rel": 1e-13, "abs": 1e-13, "nan_ok": True}  # exp(x - y) with x and y near 1000: 1000 roundings of 1e-16
    if max(map(abs, numbers)) == 1e10:
        room["rel"] = room["abs"] = 1e-5
    functions = [
        (pygrad.logsumexp, lambda t: torch.logsumexp(t, 0)),
        (lambda v: pygrad.log_softmax(v)[0], lambda t: torch.log_softmax(t, 0)[0]),
        (lambda v: pygrad.softmax(v)[0], lambda t: torch.softmax(t, 0)[0]),
        (lambda v: pygrad.cross_entropy(v, 0), lambda t: F.cross_entropy(t, torch.tensor(0))),
    ]
    for mine, theirs in functions if all(map(math.isfinite, numbers)) else functions[:1]:
        v = [Value(x) for x in numbers]
        t = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        y, z = mine(v), theirs(t)
        y.backward()
        z.backward()
        assert y.data == pytest.approx(z.item(), **room)
        assert [x.grad for x in v] == pytest.approx(t.grad.tolist(), **room)


def test_random_expressions_have_torchs_gradients():
    generator = random.Random(8)
    unary = ["tanh", "sigmoid", "relu", "gelu", "silu", "sin", "cos", "softplus", "exp", "abs", "neg", "mish", "erf"]
    binary = ["add", "sub", "mul", "maximum", "minimum"]
    for _ in range(30):
        start = [generator.uniform(-1, 1) for _ in range(4)]
        values, tensors = [Value(x) for x in start], [leaf(x) for x in start]
        pool = list(zip(values, tensors, strict=True))
        for _ in range(60):
            (v, t), (w, u) = generator.choice(pool), generator.choice(pool[-12:])
            name = generator.choice(unary + binary)
            node = (apply(name, v), FUNCTIONS[name](t)) if name in unary else (apply(name, v, w), FUNCTIONS[name](t, u))
            if abs(node[0].data) < 5:  # no exponential of an exponential
                pool.append(node)
        root, torch_root = pool[-1]
        for v, t in pool[-8:-1]:
            root, torch_root = root + 0.5 * v, torch_root + 0.5 * t
        root.backward()
        torch_root.backward()
        assert root.data == pytest.approx(torch_root.item(), rel=1e-12, abs=1e-12)
        for v, t in zip(values, tensors, strict=True):
            wanted = 0.0 if t.grad is None else t.grad.item()
            assert v.grad == pytest.approx(wanted, rel=1e-11, abs=1e-11 * max(1.0, abs(wanted)))


# ---- networks and optimisers -----------------------------------------------------------------------------------------


def torch_twin(model, activation):
    """Return torch's network of the same sizes and weights."""
    layers = []
    for i, layer in enumerate(model.layers):
        linear = torch.nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)
        with torch.no_grad():
            for row, neuron in enumerate(layer.neurons):
                linear.weight[row] = torch.tensor([w.data for w in neuron.w], dtype=torch.float64)
                linear.bias[row] = neuron.b.data
        layers.append(linear)
        if i + 1 < len(model.layers):
            layers.append(activation)
    return torch.nn.Sequential(*layers)


OPTIMISERS = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.02}),
    ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("name", "kwargs"), OPTIMISERS, ids=str)
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_training_follows_torchs_trajectory(name, kwargs, activation):
    model = nn.MLP(2, [6, 4, 1], activation=activation, seed=3)
    twin = torch_twin(model, {"tanh": torch.nn.Tanh(), "gelu": torch.nn.GELU()}[activation])
    optimizer = getattr(optim, name)(model.parameters(), **kwargs)
    torchs_optimizer = getattr(torch.optim, name)(twin.parameters(), **kwargs)
    generator = random.Random(0)
    data = [([generator.gauss(0, 1), generator.gauss(0, 1)], generator.choice([0, 1])) for _ in range(6)]
    x = torch.tensor([point for point, _ in data], dtype=torch.float64)
    y = torch.tensor([[label] for _, label in data], dtype=torch.float64)
    for _ in range(40):
        loss = sum((model(p).bce_with_logits(label) for p, label in data), 0.0) / len(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torchs_loss = F.binary_cross_entropy_with_logits(twin(x), y)
        torchs_optimizer.zero_grad()
        torchs_loss.backward()
        torchs_optimizer.step()
        # Adam divides by the root of tiny squares, which amplifies roundings; 40 steps of it stay under this.
        assert loss.data == pytest.approx(torchs_loss.item(), rel=1e-9)
    weights = [p for module in twin if hasattr(module, "weight") for p in (module.weight, module.bias)]
    mine = [
        number
        for layer in model.layers
        for number in ([w.data for n in layer.neurons for w in n.w], [n.b.data for n in layer.neurons])
    ]
    for ours_now, torchs_now in zip(mine, weights, strict=True):
        assert ours_now == pytest.approx(torchs_now.flatten().tolist(), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("name", "kwargs"), OPTIMISERS, ids=str)
def test_optimiser_steps_are_torchs_for_given_gradients(name, kwargs):
    p, q = Value(5.0), leaf(5.0)
    mine, theirs = getattr(optim, name)([p], **kwargs), getattr(torch.optim, name)([q], **kwargs)
    generator = random.Random(5)
    for _ in range(30):
        g = generator.gauss(0, 1) * 10 ** generator.uniform(-4, 2)
        p.grad = g
        q.grad = torch.tensor(g, dtype=torch.float64)
        mine.step()
        theirs.step()
        # A dozen roundings a step of numbers under 10.
        assert p.data == pytest.approx(q.item(), rel=1e-13, abs=1e-13)


def test_bce_with_logits_at_its_edges():
    for z, y in itertools.product((0.0, -0.0, 1000.0, -1000.0, 36.0, -36.0), (0.0, 1.0, 0.5)):
        assert compare("bce_with_logits", (z, y)) == []
