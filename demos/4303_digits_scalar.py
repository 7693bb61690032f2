"""4303: a network of scalar values learns real data, the 8x8 handwritten digits that come with the package.

64 pixels, one hidden layer of 16 ReLU neurons, 10 logits: 1,210 parameters. Each neuron is one node of the graph, so a
sample costs 26 nodes for the network and a few for its cross-entropy; mini-batches of 32, SGD with momentum.

Input: nothing. Exit status: 0; 1 when less than 90 % of the held-out digits are recognised.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import perf_counter

import numpy as np

from pygrad import Value, data, functional, nn, optim

EPOCHS = 10
BATCH = 32
WANTED = 0.9
SEED = 0


def count_nodes(root: Value) -> int:
    """Count the nodes below root that were computed, root included."""
    seen: set[Value] = set()
    pending = [root]
    while pending:
        value = pending.pop()
        if value not in seen and value._prev:
            seen.add(value)
            pending.extend(value._prev)
    return len(seen)


def predict(model: nn.MLP, pixels: Sequence[float]) -> int:
    logits = model(pixels)
    return max(range(len(logits)), key=lambda digit: logits[digit].data)


def accuracy(model: nn.MLP, X: Sequence[Sequence[float]], y: Sequence[int]) -> float:
    return sum(predict(model, pixels) == digit for pixels, digit in zip(X, y, strict=True)) / len(y)


def batch_loss(model: nn.MLP, X: Sequence[Sequence[float]], y: Sequence[int], batch: Sequence[int]) -> Value:
    """Build the graph of the mean cross-entropy over a batch."""
    losses = [functional.cross_entropy(model(X[i]), y[i]) for i in batch]
    return functional.sum(losses) / len(losses)


def train_epoch(
    model: nn.MLP,
    optimizer: optim.SGD,
    X: Sequence[Sequence[float]],
    y: Sequence[int],
    batches: Sequence[Sequence[int]],
) -> float:
    """Return the mean loss over the epoch."""
    total = 0.0
    for batch in batches:
        optimizer.zero_grad()
        loss = batch_loss(model, X, y, batch)
        loss.backward()
        optimizer.step()
        total += loss.data * len(batch)
    return total / len(y)


def main() -> int:
    X_train, X_test, y_train, y_test = (a.tolist() for a in data.train_test_split(*data.digits(), seed=SEED))
    model = nn.MLP(64, [16, 10], seed=SEED)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    rng = np.random.default_rng(SEED)

    count = -(-len(y_train) // BATCH)
    per_sample = count_nodes(functional.cross_entropy(model(X_train[0]), y_train[0]))
    nodes = per_sample * len(y_train) + 2 * count  # and of each batch the sum and the mean
    print(f"4303: {len(y_train)} handwritten digits to learn from, {len(y_test)} held out")
    print(f"64-16-10 network, {len(model.parameters())} parameters, {per_sample} nodes per sample, {nodes} per epoch\n")
    print(f"{'epoch':>5}  {'loss':>8}  {'held out':>8}  {'seconds':>7}  {'ns per node':>11}")
    for epoch in range(1, EPOCHS + 1):
        batches = [batch.tolist() for batch in np.array_split(rng.permutation(len(y_train)), count)]
        begin = perf_counter()
        loss = train_epoch(model, optimizer, X_train, y_train, batches)
        seconds = perf_counter() - begin
        reached = accuracy(model, X_test, y_test)
        print(f"{epoch:5d}  {loss:8.4f}  {reached:8.1%}  {seconds:7.3f}  {1e9 * seconds / nodes:11.0f}")

    print(f"\n{reached:.1%} of the held-out digits recognised")
    if reached < WANTED:
        print(f"4303_digits_scalar: {WANTED:.0%} were wanted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
