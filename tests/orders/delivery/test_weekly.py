"""Windows of every week as moments, also where clocks change. Pure."""

from datetime import UTC, date, time
from zoneinfo import ZoneInfo

import pytest

from grocery.orders.delivery.weekly import WeeklyWindow, windows_between

NAIROBI, NEW_YORK, CAIRO = ZoneInfo("Africa/Nairobi"), ZoneInfo("America/New_York"), ZoneInfo("Africa/Cairo")
SUNDAY = 6


def between(starts: str, ends: str, *, weekday: int = SUNDAY, cutoff_minutes: int = 0) -> WeeklyWindow:
    return WeeklyWindow(weekday, time.fromisoformat(starts), time.fromisoformat(ends), cutoff_minutes)


def on(day: str, weekly: WeeklyWindow, zone: ZoneInfo) -> list[str]:
    """The windows of a day in UTC."""
    found = windows_between(weekly, date.fromisoformat(day), date.fromisoformat(day), zone)
    return [f"{window.starts_at:%d %H:%M}–{window.ends_at:%d %H:%M}" for window in found]


def test_each_week_has_a_window_on_its_day() -> None:
    weekly = between("10:00", "12:00", weekday=2, cutoff_minutes=90)
    found = list(windows_between(weekly, date(2026, 11, 26), date(2026, 12, 9), NAIROBI))
    assert [window.starts_at.isoformat() for window in found] == [
        "2026-12-02T07:00:00+00:00", "2026-12-09T07:00:00+00:00"
    ]  # fmt: skip
    assert [window.ends_at.isoformat() for window in found] == [
        "2026-12-02T09:00:00+00:00", "2026-12-09T09:00:00+00:00"
    ]  # fmt: skip
    assert found[0].cutoff_at.isoformat() == "2026-12-02T05:30:00+00:00"


@pytest.mark.parametrize("weekday", range(7))
def test_a_week_has_each_weekday_once(weekday: int) -> None:
    weekly = between("08:00", "09:00", weekday=weekday)
    found = list(windows_between(weekly, date(2026, 2, 26), date(2026, 3, 4), NAIROBI))
    assert [window.starts_at.weekday() for window in found] == [weekday]


def test_no_day_has_no_window() -> None:
    assert list(windows_between(between("08:00", "09:00"), date(2026, 3, 2), date(2026, 3, 1), NAIROBI)) == []


def test_a_window_at_night_lies_on_two_days_of_utc() -> None:
    assert on("2026-03-01", between("01:00", "04:00"), NAIROBI) == ["28 22:00–01 01:00"]


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("01:00", "01:30", ["08 06:00–08 06:30"]),  # before the change
        ("01:00", "02:30", ["08 06:00–08 07:30"]),  # the end is skipped: 03:30 by the new clock
        ("02:00", "03:00", []),  # from 03:00 to 03:00
        ("02:15", "02:45", ["08 07:15–08 07:45"]),  # both are skipped: 03:15 to 03:45
        ("02:30", "03:15", []),  # would end before it starts
        ("02:30", "04:00", ["08 07:30–08 08:00"]),
        ("01:00", "04:00", ["08 06:00–08 08:00"]),  # an hour shorter than on other days
        ("10:00", "12:00", ["08 14:00–08 16:00"]),  # after the change: by the new clock
    ],
)
def test_in_spring_the_clock_skips_an_hour(starts: str, ends: str, expected: list[str]) -> None:
    assert on("2026-03-08", between(starts, ends), NEW_YORK) == expected


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("00:30", "01:30", ["01 04:30–01 05:30"]),
        ("01:15", "01:45", ["01 05:15–01 05:45"]),  # twice on that day: the first
        ("01:30", "02:00", ["01 05:30–01 07:00"]),  # through the hour that comes twice
        ("10:00", "12:00", ["01 15:00–01 17:00"]),
    ],
)
def test_in_autumn_an_hour_comes_twice(starts: str, ends: str, expected: list[str]) -> None:
    assert on("2026-11-01", between(starts, ends), NEW_YORK) == expected


def test_clocks_that_change_at_midnight() -> None:
    """In Cairo, 24 April 2026 begins at 01:00."""
    friday = between("00:00", "02:00", weekday=4)
    assert on("2026-04-24", friday, CAIRO) == ["23 22:00–23 23:00"]


@pytest.mark.parametrize("zone", [NAIROBI, NEW_YORK, CAIRO, ZoneInfo("Australia/Lord_Howe")], ids=str)
def test_in_no_zone_and_on_no_day_does_a_window_end_before_it_starts(zone: ZoneInfo) -> None:
    clocks = [time(hour, minute) for hour in range(5) for minute in (0, 30)]
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    for starts, ends in [(a, b) for a in clocks for b in clocks if a < b]:
        for window in windows_between(WeeklyWindow(SUNDAY, starts, ends, 60), first, last, zone):
            assert window.cutoff_at < window.starts_at < window.ends_at
            assert window.starts_at.tzinfo is UTC
