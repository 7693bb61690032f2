"""4301: scalar automatic differentiation, on two graphs that a reader can follow by hand.

(1) L = (a + b) * c
(2) a logistic neuron: p = sigmoid(w * x + b), and L, the cross-entropy of p and the label y

Every gradient is compared with the formula that the chain rule gives on paper. The twin of 4301_scalar_autograd.c.

Input: nothing, or seven numbers, `a b c w x b y`:   echo "2 3 5  0.5 2 -0.3 1" | python 4301_scalar_autograd.py
Exit status: 0; 1 when a comparison failed; 2 for bad input.
"""

from __future__ import annotations

import math
import sys

from support.stdin_numbers import Wanted, read_numbers, refuse

from pygrad import Value
from pygrad.functional import binary_cross_entropy_with_logits

Rows = list[tuple[str, str, Value]]  # name, made by, node; in the order in which they were made

failures = 0


def print_table(rows: Rows) -> None:
    print(f"    {'node':<6}  {'made by':<19}  {'data':>14}  {'grad = dL/dnode':>14}")
    for name, made_by, node in rows:
        print(f"    {name:<6}  {made_by:<19}  {node.data:14.6f}  {node.grad:14.6f}")
    print(f"\n    {'by hand':<27}  {'':>14}  {'backward':>14}")


def compare(what: str, by_hand: float, actual: float) -> None:
    """Tolerance: what is printed here loses at most six of its sixteen digits in log(p); see `logistic_neuron`."""
    global failures
    equal = abs(actual - by_hand) <= 1e-9 * max(1.0, abs(by_hand))
    print(f"    {what:<27}  {by_hand:14.6f}  {actual:14.6f}  {'ok' if equal else 'WRONG'}")
    failures += not equal


def sum_times_number(a_data: float, b_data: float, c_data: float) -> None:
    a, b, c = Value(a_data), Value(b_data), Value(c_data)
    d = a + b
    loss = d * c
    loss.backward()

    print("(1) L = (a + b) * c\n")
    print_table([("a", "", a), ("b", "", b), ("c", "", c), ("d", "a + b", d), ("L", "d * c", loss)])
    compare("L = (a + b) * c", (a_data + b_data) * c_data, loss.data)
    compare("dL/da = c", c_data, a.grad)
    compare("dL/db = c", c_data, b.grad)
    compare("dL/dc = a + b", a_data + b_data, c.grad)


def cross_entropy(rows: Rows, p: Value, y: float) -> Value:
    """Return -(y * log(p) + (1 - y) * log(1 - p)), of which a label of 0 or 1 leaves one term."""

    def row(name: str, made_by: str, node: Value) -> Value:
        rows.append((name, made_by, node))
        return node

    if y > 0:
        log_p = row("log p", "log(p)", p.log())
    if y < 1:
        q = row("q", "1 - p", 1 - p)
        log_q = row("log q", "log(q)", q.log())
    if y == 1:
        return row("L", "-log p", -log_p)
    if y == 0:
        return row("L", "-log q", -log_q)
    s = row("s", "y * log p", y * log_p)
    t = row("t", "(1 - y) * log q", (1 - y) * log_q)
    u = row("u", "s + t", s + t)
    return row("L", "-u", -u)


def logistic_neuron(w_data: float, x_data: float, b_data: float, y: float) -> None:
    w, x, b = Value(w_data), Value(x_data), Value(b_data)
    wx = w * x
    z = wx + b
    p = z.sigmoid()
    from_z = binary_cross_entropy_with_logits(z, y)
    rows: Rows = [("w", "", w), ("x", "", x), ("b", "", b), ("wx", "w * x", wx), ("z", "wx + b", z)]

    # p near 1 is rounded to a multiple of 1e-16, so 1 - p has lost six of its digits at z = 15 and all of them from
    # z = 37 on, where log(1 - p) becomes infinite. The loss that is computed from z has no such limit.
    if abs(z.data) <= 15:
        rows.append(("p", "sigmoid(z)", p))
        loss = cross_entropy(rows, p, y)
    else:
        rows.append(("L", "bce_with_logits(z)", from_z))
        loss = from_z
    loss.backward()

    print(f"\n(2) a logistic neuron: p = sigmoid(w * x + b), L = the cross-entropy of p and y = {y:g}\n")
    if loss is from_z:
        print("    z is so far from 0 that log(p) or log(1 - p) loses its digits: L is computed from z itself.\n")
    print_table(rows)
    zd = z.data
    pd = 1 / (1 + math.exp(-zd)) if zd > -700 else 0.0
    compare("z = w * x + b", w_data * x_data + b_data, zd)
    compare("p = 1 / (1 + exp(-z))", pd, p.data)
    compare("L = log(1 + exp(z)) - y * z", max(zd, 0) - y * zd + math.log1p(math.exp(-abs(zd))), loss.data)
    compare("dL/dz = p - y", pd - y, z.grad)
    compare("dL/dw = (p - y) * x", (pd - y) * x_data, w.grad)
    compare("dL/dx = (p - y) * w", (pd - y) * w_data, x.grad)
    compare("dL/db = p - y", pd - y, b.grad)

    w.grad = 0
    from_z.backward()
    print("\n    the same from z in one node, bce_with_logits(z):")
    compare("L", loss.data, from_z.data)
    compare("dL/dw", (pd - y) * x_data, w.grad)


def main() -> int:
    numbers = [Wanted(name, value, -1e6, 1e6) for name, value in zip("abcwxb", (2, 3, 5, 0.5, 2, -0.3), strict=True)]
    numbers.append(Wanted("y", 1, 0, 1))
    if len(sys.argv) > 1:
        refuse(f"no arguments are wanted, not '{sys.argv[1][:40]}'; numbers are read from standard input")
    read_numbers(numbers)
    a, b, c, w, x, bias, y = (number.value for number in numbers)

    print("4301: scalar automatic differentiation\n")
    sum_times_number(a, b, c)
    logistic_neuron(w, x, bias, y)
    if failures > 0:
        print(f"4301_scalar_autograd: {failures} comparisons with the calculation by hand failed", file=sys.stderr)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
