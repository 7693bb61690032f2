"""Networks and optimisers of the pure-Python engine."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from pygrad.random import Generator
from pygrad.reference import MLP, SGD, Adam, Layer, Module, Neuron, Value, functional
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
