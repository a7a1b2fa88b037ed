"""`flask migrate`, on databases of its own."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import psycopg2
import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from click.testing import Result
from flask import Flask
from psycopg2.extensions import make_dsn, parse_dsn
from sqlalchemy.exc import OperationalError, ProgrammingError

from grocery.app import create_app
from grocery.config import Settings
from grocery.health import MIGRATIONS
from grocery.migrating import Patience, _explain
from tests.e2e.shop import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_until

NAME = "migrating_tests"
HEAD = ScriptDirectory(str(MIGRATIONS)).get_current_head()

# As in migrations/env.py.
TURN = 4_711_002

NEWER = ("CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('9999')")


def run_on(dsn: str, *statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    """The DSN of the server, on which the database is not there yet, and will not be after the test."""
    dsn = str(settings.database_url).replace("postgresql+psycopg2", "postgresql")
    yield dsn
    run_on(dsn, f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


@pytest.fixture
def dsn(server: str) -> str:
    return make_dsn(server, dbname=NAME)


@pytest.fixture
def fresh_app(settings: Settings, server: str) -> Flask:
    parts = parse_dsn(server)
    url = f"postgresql+psycopg2://{parts['user']}@/{NAME}?host={parts['host']}"
    return create_app(replace(settings, database_url=url, database_direct_url=url))


def migrate(app: Flask, seconds: int) -> Result:
    return app.test_cli_runner().invoke(args=["migrate", "--timeout", str(seconds)])


def is_waited_for(dsn: str) -> bool:
    """Whether somebody waits for a lock of the database."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@contextmanager
def held(dsn: str, statement: str) -> Iterator[Any]:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.cursor().execute(statement)
        yield connection


def test_a_database_that_is_not_there_yet_is_waited_for(fresh_app: Flask, server: str) -> None:
    maker = threading.Timer(1.0, run_on, (server, f"CREATE DATABASE {NAME}"))
    maker.start()
    result = migrate(fresh_app, 60)
    maker.join()
    assert result.exit_code == 0, result.output
    assert f'database "{NAME}" does not exist). Waiting …' in result.output
    assert result.output.count("Waiting") == 1
    assert result.output.splitlines()[-1] == f"The database is up to date ({HEAD})."
    assert migrate(fresh_app, 0).output == f"The database is up to date ({HEAD}).\n"


def test_one_that_never_comes_is_given_up_with_a_line(fresh_app: Flask) -> None:
    result = migrate(fresh_app, 0)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.startswith("Error: Given up. The database is away (")


def test_sigterm_ends_it_although_it_is_the_first_process_of_its_container(fresh_app: Flask, tmp_path: Path) -> None:
    """There the kernel ignores signals without a handler, as it does here in a namespace of processes."""
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of processes can be made here (unshare)")
    url = fresh_app.extensions["settings"].database_url.replace("+psycopg2", "")
    environ = {**os.environ, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url, "DATA_DIR": str(tmp_path / "data")}
    command = [*unshare, sys.executable, "-u", "-m", "flask", "--app", "wsgi", "migrate", "--timeout", "300"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline().startswith("The database is away (")
        [first] = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGTERM)
        try:
            said, _ = outer.communicate(timeout=PATIENCE_SECONDS)
        finally:
            outer.kill()
    assert (said, outer.returncode) == ("Told to end.\n", 128 + signal.SIGTERM)


