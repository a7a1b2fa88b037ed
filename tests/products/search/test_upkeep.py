"""The words of the catalogue: counted after changes, and seen by every process."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.products.search.keeper import VocabularyKeeper, vocabulary
from grocery.products.search.upkeep import bulk_tasks, is_due, refresh_words
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def state(run_sql: Sql) -> None:
    run_sql("INSERT INTO vocabulary_state (counted_at) VALUES ('-infinity')")


def test_words_are_those_of_names_brands_and_categories_of_products_for_sale(run_sql: Sql) -> None:
    make_product(
        name="Café Tomatoes 500 g 7up", brand="Kellogg's", category_path="Drinks/Soft-Drinks", description="x y"
    )
    make_product(name="Tomatoes, tomatoes", category_path="Drinks")
    make_product(name="Withdrawn", is_active=False)
    refresh_words()
    assert run_sql("SELECT word, uses FROM words ORDER BY word") == [
        ("7up", 1), ("cafe", 1), ("drinks", 2), ("kelloggs", 1), ("soft", 1), ("tomatoes", 2)
    ]  # fmt: skip


def test_only_what_differs_is_written(run_sql: Sql) -> None:
    make_product(name="milk bread")
    gone = make_product(name="bread beer")
    refresh_words()
    before = dict(run_sql("SELECT word, xmin::text FROM words"))
    run_sql("DELETE FROM stock_movements")
    run_sql("DELETE FROM products WHERE id = :id", id=gone)
    refresh_words()
    after = dict(run_sql("SELECT word, xmin::text FROM words"))
    assert after.keys() == {"milk", "bread", "pantry"}
    assert after["milk"] == before["milk"]
    assert after["bread"] != before["bread"]


def test_a_count_is_due_after_a_change_of_the_catalogue_but_not_at_once_again(run_sql: Sql) -> None:
    assert is_due()
    refresh_words()
    assert not is_due()
    product = make_product(name="milk")
    assert not is_due()
    run_sql("UPDATE vocabulary_state SET counted_at = now() - interval '31 seconds'")
    assert is_due()
    refresh_words()
    run_sql("UPDATE vocabulary_state SET counted_at = now() - interval '31 seconds'")
    assert not is_due()
    run_sql("UPDATE products SET stock = 3 WHERE id = :id", id=product)
    assert not is_due()
    run_sql("UPDATE products SET name = 'beer', updated_at = now() WHERE id = :id", id=product)
    assert is_due()


def test_a_count_is_due_after_a_day(run_sql: Sql) -> None:
    refresh_words()
    run_sql("UPDATE vocabulary_state SET counted_at = now() - interval '25 hours'")
    assert is_due()


def test_the_task_counts_only_when_it_is_due(app: Flask, run_sql: Sql) -> None:
    [task] = [task for task in bulk_tasks(app) if task.name == "search.words"]
    make_product(name="milk")
    assert task.is_due()
    assert task.step() is False
    assert run_sql("SELECT word FROM words ORDER BY word") == [("milk",), ("pantry",)]
    [before] = run_sql("SELECT generation FROM vocabulary_state")
    assert task.step() is False
    assert run_sql("SELECT generation FROM vocabulary_state") == [before]


def test_the_process_that_counts_knows_the_words_at_once(run_sql: Sql) -> None:
    assert len(vocabulary()) == 0
    make_product(name="milk")
    refresh_words()
    assert vocabulary().uses_of("milk") == 1


def test_other_processes_see_new_words_at_their_next_check(statements: list[str]) -> None:
    other = VocabularyKeeper(check_seconds=0)
    patient = VocabularyKeeper(check_seconds=60)
    assert len(other.current()) == len(patient.current()) == 0
    make_product(name="milk")
    refresh_words()
    del statements[:]
    known = other.current()
    assert known.uses_of("milk") == 1
    assert len(patient.current()) == 0
    assert len(statements) == 1
    assert other.current() is known
    patient.forget()
    assert patient.current().uses_of("milk") == 1
