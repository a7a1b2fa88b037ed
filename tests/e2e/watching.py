"""A client of server-sent events, as simple as they come."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Event:
    """An event, or (`kind` None) a comment or a hint about retrying."""

    kind: str | None
    id: int | None
    data: Any


class Watcher:
    """An open stream. `answer` is what the redirects led to."""

    def __init__(self, url: str, headers: dict[str, str] | None = None):
        self.answer = requests.get(url, headers=headers, stream=True, timeout=60)
        self._lines = self.answer.iter_lines(chunk_size=1)

    def everything(self, seconds: float = PATIENCE_SECONDS) -> Iterator[Event]:
        """What comes, comments too, until the server ends the stream; AssertionError when it goes on for too long."""
        deadline = time.monotonic() + seconds
        fields: dict[str, str] = {}
        for line in self._lines:
            assert time.monotonic() < deadline, f"the stream goes on after {seconds} s"
            if line:
                name, _, value = line.decode().partition(":")
                fields[name] = value.strip()
            else:
                data = json.loads(fields["data"]) if "data" in fields else None
                yield Event(fields.get("event"), int(fields["id"]) if "id" in fields else None, data)
                fields = {}

    def events(self, seconds: float = PATIENCE_SECONDS) -> Iterator[Event]:
        """The events that come, until the server ends the stream."""
        return (event for event in self.everything(seconds) if event.kind is not None)

    def take(self, number: int, seconds: float = PATIENCE_SECONDS) -> list[Event]:
        """The next so many events."""
        events = self.events(seconds)
        return [next(events) for _ in range(number)]

    def leave(self) -> None:
        self.answer.close()


def statuses(events: list[Event]) -> list[str]:
    return [event.data["status"] for event in events]
