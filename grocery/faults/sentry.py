"""Errors to Sentry: their kind, their place, the request; nothing of people. Loaded only when there is a DSN."""

import logging
import os
from typing import Any, Final

import sentry_sdk
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from grocery import __version__, logs, tracing
from grocery.process import call_at_end, current_role
from grocery.redaction import without_people

_FLUSH_SECONDS: Final = 2.0

#: What an event may have. Whatever else the SDK adds, now or in a later version, stays here.
_KEPT: Final = frozenset(
    {
        "event_id",
        "timestamp",
        "platform",
        "level",
        "logger",
        "logentry",
        "exception",
        "release",
        "environment",
        "server_name",
        "tags",
        "contexts",
        "sdk",
    }
)


# Where there are words that may be about somebody.
_WORDS: Final = frozenset({"exception", "logentry", "tags"})


class SentryTeller(logging.Handler):
    """Hears all that is logged. What has a stack and is an error goes to Sentry.

    The SDK changes nothing in the libraries of this process: none of its integrations is on. It is set up by the first
    error of each process, since its thread and its connection must not be those of a parent.
    """

    def __init__(self, dsn: str, environment: str):
        super().__init__(logging.ERROR)
        self._dsn = dsn
        self._environment = environment
        self._set_up_in = 0
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if not record.exc_info or record.exc_info[1] is None or record.name.startswith("sentry_sdk"):
            return
        try:
            self._set_up()
            sentry_sdk.capture_event(self._event(record))
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        if self._set_up_in == os.getpid():
            sentry_sdk.flush(timeout=_FLUSH_SECONDS)

    def stop(self) -> None:
        """Tell nothing more: another one takes this one's place."""
        logging.getLogger().removeHandler(self)
        self.flush()

    def _set_up(self) -> None:
        if self._set_up_in == os.getpid():
            return
        sentry_sdk.init(
            self._dsn,
            environment=self._environment,
            release=f"grocery@{__version__}",
            default_integrations=False,
            auto_enabling_integrations=False,
            # Local variables hold what is worked on: addresses, messages, passwords. That nothing else about people is
            # collected is the SDK's default; to say so by `send_default_pii` is deprecated.
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            send_client_reports=False,
            auto_session_tracking=False,
            before_send=_leave_out,
        )
        self._set_up_in = os.getpid()
        call_at_end(self.flush)

    def _event(self, record: logging.LogRecord) -> Event:
        options = sentry_sdk.get_client().options
        event, _ = event_from_exception(record.exc_info, options, {"type": "logging", "handled": True})  # type: ignore[arg-type]  # not None here
        ids = {"role": current_role(), "request_id": logs.request_id.get(), **logs.bound_ids(), **tracing.ids()}
        event["level"] = "error"
        event["logger"] = record.name
        event["logentry"] = {"message": record.getMessage()}
        event["tags"] = {name: str(value) for name, value in ids.items() if value is not None}
        return event


def _leave_out(event: Event, _hint: Hint) -> Event:
    """The last look at what goes out."""
    found: Any = event
    kept = {name: _clean(value) if name in _WORDS else value for name, value in found.items() if name in _KEPT}
    kept["contexts"] = {name: value for name, value in kept.get("contexts", {}).items() if name == "runtime"}
    return kept  # type: ignore[return-value]  # a part of it


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_people(value)
    if isinstance(value, dict):
        return {name: _clean(inner) for name, inner in value.items() if name != "vars"}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
