"""Slots made from templates day by day. The shop's clock is Africa/Nairobi, three hours before UTC."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.orders.delivery import tasks
from grocery.orders.delivery.templates import make_slots
from grocery.queues import periodic_task
from tests.orders.delivery.factories import (
    book,
    make_slot,
    make_template,
    make_zone,
    run_statement,
    slot_row,
    starts_of_slots,
)
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Africa/Nairobi"))
DAY = timedelta(days=1)


def make(now: datetime = MONDAY) -> int:
    with transaction() as session:
        return make_slots(session, now)


def in_app(app: Flask, function: Callable[[], Any]) -> Callable[[], Any]:
    """For a thread of its own."""

    def run() -> Any:
        with app.app_context():
            try:
                return function()
            finally:
                db.session.remove()

    return run


def made_until() -> list[date | None]:
    return [day for (day,) in select_rows("SELECT made_until FROM slot_templates ORDER BY id")]


@pytest.fixture
def template() -> int:
    """Mondays from 10 to 12."""
    return make_template()


def test_two_weeks_are_made_and_then_day_by_day(template: int) -> None:
    assert make() == 2
    assert starts_of_slots() == ["03-02 07:00", "03-09 07:00"]
    assert made_until() == [date(2026, 3, 15)]
    assert make(MONDAY + DAY) == 1
    assert starts_of_slots() == ["03-02 07:00", "03-09 07:00", "03-16 07:00"]
    assert [make(MONDAY + number * DAY) for number in range(2, 9)] == [0, 0, 0, 0, 0, 0, 1]
    assert made_until() == [date(2026, 3, 23)]


def test_what_a_slot_is_made_of() -> None:
    zone = make_zone()
    make_template(zone, starts=time(10, 30), capacity=7, cutoff_minutes=90, fee_cents=50_00)
    make()
    [row] = select_rows("SELECT zone_id, capacity, booked, fee_cents, starts_at, ends_at, cutoff_at"
                        " FROM delivery_slots ORDER BY id LIMIT 1")  # fmt: skip
    assert row[:4] == (zone, 7, 0, 50_00)
    assert row[4:] == tuple(MONDAY.replace(hour=hour, minute=minute) for hour, minute in ((10, 30), (12, 0), (9, 0)))


def test_a_second_run_makes_nothing(template: int) -> None:
    make()
    before = select_rows("SELECT * FROM delivery_slots ORDER BY id")
    assert make() == 0
    assert select_rows("SELECT * FROM delivery_slots ORDER BY id") == before


def test_when_nothing_is_due_one_query_says_so(template: int, statements: list[str]) -> None:
    make()
    statements.clear()
    assert make() == 0
    assert len(statements) == 1


def test_windows_that_have_started_are_not_made(template: int) -> None:
    assert make(MONDAY.replace(hour=10)) == 1
    assert starts_of_slots() == ["03-09 07:00"]


def test_days_are_the_shops(template: int) -> None:
    """At one o'clock on Tuesday in Nairobi, it is still Monday in UTC."""
    assert make(MONDAY.replace(hour=1) + DAY) == 2
    assert starts_of_slots() == ["03-09 07:00", "03-16 07:00"]
    assert made_until() == [date(2026, 3, 16)]


def test_days_that_passed_while_the_shop_stood_still_are_left_out(template: int) -> None:
    make()
    run_statement("DELETE FROM delivery_slots")
    assert make(MONDAY + 30 * DAY) == 2
    assert starts_of_slots() == ["04-06 07:00", "04-13 07:00"]


def test_a_slot_that_staff_have_deleted_is_not_made_again(template: int) -> None:
    make()
    run_statement("DELETE FROM delivery_slots WHERE starts_at > '2026-03-05Z'")
    assert [make(), make(MONDAY + DAY)] == [0, 1]
    assert starts_of_slots() == ["03-02 07:00", "03-16 07:00"]


def test_a_slot_that_is_there_stays_as_it_is() -> None:
    zone = make_zone()
    starts_at = MONDAY.replace(hour=10)
    slot = make_slot(zone, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2), capacity=2, cutoff_at=starts_at)
    book(slot, 1)
    make_template(zone)
    assert make() == 1
    assert (slot_row(slot), made_until()) == ((zone, 2, 1), [date(2026, 3, 15)])


def test_a_clock_that_goes_back_does_not_make_a_day_again(template: int) -> None:
    make()
    run_statement("DELETE FROM delivery_slots")
    assert [make(MONDAY - DAY), make()] == [0, 0]
    assert (made_until(), starts_of_slots()) == ([date(2026, 3, 15)], [])


def test_of_many_at_once_each_slot_is_made_once(app: Flask) -> None:
    zone = make_zone()
    for weekday in range(7):
        for _ in range(2):
            make_template(zone, weekday=weekday)

    with ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(in_app(app, make)) for _ in range(12)]
        assert sum(run.result(60) for run in runs) == 14
    assert len(starts_of_slots()) == 14
    assert set(made_until()) == {date(2026, 3, 15)}


def test_a_template_that_somebody_else_works_on_is_left_to_them(template: int) -> None:
    make_template(weekday=1)
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM slot_templates WHERE id = :id FOR UPDATE"), {"id": template})
        assert make() == 2
        assert starts_of_slots() == ["03-03 07:00", "03-10 07:00"]
    assert make() == 2


def test_a_zone_that_is_being_deleted_gets_no_slots_and_holds_up_nobody() -> None:
    zone = make_zone()
    make_template(zone)
    other = make_template(weekday=1)
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM delivery_zones WHERE id = :id FOR UPDATE"), {"id": zone})
        assert make() == 2
        connection.execute(text("DELETE FROM delivery_zones WHERE id = :id"), {"id": zone})
    assert select_rows("SELECT id FROM slot_templates") == [(other,)]
    assert starts_of_slots() == ["03-03 07:00", "03-10 07:00"]


def test_a_deletion_of_a_zone_waits_until_its_slots_are_made(app: Flask, template: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            assert make_slots(session, MONDAY) == 2
            deletion = pool.submit(in_app(app, lambda: run_statement("DELETE FROM delivery_zones")))
            wait_for_a_lock()
        deletion.result(60)
    assert (starts_of_slots(), made_until()) == ([], [])


def test_the_relay_makes_them(app: Flask) -> None:
    for weekday in range(7):
        make_template(weekday=weekday, starts=time(0, 1), ends=time(23, 59))
    registered = {task.name: task for _, found in periodic_task.send(app) for task in found}
    task = registered["delivery.make_slots"]
    assert (task.every_seconds, task.run) == (60.0, tasks.make_due_slots)
    task.run()
    made = len(starts_of_slots())
    assert made in (13, 14)  # today's window may have begun
    task.run()
    assert len(starts_of_slots()) == made
