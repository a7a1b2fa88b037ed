"""Clients that send one request over and over, each on a connection of its own, for as little CPU as Python can.

    python -m tests.auth.load HOST PORT CLIENTS SECONDS REQUEST

Every client sends REQUEST (as latin-1, whole) and sends it again when the answer is there, whatever that says: no
client waits when told to. With an empty one they are connected and idle. Run it in a process of its own, so that
clients do not share an interpreter with what they measure. Prints the count of each status, and the seconds that
answers took, as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter


class Client(asyncio.Protocol):
    """One connection, which the server has no reason to close."""

    def __init__(self, request: bytes, statuses: Counter[str], seconds: list[float]):
        self._request = request
        self._statuses = statuses
        self._seconds = seconds
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._statuses[head[9:12].decode()] += 1
            self._seconds.append(time.monotonic() - self._sent_at)
            self._received = b""
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._statuses["lost"] += 1

    def _send(self) -> None:
        assert self._transport
        self._sent_at = time.monotonic()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    """Bytes of the body, which every answer of the shop names."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def send(host: str, port: int, clients: int, seconds: float, request: bytes) -> dict[str, object]:
    statuses: Counter[str] = Counter()
    times: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(request, statuses, times), host, port)
    await asyncio.sleep(seconds)
    return {"statuses": dict(statuses), "seconds": times}


if __name__ == "__main__":
    _host, _port, _clients, _seconds, _request = sys.argv[1:]
    _done = asyncio.run(send(_host, int(_port), int(_clients), float(_seconds), _request.encode("latin-1")))
    json.dump(_done, sys.stdout)
