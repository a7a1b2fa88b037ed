"""Traces by OpenTelemetry's SDK; loaded only when there is a collector."""

import logging
import os
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from grocery import __version__
from grocery.process import call_at_end, current_role
from grocery.tracing import TRACEPARENT
from grocery.tracing.collector import Collector
from grocery.tracing.statements import trace_statements

# How long the end of a job waits for its last spans.
_FLUSH_SECONDS = 2.0

# Spans that wait to be sent; more are dropped. One takes about a kilobyte.
_QUEUE = 2048
_BATCH = 256
_SEND_EVERY_MS = 1000

_carrying = TraceContextTextMapPropagator()


class SdkTracer:
    """Makes spans and sends them in the background, whatever becomes of its process.

    What sends has a thread, which a fork would lose and whose locks it would inherit. So each process makes its own
    when it makes its first span; workers of RQ make none before they fork.
    """

    def __init__(self, endpoint: str, share: float):
        self._sampler = ParentBased(TraceIdRatioBased(share))
        self._collector = Collector(endpoint)
        self._errors = _ErrorHandler(logging.ERROR)
        self._made_in = 0
        self._provider: TracerProvider
        self._tracer: trace.Tracer
        # It tells of its troubles at each try; the collector's own line says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        logging.getLogger().addHandler(self._errors)
        trace_statements(self.child_span)

    @contextmanager
    def root(self, name: str, kind: str, parent: str | None, attributes: Mapping[str, Any]) -> Iterator[Span]:
        """A span that carries on `parent`, without one the present trace, else begins one."""
        present = trace.get_current_span().get_span_context()
        context = _carrying.extract({TRACEPARENT: parent}, Context()) if parent else None
        links = [Link(present)] if parent and present.is_valid else []
        span = self._here().start_span(name, context, SpanKind[kind.upper()], _known(attributes), links)
        with _entered(span):
            yield span

    @contextmanager
    def child(self, name: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[Span | None]:
        """A span of the present trace, if there is one that is recorded."""
        span = self.child_span(name, kind, attributes)
        if span is None:
            yield None
            return
        with _entered(span):
            yield span

    def child_span(self, name: str, kind: str, attributes: Mapping[str, Any]) -> Span | None:
        """The same, to be ended by the caller."""
        if not trace.get_current_span().is_recording():
            return None
        return self._here().start_span(name, kind=SpanKind[kind.upper()], attributes=_known(attributes))

    def mark_failed(self, span: Span, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, kind))

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _carrying.inject(carrier)
        return carrier.get(TRACEPARENT)

    def ids(self) -> Mapping[str, str]:
        present = trace.get_current_span().get_span_context()
        if not present.is_valid:
            return {}
        return {"trace_id": f"{present.trace_id:032x}", "span_id": f"{present.span_id:016x}"}

    def flush(self) -> None:
        if self._made_in != os.getpid():
            return
        # In a thread of its own: the time-outs of the exporter are for each read, and a collector may drip its answer.
        sending = threading.Thread(target=self._provider.force_flush, name="last-spans", daemon=True)
        sending.start()
        sending.join(_FLUSH_SECONDS)
        if sending.is_alive():
            self._collector.leave_alone()

    def stop(self) -> None:
        """Send what is left and make no more: another one takes this one's place."""
        logging.getLogger().removeHandler(self._errors)
        trace_statements(None)
        self._end()

    def _here(self) -> trace.Tracer:
        if self._made_in != os.getpid():
            self._make()
        return self._tracer

    def _make(self) -> None:
        role = current_role() or "shop"
        about: dict[str, str | int] = {
            "service.namespace": "grocery",
            "service.name": f"grocery-{role}",
            "service.version": __version__,
            "process.pid": os.getpid(),
        }
        self._provider = TracerProvider(sampler=self._sampler, resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._collector.connect(),
                max_queue_size=_QUEUE,
                schedule_delay_millis=_SEND_EVERY_MS,
                max_export_batch_size=_BATCH,
            )
        )
        self._tracer = self._provider.get_tracer("grocery", __version__)
        self._made_in = os.getpid()
        call_at_end(self._end)

    def _end(self) -> None:
        if self._made_in == os.getpid():
            self._provider.shutdown()


class _ErrorHandler(logging.Handler):
    """Notes unexpected errors, which are all logged, at the span in which they happened: their kind and their place.

    Not their words, which may be about a person.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            _note(trace.get_current_span(), record.exc_info[1])


@contextmanager
def _entered(span: Span) -> Iterator[None]:
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            _note(span, error)
            raise


def _note(span: Span, error: BaseException) -> None:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    stack = "".join(traceback.format_tb(error.__traceback__))
    span.add_event("exception", {"exception.type": kind, "exception.stacktrace": stack})
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}
