"""Log lines."""

import json
import logging
import sys

from grocery import logs
from grocery.logs import JsonFormatter, TextFormatter


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
    formatter = TextFormatter("%(levelname)s %(name)s%(request)s %(message)s")
    line = formatter.format(record("no such product: %s", forged))
    logs.request_id.reset(token)
    written = "a\\r\\n2035-01-01 INFO  grocery.auth signed in\\x1b[2J\\u2028\\x85\\tb"
    assert line == f"ERROR grocery.test [abc-1] no such product: {written}"


def test_a_stack_keeps_its_lines_in_text() -> None:
    line = TextFormatter("%(message)s").format(record("it went wrong", error=ValueError("here")))
    assert line.splitlines() == ["it went wrong", "ValueError: here"]
