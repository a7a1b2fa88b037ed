"""The windows of every week as moments: from the shop's clock to UTC (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class WeeklyWindow:
    """From `starts` to `ends` by the shop's clock on each `weekday` (0: Monday).

    It can be booked until `cutoff_minutes` before its start.
    """

    weekday: int
    starts: time
    ends: time
    cutoff_minutes: int


@dataclass(frozen=True)
class Window:
    """A window of one day, in UTC."""

    starts_at: datetime
    ends_at: datetime
    cutoff_at: datetime


def windows_between(weekly: WeeklyWindow, first: date, last: date, zone: tzinfo | None) -> Iterator[Window]:
    """The windows of the days from `first` to `last`, both included, in order.

    Where clocks change, times are read as calendars do (RFC 5545, section 3.3.5): one that comes twice means the first,
    one that is skipped means as much later as the clocks jump. A window of which that leaves nothing is left out.
    """
    day = first + timedelta(days=(weekly.weekday - first.weekday()) % 7)
    while day <= last:
        starts_at, ends_at = _moment(day, weekly.starts, zone), _moment(day, weekly.ends, zone)
        if starts_at < ends_at:
            yield Window(starts_at, ends_at, starts_at - timedelta(minutes=weekly.cutoff_minutes))
        day += _WEEK


def _moment(day: date, clock: time, zone: tzinfo | None) -> datetime:
    """`fold` is 0: of the two offsets around a change of the clocks, the one before it."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
