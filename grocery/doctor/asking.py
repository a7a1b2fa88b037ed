"""Questions to the engines, which change nothing and do not wait for long."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

_SECONDS = 5

#: For an answer of Redis: less patience than a worker has, more than a request.
ANSWER_SECONDS = 3.0


class Questions:
    """Statements in one transaction that may only read."""

    def __init__(self, cursor: Any):
        self._cursor = cursor

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        self._cursor.execute(statement, parameters or None)
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found

    def row(self, statement: str, **parameters: Any) -> tuple[Any, ...]:
        """The only row of the answer."""
        [found] = self.rows(statement, **parameters)
        return found

    def value(self, statement: str, **parameters: Any) -> Any:
        """The only value of the answer."""
        [found] = self.row(statement, **parameters)
        return found


@contextmanager
def asking(connect: Callable[[], Any], seconds: int = _SECONDS) -> Iterator[Questions]:
    """Ask over a connection of its own; each answer may take so many seconds. Raises psycopg2.Error."""
    with closing(connect()) as connection:
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            # LOCAL: behind a pooler the session is others', too.
            cursor.execute(f"SET LOCAL statement_timeout = '{seconds}s'")
            yield Questions(cursor)
