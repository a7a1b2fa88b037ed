"""Reading the history of the orders that are watched, from PostgreSQL."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psycopg2

from grocery.stream.events import Entry

# The latest entry always comes: it tells that the order exists, and what a new listener hears first. The entry from
# which on is read comes too, if there is one: who names it has been here before.
_READ = """
    SELECT history.order_id, history.id, history.status, history.changed, history.at
    FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (order_id, from_id)
    CROSS JOIN LATERAL (
        SELECT * FROM order_history WHERE order_id = wanted.order_id AND (
            id >= wanted.from_id OR id = (SELECT max(id) FROM order_history WHERE order_id = wanted.order_id)
        )
    ) AS history
    ORDER BY history.id
"""


class History:
    """One connection, made when it is needed; `connect` makes it. Used by one thread at a time."""

    def __init__(self, connect: Callable[[], Any]):
        self._connect = connect
        self._connection: Any = None

    def read(self, wanted: Mapping[int, int]) -> dict[int, list[Entry]]:
        """The entries of orders, each from the id given on, and its latest; an order that is gone has none.

        Raises psycopg2.Error when PostgreSQL is away; the next call tries again.
        """
        try:
            rows = self._fetch(wanted)
        except psycopg2.Error:
            self.close()
            raise
        entries: dict[int, list[Entry]] = {order_id: [] for order_id in wanted}
        for row in rows:
            entry = Entry(*row)
            entries[entry.order_id].append(entry)
        return entries

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    def _fetch(self, wanted: Mapping[int, int]) -> list[tuple[Any, ...]]:
        is_new = self._connection is None
        try:
            return self._query(wanted)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if is_new:
                raise
        # It was lost since it was last used, when PostgreSQL was restarted, say: that alone is no failure.
        self.close()
        return self._query(wanted)

    def _query(self, wanted: Mapping[int, int]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(_READ, (list(wanted.keys()), list(wanted.values())))
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
