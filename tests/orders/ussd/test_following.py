"""Following and cancelling orders: those of the phone that dials, and no others."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.db import db
from tests.auth.factories import make_customer
from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import AMINA, STRANGER, phone_of
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_order, make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.ussd.walking import MAIN_EN, dial, times, window
from tests.products.factories import make_product
from tests.waiting import within

Sql = Callable[..., list[tuple[Any, ...]]]

SORRY = "Sorry, something went wrong on our side. Please dial again in a moment."


def status_of(run_sql: Sql, order: dict[str, Any]) -> str:
    return run_sql("SELECT status FROM orders WHERE id = :id", id=order["id"])[0][0]


def stock_of(run_sql: Sql, product_id: int) -> float:
    return float(run_sql("SELECT stock FROM products WHERE id = :id", id=product_id)[0][0])


def test_a_phone_follows_its_order(phone: UssdPhone, customer: Caller, staff: Caller, flour: int, beef: int) -> None:
    zone = make_zone()
    slot = make_slot(zone, **times(days=3, hour=10))
    order = place(customer, {flour: 2, beef: 0.5}, delivery={"zone_id": zone, "slot_id": slot, "address": "Moi 1"})
    number = order["number"]
    assert dial(phone) == MAIN_EN
    assert phone.press("1") == f"Your orders:\n1 {number}: received\n0 Back"
    assert phone.press("1") == (
        f"{number}: received\nTotal KES 587.95\n{window(slot)}\n2 Maize Flour\n0.5kg Beef\n"
        "1 Cancel this order\n0 Back 00 Main menu"
    )
    assert phone.press("0") == f"Your orders:\n1 {number}: received\n0 Back"
    move(staff, order, "shipped")
    assert phone.press("1") == (
        f"{number}: on its way\nTotal KES 587.95\n{window(slot)}\n2 Maize Flour\n0.5kg Beef\n0 Back 00 Main menu"
    )
    assert phone.press("00") == MAIN_EN


def test_an_order_to_collect_has_words_of_its_own(
    phone: UssdPhone, customer: Caller, staff: Caller, flour: int
) -> None:
    order = place(customer, {flour: 1})
    move(staff, order, "shipped")
    assert dial(phone, "1") == f"Your orders:\n1 {order['number']}: ready to collect\n0 Back"
    move(staff, order, "delivered")
    assert dial(phone, "1") == f"Your orders:\n1 {order['number']}: collected\n0 Back"


def test_the_newest_five_orders_are_shown(phone: UssdPhone, customer: Caller) -> None:
    for number in range(7):
        make_order(number=f"G-{number}", customer_id=customer.person.id, phone=AMINA)
    assert dial(phone, "1") == (
        "Your orders:\n1 G-6: received\n2 G-5: received\n3 G-4: received\n4 G-3: received\n5 G-2: received\n0 Back"
    )


def test_orders_are_of_the_phone_they_name_else_of_their_customers_phone(phone: UssdPhone, customer: Caller) -> None:
    me = customer.person.id
    make_order(number="G-MINE", customer_id=me)
    make_order(number="G-GIFT", customer_id=me, phone=STRANGER)
    make_order(number="G-FORME", phone=AMINA)
    assert dial(phone, "1") == "Your orders:\n1 G-FORME: received\n2 G-MINE: received\n0 Back"


def test_orders_of_long_ago_are_not_shown(phone: UssdPhone, customer: Caller, run_sql: Sql) -> None:
    make_order(customer_id=customer.person.id, phone=AMINA)
    make_order(customer_id=customer.person.id)
    run_sql("UPDATE orders SET placed_at = now() - interval '61 days'")
    assert dial(phone, "1") == "There is no order from this phone in the last 60 days.\n0 Back"


def test_a_strangers_phone_sees_nothing(app: Flask, customer: Caller, flour: int) -> None:
    place(customer, {flour: 1})
    stranger = phone_of(app, STRANGER)
    assert dial(stranger, "1") == "There is no order from this phone in the last 60 days.\n0 Back"
    assert dial(stranger, "2") == "There is no earlier order of this phone to repeat.\n0 Back"
    assert dial(stranger, "1", "1") == (
        "That is not on the list.\nThere is no order from this phone in the last 60 days.\n0 Back"
    )


def test_cancelling_asks_first_and_gives_the_goods_back(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 2})
    assert dial(phone, "1", "1", "1") == (
        f"Cancel order {order['number']}, KES 378?\n1 Yes, cancel it\n0 Back 00 Main menu"
    )
    assert (status_of(run_sql, order), stock_of(run_sql, flour)) == ("pending", 8)
    assert phone.press("1") == f"Order {order['number']} is cancelled."
    assert phone.is_open is False
    assert (status_of(run_sql, order), stock_of(run_sql, flour)) == ("cancelled", 10)
    [(role, actor)] = run_sql("SELECT actor_role, actor_id FROM order_history WHERE status = 'cancelled'")
    assert (role, actor) == ("customer", customer.person.id)
    [told] = run_sql("SELECT recipient FROM notifications WHERE event = 'order_cancelled' AND channel = 'sms'")
    assert told == (AMINA,)


def test_going_back_from_the_question_cancels_nothing(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 2})
    dial(phone, "1", "1", "1", "0", "00")
    assert status_of(run_sql, order) == "pending"


def test_the_same_yes_sent_again_cancels_once(phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 2})
    done = dial(phone, "1", "1", "1", "1")
    assert phone.repeat() == done
    assert stock_of(run_sql, flour) == 10
    assert run_sql("SELECT count(*) FROM order_history WHERE order_id = :id", id=order["id"]) == [(2,)]


def test_what_is_packed_cannot_be_cancelled(
    phone: UssdPhone, customer: Caller, staff: Caller, flour: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 2})
    dial(phone, "1", "1", "1")
    move(staff, order, "packed")
    assert phone.press("1") == "This order can no longer be cancelled."
    assert status_of(run_sql, order) == "packed"
    assert "Cancel" not in dial(phone, "1", "1")


def test_an_order_that_is_not_this_phones_any_more_is_not_cancelled(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 2})
    dial(phone, "1", "1", "1")
    run_sql("UPDATE orders SET phone = :phone", phone=STRANGER)
    assert phone.press("1") == "This order is not there any more."
    assert status_of(run_sql, order) == "pending"


def test_an_order_that_somebody_else_is_changing_is_an_apology_in_time(
    phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql, hurried: None
) -> None:
    order = place(customer, {flour: 2})
    dial(phone, "1", "1", "1")
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT FROM orders WHERE id = {order['id']} FOR UPDATE")
        with within(2):
            assert phone.press("1") == SORRY
    assert status_of(run_sql, order) == "pending"


def test_long_names_and_many_lines_fit_on_pages(phone: UssdPhone, customer: Caller, app: Flask) -> None:
    products = {make_product(name=f"{number} {'Ngũgĩ’s very long name ' * 8}"): 1 for number in range(1, 8)}
    place(customer, products)
    screens = [dial(phone, "1", "1")]
    while "98 More" in screens[-1]:
        screens.append(phone.press("98"))
    assert all("1 Cancel this order" in screen for screen in screens)
    shown = [line for screen in screens for line in screen.split("\n") if line.startswith("1 ") and "Ngugi" in line]
    assert [line[:13] for line in shown] == [f"1 {number} Ngugi's v" for number in range(1, 8)]


def test_the_order_of_an_account_that_shares_the_number_is_shown_too(
    app: Flask, client: FlaskClient, phone: UssdPhone
) -> None:
    """The phone is asked about, not the account: it is the one that the rider would call."""
    other = make_customer(phone=AMINA)
    make_order(number="G-OTHER", customer_id=other.id)
    assert dial(phone, "1") == "Your orders:\n1 G-OTHER: received\n0 Back"


def test_two_at_once_cancel_once(app: Flask, phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 2})
    phones = [phone_of(app) for _ in range(4)]
    for one in phones:
        dial(one, "1", "1", "1")
    threads = [threading.Thread(target=one.press, args=("1",)) for one in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.screen for one in phones} == {f"Order {order['number']} is cancelled."}
    assert stock_of(run_sql, flour) == 10


@pytest.mark.parametrize("key", ["9", "7", "-1", "x", " ", "🥑", "\0", "99999999999999999999", "98", "0"])
def test_a_key_that_leads_nowhere_shows_the_menu_again(phone: UssdPhone, key: str) -> None:
    assert dial(phone, key) == f"That is not on the list.\n{MAIN_EN}"
    assert phone.is_open
    assert phone.press("00") == MAIN_EN
