"""Server-sent events as bytes. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import random
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

#: Nothing happens to an order after these. The same as those of `grocery.orders.states`, which is too large to import.
FINAL_STATUSES = ("delivered", "cancelled")

#: A comment, which clients pass over: proxies and phones drop connections on which nothing comes.
HEARTBEAT = b":\n\n"

# When a process ends, its clients must not all come back in the same moment.
_RETRY_FROM_MS, _RETRY_TO_MS = 1000, 3000


class Entry(NamedTuple):
    """A row of `order_history`."""

    order_id: int
    id: int
    status: str
    changed: dict[str, Any] | None
    at: datetime

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES


def retry_event() -> bytes:
    """How long a client should wait before it comes back: about two seconds."""
    return b"retry: %d\n\n" % random.randint(_RETRY_FROM_MS, _RETRY_TO_MS)  # noqa: S311  # no secret


def order_event(entry: Entry, *, is_public: bool) -> bytes:
    """An entry as an event. To who has the public link it says that something changed, not what, nor what it costs."""
    changed = {} if is_public and entry.changed is not None else entry.changed
    data = {"id": entry.order_id, "status": entry.status, "changed": changed, "at": entry.at.astimezone(UTC)}
    return b"event: order\nid: %d\ndata: %b\n\n" % (entry.id, orjson.dumps(data, option=orjson.OPT_UTC_Z))


def end_event(order_id: int, status: str | None) -> bytes:
    """The last event of a stream; without a status, the order was deleted."""
    return b"event: end\ndata: %b\n\n" % orjson.dumps({"id": order_id, "status": status})
