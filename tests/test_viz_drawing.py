"""`Drawing`: text and picture, files, notebooks, errors; and drawings of the package's own values."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from viz_support import NASTY, Node, diamond, needs_graphviz, svg_texts

from pygrad.viz import Drawing, draw, to_dot
from pygrad.viz import render as render_module
from pygrad.viz.render import GraphvizError


def value_class(module: str) -> Any:
    """Import a Value class, or skip where that part of the package is not built."""
    try:
        return importlib.import_module(module).Value
    except (ImportError, AttributeError) as error:
        pytest.skip(f"{module}.Value: {error}")


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
