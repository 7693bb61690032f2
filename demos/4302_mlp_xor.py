"""4302: a multi-layer perceptron learns XOR.

Two inputs, one hidden layer of ReLU neurons, one linear output z; p = sigmoid(z) is the probability of 1. Plain
gradient descent on all four samples at once, the mean of their binary cross-entropies, computed from z. The twin of
4302_mlp_xor.c: the same seed gives the same weights and the same curve.

Input: nothing, or four numbers, `hidden lr epochs seed`:   echo "16 0.5 1000 0" | python 4302_mlp_xor.py
With --curve it prints the loss before training and after each epoch, one a line, and nothing else.
Exit status: 0, learnt or not; 1 when a check failed; 2 for bad input.
"""

from __future__ import annotations

import math
import sys
from itertools import combinations
from time import perf_counter

from support.stdin_numbers import Wanted, read_numbers, refuse

from pygrad import Value, functional, nn, optim

INPUTS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
LABELS = [0.0, 1.0, 1.0, 0.0]
REPORT_EVERY = 100


def fail(message: str) -> None:
    print(f"4302_mlp_xor: {message}", file=sys.stderr)
    sys.exit(1)


class Trainer:
    """The network, its optimiser, and the logits and the loss of the current step."""

    def __init__(self, hidden: int, lr: float, seed: int) -> None:
        self.model = nn.MLP(2, [hidden, 1], init="he", seed=seed)
        self.optimizer = optim.SGD(self.model.parameters(), lr=lr)
        self.logits: list[Value] = []
        self.loss = Value(0.0)

    def forward(self) -> None:
        """Build the loss: a node per neuron and sample, one per sample's loss, one for their sum, one for the mean."""
        self.logits = [self.model(x) for x in INPUTS]
        losses = [functional.binary_cross_entropy_with_logits(z, y) for z, y in zip(self.logits, LABELS, strict=True)]
        self.loss = functional.sum(losses) / len(LABELS)

    def backward(self) -> None:
        self.optimizer.zero_grad()
        self.loss.backward()

    def correct(self) -> int:
        return sum((z.data > 0) == (y > 0.5) for z, y in zip(self.logits, LABELS, strict=True))

    def preactivations(self, x: tuple[float, float]) -> list[float]:
        neurons = self.model.layers[0].neurons
        return [n.b.data + n.w[0].data * x[0] + n.w[1].data * x[1] for n in neurons]


def gradient_by_hand(trainer: Trainer) -> list[float]:
    """Backpropagate by hand, in the order of `parameters()`.

    With a = relu(W x + b), z = v . a + c and dL/dz = (p - y) / 4: dL/dc = dL/dz, dL/dv = dL/dz a, dL/db = dL/dz v
    where the unit is on, dL/dW = that times x.
    """
    output = trainer.model.layers[1].neurons[0]
    n = len(output.w)
    grads = [0.0] * (4 * n + 1)
    for x, y in zip(INPUTS, LABELS, strict=True):
        pre = trainer.preactivations(x)
        z = output.b.data + sum(v.data * max(a, 0.0) for v, a in zip(output.w, pre, strict=True))
        dz = (1 / (1 + math.exp(-z)) - y) / len(LABELS)
        grads[4 * n] += dz
        for j, (v, a) in enumerate(zip(output.w, pre, strict=True)):
            da = dz * v.data if a > 0 else 0.0
            grads[3 * n + j] += dz * max(a, 0.0)
            grads[3 * j] += da * x[0]
            grads[3 * j + 1] += da * x[1]
            grads[3 * j + 2] += da
    return grads


def check_gradient(trainer: Trainer) -> float:
    """Return the largest difference between the gradient of the current loss and the one by hand."""
    pairs = zip(trainer.model.parameters(), gradient_by_hand(trainer), strict=True)
    return max(abs(p.grad - by_hand) for p, by_hand in pairs)


def print_head(trainer: Trainer, hidden: int, lr: float, epochs: int, seed: int) -> None:
    print(f"4302: XOR learnt by a 2-{hidden}-1 network, {len(trainer.model.parameters())} parameters")
    print(f"He initialisation from seed {seed}, gradient descent on all four samples, lr {lr:g}, {epochs} epochs\n")
    columns = " ".join(f"{f'p({x:g},{y:g})':>8}" for x, y in INPUTS)
    print(f"{'epoch':>8}  {'loss':>10}  {columns}  correct")


