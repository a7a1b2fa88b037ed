"""A connection that is asked one small thing at a time, with a deadline: a frozen server must not hold up its user."""

import select
import time
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE

_CONNECT_SECONDS = 3.0


class Asker:
    """Connects when it is first asked, and again after a failure.

    `connect` makes a psycopg2 connection in asynchronous mode. Used by one thread.
    """

    def __init__(self, connect: Callable[[], Any], answer_seconds: float):
        self._connect = connect
        self._answer_seconds = answer_seconds
        self._connection: Any = None

    def ask(self, statement: str) -> tuple[Any, ...]:
        """The one row of a statement. Raises TimeoutError, psycopg2.Error or BusyError."""
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._wait(_CONNECT_SECONDS)
            cursor = self._connection.cursor()
            cursor.execute(statement)
            self._wait(self._answer_seconds)
            row: tuple[Any, ...] = cursor.fetchone()
        except BaseException:
            self.close()
            raise
        return row

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (state := self._connection.poll()) != POLL_OK:
            poll = select.poll()
            poll.register(self._connection.fileno(), select.POLLOUT if state == POLL_WRITE else select.POLLIN)
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError("PostgreSQL does not answer")


#: What `ask` raises while a server is away.
AWAY = (psycopg2.Error, OSError)
