"""A Sentry that takes envelopes over HTTP: https://develop.sentry.dev/sdk/data-model/envelopes/"""

import json
from typing import Any

from tests.fakes.receiver import Receiver


class FakeSentry(Receiver):
    """`dsn` is its address for clients."""

    @property
    def dsn(self) -> str:
        return f"http://public-key@127.0.0.1:{self.port}/7"

    @property
    def events(self) -> list[dict[str, Any]]:
        found = []
        for posted in tuple(self.posted):
            assert posted.path == "/api/7/envelope/", posted.path
            assert "sentry_key=public-key" in posted.headers["x-sentry-auth"]
            found += [item for kind, item in _items(posted.body) if kind == "event"]
        return found


def _items(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Each item is a line about it, and then as many bytes as that says."""
    _, _, rest = body.partition(b"\n")
    items = []
    while rest.strip():
        line, _, rest = rest.lstrip(b"\n").partition(b"\n")
        header = json.loads(line)
        length = header.get("length", rest.find(b"\n"))
        items.append((header["type"], json.loads(rest[:length])))
        rest = rest[length:]
    return items
