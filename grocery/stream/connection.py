"""One client: its request, the right to be here, and what it is sent."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from grocery.keys import Keys
from grocery.stream import events, messages
from grocery.stream.events import Entry
from grocery.stream.figures import CONTENT_TYPE, write_figures
from grocery.stream.hub import Hub
from grocery.stream.messages import Cors, MalformedRequestError, Request
from grocery.tickets import Ticket, TicketError, read_ticket

#: What a client that does not read may have waiting for it here, besides what the kernel keeps.
MAX_WAITING_BYTES = 64 * 1024
_KERNEL_BYTES = 32 * 1024

# To send a request, or to take the last answer.
_PATIENCE_SECONDS = 10.0
# A phone that has left the network says nothing.
_DEAD_AFTER_MS = 60_000

_PATH = re.compile(r"/stream/orders/([0-9]{1,18})", re.ASCII)
_LAST_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_NEVER = 2**63 - 1


@dataclass(frozen=True)
class Desk:
    """What all connections share."""

    hub: Hub
    cors: Cors
    keys: Keys
    max_connections: int
    is_redis_heard: Callable[[], bool]
    connections: set["Connection"]

    @property
    def streams(self) -> int:
        return sum(connection.is_streaming for connection in self.connections)


class Connection(asyncio.Protocol):
    """Serves one request, and for a stream, listens to its order. Nothing is queued: what cannot be written is dropped
    together with the client, which comes back for it when it can.
    """

    __slots__ = (
        "_desk",
        "_head",
        "_headers",
        "_last_id",
        "_ticket",
        "_timer",
        "_transport",
        "is_listening",
        "is_streaming",
        "order_id",
        "written_at",
    )

    _transport: asyncio.Transport

    def __init__(self, desk: Desk):
        self._desk = desk
        self._head: bytes | None = b""
        self._headers: Mapping[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._ticket: Ticket | None = None
        self._last_id: int | None = None
        self.order_id = 0
        self.is_listening = False
        self.is_streaming = False
        self.written_at = 0.0

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # for mypy
        self._transport = transport
        self._desk.connections.add(self)
        _limit_waiting(transport.get_extra_info("socket"))
        self._give_time()
        if len(self._desk.connections) > self._desk.max_connections:
            self._head = None
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too many are listening. Try again.", 10)

    def data_received(self, data: bytes) -> None:
        if self._head is None:  # whatever comes after the request
            return
        self._head += data
        head, is_whole, _ = self._head.partition(messages.END_OF_HEAD)
        if is_whole:
            self._head = None
            self._serve(head)
        elif len(self._head) > messages.MAX_HEAD_BYTES:
            self._head = None
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(status, "too_large", "The head of the request is too large.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._desk.connections.discard(self)
        self._stop_listening()
        if self._timer:
            self._timer.cancel()

    # What the hub calls

    def wants_from(self) -> int:
        return _NEVER if self._last_id is None else self._last_id

    def hear(self, entries: Sequence[Entry]) -> None:
        if not self.is_streaming and not self._open(entries):
            return
        if not entries:
            self._end(None)
            return
        last_id = entries[-1].id - 1 if self._last_id is None else self._last_id
        news = [entry for entry in entries if entry.id > last_id]
        if news:
            is_public = self._ticket is not None and self._ticket.is_public
            self._write(b"".join(events.order_event(entry, is_public=is_public) for entry in news))
        self._last_id = max(last_id, entries[-1].id)
        if entries[-1].is_final:
            self._end(entries[-1].status)

    def hear_nothing(self) -> None:
        if not self.is_streaming:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable", "The database is away. Try again.", 2)

    # What the server calls

    def keep_alive(self, before: float) -> None:
        """Send a heartbeat if nothing was sent since `before`."""
        if self.is_streaming and self.written_at <= before:
            self._write(events.HEARTBEAT)

    def close(self) -> None:
        """End the connection when what was written is sent, or after a while."""
        self._stop_listening()
        self.is_streaming = False
        self._transport.close()
        self._give_time()

    # What it does with its request

    def _serve(self, head: bytes) -> None:
        try:
            request = messages.parse_head(head)
        except MalformedRequestError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, "malformed_request", str(error))
            return
        self._headers = {"X-Request-ID": request.id, **self._desk.cors.headers(request)}
        order = _PATH.fullmatch(request.path)
        if request.is_preflight:
            self._answer(messages.preflight(self._headers))
        elif request.path == "/healthz" and request.method in ("GET", "HEAD"):
            self._answer(messages.json_answer(self._health(), self._headers, has_body=request.method == "GET"))
        elif request.path == "/metrics" and request.method in ("GET", "HEAD"):
            figures = write_figures(self._numbers())
            self._answer(messages.text_answer(figures, CONTENT_TYPE, self._headers, has_body=request.method == "GET"))
        elif order is None and request.path not in ("/healthz", "/metrics"):
            self._refuse(HTTPStatus.NOT_FOUND, "not_found", "Streams are at /stream/orders/{id}.")
        elif order is None or request.method != "GET":
            self._headers = {**self._headers, "Allow": "GET, OPTIONS" if order else "GET, HEAD"}
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "This can only be read.")
        else:
            self._admit(int(order[1]), request)

    def _health(self) -> dict[str, object]:
        return {
            "status": "alive",
            "streams": self._desk.streams,
            "database": "unavailable" if self._desk.hub.is_database_away else "ok",
            "redis": "ok" if self._desk.is_redis_heard() else "degraded",
        }

    def _numbers(self) -> dict[str, int]:
        return {
            "streams": self._desk.streams,
            "connections": len(self._desk.connections),
            "connections_limit": self._desk.max_connections,
            "dropped": self._desk.hub.dropped,
            "database_up": not self._desk.hub.is_database_away,
            "redis_up": self._desk.is_redis_heard(),
        }

    def _admit(self, order_id: int, request: Request) -> None:
        """Listen to an order, if the ticket allows it; what the stream begins with comes with the first hearing."""
        try:
            ticket = read_ticket(request.query.get("ticket", ""), *self._desk.keys.newest_first)
        except TicketError:
            detail = "A stream needs a ticket: get one at /orders/{id}/stream."
            self._refuse(HTTPStatus.UNAUTHORIZED, "invalid_ticket", detail)
            return
        if ticket.order_id != order_id:
            self._refuse(HTTPStatus.FORBIDDEN, "ticket_of_another_order", "This ticket is for another order.")
            return
        sent = request.headers.get("last-event-id") or request.query.get("last_event_id", "")
        last_id = int(sent) if _LAST_ID.fullmatch(sent) else None
        if not (ticket.opens or (ticket.resumes and last_id is not None)):
            self._refuse_expired()
            return
        self._ticket, self._last_id, self.order_id = ticket, last_id, order_id
        self.is_listening = True
        self._desk.hub.add(self)

    def _open(self, entries: Sequence[Entry]) -> bool:
        """Begin the stream; False when there is none to begin, which is answered then."""
        if not entries:
            self._refuse(HTTPStatus.NOT_FOUND, "not_found", f"There is no order {self.order_id}.")
            return False
        has_been_here = any(entry.id == self._last_id for entry in entries)
        if not (has_been_here or (self._ticket and self._ticket.opens)):
            self._refuse_expired()
            return False
        latest = entries[-1]
        if self._last_id == latest.id and latest.is_final:
            self._answer(messages.nothing(self._headers))
            return False
        if self._last_id is not None and self._last_id > latest.id:
            self._last_id = None  # an id that was never sent
        self.is_streaming = True
        if self._timer:
            self._timer.cancel()
        self._write(messages.stream_head(self._headers) + events.retry_event())
        return True

    def _end(self, status: str | None) -> None:
        self._write(events.end_event(self.order_id, status))
        self.close()

    def _refuse_expired(self) -> None:
        detail = "The ticket has expired: get a new one at /orders/{id}/stream."
        self._refuse(HTTPStatus.UNAUTHORIZED, "ticket_expired", detail)

    def _refuse(self, status: HTTPStatus, code: str, detail: str, retry_after: int | None = None) -> None:
        headers = {**self._headers, **({"Retry-After": str(retry_after)} if retry_after else {})}
        self._answer(messages.problem(status, code, detail, headers))

    def _answer(self, answer: bytes) -> None:
        self._write(answer)
        self.close()

    # The bytes

    def _write(self, data: bytes) -> None:
        if self._transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            self._desk.hub.dropped += 1
            self._stop_listening()
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(data)
            self.written_at = time.monotonic()

    def _stop_listening(self) -> None:
        if self.is_listening:
            self.is_listening = False
            self._desk.hub.remove(self)

    def _give_time(self) -> None:
        """Cut the connection off if it is still in this state after a while."""
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._transport.abort)


def _limit_waiting(sock: socket.socket) -> None:
    """Keep the kernel from waiting for the client as long as it would, and from storing as much for it."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
