"""Graph drawing: what graphviz reads from the DOT text is the graph that was built."""

from __future__ import annotations

import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pygrad.viz import Drawing, draw, to_dot
from pygrad.viz import render as render_module
from pygrad.viz.render import GraphvizError
from pygrad.viz.text import MAX_CHARS, number, quoted, record_field

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")

NASTY = 'a"b\n|{}<script>&'


class Node:
    """The least that can be drawn: micrograd's attributes, inputs in order."""

    def __init__(self, data: Any, children: tuple[Node, ...] = (), op: str = "", label: Any = "") -> None:
        self.data = data
        self.grad: Any = 0.0
        self.label = label
        self._children = children
        self._op = op

    @property
    def _prev(self) -> set[Node]:
        return set(self._children)


class SetNode:
    """As micrograd has it: no label, no order, an input that is used twice stands once."""

    def __init__(self, data: float, children: tuple[SetNode, ...] = (), op: str = "") -> None:
        self.data = data
        self.grad = 0.0
        self._prev = set(children)
        self._op = op


def diamond() -> Node:
    """Return (a + b) * (a + b) as a product of one node with itself, labelled."""
    a, b = Node(2.0, label="a"), Node(3.0, label="b")
    s = Node(5.0, (a, b), "+", "s")
    return Node(25.0, (s, s), "*", "L")


def chain(n: int) -> Node:
    """Return the end of n additions."""
    v = Node(0.0)
    for _ in range(n):
        v = Node(0.0, (v,), "+")
    return v


def value_class(module: str) -> Any:
    """Import a Value class, or skip where that part of the package is not built."""
    try:
        return importlib.import_module(module).Value
    except (ImportError, AttributeError) as error:
        pytest.skip(f"{module}.Value: {error}")


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


def svg_texts(svg: str | None) -> list[str]:
    """Give every text in the picture, in order; fails unless the picture is well-formed XML."""
    assert svg is not None
    root = ElementTree.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "title", "text", "path", "polygon", "polyline", "ellipse"}
    # Graphviz writes blanks as no-break spaces.
    return [(e.text or "").replace("\N{NO-BREAK SPACE}", " ") for e in root.iter() if e.tag.endswith("}text")]


# --- the text


def test_every_box_shows_label_data_and_grad_and_every_result_its_op() -> None:
    root = diamond()
    root.grad = 1.0
    text = to_dot(root)
    assert text.startswith("digraph pygrad {\n")
    assert text.endswith("}\n")
    for line in (
        'n0 [label="L|data 25|grad 1"',
        'n1 [label="s|data 5|grad 0"',
        'n2 [label="a|data 2|grad 0"',
    ):
        assert line in text
    assert 'op0 [label="*"]' in text
    assert 'op1 [label="+"]' in text
    assert "op2" not in text
    assert "note" not in text


def test_a_square_has_two_arrows_from_its_one_input() -> None:
    x = Node(3.0)
    assert to_dot(Node(9.0, (x, x), "*")).count("n1 -> op0;") == 2


def test_operands_keep_their_order() -> None:
    a, b = Node(1.0, label="a"), Node(1.0, label="b")
    text = to_dot(Node(0.0, (b, a), "-"))
    assert 'n1 [label="b|' in text
    assert 'n2 [label="a|' in text
    assert text.index("n1 -> op0;") < text.index("n2 -> op0;")
    assert "ordering=in" in text


def test_a_leaf_looks_different_from_a_result_and_the_root_from_both() -> None:
    lines = {m[1]: m[2] for m in re.finditer(r"^  (n\d) \[label=\"[^\"]*\"(.*)\];", to_dot(diamond()), re.M)}
    assert "penwidth" in lines["n0"]
    assert lines["n1"] == ""
    assert lines["n2"] == lines["n3"] != ""


def test_a_single_leaf_is_a_graph_of_one_box() -> None:
    text = to_dot(Node(1.5))
    assert 'n0 [label="data 1.5|grad 0"' in text
    assert "->" not in text


def test_a_result_without_an_op_name_takes_its_arrows_itself() -> None:
    text = to_dot(Node(1.0, (Node(2.0),)))
    assert "n1 -> n0;" in text
    assert "op0" not in text


def test_the_same_graph_gives_the_same_text() -> None:
    assert to_dot(diamond()) == to_dot(diamond())


