"""Optimisers over values: the published numbers, the equations written here, and the reference."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from oracle import EPS

from pygrad import Value, nn, optim, reference
from pygrad._engine import native

# An update of a parameter is a dozen roundings of numbers about as large as the parameter and the state.
ROOM = {"rel": 64 * EPS, "abs": 64 * EPS}


def run(optimizer, params, gradients):
    """Take a step for every row of gradients and return the parameters after each."""
    rows = []
    for row in gradients:
        for p, g in zip(params, row, strict=True):
            p.grad = g
        assert optimizer.step() is None
        rows.append([p.data for p in params])
    return rows


def gradient_rows(seed, steps, n):
    generator = random.Random(seed)
    return [[generator.gauss(0, 1) * 10 ** generator.uniform(-3, 1) for _ in range(n)] for _ in range(steps)]


START = [5.0, -0.25, 0.0, 100.0]


# ---- equations in float64, as PyTorch documents them ----------------------------------------------------------------


def sgd_by_formula(theta, gradients, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    theta, b, rows = np.array(theta), None, []
    for g in gradients:
        g = np.array(g) + weight_decay * theta
        if momentum:
            b = g if b is None else momentum * b + (1 - dampening) * g
            g = g + momentum * b if nesterov else b
        theta = theta - lr * g
        rows.append(theta.tolist())
    return rows


def adam_by_formula(theta, gradients, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    theta, rows = np.array(theta), []
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        g = np.array(g) + weight_decay * theta
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        theta = theta - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
        rows.append(theta.tolist())
    return rows


SGD_CASES = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.05},
    {"lr": 0.0},
    {"lr": 0.1, "momentum": 1.0, "dampening": 1.0},
]
ADAM_CASES = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.01, "betas": (0.8, 0.99)},
    {"lr": 0.1, "eps": 0.1},
    {"lr": 0.1, "betas": (0.0, 0.0)},
    {"lr": 0.1, "betas": (0.0, 0.999), "eps": 1e-3, "weight_decay": 0.3},
]


@pytest.mark.parametrize("case", SGD_CASES, ids=str)
def test_sgd_follows_its_equations(case):
    gradients = gradient_rows(1, 25, len(START))
    params = [Value(x) for x in START]
    rows = run(optim.SGD(params, **case), params, gradients)
    for row, wanted in zip(rows, sgd_by_formula(START, gradients, **case), strict=True):
        assert row == pytest.approx(wanted, **ROOM)


@pytest.mark.parametrize("case", ADAM_CASES, ids=str)
def test_adam_follows_its_equations(case):
    gradients = gradient_rows(2, 25, len(START))
    params = [Value(x) for x in START]
    rows = run(optim.Adam(params, **case), params, gradients)
    for row, wanted in zip(rows, adam_by_formula(START, gradients, **case), strict=True):
        assert row == pytest.approx(wanted, **ROOM)


@pytest.mark.parametrize(
    ("name", "case"), [*(("SGD", case) for case in SGD_CASES), *(("Adam", case) for case in ADAM_CASES)], ids=str
)
def test_optimisers_agree_with_the_reference(name, case):
    gradients = gradient_rows(3, 25, len(START))
    ours, twins = [Value(x) for x in START], [reference.Value(x) for x in START]
    rows = run(getattr(optim, name)(ours, **case), ours, gradients)
    wanted = run(getattr(reference, name)(twins, **case), twins, gradients)
    for row, other in zip(rows, wanted, strict=True):
        assert row == pytest.approx(other, **ROOM)


# ---- published and hand-computed numbers ----------------------------------------------------------------------------


def test_adam_has_the_numbers_of_the_table():
    p = Value(5.0)
    rows = run(optim.Adam([p], lr=0.1), [p], [[2.0], [1.5], [3.0]])
    assert [round(x, 6) for (x,) in rows] == [4.9, 4.801742, 4.704050]


def test_first_step_of_adam_moves_by_the_rate_whatever_the_gradient():
    for g in (1e-3, 1.0, -50.0, 1e6):
        p = Value(1.0)
        run(optim.Adam([p], lr=0.1), [p], [[g]])
        assert p.data == pytest.approx(1.0 - math.copysign(0.1, g), abs=1e-5 * 0.1 + 1e-12)


def test_sgd_by_hand():
    p = Value(5.0)
    run(optim.SGD([p], lr=0.1), [p], [[2.0]])
    assert p.data == 4.8
    p = Value(1.0)
    # m = 1; m = 0.5 + 1 = 1.5; m = 0.75 + 1 = 1.75; theta = 1 - 0.25 (1 + 1.5 + 1.75)
    assert run(optim.SGD([p], lr=0.25, momentum=0.5), [p], [[1.0]] * 3) == [[0.75], [0.375], [-0.0625]]
    p = Value(1.0)
    # nesterov: g + 0.5 m = 1.5, then 1 + 0.75
    assert run(optim.SGD([p], lr=0.25, momentum=0.5, nesterov=True), [p], [[1.0]] * 2) == [[0.625], [0.1875]]
    p = Value(1.0)
    # the first step is not dampened: m = 1, then 0.5 + 0.25
    assert run(optim.SGD([p], lr=0.25, momentum=0.5, dampening=0.75), [p], [[1.0]] * 2) == [[0.75], [0.5625]]
    p = Value(2.0)
    # g + 0.5 theta = 1
    assert run(optim.SGD([p], lr=0.25, weight_decay=0.5), [p], [[0.0]]) == [[1.75]]


def test_defaults_are_pytorchs():
    assert optim.SGD([Value(1.0)]).lr == optim.Adam([Value(1.0)]).lr == 1e-3
    adam = optim.Adam([Value(1.0)])
    assert (adam.betas, adam.eps) == ((0.9, 0.999), 1e-8)
    sgd = optim.SGD([Value(1.0)])
    assert (sgd.momentum, sgd.dampening, sgd.weight_decay, sgd.nesterov) == (0.0, 0.0, 0.0, False)


# ---- use ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_step_leaves_gradients_and_zero_grad_resets_them(make):
    params = [Value(1.0), Value(2.0)]
    optimizer = make(iter(params), lr=0.1)
    params[0].grad, params[1].grad = 3.0, -4.0
    optimizer.step()
    assert [p.grad for p in params] == [3.0, -4.0]
    assert optimizer.zero_grad() is None
    assert [p.grad for p in params] == [0.0, 0.0]
    assert optimizer.steps == 1
    assert all(p is q for p, q in zip(optimizer.params, params, strict=True))


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_rate_can_be_changed_between_steps(make):
    p = Value(1.0)
    optimizer = make([p], lr=0.1)
    run(optimizer, [p], [[1.0]])
    optimizer.lr = 0.0
    stopped = p.data
    run(optimizer, [p], [[1.0]])
    assert p.data == stopped
    optimizer.lr = 0.2
    run(optimizer, [p], [[1.0]])
    assert p.data < stopped


@pytest.mark.parametrize("make", [optim.SGD, lambda p, lr: optim.SGD(p, lr, momentum=0.9), optim.Adam])
def test_optimisers_find_the_minimum_of_a_bowl(make):
    x, y = Value(3.0), Value(-2.0)
    optimizer = make([x, y], lr=0.05)
    for _ in range(600):
        loss = (x - 1) ** 2 + 3 * (y + 0.5) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (x.data, y.data) == (pytest.approx(1.0, abs=1e-3), pytest.approx(-0.5, abs=1e-3))


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_network_trains_alike_with_the_optimisers_of_both_engines(name):
    data = [([0.5, -1.0], 1.0), ([1.5, 0.25], -1.0), ([-0.75, 0.5], 0.5)]
    curves = []
    for module, optimisers in ((nn, optim), (reference, reference)):
        model = module.MLP(2, [5, 1], activation="tanh", seed=6)
        optimizer = getattr(optimisers, name)(model.parameters(), lr=0.02)
        losses = []
        for _ in range(60):
            loss = sum(((model(x) - y) ** 2 for x, y in data), 0.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.data)
        curves.append(losses)
    assert curves[0] == pytest.approx(curves[1], rel=1e-10)
    assert curves[0][-1] < 0.5 * curves[0][0]


def test_nan_and_infinite_gradients_end_in_nan_and_not_in_an_exception():
    for g, make in itertools.product((math.nan, math.inf), (optim.SGD, optim.Adam)):
        p, q = Value(1.0), Value(2.0)
        optimizer = make([p, q], lr=0.1)
        p.grad, q.grad = g, 1.0
        optimizer.step()
        assert not math.isfinite(p.data)
        assert math.isfinite(q.data)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_zero_grad_clears_nan_and_infinity(make):
    params = [Value(1.0), Value(2.0), Value(3.0)]
    for p, g in zip(params, (math.nan, math.inf, -0.0), strict=True):
        p.grad = g
    make(params).zero_grad()
    assert [str(p.grad) for p in params] == ["0.0"] * 3


def test_subclass_instances_are_parameters():
    class Parameter(Value):
        pass

    p = Parameter(5.0)
    run(optim.SGD([p], lr=0.1), [p], [[2.0]])
    assert p.data == 4.8


# ---- errors ---------------------------------------------------------------------------------------------------------

MAKERS = pytest.mark.parametrize("make", [optim.SGD, optim.Adam])


@MAKERS
def test_no_parameters_is_a_value_error(make):
    for empty in ([], (), iter([])):
        with pytest.raises(ValueError, match="empty parameter list"):
            make(empty)


@MAKERS
def test_a_node_that_was_computed_is_no_parameter(make):
    for node in (Value(1.0) * 2, Value(1.0).tanh(), Value(2.0, (Value(1.0),), "mine")):
        with pytest.raises(ValueError, match="non-leaf"):
            make([Value(1.0), node])


@MAKERS
@pytest.mark.parametrize("junk", [1.0, "x", None, [Value(1.0)], np.array([1.0]), reference.Value(1.0)])
def test_what_is_no_value_is_a_type_error_that_names_it(make, junk):
    with pytest.raises(TypeError, match="have to be Values") as caught:
        make([Value(1.0), junk])
    assert type(junk).__name__ in str(caught.value)


@MAKERS
@pytest.mark.parametrize("junk", [None, 3, Value(1.0)])
def test_parameters_that_are_no_iterable_are_a_type_error(make, junk):
    with pytest.raises(TypeError):
        make(junk)


@MAKERS
@pytest.mark.parametrize("lr", [-0.1, math.nan, -math.inf, math.inf])
def test_rate_below_zero_or_not_finite_is_a_value_error_that_names_it(make, lr):
    with pytest.raises(ValueError, match=rf"lr .*{lr}"):
        make([Value(1.0)], lr=lr)


@pytest.mark.parametrize(
    ("make", "kwargs", "name"),
    [
        (optim.SGD, {"momentum": -0.1}, "momentum"),
        (optim.SGD, {"momentum": math.nan}, "momentum"),
        (optim.SGD, {"weight_decay": -1.0}, "weight_decay"),
        (optim.SGD, {"weight_decay": math.nan}, "weight_decay"),
        (optim.Adam, {"weight_decay": -1.0}, "weight_decay"),
        (optim.Adam, {"eps": -1e-8}, "eps"),
        (optim.Adam, {"eps": math.nan}, "eps"),
        (optim.Adam, {"betas": (1.0, 0.999)}, "beta1"),
        (optim.Adam, {"betas": (-0.1, 0.999)}, "beta1"),
        (optim.Adam, {"betas": (0.9, 1.0)}, "beta2"),
        (optim.Adam, {"betas": (0.9, math.nan)}, "beta2"),
    ],
)
def test_impossible_settings_are_value_errors_that_name_the_setting(make, kwargs, name):
    with pytest.raises(ValueError, match=name):
        make([Value(1.0)], **kwargs)


@pytest.mark.parametrize("kwargs", [{}, {"momentum": 0.9, "dampening": 0.1}, {"dampening": 0.1}])
def test_nesterov_needs_momentum_without_dampening(kwargs):
    with pytest.raises(ValueError, match="Nesterov momentum requires a momentum and zero dampening"):
        optim.SGD([Value(1.0)], nesterov=True, **kwargs)


def test_base_class_takes_no_step():
    with pytest.raises(NotImplementedError):
        optim.Optimizer([Value(1.0)], 0.1).step()


def test_state_of_another_size_or_type_is_refused_by_the_engine():
    params = [Value(1.0), Value(2.0)]
    for state in (np.zeros(3), np.zeros(2, dtype=np.float32), np.zeros(4)[::2]):
        with pytest.raises((ValueError, BufferError)):
            native.sgd_step(params, 1, state, 0.1, 0.9, 0.0, 0.0, False)
        with pytest.raises((ValueError, BufferError)):
            native.adam_step(params, 1, np.zeros(2), state, 0.1, 0.9, 0.999, 1e-8, 0.0)
    readonly = np.zeros(2)
    readonly.flags.writeable = False
    with pytest.raises((ValueError, BufferError)):
        native.sgd_step(params, 1, readonly, 0.1, 0.9, 0.0, 0.0, False)
    with pytest.raises(ValueError, match="momentum"):
        native.sgd_step(params, 1, None, 0.1, 0.9, 0.0, 0.0, False)
    with pytest.raises(ValueError, match="moments"):
        native.adam_step(params, 1, None, None, 0.1, 0.9, 0.999, 1e-8, 0.0)
    assert [p.data for p in params] == [1.0, 2.0]