def test_what_is_told_to_end_takes_back_what_it_has_begun(
    fresh_app: Flask, server: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on(server, f"CREATE DATABASE {NAME}")
    before = signal.getsignal(signal.SIGTERM)

    def tell(patience: Patience, reason: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_SECONDS)

    monkeypatch.setattr(Patience, "note", tell)
    with held(dsn, f"SELECT pg_advisory_lock({TURN})"):
        result = migrate(fresh_app, 60)
    assert result.exit_code == 128 + signal.SIGTERM
    assert result.output.splitlines()[-1] == "Told to end."
    assert signal.getsignal(signal.SIGTERM) is before
    with held(dsn, "SELECT") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == []


def test_a_newer_database_is_left_as_it_is(fresh_app: Flask, server: str, dsn: str) -> None:
    run_on(server, f"CREATE DATABASE {NAME}")
    run_on(dsn, *NEWER)
    result = migrate(fresh_app, 0)
    assert result.exit_code == 0
    assert result.output == "The database is newer (9999) than this program, and is left as it is.\n"
    with held(dsn, "SELECT") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [("alembic_version",)]


def test_while_another_process_migrates_it_waits_and_finds_what_that_one_has_done(
    fresh_app: Flask, server: str, dsn: str
) -> None:
    run_on(server, f"CREATE DATABASE {NAME}")
    with held(dsn, f"SELECT pg_advisory_lock({TURN})"):
        result = migrate(fresh_app, 0)
    assert (result.exit_code, result.output) == (
        1,
        "Error: Given up. Another process is migrating the database.\n",
    )
    with held(dsn, f"SELECT pg_advisory_lock({TURN})") as other:

        def migrate_and_release() -> None:
            run_on(dsn, *NEWER)
            other.close()

        newer = threading.Timer(1.0, migrate_and_release)
        newer.start()
        result = migrate(fresh_app, 60)
        newer.join()
    assert result.exit_code == 0, result.output
    assert "Another process is migrating the database. Waiting …" in result.output
    assert "The database is newer (9999)" in result.output


def test_a_version_that_cannot_be_read_is_waited_for_no_longer_than_it_was_told(
    fresh_app: Flask, server: str, dsn: str
) -> None:
    run_on(server, f"CREATE DATABASE {NAME}")
    run_on(dsn, *NEWER)
    with held(dsn, "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"):
        result = migrate(fresh_app, 0)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.startswith("Error: Given up. A table is in use that the migration needs (SELECT version_num")


def test_migrations_that_do_not_fit_together_fail_at_once(
    fresh_app: Flask, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on(server, f"CREATE DATABASE {NAME}")
    tries = []

    def upgrade(*_: object) -> None:
        tries.append(1)
        assert len(tries) == 1
        raise CommandError("Multiple head revisions are present")

    monkeypatch.setattr("alembic.command.upgrade", upgrade)
    result = migrate(fresh_app, 60)
    assert (result.exit_code, result.output) == (1, "Error: Multiple head revisions are present\n")


@pytest.mark.prove
def test_a_table_in_use_is_tried_again_until_it_is_free(fresh_app: Flask, server: str, dsn: str) -> None:
    """The lock_timeout of migrations is 5 s, so this takes longer."""
    run_on(server, f"CREATE DATABASE {NAME}")
    run_on(dsn, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    with held(dsn, "LOCK TABLE alembic_version IN SHARE MODE") as holder:

        def release_after_a_timeout() -> None:
            wait_until(lambda: is_waited_for(dsn), "the migration waits")
            time.sleep(6)
            holder.rollback()

        releasing = threading.Thread(target=release_after_a_timeout)
        releasing.start()
        result = migrate(fresh_app, 60)
        releasing.join()
    assert result.exit_code == 0, result.output
    assert "A table is in use that the migration needs (INSERT INTO alembic_version" in result.output


def test_what_waiting_would_not_mend_fails_at_once(settings: Settings) -> None:
    with pytest.raises(psycopg2.ProgrammingError) as caught:
        run_on(str(settings.database_url).replace("+psycopg2", ""), "ALTER TABLE nothing ADD COLUMN x int")
    error = ProgrammingError("ALTER TABLE nothing", None, caught.value)
    with pytest.raises(click.ClickException, match='The migration has failed: relation "nothing" does not exist'):
        _explain(error)
    assert _explain(OperationalError("SELECT", None, psycopg2.OperationalError("gone"))) == (
        "The database is away (gone)."
    )
