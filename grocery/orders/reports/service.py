"""From what somebody asked for to the lines of the answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app

from grocery.orders.reports.files import csv_lines, json_lines
from grocery.orders.reports.periods import make_period
from grocery.orders.reports.reading import DEFAULT_LIMIT, Report, Wanted, report_connection
from grocery.products.inventory.days import shop_today


def make_wanted(arguments: Mapping[str, Any]) -> Wanted:
    """What is asked for by validated arguments; raises InvalidError for days that make no sense."""
    config = current_app.config
    period = make_period(arguments.get("first"), arguments.get("last"), config["TIMEZONE"], shop_today())
    return Wanted(arguments["by"], period, config["CURRENCY"], arguments.get("limit", DEFAULT_LIMIT))


def read_rows(report: Report, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The rows one by one; the connection is held until the last one was taken."""
    with report_connection() as connection:
        yield from report.read(connection, wanted)


def write_lines(report: Report, wanted: Wanted, *, as_csv: bool) -> Iterator[str]:
    rows = read_rows(report, wanted)
    return csv_lines(report, wanted.by, rows) if as_csv else json_lines(rows)
