"""docs/data.md says what is true: files, settings and commands that it names are there, and so are its numbers."""

import re

import pytest
from flask import Flask

from grocery.config import setting_names
from grocery.replica.marks import MARK_SECONDS
from grocery.replica.monitor import MAX_LAG_SECONDS
from tests.e2e.shop import ROOT

PAGE = (ROOT / "docs" / "data.md").read_text()

# Variables of the commands on the page, and settings of other programs.
_OTHERS = {"BACKUP", "MAINTENANCE_URL", "MOMENT", "PGDATA", "RESTORED_AT", "REPLICATION", "ON_ERROR_STOP"}
_WORDS = {"DELETE", "END", "LISTEN", "SELECT"}


def test_files_are_there() -> None:
    named = set(re.findall(r"(?:deploy|tests)/[\w./-]*\w", PAGE)) | set(re.findall(r"\]\((\w+\.md)\)", PAGE))
    assert {"deploy/pgbouncer/pgbouncer.ini", "deploy/after-restore.sql", "settings.md"} <= named
    assert [name for name in sorted(named) if not ((ROOT / name).exists() or (ROOT / "docs" / name).exists())] == []


def test_settings_are_there() -> None:
    named = set(re.findall(r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b|\b[A-Z]{6,}\b", PAGE))
    assert named - _OTHERS - _WORDS <= set(setting_names())


def test_commands_are_there(app: Flask) -> None:
    named = set(re.findall(r"flask (?:--app wsgi )?([a-z]+(?: [a-z]+)?)", PAGE))
    assert "notify settle" in named
    for command in sorted(named):
        result = app.test_cli_runner().invoke(args=[*command.split(), "--help"])
        assert result.exit_code == 0, command


@pytest.mark.parametrize(
    "said",
    [f"for {MARK_SECONDS} seconds, everyone who has written", f"more than {MAX_LAG_SECONDS:.0f} seconds behind"],
)
def test_numbers_are_those_of_the_program(said: str) -> None:
    assert said in PAGE
