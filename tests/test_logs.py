"""Log lines."""

import json
import logging
import sys
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from structlog.contextvars import clear_contextvars

from grocery import logs
from grocery.logs import JsonFormatter, TextFormatter


@pytest.fixture(autouse=True)
def nothing_bound() -> Iterator[None]:
    """What requests of earlier tests have left in this thread is not there."""
    token = logs.request_id.set(None)
    clear_contextvars()
    yield
    logs.request_id.reset(token)


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("grocery.test", logging.ERROR, __file__, 1, message, arguments, exc_info)


def test_json_has_one_object_a_line_also_with_a_stack_trace() -> None:
    token = logs.request_id.set("abc-1")
    try:
        raise ValueError("of two\nlines")
    except ValueError as error:
        line = JsonFormatter().format(record("it went\n%s", "wrong", error=error))
    finally:
        logs.request_id.reset(token)
    entry = json.loads(line)
    entry.pop("role", None)  # that of the process of these tests, once an application was made in it
    assert "\n" not in line
    assert entry.pop("time").endswith("Z")
    assert entry.pop("exception").endswith("ValueError: of two\nlines")
    assert entry == {
        "level": "ERROR",
        "logger": "grocery.test",
        "message": "it went\nwrong",
        "request_id": "abc-1",
    }


def test_json_keeps_a_line_with_characters_that_are_none() -> None:
    name = b"prices-\xff.csv".decode(sys.getfilesystemencoding(), "surrogateescape")
    assert json.loads(JsonFormatter().format(record("no file %s", name)))["message"] == "no file prices-\\udcff.csv"


def test_what_a_client_sends_makes_no_line_of_its_own_in_text() -> None:
    forged = "a\r\n2035-01-01 INFO  grocery.auth signed in\x1b[2J\u2028\x85\tb"
    token = logs.request_id.set("abc-1")
    formatter = TextFormatter()
    line = formatter.format(record("no such product: %s", forged))
    logs.request_id.reset(token)
    written = "a\\r\\n2035-01-01 INFO  grocery.auth signed in\\x1b[2J\\u2028\\x85\\tb"
    assert line[8:] == f" ERROR   grocery.test [abc-1] no such product: {written}"


def test_a_stack_keeps_its_lines_in_text() -> None:
    line = TextFormatter().format(record("it went wrong", error=ValueError("here")))
    assert line[9:].splitlines() == ["ERROR   grocery.test it went wrong", "ValueError: here"]


def test_what_is_bound_is_on_each_line_until_its_work_is_over() -> None:
    with logs.bound("abc-1", order_id=5, job="j-1", notification_id=None):
        with logs.bound("abc-1", notification_id=7):
            inner = json.loads(JsonFormatter().format(record("sent")))
        text = TextFormatter().format(record("confirmed"))
    after = json.loads(JsonFormatter().format(record("done")))
    assert (inner["request_id"], inner["order_id"], inner["notification_id"], inner["job"]) == ("abc-1", 5, 7, "j-1")
    assert text[9:] == "ERROR   grocery.test [abc-1] confirmed order_id=5"
    assert after["request_id"] is None
    assert not {"order_id", "notification_id", "job"} & after.keys()


def test_work_for_another_request_begins_with_nothing_bound() -> None:
    def work() -> dict[str, Any]:
        logs.begin("abc-1")
        logs.bind(order_id=5)
        logs.begin("abc-2")
        found: dict[str, Any] = json.loads(JsonFormatter().format(record("came")))
        return found

    entry = copy_context().run(work)
    assert entry["request_id"] == "abc-2"
    assert "order_id" not in entry


def test_the_values_of_a_refused_row_are_not_written() -> None:
    taken = "duplicate key value\nDETAIL:  Key (email)=(amina@example.com) already exists.\n"
    whole = "null value\nDETAIL:  Failing row contains (1, Amina (Home), amina@example.com, null).\n"
    lines = "null value\nDETAIL:  Failing row contains (1, Plot 5\nat Amina's, null).\n"
    computed = "duplicate key value\nDETAIL:  Key (lower(name))=(one\nAmina) already exists.\n"
    for words in (taken, whole, lines, computed):
        for formatter in (TextFormatter(), JsonFormatter()):
            line = formatter.format(record("it went wrong", error=ValueError(words)))
            assert "DETAIL" in line
            assert "amina" not in line.lower()


def test_a_secret_in_what_a_client_calls_its_request_is_not_written() -> None:
    with logs.bound("Bearer:/t/abcdefgh", order_id=5):
        assert "abcdefgh" not in JsonFormatter().format(record("came"))
        assert "abcdefgh" not in TextFormatter().format(record("came"))


def test_lines_of_requests_are_for_programs_only_unless_all_is_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    try:
        found = {}
        for log_level, log_format in (("INFO", "json"), ("INFO", "text"), ("DEBUG", "text"), ("WARNING", "json")):
            logs.configure(log_level, log_format)
            found[log_level, log_format] = logging.getLogger(logs.ACCESS).isEnabledFor(logging.INFO)
    finally:
        logs.configure("WARNING", "text")
        root.setLevel(level)
    assert [name for name, is_written in found.items() if is_written] == [("INFO", "json"), ("DEBUG", "text")]
