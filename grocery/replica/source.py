"""The connections to the replica on which catalogue reads wait."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, create_engine

from grocery.db import engine_options


class Source:
    """A pool of its own, in autocommit mode; `connect` makes its psycopg2 connections."""

    def __init__(self, connect: Callable[[], Any]):
        options = engine_options(connect)
        self._engine = create_engine("postgresql+psycopg2://", isolation_level="AUTOCOMMIT", **options)
        self._lock = threading.Lock()
        self._in_use: set[socket.socket] = set()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that `cut` can reach. Raises sqlalchemy.exc.DBAPIError, or TimeoutError when none is free."""
        with self._engine.connect() as connection, self._reachable(connection.connection.driver_connection):
            yield connection

    def cut(self) -> None:
        """Have every read that waits for an answer fail now: a frozen server keeps its connections open for ever.

        Nor are those used again that are idle: who comes back at this address may know nothing of them.
        """
        with self._lock:
            for each in self._in_use:
                with suppress(OSError):  # it is closed already
                    each.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """Drop the connections; the next use makes new ones."""
        self._engine.dispose()

    @contextmanager
    def _reachable(self, connection: Any) -> Iterator[None]:
        # A second number for the same socket: libpq may close its own at any time, and another file get that number.
        own = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._in_use.add(own)
        try:
            yield
        finally:
            with self._lock:
                self._in_use.discard(own)
            own.close()
