"""Logging: one line per event to standard error, as text or JSON, with the request and the work that it belongs to.

Loggers are those of the standard library; structlog's processors make the lines, and keep what is bound to the work
that goes on: `with bound(request, order_id=5): …`.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.stdlib import ProcessorFormatter

from grocery import tracing
from grocery.process import current_role
from grocery.redaction import without_keys, without_links, without_rows

#: The request that the present work goes back to.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

#: The logger of the line that each request leaves. Text is for people, who would see little else.
ACCESS: Final = "grocery.access"

Entry = MutableMapping[str, Any]

# Those that turn the direction of writing too: a terminal shows what follows them in another order.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

# These write messages instead of sending them, while there is no account: the links in them are meant to be seen.
_OUTBOXES = ("grocery.notify.sms", "grocery.notify.mail")

# These write a line per request, job or batch at INFO or louder; ours say the same once.
_CHATTY = ("rq.worker", "werkzeug", "urllib3", "alembic.runtime.plugins")

# Not in text, which a person reads: the same on each line, or long.
_NOT_IN_TEXT = frozenset({"role", "job", "span_id", "method", "route", "status", "ms"})


def bind(**ids: Any) -> None:
    """Add to each line of the present request: `bind(order_id=5)`."""
    bind_contextvars(**ids)


@contextmanager
def bound(request: str | None, **ids: Any) -> Iterator[None]:
    """Add to each line written inside what it is about, and the request that it goes back to; None: to none known."""
    token = request_id.set(request)
    try:
        with bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
            yield
    finally:
        request_id.reset(token)


def begin(request: str) -> None:
    """Forget what was bound: here begins the work for another request."""
    clear_contextvars()
    request_id.set(request)


def bound_ids() -> dict[str, Any]:
    """What is bound to the present work."""
    return get_contextvars()


class TextFormatter(ProcessorFormatter):
    """`12:00:00 INFO    grocery.orders [request] message order_id=5`, for people."""

    def __init__(self) -> None:
        super().__init__(processors=[_arrange, _render_exception, _redact, _as_text])


class JsonFormatter(ProcessorFormatter):
    """One JSON object a line, for programs."""

    def __init__(self) -> None:
        super().__init__(processors=[_arrange, _render_exception, _redact, JSONRenderer(serializer=_to_json)])


_render_exception: Callable[[Any, str, Entry], Any] = ExceptionRenderer()


def _arrange(_logger: Any, _method: str, given: Entry) -> Entry:
    """The fields of a line, in their order."""
    record: logging.LogRecord = given["_record"]
    role = current_role()
    entry = {
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname,
        "logger": record.name,
        "message": given["event"],
        "request_id": request_id.get(),
        **({"role": role} if role else {}),
        **tracing.ids(),
        **get_contextvars(),
        **getattr(record, "fields", {}),
    }
    if "exc_info" in given:
        entry["exc_info"] = given["exc_info"]
    return entry


def _redact(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Take out what nobody may read, and the halves of characters over which orjson would lose the line."""
    is_outbox = entry["logger"] in _OUTBOXES
    for name, value in entry.items():
        if isinstance(value, str):
            value = without_links(value)
            entry[name] = (value if is_outbox else without_keys(value)).encode(errors="backslashreplace").decode()
    if "exception" in entry:
        entry["exception"] = without_rows(entry["exception"])
    return entry


def _to_json(entry: Entry, **_options: Any) -> str:
    return orjson.dumps(entry, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=repr).decode()


def _as_text(_logger: Any, _method: str, entry: Entry) -> str:
    at, level, name, message, request = (entry.pop(key) for key in ("time", "level", "logger", "message", "request_id"))
    stack = entry.pop("exception", None)
    # Messages that stand here instead of being sent are copied from here, too.
    ids = "" if name in _OUTBOXES else "".join(f" {key}={entry[key]}" for key in entry if key not in _NOT_IN_TEXT)
    line = f"{level:7} {name}{f' [{request}]' if request else ''} {message}{ids}"
    # What clients send must not look like a line of its own. Stacks, which come after it, keep theirs.
    line = _CONTROL.sub(lambda found: repr(found[0])[1:-1], line)
    return f"{at.astimezone():%H:%M:%S} {line}" + (f"\n{stack}" if stack else "")


def configure(level: str, log_format: str) -> None:
    """Send everything to standard error. Called again (tests make many apps), it replaces its own handler only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("grocery")
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for existing in [known for known in root.handlers if known.get_name() == "grocery"]:
        root.removeHandler(existing)
    root.addHandler(handler)
    root.setLevel(level)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    is_hidden = log_format != "json" and root.level > logging.DEBUG
    logging.getLogger(ACCESS).setLevel(logging.WARNING if is_hidden else logging.NOTSET)
