"""Networks and optimisers of the pure-Python engine, and the network by hand in numpy.

The two check each other, on the same weights; the network by hand is checked against central differences too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from pygrad.random import Generator
from pygrad.reference import MLP, SGD, Adam, Layer, Module, Neuron, NumpyMLP, Value, functional
from pygrad.reference.nn import ACTIVATIONS, ALIASES

# ---- neurons, layers, networks -----------------------------------------------------------------------------


def test_neuron_computes_its_activation_of_the_weighted_sum() -> None:
    formulas: dict[str, Callable[[float], float]] = {
        "linear": lambda x: x,
        "relu": lambda x: max(0.0, x),
        "leaky_relu": lambda x: max(0.01 * x, x),
        "elu": lambda x: max(x, 0.0) + min(0.0, math.exp(x) - 1),
        "gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
        "gelu_tanh": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        "silu": lambda x: x / (1 + math.exp(-x)),
        "softplus": lambda x: math.log(1 + math.exp(x)),
        "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
        "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
        "relu6": lambda x: min(6.0, max(0.0, x)),
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
        "logsigmoid": lambda x: -math.log(1 + math.exp(-x)),
        "tanh": math.tanh,
        "hardtanh": lambda x: min(1.0, max(-1.0, x)),
        "sin": math.sin,
    }
    assert set(formulas) == set(ACTIVATIONS)
    for name, formula in formulas.items():
        for x in (-2.0, 1.0):
            neuron = Neuron(2, activation=name, init=[0.5, -1.0])
            neuron.b.data = 0.25
            # The formulas round a few times more than the engine.
            assert neuron([x, Value(0.5)]).data == pytest.approx(formula(0.5 * x - 0.25), rel=1e-14)


def test_neuron_sums_in_micrograds_order_starting_with_the_bias() -> None:
    # (1e16 + 1) + 1 rounds twice to 1e16; 1e16 + (1 + 1) would not.
    neuron = Neuron(2, nonlin=False, init=[1.0, 1.0])
    neuron.b.data = 1e16
    assert neuron([1.0, 1.0]).data == 1e16


def test_neuron_without_nonlinearity_is_linear() -> None:
    neuron = Neuron(1, nonlin=False, activation="tanh", init=[3.0])
    assert neuron([-2.0]).data == -6.0 and repr(neuron) == "LinearNeuron(1)"


def test_aliases_are_other_names() -> None:
    for alias, name in ALIASES.items():
        assert repr(Neuron(1, activation=alias, init=[1.0])) == repr(Neuron(1, activation=name, init=[1.0]))
    assert set(ALIASES) == {"leaky", "swish", "identity"}


def test_layer_returns_a_list_or_its_only_value() -> None:
    assert isinstance(Layer(2, 1, init=[1.0, 2.0])([1.0, 1.0]), Value)
    outputs = Layer(2, 2, init=[1.0, 2.0, 3.0, 4.0])([1.0, 10.0])
    assert isinstance(outputs, list) and [y.data for y in outputs] == [21.0, 43.0]


def test_parameters_come_neuron_by_neuron_weights_before_bias() -> None:
    layer = Layer(2, 2, init=[1.0, 2.0, 3.0, 4.0])
    assert [p.data for p in layer.parameters()] == [1.0, 2.0, 0.0, 3.0, 4.0, 0.0]
    assert Module().parameters() == []


def test_numbers_of_parameters() -> None:
    assert len(MLP(3, [4, 4, 1], seed=0).parameters()) == 41
    assert len(MLP(2, [16, 1], seed=0).parameters()) == 65
    assert len(MLP(2, [3, 2, 1], seed=0).parameters()) == 20


def test_names_are_micrograds() -> None:
    assert repr(MLP(3, [2, 1], seed=0)) == (
        "MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]"
    )
    assert repr(MLP(1, [1, 1], "gelu", "sigmoid", seed=0)) == (
        "MLP of [Layer of [GELUNeuron(1)], Layer of [SigmoidNeuron(1)]]"
    )


def test_a_hidden_layer_may_have_one_neuron() -> None:
    model = MLP(2, [1, 2], seed=0)
    outputs = model([1.0, 2.0])
    assert isinstance(outputs, list) and len(outputs) == 2


def test_zero_grad_sets_every_gradient_to_zero() -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    output = model([1.0, -1.0])
    assert isinstance(output, Value)
    output.backward()
    assert all(p.grad != 0.0 for p in model.parameters())
    model.zero_grad()
    assert all(p.grad == 0.0 for p in model.parameters())


def data_of(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def test_seed_decides_the_weights() -> None:
    def model(seed: int | Generator | None) -> list[float]:
        return data_of(MLP(3, [4, 2], seed=seed))

    assert model(7) == model(7) == model(Generator(7))
    assert model(7) != model(8)
    assert model(None) != model(None)
    random.seed(5)
    first = model(None)
    random.seed(5)
    assert model(None) == first
    shared = Generator(7)
    assert model(shared) == model(7) != model(shared)


def test_layers_draw_from_one_generator_one_after_the_other() -> None:
    generator = Generator(5)
    first = Layer(3, 4, init="he", seed=generator)
    second = Layer(4, 2, nonlin=False, init="he", seed=generator)
    assert data_of(first) + data_of(second) == data_of(MLP(3, [4, 2], seed=5))


def test_automatic_initialisation_is_he_for_the_relu_family_and_xavier_for_the_others() -> None:
    for activation, scheme in (("relu", "he"), ("leaky", "he"), ("tanh", "xavier"), ("sigmoid", "xavier")):
        automatic = MLP(3, [4, 2], activation=activation, seed=1)
        assert data_of(automatic) == data_of(MLP(3, [4, 2], activation=activation, init=scheme, seed=1))
    assert data_of(MLP(3, [4, 2], init="he", seed=1)) != data_of(MLP(3, [4, 2], init="xavier", seed=1))
    model = MLP(3, [4, 2], seed=1)
    assert all(neuron.b.data == 0.0 for layer in model.layers for neuron in layer.neurons)


def test_compiled_network_has_the_same_weights_from_the_same_seed() -> None:
    compiled = pytest.importorskip("pygrad.nn")
    for activation in ("relu", "tanh"):
        twin = compiled.MLP(3, [4, 4, 1], activation=activation, seed=11)
        mine = MLP(3, [4, 4, 1], activation=activation, seed=11)
        assert data_of(mine) == [p.data for p in twin.parameters()]
        assert repr(mine) == repr(twin)
        # The same sums in the same order; the two tanh of C and of Python's math may be an ulp apart.
        assert mine([1.0, 2.0, 3.0]).data == pytest.approx(twin([1.0, 2.0, 3.0]).data, rel=1e-14)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown activation 'rleu': choose one of elu, gelu, gelu_tanh"):
        Neuron(2, activation="rleu", init=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"Neuron\(2\): init holds 3 weights, not 2"):
        Neuron(2, init=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"Layer\(2, 2\): init holds 3 weights, not 4"):
        Layer(2, 2, init=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError):
        Neuron(2, init=[1.0, 2.0])([1.0])


FOUR_POINTS = [(2, 3, -1), (3, -1, 0.5), (0.5, 1, 1), (1, 1, -1)]
FOUR_TARGETS = [1, -1, -1, 1]


def four_point_loss(model: MLP) -> Value:
    return functional.sum(functional.squared_error(model(x), t) for x, t in zip(FOUR_POINTS, FOUR_TARGETS, strict=True))


@pytest.mark.parametrize("output", ["linear", "relu"])
def test_the_four_points_are_learnt_only_with_a_linear_output(output: str) -> None:
    losses = []
    for seed in range(7):
        model = MLP(3, [4, 4, 1], output_activation=output, seed=seed)
        optimizer = SGD(model.parameters(), lr=0.01)
        for _ in range(100):
            loss = four_point_loss(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(four_point_loss(model).data)
    if output == "relu":
        assert min(losses) >= 2.0  # two targets are -1, and no output is below 0
    else:
        # Seed 0 is dead, 4.0, and seed 4 half dead, 2.67; four of the seven are below 0.3.
        assert np.median(losses) < 1.0


def test_xor_is_learnt() -> None:
    inputs, labels = [(0, 0), (0, 1), (1, 0), (1, 1)], [0, 1, 1, 0]
    model = MLP(2, [16, 1], seed=0)
    optimizer = SGD(model.parameters(), lr=0.5)
    for _ in range(200):
        losses = [model(x).bce_with_logits(t) for x, t in zip(inputs, labels, strict=True)]
        optimizer.zero_grad()
        (functional.sum(losses) / 4).backward()
        optimizer.step()
    assert [int(model(x) > 0) for x in inputs] == labels


# ---- optimisers --------------------------------------------------------------------------------------------


def steps(optimizer: SGD | Adam, grads: list[float]) -> list[float]:
    """Return the data of the only parameter after each step."""
    data = []
    for grad in grads:
        optimizer.params[0].grad = grad
        optimizer.step()
        data.append(optimizer.params[0].data)
    return data


def test_adam_gives_the_worked_numbers() -> None:
    assert [round(x, 6) for x in steps(Adam([Value(5.0)], lr=0.1), [2.0, 1.5, 3.0])] == [
        4.9,
        4.801742,
        4.704050,
    ]


@pytest.mark.parametrize("gradient", [1e-3, -2.0, 1e6])
def test_adam_with_a_constant_gradient_moves_by_lr_whatever_its_size(gradient: float) -> None:
    # Both means, corrected for their start, are then the gradient and its square at every step.
    step = 0.1 * gradient / (abs(gradient) + 1e-8)
    data = steps(Adam([Value(5.0)], lr=0.1), [gradient] * 10)
    # 1 - beta2**t has lost a factor 1000, three digits, at t = 1.
    assert data == pytest.approx([5.0 - t * step for t in range(1, 11)], rel=1e-12)


def test_adam_adds_weight_decay_to_the_gradient() -> None:
    decayed, plain = Adam([Value(5.0)], lr=0.1, weight_decay=0.2), Adam([Value(5.0)], lr=0.1)
    assert steps(decayed, [2.0]) == steps(plain, [2.0 + 0.2 * 5.0])


def test_adam_survives_a_gradient_of_zero_and_one_of_nan() -> None:
    assert steps(Adam([Value(5.0)]), [0.0]) == [5.0]
    assert math.isnan(steps(Adam([Value(5.0)]), [math.nan])[0])
    assert math.isnan(steps(Adam([Value(5.0)], eps=0.0), [0.0])[0])


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        # By hand, for p = 1, lr = 0.1 and gradients 1, 2, 4.
        ({}, [0.9, 0.7, 0.3]),
        ({"weight_decay": 0.5}, [0.85, 0.6075, 0.177125]),
        # b = 1, 2.5, 5.25
        ({"momentum": 0.5}, [0.9, 0.65, 0.125]),
        # b = 1 (undamped), 0.5 + 0.75 * 2 = 2, 1 + 3 = 4
        ({"momentum": 0.5, "dampening": 0.25}, [0.9, 0.7, 0.3]),
        # g + b / 2 = 1.5, 3.25, 6.625
        ({"momentum": 0.5, "nesterov": True}, [0.85, 0.525, -0.1375]),
    ],
)
def test_sgd_steps_by_pytorchs_equations(options: dict[str, float], wanted: list[float]) -> None:
    assert steps(SGD([Value(1.0)], lr=0.1, **options), [1.0, 2.0, 4.0]) == pytest.approx(wanted, rel=1e-14)


def test_optimisers_have_pytorchs_defaults_and_take_any_iterable() -> None:
    assert SGD([Value(1.0)]).lr == Adam([Value(1.0)]).lr == 1e-3
    optimizer = SGD((Value(x) for x in (1.0, 2.0)), lr=1.0)
    for p in optimizer.params:
        p.grad = p.data
    optimizer.lr = 0.5
    optimizer.step()
    assert [p.data for p in optimizer.params] == [0.5, 1.0]
    optimizer.zero_grad()
    assert [p.grad for p in optimizer.params] == [0.0, 0.0]


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_optimisers_refuse_an_empty_list(optimizer: type[SGD] | type[Adam]) -> None:
    with pytest.raises(ValueError, match="empty"):
        optimizer([])


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_momentum_without_dampening(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Nesterov momentum requires a momentum and zero dampening"):
        SGD([Value(1.0)], nesterov=True, **options)


# ---- by hand in numpy --------------------------------------------------------------------------------------

DIMS = [3, 5, 4, 2]
X = np.random.default_rng(0).standard_normal((7, 3))
TARGETS = {
    "cross_entropy": np.array([0, 1, 1, 0, 1, 0, 0]),
    "bce_with_logits": np.random.default_rng(1).integers(0, 2, (7, 2)),
    "mse": np.random.default_rng(2).standard_normal((7, 2)),
}
EVERY_ACTIVATION = pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
EVERY_LOSS = pytest.mark.parametrize("loss", ["cross_entropy", "bce_with_logits", "mse"])


def network(activation: str, loss: str, **options: object) -> NumpyMLP:
    """Return a network whose biases are not zero, so that they are checked too."""
    net = NumpyMLP(DIMS, activation=activation, loss=loss, seed=3, **options)
    rng = np.random.default_rng(4)
    for name, p in net.params.items():
        if name.startswith("b"):
            p += 0.5 * rng.standard_normal(p.shape)
    return net


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b) + 1e-8))


@EVERY_LOSS
@EVERY_ACTIVATION
def test_gradients_by_hand_agree_with_central_differences(activation: str, loss: str) -> None:
    net, targets, eps = network(activation, loss), TARGETS[loss], 1e-5
    if activation == "relu":  # no step of eps may cross a kink: |dz| <= eps * |a|, and all a are below 10
        for layer, a in enumerate(net.forward(X)[1][:-2], start=1):
            assert np.abs(a @ net.params[f"W{layer}"].T + net.params[f"b{layer}"]).min() > 1e-3

    def loss_now() -> float:
        return net.loss(net.forward(X)[0], targets)

    grads = net.backward(net.forward(X)[1], targets)
    assert grads.keys() == net.params.keys()
    for name, p in net.params.items():
        assert grads[name].shape == p.shape
        numeric = np.empty_like(p)
        for i in np.ndindex(p.shape):
            kept = p[i]
            p[i] = kept + eps
            above = loss_now()
            p[i] = kept - eps
            numeric[i] = (above - loss_now()) / (2 * eps)
            p[i] = kept
        # Rounding 2**-52 / eps = 2e-11, truncation eps**2 = 1e-10, on gradients from 1e-2 up.
        assert relative_error(grads[name], numeric) < 1e-7, name


def scalar_twin(net: NumpyMLP, activation: str) -> list[Layer]:
    layers = []
    for number, (n, m) in enumerate(pairwise(DIMS), start=1):
        f = activation if number < len(DIMS) - 1 else "linear"
        layer = Layer(n, m, activation=f, init=net.params[f"W{number}"].ravel().tolist())
        for neuron, b in zip(layer.neurons, net.params[f"b{number}"], strict=True):
            neuron.b.data = float(b)
        layers.append(layer)
    return layers


def scalar_loss(loss: str, z: list[Value], target: np.ndarray) -> Value:
    if loss == "cross_entropy":
        return functional.cross_entropy(z, int(target))
    term = functional.squared_error if loss == "mse" else functional.binary_cross_entropy_with_logits
    return functional.sum(term(zi, float(t)) for zi, t in zip(z, target, strict=True)) / len(z)


@EVERY_LOSS
@EVERY_ACTIVATION
def test_gradients_by_hand_are_those_of_the_scalar_engine(activation: str, loss: str) -> None:
    net, targets = network(activation, loss), TARGETS[loss]
    output, cache = net.forward(X)
    grads = net.backward(cache, targets)

    layers = scalar_twin(net, activation)
    losses = []
    for row, (x, target) in enumerate(zip(X.tolist(), targets, strict=True)):
        for layer in layers:
            x = layer(x)
        np.testing.assert_allclose([z.data for z in x], output[row], rtol=1e-13, atol=1e-13)
        losses.append(scalar_loss(loss, x, target))
    total = functional.sum(losses) / len(losses)
    total.backward()

    # Sums of at most 7 * 5 products of numbers of size 1, in another order.
    assert net.loss(output, targets) == pytest.approx(total.data, rel=1e-13)
    for number, layer in enumerate(layers, start=1):
        dW = [[w.grad for w in neuron.w] for neuron in layer.neurons]
        db = [neuron.b.grad for neuron in layer.neurons]
        np.testing.assert_allclose(grads[f"W{number}"], dW, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(grads[f"b{number}"], db, rtol=1e-12, atol=1e-14)


def worked_network(activation: str, b1: tuple[float, float]) -> NumpyMLP:
    net = NumpyMLP([2, 2, 2], activation=activation)
    net.params["W1"][:] = [[0.3, 0.7], [-0.2, 0.4]]
    net.params["b1"][:] = b1
    net.params["W2"][:] = [[0.5, -0.3], [0.2, 0.6]]
    return net


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def test_worked_forward_pass() -> None:
    output, cache = worked_network("relu", (0.1, -0.1)).forward([[1, 0.5]])
    np.testing.assert_allclose(cache[1], [[0.75, 0]], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(output, [[0.375, 0.15]], rtol=1e-14)
    np.testing.assert_allclose(softmax(output), [[0.5560, 0.4440]], atol=5e-5)


def test_worked_backpropagation() -> None:
    net = worked_network("sigmoid", (0, 0))
    output, cache = net.forward([[1, 0.5]])
    grads = net.backward(cache, [0])
    printed = {"rtol": 0, "atol": 5e-5}
    np.testing.assert_allclose(cache[1], [[0.6570, 0.5]], **printed)
    np.testing.assert_allclose(softmax(output), [[0.4371, 0.5629]], **printed)
    assert round(net.loss(output, [0]), 6) == 0.827569
    np.testing.assert_allclose(grads["W2"], [[-0.3698, -0.2814], [0.3698, 0.2814]], **printed)
    np.testing.assert_allclose(grads["b1"], [-0.0381, 0.1267], **printed)  # dz1, for one sample
    np.testing.assert_allclose(grads["W1"], [[-0.0381, -0.0190], [0.1267, 0.0633]], **printed)
    net.update(grads, lr=0.5)
    np.testing.assert_allclose(net.params["W2"], [[0.6849, -0.1593], [0.0151, 0.4593]], **printed)
    np.testing.assert_allclose(net.params["W1"], [[0.3190, 0.7095], [-0.2633, 0.3683]], **printed)


def test_losses_by_hand_are_the_published_ones() -> None:
    one_hot = [[0, 1, 0]]
    for p, mse, ce in (([0.1, 0.7, 0.2], 0.046667, 0.356675), ([0.1, 0.1, 0.8], 0.486667, 2.302585)):
        assert round(NumpyMLP([1, 3], loss="mse").loss(np.array([p]), one_hot), 6) == mse
        assert round(NumpyMLP([1, 3]).loss(np.log([p]), [1]), 6) == ce


@EVERY_LOSS
def test_losses_by_hand_are_finite_at_a_thousand(loss: str) -> None:
    net = NumpyMLP([1, 2], loss=loss)
    output = np.array([[1000.0, -1000.0]])
    target = [1] if loss == "cross_entropy" else [[0, 1]]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        grads = net.backward([np.array([[1.0]]), output], target)
        assert net.loss(output, target) == {"cross_entropy": 2000.0, "bce_with_logits": 1000.0, "mse": 1001000.5}[loss]
    wanted = {"cross_entropy": [1, -1], "bce_with_logits": [0.5, -0.5], "mse": [1000, -1001]}[loss]
    assert grads["b1"].tolist() == wanted


@EVERY_LOSS
@EVERY_ACTIVATION
def test_float32_stays_float32_and_agrees(activation: str, loss: str) -> None:
    single, double = network(activation, loss, dtype=np.float32), network(activation, loss)
    output, cache = single.forward(X)
    assert all(a.dtype == np.float32 for a in cache)
    wanted = double.backward(double.forward(X)[1], TARGETS[loss])
    for name, grad in single.backward(cache, TARGETS[loss]).items():
        assert grad.dtype == np.float32
        # Three layers of a few roundings of 6e-8 each.
        assert relative_error(grad, wanted[name]) < 1e-5
    single.update(single.backward(cache, TARGETS[loss]), lr=0.1)
    assert all(p.dtype == np.float32 for p in single.params.values())
    assert isinstance(single.loss(output, TARGETS[loss]), float)


def test_one_output_takes_a_row_of_targets() -> None:
    net = NumpyMLP([3, 4, 1], loss="bce_with_logits", seed=0)
    output, cache = net.forward(X)
    row = np.array([0, 1, 1, 0, 1, 0, 0])
    assert net.loss(output, row) == net.loss(output, row[:, np.newaxis])
    assert (net.backward(cache, row)["W1"] == net.backward(cache, row[:, np.newaxis])["W1"]).all()


def test_initial_weights_have_the_variance_of_he_or_xavier() -> None:
    n, m = 300, 200
    # The variance of 60,000 normal numbers deviates by sqrt(2 / 60000) = 0.6 %; five of these.
    for activation, variance in (("relu", 2 / n), ("tanh", 2 / (n + m)), ("sigmoid", 2 / (n + m))):
        net = NumpyMLP([n, m], activation=activation, seed=0)
        assert net.params["W1"].shape == (m, n)
        assert net.params["W1"].var() == pytest.approx(variance, rel=0.03)
        assert not net.params["b1"].any()
    assert (NumpyMLP([2, 3], seed=1).params["W1"] == NumpyMLP([2, 3], seed=1).params["W1"]).all()
    assert (NumpyMLP([2, 3], seed=1).params["W1"] != NumpyMLP([2, 3], seed=2).params["W1"]).any()


def test_gradient_of_the_batch_is_the_mean_of_those_of_its_samples() -> None:
    net, targets = network("tanh", "cross_entropy"), TARGETS["cross_entropy"]
    whole = net.backward(net.forward(X)[1], targets)
    parts = [net.backward(net.forward(X[i : i + 1])[1], targets[i : i + 1]) for i in range(len(X))]
    for name, grad in whole.items():
        np.testing.assert_allclose(grad, np.mean([part[name] for part in parts], axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("option", [{"activation": "gelu"}, {"loss": "hinge"}])
def test_unknown_names_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        NumpyMLP([1, 1], **option)


def test_class_outside_the_outputs_is_refused() -> None:
    net = NumpyMLP([3, 2], seed=0)
    for bad in (2, -1):
        with pytest.raises(IndexError):
            net.loss(net.forward(X[:1])[0], [bad])
