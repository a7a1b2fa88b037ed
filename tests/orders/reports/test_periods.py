"""Days of a shop, cut into rows."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from grocery.errors import InvalidError
from grocery.orders.reports.periods import Period, make_period

NAIROBI, BERLIN = ZoneInfo("Africa/Nairobi"), ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 26)


def test_days_that_were_not_given() -> None:
    assert make_period(None, None, NAIROBI, TODAY) == Period(date(2026, 10, 28), TODAY, NAIROBI)
    assert make_period(None, date(2026, 1, 30), NAIROBI, TODAY).first == date(2026, 1, 1)
    assert make_period(date(2026, 11, 26), None, NAIROBI, TODAY).last == TODAY
    assert make_period(None, date(2000, 1, 1), NAIROBI, TODAY).first == date(2000, 1, 1)


def test_a_period_begins_and_ends_at_midnight_in_the_shop() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 30), NAIROBI)
    assert period.starts_at == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert period.ends_at == datetime(2026, 11, 30, 21, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("by", ["day", "month", "weekday", "hour", "total"])
def test_stretches_follow_each_other_without_a_gap_when_clocks_are_changed(day: date, by: str) -> None:
    period = Period(day, day, BERLIN)
    spans = period.spans(by)
    assert [*spans.starts, period.ends_at] == [period.starts_at, *spans.ends]
    assert max(spans.numbers) < len(spans.keys)


def test_an_hour_that_comes_twice_is_one_row_and_one_that_is_missing_is_empty() -> None:
    twice = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN).spans("hour")
    missing = Period(date(2026, 3, 29), date(2026, 3, 29), BERLIN).spans("hour")
    assert twice.keys == missing.keys == list(range(24))
    assert (len(twice.starts), twice.numbers.count(2)) == (25, 2)
    assert (len(missing.starts), missing.numbers.count(2)) == (23, 0)


def test_rows_of_a_long_period_have_each_key_once() -> None:
    period = Period(date(2026, 10, 30), date(2026, 11, 3), NAIROBI)  # Friday to Tuesday
    assert period.spans("month").keys == ["2026-10", "2026-11"]
    assert period.spans("weekday").keys == [0, 1, 4, 5, 6]
    assert period.spans("total").numbers == [0] * 5


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "from"),
        (date(1999, 12, 31), None, "from"),
        (None, date(3000, 1, 1), "until"),
        (date(2021, 11, 1), date(2026, 11, 6), "from"),
    ],
)
def test_periods_that_make_no_sense(first: date | None, last: date | None, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        make_period(first, last, NAIROBI, TODAY)
    assert list(refused.value.members["errors"]) == [field]
