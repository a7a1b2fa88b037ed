"""The pure rules: what is due at a moment makes which price."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery.products.prices.moments import read_moment
from grocery.products.prices.schedule import Change, Price, regular_price_at, settle

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAIROBI = ZoneInfo("Africa/Nairobi")


def plain(change_id: int, price: int, start: int, compare_at: int | None = None) -> Change:
    return Change(change_id, Price(price, compare_at), NOW + start * DAY)


def offer(change_id: int, price: int, start: int, end: int, compare_at: int | None = None) -> Change:
    return Change(change_id, Price(price, compare_at), NOW + start * DAY, NOW + end * DAY)


def running(change_id: int, price: int, end: int, before: Price) -> Change:
    return Change(change_id, Price(price), NOW - DAY, NOW + end * DAY, is_active=True, before=before)


def test_what_is_not_due_changes_nothing() -> None:
    state = settle(Price(100), [plain(1, 90, 1), offer(2, 80, 1, 2)], NOW)
    assert (state.price, state.before, state.reason, state.statuses) == (Price(100), None, None, {})


def test_an_offer_compares_with_the_price_before_unless_told() -> None:
    state = settle(Price(100, 120), [offer(1, 80, 0, 1)], NOW)
    assert (state.price, state.before, state.reason) == (Price(80, 100), Price(100, 120), "offer_started")
    assert state.statuses == {1: "active"}
    assert settle(Price(100), [offer(1, 80, 0, 1, compare_at=95)], NOW).price == Price(80, 95)


def test_an_offer_that_is_over_gives_the_price_before_back_with_its_own_comparison() -> None:
    state = settle(Price(80, 100), [running(1, 80, 0, Price(100, 120))], NOW)
    assert (state.price, state.before, state.reason) == (Price(100, 120), None, "offer_ended")
    assert state.statuses == {1: "ended"}


def test_one_offer_ends_as_the_next_begins() -> None:
    state = settle(Price(80, 100), [running(1, 80, 0, Price(100)), offer(2, 70, 0, 1)], NOW)
    assert (state.price, state.before) == (Price(70, 100), Price(100))
    assert state.statuses == {1: "ended", 2: "active"}


def test_an_offer_whose_whole_time_has_passed_unseen_never_was() -> None:
    state = settle(Price(100), [offer(1, 80, -2, -1)], NOW)
    assert (state.price, state.reason, state.statuses) == (Price(100), None, {1: "missed"})


@pytest.mark.parametrize("price", [100, 101])
def test_an_offer_never_raises_a_price(price: int) -> None:
    state = settle(Price(100), [offer(1, price, 0, 1, compare_at=200)], NOW)
    assert (state.price, state.statuses) == (Price(100), {1: "missed"})


def test_another_price_during_an_offer_is_the_one_that_returns() -> None:
    state = settle(Price(80, 100), [running(1, 80, 1, Price(100)), plain(2, 110, 0)], NOW)
    assert (state.price, state.before, state.reason) == (Price(80, 100), Price(110), None)
    assert state.statuses == {2: "applied", 1: "active"}


@pytest.mark.parametrize("price", [80, 60])
def test_another_price_that_is_not_above_the_offer_ends_it(price: int) -> None:
    state = settle(Price(80, 100), [running(1, 80, 1, Price(100)), plain(2, price, 0)], NOW)
    assert (state.price, state.before, state.reason) == (Price(price), None, "scheduled")
    assert state.statuses == {2: "applied", 1: "ended"}


def test_another_price_keeps_a_comparison_that_is_above_it() -> None:
    assert settle(Price(100, 120), [plain(1, 110, 0)], NOW).price == Price(110, 120)
    assert settle(Price(100, 120), [plain(1, 120, 0)], NOW).price == Price(120)
    assert settle(Price(100, 120), [plain(1, 90, 0, compare_at=95)], NOW).price == Price(90, 95)


def test_of_several_prices_that_are_due_the_latest_holds() -> None:
    state = settle(Price(100), [plain(3, 70, -3), plain(1, 90, -1), plain(2, 95, -1)], NOW)
    assert (state.price, state.statuses) == (Price(95), {3: "applied", 1: "applied", 2: "applied"})


def test_an_offer_that_is_stopped_ends_before_its_time() -> None:
    state = settle(Price(80, 100), [running(1, 80, 9, Price(100))], NOW, stopping=1)
    assert (state.price, state.statuses) == (Price(100), {1: "ended"})


def test_the_price_to_come_is_known_apart_from_offers() -> None:
    changes = [running(1, 80, 1, Price(100)), plain(2, 120, 2), plain(3, 130, 4), offer(4, 50, 3, 5)]
    moments = [NOW + days * DAY for days in (0, 2, 3, 4)]
    assert [regular_price_at(Price(80, 100), changes, moment) for moment in moments] == [100, 120, 120, 130]
    assert regular_price_at(Price(75), [], NOW) == 75


def overlay(regular: int, changes: list[Change], moment: datetime) -> int:
    """The price by the words of the documentation, for offers that are below all regular prices."""
    for one in sorted(changes, key=lambda one: (one.starts_at, one.id)):
        if not one.is_offer and one.starts_at <= moment:
            regular = one.price.price
    running = [one for one in changes if one.ends_at and one.starts_at <= moment < one.ends_at]
    return running[0].price.price if running else regular


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(200, 300)), max_size=6),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(50, 199)), max_size=5),
    st.lists(st.integers(0, 35), min_size=1, max_size=12).map(sorted),
)
def test_at_any_time_the_price_is_what_the_schedule_says_however_late_it_is_looked_at(
    prices: list[tuple[int, int]], offers: list[tuple[int, int, int]], looks: list[int]
) -> None:
    changes = [plain(number, price, start) for number, (start, price) in enumerate(prices)]
    day = 0
    for number, (pause, length, price) in enumerate(offers, start=100):
        changes.append(offer(number, price, day + pause, day + pause + length))
        day += pause + length
    current, waiting = Price(250), {change.id: change for change in changes}
    for look in looks:
        state = settle(current, list(waiting.values()), NOW + look * DAY)
        assert state.price.price == overlay(250, changes, NOW + look * DAY)
        current = state.price
        for change_id, status in state.statuses.items():
            change = waiting.pop(change_id)
            if status == "active":
                waiting[change_id] = Change(
                    change_id, change.price, change.starts_at, change.ends_at, is_active=True, before=state.before
                )
        again = settle(current, list(waiting.values()), NOW + look * DAY)
        assert (again.price, again.reason, again.statuses) == (current, None, {})


@pytest.mark.parametrize(
    ("typed", "local"),
    [
        ("now", "2026-12-01T15:30"),
        ("tomorrow", "2026-12-02T00:00"),
        ("Wednesday", "2026-12-02T00:00"),
        ("tuesday", "2026-12-08T00:00"),
        ("monday", "2026-12-07T00:00"),
        ("2026-12-24", "2026-12-24T00:00"),
        ("2026-12-24 08:15", "2026-12-24T08:15"),
        ("2026-12-24T08:15:00+00:00", "2026-12-24T11:15"),
    ],
)
def test_moments_are_of_the_shops_own_time(typed: str, local: str) -> None:
    tuesday_afternoon = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
    expected = datetime.fromisoformat(local).replace(tzinfo=NAIROBI)
    assert read_moment(typed, tuesday_afternoon, NAIROBI) == expected


def test_tomorrow_is_that_of_the_shop() -> None:
    late_in_london = datetime(2026, 12, 1, 22, 30, tzinfo=UTC)
    assert read_moment("tomorrow", late_in_london, NAIROBI) == datetime(2026, 12, 3, tzinfo=NAIROBI)


@pytest.mark.parametrize("typed", ["", "soon", "2026-13-01", "31.12.2026", "١", "5"])
def test_other_words_are_no_moments(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller has the message
        read_moment(typed, NOW, NAIROBI)
