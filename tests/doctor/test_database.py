"""The addresses of PostgreSQL, and how it is run: each fault is made, and found."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from flask import Flask

from grocery.config import Settings
from grocery.doctor import server
from grocery.doctor.findings import Level
from grocery.embedded import Stack
from tests.answers.proxy import Pooler
from tests.data.pgbouncer import PgBouncer, needs_pgbouncer
from tests.doctor.looking import bad, look, said
from tests.e2e.shop import free_port
from tests.waiting import wait_until, within

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def other_database(stack: Stack) -> Iterator[str]:
    """An address of an empty database, at the same server."""
    _administer(stack, "CREATE DATABASE doctor_test")
    yield stack.database_url.replace("/grocery?", "/doctor_test?")
    _administer(stack, "DROP DATABASE doctor_test WITH (FORCE)")


@pytest.fixture
def change(stack: Stack) -> Iterator[Callable[[str, str], None]]:
    """Changes a setting of the server, until the end of the test."""
    changed = []

    def set_and_wait(name: str, value: str) -> None:
        changed.append(name)
        _administer(stack, f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()")
        wait_until(lambda: _administer(stack, f"SHOW {name}") == [(value,)], f"{name} is {value}")

    yield set_and_wait
    for name in changed:
        _administer(stack, f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")


def _administer(stack: Stack, *statements: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(stack.database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _socket_of(stack: Stack) -> str:
    return psycopg2.extensions.parse_dsn(stack.database_url)["host"] + "/.s.PGSQL.5432"


def test_the_database_of_a_healthy_shop_is_all_right(app: Flask, settings: Settings) -> None:
    findings = look(app, "database", settings)
    assert [finding.level for finding in findings] == [Level.OK] * 3, findings


def test_a_server_that_is_away_fails_the_check_and_those_that_need_it(app: Flask, settings: Settings) -> None:
    away = f"postgresql://grocery:canary-password@127.0.0.1:{free_port()}/grocery"
    settings = replace(settings, database_url=away, database_direct_url=away)
    [finding] = look(app, "database", settings)
    assert (finding.level, finding.what.startswith("DATABASE_URL: PostgreSQL does not answer")) == ("failure", True)
    for name in ("server", "migrations", "relay", "work", "stock"):
        [finding] = look(app, name, settings)
        assert finding.what.startswith("Not looked at, since PostgreSQL is away"), (name, finding)


def test_a_server_that_hangs_holds_nothing_up(app: Flask, settings: Settings, stack: Stack) -> None:
    with Pooler(_socket_of(stack)) as proxy:
        proxy.flowing.clear()
        away = f"postgresql://grocery@127.0.0.1:{proxy.port}/grocery"
        with within(15):
            [finding] = look(app, "database", replace(settings, database_url=away, database_direct_url=away))
    assert "timeout expired" in finding.what


def test_a_pooler_at_the_direct_address_is_found(app: Flask, settings: Settings, stack: Stack) -> None:
    with Pooler(_socket_of(stack)) as proxy:
        direct = f"postgresql://grocery@127.0.0.1:{proxy.port}/grocery"
        findings = look(app, "database", replace(settings, database_direct_url=direct))
    assert [what for what in said(findings, Level.FAILURE) if "leads through a pooler" in what], findings


@needs_pgbouncer
def test_a_pooler_that_drops_the_sessions_limits_is_found(app: Flask, settings: Settings, stack: Stack) -> None:
    """Once as it is shipped, once without `connect_query`."""
    host = psycopg2.extensions.parse_dsn(stack.database_url)["host"]
    for has_query in (True, False):
        bouncer = PgBouncer(f"host={host} port=5432")
        try:
            if not has_query:
                _without_connect_query(bouncer)
            bouncer.start()
            findings = look(app, "database", replace(settings, database_url=bouncer.url))
        finally:
            bouncer.close()
        lost = [what for what in said(findings, Level.FAILURE) if "statement_timeout" in what]
        assert bool(lost) is not has_query, findings
        assert any("answers through a pooler" in what for what in said(findings, Level.OK))


def _without_connect_query(bouncer: PgBouncer) -> None:
    file = bouncer.directory / "pgbouncer.ini"
    lines = file.read_text().splitlines()
    assert any("connect_query" in line for line in lines)
    file.write_text("\n".join(line.partition(" connect_query")[0] for line in lines))


def test_two_addresses_of_different_databases_are_found(app: Flask, settings: Settings, other_database: str) -> None:
    findings = look(app, "database", replace(settings, database_direct_url=other_database))
    assert "DATABASE_URL and DATABASE_DIRECT_URL lead to different databases." in said(findings, Level.FAILURE)


def test_a_replica_that_is_none_is_found(app: Flask, settings: Settings, other_database: str) -> None:
    findings = look(app, "database", replace(settings, database_replica_url=other_database))
    [what] = said(findings, Level.FAILURE)
    assert what.startswith("DATABASE_REPLICA_URL leads to a server that is no replica")


def test_a_database_in_another_encoding_is_found(app: Flask, settings: Settings, stack: Stack) -> None:
    _administer(stack, "CREATE DATABASE doctor_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = stack.database_url.replace("/grocery?", "/doctor_ascii?")
    try:
        findings = look(app, "database", replace(settings, database_url=url, database_direct_url=url))
    finally:
        _administer(stack, "DROP DATABASE doctor_ascii WITH (FORCE)")
    assert any("The database is in SQL_ASCII" in what for what in said(findings, Level.FAILURE))


def test_a_server_whose_settings_lose_orders_is_found(
    app: Flask, settings: Settings, change: Callable[[str, str], None]
) -> None:
    # The tests' own role has it off, so that they run fast.
    assert [what.split(":")[0] for _, what in bad(look(app, "server", settings))] == ["synchronous_commit is off"]
    for name in ("fsync", "full_page_writes", "autovacuum", "track_counts"):
        change(name, "off")
    found = bad(look(app, "server", settings))
    assert [(level, what.split(":")[0]) for level, what in found] == [
        ("failure", "fsync is off"),
        ("failure", "full_page_writes is off"),
        ("warning", "autovacuum is off"),
        ("warning", "track_counts is off"),
        ("warning", "synchronous_commit is off"),
    ]


def test_a_server_with_hardly_a_connection_left_is_found(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_NEARLY_FULL_SHARE", 0.01)
    assert any("connections are in use" in what for _, what in bad(look(app, "server", settings)))


def test_what_stays_open_or_behind_is_found(
    app: Flask, settings: Settings, stack: Stack, other_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open transaction, an index that was never finished, and a slot whose replica is gone."""
    monkeypatch.setattr(server, "_LONG_SECONDS", 0)
    monkeypatch.setattr(server, "_KEPT_BYTES", -1)
    settings = replace(settings, database_url=other_database, database_direct_url=other_database)
    with closing(psycopg2.connect(other_database, application_name="forgotten")) as forgotten:
        forgotten.autocommit = True
        with forgotten.cursor() as cursor:
            cursor.execute("CREATE TABLE twice AS SELECT 1 AS a FROM generate_series(1, 2)")
            with pytest.raises(psycopg2.errors.UniqueViolation):
                cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_a ON twice (a)")
            cursor.execute("SELECT pg_create_physical_replication_slot('doctor_gone', true)")
            cursor.execute("BEGIN")
            try:
                found = " ".join(what for _, what in bad(look(app, "server", settings)))
            finally:
                cursor.execute("ROLLBACK")
                cursor.execute("SELECT pg_drop_replication_slot('doctor_gone')")
    assert "The index twice_a is invalid" in found
    assert "A transaction of forgotten" in found
    assert "The replication slot doctor_gone is unused" in found


def test_migrations(app: Flask, settings: Settings, run_sql: Sql, other_database: str) -> None:
    assert [finding.level for finding in look(app, "migrations", settings)] == [Level.OK]
    [(head,)] = run_sql("SELECT version_num FROM alembic_version")
    try:
        for version, level, word in (("0001", "failure", "awaits"), ("9999", "hint", "newer than this program")):
            run_sql(f"UPDATE alembic_version SET version_num = '{version}'")
            [finding] = look(app, "migrations", settings)
            assert (finding.level, word in finding.what) == (level, True), finding
    finally:
        run_sql(f"UPDATE alembic_version SET version_num = '{head}'")
    settings = replace(settings, database_url=other_database, database_direct_url=other_database)
    assert said(look(app, "migrations", settings), Level.FAILURE) == ["The database has no tables yet."]
    [finding] = look(app, "work", settings)
    assert finding.what == "Not looked at, since the tables are not those of this program."
