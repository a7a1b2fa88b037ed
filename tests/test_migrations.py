"""Migrations of several processes at once: containers of one roll-out all try."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from alembic.script import ScriptDirectory
from psycopg2.extensions import make_dsn, parse_dsn

ROOT = Path(__file__).parent.parent
HEAD = ScriptDirectory(str(ROOT / "migrations")).get_current_head()


@pytest.mark.e2e
def test_three_processes_migrate_an_empty_database_together(environ: dict[str, str]) -> None:
    url = environ["DATABASE_URL"]
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS migrated_together")
        cursor.execute("CREATE DATABASE migrated_together")
    connection.close()
    parts = {**parse_dsn(url), "dbname": "migrated_together"}
    own = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environ, "DATABASE_URL": own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert all(f"The database is up to date ({HEAD})." in output for output in outputs), outputs
    with psycopg2.connect(make_dsn(**parts)) as migrated, migrated.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM alembic_version")
        assert cursor.fetchone() == (1,)
    migrated.close()
