"""Traces: what one request makes the shop do, in whichever process. Without a collector nothing here does anything.

Only `start` loads OpenTelemetry, and only when there is somewhere to send to. A span is named by what is done, never by
whom for: no parameters of statements, no addresses, no texts of errors.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import MappingProxyType
from typing import Any, Protocol

#: The header and the columns that carry a trace on: https://www.w3.org/TR/trace-context/
TRACEPARENT = "traceparent"

_NOTHING: AbstractContextManager[None] = nullcontext()
_NONE: Mapping[str, Any] = MappingProxyType({})


class Span(Protocol):
    """A piece of work that is under way."""

    def set_attribute(self, key: str, value: Any) -> None: ...

    def update_name(self, name: str) -> None: ...


class Tracer(Protocol):
    """What `grocery.tracing.sdk` makes."""

    def root(
        self, name: str, kind: str, parent: str | None, attributes: Mapping[str, Any]
    ) -> AbstractContextManager[Span]: ...

    def child(self, name: str, kind: str, attributes: Mapping[str, Any]) -> AbstractContextManager[Span | None]: ...

    def mark_failed(self, span: Any, kind: str) -> None: ...

    def traceparent(self) -> str | None: ...

    def ids(self) -> Mapping[str, str]: ...

    def flush(self) -> None: ...

    def stop(self) -> None: ...


_tracer: Tracer | None = None


def start(endpoint: str | None, share: float) -> None:
    """Send the traces of this process, and of those that it forks, to the collector at `endpoint` (OTLP over HTTP).

    `share` (0 to 1) of those that begin here; whatever carries on another's trace does as that one. Called again (tests
    make many apps), it replaces what was.
    """
    global _tracer  # the calls are all over the program, and so is what they call
    if _tracer is not None:
        _tracer.stop()
    _tracer = import_module("grocery.tracing.sdk").SdkTracer(endpoint, share) if endpoint else None


def root(
    name: str, attributes: Mapping[str, Any] = _NONE, *, kind: str = "internal", parent: str | None = None
) -> AbstractContextManager[Span | None]:
    """Work that begins a trace here, or carries on the one of `parent` (a traceparent); linked to what goes on here."""
    return _NOTHING if _tracer is None else _tracer.root(name, kind, parent, attributes)


def child(
    name: str, attributes: Mapping[str, Any] = _NONE, *, kind: str = "internal"
) -> AbstractContextManager[Span | None]:
    """A part of the work that goes on, if that is traced."""
    return _NOTHING if _tracer is None else _tracer.child(name, kind, attributes)


def mark_failed(span: Span, kind: str) -> None:
    """Say that the work of a span came to nothing, and for what kind of reason."""
    if _tracer is not None:
        _tracer.mark_failed(span, kind)


def traceparent() -> str | None:
    """What carries the present trace on; None when there is none."""
    return None if _tracer is None else _tracer.traceparent()


def ids() -> Mapping[str, str]:
    """`trace_id` and `span_id` of the work that goes on, as far as there is any."""
    return _NONE if _tracer is None else _tracer.ids()


def is_on() -> bool:
    """Whether traces are made."""
    return _tracer is not None


def flush() -> None:
    """Send what is finished, before a process ends without a word. Takes two seconds at the most."""
    if _tracer is not None:
        _tracer.flush()
