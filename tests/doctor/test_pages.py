"""The runbook and the page on faults speak of what there is: messages, codes, settings, commands, sections."""

import re
import shlex
from pathlib import Path

import click
import psycopg2
import pytest
from flask import Flask

from grocery.config import Settings, setting_names
from tests.doctor.runbook import DOCS, RUNBOOK, TROUBLESHOOTING, blocks

SOURCE = DOCS.parent / "grocery"
PAGES = (RUNBOOK, TROUBLESHOOTING)

#: What stands in code and is said by others: header names, statuses in tables, programs of the system.
_WRITTEN_ELSEWHERE = {"X-Request-ID", "/readyz", "STARTTLS extension not supported"}


def said_by_the_program() -> str:
    sources = (path.read_text() for path in SOURCE.rglob("*.py"))
    # A text that is written over several lines is one.
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))


def test_each_message_that_is_quoted_is_one_of_the_program() -> None:
    known = said_by_the_program()
    quoted = [
        message
        for line in TROUBLESHOOTING.read_text().splitlines()
        if line.startswith("|") and not line.startswith(("|---", "| What"))
        for message in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]
    assert len(quoted) > 40
    assert [message for message in quoted if message not in known and message not in _WRITTEN_ELSEWHERE] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_setting_that_is_named_exists(page: Path) -> None:
    known = {*setting_names(), "TMPDIR", "RQ_WORKER_CLASS", "MISCONF", "SSL_CERT_FILE"}
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", page.read_text()))
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_that_is_named_exists(app: Flask, page: Path) -> None:
    text = page.read_text()
    lines = [line for kind in ("sh", "console") for block in blocks(page, kind) for line in block.splitlines()]
    lines += re.findall(r"`(flask --app wsgi [^`]+)`", text)
    lines += [f"flask --app wsgi {words}" for words in re.findall(r"`(notify [^`]+)`", text)]
    ours = [line for line in lines if line.startswith("flask --app wsgi ")]
    assert ours
    assert [(line, problem) for line in ours if (problem := _problem_of(app, line))] == []


def _problem_of(app: Flask, line: str) -> str | None:
    """What is wrong with the words of a command line, short of running it."""
    words = shlex.split(line, comments=True)[3:]
    command: click.Command = app.cli
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        if found is None:
            return "there is no such command"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no options: {unknown}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_section_that_is_linked_exists(page: Path) -> None:
    broken = []
    for target, anchor in re.findall(r"\]\(([a-z-]+\.md)#([a-z-]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (DOCS / target).read_text(), re.MULTILINE)
        if anchor not in {re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings}:
            broken.append((target, anchor))
    assert broken == []


def test_the_questions_to_postgresql_can_be_asked(settings: Settings) -> None:
    asked = [block for page in PAGES for block in blocks(page, "sql") if block.startswith("SELECT")]
    assert len(asked) >= 3
    connection = psycopg2.connect((settings.database_url or "").replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            for statement in asked:
                cursor.execute(statement)
    finally:
        connection.close()


def test_the_doctor_runs_as_written(app: Flask) -> None:
    [line] = blocks(TROUBLESHOOTING, "sh")
    result = app.test_cli_runner().invoke(args=shlex.split(line)[3:])
    assert (result.exit_code, "failure: " in result.output) == (1, True)  # no workers run in this test
