"""Who watches which order, and telling them what is new: one query for all orders of which something was heard."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import psycopg2

from grocery.stream.events import Entry
from grocery.stream.history import History

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


class Listener(Protocol):
    """A client that watches one order."""

    order_id: int
    is_listening: bool

    def wants_from(self) -> int:
        """The id of the entry from which on it needs the history; 0 would be all of it."""

    def hear(self, entries: Sequence[Entry]) -> None:
        """Take the entries of its order, from where it wanted them and perhaps before; none: the order is gone."""

    def hear_nothing(self) -> None:
        """PostgreSQL is away."""


class Hub:
    """Keeps the listeners by order. Everything but the reading itself happens in the event loop's thread."""

    def __init__(self, history: History):
        self._history = history
        self._listeners: dict[int, set[Listener]] = {}
        self._due: set[int] = set()
        self._is_due = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "history")
        self.is_database_away = False
        self.dropped = 0

    def add(self, listener: Listener) -> None:
        """Let it hear of its order from now on: first, soon, from where it wants to."""
        self._listeners.setdefault(listener.order_id, set()).add(listener)
        self.look_at([listener.order_id])

    def remove(self, listener: Listener) -> None:
        """Let it hear no more; nothing happens when it does not."""
        others = self._listeners.get(listener.order_id)
        if others is not None:
            others.discard(listener)
            if not others:
                del self._listeners[listener.order_id]

    def look_at(self, order_ids: Iterable[int]) -> None:
        """Something may have happened to these orders. Those that nobody watches cost nothing."""
        self._due.update(self._listeners.keys() & set(order_ids))
        if self._due:
            self._is_due.set()

    def look_at_all(self) -> None:
        self.look_at(self._listeners.keys())

    async def run(self) -> None:
        """Read and tell, for ever; survives that PostgreSQL is away."""
        try:
            while True:
                await self._is_due.wait()
                self._is_due.clear()
                await self._tell()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _tell(self) -> None:
        due = {order_id: tuple(self._listeners[order_id]) for order_id in self._due & self._listeners.keys()}
        self._due.clear()
        if not due:
            return
        wanted = {order_id: min(listener.wants_from() for listener in listeners) for order_id, listeners in due.items()}
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._history.read, wanted)
        except psycopg2.Error as error:
            self._note_database(error)
            for listener in (listener for listeners in due.values() for listener in listeners):
                listener.hear_nothing()
            await asyncio.sleep(_RETRY_SECONDS)
            self.look_at(due)
            return
        self._note_database(None)
        _deliver(due, found)

    def _note_database(self, error: psycopg2.Error | None) -> None:
        if error and not self.is_database_away:
            log.warning("the database is away, listeners wait: %s", str(error).strip())
        if self.is_database_away and not error:
            log.warning("the database is back")
        self.is_database_away = error is not None


def _deliver(due: Mapping[int, Sequence[Listener]], found: Mapping[int, Sequence[Entry]]) -> None:
    for order_id, listeners in due.items():
        for listener in listeners:
            if listener.is_listening:
                listener.hear(found[order_id])
