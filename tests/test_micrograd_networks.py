"""Networks written as micrograd has them, and the numbers of its curriculum: the same after a change of the import."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from value_support import ENGINES

import pygrad
from pygrad import Value, reference

# ---- networks written as micrograd has them -------------------------------------------------------------------------


def networks(V):
    """Return the class MLP in micrograd's manner, over the given engine."""

    class Module:
        def zero_grad(self):
            for p in self.parameters():
                p.grad = 0

    class Neuron(Module):
        def __init__(self, nin, generator, nonlin=True):
            self.w = [V(generator.uniform(-1, 1)) for _ in range(nin)]
            self.b = V(0)
            self.nonlin = nonlin

        def __call__(self, x):
            act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
            return act.relu() if self.nonlin else act

        def parameters(self):
            return [*self.w, self.b]

    class Layer(Module):
        def __init__(self, nin, nout, **kwargs):
            self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

        def __call__(self, x):
            out = [n(x) for n in self.neurons]
            return out[0] if len(out) == 1 else out

        def parameters(self):
            return [p for n in self.neurons for p in n.parameters()]

    class MLP(Module):
        def __init__(self, nin, nouts, generator):
            sizes = [nin, *nouts]
            self.layers = [
                Layer(n, m, generator=generator, nonlin=i != len(nouts) - 1)
                for i, (n, m) in enumerate(itertools.pairwise(sizes))
            ]

        def __call__(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

        def parameters(self):
            return [p for layer in self.layers for p in layer.parameters()]

    return MLP


FOUR_INPUTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
FOUR_TARGETS = [1.0, -1.0, -1.0, 1.0]


def squared_error_losses(model, steps, rate):
    """Train on the four points and return the loss of every step."""
    losses = []
    for _ in range(steps):
        outputs = [model(x) for x in FOUR_INPUTS]
        loss = sum((out - target) ** 2 for target, out in zip(FOUR_TARGETS, outputs, strict=True))
        losses.append(loss.data)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data += -rate * p.grad
    return losses


def test_network_in_micrograds_manner_trains_alike_on_both_engines():
    ours = squared_error_losses(networks(Value)(3, [4, 4, 1], random.Random(1)), 30, 0.01)
    twin = squared_error_losses(networks(reference.Value)(3, [4, 4, 1], random.Random(1)), 30, 0.01)
    assert ours[0] == twin[0]
    # The order in which contributions are summed may differ: an ulp a step, hardly amplified at this rate.
    assert ours == pytest.approx(twin, rel=1e-11)
    assert ours[-1] < 0.5 * ours[0]


def margin_losses(V, steps):
    """Train on two half circles as micrograd's demo does: margin loss, weight decay, a falling rate."""
    generator = random.Random(1337)
    points = [
        (([math.cos(t), math.sin(t)], -1) if i % 2 else ([1 - math.cos(t), 0.5 - math.sin(t)], 1))
        for i, t in enumerate(generator.uniform(0, math.pi) for _ in range(24))
    ]
    model = networks(V)(2, [8, 8, 1], generator)
    history = []
    for k in range(steps):
        inputs = [list(map(V, x)) for x, _ in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for (_, label), score in zip(points, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        hits = [(label > 0) == (score.data > 0) for (_, label), score in zip(points, scores, strict=True)]
        history.append((loss.data, sum(hits) / len(hits)))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * 0.2 * p.grad
    return history


def test_margin_classifier_of_the_demo_trains_alike_on_both_engines():
    ours, twin = margin_losses(Value, 15), margin_losses(reference.Value, 15)
    assert [loss for loss, _ in ours] == pytest.approx([loss for loss, _ in twin], rel=1e-9)
    assert [accuracy for _, accuracy in ours] == [accuracy for _, accuracy in twin]
    assert ours[-1][0] < ours[0][0]


def test_zero_grad_loop_that_assigns_integers():
    model = networks(Value)(3, [2, 1], random.Random(0))
    model(FOUR_INPUTS[0]).backward()
    assert any(p.grad != 0 for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * len(model.parameters())


# ---- the numbers of the curriculum ----------------------------------------------------------------------------------


@ENGINES
def test_sum_times_a_number(V):
    a, b, c = V(2), V(3), V(5)
    L = (a + b) * c
    L.backward()
    assert (L.data, a.grad, b.grad, c.grad) == (25.0, 5.0, 5.0, 5.0)


@ENGINES
def test_squared_error_of_a_line(V):
    x, w, b = V(2), V(3), V(1)
    L = (w * x + b - 5) ** 2
    L.backward()
    assert (L.data, w.grad, x.grad, b.grad) == (4.0, 8.0, 12.0, 4.0)


@ENGINES
def test_logistic_neuron(V):
    w, x, b = V(0.5), V(2.0), V(-0.3)
    z = w * x + b
    p = z.sigmoid()
    L = -p.log()
    L.backward()
    rounded = [round(number, 6) for number in (z.data, p.data, L.data, p.grad, z.grad, w.grad, b.grad)]
    assert rounded == [0.7, 0.668188, 0.403186, -1.496585, -0.331812, -0.663624, -0.331812]
    assert z.grad == pytest.approx(p.data - 1, rel=1e-14)


def test_logistic_neuron_from_the_logit():
    w, x, b = Value(0.5), Value(2.0), Value(-0.3)
    L = pygrad.binary_cross_entropy_with_logits(w * x + b, 1)
    L.backward()
    assert [round(v, 6) for v in (L.data, w.grad, b.grad)] == [0.403186, -0.663624, -0.331812]


@ENGINES
def test_two_layers_and_a_square(V):
    x, w1, w2, b = V(2), V(3), V(-1), V(0.5)
    L = (w2 * (w1 * x + b).relu()) ** 2
    L.backward()
    assert (L.data, w1.grad, w2.grad, b.grad) == (42.25, 26.0, -84.5, 13.0)


@ENGINES
@pytest.mark.parametrize(
    ("bias", "z", "loss", "dw", "dx", "db"),
    [
        (0.1, -1.9, 1.0, (0.0, 0.0), (0.0, 0.0), 0.0),
        (2.6, 0.6, 0.16, (-1.6, -2.4), (-0.4, 0.8), -0.8),
    ],
    ids=["dead", "alive"],
)
def test_dead_neuron_and_its_live_twin(V, bias, z, loss, dw, dx, db):
    x, w, b = [V(2), V(3)], [V(0.5), V(-1)], V(bias)
    pre = w[0] * x[0] + w[1] * x[1] + b
    L = (pre.relu() - 1) ** 2
    L.backward()
    assert pre.data == pytest.approx(z, rel=1e-14)
    assert L.data == pytest.approx(loss, rel=1e-14)
    assert [v.grad for v in w] == pytest.approx(dw, rel=1e-14)
    assert [v.grad for v in x] == pytest.approx(dx, rel=1e-14)
    assert b.grad == pytest.approx(db, rel=1e-14)


@pytest.mark.parametrize("init", ["auto", "uniform"])
def test_four_points_are_learnt_by_a_network_of_41_parameters(init):
    ratios, finals = [], []
    for seed in range(20):
        model = pygrad.nn.MLP(3, [4, 4, 1], init=init, seed=seed)
        assert len(model.parameters()) == 41
        losses = squared_error_losses(model, 100, 0.01)
        ratios.append(losses[-1] / losses[0])
        finals.append(losses[-1])
    assert max(ratios) < 1.0
    assert statistics.median(finals) < 1.0


def test_four_points_train_alike_on_both_engines():
    for seed in range(3):
        ours = squared_error_losses(pygrad.nn.MLP(3, [4, 4, 1], seed=seed), 100, 0.01)
        twin = squared_error_losses(reference.MLP(3, [4, 4, 1], seed=seed), 100, 0.01)
        assert ours[0] == twin[0]
        assert ours == pytest.approx(twin, rel=1e-9)


def test_with_a_relu_at_the_end_the_loss_of_the_four_points_cannot_go_under_two():
    # Two targets are -1, and a relu is at least 0.
    for seed in range(5):
        model = pygrad.nn.MLP(3, [4, 4, 1], output_activation="relu", seed=seed)
        assert min(squared_error_losses(model, 100, 0.01)) >= 2.0
