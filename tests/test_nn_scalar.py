"""Scalar networks: the fused neuron against sums written out, and micrograd's interface."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from nn_scalar_support import ACTIVATIONS, ALIASES, gradients
from oracle import EPS

from pygrad import Value, nn, reference
from pygrad._engine import ffi, find_op, lib
from pygrad.random import Generator

EVERY_ACTIVATION = pytest.mark.parametrize("activation", ACTIVATIONS)


def written_out(neuron, x, activation):
    """Compute a neuron node by node: bias, then the products in order, then the activation."""
    z = neuron.b
    for w, xi in zip(neuron.w, x, strict=True):
        z = z + w * xi
    return ACTIVATIONS[activation](z)


def nodes_behind(root):
    seen, stack = set(), [root]
    while stack:
        v = stack.pop()
        if v not in seen:
            seen.add(v)
            stack.extend(v._prev)
    return seen


# ---- the fused neuron -----------------------------------------------------------------------------------------------

INPUTS = {
    "floats": lambda x: x,
    "integers": lambda x: [round(4 * xi) for xi in x],
    "tuple": tuple,
    "row": np.array,
    "row of float32": lambda x: np.array(x, dtype=np.float32),
    "row of integers": lambda x: np.array([round(4 * xi) for xi in x]),
    "values": lambda x: [Value(xi) for xi in x],
    "array of values": lambda x: np.array([Value(xi) for xi in x]),
    "mixed": lambda x: [Value(xi) if i % 2 else xi for i, xi in enumerate(x)],
    "numpy scalars": lambda x: [np.float64(x[0]), np.float32(x[1]), *map(np.int64, map(round, x[2:]))],
    "interior values": lambda x: [Value(xi) * 1.0 for xi in x],
}


@EVERY_ACTIVATION
@pytest.mark.parametrize("kind", INPUTS)
def test_neuron_is_to_the_bit_the_sum_written_out(activation, kind):
    generator = random.Random(17)
    for nin in (1, 2, 3, 8):
        for seed in range(5):
            neuron = nn.Neuron(nin, activation=activation, seed=seed)
            neuron.b.data = generator.gauss(0, 1)
            numbers = [generator.gauss(0, 1.5) for _ in range(max(nin, 3))]
            x = INPUTS[kind](numbers)[:nin]
            leaves = neuron.parameters() + [xi for xi in x if isinstance(xi, Value)]
            fused, wanted = neuron(x), written_out(neuron, x, activation)
            assert type(fused) is Value
            assert fused.data == wanted.data
            assert gradients(leaves, fused * 0.75) == gradients(leaves, wanted * 0.75)


@EVERY_ACTIVATION
def test_neuron_has_the_oracles_value_and_central_differences(activation):
    # Away from kinks; the error of a central difference with h = 1e-5 is under 1e-8 for slopes of order 1.
    neuron = nn.Neuron(3, activation=activation, seed=3)
    x = [0.3, -0.2, 0.1]
    for bias in (0.45, -0.45):
        neuron.b.data = bias
        z = bias + sum(w.data * xi for w, xi in zip(neuron.w, x, strict=True))
        y = neuron(x)
        assert y.data == pytest.approx(ACTIVATIONS[activation](reference.Value(z)).data, rel=1e-14)
        got = gradients(neuron.parameters(), y)
        for p, gradient in zip(neuron.parameters(), got, strict=True):
            start, ends = p.data, []
            for step in (1e-5, -1e-5):
                p.data = start + step
                ends.append(neuron(x).data)
            p.data = start
            assert gradient == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


def test_neuron_is_one_node_whose_inputs_are_the_very_values():
    x = [Value(1.0), Value(2.0)]
    neuron = nn.Neuron(2, seed=0)
    y = neuron(x)
    assert y._prev == {*neuron.parameters(), *x}
    assert y._op == "dot+ReLU"
    assert neuron([1.0, 2.0])._prev == set(neuron.parameters())
    assert nn.Neuron(2, nonlin=False, seed=0)(x)._op == "dot"


def test_network_has_one_node_for_each_neuron():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    y = model([0.5, -1.0])
    assert len(nodes_behind(y)) - len(model.parameters()) == 33


@pytest.mark.parametrize("wrong", [[], [1.0], [1.0, 2.0, 3.0], [Value(1.0)], np.zeros(5), (1, 2, Value(3.0))])
def test_wrong_number_of_inputs_is_a_value_error_that_gives_both(wrong):
    for module in (nn.Neuron(2, seed=0), nn.Layer(2, 3, seed=0), nn.MLP(2, [3, 1], seed=0)):
        with pytest.raises(ValueError, match=rf"{len(wrong)} inputs for 2 weights"):
            module(wrong)


@pytest.mark.parametrize("junk", [None, "ab", 3, [None, 1], ["a", 2], [1j, 2], np.zeros((2, 2)), [[1], [2]]])
def test_inputs_that_are_no_numbers_are_type_errors(junk):
    for module in (nn.Neuron(2, seed=0), nn.Layer(2, 3, seed=0), nn.MLP(2, [3, 1], seed=0)):
        with pytest.raises(TypeError):
            module(junk)


def test_one_input_for_several_weights():
    x = Value(0.5)
    neuron = nn.Neuron(3, activation="tanh", seed=1)
    y = neuron([x, x, x])
    slope = 1 - y.data**2
    assert gradients([x], y) == [pytest.approx(slope * sum(w.data for w in neuron.w), rel=8 * EPS)]


def test_layer_shares_inputs_among_neurons_and_sums_their_gradients():
    layer = nn.Layer(2, 5, activation="sigmoid", seed=2)
    x = [Value(0.3), Value(-0.7)]
    fused = sum(layer(x), Value(0.0))
    got = gradients([*x, *layer.parameters()], fused)
    plain = sum((written_out(n, x, "sigmoid") for n in layer.neurons), Value(0.0))
    assert fused.data == plain.data
    # The sums over neurons may run in another order: five terms under 1 each.
    assert got == pytest.approx(gradients([*x, *layer.parameters()], plain), rel=8 * EPS, abs=8 * EPS)


def test_fused_nodes_read_weights_as_they_stand_when_backward_comes():
    x = Value(2.0)
    neuron = nn.Neuron(1, nonlin=False, seed=0)
    neuron.w[0].data = 3.0
    y = neuron([x])
    neuron.w[0].data = 7.0
    assert gradients([x, neuron.w[0]], y) == [7.0, 2.0]


def test_inputs_may_come_from_an_iterator():
    neuron, layer = nn.Neuron(2, seed=0), nn.Layer(2, 3, seed=0)
    assert neuron(iter([1.0, 2.0])).data == neuron([1.0, 2.0]).data
    assert [y.data for y in layer(x for x in (1.0, 2.0))] == [y.data for y in layer([1.0, 2.0])]


def test_numbers_given_as_inputs_are_remembered_as_they_were():
    row = np.array([1.0, 2.0])
    neuron = nn.Neuron(2, nonlin=False, seed=0)
    y = neuron(row)
    row[:] = 100.0
    assert gradients(neuron.w, y) == [1.0, 2.0]


# ---- networks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [*ACTIVATIONS, *ALIASES])
def test_same_seed_gives_the_same_weights_outputs_and_gradients_as_the_reference(activation):
    for output in ("linear", "tanh"):
        ours = nn.MLP(3, [4, 5, 2], activation=activation, output_activation=output, seed=11)
        twin = reference.MLP(3, [4, 5, 2], activation=activation, output_activation=output, seed=11)
        assert [p.data for p in ours.parameters()] == [p.data for p in twin.parameters()]
        x = [0.5, -1.25, 2.0]
        (a, b), (c, d) = ours(x), twin(x)
        # Forward the same operations in the same order, but for what the rows round otherwise; gradients are sums
        # over at most five neurons of products of four factors.
        assert [a.data, b.data] == pytest.approx([c.data, d.data], rel=64 * EPS, abs=64 * EPS)
        (a * 2 - b).backward()
        (c * 2 - d).backward()
        for p, q in zip(ours.parameters(), twin.parameters(), strict=True):
            assert p.grad == pytest.approx(q.grad, rel=256 * EPS, abs=256 * EPS)


def c_weights(sizes, seed):
    graph = lib.pg_graph_new()
    mlp = lib.pg_mlp_new(graph, len(sizes) - 1, ffi.new("int64_t[]", sizes), find_op("relu"), -1, seed)
    count = ffi.new("int64_t *")
    parameters = lib.pg_mlp_parameters(mlp, count)
    weights = [lib.pg_data(parameters[i]) for i in range(count[0])]
    lib.pg_mlp_free(mlp)
    lib.pg_graph_free(graph)
    return weights


def test_same_seed_gives_the_same_weights_as_the_c_library():
    for seed in (0, 7, 2**40):
        assert [p.data for p in nn.MLP(2, [16, 1], seed=seed).parameters()] == c_weights([2, 16, 1], seed)


def test_weights_come_neuron_by_neuron_from_one_stream():
    generator = Generator(5)
    wanted = []
    for nin, nout in ((3, 4), (4, 2)):
        for _ in range(nout):
            wanted += [*generator.normal(0.0, math.sqrt(2 / nin), nin), 0.0]
    assert [p.data for p in nn.MLP(3, [4, 2], seed=5).parameters()] == wanted
    shared = Generator(5)
    first, second = nn.Layer(3, 4, seed=shared), nn.Layer(4, 2, seed=shared, nonlin=False, init="he")
    assert [p.data for p in first.parameters() + second.parameters()] == wanted


def test_parameters_are_weights_then_bias_by_neuron_by_layer():
    model = nn.MLP(3, [4, 4, 1], seed=1)
    wanted = [p for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    assert len(wanted) == 41
    assert all(p is q for p, q in zip(model.parameters(), wanted, strict=True))
    assert all(len(neuron.w) == 3 for neuron in model.layers[0].neurons)
    assert [len(layer.neurons) for layer in model.layers] == [4, 4, 1]
    assert all(neuron.b.data == 0.0 for layer in model.layers for neuron in layer.neurons)


@pytest.mark.parametrize(("sizes", "count"), [((2, 16, 1), 65), ((2, 3, 2, 1), 20), ((64, 16, 10), 1210), ((3, 1), 4)])
def test_number_of_parameters(sizes, count):
    assert len(nn.MLP(sizes[0], sizes[1:], seed=0).parameters()) == count


@pytest.mark.parametrize("nouts", [[1], [1, 1], [1, 3], [3, 1, 2], [1, 1, 1]])
def test_layers_of_one_neuron_anywhere(nouts):
    ours, twin = nn.MLP(2, nouts, activation="tanh", seed=4), reference.MLP(2, nouts, activation="tanh", seed=4)
    y, z = ours([0.5, -0.25]), twin([0.5, -0.25])
    if nouts[-1] == 1:
        assert type(y) is Value
        assert y.data == pytest.approx(z.data, rel=1e-14)
    else:
        assert [v.data for v in y] == pytest.approx([v.data for v in z], rel=1e-14)


def test_last_layer_is_linear_by_default_and_what_was_asked_else():
    model = nn.MLP(2, [3, 1], seed=0)
    assert [layer.neurons[0].nonlin for layer in model.layers] == [True, False]
    assert model.layers[0].neurons[0].activation == "relu"
    squashed = nn.MLP(2, [3, 1], output_activation="sigmoid", seed=0)
    assert squashed([1.0, 2.0]).data == pytest.approx(1 / (1 + math.exp(-model([1.0, 2.0]).data)), rel=1e-14)


def test_zero_grad_resets_every_parameter_and_nothing_else():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    x = [Value(1.0), Value(2.0)]
    model(x).backward()
    assert all(p.grad != 0.0 for p in model.parameters())
    before = [v.grad for v in x]
    assert model.zero_grad() is None
    assert [p.grad for p in model.parameters()] == [0.0] * 13
    assert [v.grad for v in x] == before
    model.layers[0].neurons[0].w[0].grad = 5.0
    model.layers[0].zero_grad()
    assert model.layers[0].neurons[0].w[0].grad == 0.0


def test_a_module_of_ones_own_has_parameters_and_zero_grad():
    class Scale(nn.Module):
        def __init__(self):
            self.s = Value(2.0)

        def __call__(self, x):
            return self.s * x

        def parameters(self):
            return [self.s]

    assert nn.Module().parameters() == []
    nn.Module().zero_grad()
    scale = Scale()
    scale(3.0).backward()
    assert scale.s.grad == 3.0
    scale.zero_grad()
    assert scale.s.grad == 0.0


def test_repr_is_micrograds():
    assert repr(nn.Neuron(3, seed=0)) == "ReLUNeuron(3)"
    assert repr(nn.Neuron(3, nonlin=False, seed=0)) == "LinearNeuron(3)"
    assert repr(nn.Layer(2, 2, seed=0)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    wanted = "MLP of [Layer of [TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(2)]]"
    assert repr(nn.MLP(2, [2, 1], activation="tanh", seed=0)) == wanted
    for activation in ACTIVATIONS:
        name = repr(nn.Neuron(1, activation=activation, seed=0))
        assert name == repr(reference.Neuron(1, activation=activation, seed=0))
        assert name.lower().replace("neuron(1)", "") == activation.replace("_", "")
