"""Reports as JSON and CSV: rows come one by one and are written one by one."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from grocery.orders.reports.reading import Report
from grocery.products.imports.formulas import escape


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A JSON array, a row at a time."""
    start = "["
    for row in rows:
        yield start + orjson.dumps(row).decode()
        start = ",\n"
    yield "[]" if start == "[" else "]"


def csv_lines(report: Report, by: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A table with a header. What people wrote and a spreadsheet would run gets an apostrophe before it."""
    columns = report.columns[by]
    yield _line(columns)
    for row in rows:
        yield _line([_cell(row[name], name in report.texts) for name in columns])


def _cell(value: Any, is_text: bool) -> str:
    if value is None:
        return ""
    return escape(str(value)) if is_text else str(value)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()
