"""The README says what is true."""

import doctest
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not beside the tests")


def test_examples_of_the_readme_give_the_numbers_it_shows():
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted > 20
    assert outcome.failed == 0


def test_readme_sends_nobody_to_the_other_pygrad_on_the_package_index():
    assert "pip install pygrad" not in README.read_text(encoding="utf-8")


def test_links_of_the_readme_lead_to_files():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
