"""What graphviz reads from the DOT text, and what is left of a graph that is cut."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter

import pytest
from viz_support import Node, diamond, needs_graphviz, svg_texts

from pygrad.viz import draw, to_dot


def chain(n: int) -> Node:
    """Return the end of n additions."""
    v = Node(0.0)
    for _ in range(n):
        v = Node(0.0, (v,), "+")
    return v


def run_dot(text: str, kind: str) -> str:
    """Run graphviz, which must accept the text without a word."""
    done = subprocess.run(["dot", f"-T{kind}"], input=text.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()


def parsed(text: str) -> tuple[list[str], Counter[tuple[str, str]]]:
    """Give node names and edges as graphviz understands them."""
    graph = json.loads(run_dot(text, "dot_json"))
    nodes = [o["name"] for o in graph["objects"] if not o.get("nodes") and "label" in o]
    name = {o["_gvid"]: o["name"] for o in graph["objects"]}
    edges = Counter((name[e["tail"]], name[e["head"]]) for e in graph.get("edges", []))
    return nodes, edges


# --- what graphviz reads


@needs_graphviz
def test_graphviz_reads_the_nodes_and_edges_that_were_built() -> None:
    nodes, edges = parsed(to_dot(diamond()))
    assert sorted(nodes) == ["n0", "n1", "n2", "n3", "op0", "op1"]
    assert edges == {
        ("op0", "n0"): 1,
        ("n1", "op0"): 2,
        ("op1", "n1"): 1,
        ("n2", "op1"): 1,
        ("n3", "op1"): 1,
    }


@needs_graphviz
@pytest.mark.parametrize("seed", range(5))
def test_graphviz_reads_random_graphs_as_built(seed: int) -> None:
    rng = random.Random(seed)
    pool = [Node(float(i)) for i in range(5)]
    for i in range(60):
        inputs = tuple(rng.choice(pool[-12:]) for _ in range(rng.choice([1, 2, 2, 2, 6])))
        pool.append(Node(float(i), inputs, "op"))
    root = pool[-1]
    reached: dict[Node, None] = {root: None}
    stack = [root]
    while stack:
        for child in stack.pop()._children:
            if child not in reached:
                reached[child] = None
                stack.append(child)
    nodes, edges = parsed(to_dot(root))
    interior = [v for v in reached if v._op]
    assert len(nodes) == len(reached) + len(interior)
    assert sum(edges.values()) == len(interior) + sum(len(v._children) for v in interior)


@needs_graphviz
@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_every_direction_renders_with_all_its_texts(rankdir: str) -> None:
    texts = svg_texts(draw(diamond(), rankdir=rankdir).svg)
    assert {"L", "s", "a", "b", "data 25", "*", "+"} <= set(texts)


# --- cutting


def test_a_graph_at_the_limit_is_whole_and_one_above_it_is_cut() -> None:
    assert "note" not in to_dot(diamond(), max_nodes=4)
    text = to_dot(diamond(), max_nodes=3)
    assert 'cut1 [label="1 more"' in text
    assert "cut1 -> op1 [style=dashed];" in text
    assert "the 3 values nearest the result" in text
    assert "max_nodes=3" in text
    assert "n3" not in text


def test_the_root_alone_is_kept_with_max_nodes_one() -> None:
    text = to_dot(diamond(), max_nodes=1)
    assert 'n0 [label="L|' in text
    assert 'cut0 [label="2 more"' in text
    assert "the value nearest" in text


def test_the_values_nearest_the_root_are_kept() -> None:
    deep = chain(50)
    root = Node(0.0, (deep, Node(7.0, label="near")), "+")
    assert "near" in to_dot(root, max_nodes=3)


def test_arrows_between_kept_values_survive_a_cut() -> None:
    x = Node(1.0, label="x")
    y = Node(1.0, (x, Node(2.0, label="gone")), "+")
    text = to_dot(Node(1.0, (x, y), "*"), max_nodes=3)
    assert text.count("n1 -> op0;") == 1
    assert text.count("n1 -> op2;") == 1
    assert "gone" not in text


@needs_graphviz
def test_the_cut_and_its_note_are_in_the_picture() -> None:
    root = chain(1000)
    drawing = draw(root)
    texts = svg_texts(drawing.svg)
    assert "Cut: the 200 values nearest the result" in texts
    assert "1 more" in texts
    nodes, _ = parsed(drawing.dot)
    assert sum(name.startswith("n") and name != "note" for name in nodes) == 200


def test_a_million_deep_is_drawn_without_walking_it() -> None:
    root = chain(1_000_000)
    start = time.perf_counter()
    text = to_dot(root)
    elapsed = time.perf_counter() - start
    assert text.count("data 0") == 200
    assert elapsed < 0.5  # 200 values take about a millisecond, a walk over a million more than a second


def test_all_of_a_deep_graph_is_drawn_without_recursion_when_asked() -> None:
    root = chain(20_000)
    assert to_dot(root, max_nodes=10**9).count("-> op") == 20_000


def test_an_input_list_of_a_hundred_thousand_is_cut_to_one_mark() -> None:
    text = to_dot(Node(0.0, tuple(Node(0.0) for _ in range(100_000)), "sum"))
    assert 'cut0 [label="99801 more"' in text
    assert text.count("style=dashed") == 1
