"""The thread that hears from PostgreSQL when the catalogue changes, and knows when it no longer would.

All waiting is with a deadline, on a connection in asynchronous mode: a server that is frozen, or a network that
swallows everything, must not leave the thread in a call that never returns.
"""

import logging
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE

from grocery.answers.store import AnswerStore
from grocery.errors import GroceryError

log = logging.getLogger(__name__)

CHANNEL = "grocery_catalogue"

# Its text says in pg_stat_activity whose connection it is.
_HEARTBEAT = f"SELECT pg_backend_pid() AS {CHANNEL}"

# What else is said with a notification: the words and synonyms are others, too.
_WORDS = "words"

#: How often the connection is tried.
HEARTBEAT_SECONDS = 1.0

# How long an answer may take.
_ANSWER_SECONDS = HEARTBEAT_SECONDS

# An answered heartbeat proves that all changes committed before it was sent have been told. Kept answers are given for
# this long after it was sent, so not for longer when this thread gets no time to run, or the whole process was halted.
_VALID_SECONDS = 2 * HEARTBEAT_SECONDS

_CONNECT_SECONDS = 3.0
_RETRY_SECONDS = 0.5


class PoolerError(GroceryError):
    """Between this process and PostgreSQL stands a pooler, through which notifications do not come."""

    def __init__(self) -> None:
        super().__init__("a pooler is in between; set DATABASE_DIRECT_URL to PostgreSQL itself")


class Listener:
    """Keeps `store` right: forgets at each notification, confirms at each heartbeat, loses with the connection.

    `forget_words` has the process forget what else it remembers and makes answers of, before answers of the new
    generation are begun.
    """

    def __init__(self, connect: Callable[[], Any], store: AnswerStore, forget_words: Callable[[], object]):
        self._connect = connect
        self._store = store
        self._forget_words = forget_words
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._is_silent = False

    def start(self) -> None:
        """Start the thread unless it runs."""
        with self._lock:
            if self._thread is None:
                # A daemon: a process ends without waiting for it.
                self._thread = threading.Thread(target=self._run, name="catalogue-listener", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it, a heartbeat long at the most."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except (psycopg2.Error, OSError, GroceryError) as error:
                self._store.lose()
                self._tell(str(error).strip())
            self._stopping.wait(_RETRY_SECONDS)

    def _listen(self) -> None:
        connection = self._connect()
        try:
            self._wait(connection, time.monotonic() + _CONNECT_SECONDS)
            self._ask(connection, f"LISTEN {CHANNEL}")
            sent_at = self._beat(connection)
            # Whoever began to read before this moment may have missed a change; who begins now will be told.
            self._forget_words()
            self._store.forget()
            self._store.confirm(sent_at + _VALID_SECONDS)
            self._tell(None)
            while not self._stopping.is_set():
                self._take_notifications(connection, sent_at + HEARTBEAT_SECONDS)
                sent_at = self._beat(connection)
                self._store.confirm(sent_at + _VALID_SECONDS)
        finally:
            self._store.lose()
            connection.close()

    def _beat(self, connection: Any) -> float:
        """Prove that changes are being told; answers when it was asked. Raises as `_ask`, and PoolerError."""
        sent_at = time.monotonic()
        # A pooler takes LISTEN and answers, and never tells of anything: its clients are given other numbers.
        if self._ask(connection, _HEARTBEAT).fetchone() != (connection.info.backend_pid,):
            raise PoolerError
        return sent_at

    def _ask(self, connection: Any, statement: str) -> Any:
        """The cursor of a statement that was carried out. Raises TimeoutError, psycopg2.Error."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        cursor = connection.cursor()  # psycopg2 wants it alive until the answer has come
        cursor.execute(statement)
        self._wait(connection, deadline)
        # What came in one packet with the end of the answer is in libpq by now: no socket would ever tell of it.
        self._poll(connection)
        return cursor

    def _take_notifications(self, connection: Any, until: float) -> None:
        """Wait for notifications until then; raises psycopg2.Error as soon as the connection is lost."""
        while (now := time.monotonic()) < until and not self._stopping.is_set():
            if _is_ready(connection, select.POLLIN, until - now):
                self._poll(connection)

    def _wait(self, connection: Any, deadline: float) -> None:
        while (state := self._poll(connection)) != POLL_OK:
            event = select.POLLOUT if state == POLL_WRITE else select.POLLIN
            if not _is_ready(connection, event, deadline - time.monotonic()):
                raise TimeoutError("PostgreSQL does not answer")

    def _poll(self, connection: Any) -> int:
        """Go on with what is under way; what was notified meanwhile counts before anything is confirmed."""
        state: int = connection.poll()
        if connection.notifies:
            if any(notification.payload == _WORDS for notification in connection.notifies):
                self._forget_words()
            connection.notifies.clear()
            self._store.forget()
        return state

    def _tell(self, problem: str | None) -> None:
        """Log a line when hearing ends and when it begins again, not at each try."""
        if problem is not None and not self._is_silent:
            log.warning("kept answers are off until PostgreSQL tells of changes again: %s", problem)
        elif problem is None and self._is_silent:
            log.warning("kept answers are on again")
        self._is_silent = problem is not None


def _is_ready(connection: Any, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), event)
    return bool(poll.poll(max(0.0, seconds) * 1000))