def test_sets_of_inputs_are_put_in_an_order_that_does_not_depend_on_addresses() -> None:
    program = (
        "import random, sys\n"
        "from test_viz import SetNode, to_dot\n"
        "junk = [object() for _ in range(int(sys.argv[1]))]\n"
        "leaves = [SetNode(float(i)) for i in range(50)]\n"
        "random.Random(int(sys.argv[1])).shuffle(leaves)\n"
        "print(to_dot(SetNode(0.0, tuple(leaves), 'sum')))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    texts = {
        subprocess.run(
            [sys.executable, "-P", "-c", program, seed],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": path},
        ).stdout
        for seed in ("1", "1000", "77777")
    }
    assert len(texts) == 1
    assert texts.pop().count("n0") > 0


def test_micrograd_objects_without_labels_or_order_are_drawn() -> None:
    x = SetNode(3.0)
    text = to_dot(SetNode(9.0, (x, x), "*"))
    assert 'n0 [label="data 9|grad 0"' in text
    assert text.count("n1 -> op0;") == 1


def test_drawing_leaves_the_graph_alone() -> None:
    root = diamond()
    before = {name: getattr(root, name) for name in ("data", "grad", "label", "_children", "_op")}
    to_dot(root)
    assert {name: getattr(root, name) for name in before} == before


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_the_direction_is_written(rankdir: str) -> None:
    assert f"rankdir={rankdir}" in to_dot(diamond(), rankdir=rankdir)
    assert f"rankdir={rankdir}" in draw(diamond(), rankdir=rankdir).dot


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (1 / 3, "0.3333"),
        (-123456.0, "-1.235e+05"),
        (0, "0"),
        (True, "1"),
        (float("nan"), "nan"),
        (-float("inf"), "-inf"),
        (5e-324, "4.941e-324"),
        (np.float32(0.1), "0.1"),
        (np.int64(7), "7"),
        (10**400, str(10**400)),
        (None, "None"),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_numbers_are_short(x: object, shown: str) -> None:
    assert number(x) == shown


def test_arrays_as_data_do_not_fail() -> None:
    node = Node(np.arange(1000.0).reshape(10, 100))
    assert "data " in to_dot(node)
    assert len(to_dot(node)) < 2000


# --- escapes


def test_what_structures_a_record_is_escaped() -> None:
    assert record_field(NASTY) == r"a\"b\n\|\{\}\<script\>&amp;"
    assert quoted(NASTY) == r"a\"b\n|{}<script>&amp;"
    assert quoted("a\\") == r"a\\"
    assert record_field(r"\N\G") == r"\\N\\G"


def test_long_texts_are_cut_with_an_ellipsis_before_they_are_escaped() -> None:
    assert quoted("x" * MAX_CHARS) == "x" * MAX_CHARS
    assert quoted('"' * 1000) == r"\"" * (MAX_CHARS - 1) + "\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(char: str) -> None:
    assert quoted(f"a{char}b") == "a\N{REPLACEMENT CHARACTER}b"
    to_dot(Node(1.0, label=char)).encode("utf-8")


@pytest.mark.parametrize("label", [None, 7, ("a", 1)])
def test_a_label_need_not_be_a_string(label: object) -> None:
    text = to_dot(Node(1.0, label=label))
    assert ("None" in text) is False
    assert (str(label) in text) is (label is not None)


@needs_graphviz
def test_a_label_reaches_the_picture_as_it_is_and_no_further() -> None:
    svg = draw(Node(1.0, (Node(2.0, label=NASTY),), "<b>&\\N" + '"')).svg
    texts = svg_texts(svg)
    assert "<script" not in (svg or "")
    for line in ('a"b', "|{}<script>&", '<b>&\\N"'):
        assert line in texts


