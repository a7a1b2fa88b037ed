"""The addresses of PostgreSQL: whether each is what the shop takes it for."""

import select
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2

from grocery.doctor.asking import asking
from grocery.doctor.examining import Patient, first_line
from grocery.doctor.findings import Finding, failure, hint, ok, warning
from grocery.engines import DATABASE_ID

_OLDEST = 150_000
#: From here on USSD steps are given up in time (`transaction_timeout`).
_FULL = 170_000
_NOTIFY_SECONDS = 2.0
_LAG_SECONDS = 3.0
_PAGE = "docs/data.md"

# What a request asks of its session, and what it gets where a pooler drops it.
_SESSION = ("timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@dataclass(frozen=True)
class _Answer:
    """Who answers at an address. The time of its start tells one server from another.

    The database has the same id on its primary and all replicas, and on no other cluster.
    """

    version: int
    version_text: str
    encoding: str
    database_id: str
    started_at: Any
    is_replica: bool
    is_pooled: bool


_WHO = f"""
    SELECT current_setting('server_version_num')::int, current_setting('server_version'),
           current_setting('server_encoding'),
           {DATABASE_ID},
           pg_postmaster_start_time(), pg_is_in_recovery(), pg_backend_pid()
"""


def look(patient: Patient) -> Iterator[Finding]:
    engines, settings = patient.engines, patient.settings
    main = yield from _meet("DATABASE_URL", engines.connect)
    direct = main
    if settings.database_direct_url != settings.database_url:
        direct = yield from _meet("DATABASE_DIRECT_URL", engines.connect_directly)
    if main is not None:
        yield from _server(main)
        yield from _session(engines.connect)
    if direct is not None:
        yield from _direct(direct, main, engines.connect_directly)
    if settings.database_replica_url and settings.database_replica_url != settings.database_url:
        replica = yield from _meet("DATABASE_REPLICA_URL", engines.connect_to_replica)
        if replica is not None and direct is not None:
            yield from _replica(patient, replica, direct)


def _meet(name: str, connect: Callable[[], Any]) -> Generator[Finding, None, _Answer | None]:
    """Yields a failure, or answers who is there."""
    started = time.monotonic()
    try:
        with closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute(_WHO)
            number, name, encoding, database_id, started_at, is_replica, pid = cursor.fetchone()
            is_pooled = pid != connection.info.backend_pid
            answer = _Answer(number, name, encoding, database_id, started_at, is_replica, is_pooled)
    except psycopg2.Error as error:
        what = f"{name}: PostgreSQL does not answer: {first_line(error)}"
        yield failure(what, "Is the server up, and are host, port, name and password right? (docs/troubleshooting.md)")
        return None
    milliseconds = (time.monotonic() - started) * 1000
    way = " through a pooler" if answer.is_pooled else ""
    yield ok(f"{name}: PostgreSQL {answer.version_text} answers{way}; connecting took {milliseconds:.0f} ms.")
    return answer


def _server(main: _Answer) -> Iterator[Finding]:
    if main.version < _OLDEST:
        yield failure(f"PostgreSQL {main.version_text} is too old.", "Use 15 or newer.")
    elif main.version < _FULL:
        what = (
            f"PostgreSQL {main.version_text} cannot end a transaction by the clock: slow USSD steps are not given up."
        )
        yield hint(what, "Use 17 or newer if the shop has a USSD code.")
    if main.encoding != "UTF8":
        yield failure(f"The database is in {main.encoding}: most of what people write cannot be kept.", _NEW_ENCODING)
    if main.is_replica:
        yield failure("DATABASE_URL leads to a replica: nothing can be ordered.", "Set it to the primary.")


_NEW_ENCODING = "Make one with ENCODING 'UTF8' TEMPLATE template0, and restore a dump into it."


def _session(connect: Callable[[], Any]) -> Iterator[Finding]:
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in _SESSION))
        found = dict(zip(_SESSION, cursor.fetchone(), strict=True))
    lost = [name for name in _SESSION[1:] if found[name] == "0"]
    if found["timezone"].upper() not in ("UTC", "ETC/UTC", "GMT"):
        lost.insert(0, "timezone")
    if lost:
        what = f"DATABASE_URL: {', '.join(lost)} of the session are not in force: a lock or a hang lasts for ever."
        yield failure(what, f"Have the pooler set them: connect_query in deploy/pgbouncer/pgbouncer.ini ({_PAGE}).")
    else:
        limits = ", ".join(f"{name} {found[name]}" for name in _SESSION[1:])
        yield ok(f"The session's limits are in force: {limits}.")


def _direct(direct: _Answer, main: _Answer | None, connect: Callable[[], Any]) -> Iterator[Finding]:
    name = "DATABASE_DIRECT_URL"
    if direct.is_pooled:
        what = f"{name} leads through a pooler: the relay's lock and the news of changed prices do not work."
        yield failure(what, f"Set it to PostgreSQL itself ({_PAGE}).")
    elif main is not None and (main.started_at, main.database_id) != (direct.started_at, direct.database_id):
        what = "DATABASE_URL and DATABASE_DIRECT_URL lead to different databases."
        yield failure(what, "Set both to the same one, at the server that writes.")
    elif not _is_heard(connect):
        yield failure(f"{name}: NOTIFY does not arrive.", f"Set it to PostgreSQL itself, past all poolers ({_PAGE}).")
    else:
        yield ok("LISTEN hears NOTIFY: kept answers follow the catalogue.")


def _is_heard(connect: Callable[[], Any]) -> bool:
    """Whether what is notified arrives on the same connection."""
    channel = f"doctor_{uuid.uuid4().hex}"
    with closing(connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
            cursor.execute(f"NOTIFY {channel}")
        deadline = time.monotonic() + _NOTIFY_SECONDS
        while not connection.notifies and (left := deadline - time.monotonic()) > 0:
            select.select([connection], [], [], left)
            connection.poll()
        return bool(connection.notifies)


def _replica(patient: Patient, replica: _Answer, direct: _Answer) -> Iterator[Finding]:
    if not replica.is_replica:
        what = "DATABASE_REPLICA_URL leads to a server that is no replica: it may be a copy that nobody updates."
        yield failure(what, f"Set it to a streaming replica, or unset it ({_PAGE}).")
        return
    if replica.database_id != direct.database_id:
        yield failure("DATABASE_REPLICA_URL leads to a replica of another database.", "Set it to one of this one.")
        return
    seconds = _lag(patient)
    if seconds is None:
        what = f"The replica had not seen after {_LAG_SECONDS:g} s what the primary had written before."
        yield warning(what, f"See pg_stat_replication at the primary; reports show old figures meanwhile ({_PAGE}).")
    else:
        yield ok(f"The replica follows within {max(seconds, 0.01):.2f} s.")


def _lag(patient: Patient) -> float | None:
    """How long the replica takes to be where the primary is now; None for too long."""
    with asking(patient.engines.connect_directly) as questions:
        position = questions.value("SELECT pg_current_wal_lsn()::text")
    started = time.monotonic()
    with closing(patient.engines.connect_to_replica()) as connection, connection.cursor() as cursor:
        while (waited := time.monotonic() - started) < _LAG_SECONDS:
            cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (position,))
            if cursor.fetchone()[0]:
                return waited
            time.sleep(0.05)
    return None
