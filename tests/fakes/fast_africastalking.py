"""Africa's Talking in a process of its own, for measurements: little CPU a request, and nothing but the right answer.

`python -m tests.fakes.fast_africastalking --delay-ms 100` prints its port and serves until it is killed. Any number of
requests wait at once. `GET /counts` answers `{requests, accepted, duplicates, cpu_seconds}`: a duplicate is a text that
the same number had already been sent, and the CPU time is the process's own. It checks no key, number or sender, and
leaves `messageParts` at one; tests.fakes.africastalking is the one that behaves, and names the sources.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ASK_SECONDS = 10.0
_ROOT = Path(__file__).parents[2]


@dataclass
class Tally:
    """What was taken so far."""

    requests: int = 0
    accepted: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)

    def take(self, number: str, text: str) -> str:
        """Count a text and return its id."""
        self.accepted += 1
        self.seen.add((number, text))
        return f"ATXid_{self.accepted:032x}"

    def counts(self) -> dict[str, Any]:
        """The answer to `GET /counts`."""
        return {
            "requests": self.requests,
            "accepted": self.accepted,
            "duplicates": self.accepted - len(self.seen),
            "cpu_seconds": time.process_time(),
        }


class Line(asyncio.Protocol):
    """One connection, kept open between requests."""

    def __init__(self, tally: Tally, delay_seconds: float) -> None:
        self._tally = tally
        self._delay = delay_seconds
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's hook: keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio's hook: answer each request that is there whole."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._read, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < size:
                return
            request, self._read = self._read[:size], self._read[size:]
            self._answer(request, end + 4)

    def _answer(self, request: bytes, body_at: int) -> None:
        if request.startswith(b"POST /version1/messaging "):
            self._tally.requests += 1
            answer = _http(b"201 Created", self._accept(request[body_at:]))
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
                return
        elif request.startswith(b"GET /counts "):
            answer = _http(b"200 OK", json.dumps(self._tally.counts()))
        else:
            answer = _http(b"404 Not Found", "{}")
        self._transport.write(answer)

    def _accept(self, body: bytes) -> str:
        form = parse_qs(body.decode(), keep_blank_values=True)
        text = form["message"][0]
        recipients = [
            {
                "cost": "KES 0.8000",
                "messageId": self._tally.take(number, text),
                "messageParts": 1,
                "number": number,
                "status": "Success",
                "statusCode": 101,
            }
            for number in form["to"][0].split(",")
        ]
        cents = 80 * len(recipients)
        message = f"Sent to {len(recipients)}/{len(recipients)} Total Cost: KES {cents // 100}.{cents % 100:02d}00"
        return json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}})


def _http(status: bytes, body: str) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body.encode(),
    )


async def serve(port: int, delay_seconds: float) -> None:
    """Listen on loopback, print the port and never return."""
    tally = Tally()
    server = await asyncio.get_running_loop().create_server(
        lambda: Line(tally, delay_seconds), "127.0.0.1", port, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def fast_africastalking(delay_ms: float = 0) -> Iterator[str]:
    """Run the server as a process for as long as the block lasts; gives its origin, for `AT_BASE_URL`."""
    command = [sys.executable, "-m", __name__, "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def counts(origin: str) -> dict[str, Any]:
    """Ask a running server what it took."""
    with urllib.request.urlopen(f"{origin}/counts", timeout=_ASK_SECONDS) as answer:
        return dict(json.load(answer))


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Africa's Talking for measurements")
    parser.add_argument("--delay-ms", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.delay_ms / 1000))


if __name__ == "__main__":
    main()
