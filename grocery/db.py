"""The database session, constraint names, and the two ways to reach PostgreSQL: `transaction()` and `reader()`."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from blinker import Namespace
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, ExceptionContext, Executable, MetaData, create_engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from grocery import tracing

log = logging.getLogger(__name__)

# Alembic can only change a constraint whose name it knows.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# A connection that was idle for longer than this is tried before it is used, so that a restart of PostgreSQL in a quiet
# moment costs no request. Trying at each check-out would cost every request a round trip.
_TRY_AFTER_IDLE_SECONDS = 1.0


_signals = Namespace()

committing = _signals.signal(
    "committing",
    """Sent by `transaction()` when all is done and nothing committed yet.

    What a receiver writes is in the same transaction, and one that raises rolls it back. `named_subject()` says what it
    is about:

        @committing.connect
        def note_change(_sender: object) -> None: ...
    """,
)

#: A row as column name → value: SQLAlchemy's RowMapping, or a dict made to look like one.
Row = Mapping[Any, Any]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


# Nothing is reloaded after a commit: answers are built from what was just written.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def engine_options(connect: Callable[[], Any]) -> dict[str, Any]:
    """Pool settings for an engine whose connections are made by `connect` (a psycopg2 connection factory)."""
    return {
        "creator": connect,
        "pool_size": 5,
        "max_overflow": 5,
        # Below the 5 seconds in which a USSD menu must answer, if only with an apology.
        "pool_timeout": 4,
        "pool_recycle": 1800,
        # Errors are logged; what they were about, people's messages among them, is not.
        "hide_parameters": True,
    }


def init_app(app: Flask, connect: Callable[[], Any], connect_to_replica: Callable[[], Any]) -> None:
    """Bind the session and make two more engines, in autocommit mode, for reads of a single statement.

    A read in a transaction costs three round trips (BEGIN, the statement, ROLLBACK), in autocommit mode one.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg2://"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(connect)
    db.init_app(app)
    reads, replica_reads = (
        create_engine("postgresql+psycopg2://", isolation_level="AUTOCOMMIT", **engine_options(factory))
        for factory in (connect, connect_to_replica)
    )
    app.extensions["reads"], app.extensions["replica_reads"] = reads, replica_reads
    with app.app_context():
        _try_doubtful_connections(db.engine, reads)
    _try_doubtful_connections(replica_reads)


def _try_doubtful_connections(*engines: Engine) -> None:
    """Try a connection before its use when it was idle for long, or since another one of this process was lost."""
    lost_at = 0.0

    def note_time(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    def note_loss(context: ExceptionContext) -> None:
        nonlocal lost_at
        if context.is_disconnect:
            lost_at = time.monotonic()

    def try_when_doubtful(connection: Any, record: Any, _proxy: Any) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or idle_since > max(lost_at, time.monotonic() - _TRY_AFTER_IDLE_SECONDS):
            return
        dialect = engines[0].dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool makes a new connection and tries that

    for engine in engines:
        event.listen(engine, "checkin", note_time)
        event.listen(engine, "handle_error", note_loss)
        event.listen(engine, "checkout", try_when_doubtful)


@contextmanager
def reader() -> Iterator[Connection]:
    """A connection in autocommit mode, for reads that need no transaction."""
    with current_app.extensions["reads"].connect() as connection:
        yield connection


@contextmanager
def replica_reader() -> Iterator[Connection]:
    """As `reader()`, from `DATABASE_REPLICA_URL` if there is one: for exports and reports, which may be any time old.

    From the primary while the replica cannot be reached, or does not follow it. For what shoppers see there is
    `grocery.replica`.
    """
    with _connect_to_replica() as connection:
        yield connection


def _connect_to_replica() -> Connection:
    engine: Engine = current_app.extensions["replica_reads"]
    try:
        return engine.connect()
    except OperationalError as error:
        if not current_app.config["DATABASE_REPLICA_URL"]:
            raise
        log.warning("the replica cannot be read, the primary is: %s", str(error.orig).strip())
        primary: Engine = current_app.extensions["reads"]
        return primary.connect()


@contextmanager
def transaction() -> Iterator[Session]:
    """The unit of work: commits at the end, rolls everything back on an error, then runs what waits for the commit.

    Stands at the edge only (view, job, command), so that services compose into one transaction. A nested use is a
    programming error: RuntimeError.
    """
    session = db.session()
    if "after_commit" in session.info:
        raise RuntimeError("transaction() inside transaction(): commit belongs to the edge")
    callbacks: dict[object, Callable[[], None]] = {}
    session.info["after_commit"] = callbacks
    try:
        yield session
        committing.send()
        with tracing.child("COMMIT", {"db.system.name": "postgresql"}, kind="client"):
            session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["after_commit"]
        session.info.pop("subject", None)
    for callback in callbacks.values():
        try:
            callback()
        except Exception:  # the commit is done: a failing doorbell must not turn it into an error
            log.exception("after-commit callback failed")


def after_commit(key: object, callback: Callable[[], None]) -> None:
    """Run `callback` once after the current `transaction()` has committed; one per `key`; dropped on a roll-back."""
    callbacks = db.session().info.get("after_commit")
    if callbacks is None:
        raise RuntimeError("after_commit() outside transaction()")
    callbacks.setdefault(key, callback)


def name_subject(kind: str, subject_id: int) -> None:
    """Say what the current `transaction()` is about: `name_subject("promotion", 7)`. The first to say it is heard.

    For what has no id in the address of the request: what is made, or is named at the command line.
    """
    info = db.session().info
    if "after_commit" not in info:
        raise RuntimeError("name_subject() outside transaction()")
    info.setdefault("subject", (kind, subject_id))


def named_subject() -> tuple[str, int] | None:
    """What the current `transaction()` is about, as far as it was said."""
    subject: tuple[str, int] | None = db.session().info.get("subject")
    return subject


def delete_in_batches(delete: Executable, size: int, *, first: Executable | None = None, **parameters: Any) -> None:
    """Run a DELETE that takes `:limit` rows until there are none left, each time in a transaction of its own.

    `first` is what each transaction begins with. A plan that runs a subquery with LIMIT and SKIP LOCKED twice takes
    more rows than a batch has: that, too, means that there may be more.
    """
    count = size
    while count >= size:
        with transaction() as session:
            if first is not None:
                session.execute(first)
            result = session.execute(delete, {**parameters, "limit": size})
            count = result.rowcount  # type: ignore[attr-defined]  # of a DELETE


def release_after_fork(app: Flask) -> None:
    """Forget the connections that a parent process made: two processes on one socket corrupt each other."""
    with app.app_context():
        db.engine.dispose(close=False)
        app.extensions["reads"].dispose(close=False)
        app.extensions["replica_reads"].dispose(close=False)
