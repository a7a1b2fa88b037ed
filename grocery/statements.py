"""Statements of SQLAlchemy Core whose text is made once: in the hottest reads, that takes longer than to run it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

_DIALECT = PGDialect_psycopg2()


class PreparedText:
    """The text of a statement; its values are given by name to `bindparam`s when it is run.

    What SQLAlchemy does to values on the way in and out is left out: give and take what psycopg2 knows. A list stands
    for an array.
    """

    def __init__(self, statement: ClauseElement | Executable):
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[union-attr]  # Executable has it, too
        self._text = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute it; raises what `Connection.execute` raises."""
        return connection.exec_driver_sql(self._text, {**self._constants, **parameters})
