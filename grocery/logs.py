"""Logging: one line per event to standard error, as text or JSON, with the id of the request that it belongs to."""

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

import orjson

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# The addresses that providers call have a secret in them, and the links of mails an address of a person; whatever fails
# may be logged with its address.
_SECRET = re.compile(r"(/notify/(?:sms|mail|unsubscribe)/)[^/\s\"'?#]+")

# What opens an account, an order or a stream: tokens in headers and bodies, tracking links, tickets.
_KEY = re.compile(r"(\bBearer\s+|/t/|\bticket=)[^/\s\"'?#&,;]+|(\beyJ)[\w-]+\.[\w-]+\.[\w-]*", re.IGNORECASE)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# These write messages instead of sending them, while there is no account: the links in them are meant to be seen.
_OUTBOXES = ("grocery.notify.sms", "grocery.notify.mail")


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        current = request_id.get()
        record.request = f" [{current}]" if current else ""
        return _without_secrets(record, super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        # What clients send must not look like a line of its own. Stacks, which come after it, keep theirs.
        record.message = _CONTROL.sub(lambda found: repr(found[0])[1:-1], record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": _encodable(record.getMessage()),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            entry["exception"] = _encodable(self.formatException(record.exc_info))
        return _without_secrets(record, orjson.dumps(entry, option=orjson.OPT_UTC_Z).decode())


def _without_secrets(record: logging.LogRecord, line: str) -> str:
    line = _SECRET.sub(r"\1…", line)
    return line if record.name in _OUTBOXES else _KEY.sub(r"\1\2…", line)


def _encodable(text: str) -> str:
    """Names of files and words of the command line may have lone surrogates, over which orjson would lose the line."""
    return text.encode(errors="backslashreplace").decode()


def configure(level: str, log_format: str) -> None:
    """Send everything to standard error. Called again (tests make many apps), it replaces its own handler only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("grocery")
    text = TextFormatter("%(asctime)s %(levelname)-7s %(name)s%(request)s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    root = logging.getLogger()
    for existing in [known for known in root.handlers if known.get_name() == "grocery"]:
        root.removeHandler(existing)
    root.addHandler(handler)
    root.setLevel(level)
    # These write a line per request or per job at INFO; ours say the same once.
    for chatty in ("rq.worker", "werkzeug", "urllib3", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
