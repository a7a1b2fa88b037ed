"""How figures are read from PostgreSQL, so that a scrape costs a big shop next to nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Engine, create_engine, func, select, text
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import NullPool

from grocery.errors import BusyError

#: A figure that takes longer is left out.
STATEMENT_SECONDS = 2.0

# No parallel workers: those are for who is waited for.
_LIMIT = text("""
    SELECT set_config('statement_timeout', :milliseconds, true), set_config('transaction_read_only', 'on', true),
           set_config('max_parallel_workers_per_gather', '0', true)
""")


@contextmanager
def figures_reader() -> Iterator[Connection]:
    """A connection of its own, in one transaction that only reads, whose statements end after `STATEMENT_SECONDS`.

    Past the pool, since how things stand is asked most when all its connections are in use; and with limits for this
    transaction only, since through a pooler a session is others' next. Raises BusyError, without a try, when PostgreSQL
    was away at the beginning of the scrape.
    """
    metrics = current_app.extensions["metrics"]
    if not metrics.is_database_up:
        raise BusyError("the database is away", code="database_unavailable")
    with metrics.engine.connect() as connection, connection.begin():
        connection.execute(_LIMIT, {"milliseconds": str(int(STATEMENT_SECONDS * 1000))})
        yield connection


def figures_engine(connect: Callable[[], Any]) -> Engine:
    """An engine that keeps no connection; `connect` makes one."""
    return create_engine("postgresql+psycopg2://", creator=connect, poolclass=NullPool, hide_parameters=True)


def first_id_since(
    connection: Connection, row_id: InstrumentedAttribute[int], at: InstrumentedAttribute[datetime], seconds: int
) -> int:
    """The lowest id of the rows of the last so many seconds; one that no row has yet when there are none.

    Found by halving, in some 20 looks at the primary key: rows get their ids in the order of their making, and an index
    on the time is then not needed. `at` is when a row was made.
    """
    lowest, highest = connection.execute(select(func.min(row_id), func.max(row_id))).one()
    if lowest is None:
        return 0
    low, high = lowest, highest + 1
    is_recent = at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    while low < high:
        middle = (low + high) // 2
        look = select(row_id, is_recent).where(row_id >= middle).order_by(row_id).limit(1)
        found = connection.execute(look).one_or_none()
        if found is None or found[1]:  # none: it was deleted a moment ago
            high = middle
        else:
            low = found[0] + 1
    return int(low)
