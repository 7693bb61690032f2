"""What tensors and their graphs cost, and that all of it is given back, by the engine's own count of bytes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tensor_backend import TORCH, pg

if TORCH:
    pytest.skip("PyTorch does not count its bytes", allow_module_level=True)

from pygrad import nn, optim
from pygrad._engine import lib

N = 1 << 20  # elements of a tensor that is large: 4 MB
LARGE = 4 * N
SMALL = 1 << 14  # bytes of handles, nodes and their rounding, far below LARGE
RESERVE = 18 * (2 << 20)  # memory of Python objects comes in slabs, of which some are kept


def held() -> int:
    """Return the bytes that somebody holds: the engine keeps freed blocks for the next taker."""
    return int(lib.pg_live_bytes() - lib.pg_cached_bytes())


@pytest.fixture(autouse=True)
def all_is_given_back() -> Iterator[None]:
    gc.collect()
    pg.ones(1)
    before = held()
    yield
    gc.collect()
    assert held() <= before + RESERVE


class Peak:
    """How much more the engine has had than at the start, at once: it asks the system for what its cache lacks."""

    def __enter__(self) -> Peak:
        lib.pg_empty_cache()
        self.before = held()
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = int(lib.pg_live_bytes()) - self.before


# ---- views ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.reshape(1 << 10, 1 << 10),
        lambda x: x.view(-1, 2).T,
        lambda x: x[1::3],
        lambda x: x[::-1],
        lambda x: x[None, :, None],
        lambda x: x.expand(1000, N),
        lambda x: x[5].expand(1 << 30),
        lambda x: x.unsqueeze(0).permute(1, 0).squeeze(),
        lambda x: x.reshape(1 << 10, 1 << 10).flatten(),
        lambda x: x.detach(),
        lambda x: x.data,
        lambda x: x.contiguous(),
        lambda x: x.to(pg.float32),
        lambda x: x.detach().numpy(),
        lambda x: pg.from_numpy(x.detach().numpy()),
        lambda x: list(x.reshape(4, -1)),
        lambda x: x.requires_grad_(),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_view_allocates_no_data(view: Any, recorded: bool) -> None:
    x = pg.zeros(N).requires_grad_(recorded)
    with Peak() as peak:
        y = view(x)
    assert peak.bytes < SMALL
    del y


def test_broadcast_operand_is_not_stretched() -> None:
    x, row, column = pg.zeros(1 << 10, 1 << 10), pg.zeros(1 << 10), pg.zeros(1 << 10, 1)
    with Peak() as peak:
        y = x + row
    assert peak.bytes < LARGE + SMALL
    with Peak() as peak:
        z = row * column
    assert peak.bytes < LARGE + SMALL
    with Peak() as peak:
        s = row.expand(1 << 14, 1 << 10).sum()
    assert peak.bytes < SMALL
    assert s.item() == 0.0
    del y, z


def test_operation_in_place_allocates_no_data() -> None:
    x, y = pg.zeros(N), pg.ones(N)
    with Peak() as peak:
        x.add_(y).mul_(2).sub_(1.5).tanh_()
        x += y
        x.zero_()
    assert peak.bytes < LARGE + SMALL  # zero_ and fill_ may take one


# ---- gradients -------------------------------------------------------------------------------------------------------


def test_gradient_of_a_sum_is_not_stretched_on_the_way() -> None:
    """Only the leaf's own gradient is of full size."""
    x = pg.zeros(N).requires_grad_()
    y = x.sum()
    with Peak() as peak:
        (g,) = pg.autograd.grad(y, x)
    assert g.shape == (N,)
    assert peak.bytes < SMALL
    del g
    y = x.sum()
    with Peak() as peak:
        y.backward()
    assert peak.bytes < LARGE + SMALL


