"""How reports read: what each is asked for, and a connection that may take its time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from grocery import money
from grocery.db import Row, replica_reader
from grocery.orders.reports.periods import Period, Spans

DEFAULT_LIMIT = 50

# A report sorts and sums up a million orders: it may take longer than a request usually does, and some memory, so that
# it need not sort on the disk. Gathering rows from workers is cheaper than PostgreSQL believes; compiling the
# statements costs more than it saves.
_TERMS = """
    SET TRANSACTION READ ONLY;
    SET LOCAL statement_timeout = '60s';
    SET LOCAL work_mem = '64MB';
    SET LOCAL parallel_tuple_cost = 0.01;
    SET LOCAL jit = off
"""


@dataclass(frozen=True)
class Wanted:
    """What somebody asks of a report: rows by what, of which days, at most how many where there is a limit."""

    by: str
    period: Period
    currency: str
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, eq=False)
class Report:
    """A report: its columns by what its rows can be by (the first is the default), and how they are read.

    The cells of `texts` were written by people.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    read: Callable[[Connection, Wanted], Iterator[dict[str, Any]]]
    texts: frozenset[str] = frozenset({"sku", "name", "category", "zone", "picker"})

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(self.columns)


@contextmanager
def report_connection() -> Iterator[Connection]:
    """A connection in a transaction of its own that sees one moment and changes nothing; perhaps of the replica."""
    with replica_reader() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            connection.exec_driver_sql(_TERMS)
            yield connection


def period_parameters(wanted: Wanted) -> dict[str, Any]:
    return {"starts_at": wanted.period.starts_at, "ends_at": wanted.period.ends_at}


def span_parameters(spans: Spans) -> dict[str, Any]:
    return {"numbers": spans.numbers, "starts": spans.starts, "ends": spans.ends}


def span_keys(wanted: Wanted, key: str | int) -> dict[str, Any]:
    """The fields that say what a row of a period is about."""
    if wanted.by == "total":
        return {"from": wanted.period.first.isoformat(), "until": wanted.period.last.isoformat()}
    return {wanted.by: key}


def fill_spans(
    spans: Spans, wanted: Wanted, rows: Mapping[int, Row], values: Callable[[Row | None], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """A row for each key of the period; `values` gets None where the database had nothing."""
    for number, key in enumerate(spans.keys):
        yield {**span_keys(wanted, key), **values(rows.get(number))}


def cents(row: Row | None, name: str) -> int:
    return int(row[name] or 0) if row else 0


def amount(row: Row | None, name: str) -> str:
    """An amount of the row, which has it in cents, as text."""
    return money.to_text(cents(row, f"{name}_cents"))
