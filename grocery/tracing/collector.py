"""The way to the collector, which must cost neither a request nor a job anything when it is away or hangs."""

import logging
import mmap
import struct
from collections.abc import Sequence
from time import monotonic

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = logging.getLogger(__name__)

#: Seconds that one batch may take. The end of a job waits for its last one.
TIMEOUT_SECONDS = 1.0

#: Seconds for which nothing is sent after a failure: spans made meanwhile are dropped.
PAUSE_SECONDS = 30.0


class Collector:
    """Makes exporters that leave a collector alone which does not answer, for all that this process forks together.

    The end of the pause is in memory that forks share: each job of a worker is one, and would have to wait again.
    """

    def __init__(self, endpoint: str):
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._memory = mmap.mmap(-1, 8)

    def connect(self) -> SpanExporter:
        """An exporter for this process."""
        # Encoded it is a tenth of the size, and takes less than the sending.
        return _Patient(self, OTLPSpanExporter(self._url, timeout=TIMEOUT_SECONDS, compression=Compression.Gzip))

    @property
    def is_left_alone(self) -> bool:
        until: float = struct.unpack("d", self._memory[:8])[0]
        return monotonic() < until

    def leave_alone(self) -> None:
        self._memory[:8] = struct.pack("d", monotonic() + PAUSE_SECONDS)


class _Patient(SpanExporter):
    def __init__(self, collector: Collector, exporter: SpanExporter):
        self._collector = collector
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._collector.is_left_alone:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._collector.leave_alone()
            log.warning("the collector of traces does not take them, trying again in %g s", PAUSE_SECONDS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
