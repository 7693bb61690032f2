"""Layers, activations, losses, and the multi-layer perceptron next to the scalar one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from nn_support import names

import pygrad
from pygrad import Value, init, nn
from pygrad.random import Generator

# ---- layers ---------------------------------------------------------------------------------------------------------


def test_linear_is_the_affine_map_and_its_gradient():
    layer = nn.Linear.of(pygrad.tensor([[0.3, 0.7], [-0.2, 0.4]]), pygrad.tensor([0.1, -0.1]))
    x = pygrad.tensor([[1.0, 0.5], [2.0, -1.0]])
    y = layer(x)
    # The rows are 0.3 + 0.35 + 0.1, -0.2 + 0.2 - 0.1; 0.6 - 0.7 + 0.1, -0.4 - 0.4 - 0.1. Float32 of numbers under 1.
    assert y.detach().numpy() == pytest.approx(np.array([[0.75, -0.1], [0.0, -0.9]]), abs=4e-7)
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[3.0, -0.5]] * 2 and layer.bias.grad.tolist() == [2.0, 2.0]
    assert nn.Linear(2, 1, bias=False).bias is None


def test_linear_starts_uniform_within_one_over_the_root_of_its_inputs():
    pygrad.manual_seed(0)
    layer = nn.Linear(100, 200)
    bound = 1 / math.sqrt(100)
    w, b = layer.weight.detach().numpy().astype(np.float64), layer.bias.detach().numpy()
    assert np.abs(w).max() <= bound and np.abs(w).max() > 0.99 * bound
    assert np.abs(b).max() <= bound and np.abs(b).max() > 0.9 * bound
    # Of 20,000 uniform numbers: mean 0 and variance bound^2 / 3, each within four standard deviations of its estimate.
    assert abs(w.mean()) < 4 * bound / math.sqrt(3 * 20_000)
    assert abs(w.var() * 3 / bound**2 - 1) < 4 * math.sqrt(0.8 / 20_000)
    pygrad.manual_seed(0)
    assert nn.Linear(100, 200).weight.tolist() == layer.weight.tolist()
    assert nn.Linear(3, 2, dtype=pygrad.float64).weight.dtype == pygrad.float64


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (-1, 2)])
def test_linear_of_no_size_is_a_value_error(sizes):
    with pytest.raises(ValueError, match="sizes of at least 1"):
        nn.Linear(*sizes)


def test_weights_and_bias_that_do_not_fit_are_a_value_error():
    for weight, bias in ((pygrad.ones(2), None), (pygrad.ones(2, 3), pygrad.ones(3))):
        with pytest.raises(ValueError, match=r"\(out, in\)"):
            nn.Linear.of(weight, bias)


def test_sequential_indexes_slices_and_iterates():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    assert len(model) == 3 and isinstance(model[1], nn.Tanh) and model[-1] is model[2]
    tail = model[1:]
    assert isinstance(tail, nn.Sequential) and [type(m).__name__ for m in tail] == ["Tanh", "Linear"]
    assert tail[1] is model[2]
    with pytest.raises(IndexError, match="3 is out of range"):
        model[3]
    with pytest.raises(TypeError, match="'1' is a float"):
        nn.Sequential(nn.Tanh(), 1.0)
    named = nn.Sequential({"first": nn.Linear(2, 1), "then": nn.Sigmoid()})
    assert names(named) == ["first.weight", "first.bias"] and named.then is named[1]
    assert model.append(nn.Sigmoid()) is model and isinstance(model[3], nn.Sigmoid)
    x = pygrad.ones(1, 1)
    assert nn.Sequential()(x) is x


def test_repr_is_pytorchs():
    inner = nn.Sequential(nn.Linear(3, 1, bias=False), nn.LeakyReLU(0.2))
    assert repr(nn.Sequential(nn.Linear(2, 3), inner)) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=1, bias=False)\n"
        "    (1): LeakyReLU(negative_slope=0.2)\n"
        "  )\n"
        ")"
    )
    assert [repr(m) for m in (nn.ReLU(), nn.GELU(), nn.Softmax(), nn.ELU())] == [
        "ReLU()", "GELU(approximate='none')", "Softmax(dim=-1)", "ELU(alpha=1.0)"
    ]  # fmt: skip


# ---- activations and losses: each is its function ----------------------------------------------------------------

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: x * np.vectorize(lambda t: 0.5 * math.erfc(-t / math.sqrt(2)))(x),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "logsigmoid": lambda x: -np.log1p(np.exp(-x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "linear": lambda x: x,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_by_name_are_their_formulas(name):
    x = np.linspace(-4, 8, 25)
    y = nn.activation(name)(pygrad.tensor(x)).numpy()
    assert y == pytest.approx(ACTIVATIONS[name](x), rel=1e-12, abs=1e-14)


def test_aliases_and_unknown_names_of_activations():
    assert [type(nn.activation(n)) for n in ("leaky", "swish", "identity")] == [nn.LeakyReLU, nn.SiLU, nn.Identity]
    with pytest.raises(ValueError, match=r"'nonsense'.*gelu.*relu.*swish"):
        nn.activation("nonsense")


def test_softmax_modules_work_along_their_axis():
    x = np.array([[2.0, 1.0, 0.1], [0.0, 0.0, 5.0]])
    for dim in (0, 1, -1):
        wanted = np.exp(x) / np.exp(x).sum(dim, keepdims=True)
        assert nn.Softmax(dim)(pygrad.tensor(x)).numpy() == pytest.approx(wanted, rel=1e-14)
        assert nn.LogSoftmax(dim)(pygrad.tensor(x)).numpy() == pytest.approx(np.log(wanted), rel=1e-14, abs=1e-14)


def test_prelu_learns_its_slope():
    layer = nn.PReLU()
    layer(pygrad.tensor([-2.0, 3.0])).sum().backward()
    assert layer.weight.tolist() == [0.25] and layer.weight.grad.tolist() == [-2.0]
    channels = nn.PReLU(2)
    assert channels(pygrad.full((1, 2, 3), -4.0)).tolist() == [[[-1.0] * 3] * 2]


def test_loss_modules_are_their_functions():
    p, t = pygrad.tensor([[0.1, 0.7, 0.2]]), pygrad.tensor([[0.0, 1.0, 0.0]])
    labels = pygrad.tensor([1])
    assert nn.MSELoss()(p, t).item() == pytest.approx(0.046667, abs=1e-6)
    assert nn.L1Loss("sum")(p, t).item() == pytest.approx(0.6, abs=1e-6)
    assert nn.HuberLoss(delta=0.2)(p, t).item() == pytest.approx((0.005 + 0.2 * (0.3 - 0.1) + 0.02) / 3, abs=1e-6)
    assert nn.NLLLoss()(pygrad.log(p), labels).item() == pytest.approx(0.356675, abs=1e-6)
    assert nn.CrossEntropyLoss()(pygrad.log(p), labels).item() == pytest.approx(0.356675, abs=1e-6)
    wanted = -(math.log(0.9) + math.log(0.7) + math.log(0.8)) / 3
    assert nn.BCELoss()(p, t).item() == pytest.approx(wanted, abs=1e-6)
    assert nn.BCEWithLogitsLoss()(pygrad.log(p / (1 - p)), t).item() == pytest.approx(wanted, abs=1e-6)
    weighted = nn.CrossEntropyLoss(weight=pygrad.tensor([1.0, 2.0, 3.0]), reduction="sum")
    assert weighted(pygrad.log(p), labels).item() == pytest.approx(2 * 0.356675, abs=2e-6)
    assert list(weighted.state_dict()) == ["weight"]
    with pytest.raises(ValueError, match="'average'"):
        nn.MSELoss("average")


# ---- the multi-layer perceptron -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dims", "count"), [([2, 16, 1], 65), ([2, 3, 2, 1], 20), ([784, 256, 128, 10], 235_146)])
def test_number_of_parameters(dims, count):
    assert nn.MLP(dims, seed=0).num_parameters() == count


def scalar_arrays(model):
    for layer in model.layers:
        yield [[w.data for w in neuron.w] for neuron in layer.neurons]
        yield [neuron.b.data for neuron in layer.neurons]


@pytest.mark.parametrize("activation", ["relu", "tanh", "swish", "sigmoid"])
def test_same_seed_gives_the_weights_and_the_outputs_of_the_scalar_network(activation):
    tensors = nn.MLP([3, 5, 4, 2], activation=activation, seed=11, dtype=pygrad.float64)
    scalars = nn.MLP(3, [5, 4, 2], activation=activation, seed=11)
    assert [p.tolist() for p in tensors.parameters()] == list(scalar_arrays(scalars))
    x = [0.5, -1.25, 2.0]
    # Sums of at most five products of numbers of about 1, in another order, three times over.
    wanted = [y.data for y in scalars(x)]
    assert tensors(pygrad.tensor([x], dtype=pygrad.float64)).tolist()[0] == pytest.approx(wanted, rel=1e-13, abs=1e-13)


def test_float32_weights_are_the_float64_ones_rounded():
    single, double = (nn.MLP([4, 3, 2], seed=5, dtype=dtype) for dtype in (None, pygrad.float64))
    for p, q in zip(single.parameters(), double.parameters(), strict=True):
        assert p.dtype == pygrad.float32
        assert (p.detach().numpy() == q.detach().numpy().astype(np.float32)).all()


def test_he_for_the_relu_family_xavier_for_tanh_and_what_was_asked_else():
    for activation, asked, scheme in (
        ("relu", "auto", "he"), ("leaky", "auto", "he"), ("tanh", "auto", "xavier"), ("sigmoid", "auto", "xavier"),
        ("relu", "lecun_uniform", "lecun_uniform"),
    ):  # fmt: skip
        weight = nn.MLP([6, 3], activation=activation, init=asked, seed=1, dtype=pygrad.float64)[0].weight
        generator = Generator(1)
        assert weight.tolist() == [init.weights(scheme, 6, 3, 6, generator) for _ in range(3)]


def test_seedless_networks_follow_manual_seed():
    pygrad.manual_seed(3)
    first, second = nn.MLP([2, 2])[0].weight.tolist(), nn.MLP([2, 2])[0].weight.tolist()
    pygrad.manual_seed(3)
    assert nn.MLP([2, 2])[0].weight.tolist() == first != second
    pygrad.manual_seed(3)
    layer = nn.Linear(2, 2)
    pygrad.manual_seed(3)
    model = nn.MLP([2, 2], init="pytorch")
    assert [p.tolist() for p in model.parameters()] == [p.tolist() for p in layer.parameters()]
    with pytest.raises(ValueError, match="takes no seed"):
        nn.MLP([2, 2], init="pytorch", seed=1)


def test_layers_of_a_network():
    model = nn.MLP([2, 3, 4, 1], activation="tanh", output_activation="sigmoid", bias=False, seed=0)
    assert [type(m).__name__ for m in model] == ["Linear", "Tanh", "Linear", "Tanh", "Linear", "Sigmoid"]
    assert names(model) == ["0.weight", "2.weight", "4.weight"]
    affine = nn.MLP([2, 3, 1], activation="identity", seed=0)
    assert [type(m).__name__ for m in affine] == ["Linear", "Linear"]


@pytest.mark.parametrize("dims", [[], [3], [3, 0], [-1, 2]])
def test_impossible_sizes_are_value_errors(dims):
    with pytest.raises(ValueError, match="at least two sizes"):
        nn.MLP(dims)


def test_unknown_names_are_value_errors():
    for kwargs in ({"activation": "nonsense"}, {"output_activation": "nonsense"}, {"init": "nonsense"}):
        with pytest.raises(ValueError, match="nonsense"):
            nn.MLP([2, 2, 2], seed=0, **kwargs)
    with pytest.raises(TypeError):
        nn.MLP([2.5, 1])


def test_first_argument_chooses_the_kind_of_network():
    assert type(nn.MLP(3, [4, 1], seed=0)) is nn.scalar.MLP
    assert type(nn.MLP(nin=3, nouts=[4, 1])) is nn.scalar.MLP
    assert type(nn.MLP(np.int64(3), [1])) is nn.scalar.MLP
    for dims in ([3, 4, 1], (3, 4, 1), np.array([3, 4, 1])):
        assert type(nn.MLP(dims)) is nn.MLP

    class Mine(nn.MLP):
        pass

    assert type(Mine([2, 1])) is Mine
    with pytest.raises(TypeError, match="Mine is a network of tensors"):
        Mine(2, [1])


def test_ten_relu_layers_keep_the_size_of_a_signal_from_he():
    pygrad.manual_seed(0)
    x = pygrad.randn(200, 64)
    sizes = {}
    for scheme in ("he", "lecun"):
        model = nn.MLP([64] * 11, init=scheme, output_activation="relu", seed=5)
        sizes[scheme] = (model(x) ** 2).mean().item() / (model[:2](x) ** 2).mean().item()
    # On average 1 and 2^-9; a network of this width lies within a factor of a few.
    assert 0.1 < sizes["he"] < 10.0 and sizes["lecun"] < 0.05


def test_network_has_the_gradients_of_the_scalar_one():
    tensors = nn.MLP([3, 4, 2], activation="tanh", seed=2, dtype=pygrad.float64)
    scalars = nn.MLP(3, [4, 2], activation="tanh", seed=2)
    x = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]
    (tensors(pygrad.tensor(x, dtype=pygrad.float64)) ** 2).sum().backward()
    sum((y**2 for row in x for y in scalars(row)), Value(0.0)).backward()
    wanted = []
    for layer in scalars.layers:
        wanted.append([[w.grad for w in neuron.w] for neuron in layer.neurons])
        wanted.append([neuron.b.grad for neuron in layer.neurons])
    for p, grads in zip(tensors.parameters(), wanted, strict=True):
        assert p.grad.numpy() == pytest.approx(np.array(grads), rel=1e-12, abs=1e-13)