def print_row(trainer: Trainer, epoch: int) -> None:
    predictions = " ".join(f"{z.sigmoid().data:8.6f}" for z in trainer.logits)
    print(f"{epoch:8d}  {trainer.loss.data:10.6f}  {predictions}  {trainer.correct()} of 4")


def report_dead_start(trainer: Trainer) -> bool:
    """Tell whether two samples with different labels switch no hidden neuron on, and say so.

    Both get the output's bias for z. They pull it in opposite directions, and their gradients reach nothing else:
    there they stay, unless the gradients of the other samples happen to switch a neuron on for one of them.
    """
    off = [max(trainer.preactivations(x)) <= 0 for x in INPUTS]
    for i, j in combinations(range(4), 2):
        if LABELS[i] != LABELS[j] and off[i] and off[j]:
            one, other = (f"({INPUTS[k][0]:g},{INPUTS[k][1]:g})" for k in (i, j))
            print(f"dead start: no hidden neuron responds to {one} or {other}, so both get the same prediction,")
            print("and their gradients reach the output's bias only; another seed or a smaller lr may help")
            return True
    return False


def print_outcome(trainer: Trainer, hidden: int, per_step: float) -> None:
    nodes = 4 * (hidden + 1) + 4 + 2
    print(f"\naccuracy {trainer.correct()} of 4")
    if not math.isfinite(trainer.loss.data):
        print(f"diverged: the loss is {trainer.loss.data:g}; a smaller lr helps")
    elif trainer.correct() < 4 and not report_dead_start(trainer):
        print("not learnt: more epochs, more hidden neurons or another lr may help")
    print(
        f"{nodes} nodes per step, forward and backward and update: "
        f"{1e9 * per_step / nodes:.1f} ns per node, {1e6 * per_step:.2f} us per step"
    )


def train(trainer: Trainer, epochs: int, curve: bool) -> tuple[float, float]:
    """Return the seconds per step, and what the check of the first gradient found."""
    seconds = difference = 0.0
    for epoch in range(epochs + 1):
        begin = perf_counter()
        trainer.forward()
        seconds += perf_counter() - begin
        if curve:
            print(f"{trainer.loss.data:.17g}")
        elif epoch % REPORT_EVERY == 0 or epoch == epochs:
            print_row(trainer, epoch)
        if epoch == epochs:
            break

        begin = perf_counter()
        trainer.backward()
        seconds += perf_counter() - begin
        if epoch == 0:
            difference = check_gradient(trainer)
        begin = perf_counter()
        trainer.optimizer.step()
        seconds += perf_counter() - begin
    return seconds / epochs, difference


def main() -> int:
    numbers = [
        Wanted("hidden", 16, 1, 4096, "whole"),
        Wanted("lr", 0.5, 0, 1000, "positive"),
        Wanted("epochs", 1000, 1, 10_000_000, "whole"),
        Wanted("seed", 0, 0, 2**53 - 1, "whole"),
    ]
    curve = sys.argv[1:] == ["--curve"]
    if len(sys.argv) > 1 and not curve:
        refuse(f"[--curve] is the only argument, not '{sys.argv[-1][:40]}'; numbers are read from standard input")
    given = read_numbers(numbers)
    lr = numbers[1].value
    hidden, epochs, seed = (int(numbers[i].value) for i in (0, 2, 3))

    trainer = Trainer(hidden, lr, seed)
    if not curve:
        print_head(trainer, hidden, lr, epochs, seed)
    per_step, difference = train(trainer, epochs, curve)
    agrees = difference <= 1e-12
    if not curve:
        print_outcome(trainer, hidden, per_step)
        print(f"first gradient against backpropagation by hand: {'ok' if agrees else 'WRONG'}")
    if not agrees:
        fail("the first gradient differs from backpropagation by hand")
    if not given and trainer.correct() < 4:
        fail("the defaults have to learn XOR, and did not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
