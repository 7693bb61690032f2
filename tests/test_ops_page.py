"""docs/ops.md, the table of the engine, the table of the tests and the module have the same ops."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
from tensor_backend import TORCH

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"
pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests"),
    pytest.mark.skipif(TORCH, reason="the page is about pygrad"),
]


def sections() -> dict[str, str]:
    """Return the text under each heading."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def listed(text: str) -> list[tuple[str, str, str]]:
    """Return the op, its other names and its forms, of each line of the tables."""
    return re.findall(r"^\| `(\w+)`(.*?) \| (.*?) \|", text, flags=re.MULTILINE)


def words(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    return sections()


@pytest.fixture(scope="module")
def ops(page: dict[str, str]) -> set[str]:
    found = [op for text in page.values() for op, _, _ in listed(text)]
    assert len(found) == len(set(found)) > 150
    return set(found)


@pytest.fixture(scope="module")
def aliases(page: dict[str, str]) -> set[str]:
    return set().union(*(words(others) for text in page.values() for _, others, _ in listed(text)))


def test_page_has_the_ops_that_the_tests_have_rows_for(ops, aliases):
    from tensor_table import ALIASES, TABLE

    checked = {name for row in TABLE for name in (row.op, *row.methods, *row.covers) if not name.startswith("__")}
    assert ops == checked
    assert aliases == set(ALIASES) - ops


def test_page_has_the_ops_of_the_engine(page):
    from pygrad._engine import ffi, op_table

    assert {op for op, _, _ in listed(page["ops.def"])} == {ffi.string(row.name).decode() for row in op_table()}


def test_page_has_every_function_and_every_name_of_a_tensor(page, ops, aliases):
    import pygrad

    known = {name for name in {*dir(pygrad), *pygrad.__all__} if not name.startswith("_")}
    functions = {name for name in known if inspect.isroutine(getattr(pygrad, name))}
    names = {name for name in dir(pygrad.Tensor) if not name.startswith("_")}
    forms = {op: form for text in page.values() for op, _, form in listed(text)}
    in_place = {f"{op}_" for op, form in forms.items() if "in place" in form}
    in_place |= {f"{alias}_" for alias in aliases} & names
    operators = {op for op, form in forms.items() if not re.search("function|method|attribute", form)}
    others = set().union(*(words(page[name]) for name in page if name.endswith("no ops") or name == "Attributes"))
    assert (ops - operators) | aliases | in_place | others == functions | names
    assert not others & (ops | aliases | in_place)
    assert operators == {"getitem"}


@pytest.mark.skipif(sys.flags.optimize > 1, reason="the descriptions are docstrings")
def test_page_says_what_its_maker_finds():
    import ops_page

    assert PAGE.read_text(encoding="utf-8") == ops_page.text(), "run tests/ops_page.py"
