"""A report as a table for people, and its bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grocery.orders.reports.reading import Report
from grocery.storefront.desk.charts import Bar, make_chart
from grocery.storefront.desk.reports.words import COLUMNS, cell_words, short_day
from grocery.storefront.looks import money

_AMOUNTS = frozenset(
    "gross discounts delivery_fees vat net returns returns_vat revenue price value refunded".split()  # noqa: SIM905
)

# For programs, or the same in all rows.
_HIDDEN = frozenset(("currency", "product_id", "zone_id", "slot_id", "picker_id"))

# What the bars show of each report.
_MEASURES = {
    "sales": "revenue",
    "fulfilment": "placed",
    "slots": "used_percent",
    "times": "median_hours",
    "shortages": "value",
    "pickers": "lines",
    "stock": "value",
    "movements": "value",
    "waste": "value",
}

#: Bars beside each other on a phone; of more, they could not be told apart.
_MOST_BARS = 62


@dataclass(frozen=True)
class Cell:
    words: str
    is_number: bool


def columns_of(report: Report, by: str) -> list[str]:
    return [name for name in report.columns[by] if name not in _HIDDEN]


def make_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[list[Cell]]:
    return [[_cell(name, row.get(name)) for name in columns] for row in rows]


def make_bars(report: Report, by: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The chart of a report by time; None where there is nothing to compare, or too much."""
    measure = _MEASURES[report.name]
    if by not in ("day", "month", "weekday", "hour") or not 2 <= len(rows) <= _MOST_BARS:
        return None
    bars = [
        Bar(_label(by, row[by]), max(0.0, float(row[measure] or 0)), _cell(measure, row[measure]).words) for row in rows
    ]
    title = str(COLUMNS[measure])
    return make_chart("report", title, title, bars)


def _cell(name: str, value: Any) -> Cell:
    if name in _AMOUNTS and value is not None:
        return Cell(money(value), is_number=True)
    is_number = isinstance(value, int | float) and name not in ("weekday", "hour")
    return Cell(f"{value:,}" if is_number else cell_words(name, value), is_number)


def _label(by: str, key: Any) -> str:
    if by == "day":
        return short_day(key)
    return cell_words(by, key)[:3] if by == "weekday" else cell_words(by, key)
