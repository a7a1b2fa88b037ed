"""How PostgreSQL is run: what would lose orders, fill its disk, or bring it to a halt some day."""

from collections.abc import Iterator
from contextlib import closing

from grocery.doctor.asking import Questions, asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, hint, ok, warning

_FULL_SHARE, _NEARLY_FULL_SHARE = 0.95, 0.8
_LONG_SECONDS = 300
_KEPT_BYTES = 1024**3
_OLD_TRANSACTIONS = 1_000_000_000
_PAGE = "docs/data.md"


def look(patient: Patient) -> Iterator[Finding]:
    with asking(patient.engines.connect_directly) as questions:
        yield from _connections(questions)
        yield from _durability(questions)
        yield from _upkeep(questions)
        yield from _hangers_on(questions)
        yield from _disk(questions)
    yield from _commits(patient)


def _connections(questions: Questions) -> Iterator[Finding]:
    used, most, size = questions.row("""
        SELECT count(*) FILTER (WHERE backend_type = 'client backend'),
               current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
               pg_size_pretty(pg_database_size(current_database()))
        FROM pg_stat_activity
    """)
    what = f"{used} of {most} connections are in use"
    remedy = f"Put a pooler in between, or raise max_connections ({_PAGE})."
    if used >= most * _FULL_SHARE:
        yield failure(f"{what}: new ones are about to be refused.", remedy)
    elif used >= most * _NEARLY_FULL_SHARE:
        yield warning(f"{what}.", remedy)
    else:
        yield ok(f"{what}; the database has {size}.")


def _durability(questions: Questions) -> Iterator[Finding]:
    for name in ("fsync", "full_page_writes"):
        if questions.value(f"SHOW {name}") == "off":
            what = f"{name} is off: when the power fails, the whole database can be lost."
            yield failure(what, f"Set {name} = on in postgresql.conf, and restart.")
    if questions.value("SHOW archive_mode") == "off":
        what = "archive_mode is off: after a loss, all since the last backup is gone."
        yield hint(what, f"Archive the WAL, or have your provider do so ({_PAGE}).")
    elif questions.value(
        "SELECT coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver"
    ):
        what = "The last try to archive WAL has failed: it piles up until the disk is full."
        yield failure(what, f"Try archive_command by hand; PostgreSQL's log says how it ends ({_PAGE}).")


def _commits(patient: Patient) -> Iterator[Finding]:
    """It can be set for a role or a database, so it is asked where requests are."""
    with closing(patient.engines.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone() == ("off",):
            what = "synchronous_commit is off: a crash of PostgreSQL loses orders that were acknowledged."
            yield warning(what, "Set it to on, for the role and the database, too (\\drds in psql shows these).")


def _upkeep(questions: Questions) -> Iterator[Finding]:
    for name in ("autovacuum", "track_counts"):
        if questions.value(f"SHOW {name}") == "off":
            what = f"{name} is off: tables grow and searches slow down without end."
            yield warning(what, f"Set {name} = on in postgresql.conf.")
    invalid = questions.rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
    for (name,) in invalid:
        what = f"The index {name} is invalid: it costs each change and helps no search."
        yield warning(what, f"REINDEX INDEX CONCURRENTLY {name}; if its name ends in _ccnew: DROP INDEX.")
    age = questions.value("SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()")
    if age > _OLD_TRANSACTIONS:
        what = f"The oldest row is {age:,} transactions old; at 2,000,000,000 PostgreSQL stops."
        yield warning(what, "Find what keeps autovacuum from its work (old transactions below), or run VACUUM.")


def _hangers_on(questions: Questions) -> Iterator[Finding]:
    long = questions.rows(
        """
        SELECT pid, coalesce(nullif(application_name, ''), 'unnamed'), state,
               extract(epoch FROM now() - xact_start)::int
        FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND xact_start < now() - make_interval(secs => %(seconds)s)
        ORDER BY xact_start
        """,
        seconds=_LONG_SECONDS,
    )
    for pid, name, state, seconds in long:
        what = f"A transaction of {name} (pid {pid}, {state}) has been open for {seconds // 60} min: tables bloat."
        yield warning(what, f"If it is no backup: SELECT pg_terminate_backend({pid});")
    for (name,) in questions.rows("SELECT gid FROM pg_prepared_xacts"):
        what = f"The prepared transaction {name} holds its locks for ever; the shop makes none."
        yield warning(what, "ROLLBACK PREPARED, after asking whose it is.")


def _disk(questions: Questions) -> Iterator[Finding]:
    kept = questions.rows(
        """
        SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS bytes FROM pg_replication_slots
        WHERE NOT active AND NOT pg_is_in_recovery()
          AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > %(bytes)s
        """,
        bytes=_KEPT_BYTES,
    )
    for name, size in kept:
        what = f"The replication slot {name} is unused and keeps {size / 1024**3:.1f} GiB of WAL: the disk fills up."
        yield warning(what, f"Start its replica, or SELECT pg_drop_replication_slot('{name}');")
