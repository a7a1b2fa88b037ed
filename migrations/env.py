"""Alembic's environment: runs migrations over the direct connection, one process at a time."""

import time

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from grocery.db import Base

# Several containers of one roll-out migrate at once: the first does it, the others wait and find it done. They ask
# again and again: CREATE INDEX CONCURRENTLY waits for all statements that run, one that waits for the lock among them.
_LOCK_KEY = 4_711_002
_ASK_AGAIN_SECONDS = 0.5


def include_object(_object, name, kind, _reflected, _compare_to) -> bool:
    return not (kind == "table" and name == "alembic_version")


def run_migrations() -> None:
    engines = current_app.extensions["engines"]
    engine = create_engine("postgresql+psycopg2://", creator=engines.connect_directly, poolclass=NullPool)
    with engine.connect() as connection:
        # `flask migrate` gives up at some time, `flask db upgrade` waits.
        note_waiting = context.config.attributes.get("note_waiting", lambda: None)
        while not connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK_KEY})")).scalar():
            connection.commit()
            note_waiting()
            time.sleep(_ASK_AGAIN_SECONDS)
        # A migration that waits for a lock blocks everyone behind it: rather fail and be tried again.
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    context.configure(
        url="postgresql+psycopg2://",
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations()
