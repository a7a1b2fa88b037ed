"""What work goes back to: the request that caused it, over all that lies between, and the trace of that request.

Rows that wait for a job keep both, and the job binds them again: who looks for the id of a request finds the order that
it placed being confirmed, and the SMS about that being sent.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from grocery import logs, tracing
from grocery.tracing import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """The id of a request, and the traceparent of what it did; None for what is not known."""

    request_id: str | None = None
    traceparent: str | None = None

    @property
    def trace_ids(self) -> dict[str, str]:
        """`trace_id` and `span_id` of the traceparent, if it is one."""
        parts = (self.traceparent or "").split("-")
        return {"trace_id": parts[1], "span_id": parts[2]} if len(parts) == 4 else {}


def current_origin() -> Origin:
    """What the present work goes back to."""
    return Origin(logs.request_id.get(), tracing.traceparent())


@contextmanager
def working_on(origin: Origin, what: str, *, kind: str = "consumer", **ids: Any) -> Iterator[Span | None]:
    """Work on a row: its logs and spans are those of what it goes back to. `ids` name it: `order_id=5`."""
    with logs.bound(origin.request_id, **ids):
        attributes = {f"grocery.{name}": value for name, value in ids.items()}
        with tracing.root(what, attributes, kind=kind, parent=origin.traceparent) as span:
            yield span


def speaking_of(origin: Origin, **ids: Any) -> AbstractContextManager[None]:
    """As `working_on`, for what is only told of."""
    return logs.bound(origin.request_id, **(origin.trace_ids if tracing.is_on() else {}), **ids)
