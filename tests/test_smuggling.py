"""Where a request ends: granian, as the shop is served, lets nobody hide one request in another."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask

from tests.e2e.shop import ROOT, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

JSON = b'{"email":"a@example.com"}'
HEAD = b"POST /auth/login HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
CHUNKED = b"19\r\n" + JSON + b"\r\n0\r\n\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: shop.example\r\n\r\n"
LAST = b"GET /nowhere HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def port(migrated_app: Flask, environ: dict[str, str]) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "wsgi:app"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        wait_until(lambda: socket.create_connection(("127.0.0.1", port)), "granian has started").close()
        yield port
        server.terminate()


def statuses(port: int, sent: bytes) -> list[int]:
    """Of all answers to what is sent over one connection, until the server ends it."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        connection.sendall(sent)
        answers = b""
        try:
            while part := connection.recv(65536):
                answers += part
        except ConnectionResetError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answers)]


def test_with_chunks_the_length_says_nothing(port: int) -> None:
    """Read by its length, the body would be cut, and its rest would be a request."""
    both = HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED
    assert statuses(port, both + LAST) == [422], "all of the body was read, and nothing after it"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 25\r\nContent-Length: 4\r\n",
        b"Content-Length: 25, 4\r\n",
        b"Content-Length: +25\r\n",
        b"Content-Length: 2 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length : 25\r\n",
        b"X-One: a\r\n Content-Length: 25\r\n",
        b"X-One: a\rContent-Length: 25\r\n",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(port: int, framing: bytes) -> None:
    answered = statuses(port, HEAD + framing + b"\r\n" + JSON + HIDDEN + LAST)
    assert answered[:1] == [400]
    assert 200 not in answered, "what was hidden in the body was answered"


@pytest.mark.parametrize("chunk", [b"0x19\r\n", b"-19\r\n", b"FFFFFFFFFFFFFFFFFF\r\n", b"1 9\r\n", b"19\n"])
def test_a_chunk_whose_length_can_be_read_in_two_ways_is_refused(port: int, chunk: bytes) -> None:
    body = chunk + JSON + b"\r\n0\r\n\r\n"
    answered = statuses(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + HIDDEN + LAST)
    assert answered == [422], "the body is refused, and nothing after it is read"
