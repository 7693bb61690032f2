"""Code written for micrograd and for its descendants runs with the import changed, and gives the same numbers.

Every program here is a function of the class `Value`, and is run on the C engine and on the pure-Python reference.
"""

from __future__ import annotations

import math
import random

import pytest
from value_support import ENGINES

from pygrad import Value, reference

# ---- micrograd's own examples ---------------------------------------------------------------------------------------


def readme_program(V):
    a, b = V(-4.0), V(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return a, b, g


@ENGINES
def test_readme_example_has_the_published_numbers(V):
    a, b, g = readme_program(V)
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_readme_example_is_the_same_on_both_engines():
    for ours, twin in zip(readme_program(Value), readme_program(reference.Value), strict=True):
        assert ours.data == twin.data
        assert ours.grad == pytest.approx(twin.grad, rel=1e-14)


@ENGINES
def test_sanity_check_by_hand(V):
    # z = 3x + 2 = -10, z' = 3; q = 0 + z x = 40, q' = z + 3x = -22; h = z^2 = 100, h' = 6z = -60;
    # y = h + q + q x = -20, y' = h' + q' + q' x + q = -60 - 22 + 88 + 40.
    x = V(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (z.data, q.data, h.data, y.data) == (-10.0, 40.0, 100.0, -20.0)
    assert x.grad == 46.0


@ENGINES
@pytest.mark.parametrize("x", [-1.0, 0.123, 2.0])
def test_functions_as_unbound_methods(V, x):
    for function, value, slope in (
        (V.tanh, math.tanh(x), 1 - math.tanh(x) ** 2),
        (V.exp, math.exp(x), math.exp(x)),
        (V.relu, max(0.0, x), float(x > 0)),
    ):
        leaf = V(x)
        y = function(leaf)
        y.backward()
        assert y.data == pytest.approx(value, rel=1e-15)
        assert leaf.grad == pytest.approx(slope, rel=1e-14)


# ---- the lecture: values with labels, tanh by hand, drawings, a sort of one's own -----------------------------------


def tanh_by_hand(V, x):
    t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
    out = V(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def labelled(v, label):
    v.label = label
    return v


def lecture_neuron(V, activate):
    x1, x2 = V(2.0, label="x1"), V(0.0, label="x2")
    w1, w2 = V(-3.0, label="w1"), V(1.0, label="w2")
    b = V(6.8813735870195432, label="b")
    n = labelled(labelled(x1 * w1, "x1*w1") + labelled(x2 * w2, "x2*w2") + b, "n")
    return (x1, w1, x2, w2, b), n, labelled(activate(n), "o")


def topological_order(root):
    order, seen = [], set()

    def place(v):
        if v not in seen:
            seen.add(v)
            for child in v._prev:
                place(child)
            order.append(v)

    place(root)
    return order


def trace_graph(root):
    nodes, edges = set(), set()

    def visit(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                visit(child)

    visit(root)
    return nodes, edges


# b was chosen so that tanh(n) = sqrt(1/2), where the slope is 1/2.
LECTURE_GRADIENTS = [-1.5, 1.0, 0.5, 0.0, 0.5]


@ENGINES
@pytest.mark.parametrize(
    "activate",
    [
        lambda n: tanh_by_hand(type(n), n),
        lambda n: n.tanh(),
        lambda n: ((2 * n).exp() - 1) / ((2 * n).exp() + 1),
        lambda n: (n.exp() - (-n).exp()) * (n.exp() + (-n).exp()) ** -1,
    ],
    ids=["closure", "method", "exponentials", "powers"],
)
def test_neuron_of_the_lecture(V, activate):
    leaves, _, o = lecture_neuron(V, activate)
    o.backward()
    assert o.data == pytest.approx(math.sqrt(0.5), rel=1e-14)
    assert [leaf.grad for leaf in leaves] == pytest.approx(LECTURE_GRADIENTS, rel=1e-13, abs=1e-15)


@ENGINES
def test_gradients_by_a_hand_written_sort_that_calls_backward_node_by_node(V):
    leaves, _, o = lecture_neuron(V, lambda n: tanh_by_hand(V, n))
    order = topological_order(o)
    assert order[-1] is o and len(order) == 10
    o.grad = 1.0
    for node in reversed(order):
        node._backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx(LECTURE_GRADIENTS, rel=1e-13)


def test_hand_written_sort_agrees_with_backward_on_a_random_graph():
    generator = random.Random(3)
    leaves = [Value(generator.uniform(-1, 1)) for _ in range(5)]
    pool = list(leaves)
    for _ in range(200):
        a, b = generator.choice(pool[-20:]), generator.choice(pool)
        pool.append(
            generator.choice([a + b, a * b, a - b, (a * b).tanh(), a.relu() + b, tanh_by_hand(Value, a - b), a * 0.5])
        )
    root = pool[-1] + sum(pool[-10:])
    root.backward()
    wanted = {node: node.grad for node in topological_order(root)}
    for node in wanted:
        node.grad = 0.0
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        node._backward()
    for node, gradient in wanted.items():
        assert node.grad == pytest.approx(gradient, rel=1e-12, abs=1e-13)


@ENGINES
def test_expression_of_the_lecture_by_hand(V):
    a, b, c, f = V(2.0, label="a"), V(-3.0, label="b"), V(10.0, label="c"), V(-2.0, label="f")
    e = labelled(a * b, "e")
    d = labelled(e + c, "d")
    L = labelled(d * f, "L")
    L.backward()
    assert (e.data, d.data, L.data) == (-6.0, 4.0, -8.0)
    assert (L.grad, d.grad, f.grad, c.grad, e.grad, a.grad, b.grad) == (1.0, -2.0, 4.0, -2.0, -2.0, 6.0, -4.0)
    for leaf in (a, b, c, f):
        leaf.data += 0.01 * leaf.grad
    assert (a * b + c).data * f.data == pytest.approx(-7.286496, abs=5e-7)


@ENGINES
def test_graph_can_be_traced_for_a_drawing(V):
    leaves, _, o = lecture_neuron(V, lambda n: tanh_by_hand(V, n))
    nodes, edges = trace_graph(o)
    assert len(nodes) == 10 and len(edges) == 9
    assert set(leaves) <= nodes and o in nodes
    assert {n._op for n in nodes} == {"", "+", "*", "tanh"}
    assert {n.label for n in nodes} >= {"x1", "w1", "x2", "w2", "b", "n", "o", "x1*w1", "x2*w2"}
    names = {str(id(n)): f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}" for n in nodes}
    assert len(names) == 10
    assert all(str(id(child)) in names and str(id(parent)) in names for child, parent in edges)
    again, _ = trace_graph(o)
    assert again == nodes  # the same objects each time


@ENGINES
def test_a_value_used_twice_is_one_node_with_one_edge(V):
    a = V(3.0, label="a")
    b = a + a
    nodes, edges = trace_graph(b)
    assert nodes == {a, b} and edges == {(a, b)}
    b.backward()
    assert a.grad == 2.0

    a, b = V(-2.0), V(3.0)
    d, e = a * b, a + b
    f = d * e
    f.backward()
    assert (a.grad, b.grad) == (-3.0, -8.0)


# ---- microgpt: children and local gradients -------------------------------------------------------------------------


def test_engine_of_local_gradients_on_top_of_the_constructor():
    def add(a, b):
        return Value(a.data + b.data, (a, b), (1, 1))

    def mul(a, b):
        return Value(a.data * b.data, (a, b), (b.data, a.data))

    def power(a, n):
        return Value(a.data**n, (a,), (n * a.data ** (n - 1),))

    def exp(a):
        return Value(math.exp(a.data), (a,), (math.exp(a.data),))

    def log(a):
        return Value(math.log(a.data), (a,), (1 / a.data,))

    def relu(a):
        return Value(max(0, a.data), (a,), (float(a.data > 0),))

    logits = [Value(x) for x in (0.3, -1.2, 2.0)]
    largest = max(v.data for v in logits)
    exponentials = [exp(add(v, Value(-largest))) for v in logits]
    total = exponentials[0]
    for e in exponentials[1:]:
        total = add(total, e)
    loss = mul(log(mul(exponentials[1], power(total, -1))), Value(-1.0))
    loss = add(loss, mul(relu(logits[2]), Value(0.5)))
    loss.backward()
    p = [math.exp(x) / (math.exp(0.3) + math.exp(-1.2) + math.exp(2.0)) for x in (0.3, -1.2, 2.0)]
    assert loss.data == pytest.approx(-math.log(p[1]) + 1.0, rel=1e-14)
    wanted = [p[0], p[1] - 1, p[2] + 0.5]
    assert [v.grad for v in logits] == pytest.approx(wanted, rel=1e-14)


def test_children_are_in_order_with_repetitions():
    a, b = Value(1.0), Value(2.0)
    assert Value(0.0, (b, a, b), (1, 1, 1))._children == (b, a, b)
    assert (a * b)._children == (a, b)
    assert (a * a)._children == (a, a)
    assert (1 - a)._children == (a,)
    assert a._children == ()