@needs_graphviz
def test_hostile_and_foreign_labels_all_come_through() -> None:
    labels = ["\\", "\\\\", "\\n", "\\l", "\\N", "\\G", "\\{", "a\\|b", '"', '\\"', "]; evil -> node; //"]
    labels += ["{", "}", "|", "<f0>", "<b>x</b>", "</svg>", "<!--", "]]>", "/*", "//", "#", "&", "&&", "&;"]
    labels += ["a & b", "x'y", "%s%n", "$(id)", "größe", "λ∂", "勾配", "🙂", "עברית", "a\u2028b", "e\u0301"]
    alphabet = "\\\"{}|<>&;#x \tn[]=-,'/%é∑🙂"
    rng = random.Random(0)
    labels += ["".join(rng.choices(alphabet, k=rng.randint(1, 12))).strip() or "x" for _ in range(150)]
    # Not a literal "&name;": it is harmless, but graphviz's SVG writer takes it for an entity a second time.
    labels = [label for label in labels if not re.search(r"&#?\w+;", label)]
    root = Node(0.0, tuple(Node(float(i), label=label) for i, label in enumerate(labels)), "sum")
    texts = {" ".join(text.split()) for text in svg_texts(draw(root, max_nodes=500).svg)}
    missing = [label for label in labels if " ".join(label.split()) not in texts]
    assert missing == []


@needs_graphviz
def test_an_entity_in_a_label_cannot_make_markup() -> None:
    svg = draw(Node(1.0, label="&lt;script&gt;&#60;b&#62;")).svg
    assert svg is not None
    assert "<script" not in svg
    assert "<b>" not in svg
    svg_texts(svg)


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


# --- bad input


@pytest.mark.parametrize("wrong", [None, 3.0, "x", [Node(1.0)], np.ones(2), object()])
@pytest.mark.parametrize("function", [to_dot, draw])
def test_what_is_not_a_value_is_a_type_error_that_names_it(function: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match=rf"Value .*data, grad, _prev, _op.*, got {type(wrong).__name__}$"):
        function(wrong)


def test_the_class_itself_is_not_a_value() -> None:
    class Slots:
        data = grad = _prev = _op = property()

    with pytest.raises(TypeError, match="got the class Slots"):
        to_dot(Slots)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [0, -1])
def test_max_nodes_below_one_is_a_value_error(limit: int) -> None:
    with pytest.raises(ValueError, match=f"max_nodes must be at least 1, got {limit}"):
        draw(diamond(), max_nodes=limit)


def test_max_nodes_must_be_an_integer() -> None:
    with pytest.raises(TypeError, match="float"):
        to_dot(diamond(), max_nodes=2.5)  # type: ignore[arg-type]


def test_an_unknown_direction_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="LR, RL, TB, BT, got 'up'"):
        to_dot(diamond(), rankdir="up")


