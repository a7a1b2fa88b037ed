"""Where PostgreSQL and Redis are: the URLs of the settings or, without them, the embedded stack of DATA_DIR."""

from contextlib import closing
from functools import cached_property
from typing import Any

import psycopg2

from grocery.config import Settings
from grocery.embedded import EmbeddedStackError, Stack, ensure_stack
from grocery.errors import BusyError

# A host that vanishes closes no connection. Each side notices after 15 s (two probes without an answer, or data that is
# not acknowledged): here nobody waits longer, and the server frees the locks, of a relay that led above all, and the
# session of a host of ours. Left to themselves, the two would need 16 minutes and two hours.
_IDLE_SECONDS = _INTERVAL_SECONDS = 5
_PROBES = 2
_UNACKNOWLEDGED_MS = 15_000
_DIRECT_OPTIONS = (
    f"-c timezone=UTC -c tcp_keepalives_idle={_IDLE_SECONDS} -c tcp_keepalives_interval={_INTERVAL_SECONDS}"
    f" -c tcp_keepalives_count={_PROBES} -c tcp_user_timeout={_UNACKNOWLEDGED_MS}"
)
# A request must not wait for ever on a lock or a slow server, nor leave a transaction open when its process hangs.
_REQUEST_OPTIONS = (
    f"{_DIRECT_OPTIONS} -c statement_timeout=15000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
)
# A catalogue read that a replica is slow with is repeated on the primary.
_CATALOGUE_OPTIONS = f"{_DIRECT_OPTIONS} -c statement_timeout=3000 -c idle_in_transaction_session_timeout=60000"

#: SQL for what a replica has in common with its primary and with nobody else: the cluster, and the database in it.
DATABASE_ID = """
    (SELECT concat_ws('/', system_identifier, oid) FROM pg_control_system(), pg_database
     WHERE datname = current_database())
"""
_WHOSE_COPY = f"SELECT {DATABASE_ID}, pg_is_in_recovery()"


class Engines:
    """Resolves lazily, so that `flask --help` starts no server."""

    def __init__(self, settings: Settings):
        self._settings = settings

    @cached_property
    def _stack(self) -> Stack:
        try:
            return ensure_stack(self._settings.data_dir)
        except EmbeddedStackError as error:
            raise BusyError(str(error), code="database_unavailable") from error

    @property
    def is_embedded(self) -> bool:
        return self._settings.database_url is None

    @property
    def database_url(self) -> str:
        return self._settings.database_url or self._stack.database_url

    @property
    def direct_url(self) -> str:
        """For what needs a session of its own (locks, LISTEN, migrations), past a pooler."""
        return self._settings.database_direct_url or self._stack.database_url

    @property
    def replica_url(self) -> str:
        """For reads that may be seconds old."""
        return self._settings.database_replica_url or self.database_url

    @property
    def has_replica(self) -> bool:
        return self._settings.database_replica_url is not None

    @property
    def redis_url(self) -> str:
        return self._settings.redis_url or self._stack.redis_url

    def connect(self) -> Any:
        """A psycopg2 connection for requests and jobs."""
        return _connect(self.database_url, _REQUEST_OPTIONS)

    def connect_directly(self) -> Any:
        """A psycopg2 connection without statement limits, for the relay and migrations."""
        return _connect(self.direct_url, _DIRECT_OPTIONS)

    def connect_to_listen(self) -> Any:
        """A psycopg2 connection in asynchronous mode, which its user has to poll from the first moment on."""
        return _connect(self.direct_url, _DIRECT_OPTIONS, async_=True)

    def connect_to_replica(self) -> Any:
        """A psycopg2 connection to whatever DATABASE_REPLICA_URL leads to."""
        return _connect(self.replica_url, _REQUEST_OPTIONS)

    def connect_for_reports(self) -> Any:
        """A psycopg2 connection for reads that may be any time old.

        Raises psycopg2.OperationalError for a server that does not follow the primary: nobody would see that the
        figures are those of another shop.
        """
        connection = self.connect_to_replica()
        if self.has_replica and _ask_whose_copy(connection) != (self._database_id, True):
            connection.close()
            raise psycopg2.OperationalError("DATABASE_REPLICA_URL leads to no replica of the primary")
        return connection

    @cached_property
    def _database_id(self) -> str:
        with closing(self.connect()) as connection:
            return _ask_whose_copy(connection)[0]

    def connect_for_catalogue(self) -> Any:
        """A psycopg2 connection to the replica for short reads."""
        return _connect(self.replica_url, _CATALOGUE_OPTIONS)

    def connect_to_watch(self) -> Any:
        """A psycopg2 connection in asynchronous mode, to ask the primary where it is."""
        return _connect(self.database_url, _DIRECT_OPTIONS, async_=True)

    def connect_to_watch_replica(self) -> Any:
        """A psycopg2 connection in asynchronous mode, to ask the replica how far it is."""
        return _connect(self.replica_url, _DIRECT_OPTIONS, async_=True)


def _ask_whose_copy(connection: Any) -> tuple[str, bool]:
    """The id of its database, and whether it is a replica."""
    with connection.cursor() as cursor:
        cursor.execute(_WHOSE_COPY)
        found: tuple[str, bool] = cursor.fetchone()
    connection.rollback()
    return found


def _connect(url: str, options: str, *, async_: bool = False) -> Any:
    dsn = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    return psycopg2.connect(
        dsn,
        connect_timeout=3,
        application_name="grocery",
        options=options,
        keepalives_idle=_IDLE_SECONDS,
        keepalives_interval=_INTERVAL_SECONDS,
        keepalives_count=_PROBES,
        tcp_user_timeout=_UNACKNOWLEDGED_MS,
        async_=async_,
    )
