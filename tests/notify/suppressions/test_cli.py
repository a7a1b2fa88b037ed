"""`flask notify suppressions …`."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from grocery.db import db, transaction
from grocery.notify.suppressions.service import is_suppressed, suppress
from tests.notify.clients import AMINA, PHONE

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, context: None) -> Run:
    def invoke(*arguments: str) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", "suppressions", *arguments])

    with transaction():
        suppress("sms", PHONE, "stop")
        suppress("email", AMINA, "bounce", "550 5.1.1")
    return invoke


def test_table(run: Run) -> None:
    heading, *lines = run("list").output.splitlines()

    assert heading.split() == ["channel", "address", "reason", "since", "detail"]
    assert [line.split()[:3] for line in lines] == [["email", AMINA, "bounce"], ["sms", PHONE, "stop"]]
    assert lines[0].endswith("550 5.1.1")


def test_filters_limit_and_json(run: Run) -> None:
    def found(*options: str) -> list[str]:
        return [row["address"] for row in json.loads(run("list", "--json", *options).output)]

    assert found("--channel", "sms") == [PHONE]
    assert found("--q", "amina") == [AMINA]
    assert found("--limit", "1") == [AMINA]
    assert run("list", "--q", "nobody").output == "Nothing found.\n"


def test_lift(run: Run) -> None:
    result = run("lift", "email", AMINA)

    assert (result.exit_code, result.output) == (0, f"{AMINA} gets messages again.\n")
    assert not is_suppressed("email", AMINA)
    assert run("lift", "email", AMINA).output == f"Error: {AMINA} is not on the suppression list of email.\n"


def test_lift_of_who_said_stop_needs_force(run: Run) -> None:
    refused = run("lift", "sms", "0711 000001")

    assert refused.exit_code == 1
    assert refused.output == f"Error: The holder of {PHONE} wants no messages. They come back by sending START.\n"
    assert is_suppressed("sms", PHONE)
    db.session.remove()
    assert run("lift", "sms", "0711 000001", "--force").exit_code == 0
    assert not is_suppressed("sms", PHONE)


@pytest.mark.parametrize(("arguments", "code"), [(["pigeon", "x"], 2), (["sms"], 2), (["sms", "x"], 1)])
def test_wrong_usage(run: Run, arguments: list[str], code: int) -> None:
    assert run("lift", *arguments).exit_code == code
