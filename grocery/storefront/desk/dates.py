"""Days and moments with their year: what the desk looks back at may be old."""

from datetime import datetime

from flask_babel import format_date, format_datetime


def dated(at: datetime) -> str:
    """`26 Nov 2026`, in the shop's time zone."""
    return str(format_date(at, "d MMM y"))


def stamped(at: datetime) -> str:
    """`26 Nov 2026, 14:05`, in the shop's time zone."""
    return str(format_datetime(at, "d MMM y, HH:mm"))
