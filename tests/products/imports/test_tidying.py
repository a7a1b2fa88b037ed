"""The end of a large import: lists are fast at once, and the import is done even where that cannot be had."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from grocery.db import db
from grocery.products.imports import service
from tests.products.imports.conftest import Import
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

CATALOGUE = "sku,name,category,price\n" + "".join(f"S{number},Milk {number},Dairy,5\n" for number in range(30))

# How often tables were tidied by somebody, autovacuum left aside.
TIDIED = """
    SELECT pg_stat_get_vacuum_count('products'::regclass), pg_stat_get_analyze_count('products'::regclass),
           pg_stat_get_analyze_count('categories'::regclass)
"""

Times = Callable[[], list[int]]


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    """How often tables were tidied since the beginning of the test; an import of 30 rows is a large one."""
    monkeypatch.setattr(service, "_TIDY_FROM", 30)
    [before] = select_rows(TIDIED)

    def since() -> list[int]:
        [now] = select_rows(TIDIED)
        return [later - earlier for earlier, later in zip(before, now, strict=True)]

    return since


def test_a_large_import_by_command_leaves_a_tidy_table(app: Flask, times: Times, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(CATALOGUE)
    result = app.test_cli_runner().invoke(args=["products", "import", str(path)])
    assert (result.exit_code, result.stdout) == (0, "created: 30 updated: 0 unchanged: 0 refused: 0\n")
    assert times() == [1, 1, 1]


@pytest.mark.parametrize("strict", ["true", "false"])
def test_a_large_import_by_the_api_leaves_a_tidy_table(run_import: Import, times: Times, strict: str) -> None:
    assert run_import(CATALOGUE, strict=strict)["created"] == 30
    assert times() == [1, 1, 1]


def test_a_small_or_dry_import_leaves_the_table_to_autovacuum(run_import: Import, times: Times) -> None:
    assert run_import(CATALOGUE, dry_run="true")["created"] == 30
    assert run_import("\n".join(CATALOGUE.split("\n")[:30]))["created"] == 29
    assert times() == [0, 0, 0]


def test_a_table_that_is_locked_is_left_to_autovacuum(
    run_import: Import, times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_TIDY_LIMITS", "SET lock_timeout = '10ms'")
    with db.engine.begin() as connection, caplog.at_level(logging.WARNING, service.__name__):
        connection.execute(text("LOCK TABLE products IN SHARE UPDATE EXCLUSIVE MODE"))
        shown = run_import(CATALOGUE)
    assert (shown["status"], shown["created"]) == ("done", 30)
    assert caplog.messages == ["lists may be slow until autovacuum comes by: canceling statement due to lock timeout"]
    assert times() == [0, 0, 0]
    assert select_rows("SELECT uses FROM words WHERE word = 'milk'") == [(30,)]


def test_a_role_that_may_not_tidy_says_so(
    run_import: Import, times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_TIDY_LIMITS", "SET ROLE pg_monitor")
    with caplog.at_level(logging.WARNING, service.__name__):
        assert run_import(CATALOGUE)["status"] == "done"
    assert [message.split(",")[0] for message in caplog.messages] == [
        'after the import: WARNING:  permission denied to vacuum "products"',
        'after the import: WARNING:  permission denied to analyze "categories"',
    ]
    assert times() == [0, 0, 0]
