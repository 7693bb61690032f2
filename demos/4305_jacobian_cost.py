"""4305: what a Jacobian costs: by rows (reverse mode), by columns (forward mode), and by central differences.

The function is a network, f(x) = tanh(tanh(x A) W) B, from n numbers to m. Its Jacobian has m rows and n columns:

- a backward pass gives a row, v^T J, the gradient of one output: m passes;
- a pass through the recorded gradient w^T J gives a column, J v, the derivative in one direction: n passes, and one
  to record;
- differences of two values of f give a column too, nearly: 2 n calls.

A loss is the case m = 1, and why training runs backward: one pass, however many parameters. The Hessian of a loss is
the Jacobian of its gradient, n passes; its product with a vector is a single one.

Input: nothing. Exit status: 0; 1 when two ways differ.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from time import perf_counter

import pygrad
from pygrad import Tensor
from pygrad.autograd.functional import hessian, hvp, jacobian, vjp

HIDDEN = 64
SHAPES = [(2, 500, "tall"), (500, 2, "wide"), (50, 50, "square"), (500, 1, "a loss")]
INPUTS_OF_HESSIAN = 200
RUNS = 5
STEP = 1e-5
SEED = 0

Function = Callable[[Tensor], Tensor]

failures = 0


def randn(*shape: int) -> Tensor:
    return pygrad.randn(*shape, dtype=pygrad.float64)


def network(inputs: int, outputs: int) -> Function:
    A, W, B = randn(inputs, HIDDEN) / inputs**0.5, randn(HIDDEN, HIDDEN) / HIDDEN**0.5, randn(HIDDEN, outputs)
    return lambda x: ((x @ A).tanh() @ W).tanh() @ B


def differences(f: Function, x: Tensor) -> Tensor:
    """Return the derivative of f by central differences, off by STEP**2 and by rounding / STEP."""
    steps = pygrad.eye(len(x), dtype=x.dtype) * STEP
    with pygrad.no_grad():
        columns = [(f(x + step) - f(x - step)) / (2 * STEP) for step in steps.unbind()]
    return pygrad.stack(columns, dim=-1)


def measure(run: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return the result, and the median of a few times in milliseconds."""
    times = []
    for _ in range(RUNS):
        begin = perf_counter()
        result = run()
        times.append(1e3 * (perf_counter() - begin))
    return result, statistics.median(times)


def agreement(exact: Tensor, same: Tensor, nearly: Tensor) -> str:
    """Compare two exact results, which round differently, and one by differences."""
    global failures
    agree = pygrad.allclose(exact, same, rtol=1e-12, atol=1e-12) and pygrad.allclose(exact, nearly, rtol=0, atol=1e-7)
    failures += not agree
    return "ok" if agree else "WRONG"


def compare_jacobians() -> None:
    print("J of f(x) = tanh(tanh(x A) W) B\n")
    print(f"{'':20}    {'by rows':^16}    {'by columns':^16}    {'by differences':^16}")
    times = f"    {'passes':>6}  {'ms':>8}"
    print(f"{'':6}  {'n':>5}  {'m':>5}{2 * times}    {'calls':>6}  {'ms':>8}    agree")
    for n, m, name in SHAPES:
        f, x = network(n, m), randn(n)
        rows, by_rows = measure(lambda f=f, x=x: jacobian(f, x))
        columns, by_columns = measure(lambda f=f, x=x: jacobian(f, x, strategy="forward-mode"))
        nearly, by_differences = measure(lambda f=f, x=x: differences(f, x))
        print(
            f"{name:<6}  {n:5d}  {m:5d}    {m:6d}  {by_rows:8.3f}    {1 + n:6d}  {by_columns:8.3f}"
            f"    {2 * n:6d}  {by_differences:8.3f}    {agreement(rows, columns, nearly)}"
        )


def compare_hessians(n: int) -> None:
    f = network(n, 10)
    x, v = randn(n), randn(n)

    def loss(x: Tensor) -> Tensor:
        return (f(x) ** 2).mean()

    def gradient(x: Tensor) -> Tensor:
        return vjp(loss, x)[1]

    rows, by_rows = measure(lambda: hessian(loss, x))
    columns, by_columns = measure(lambda: hessian(loss, x, outer_jacobian_strategy="forward-mode"))
    nearly, by_differences = measure(lambda: differences(gradient, x))
    product, by_product = measure(lambda: hvp(loss, x, v)[1])
    difference = (gradient(x + STEP * v) - gradient(x - STEP * v)) / (2 * STEP)

    print(f"\nH, the Hessian of the loss mean(f(x)**2), n = {n}, m = 10\n")
    print(f"{'':30}  {'passes':>6}  {'ms':>8}")
    print(f"{'reverse over reverse, rows':30}  {1 + n:6d}  {by_rows:8.3f}")
    print(f"{'forward over reverse, columns':30}  {2 + n:6d}  {by_columns:8.3f}    {agreement(rows, columns, nearly)}")
    print(f"{'differences of the gradient':30}  {2 * n:6d}  {by_differences:8.3f}")
    print(f"{'H v alone, hvp':30}  {2:6d}  {by_product:8.3f}    {agreement(rows @ v, product, difference)}")


def main() -> int:
    pygrad.manual_seed(SEED)
    print("4305: what derivatives cost, by rows, by columns, and by differences\n")
    compare_jacobians()
    compare_hessians(INPUTS_OF_HESSIAN)
    if failures:
        print(f"4305_jacobian_cost: {failures} comparisons failed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
