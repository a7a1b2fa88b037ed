"""Sessions whose state is lost on the way: Redis flushed, or away from the first step on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from flask import Flask

from grocery.config import Settings
from grocery.notify.ussd.store import SessionStore
from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import send
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, make_slot, make_zone
from tests.orders.factories import place
from tests.orders.ussd.walking import MAIN_EN, MAIN_SW, dial, times, window
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flush(settings: Settings) -> Callable[[], None]:
    def flush() -> None:
        redis.Redis.from_url(settings.redis_url or "").flushall()

    return flush


@pytest.fixture
def no_redis(app: Flask) -> Iterator[None]:
    kept = app.extensions["ussd_sessions"]
    app.extensions["ussd_sessions"] = SessionStore(lambda: "unix:///nowhere/socket")
    yield
    app.extensions["ussd_sessions"] = kept


def orders(run_sql: Sql) -> int:
    return run_sql("SELECT count(*) FROM orders")[0][0]


def test_a_walk_goes_on_although_each_step_was_forgotten(
    phone: UssdPhone, customer: Caller, flour: int, flush: Callable[[], None]
) -> None:
    for number in range(7):
        make_product(name=f"Offer {number}", price_cents=50_00, compare_at_price_cents=100_00)
    order = place(customer, {flour: 2})
    remembered = []
    keys = ("3", "98", "0", "9", "1", "1", "1", "0", "00", "6", "1")
    for is_forgetful in (False, True):
        flush()
        screens = [phone.dial()]
        for key in keys:
            if is_forgetful:
                flush()
            screens.append(phone.press(key))
        remembered.append(screens)
    assert remembered[1] == remembered[0]
    assert remembered[0][-1] == f"Oda zako:\n1 {order['number']}: imepokelewa\n0 Rudi"


def test_an_order_is_shown_once_more_before_it_is_placed(
    phone: UssdPhone, customer: Caller, flour: int, flush: Callable[[], None], run_sql: Sql
) -> None:
    zone = make_zone()
    first, second = make_slot(zone, **times(3, 10)), make_slot(zone, **times(4, 10))
    place(customer, {flour: 1}, delivery={"zone_id": zone, "slot_id": first, "address": "Moi 1"})
    dial(phone, "2", "1")
    # What the key "1" stood for has gone meanwhile, and without the state nobody knows.
    book(first, 5)
    flush()
    assert phone.press("1") == (
        f"Please confirm once more.\nTotal KES 339, pay in cash\n{window(second)}\n1 Maize Flour\n1 Order this\n"
        "0 Back 00 Main menu"
    )
    assert orders(run_sql) == 1
    assert phone.press("1").startswith("Thank you!")
    assert orders(run_sql) == 2


def test_an_order_is_cancelled_only_after_it_was_shown_once_more(
    phone: UssdPhone, customer: Caller, flour: int, flush: Callable[[], None], run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    dial(phone, "1", "1", "1")
    newer = place(customer, {flour: 2})
    flush()
    assert phone.press("1") == (
        f"Please confirm once more.\nCancel order {newer['number']}, KES 378?\n1 Yes, cancel it\n0 Back 00 Main menu"
    )
    assert run_sql("SELECT count(*) FROM orders WHERE status = 'cancelled'") == [(0,)]


def test_a_step_that_is_repeated_late_makes_the_last_one_ask_again(
    app: Flask, customer: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    for keys in ("", "1", "1*1", "1*1*1"):
        send(app, text=keys)
    newer = place(customer, {flour: 2})
    assert send(app, text="1").body.startswith("CON Your orders:\n1 " + newer["number"])
    assert send(app, text="1*1*1*1").body == (
        f"CON Please confirm once more.\nCancel order {newer['number']}, KES 378?\n1 Yes, cancel it\n"
        "0 Back 00 Main menu"
    )
    assert run_sql("SELECT count(*) FROM orders WHERE status = 'cancelled'") == [(0,)]
    assert send(app, text="1*1*1*1*1").body == f"END Order {newer['number']} is cancelled."


def test_a_language_that_was_remembered_is_not_changed_by_walking_again(
    app: Flask, phone: UssdPhone, settings: Settings
) -> None:
    dial(phone, "6")
    client = redis.Redis.from_url(settings.redis_url or "")
    client.delete(*client.keys("grocery:ussd:1:session:*"))
    assert phone.press("3") == "Hakuna ofa leo.\n0 Rudi"
    client.delete(*client.keys("grocery:ussd:1:session:*"))
    assert phone.press("00") == MAIN_SW


def test_without_redis_the_whole_menu_works(
    phone: UssdPhone, customer: Caller, flour: int, no_redis: None, run_sql: Sql
) -> None:
    order = place(customer, {flour: 2})
    assert dial(phone, "6", "6", "1") == f"Your orders:\n1 {order['number']}: received\n0 Back"
    assert phone.press("0") == MAIN_EN
    assert phone.press("2") == "Total KES 378, collect at the shop\n2 Maize Flour\n1 Order this\n0 Back"
    ended = phone.press("1")
    assert ended.startswith("Thank you!")
    assert phone.repeat() == ended
    assert orders(run_sql) == 2
    newest = customer.get("/orders/").json[0]["number"]
    assert dial(phone, "1", "1", "1", "1") == f"Order {newest} is cancelled."
    assert f"{newest}: cancelled" in phone.repeat()
    assert run_sql("SELECT count(*) FROM orders WHERE status = 'cancelled'") == [(1,)]


def test_the_way_can_be_dialled_with_the_code(app: Flask, customer: Caller, flour: int, run_sql: Sql) -> None:
    """`*384*22384*2*1#` begins a session with keys already pressed; nothing is ordered that was not shown."""
    place(customer, {flour: 1})
    assert send(app, text="2*1").body == (
        "CON Please confirm once more.\nTotal KES 189, collect at the shop\n1 Maize Flour\n1 Order this\n0 Back"
    )
    assert orders(run_sql) == 1


def test_several_keys_at_once_are_taken_one_after_the_other(
    app: Flask, phone: UssdPhone, customer: Caller, flour: int
) -> None:
    order = place(customer, {flour: 1})
    phone.dial()
    assert phone.press("1*1") == (
        f"{order['number']}: received\nTotal KES 189\n1 Maize Flour\n1 Cancel this order\n0 Back 00 Main menu"
    )
