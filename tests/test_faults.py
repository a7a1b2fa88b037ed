"""What Sentry is told of an error, and what not."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from grocery import faults, logs
from grocery.config import ConfigError, load_settings
from grocery.db import transaction
from grocery.queues import PeriodicTask
from grocery.relay import Relay
from tests.fakes.sentry import FakeSentry

log = logging.getLogger("grocery.test")

DSNS = ("sentry.example.com", "https://sentry.example.com/1", "https://key@sentry.example.com", "ftp://key@host/1")


@pytest.fixture
def sentry() -> Iterator[FakeSentry]:
    """A Sentry that is told of all errors of this process."""
    with FakeSentry() as sentry:
        faults.start(sentry.dsn, "testing")
        yield sentry
        faults.start("", "testing")


def told(sentry: FakeSentry) -> list[dict[str, Any]]:
    faults.flush()
    return sentry.events


def without_source(event: dict[str, Any]) -> str:
    """What an event says, but for the lines of the program, among which are those of these tests."""
    for error in event["exception"]["values"]:
        for frame in error["stacktrace"]["frames"]:
            for name in ("context_line", "pre_context", "post_context"):
                frame.pop(name, None)
    return json.dumps(event)


def fail(words: str) -> None:
    secret = words  # a local variable, which must not go out
    raise ValueError(f"no such thing: {secret}")


def test_an_error_is_told_by_kind_place_and_request(sentry: FakeSentry) -> None:
    with logs.bound("abc-1", order_id=5):
        try:
            fail("cart 7")
        except ValueError:
            log.exception("the cart of order %d is lost", 5)
    [event] = told(sentry)
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "no such thing: cart 7")
    frames = error["stacktrace"]["frames"]
    assert (frames[-1]["function"], frames[-1]["context_line"].strip()[:5]) == ("fail", "raise")
    assert (event["tags"]["request_id"], event["tags"]["order_id"]) == ("abc-1", "5")
    assert event["logentry"]["message"] == "the cart of order 5 is lost"
    assert (event["level"], event["logger"], event["environment"]) == ("error", "grocery.test", "testing")


@pytest.mark.parametrize(
    "words",
    [
        "amina@example.com",
        "+254 712 345 678",
        "0712345678",
        "Bearer abc.def.ghi",
        "http://shop.example/t/2-ceXSU1IEa5ppdDc4",
        "/notify/sms/callback-secret/delivery",
        "DETAIL:  Failing row contains (1, Amina, null).",
        "DETAIL:  Key (name)=(Amina) already exists.",
    ],
)
def test_words_about_people_and_secrets_stay_here(sentry: FakeSentry, words: str) -> None:
    with logs.bound(words), suppress(ValueError):
        try:
            fail(words)
        except ValueError:
            log.exception("failed: %s", words)
    [event] = told(sentry)
    out = without_source(event)
    private = ("amina@", "712", "abc.def", "ceXSU1", "callback-secret", "Amina")
    assert [word for word in private if word.lower() in out.lower()] == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("INSERT INTO categories (name) VALUES (:name)", "IntegrityError"),
        ("SELECT nothing, :name FROM customers", "ProgrammingError"),
        ("SELECT CAST(:name AS integer)", "DataError"),
    ],
)
def test_what_postgresql_says_of_values_stays_here(
    sentry: FakeSentry, context: None, statement: str, kind: str
) -> None:
    try:
        with transaction() as session:
            session.execute(text(statement), {"name": "Wanjiku"})
    except DBAPIError as error:
        words = str(error)
        log.exception("it went wrong")
    assert "Wanjiku" in words
    [event] = told(sentry)
    assert event["exception"]["values"][-1]["type"] == kind
    assert "Wanjiku" not in without_source(event)


def test_only_errors_with_a_stack_are_told(sentry: FakeSentry) -> None:
    log.error("the database is away")
    try:
        fail("x")
    except ValueError as error:
        log.warning("refused", exc_info=error)
    assert told(sentry) == []


def test_a_task_of_the_relay_that_fails_is_told(sentry: FakeSentry, app: Flask) -> None:
    relay = Relay(app)
    relay._run_task(PeriodicTask("test.fail", 1.0, lambda: fail("x")))
    [event] = told(sentry)
    assert event["logentry"]["message"] == "periodic task test.fail failed"


def test_an_unexpected_error_of_a_request_is_told_without_the_request(
    sentry: FakeSentry, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    endpoint = next(rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == "/auth/login")
    monkeypatch.setitem(app.view_functions, endpoint, lambda **_: fail("x"))
    body = {"email": "amina@example.com", "password": "a long enough password"}
    answer = client.post("/auth/login?from=nairobi", json=body, headers={"X-Request-ID": "abc-1", "Cookie": "cart=me"})
    assert answer.status_code == 500
    [event] = told(sentry)
    assert event["tags"]["request_id"] == "abc-1"
    allowed = {"event_id", "timestamp", "platform", "level", "logger", "logentry", "exception", "release"}
    assert event.keys() <= allowed | {"environment", "server_name", "tags", "contexts", "sdk"}
    out = without_source(event)
    assert [word for word in ("amina", "password", "nairobi", "cart=me") if word in out] == []


def test_forks_tell_their_own(sentry: FakeSentry) -> None:
    """Also when the parent has told something before, with a connection and a thread that are not the fork's."""
    log.error("of the parent", exc_info=ValueError("one"))
    assert len(told(sentry)) == 1
    child = os.fork()
    if child == 0:
        try:
            log.error("of the fork", exc_info=ValueError("two"))
            faults.flush()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.error("of the parent again", exc_info=ValueError("three"))
    words = [event["logentry"]["message"] for event in told(sentry)]
    assert words == ["of the parent", "of the fork", "of the parent again"]


def test_the_end_of_a_process_sends_what_is_left() -> None:
    code = """
import logging, multiprocessing, sys
from grocery import faults
def work(name):
    logging.getLogger("grocery.test").error(name, exc_info=ValueError(name))
faults.start(sys.argv[1], "testing")
child = multiprocessing.get_context("fork").Process(target=work, args=("forked",))
child.start()
child.join()
work("alone")
"""
    with FakeSentry() as sentry:
        subprocess.run([sys.executable, "-c", code, sentry.dsn], check=True, timeout=60, capture_output=True)
        assert sorted(event["logentry"]["message"] for event in sentry.events) == ["alone", "forked"]


@pytest.mark.parametrize("dsn", DSNS)
def test_what_is_no_dsn_is_refused_and_not_shown(environ: dict[str, str], dsn: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings({**environ, "SENTRY_DSN": dsn})
    [problem] = refused.value.problems
    assert problem == "SENTRY_DSN is no DSN as Sentry shows it, such as https://key@sentry.example.com/1."


@pytest.mark.parametrize("dsn", ["https://key@o1.ingest.sentry.io/42", "http://key:secret@127.0.0.1:9000/sub/7"])
def test_a_dsn_is_taken(environ: dict[str, str], dsn: str) -> None:
    assert load_settings({**environ, "SENTRY_DSN": dsn}).sentry_dsn == dsn
