"""The tables of docs/security.md and docs/security-asvs.md: what they name is there, and nothing is left out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"

# Sections, and how many requirements of levels 1 and 2 each has; they are the first ones of each. Source: the CSV of
# version 5.0.0, https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/docs_en. Sections with level 3 only are left out.
_SECTIONS = """
    1.1: 2, 1.2: 9, 1.3: 11, 1.4: 3, 1.5: 2, 2.1: 3, 2.2: 3, 2.3: 4, 2.4: 1, 3.2: 2, 3.3: 4, 3.4: 6, 3.5: 5, 3.7: 2,
    4.1: 3, 4.2: 1, 4.3: 2, 4.4: 4, 5.1: 1, 5.2: 3, 5.3: 2, 5.4: 3,
    6.1: 3, 6.2: 12, 6.3: 4, 6.4: 4, 6.5: 5, 6.6: 3, 6.8: 4, 7.1: 3, 7.2: 4, 7.3: 2, 7.4: 5, 7.5: 2, 7.6: 2,
    8.1: 2, 8.2: 3, 8.3: 1, 8.4: 1, 9.1: 3, 9.2: 4, 11.1: 2, 11.2: 3, 11.3: 3, 11.4: 4, 11.5: 1, 11.6: 1,
    12.1: 3, 12.2: 2, 12.3: 4, 13.1: 1, 13.2: 5, 13.3: 2, 13.4: 5, 14.1: 2, 14.2: 4, 14.3: 3,
    15.1: 3, 15.2: 3, 15.3: 7, 16.1: 1, 16.2: 5, 16.3: 4, 16.4: 3, 16.5: 3
"""
SECTIONS = {section: int(count) for section, count in re.findall(r"([0-9.]+): ([0-9]+)", _SECTIONS)}

#: Why a requirement has no test: who else would have to meet it, or why nobody does.
REASONS = ("**Not used**", "**Operator**", "**Document**", "**Not met**")


def rows(document: str, name: str) -> list[list[str]]:
    """The cells of the rows whose first cell fits a pattern."""
    lines = (DOCS / document).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(name, row[0])]


@cache
def functions(path: str) -> set[str]:
    """The tests of a file, those of a class as `Class::test`."""
    found = set()
    for node in ast.parse((TESTS / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


def named_tests(cell: str) -> list[str]:
    return re.findall(r"`([\w/]+\.py::[\w:]+)`", cell)


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return (TESTS / path).exists() and name in functions(path) and name.rpartition("::")[2].startswith("test_")


@pytest.mark.parametrize("document", ["security.md", "security-asvs.md"])
def test_every_test_that_a_table_names_is_there(document: str) -> None:
    named = named_tests((DOCS / document).read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [test for test in named if not is_there(test)] == []


@pytest.mark.parametrize("document", ["security.md", "security-asvs.md"])
def test_no_table_names_a_test_in_another_way(document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    assert len(re.findall(r"test_\w+", re.sub(r"`[\w/]+\.py::[\w:]+`", "", text))) == 0


def test_each_point_of_the_api_top_10_is_shown_by_a_test() -> None:
    points = rows("security.md", r"API\d+ .*")
    assert [row[0].split()[0] for row in points] == [f"API{number}" for number in range(1, 11)]
    assert [row[0] for row in points if not named_tests(row[2])] == []


def test_each_requirement_of_the_chapters_is_there_once_and_in_order() -> None:
    expected = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
    assert [row[0] for row in rows("security-asvs.md", r"\d+\.\d+\.\d+")] == expected


def test_each_requirement_is_shown_by_a_test_or_says_why_not() -> None:
    requirements = rows("security-asvs.md", r"\d+\.\d+\.\d+")
    assert {len(row) for row in requirements} == {4}
    assert [row[0] for row in requirements if not (named_tests(row[3]) or row[2].startswith(REASONS))] == []


def test_what_is_not_met_says_what_is_missing() -> None:
    unmet = [row for row in rows("security-asvs.md", r"\d+\.\d+\.\d+") if row[2].startswith("**Not met**")]
    assert [row[0] for row in unmet if len(row[2]) < len("**Not met**") + 20] == []
    summary = (DOCS / "security.md").read_text(encoding="utf-8")
    assert [row[0] for row in unmet if row[0] not in summary] == []
