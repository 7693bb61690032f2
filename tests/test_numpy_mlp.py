"""The network by hand in numpy: against central differences, and against the pure-Python engine."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pygrad.reference import Layer, NumpyMLP, Value, functional

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
