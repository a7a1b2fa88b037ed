"""The shop's own texts as each process keeps them: a message that is written costs no statement for them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from flask import Flask, current_app, has_app_context
from sqlalchemy import text

from grocery.db import reader
from grocery.notify.outcome import one_line
from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.grammar import OwnText, compile_source

log = logging.getLogger(__name__)

# How long a process may use texts that another one has changed.
_FRESH_SECONDS = 15.0
# How often the same complaint is written to the log.
_COMPLAINT_SECONDS = 60.0

_READ = text("SELECT event, audience, channel, language, source FROM text_overrides")

_READING = "reading them"


class KeptTexts:
    """Holds the shop's own texts; reads them at the first use, then again when they are no longer fresh.

    Nothing that goes wrong here reaches the caller, whose order must not fail for a text. `read` and `clock` are what
    tests replace.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[TextKey, str]],
        *,
        fresh_seconds: float = _FRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._read = read
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._reading = threading.Lock()
        # Never held for long: whoever forgets must not wait for a statement.
        self._publishing = threading.Lock()
        self._forgotten = 0
        self._sources: Mapping[TextKey, str] = {}
        self._fresh_until: float | None = None
        self._compiled: dict[tuple[TextKey, str], OwnText] = {}
        self._complained_at: dict[object, float] = {}

    def forget(self) -> None:
        """Read them anew at the next use: this process has changed one."""
        with self._publishing:
            self._forgotten += 1
            self._fresh_until = None

    def find(self, key: TextKey) -> OwnText | None:
        """The shop's own text, None when there is none; raises SourceError for one that cannot be used."""
        source = self._current().get(key)
        if source is None:
            return None
        own = self._compiled.get((key, source))
        if own is None:
            own = self._compiled[key, source] = compile_source(source, key.language)
        return own

    def complain(self, about: object, error: Exception) -> None:
        """Write to the log that something of the own texts cannot be used; once a minute for each thing."""
        now = self._clock()
        if now - self._complained_at.get(about, -_COMPLAINT_SECONDS) >= _COMPLAINT_SECONDS:
            self._complained_at[about] = now
            what = f"{type(error).__name__}: {one_line(str(error), 200)}"
            log.warning("the shop's own texts, %s: %s; the text that is known without it is used", about, what)

    def _current(self) -> Mapping[TextKey, str]:
        fresh_until = self._fresh_until
        if fresh_until is not None and self._clock() < fresh_until:
            return self._sources
        # While one thread reads them again, the others go on with what was known; after a change they wait.
        if not self._reading.acquire(blocking=fresh_until is None):
            return self._sources
        try:
            return self._refresh()
        finally:
            self._reading.release()

    def _refresh(self) -> Mapping[TextKey, str]:
        if self._fresh_until is not None and self._clock() < self._fresh_until:
            return self._sources  # another thread has, while this one waited
        forgotten = self._forgotten
        try:
            sources = self._read()
        except Exception as error:  # the database is away, or whatever else: the order that asks must not fail for it
            self.complain(_READING, error)
            sources = self._sources
        with self._publishing:
            # What was to be forgotten while it was read may be the old one: it serves this message only.
            if forgotten == self._forgotten:
                if sources != self._sources:
                    self._sources, self._compiled = sources, {}
                self._fresh_until = self._clock() + self._fresh_seconds
        return sources


def init_app(app: Flask) -> None:
    app.extensions["own_texts"] = KeptTexts(read_texts)


def kept_texts() -> KeptTexts | None:
    """The current app's; None without an app, where the texts of the program are all that there is."""
    return current_app.extensions["own_texts"] if has_app_context() else None


def read_texts() -> dict[TextKey, str]:
    """On a connection of its own: the caller's may be in the middle of a transaction."""
    with reader() as connection:
        return {TextKey(*row[:4]): row.source for row in connection.execute(_READ)}
