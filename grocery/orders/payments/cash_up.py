"""The day's cash by collector: what each has to bring, and whether that is what the orders cost."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response
from sqlalchemy import Connection

from grocery import money
from grocery.db import Row
from grocery.errors import InvalidError
from grocery.orders.payments.methods import CashOnDelivery, payment_method
from grocery.products.imports.formulas import escape

#: Other days are typing errors; some near the ends of the calendar have no time in UTC.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)

COLUMNS = (
    "collector_id",
    "collector",
    "orders",
    "collected",
    "refunded",
    "net",
    "expected",
    "difference",
    "currency",
)


def cash_up(connection: Connection, day: date, zone: ZoneInfo, currency: str) -> list[dict[str, Any]]:
    """The cash of a day in the shop's time zone, one entry per collector, by name; raises InvalidError for the day.

    `net` is what a collector has to bring: `collected` less `refunded`. `expected` is what was still due, when the
    collector's first payment of the day was noted, on those orders that the collector took cash for and that are
    delivered; `difference` is the net of these orders less `expected`. Money for an order that is not delivered is in
    `net` alone.
    """
    starts_at, ends_at = day_bounds(day, zone)
    rows = payment_method(CashOnDelivery.name).reconcile(connection, starts_at, ends_at)
    return [_entry_json(row, currency) for row in rows]


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments (UTC) at which a day begins and the next one does, 23 or 25 hours apart when clocks are changed."""
    if not FIRST_DAY <= day <= LAST_DAY:
        message = f"Must be a day from {FIRST_DAY} to {LAST_DAY}."
        raise InvalidError("One or more fields are not valid.", errors={"day": [message]})
    starts, ends = (
        datetime.combine(midnight, time(), zone).astimezone(UTC) for midnight in (day, day + timedelta(days=1))
    )
    return starts, ends


def to_csv(entries: Sequence[dict[str, Any]]) -> str:
    """The entries as CSV with a header. A name that a spreadsheet would run gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({**entry, "collector": escape(entry["collector"] or "")} for entry in entries)
    return text.getvalue()


def csv_response(entries: Sequence[dict[str, Any]], day: date) -> Response:
    """The entries as a CSV file."""
    response = Response(to_csv(entries), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="cash-up-{day}.csv"'
    return response


def _entry_json(row: Row, currency: str) -> dict[str, Any]:
    return {
        "collector_id": row["collector_id"],
        "collector": row["collector"],
        "orders": row["orders"],
        "collected": money.to_text(row["collected_cents"]),
        "refunded": money.to_text(row["refunded_cents"]),
        "net": money.to_text(row["collected_cents"] - row["refunded_cents"]),
        "expected": money.to_text(row["expected_cents"]),
        "difference": money.to_text(row["difference_cents"]),
        "currency": currency,
    }
