"""Staff who change slots while orders take them, and each other's."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.db import db
from grocery.orders.delivery.weekly import WEEKDAYS
from grocery.products.inventory.days import shop_today
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_order, make_slot, make_zone, slot_body, slot_row, template_body
from tests.problems import assert_problem
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

# As an order is placed: its row refers to the slot, then it takes its place there.
_REFER = "UPDATE orders SET slot_id = :slot WHERE id = :order"
_BOOK = "UPDATE delivery_slots SET booked = booked + 1 WHERE id = :slot"


def answer_while_booking(slot: int, request: Callable[[], TestResponse]) -> TestResponse:
    """What a request gets that comes after an order has referred to a slot, and before it has taken its place."""
    parameters = {"slot": slot, "order": make_order()}
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text(_REFER), parameters)
        answer = pool.submit(request)
        wait_for_a_lock()
        connection.execute(text(_BOOK), parameters)
        connection.commit()
        return answer.result(60)


def test_the_capacity_is_not_lowered_below_an_order_that_is_being_placed(admin: Caller) -> None:
    zone = make_zone()
    slot = make_slot(zone)
    sent = slot_body(zone, hours=30, capacity=0)
    answer = answer_while_booking(slot, lambda: admin.put(f"/delivery/slots/{slot}", json=sent))
    assert_problem(answer, 409, "capacity_below_booked")
    assert (answer.json["booked"], slot_row(slot)) == (1, (zone, 5, 1))


def test_a_slot_does_not_move_away_from_an_order_that_is_being_placed(admin: Caller) -> None:
    zone, other = make_zone(), make_zone()
    slot = make_slot(zone)
    answer = answer_while_booking(slot, lambda: admin.put(f"/delivery/slots/{slot}", json=slot_body(other)))
    assert_problem(answer, 409, "slot_booked")
    assert slot_row(slot) == (zone, 5, 1)


def test_a_slot_is_not_deleted_while_an_order_is_being_placed(admin: Caller) -> None:
    slot = make_slot()
    answer = answer_while_booking(slot, lambda: admin.delete(f"/delivery/slots/{slot}"))
    assert_problem(answer, 409, "slot_booked")
    assert slot_row(slot)[1:] == (5, 1)
    assert select_rows("SELECT slot_id FROM orders") == [(slot,)]


def test_of_eight_who_add_the_same_window_at_once_one_does(admin: Caller) -> None:
    sent = slot_body(make_zone())
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: admin.post("/delivery/slots", json=sent).status_code, range(8))
        assert Counter(answers) == {201: 1, 409: 7}
    assert len(select_rows("SELECT FROM delivery_slots")) == 1


def test_templates_with_the_same_window_at_once_make_its_slots_once(admin: Caller) -> None:
    sent = template_body(make_zone(), weekday=WEEKDAYS[(shop_today() + timedelta(days=1)).weekday()])
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: admin.post("/delivery/templates", json=sent).status_code, range(8))
        assert Counter(answers) == {201: 8}
    assert len(select_rows("SELECT FROM delivery_slots")) == 2


def test_a_slot_is_not_added_to_a_zone_that_is_being_deleted(admin: Caller) -> None:
    zone = make_zone()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text("DELETE FROM delivery_zones WHERE id = :zone"), {"zone": zone})
        answer = pool.submit(admin.post, "/delivery/slots", json=slot_body(zone))
        wait_for_a_lock()
        connection.commit()
        assert_problem(answer.result(60), 422, "validation_failed")
    assert select_rows("SELECT FROM delivery_slots") == []
