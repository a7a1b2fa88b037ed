"""Where PostgreSQL and Redis are: the URLs of the settings or, without them, the embedded stack of DATA_DIR."""

from functools import cached_property
from typing import Any

import psycopg2

from grocery.config import Settings
from grocery.embedded import EmbeddedStackError, Stack, ensure_stack
from grocery.errors import BusyError

# A request must not wait for ever on a lock or a lost server, nor leave a transaction open when its process hangs.
_REQUEST_OPTIONS = (
    "-c timezone=UTC -c statement_timeout=15000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
)
_DIRECT_OPTIONS = "-c timezone=UTC"
# A catalogue read that a replica is slow with is repeated on the primary.
_CATALOGUE_OPTIONS = "-c timezone=UTC -c statement_timeout=3000 -c idle_in_transaction_session_timeout=60000"


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
        """A psycopg2 connection for reads that may be seconds old."""
        return _connect(self.replica_url, _REQUEST_OPTIONS)

    def connect_for_catalogue(self) -> Any:
        """A psycopg2 connection to the replica for short reads."""
        return _connect(self.replica_url, _CATALOGUE_OPTIONS)

    def connect_to_watch(self) -> Any:
        """A psycopg2 connection in asynchronous mode, to ask the primary where it is."""
        return _connect(self.database_url, _DIRECT_OPTIONS, async_=True)

    def connect_to_watch_replica(self) -> Any:
        """A psycopg2 connection in asynchronous mode, to ask the replica how far it is."""
        return _connect(self.replica_url, _DIRECT_OPTIONS, async_=True)


def _connect(url: str, options: str, *, async_: bool = False) -> Any:
    dsn = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    return psycopg2.connect(
        dsn,
        connect_timeout=3,
        application_name="grocery",
        options=options,
        keepalives_idle=30,
        keepalives_interval=5,
        keepalives_count=3,
        async_=async_,
    )
