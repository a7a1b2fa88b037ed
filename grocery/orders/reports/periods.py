"""The days that a report is about, in the shop's time, and how they fall into rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from grocery.errors import InvalidError
from grocery.orders.payments.cash_up import FIRST_DAY, LAST_DAY, day_bounds

DEFAULT_DAYS = 30
MAX_DAYS = 5 * 366
_HOUR = timedelta(hours=1)

#: The ways to cut a period into rows.
SPANS = ("day", "month", "weekday", "hour", "total")


@dataclass(frozen=True)
class Spans:
    """A period cut into stretches of time, in order; stretch n belongs to the row `keys[numbers[n]]`."""

    keys: list[str | int]
    numbers: list[int]
    starts: list[datetime]
    ends: list[datetime]


@dataclass(frozen=True)
class Period:
    """Whole days of the shop, the first and the last one included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def starts_at(self) -> datetime:
        return day_bounds(self.first, self.zone)[0]

    @property
    def ends_at(self) -> datetime:
        return day_bounds(self.last, self.zone)[1]

    def spans(self, by: str) -> Spans:
        """The period by `day`, `month`, `weekday` (0 is Monday), `hour` (of the day), or in one as `total`.

        Every day has its row, and every hour of the day, also when nothing happened: a chart needs them.
        """
        key_of = _KEYS[by]
        stretches = list(self._hours() if by == "hour" else self._days())
        keys = [key_of(starts.astimezone(self.zone)) for starts, _ in stretches]
        rows: list[str | int] = list(range(24)) if by == "hour" else sorted(set(keys), key=keys.index)
        if by == "weekday":
            rows = sorted(rows)
        number_of = {key: number for number, key in enumerate(rows)}
        starts, ends = zip(*stretches, strict=True)
        return Spans(rows, [number_of[key] for key in keys], list(starts), list(ends))

    def _days(self) -> Iterator[tuple[datetime, datetime]]:
        for number in range((self.last - self.first).days + 1):
            yield day_bounds(self.first + timedelta(days=number), self.zone)

    def _hours(self) -> Iterator[tuple[datetime, datetime]]:
        for starts, ends in self._days():
            while starts < ends:
                yield starts, min(starts + _HOUR, ends)
                starts += _HOUR


_KEYS: dict[str, Callable[[datetime], str | int]] = {
    "day": lambda at: f"{at:%Y-%m-%d}",
    "month": lambda at: f"{at:%Y-%m}",
    "weekday": lambda at: at.weekday(),
    "hour": lambda at: at.hour,
    "total": lambda _at: "total",
}


def make_period(first: date | None, last: date | None, zone: ZoneInfo, today: date) -> Period:
    """The days from `first` to `last`, by default the last 30; raises InvalidError unless they make sense."""
    last = last or today
    errors = {name: _outside(day) for name, day in (("from", first), ("until", last)) if day and _outside(day)}
    if errors:
        raise InvalidError("One or more fields are not valid.", errors=errors)
    first = first or max(last - timedelta(days=DEFAULT_DAYS - 1), FIRST_DAY)
    if last < first:
        message = f"Must not be after `until`, {last}."
        raise InvalidError("One or more fields are not valid.", errors={"from": [message]})
    if (last - first).days >= MAX_DAYS:
        message = "A report is about 5 years at most."
        raise InvalidError("One or more fields are not valid.", errors={"from": [message]})
    return Period(first, last, zone)


def _outside(day: date) -> list[str]:
    return [] if FIRST_DAY <= day <= LAST_DAY else [f"Must be a day from {FIRST_DAY} to {LAST_DAY}."]