def test_gradient_of_a_view_chain_is_not_copied_at_each_step() -> None:
    x = pg.zeros(N).requires_grad_()
    y = x.reshape(1 << 10, 1 << 10).T.unsqueeze(0).permute(2, 1, 0).squeeze().flatten().expand(1, N).sum()
    with Peak() as peak:
        y.backward()
    assert peak.bytes < LARGE + SMALL


def test_second_gradient_is_added_to_the_first_in_place() -> None:
    x = pg.zeros(N).requires_grad_()
    x.sum().backward()
    y = x.sum()
    with Peak() as peak:
        y.backward()
    assert peak.bytes < SMALL


def test_graph_of_additions_keeps_no_values() -> None:
    x = pg.zeros(N).requires_grad_()
    with Peak() as peak:
        y = x
        for _ in range(20):
            y = y + 1.0
    assert peak.bytes < 3 * LARGE  # the last value, and one in the cache
    y.sum().backward()


def test_backward_frees_what_was_saved_as_it_goes() -> None:
    x = pg.zeros(N).requires_grad_()
    y = x
    for _ in range(8):
        y = y.tanh()
    loss = y.sum()
    del y
    with Peak() as peak:
        before = held()
        loss.backward()
        after = held()
    assert after <= before - 7 * LARGE  # eight values gone, one gradient come
    assert peak.bytes < 4 * LARGE


def test_failed_backward_leaves_no_gradient_behind() -> None:
    x = pg.zeros(N).requires_grad_()
    before = held()
    y = x.tanh()
    z = (y * y).sum()
    y.detach().zero_()
    with pytest.raises(RuntimeError):
        z.backward()
    del y, z
    assert held() <= before + SMALL


# ---- many ------------------------------------------------------------------------------------------------------------


def test_memory_is_flat_over_100_000_training_steps() -> None:
    x, target = pg.tensor(np.linspace(-1, 1, 8).reshape(4, 2), dtype=pg.float32), pg.zeros(4, 1)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def train(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            pg.mse_loss(model(x), target).backward()
            optimizer.step()

    train(100)
    before, cached = lib.pg_live_bytes(), lib.pg_cached_bytes()
    train(100_000)
    assert lib.pg_live_bytes() == before
    assert lib.pg_cached_bytes() == cached


def test_chain_of_a_million_operations_is_built_differentiated_and_freed() -> None:
    x = pg.ones(1, dtype=pg.float64).requires_grad_()
    before = held()
    y = x
    for _ in range(500_000):
        y = (y + 1.0) * 1.0
    per_node = (held() - before) / 1_000_000
    assert per_node < 512
    y.sum().backward()
    assert y.item() == 500_001.0
    assert x.grad.item() == 1.0
    del y
    x.grad = None
    assert held() <= before + SMALL


def test_wide_graph_is_freed() -> None:
    x = pg.ones(1, dtype=pg.float64).requires_grad_()
    before = held()
    y = pg.stack([x * float(i) for i in range(10_000)]).sum()
    y.backward()
    assert x.grad.item() == sum(range(10_000))
    del y
    x.grad = None
    assert held() <= before + SMALL


def test_graph_that_dies_without_backward_is_freed() -> None:
    x = pg.ones(1).requires_grad_()
    before = held()
    y = x
    for _ in range(200_000):
        y = y.tanh()
    del y
    assert held() <= before + SMALL


def test_blocks_of_every_size_go_back_to_the_system_whole() -> None:
    """What a block counts in the cache and what it is freed with come from two formulas."""
    pg.ones(1)
    lib.pg_empty_cache()
    before = lib.pg_live_bytes()
    sizes = [*range(2000), *(s + d for s in (1 << k for k in range(11, 24)) for d in (-65, -64, -63, -1, 0, 1, 63, 64))]
    for n in sizes:
        pg.zeros(n, dtype=pg.uint8)
    lib.pg_empty_cache()
    assert lib.pg_cached_bytes() == 0
    assert lib.pg_live_bytes() == before