# --- Drawing


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take graphviz off PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_drawing_is_its_dot_text() -> None:
    drawing = draw(diamond())
    assert str(drawing) == drawing.dot == to_dot(diamond())
    assert repr(drawing).startswith("<Drawing: ")
    assert len(repr(drawing)) < 120


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_there_is_text_and_a_clear_error(tmp_path: Path) -> None:
    drawing = draw(diamond())
    assert drawing.svg is None
    assert drawing._repr_mimebundle_() == {"text/plain": drawing.dot}
    drawing.save(tmp_path / "graph.dot")
    with pytest.raises(GraphvizError, match=r"graphviz.*not on PATH"):
        drawing.save(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
    assert issubclass(GraphvizError, RuntimeError)


@needs_graphviz
def test_graphviz_runs_once_and_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    run = subprocess.run

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return run(*args, **kwargs)

    monkeypatch.setattr(subprocess, "run", counted)
    drawing = draw(diamond())
    assert calls == []
    assert drawing.svg == drawing.svg
    assert drawing._repr_mimebundle_()["image/svg+xml"] == drawing.svg
    assert len(calls) == 1


@needs_graphviz
def test_notebooks_get_the_picture_and_the_text_unless_they_ask_for_less() -> None:
    drawing = draw(diamond())
    assert set(drawing._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    assert set(drawing._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(drawing._repr_mimebundle_(exclude=["text/plain"])) == {"image/svg+xml"}


@pytest.mark.parametrize("name", ["g.dot", "g.gv", "g.DOT", "größe λ.dot"])
def test_text_is_saved_as_utf8_under_any_name(name: str, tmp_path: Path) -> None:
    drawing = draw(Node(1.0, label="λ"))
    drawing.save(str(tmp_path / name))
    assert (tmp_path / name).read_bytes().decode("utf-8") == drawing.dot


@needs_graphviz
def test_the_picture_is_saved(tmp_path: Path) -> None:
    drawing = draw(Node(1.0, label="λ"))
    drawing.save(tmp_path / "g.svg")
    saved = (tmp_path / "g.svg").read_text(encoding="utf-8")
    assert saved == drawing.svg
    assert "λ" in svg_texts(saved)


@pytest.mark.parametrize("name", ["g.png", "g", "svg"])
def test_other_endings_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.dot, \.gv or \.svg"):
        draw(diamond()).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@needs_graphviz
def test_a_text_that_graphviz_rejects_is_an_error_with_its_reason(tmp_path: Path) -> None:
    broken = Drawing("digraph { a -> ")
    assert broken.svg is None
    with pytest.raises(GraphvizError, match="syntax error"):
        broken.save(tmp_path / "g.svg")


def fake_dot(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named dot at the front of PATH."""
    program = folder / "dot"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for graphviz is a shell script")
def test_a_layout_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "#!/bin/sh\nexec sleep 60\n", monkeypatch)
    start = time.perf_counter()
    with pytest.raises(GraphvizError, match=r"within 0\.2 s: draw fewer nodes"):
        render_module.render_svg("digraph {}", timeout=0.2)
    assert time.perf_counter() - start < 30


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for graphviz is a shell script")
@pytest.mark.parametrize(
    ("script", "reason"),
    [("#!/bin/sh\nexit 3\n", "status 3: no message"), ("#!/no/such/program\n", "could not be run")],
)
def test_a_broken_graphviz_is_an_error(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dot(tmp_path, script, monkeypatch)
    drawing = draw(diamond())
    assert drawing.svg is None
    assert "image/svg+xml" not in drawing._repr_mimebundle_()
    with pytest.raises(GraphvizError, match=reason):
        drawing.save(tmp_path / "g.svg")


# --- the package's own values


@pytest.mark.parametrize("module", ["pygrad", "pygrad.reference"])
def test_the_worked_example_is_drawn_with_its_gradients(module: str) -> None:
    Value = value_class(module)
    a, b, c = Value(2.0, label="a"), Value(3.0, label="b"), Value(5.0, label="c")
    loss = (a + b) * c
    loss.label = "L"
    loss.backward()
    text = to_dot(loss)
    for box in ("L|data 25|grad 1", "a|data 2|grad 5", "b|data 3|grad 5", "c|data 5|grad 5"):
        assert f'label="{box}"' in text
    assert sorted(re.findall(r'op\d+ \[label="(.)"\]', text)) == ["*", "+"]
    assert text == to_dot(loss)


@pytest.mark.parametrize("module", ["pygrad", "pygrad.reference"])
def test_a_square_of_a_value_is_drawn(module: str) -> None:
    Value = value_class(module)
    x = Value(3.0, label="x")
    y = x * x
    text = to_dot(y)
    assert text.count("n1 -> op0;") == (2 if hasattr(y, "_children") else 1)


@pytest.mark.parametrize("module", ["pygrad", "pygrad.reference"])
def test_operands_of_a_quotient_keep_their_order(module: str) -> None:
    Value = value_class(module)
    z, a = Value(7.0, label="z"), Value(5.0, label="a")
    y = z / a
    if not hasattr(y, "_children"):
        pytest.skip(f"{module}.Value keeps its inputs in a set only")
    text = to_dot(y)
    assert text.index('label="z|') < text.index('label="a|')


@pytest.mark.parametrize("module", ["pygrad", "pygrad.reference"])
def test_a_long_chain_of_values_is_cut(module: str) -> None:
    Value = value_class(module)
    v = Value(0.0)
    one = Value(1.0)
    for _ in range(500):
        v = v + one
    text = to_dot(v, max_nodes=20)
    assert len(re.findall(r"^  n\d+ \[", text, re.M)) == 20
    assert "Cut: the 20 values" in text


@needs_graphviz
@pytest.mark.parametrize("module", ["pygrad", "pygrad.reference"])
def test_a_value_with_a_hostile_label_renders(module: str) -> None:
    Value = value_class(module)
    x = Value(1.0, label=NASTY)
    assert "|{}<script>&" in svg_texts(draw(x * x).svg)


def test_a_million_values_are_drawn_without_walking_them() -> None:
    Value = value_class("pygrad")
    v = Value(0.0)
    one = Value(1.0)
    for _ in range(1_000_000):
        v = v + one
    start = time.perf_counter()
    text = to_dot(v)
    assert time.perf_counter() - start < 0.5
    assert "Cut: the 200 values" in text
