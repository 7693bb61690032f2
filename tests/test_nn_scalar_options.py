"""Scalar networks: what may be changed in them, sizes and seeds, and how weights begin."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from nn_scalar_support import ACTIVATIONS, ALIASES, gradients

from pygrad import Value, init, nn, reference
from pygrad.random import Generator

# ---- what may be changed --------------------------------------------------------------------------------------------


def test_nonlin_and_activation_can_be_changed():
    neuron = nn.Neuron(2, seed=0)
    neuron.b.data = -50.0
    assert neuron([1.0, 1.0]).data == 0.0
    neuron.nonlin = False
    z = neuron([1.0, 1.0]).data
    assert z < -40.0 and repr(neuron) == "LinearNeuron(2)"
    neuron.activation = "leaky"
    assert neuron.activation == "leaky_relu" and neuron([1.0, 1.0]).data == z
    neuron.nonlin = True
    assert neuron([1.0, 1.0]).data == 0.01 * z
    neuron.activation = "elu"
    assert neuron([1.0, 1.0]).data == math.expm1(z)
    neuron.activation = "linear"
    assert neuron([1.0, 1.0]).data == z
    assert nn.Neuron(2, nonlin=False, activation="tanh", seed=0).nonlin is False


@pytest.mark.parametrize(
    "attempt",
    [
        lambda name: nn.Neuron(2, activation=name),
        lambda name: nn.Layer(2, 2, activation=name),
        lambda name: nn.MLP(2, [2, 1], activation=name),
        lambda name: nn.MLP(2, [2, 1], output_activation=name),
        lambda name: setattr(nn.Neuron(2), "activation", name),
    ],
)
def test_unknown_activation_is_a_value_error_that_lists_the_known(attempt):
    for name in ("rleu", "ReLU", ""):
        with pytest.raises(ValueError) as caught:
            attempt(name)
        assert repr(name) in str(caught.value)
        for known in (*ACTIVATIONS, *ALIASES):
            assert known in str(caught.value)


def test_aliases_are_the_activations_they_name():
    for alias, name in ALIASES.items():
        neuron = nn.Neuron(2, activation=alias, seed=3)
        assert neuron.activation == name
        assert neuron([1.0, -2.0]).data == nn.Neuron(2, activation=name, seed=3)([1.0, -2.0]).data


def test_replaced_weights_are_used_whatever_they_are():
    neuron = nn.Neuron(2, nonlin=False, seed=0)
    tied = Value(3.0)
    neuron.w = [tied, tied]
    neuron.b = tied * 2
    y = neuron([1.0, 10.0])
    assert y.data == 39.0
    assert gradients([tied], y) == [13.0]

    neuron.w = [0.5, Value(2.0)]
    neuron.b = 1
    x = [Value(4.0), Value(5.0)]
    y = neuron(x)
    assert y.data == 13.0
    assert y._prev == {neuron.w[1], *x}
    assert gradients([*x, neuron.w[1]], y) == [0.5, 2.0, 5.0]

    neuron.w = (1, 2)
    assert neuron([1.0, 1.0]).data == 4.0
    neuron.w = np.array([0.5, 0.25])
    y = neuron(x)
    assert y.data == 1 + 2.0 + 1.25
    assert gradients(x, y) == [0.5, 0.25]

    neuron.w = [Value(1.0)] * 3
    with pytest.raises(ValueError, match="2 inputs for 3 weights"):
        neuron([1.0, 1.0])
    for junk in (["a", "b"], None, [None, None]):
        neuron.w = junk
        with pytest.raises(TypeError):
            neuron([1.0, 1.0])


def test_replaced_weights_are_used_inside_a_network():
    model = nn.MLP(2, [2, 1], seed=0)
    tied = Value(0.5)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.w = [tied, tied]
            neuron.b = 0.25
    y = model([1.0, 2.0])
    hidden = 0.5 * 3 + 0.25
    assert y.data == 0.5 * hidden * 2 + 0.25
    # y = 2 t (3 t + 0.25) + 0.25
    assert gradients([tied], y) == [pytest.approx(12 * 0.5 + 0.5, rel=1e-15)]
    model.layers[0].neurons.append(nn.Neuron(2, seed=1))
    with pytest.raises(ValueError, match="3 inputs for 2 weights"):
        model([1.0, 2.0])


class Quadratic(nn.Neuron):
    """A neuron with its own way to compute."""

    def __call__(self, x):
        return sum((w * xi * xi for w, xi in zip(self.w, x, strict=True)), self.b)


class Named(nn.Neuron):
    """A neuron that computes as all do."""

    def __init__(self, name, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.name = name


@pytest.mark.parametrize("x", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), [Value(1.0), 2]])
def test_subclass_of_a_neuron_with_its_own_call_is_honoured_inside_a_layer(x):
    layer = nn.Layer(2, 3, seed=0)
    plain = [y.data for y in layer(x)]
    layer.neurons[1] = Quadratic(2, seed=9)
    layer.neurons[2] = Named("last", 2, seed=Generator(3))
    outputs = layer(x)
    w = layer.neurons[1].w
    assert outputs[0].data == plain[0]
    assert outputs[1].data == w[0].data * 1.0 * 1.0 + w[1].data * 2.0 * 2.0
    assert outputs[2].data == Named("other", 2, seed=Generator(3))(x).data
    assert gradients(w, outputs[1]) == [1.0, 4.0]


def test_any_callable_can_stand_in_a_layer():
    layer = nn.Layer(2, 2, seed=0)
    layer.neurons[0] = lambda x: Value(42.0)
    assert layer([1.0, 2.0])[0].data == 42.0


def test_model_of_layers_put_together_by_hand():
    a, b = nn.Layer(2, 3, activation="tanh", seed=1), nn.Layer(3, 1, nonlin=False, seed=2)
    y = b(a([0.5, -0.5]))
    assert type(y) is Value
    y.backward()
    assert all(p.grad != 0.0 for p in a.parameters() + b.parameters())


# ---- sizes and seeds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: nn.Neuron(0),
        lambda: nn.Neuron(-1),
        lambda: nn.Layer(2, 0),
        lambda: nn.Layer(0, 2),
        lambda: nn.MLP(2, []),
        lambda: nn.MLP(0, [1]),
        lambda: nn.MLP(2, [3, 0]),
        lambda: nn.MLP(2, [0, 3]),
        lambda: nn.Neuron(2, init="nonsense"),
        lambda: nn.MLP(2, [2], init="he_normal"),
        lambda: nn.MLP(2, [2], seed=-1),
    ],
)
def test_impossible_networks_are_value_errors(attempt):
    with pytest.raises(ValueError):
        attempt()


def test_unknown_initialisation_lists_the_known():
    with pytest.raises(ValueError, match=r"'nonsense'.*he.*xavier.*lecun.*he_uniform.*uniform"):
        nn.Neuron(2, init="nonsense")


def test_same_seed_same_network_other_seed_other_network():
    def weights(**kwargs):
        return [p.data for p in nn.MLP(3, [4, 1], **kwargs).parameters()]

    assert weights(seed=3) == weights(seed=3) == weights(seed=Generator(3))
    assert weights(seed=3) != weights(seed=4)


def test_random_seed_of_python_governs_networks_without_a_seed():
    def weights():
        return [p.data for p in nn.MLP(3, [4, 1]).parameters()]

    random.seed(99)
    first, second = weights(), weights()
    random.seed(99)
    assert weights() == first
    assert weights() == second != first
    random.seed(99)
    a = [w.data for w in nn.Layer(3, 2).neurons[0].w]
    random.seed(99)
    assert [w.data for w in nn.Layer(3, 2).neurons[0].w] == a


# ---- initialisation -------------------------------------------------------------------------------------------------


def variance_and_kurtosis(weights):
    w = np.array(weights)
    return (w**2).mean(), (w**4).mean() / (w**2).mean() ** 2


SCHEMES = {
    "he": lambda nin, nout: 2 / nin,
    "xavier": lambda nin, nout: 2 / (nin + nout),
    "lecun": lambda nin, nout: 1 / nin,
}


@pytest.mark.parametrize("scheme", [*SCHEMES, *(f"{name}_uniform" for name in SCHEMES)])
@pytest.mark.parametrize(("nin", "nout"), [(50, 200), (200, 50)])
def test_weights_have_the_variance_and_shape_of_their_scheme(scheme, nin, nout):
    layer = nn.Layer(nin, nout, init=scheme, seed=20)
    weights = [w.data for neuron in layer.neurons for w in neuron.w]
    wanted = SCHEMES[scheme.removesuffix("_uniform")](nin, nout)
    # 10,000 numbers: a bound of four standard deviations of each estimate.
    uniform = scheme.endswith("_uniform")
    variance, kurtosis = variance_and_kurtosis(weights)
    assert abs(np.mean(weights)) < 4 * math.sqrt(wanted / 10_000)
    assert abs(variance / wanted - 1) < 4 * math.sqrt((0.8 if uniform else 2.0) / 10_000)
    assert abs(kurtosis - (1.8 if uniform else 3.0)) < 4 * math.sqrt(24 / 10_000)
    if uniform:
        bound = math.sqrt(3 * wanted)
        assert max(map(abs, weights)) < bound
        assert max(map(abs, weights)) > 0.99 * bound


def test_micrograds_own_initialisation_is_uniform_on_minus_one_to_one():
    weights = [w.data for neuron in nn.Layer(100, 100, init="uniform", seed=0).neurons for w in neuron.w]
    variance, kurtosis = variance_and_kurtosis(weights)
    assert -1 <= min(weights) < -0.99 and 0.99 < max(weights) < 1
    assert abs(variance * 3 - 1) < 4 * math.sqrt(0.8 / 10_000)
    assert abs(kurtosis - 1.8) < 0.1


@pytest.mark.parametrize(
    ("activation", "scheme"),
    [
        (a, "he")
        for a in ("relu", "leaky_relu", "leaky", "elu", "gelu", "silu", "swish", "softplus", "selu", "mish", "relu6")
    ]
    + [(a, "xavier") for a in ("tanh", "sigmoid", "linear", "identity", "hardtanh", "sin")],
)
def test_he_for_the_relu_family_and_xavier_for_the_rest(activation, scheme):
    by_itself = nn.Layer(6, 3, activation=activation, seed=1)
    asked = nn.Layer(6, 3, activation=activation, init=scheme, seed=1)
    assert [p.data for p in by_itself.parameters()] == [p.data for p in asked.parameters()]


def test_one_scheme_serves_the_whole_network():
    for activation, scheme in (("relu", "he"), ("tanh", "xavier")):
        model = nn.MLP(5, [4, 3, 1], activation=activation, seed=8)
        generator = Generator(8)
        for (nin, nout), layer in zip(itertools.pairwise((5, 4, 3, 1)), model.layers, strict=True):
            for neuron in layer.neurons:
                assert [w.data for w in neuron.w] == init.weights(scheme, nin, nout, nin, generator)


def test_he_keeps_the_size_of_a_signal_through_ten_relu_layers_and_xavier_through_ten_tanh_layers():
    # Means of the squared activations of the last hidden layer over those of the first, over 30 inputs: He keeps them
    # on average, in one network within a factor of a few; half of that per layer would leave a thousandth.
    generator = random.Random(2)
    inputs = [[generator.gauss(0, 1) for _ in range(32)] for _ in range(30)]
    for scheme, low, high in (("he", 0.1, 10.0), ("lecun", 0.0, 0.05)):
        layers = nn.MLP(32, [32] * 10, init=scheme, output_activation="relu", seed=5).layers
        sizes = []
        signals = inputs
        for layer in layers:
            signals = [[v.data for v in layer(x)] for x in signals]
            sizes.append(np.mean(np.square(signals)))
        assert low < sizes[-1] / sizes[0] < high


# ---- a network that learns ------------------------------------------------------------------------------------------


def test_xor_is_learnt_from_seed_zero_alike_on_both_engines():
    points = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
    curves = []
    for module, steps in ((nn, 400), (reference, 40)):
        model = module.MLP(2, [16, 1], seed=0)
        losses = []
        for _ in range(steps):
            loss = sum((model(x).bce_with_logits(y) for x, y in points), 0.0) / 4
            losses.append(loss.data)
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data -= 0.5 * p.grad
        curves.append(losses)
        if module is nn:
            assert [model(x).data > 0 for x, _ in points] == [y == 1 for _, y in points]
    # 40 steps at this rate amplify a rounding by less than a thousand
    assert curves[0][:40] == pytest.approx(curves[1], rel=1e-12)
    assert curves[0][-1] < 0.1 * curves[0][0]
