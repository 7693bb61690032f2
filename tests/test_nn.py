"""Modules over tensors: registration, names, modes, saving, initialisation, and the network next to the scalar one."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import pygrad
from pygrad import Value, init, nn
from pygrad.random import Generator


def names(module):
    return [name for name, _ in module.named_parameters()]


class Scaled(nn.Module):
    """A parameter, a buffer, a plain tensor and a submodule, in this order."""

    def __init__(self):
        self.scale = nn.Parameter([2.0, 3.0])
        self.register_buffer("seen", pygrad.zeros(2))
        self.constant = pygrad.ones(2)
        self.layer = nn.Linear(2, 1)

    def forward(self, x):
        return self.layer(self.scale * x + self.constant)


# ---- parameters -----------------------------------------------------------------------------------------------------


def test_parameter_is_a_leaf_tensor_that_wants_a_gradient():
    p = nn.Parameter([1.0, -2.0])
    assert isinstance(p, pygrad.Tensor) and p.is_leaf and p.requires_grad
    (p * p).sum().backward()
    assert p.grad.tolist() == [2.0, -4.0]
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert repr(p).startswith("Parameter containing:\n") and "requires_grad=True" in repr(p)


def test_parameter_shares_the_memory_of_its_tensor_and_leaves_its_graph():
    x = pygrad.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    p = nn.Parameter(y)
    assert p.is_leaf
    with pygrad.no_grad():
        p.copy_(pygrad.tensor([5.0, 6.0]))
    assert y.tolist() == [5.0, 6.0]


def test_results_of_operations_on_parameters_are_plain_tensors():
    p = nn.Parameter([1.0, 2.0])
    for result in (p + 1, p.detach(), p.sum(), p.reshape(2, 1)):
        assert not isinstance(result, nn.Parameter)


def test_whole_numbers_cannot_be_trained():
    with pytest.raises(RuntimeError, match=r"floating.point"):
        nn.Parameter(pygrad.tensor([1, 2]))


def test_parameters_survive_copy_and_pickle_as_parameters():
    for p in (nn.Parameter([1.0, 2.0]), nn.Parameter([3.0], requires_grad=False)):
        for twin in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
            assert type(twin) is nn.Parameter
            assert (twin.tolist(), twin.requires_grad) == (p.tolist(), p.requires_grad)
            with pygrad.no_grad():
                twin.copy_(twin * 2)
            assert twin.tolist() != p.tolist()


# ---- registration ---------------------------------------------------------------------------------------------------


def test_parameters_and_modules_are_found_by_being_set():
    module = Scaled()
    assert names(module) == ["scale", "layer.weight", "layer.bias"]
    assert [name for name, _ in module.named_buffers()] == ["seen"]
    assert [name for name, _ in module.named_modules()] == ["", "layer"]
    assert [name for name, _ in module.named_children()] == ["layer"]
    assert list(module.children()) == [module.layer]
    wanted = [module.scale, module.layer.weight, module.layer.bias]
    assert all(p is q for p, q in zip(module.parameters(), wanted, strict=True))
    assert module.num_parameters() == 5


def test_parameters_that_are_deleted_replaced_or_none_are_no_longer_found():
    module = Scaled()
    module.scale = nn.Parameter([7.0, 8.0])
    assert module.parameters()[0].tolist() == [7.0, 8.0]
    del module.scale
    assert names(module) == ["layer.weight", "layer.bias"]
    module.layer.bias = None
    assert names(module) == ["layer.weight"]
    del module.layer
    assert module.parameters() == []


def test_plain_tensor_does_not_silently_take_a_parameters_place():
    module = Scaled()
    with pytest.raises(TypeError, match="'scale'"):
        module.scale = pygrad.ones(2)
    assert isinstance(module.scale, nn.Parameter)
    module.seen = pygrad.ones(2)
    assert [b.tolist() for b in module.buffers()] == [[1.0, 1.0]]


def test_shared_parameters_and_modules_are_counted_once_and_saved_under_every_name():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    assert len(list(model)) == 3 and len(list(model.children())) == 2
    assert names(model) == ["0.weight", "0.bias"]
    assert len(model.parameters()) == 2 and model.num_parameters() == 6
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    x = pygrad.tensor([[1.0, 2.0]])
    assert model(x).tolist() == shared(pygrad.tanh(shared(x))).tolist()


@pytest.mark.parametrize("name", ["", "a.b", "forward", "layer", "scale"])
def test_names_that_are_taken_or_dotted_cannot_be_registered(name):
    module = Scaled()
    with pytest.raises(KeyError):
        module.register_parameter(name, nn.Parameter([1.0]))
    with pytest.raises(KeyError):
        module.register_buffer(name, pygrad.ones(1))
    with pytest.raises(KeyError):
        module.add_module(name, nn.Tanh())


def test_only_the_right_kind_can_be_registered():
    module = Scaled()
    for register in (module.register_parameter, module.register_buffer, module.add_module):
        with pytest.raises(TypeError, match="'new'"):
            register("new", 3.0)
    with pytest.raises(TypeError, match="Tensor"):
        module.register_parameter("new", pygrad.ones(1))
    module.register_parameter("new", None)
    assert module.new is None and "new" not in names(module)


def test_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(1.0)


def test_calling_super_init_or_not_makes_no_difference():
    class Polite(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = nn.Parameter([1.0])

    assert names(Polite()) == ["p"]


# ---- modes and gradients --------------------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.train().modules())


def test_zero_grad_sets_none_and_requires_grad_freezes():
    model = nn.MLP([2, 3, 1], seed=0)
    model(pygrad.ones(4, 2)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert model.requires_grad_(False) is model
    assert not model(pygrad.ones(4, 2)).requires_grad


def test_apply_visits_children_first():
    seen = []
    model = nn.Sequential(nn.Linear(1, 2), nn.Sequential(nn.Tanh()))
    assert model.apply(lambda module: seen.append(type(module).__name__)) is model
    assert seen == ["Linear", "Tanh", "Sequential", "Sequential"]


def test_modules_of_scalar_values_are_served_by_the_same_base():
    class Net(nn.Module):
        def __init__(self):
            self.hidden = nn.Layer(2, 3, seed=0)
            self.output = nn.Layer(3, 1, nonlin=False, seed=1)

        def __call__(self, x):
            return self.output(self.hidden(x))

    net = Net()
    assert net.num_parameters() == 13 and all(isinstance(p, Value) for p in net.parameters())
    net([1.0, -2.0]).backward()
    assert any(p.grad != 0.0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad == 0.0 for p in net.parameters())
    with pytest.raises(TypeError, match="scalar Values"):
        net.state_dict()


def test_double_and_float_convert_parameters_in_place():
    model = Scaled()
    before = model.parameters()
    assert model.double() is model
    assert all(p is q for p, q in zip(model.parameters(), before, strict=True))
    assert {p.dtype for p in model.parameters()} == {b.dtype for b in model.buffers()} == {pygrad.float64}
    y = model(pygrad.ones(3, 2, dtype=pygrad.float64))
    assert y.dtype == pygrad.float64
    y.sum().backward()
    assert model.scale.grad.dtype == pygrad.float64
    assert {p.dtype for p in model.float().parameters()} == {pygrad.float32}
    assert model.scale.grad.dtype == pygrad.float32


# ---- saving and restoring -------------------------------------------------------------------------------------------


def test_state_dict_has_parameters_and_persistent_buffers_and_shares_their_memory():
    module = Scaled()
    module.register_buffer("temporary", pygrad.ones(1), persistent=False)
    state = module.state_dict()
    assert list(state) == ["scale", "seen", "layer.weight", "layer.bias"]
    assert not any(tensor.requires_grad for tensor in state.values())
    with pygrad.no_grad():
        module.scale.fill_(9.0)
    assert state["scale"].tolist() == [9.0, 9.0]


@pytest.mark.parametrize("convert", [lambda t: t, lambda t: t.numpy(), lambda t: t.numpy().astype(np.float64)])
def test_load_state_dict_copies_values(convert):
    source, target = nn.MLP([3, 4, 2], seed=1), nn.MLP([3, 4, 2], seed=2)
    params = target.parameters()
    keys = target.load_state_dict({name: convert(tensor) for name, tensor in source.state_dict().items()})
    assert keys == ([], [])
    assert all(p is q for p, q in zip(target.parameters(), params, strict=True))
    assert [p.tolist() for p in target.parameters()] == [p.tolist() for p in source.parameters()]
    assert {p.dtype for p in params} == {pygrad.float32}
    with pygrad.no_grad():
        source[0].weight.fill_(0.0)
    assert target[0].weight.abs().sum().item() > 0


def test_load_state_dict_lists_all_that_is_wrong_and_changes_nothing():
    model = nn.MLP([3, 4, 2], seed=1)
    before = [p.tolist() for p in model.parameters()]
    state = nn.MLP([3, 4, 2], seed=2).state_dict()
    del state["0.bias"]
    state["2.weight"] = pygrad.zeros(2, 5)
    state["9.weight"] = pygrad.zeros(1)
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    text = str(caught.value)
    assert 'Missing key(s) in state_dict: "0.bias"' in text
    assert 'Unexpected key(s) in state_dict: "9.weight"' in text
    assert "size mismatch for 2.weight" in text and "(2, 5)" in text and "(2, 4)" in text
    assert [p.tolist() for p in model.parameters()] == before
    with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
        model.load_state_dict(state, strict=False)
    assert [p.tolist() for p in model.parameters()] == before


def test_load_state_dict_passes_over_names_when_it_is_not_strict():
    model = nn.MLP([3, 4, 2], seed=1)
    kept = model[2].weight.tolist()
    keys = model.load_state_dict({"0.bias": pygrad.ones(4), "other": pygrad.ones(1)}, strict=False)
    assert keys.missing_keys == ["0.weight", "2.weight", "2.bias"] and keys.unexpected_keys == ["other"]
    assert model[0].bias.tolist() == [1.0] * 4 and model[2].weight.tolist() == kept


def test_what_is_no_array_cannot_be_loaded():
    with pytest.raises(TypeError, match=r"weight.*list"):
        nn.Linear(1, 1, bias=False).load_state_dict({"weight": [[1.0]]})


def test_networks_survive_copy_and_pickle_and_go_their_own_ways():
    model = nn.MLP([2, 3, 1], seed=0)
    x = pygrad.ones(1, 2)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin(x).tolist() == model(x).tolist()
        assert repr(twin) == repr(model)
        with pygrad.no_grad():
            twin[0].weight.fill_(0.0)
        assert model[0].weight.abs().sum().item() > 0


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
