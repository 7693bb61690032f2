"""`inplace=True` of functions and modules, and functions that end in `_`."""

from __future__ import annotations

import numpy as np
import pytest
from tensor_backend import TORCH, array, ours, pg, refused

if TORCH:
    import torch


# ---- the switch of functions and modules ----------------------------------------------------------------------------

SWITCHED = {
    "relu": {}, "relu6": {}, "selu": {}, "silu": {}, "mish": {}, "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 0.7}, "hardtanh": {"min_val": -0.5, "max_val": 0.25},
}  # fmt: skip


@pytest.mark.parametrize("name", SWITCHED)
def test_activation_is_told_to_work_in_place(name):
    x = pg.tensor([-2.0, -0.3, 0.4, 7.0], requires_grad=True)
    y, z = x * 1, x * 1
    after = getattr(pg, name)(y, **SWITCHED[name], inplace=True)
    want = getattr(pg, name)(z, **SWITCHED[name])
    assert after is y
    assert after.tolist() == want.tolist()
    assert z.tolist() == x.tolist()
    after.sum().backward()
    got, x.grad = x.grad, None
    want.sum().backward()
    np.testing.assert_allclose(array(got), array(x.grad), rtol=1e-6)
    nn = torch.nn if TORCH else pg.nn
    kind = {"leaky_relu": "LeakyReLU", "elu": "ELU", "hardtanh": "Hardtanh", "mish": "Mish", "silu": "SiLU"}
    module = getattr(nn, kind.get(name, name.upper().replace("RELU", "ReLU")))
    y = x * 1
    layer = module(*SWITCHED[name].values(), inplace=True)
    assert layer(y) is y
    assert y.tolist() == want.tolist()
    assert repr(layer).endswith("inplace=True)")
    assert "inplace" not in repr(module())
    assert module()(z) is not z


def test_dropout_in_place():
    x = pg.ones(1000, requires_grad=True)
    y = x * 1
    assert pg.dropout(y, 0.25, True, True) is y
    kept = y.detach() != 0
    np.testing.assert_allclose(array(y), array(kept) / 0.75, rtol=1e-6)
    assert 650 < kept.sum().item() < 850
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    z = pg.ones(3)
    assert pg.dropout(z, 0.5, False, True) is z
    assert z.tolist() == [1.0, 1.0, 1.0]
    with refused(RuntimeError, naming=("leaf",)):
        pg.dropout(x, 0.5, inplace=True)


@pytest.mark.parametrize("name", ["relu_", "leaky_relu_", "elu_", "selu_", "hardtanh_", "sigmoid_", "clamp_", "exp_"])
def test_methods_are_functions_too(name):
    x, y = pg.tensor([-2.0, 0.3, 4.0]), pg.tensor([-2.0, 0.3, 4.0])
    options = {"min": 0.0} if name == "clamp_" else {}
    assert getattr(pg, name)(x, **options) is x
    assert x.tolist() == getattr(pg, name[:-1])(y, **options).tolist()
    if not TORCH:
        assert getattr(pg.functional, name) is getattr(pg, name)


@ours("its functions are in several modules")
def test_functions_in_place_are_the_methods():
    names = [name for name in pg.functional.__all__ if name.endswith("_")]
    assert len(names) > 40
    for name in names:
        t = pg.tensor([0.25, 0.5])
        if name not in ("fill_", "clamp_", "clip_", "clamp_min_", "clamp_max_", "index_put_"):
            assert getattr(pg, name)(t) is t
            assert t._version == 1
