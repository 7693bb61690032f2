"""4304: the digits of 4303 with tensors: a whole batch is one row of operations.

64 pixels, hidden layers of 256 and 128 ReLU neurons, 10 logits: 50,826 parameters. A step on a batch of 32 builds a
graph of six nodes, three linear maps, two activations and the cross-entropy; neurons of 4303 would be some 13,000.

Input: nothing. Exit status: 0; 1 when less than 95 % of the held-out digits are recognised.
"""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np

import pygrad
from pygrad import Tensor, data, nn, optim

EPOCHS = 30
BATCH = 32
WANTED = 0.95
SEED = 0
COLUMNS = 50  # of the curve: one per tenth of a percent from 95 % on


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the two parts of the data; pixels from 0 to 2, whose mean square is about 1."""
    X, y = data.digits(scale=False)
    X_train, X_test, y_train, y_test = data.train_test_split((X / 8).astype(np.float32), y, seed=SEED)
    return pygrad.tensor(X_train), pygrad.tensor(X_test), pygrad.tensor(y_train), pygrad.tensor(y_test)


def accuracy(model: nn.MLP, X: Tensor, y: Tensor) -> float:
    with pygrad.no_grad():
        return (model(X).argmax(1) == y).sum().item() / len(y)


def train_epoch(model: nn.MLP, optimizer: optim.SGD, batches: data.DataLoader) -> float:
    """Return the mean loss over the epoch."""
    total, samples = 0.0, 0
    for X, y in batches:
        optimizer.zero_grad()
        loss = pygrad.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        samples += len(y)
    return total / samples


def curve(reached: float) -> str:
    """Draw an accuracy as a bar that begins at 95 %."""
    return "#" * max(0, min(COLUMNS, round(1000 * (reached - 0.95))))


def main() -> int:
    X_train, X_test, y_train, y_test = load()
    model = nn.MLP([64, 256, 128, 10], seed=SEED)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches = data.DataLoader((X_train, y_train), BATCH, shuffle=True, seed=SEED)

    print(f"4304: {len(y_train)} handwritten digits to learn from, {len(y_test)} held out")
    print(f"64-256-128-10 network, {model.num_parameters()} parameters, batches of {BATCH}\n")
    print(f"{'epoch':>5}  {'loss':>8}  {'held out':>8}  {'seconds':>7}  95 %{'100 %':>{COLUMNS - 3}}")
    for epoch in range(1, EPOCHS + 1):
        begin = perf_counter()
        loss = train_epoch(model, optimizer, batches)
        seconds = perf_counter() - begin
        reached = accuracy(model, X_test, y_test)
        print(f"{epoch:5d}  {loss:8.4f}  {reached:8.1%}  {seconds:7.3f}  {curve(reached)}".rstrip())

    print(f"\n{reached:.1%} of the held-out digits recognised")
    if reached < WANTED:
        print(f"4304_digits_tensor: {WANTED:.0%} were wanted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
