"""Optimisers over tensors: the equations in float64, PyTorch where it is installed, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pygrad
from pygrad import Value, nn, optim

EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}
SHAPES = [(3, 4), (5,), (), (1, 17)]
STEPS = 20

SGD_CASES = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.05},
    {"lr": 0.0},
]
ADAM_CASES = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.01, "betas": (0.8, 0.99)},
    {"lr": 0.1, "betas": (0.0, 0.0)},
    {"lr": 0.1, "eps": 1e-2},
]
CASES = [*(("SGD", case) for case in SGD_CASES), *(("Adam", case) for case in ADAM_CASES)]
MAKERS = pytest.mark.parametrize("make", [optim.SGD, lambda p, lr=0.1: optim.SGD(p, lr, momentum=0.9), optim.Adam])


def start(dtype):
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def gradient_rows(dtype, steps=STEPS):
    rng = np.random.default_rng(2)
    return [
        [(rng.normal(size=shape) * 10 ** rng.uniform(-3, 1)).astype(dtype) for shape in SHAPES] for _ in range(steps)
    ]


def parameters(arrays):
    return [nn.Parameter(pygrad.tensor(array)) for array in arrays]


def numbers(params):
    return [p.detach().numpy().copy() for p in params]


def run(optimizer, params, rows):
    for row in rows:
        for p, g in zip(params, row, strict=True):
            p.grad = None if g is None else pygrad.tensor(g)
        assert optimizer.step() is None
    return numbers(params)


# ---- equations in float64, as PyTorch documents them ----------------------------------------------------------------


def sgd_by_formula(p, gradients, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    p, m = np.float64(p), None
    for g in gradients:
        g = np.float64(g) + weight_decay * p
        if momentum:
            m = g if m is None else momentum * m + (1 - dampening) * g
            g = g + momentum * m if nesterov else m
        p = p - lr * g
    return p


def adam_by_formula(p, gradients, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    p, m, v = np.float64(p), 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        g = np.float64(g) + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


FORMULAS = {"SGD": sgd_by_formula, "Adam": adam_by_formula}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_optimisers_follow_their_equations(name, case, dtype):
    arrays, rows = start(dtype), gradient_rows(dtype)
    params = parameters(arrays)
    got = run(getattr(optim, name)(params, **case), params, rows)
    for i, p in enumerate(got):
        wanted = FORMULAS[name](arrays[i], [row[i] for row in rows], **case)
        assert p.dtype == dtype and p.shape == wanted.shape
        # Each step is a dozen roundings of numbers that grow as large as the largest gradient's sum.
        scale = 1 + max(np.abs(row[i]).max() for row in rows)
        assert np.abs(p - wanted).max() <= 16 * STEPS * EPS[dtype] * scale


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_optimisers_agree_with_pytorch(name, case, dtype):
    torch = pytest.importorskip("torch")
    arrays, rows = start(dtype), gradient_rows(dtype)
    params = parameters(arrays)
    got = run(getattr(optim, name)(params, **case), params, rows)
    theirs = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
    optimizer = getattr(torch.optim, name)(theirs, **case)
    for row in rows:
        for p, g in zip(theirs, row, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    for i, (p, q) in enumerate(zip(got, theirs, strict=True)):
        scale = 1 + max(np.abs(row[i]).max() for row in rows)
        assert np.abs(p - q.detach().numpy()).max() <= 16 * STEPS * EPS[dtype] * scale


def test_adam_has_the_numbers_of_the_table():
    p = nn.Parameter(pygrad.tensor([5.0], dtype=pygrad.float64))
    optimizer = optim.Adam([p], lr=0.1)
    reached = [run(optimizer, [p], [[np.array([g])]])[0][0] for g in (2.0, 1.5, 3.0)]
    assert [round(float(x), 6) for x in reached] == [4.9, 4.801742, 4.704050]


def test_scalars_and_tensors_train_alike():
    for name, case in CASES:
        tensor, value = nn.Parameter(pygrad.tensor([0.5], dtype=pygrad.float64)), Value(0.5)
        of_tensor, of_value = (getattr(optim, name)([p], **case) for p in (tensor, value))
        for t in range(STEPS):
            tensor.grad, value.grad = pygrad.tensor([math.cos(t)], dtype=pygrad.float64), math.cos(t)
            of_tensor.step()
            of_value.step()
        assert tensor.item() == pytest.approx(value.data, rel=1e-12, abs=1e-12)


# ---- who is updated -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_each_parameter_counts_the_steps_at_which_it_has_a_gradient(name, case):
    arrays, rows = start("float64"), gradient_rows("float64")
    # The second is there at even steps only, the third from the sixth on, the fourth never.
    there = [lambda t: True, lambda t: t % 2 == 0, lambda t: t >= 6, lambda t: False]
    params = parameters(arrays)
    masked = [[g if there[i](t) else None for i, g in enumerate(row)] for t, row in enumerate(rows)]
    got = run(getattr(optim, name)(params, **case), params, masked)
    for i, p in enumerate(got):
        wanted = FORMULAS[name](arrays[i], [row[i] for row in masked if row[i] is not None], **case)
        scale = 1 + max(np.abs(row[i]).max() for row in rows)
        assert np.abs(p - wanted).max() <= 16 * STEPS * EPS["float64"] * scale
    assert (got[3] == arrays[3]).all()


@MAKERS
def test_step_updates_in_place_and_leaves_gradients(make):
    params = parameters(start("float32"))
    views = [p.detach() for p in params]
    grads = [pygrad.ones(tuple(p.shape)) for p in params]
    for p, g in zip(params, grads, strict=True):
        p.grad = g
    optimizer = make(iter(params), lr=0.1)
    optimizer.step()
    assert [v.tolist() for v in views] == [p.tolist() for p in params]
    assert all(p.grad is g for p, g in zip(params, grads, strict=True))
    assert all((g.numpy() == 1).all() for g in grads)
    assert optimizer.steps == 1
    assert optimizer.zero_grad() is None
    assert all(p.grad is None for p in params)
    before = numbers(params)
    optimizer.step()
    assert all((p == q).all() for p, q in zip(numbers(params), before, strict=True))


@MAKERS
def test_gradients_of_any_layout_give_the_same_step(make):
    rng = np.random.default_rng(3)
    start, g = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    layouts = [
        pygrad.tensor(g),
        pygrad.tensor(np.ascontiguousarray(g.T)).T,
        pygrad.tensor(np.repeat(g, 2, axis=1))[:, ::2],
    ]
    results = []
    for layout in layouts:
        p = nn.Parameter(pygrad.tensor(start))
        p.grad = layout
        make([p], lr=0.1).step()
        results.append(p.tolist())
    assert results[0] == results[1] == results[2]
    p = nn.Parameter(pygrad.zeros(2, 3))
    p.grad = pygrad.ones(1, 1).expand(2, 3)
    make([p], lr=0.1).step()
    assert len({x for row in p.tolist() for x in row}) == 1


def test_parameters_that_are_transposed_are_updated_in_their_places():
    base = np.arange(6.0).reshape(2, 3)
    for make in (optim.SGD, optim.Adam):
        p = nn.Parameter(pygrad.tensor(base).T)
        twin = nn.Parameter(pygrad.tensor(base.T.copy()))
        for x in (p, twin):
            x.grad = pygrad.tensor(np.arange(6.0).reshape(3, 2) - 2)
            make([x], lr=0.1).step()
        assert p.tolist() == twin.tolist()


def test_update_between_forward_and_backward_is_noticed():
    p = nn.Parameter([1.0, 2.0])
    loss = (p * p).sum()
    p.grad = pygrad.ones(2)
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_both_types_of_number_in_one_optimiser():
    params = [nn.Parameter(pygrad.ones(2)), nn.Parameter(pygrad.ones(2, dtype=pygrad.float64))]
    for p in params:
        p.grad = p.detach() * 0 + 1
    optim.SGD(params, lr=0.5).step()
    assert [p.tolist() for p in params] == [[0.5, 0.5]] * 2
    assert [p.dtype for p in params] == [pygrad.float32, pygrad.float64]


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
@MAKERS
def test_parameters_without_elements_are_no_obstacle(make, shape):
    p = nn.Parameter(pygrad.zeros(shape))
    p.grad = pygrad.zeros(shape)
    make([p], lr=0.1).step()
    assert tuple(p.shape) == shape


def test_settings_can_be_changed_between_steps():
    p = nn.Parameter([1.0])
    optimizer = optim.SGD([p], lr=0.5)
    run(optimizer, [p], [[np.float32([1.0])]])
    assert p.tolist() == [0.5]
    optimizer.momentum = 0.5  # the state starts here, undampened
    run(optimizer, [p], [[np.float32([1.0])], [np.float32([1.0])]])
    assert p.tolist() == [0.5 - 0.5 - 0.75]
    optimizer.lr = 0.0
    run(optimizer, [p], [[np.float32([1.0])]])
    assert p.tolist() == [-0.75]


@MAKERS
def test_optimisers_train_a_network(make):
    pygrad.manual_seed(0)
    X = pygrad.rand(64, 2) * 2 - 1
    y = X[:, 0:1] * X[:, 1:2]
    model = nn.MLP([2, 16, 1], activation="tanh", seed=0)
    optimizer = make(model.parameters(), lr=0.05)
    losses = []
    for _ in range(200):
        loss = ((model(X) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


# ---- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
@pytest.mark.parametrize("kind", ["tensors", "values"])
def test_state_dict_carries_a_run_on(kind, name, case):
    make = getattr(optim, name)
    rows = [[np.float64([math.sin(t)]), np.float64([2.0])] for t in range(6)]

    def new_parameters():
        return parameters([np.float64([1.0]), np.float64([2.0])]) if kind == "tensors" else [Value(1.0), Value(2.0)]

    def train(optimizer, params, rows):
        for row in rows:
            for p, g in zip(params, row, strict=True):
                p.grad = pygrad.tensor(g) if kind == "tensors" else float(g[0])
            optimizer.step()
        return [p.item() if kind == "tensors" else p.data for p in params]

    params, copies = new_parameters(), new_parameters()
    first, second = make(params, **case), make(copies, **{**case, "lr": 9.0})
    train(first, params, rows[:3])
    train(make(copies, **case), copies, rows[:3])
    second.load_state_dict(first.state_dict())
    assert second.lr == case["lr"] and second.steps == first.steps == 3
    assert train(second, copies, rows[3:]) == train(first, params, rows[3:])


def test_state_dict_has_pytorchs_layout():
    params = parameters([np.float32([1.0]), np.float32([2.0])])
    optimizer = optim.Adam(params, lr=0.1)
    run(optimizer, params, [[np.float32([2.0]), None]])
    state = optimizer.state_dict()
    assert sorted(state) == ["param_groups", "state"] and list(state["state"]) == [0]
    assert sorted(state["state"][0]) == ["exp_avg", "exp_avg_sq", "step"] and state["state"][0]["step"] == 1
    assert state["state"][0]["exp_avg"].tolist() == pytest.approx([0.2])
    group = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "params": [0, 1]}
    assert state["param_groups"] == [group]


def test_state_that_does_not_fit_is_refused_and_changes_nothing():
    params = parameters([np.float32([1.0, 2.0])])
    optimizer = optim.Adam(params, lr=0.1)
    run(optimizer, params, [[np.float32([1.0, 1.0])]])
    others = [
        optim.Adam(parameters([np.float32([1.0])] * 2)),
        optim.SGD(parameters([np.float32([1.0, 2.0])])),
        optim.Adam(other := parameters([np.float32([1.0, 2.0, 3.0])]), lr=5.0),
    ]
    run(others[-1], other, [[np.float32([1.0, 1.0, 1.0])]])
    before = repr(optimizer.state_dict())
    for stranger, told in zip(others, (r"\[2\]", "momentum", r"\(3,\)"), strict=True):
        with pytest.raises(ValueError, match=told):
            optimizer.load_state_dict(stranger.state_dict())
        assert repr(optimizer.state_dict()) == before


# ---- errors ---------------------------------------------------------------------------------------------------------


@MAKERS
def test_what_cannot_be_trained_is_refused(make):
    for empty in ([], (), iter([])):
        with pytest.raises(ValueError, match="empty parameter list"):
            make(empty)
    p = nn.Parameter([1.0])
    with pytest.raises(ValueError, match="non-leaf"):
        make([p, p * 2])
    with pytest.raises(ValueError, match="int64"):
        make([pygrad.tensor([1, 2])])
    with pytest.raises(TypeError, match="iterable of Tensors"):
        make(p)
    for junk in (1.0, "x", None, [p], np.ones(1)):
        with pytest.raises(TypeError, match=f"Tensors, like the first.*{type(junk).__name__}"):
            make([p, junk])
        with pytest.raises(TypeError, match=f"Tensors or Values.*{type(junk).__name__}"):
            make([junk, p])


@MAKERS
def test_values_and_tensors_do_not_mix(make):
    p = nn.Parameter([1.0])
    with pytest.raises(TypeError, match="have to be Tensors"):
        make([p, Value(1.0)])
    with pytest.raises(TypeError, match="have to be Values"):
        make([Value(1.0), p])


@MAKERS
@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf])
def test_rate_below_zero_or_not_finite_is_a_value_error_that_names_it(make, lr):
    with pytest.raises(ValueError, match=rf"lr .*{lr}"):
        make([nn.Parameter([1.0])], lr=lr)


def test_infinite_parameters_and_gradients_travel_as_numbers_do():
    for make in (optim.SGD, optim.Adam):
        p = nn.Parameter([math.inf, 1.0, 2.0])
        p.grad = pygrad.tensor([1.0, math.nan, 0.0])
        make([p], lr=0.1).step()
        assert p.tolist()[0] == math.inf and math.isnan(p.tolist()[1]) and p.tolist()[2] == 2.0


def test_repr_tells_the_settings():
    text = repr(optim.SGD([nn.Parameter([1.0])], lr=0.1))
    assert text == "SGD(1 parameters, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)"
