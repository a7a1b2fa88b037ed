"""The end of a large import: lists are fast at once, and the import is done even where that cannot be had."""

import logging
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

# Rows that counts find in the index alone, and what the planner knows of their number.
STATE = "SELECT relallvisible = relpages, reltuples::int FROM pg_class WHERE relname = 'products'"


@pytest.fixture(autouse=True)
def tidied(monkeypatch: pytest.MonkeyPatch, context: None) -> None:
    monkeypatch.setattr(service, "_TIDY_FROM", 30)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE products"))  # of what the tests before have left


def test_a_large_import_by_command_leaves_a_tidy_table(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(CATALOGUE)
    result = app.test_cli_runner().invoke(args=["products", "import", str(path)])
    assert (result.exit_code, result.stdout) == (0, "created: 30 updated: 0 unchanged: 0 refused: 0\n")
    assert select_rows(STATE) == [(True, 30)]


@pytest.mark.parametrize("strict", ["true", "false"])
def test_a_large_import_by_the_api_leaves_a_tidy_table(run_import: Import, strict: str) -> None:
    assert run_import(CATALOGUE, strict=strict)["created"] == 30
    assert select_rows(STATE) == [(True, 30)]


def test_a_table_that_is_locked_is_left_to_autovacuum(
    run_import: Import, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_TIDY_LIMITS", "SET lock_timeout = '10ms'")
    with db.engine.begin() as connection, caplog.at_level(logging.WARNING, service.__name__):
        connection.execute(text("LOCK TABLE products IN SHARE UPDATE EXCLUSIVE MODE"))
        shown = run_import(CATALOGUE)
    assert (shown["status"], shown["created"]) == ("done", 30)
    assert caplog.messages == ["lists may be slow until autovacuum comes by: canceling statement due to lock timeout"]
    assert select_rows("SELECT uses FROM words WHERE word = 'milk'") == [(30,)]


def test_a_role_that_may_not_tidy_says_so(
    run_import: Import, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_TIDY_LIMITS", "SET ROLE pg_monitor")
    with caplog.at_level(logging.WARNING, service.__name__):
        assert run_import(CATALOGUE)["status"] == "done"
    assert [message.split(",")[0] for message in caplog.messages] == [
        'after the import: WARNING:  permission denied to vacuum "products"',
        'after the import: WARNING:  permission denied to analyze "categories"',
    ]
