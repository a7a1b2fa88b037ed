"""Moments as people type them at a terminal (pure)."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_moment(typed: str, after: datetime, zone: ZoneInfo) -> datetime:
    """`now`, `tomorrow`, a weekday (the next one after `after`), a date, or a date with a time.

    Days begin at midnight in `zone`; times without an offset are of it. Raises ValueError for anything else.
    """
    word = typed.strip().lower()
    if word == "now":
        return after
    today = after.astimezone(zone).date()
    if word == "tomorrow":
        return datetime.combine(today + timedelta(days=1), time(), zone)
    if word in _WEEKDAYS:
        days = (_WEEKDAYS.index(word) - today.weekday() - 1) % 7 + 1
        return datetime.combine(today + timedelta(days=days), time(), zone)
    moment = datetime.fromisoformat(typed.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
