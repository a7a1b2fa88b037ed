"""`flask products synonyms` and what the migrations bring."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask_migrate import downgrade, upgrade

from grocery.products.search import vocabulary
from grocery.products.search.seeds import SYNONYMS
from grocery.products.search.words import words_of

pytestmark = pytest.mark.usefixtures("context")
Sql = Callable[..., list[tuple[Any, ...]]]


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", "synonyms", *arguments])


def test_pairs_are_added_listed_and_removed(app: Flask) -> None:
    assert run(app, "list").stdout == "Nothing found.\n"
    result = run(app, "add", " Sukuma  Wiki", "Kale")
    assert (result.exit_code, result.stdout) == (0, "Added: sukuma wiki = kale\n")
    assert vocabulary().synonyms.meanings_of(["kale"]) == (("sukuma", "wiki"),)
    assert run(app, "list").stdout == "TERM         MEANING\nsukuma wiki  kale\n"
    result = run(app, "remove", "KALE", "Sukuma Wiki")
    assert (result.exit_code, result.stdout) == (0, "Removed: kale = sukuma wiki\n")
    assert vocabulary().synonyms.meanings_of(["kale"]) == ()
    assert run(app, "list").stdout == "Nothing found.\n"


def test_json_is_printed(app: Flask) -> None:
    assert json.loads(run(app, "add", "unga", "maize flour", "--json").stdout) == {
        "term": "unga", "meaning": "maize flour"
    }  # fmt: skip
    [listed] = json.loads(run(app, "list", "--json").stdout)
    assert listed.pop("created_at").endswith("Z")
    assert listed == {"term": "unga", "meaning": "maize flour"}
    assert json.loads(run(app, "remove", "unga", "maize flour", "--json").stdout)["term"] == "unga"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "kale", "sukuma"), "kale = sukuma is there already."),
        (("add", "Sukuma", "Kale"), "sukuma = kale is there already."),
        (("add", "tea", "TEA!"), "Both are the same."),
        (("add", "&", "tea"), "A name has no words."),
        (("add", "tea", "x" * 101), "A name is too long."),
        (("remove", "kale", "tea"), "There is no kale = tea."),
    ],
)
def test_what_makes_no_sense_is_an_error_and_changes_nothing(
    app: Flask, run_sql: Sql, arguments: tuple[str, ...], message: str
) -> None:
    run(app, "add", "sukuma", "kale")
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert run_sql("SELECT term, meaning FROM synonyms") == [("sukuma", "kale")]


def test_too_few_names_are_a_usage_error(app: Flask) -> None:
    assert run(app, "add", "tea").exit_code == 2


def test_a_new_shop_has_the_first_synonyms(app: Flask, run_sql: Sql) -> None:
    downgrade(revision="0002")
    upgrade()
    assert set(run_sql("SELECT term, meaning FROM synonyms")) == set(SYNONYMS)
    assert len(SYNONYMS) > 120


def test_the_first_synonyms_are_pairs_of_different_names_each_once() -> None:
    pairs = [frozenset((" ".join(words_of(term)), " ".join(words_of(meaning)))) for term, meaning in SYNONYMS]
    assert all(len(pair) == 2 and "" not in pair for pair in pairs)
    assert len(set(pairs)) == len(pairs)
