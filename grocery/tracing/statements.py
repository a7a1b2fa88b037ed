"""A span for each SQL statement of work that is traced: its text, with the names of parameters, never their values."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from opentelemetry.trace import Span, Status, StatusCode
from sqlalchemy import Engine, ExceptionContext, event

#: Makes a span of the present trace; None when nothing is traced.
MakeSpan = Callable[[str, str, Mapping[str, Any]], Span | None]

_LONGEST = 4000
_FIRST_WORD = re.compile(r"\s*(\w+)")
# What changes a table gives the name to a WITH, else the first table that is read does.
_CHANGED = re.compile(r"\b(INSERT|(?<!FOR )(?<!KEY )UPDATE|DELETE) (?:INTO |FROM )?(\w+)")
_READ = re.compile(r"\bFROM (?!unnest\b)(\w+)")
_SPANS = "grocery.spans"

_make_span: MakeSpan | None = None


def trace_statements(make_span: MakeSpan | None) -> None:
    """Have the statements of all engines of this process traced, or no longer."""
    global _make_span  # SQLAlchemy's events are of the process, too
    _make_span = make_span
    for name, listener in (
        ("before_cursor_execute", _begin),
        ("after_cursor_execute", _end),
        ("handle_error", _fail),
    ):
        if make_span and not event.contains(Engine, name, listener):
            event.listen(Engine, name, listener)
        if not make_span and event.contains(Engine, name, listener):
            event.remove(Engine, name, listener)


def _begin(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if _make_span is None:
        return
    name, query = describe(statement)
    span = _make_span(name, "client", {"db.system.name": "postgresql", "db.query.text": query})
    connection.info.setdefault(_SPANS, []).append(span)


def _end(connection: Any, *_: Any) -> None:
    if (spans := connection.info.get(_SPANS)) and (span := spans.pop()):
        span.end()


def _fail(context: ExceptionContext) -> None:
    connection = context.connection
    if connection is None or connection.invalidated or not (spans := connection.info.get(_SPANS)):
        return
    if span := spans.pop():
        error = context.original_exception
        span.set_attribute("error.type", type(error).__name__)
        if code := getattr(error, "pgcode", None):
            span.set_attribute("db.response.status_code", code)
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        span.end()


@lru_cache(maxsize=512)
def describe(statement: str) -> tuple[str, str]:
    """A short name such as `INSERT orders`, and the text in one line."""
    line = " ".join(statement.split())
    first, changed, read = _FIRST_WORD.match(line), _CHANGED.search(line), _READ.search(line)
    verb = first[1].upper() if first else "SQL"
    if changed and verb in ("WITH", changed[1]):
        return f"{changed[1]} {changed[2]}", line[:_LONGEST]
    return f"{verb} {read[1]}" if read else verb, line[:_LONGEST]
