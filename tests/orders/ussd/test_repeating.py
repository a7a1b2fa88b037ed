"""The last order once more: what can be had, at which price, when, and placed once."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from grocery.config import Settings
from grocery.db import db
from tests.auth.factories import make_customer
from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import AMINA, STRANGER, phone_of
from tests.orders.conftest import Caller, caller
from tests.orders.delivery.factories import book, make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.fulfilment.factories import pick
from tests.orders.ussd.walking import dial, times, window
from tests.products.factories import make_product
from tests.waiting import within

Sql = Callable[..., list[tuple[Any, ...]]]

NOTHING = "There is no earlier order of this phone to repeat.\n0 Back"


def orders(run_sql: Sql) -> int:
    return run_sql("SELECT count(*) FROM orders")[0][0]


def stock_of(run_sql: Sql, product_id: int) -> Decimal:
    return run_sql("SELECT stock FROM products WHERE id = :id", id=product_id)[0][0]


def last_order(customer: Caller) -> dict[str, Any]:
    return customer.get("/orders/").json[0]


def test_a_delivery_goes_to_the_same_place_at_a_time_of_ones_choice(
    phone: UssdPhone, customer: Caller, flour: int, soap: int, to_the_door: dict[str, Any], run_sql: Sql
) -> None:
    zone = make_zone(fee_cents=150_00)
    first, second = make_slot(zone, **times(3, 10)), make_slot(zone, **times(4, 14), fee_cents=50_00)
    place(customer, {flour: 2, soap: 1}, delivery={**to_the_door, "zone_id": zone, "slot_id": first}, note="Fast!")
    assert dial(phone, "2") == f"Deliver when?\n1 {window(first)}\n2 {window(second)}, KES 50\n0 Back"
    assert phone.press("2") == (
        f"Total KES 694, pay in cash\n{window(second)}\n2 Maize Flour\n1 Soap\n1 Order this\n0 Back 00 Main menu"
    )
    assert orders(run_sql) == 1
    ended = phone.press("1")
    order = last_order(customer)
    assert ended == f"Thank you! Order {order['number']}, KES 694, {window(second)}. An SMS follows."
    assert phone.is_open is False
    assert {item["product_id"]: item["quantity"] for item in order["items"]} == {flour: 2, soap: 1}
    assert (order["total"], order["status"], order["payment_method"]) == ("694.00", "pending", "cash_on_delivery")
    assert (order["customer_id"], order["note"]) == (customer.person.id, None)
    delivery = {name: order["delivery"][name] for name in ("zone_id", "slot_id", "phone", *to_the_door)}
    assert delivery == {**to_the_door, "zone_id": zone, "slot_id": second, "phone": AMINA}
    assert stock_of(run_sql, flour) == 6
    told = run_sql("SELECT recipient FROM notifications WHERE order_id = :id AND channel = 'sms'", id=order["id"])
    assert told == [(AMINA,)]


def test_what_is_collected_is_confirmed_at_once(phone: UssdPhone, customer: Caller, flour: int) -> None:
    place(customer, {flour: 1})
    assert dial(phone, "2") == "Total KES 189, collect at the shop\n1 Maize Flour\n1 Order this\n0 Back"
    ended = phone.press("1")
    number = last_order(customer)["number"]
    assert ended == f"Thank you! Order {number}, KES 189, collect at the shop. An SMS follows."


def test_what_cannot_be_had_is_left_out_and_said(
    phone: UssdPhone, customer: Caller, flour: int, soap: int, beef: int, run_sql: Sql
) -> None:
    gone = make_product(name="Kale")
    place(customer, {flour: 4, soap: 1, beef: 2, gone: 1})
    run_sql("UPDATE products SET stock = 3 WHERE id = :id", id=flour)
    run_sql("UPDATE products SET stock = 0.6 WHERE id = :id", id=beef)
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=soap)
    run_sql("UPDATE order_lines SET product_id = NULL WHERE product_id = :id", id=gone)
    assert dial(phone, "2") == (
        "Total KES 626.95, collect at the shop\nLeft out: Soap\nLeft out: Kale\n3 Maize Flour (not 4)\n"
        "0.5kg Beef (not 2kg)\n1 Order this\n0 Back"
    )
    phone.press("1")
    order = last_order(customer)
    assert {item["product_id"]: item["quantity"] for item in order["items"]} == {flour: 3, beef: 0.5}
    assert order["total"] == "626.95"


def test_what_was_ordered_counts_not_what_was_picked(
    phone: UssdPhone, customer: Caller, staff: Caller, soap: int, beef: int
) -> None:
    order = place(customer, {soap: 1, beef: 2})
    lines = [item["product_id"] for item in order["items"]]
    cheap = make_product("Home", name="Cheap Soap", price_cents=90_00)
    pick(staff, order, 1.9, index=lines.index(beef))
    pick(staff, order, 1, index=lines.index(soap), substitute_product_id=cheap, approved=True)
    move(staff, order, "delivered")
    assert "\n1 Soap\n2kg Beef\n1 Order this\n" in dial(phone, "2")
    phone.press("1")
    assert {item["product_id"]: item["quantity"] for item in last_order(customer)["items"]} == {soap: 1, beef: 2}


def test_an_order_of_long_ago_is_not_repeated_since_the_number_may_be_somebody_elses_now(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    run_sql("UPDATE orders SET placed_at = now() - interval '91 days'")
    assert dial(phone, "2") == NOTHING


def test_nothing_in_stock_is_the_end(phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    place(customer, {flour: 1})
    run_sql("UPDATE products SET stock = 0")
    assert dial(phone, "2") == "Nothing of your last order is in stock now."
    assert phone.is_open is False


def test_a_total_that_has_changed_is_shown_before_anything_is_placed(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    dial(phone, "2")
    run_sql("UPDATE products SET price_cents = 19900")
    assert phone.press("1") == (
        "The total has changed.\nTotal KES 199, collect at the shop\n1 Maize Flour\n1 Order this\n0 Back"
    )
    assert (orders(run_sql), stock_of(run_sql, flour)) == (1, 9)
    assert phone.press("1").startswith("Thank you!")
    assert last_order(customer)["total"] == "199.00"


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("UPDATE delivery_zones SET fee_cents = fee_cents + 1000", "The total has changed.\nTotal KES 349"),
        ("UPDATE delivery_zones SET min_basket_cents = 50000", "Orders start at KES 500.00; 311.00 is missing."),
        ("UPDATE delivery_slots SET cutoff_at = now() - interval '1 s'", "This delivery time takes no more orders."),
        ("UPDATE orders SET status = 'cancelled'", "This order is not there any more."),
        ("UPDATE customers SET is_active = false", "This order is not there any more."),
        ("UPDATE customers SET phone = '+254722000111'", "This order is not there any more."),
        ("DELETE FROM customers", "This order is not there any more."),
    ],
)
def test_what_changes_between_two_screens_is_told_and_nothing_is_placed(
    phone: UssdPhone,
    customer: Caller,
    flour: int,
    to_the_door: dict[str, Any],
    run_sql: Sql,
    change: str,
    shown: str,
) -> None:
    zone = make_zone()
    slot = make_slot(zone, **times(3, 10))
    place(customer, {flour: 1}, delivery={**to_the_door, "zone_id": zone, "slot_id": slot})
    assert dial(phone, "2", "1").startswith("Total KES 339")
    run_sql(change)
    before = orders(run_sql)
    assert phone.press("1").startswith(shown)
    assert (orders(run_sql), stock_of(run_sql, flour)) == (before, 9)


def test_the_same_step_sent_again_places_once(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql, settings: Settings
) -> None:
    place(customer, {flour: 1})
    ended = dial(phone, "2", "1")
    assert phone.repeat() == ended
    # Without what Redis remembers, it is asked once more, and the answer is that of the first time.
    redis.Redis.from_url(settings.redis_url or "").flushall()
    assert phone.repeat().startswith("Please confirm once more.")
    run_sql("UPDATE products SET price_cents = 500, stock = 0 WHERE id = :id", id=flour)
    assert phone.press("1") == ended
    assert orders(run_sql) == 2


def test_who_has_not_seen_the_last_screen_and_dials_again_is_told_of_the_order(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    dial(phone, "2", "1")
    number = last_order(customer)["number"]
    screen = "Total KES 189, collect at the shop\n1 Maize Flour\n1 Order this\n0 Back"
    assert dial(phone, "2") == f"{number} was ordered just now.\n{screen}"
    run_sql("UPDATE orders SET placed_at = now() - interval '31 minutes'")
    assert dial(phone, "2") == screen


def test_many_at_once_place_once(app: Flask, phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    place(customer, {flour: 1})
    dial(phone, "2")
    twins = [phone_of(app) for _ in range(4)]
    for twin in twins:
        twin.session_id, twin.is_open, twin._keys = phone.session_id, True, ["2"]
    threads = [threading.Thread(target=twin.press, args=("1",)) for twin in twins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number = last_order(customer)["number"]
    thanks = f"Thank you! Order {number}, KES 189, collect at the shop. An SMS follows."
    assert {twin.screen for twin in twins} <= {thanks, "Your order is being placed. An SMS follows."}
    assert thanks in {twin.screen for twin in twins}
    assert (orders(run_sql), stock_of(run_sql, flour)) == (2, 8)


def test_a_cancelled_order_is_not_repeated(
    phone: UssdPhone, customer: Caller, staff: Caller, flour: int, soap: int
) -> None:
    place(customer, {flour: 1})
    move(staff, place(customer, {soap: 1}), "cancelled")
    assert "1 Maize Flour" in dial(phone, "2")


def test_an_order_that_went_to_another_phone_is_not_repeated(phone: UssdPhone, customer: Caller, flour: int) -> None:
    zone = make_zone()
    place(customer, {flour: 1}, delivery={"zone_id": zone, "address": "Moi 1", "phone": STRANGER})
    assert dial(phone, "2") == NOTHING


def test_a_number_that_nobody_has_verified_and_two_have_given_repeats_nothing(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    make_customer(phone=AMINA)
    assert dial(phone, "2") == NOTHING
    run_sql("UPDATE customers SET phone_verified_at = now() WHERE id = :id", id=customer.person.id)
    assert "1 Maize Flour" in dial(phone, "2")


def test_only_the_one_who_has_verified_the_number_repeats(
    app: Flask, client: FlaskClient, customer: Caller, flour: int, phone: UssdPhone
) -> None:
    place(customer, {flour: 1})
    caller(client, phone=AMINA, is_phone_verified=True)
    assert dial(phone, "2") == NOTHING


def test_a_deactivated_account_repeats_nothing(phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    place(customer, {flour: 1})
    run_sql("UPDATE customers SET is_active = false")
    assert dial(phone, "2") == NOTHING


def test_only_times_with_room_are_offered_and_five_at_the_most(
    phone: UssdPhone, customer: Caller, flour: int, to_the_door: dict[str, Any]
) -> None:
    zone = make_zone()
    slots = [make_slot(zone, **times(3 + number, 10)) for number in range(8)]
    place(customer, {flour: 1}, delivery={**to_the_door, "zone_id": zone, "slot_id": slots[0]})
    book(slots[0], 5)
    make_slot(make_zone(), **times(2, 10))
    screens = [dial(phone, "2")]
    while "98 More" in screens[-1]:
        screens.append(phone.press("98"))
    offered = [
        line[2:] for screen in screens for line in screen.split("\n") if line[:2] in ("1 ", "2 ", "3 ", "4 ", "5 ")
    ]
    assert offered == [window(slot) for slot in slots[1:6]]


def test_a_time_that_was_filled_meanwhile_is_the_end(
    phone: UssdPhone, customer: Caller, flour: int, to_the_door: dict[str, Any], run_sql: Sql
) -> None:
    zone = make_zone()
    slot = make_slot(zone, **times(3, 10))
    place(customer, {flour: 1}, delivery={**to_the_door, "zone_id": zone, "slot_id": slot})
    dial(phone, "2", "1")
    book(slot, 5)
    assert phone.press("1") == "This delivery time has just been filled. Please dial again."
    assert (orders(run_sql), stock_of(run_sql, flour)) == (1, 9)


def test_a_zone_that_needs_a_time_and_has_none_is_the_end(
    phone: UssdPhone, customer: Caller, flour: int, to_the_door: dict[str, Any], run_sql: Sql
) -> None:
    zone = make_zone()
    place(customer, {flour: 1}, delivery={**to_the_door, "zone_id": zone})
    assert dial(phone, "2") == "Total KES 339, pay in cash\n1 Maize Flour\n1 Order this\n0 Back"
    run_sql("UPDATE delivery_zones SET is_slot_required = true")
    assert dial(phone, "2") == "This cannot be done by phone. Please ask the shop."


def test_goods_below_the_zones_minimum_are_refused(
    phone: UssdPhone, customer: Caller, flour: int, to_the_door: dict[str, Any], run_sql: Sql
) -> None:
    zone = make_zone()
    place(customer, {flour: 1}, delivery={**to_the_door, "zone_id": zone})
    run_sql("UPDATE delivery_zones SET min_basket_cents = 50000")
    assert dial(phone, "2") == "Orders start at KES 500.00; 311.00 is missing."


def test_who_has_too_many_orders_to_pay_gets_no_more(
    phone: UssdPhone, customer: Caller, flour: int, app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    monkeypatch.setitem(app.config, "MAX_OPEN_UNPAID_ORDERS", 1)
    assert dial(phone, "2", "1") == "Orders that are not paid yet: 1. Please pay or cancel one first."
    assert (orders(run_sql), stock_of(run_sql, flour)) == (1, 9)


def test_what_is_sold_out_while_it_is_placed_writes_nothing(
    phone: UssdPhone, customer: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1, soap: 1})
    dial(phone, "2")
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=soap)
    assert phone.press("1").startswith("The total has changed.\nTotal KES 189")
    assert (orders(run_sql), stock_of(run_sql, flour)) == (1, 9)


@pytest.mark.parametrize("table", ["customers", "products"])
def test_what_somebody_else_holds_is_an_apology_in_time(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql, hurried: None, table: str
) -> None:
    place(customer, {flour: 1})
    dial(phone, "2")
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT FROM {table} FOR UPDATE")
        with within(2):
            assert phone.press("1").startswith("Sorry, something went wrong on our side.")
    assert (orders(run_sql), stock_of(run_sql, flour)) == (1, 9)
