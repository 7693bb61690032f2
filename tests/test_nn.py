"""Modules over tensors: parameters, registration, names, modes, saving."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from nn_support import names

import pygrad
from pygrad import Value, nn


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
