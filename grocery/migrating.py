"""`flask migrate`: bring the database to the version of this program, however busy or late the database is.

For the start of containers, where nobody is there to try again. `flask db upgrade` does the same once.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
from alembic import command
from alembic.util import CommandError
from flask import Flask, current_app
from flask.cli import with_appcontext
from psycopg2.errors import LockNotAvailable
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from grocery.errors import BusyError, is_database_away

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0


class Patience:
    """The time that is left for waiting. Each reason to wait is told once."""

    def __init__(self, seconds: float):
        self._deadline = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE_SECONDS
        self._told = ""

    def note(self, reason: str) -> None:
        """Say what is waited for; raises click.ClickException with it when the time is up."""
        if time.monotonic() >= self._deadline:
            raise click.ClickException(f"Given up. {reason}")
        if reason != self._told:
            click.echo(f"{reason} Waiting …")
            self._told = reason

    def wait(self, reason: str) -> None:
        """`note`, and a pause that is longer each time."""
        self.note(reason)
        time.sleep(min(self._pause, max(0.0, self._deadline - time.monotonic())))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)


@click.command("migrate")
@click.option("--timeout", type=click.IntRange(0), default=300, show_default=True, help="Seconds until it gives up.")
@with_appcontext
def migrate_command(timeout: int) -> None:
    """Bring the database to the version of this program; for the start of containers.

    Waits for PostgreSQL, for others who migrate, and for locks on tables. A database that a newer program has migrated
    is left as it is, since migrations fit the version before.
    """
    patience = Patience(timeout)
    with _ended_by_sigterm():
        while not _is_done_now(patience):
            pass


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end the block with an exception, which takes back the migration that is under way.

    The kernel keeps the signal from the first process of a container, which this one is in Kubernetes, unless there is
    a handler; a pod that waits for PostgreSQL would be killed only after all of its grace period.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        click.echo("Told to end.")
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_done_now(patience: Patience) -> bool:
    """`is_done`, and a pause when it has to be tried again; raises click.ClickException when trying would not help."""
    try:
        return is_done(patience)
    except DBAPIError as error:
        patience.wait(_explain(error))
    except BusyError as error:
        raise click.ClickException(error.detail) from error
    return False


def is_done(patience: Patience) -> bool:
    """Migrate if there is anything to migrate, and say what the database is then."""
    is_head: dict[str, bool] = current_app.extensions["migrations"]
    applied = _find_version()
    if applied is not None and applied not in is_head:
        click.echo(f"The database is newer ({applied}) than this program, and is left as it is.")
        return True
    if applied is not None and is_head[applied]:
        click.echo(f"The database is up to date ({applied}).")
        return True
    config = current_app.extensions["migrate"].migrate.get_config()
    config.attributes["note_waiting"] = lambda: patience.note("Another process is migrating the database.")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        # While this one waited for its turn, a newer program may have had its own.
        applied = _find_version()
        if applied is None or applied in is_head:
            raise click.ClickException(str(error)) from error
    return False


def _find_version() -> str | None:
    """The migration that the database has; None while it has none."""
    connect = current_app.extensions["engines"].connect_directly
    engine = create_engine("postgresql+psycopg2://", creator=connect, poolclass=NullPool)
    with engine.connect() as connection:
        # Whoever has locked the table is waited for no longer than there is patience.
        connection.execute(text("SET lock_timeout = '2s'"))
        if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
            return None
        version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return version


def _explain(error: DBAPIError) -> str:
    """What to wait for; raises click.ClickException when waiting would not help."""
    said = str(error.orig).strip().partition("\n")[0]
    if isinstance(error.orig, LockNotAvailable):
        statement = " ".join((error.statement or "").split())
        return f"A table is in use that the migration needs ({statement[:100]})."
    if not is_database_away(error):
        raise click.ClickException(f"The migration has failed: {said}") from error
    return f"The database is away ({said})."


def init_app(app: Flask) -> None:
    app.cli.add_command(migrate_command)
