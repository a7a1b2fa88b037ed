"""The thread that knows whether the replica is fresh enough to be read."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from grocery.engines import DATABASE_ID
from grocery.errors import BusyError
from grocery.replica.asking import AWAY, Asker
from grocery.replica.lag import Lag

log = logging.getLogger(__name__)

#: Seconds that a replica may be behind.
MAX_LAG_SECONDS = 5.0

_CHECK_SECONDS = 1.0
_ANSWER_SECONDS = 1.0

# How long one check is good for: for a little more than the time to the next one. When this thread gets no time to run,
# or a server lets it wait, the replica is not read.
_VALID_SECONDS = 3.0

_PRIMARY = f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, {DATABASE_ID}"
_REPLICA = f"SELECT pg_is_in_recovery(), pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint, {DATABASE_ID}"


class _NotUsableError(Exception):
    """The replica answers and must not be read all the same."""


class Monitor:
    """Compares the replica with the primary once a second, from the first question on.

    `connect` and `connect_to_replica` make psycopg2 connections in asynchronous mode. `on_silence` is called when the
    replica gives no answer in time: whoever waits for it should not go on waiting.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        connect_to_replica: Callable[[], Any],
        on_silence: Callable[[], object] = lambda: None,
    ):
        self._primary = Asker(connect, _ANSWER_SECONDS)
        self._replica = Asker(connect_to_replica, _ANSWER_SECONDS)
        self._on_silence = on_silence
        self._lag = Lag()
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._stopping = threading.Event()
        self._fresh_until = 0.0
        self._is_told: bool | None = None
        #: Seconds that the replica was behind at the last check; None when that is not known.
        self.lag_seconds: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the replica may be read now. The first question starts the thread, and is answered with no."""
        if self._pid != os.getpid():  # a forked child inherits no thread
            self._start()
        return time.monotonic() < self._fresh_until

    def note_failure(self) -> None:
        """A read has failed: not before the next check was good again."""
        self._fresh_until = 0.0

    def stop(self) -> None:
        """End the thread at its next turn."""
        self._stopping.set()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._fresh_until = 0.0
                # A daemon: a process ends without waiting for it.
                threading.Thread(target=self._run, name="replica-monitor", daemon=True).start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            self.lag_seconds, problem = self._check(started)
            self._fresh_until = 0.0 if problem else started + _VALID_SECONDS
            self._tell(problem)
            self._stopping.wait(max(0.0, started + _CHECK_SECONDS - time.monotonic()))
        self._primary.close()
        self._replica.close()

    def _check(self, started: float) -> tuple[float | None, str | None]:
        """How many seconds the replica is behind, and why it must not be read: None when it may be."""
        try:
            position, database_id = self._primary.ask(_PRIMARY)
            self._lag.note_primary(started, position)
        except (*AWAY, BusyError) as error:
            return None, f"the primary is away: {str(error).strip()}"
        try:
            lag = self._lag.measure(time.monotonic(), self._ask_replica(database_id))
        except TimeoutError as error:
            self._on_silence()
            return None, str(error)
        except (*AWAY, _NotUsableError) as error:
            return None, str(error).strip()
        if lag is None or lag > MAX_LAG_SECONDS:
            return lag, "it is behind" if lag is None else f"it is {lag:.0f} s behind"
        return lag, None

    def _ask_replica(self, id_of_primary: str) -> int:
        """How far it has replayed; raises _NotUsableError when it is no replica of this database."""
        is_replica, replayed, database_id = self._replica.ask(_REPLICA)
        if database_id != id_of_primary:
            raise _NotUsableError("it has another database than the primary")
        if not is_replica:
            # One that was promoted has a life of its own, as far as this primary is concerned.
            raise _NotUsableError("it is no replica")
        if replayed is None:
            raise _NotUsableError("it has replayed nothing yet")
        return int(replayed)

    def _tell(self, problem: str | None) -> None:
        """Log a line when the replica falls out of use and when it comes back, not at each check."""
        is_used = problem is None
        if is_used and self._is_told is False:
            log.warning("the replica is read again")
        elif not is_used and self._is_told is not False:
            log.warning("the replica is not read, the primary answers for it: %s", problem)
        self._is_told = is_used
