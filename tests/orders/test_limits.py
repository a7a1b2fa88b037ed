"""What is limited (slots, coupons, unpaid orders) when many want it at once, and what goes while an order is placed."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from grocery.db import db
from tests.orders.conftest import Caller, caller, wait_until_blocked
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import assert_holdings_are_right, held
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_product
from tests.waiting import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour(context: None) -> int:
    return make_product(name="Maize Flour", price_cents=189_00, vat_class="zero", stock=1000)


@pytest.fixture
def people(context: None, client: FlaskClient) -> list[Caller]:
    """A hundred customers."""
    return [caller(client, name=f"Customer {number}") for number in range(100)]


def wish(product_id: int, *, slot: int | None = None, **more: Any) -> dict[str, Any]:
    """The body of an order of one piece, delivered in a slot if one is named."""
    delivery = {"slot_id": slot, "address": "Moi Avenue 12", "phone": "+254733000001"} if slot else None
    return {"items": [{"product_id": product_id, "quantity": 1}], "delivery": delivery, **more}


def order_at_once(people: list[Caller], body: dict[str, Any]) -> list[TestResponse]:
    """The answers to one order of each of them, sixteen at a time."""
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda person: person.post("/orders/", json=body), people))


def outcomes(answers: list[TestResponse]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status_code, answer.json.get("code")) for answer in answers)


def count(run_sql: Sql, table: str) -> int:
    return run_sql(f"SELECT count(*) FROM {table}")[0][0]


def wait_until_one_waits_for_another(run_sql: Sql) -> None:
    """Wait until somebody waits for a lock of somebody who waits for a lock, too."""
    wait_until(lambda: run_sql(_WAITS_FOR_WAITING) != [(0,)], "somebody waits for somebody who waits")


def wait_until_blocked_by(run_sql: Sql, connection: Connection) -> None:
    """Wait until somebody waits for a lock of this connection."""
    [(pid,)] = connection.exec_driver_sql("SELECT pg_backend_pid()")
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))"
    wait_until(lambda: run_sql(blocked, pid=pid) != [(0,)], "somebody waits for this connection")


_WAITS_FOR_WAITING = """
    SELECT count(*) FROM pg_stat_activity AS one JOIN pg_stat_activity AS other
    ON other.pid = ANY(pg_blocking_pids(one.pid)) WHERE other.wait_event_type = 'Lock'
"""


def test_of_a_hundred_who_want_a_slot_of_ten_ten_get_it(people: list[Caller], flour: int, run_sql: Sql) -> None:
    slot = make_slot(capacity=10)
    make_promotion(code="TEN", usage_limit=100)
    answers = order_at_once(people, wish(flour, slot=slot, coupon="TEN"))
    assert outcomes(answers) == {(201, None): 10, (409, "slot_full"): 90}
    # Who has no place has used up no coupon, no goods, and is told nothing.
    assert held(run_sql) == ([10], [10])
    assert count(run_sql, "orders") == 10
    assert count(run_sql, "order_discounts") == 10
    assert run_sql("SELECT stock FROM products") == [(Decimal(990),)]
    assert run_sql("SELECT count(*) FROM notifications WHERE recipient = 'owner@shop.example'") == [(10,)]
    assert_holdings_are_right(run_sql)
    assert_ledgers_are_right(run_sql)


def test_of_a_hundred_who_want_a_coupon_of_five_five_get_it(people: list[Caller], flour: int, run_sql: Sql) -> None:
    slot = make_slot(capacity=100)
    make_promotion(code="TEN", usage_limit=5)
    answers = order_at_once(people, wish(flour, slot=slot, coupon="TEN"))
    assert outcomes(answers) == {(201, None): 5, (409, "coupon_used_up"): 95}
    assert {answer.json["total"] for answer in answers if answer.status_code == 201} == {"320.10"}
    assert held(run_sql) == ([5], [5])
    assert count(run_sql, "orders") == 5
    assert run_sql("SELECT stock FROM products") == [(Decimal(995),)]
    assert_holdings_are_right(run_sql)


def test_a_coupon_of_once_per_customer_is_used_once_by_twenty_orders_at_once(
    customer: Caller, other_customer: Caller, flour: int, run_sql: Sql
) -> None:
    make_promotion(code="TEN", usage_limit_per_customer=1)
    body = wish(flour, coupon="TEN")
    answers = order_at_once([customer] * 20, body)
    assert outcomes(answers) == {(201, None): 1, (409, "coupon_already_used"): 19}
    assert count(run_sql, "order_discounts") == 1
    assert run_sql("SELECT stock FROM products") == [(Decimal(999),)]
    assert other_customer.post("/orders/", json=body).status_code == 201


def test_of_twenty_orders_at_once_no_more_stay_unpaid_than_may(
    customer: Caller, other_customer: Caller, flour: int, app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: Sql
) -> None:
    monkeypatch.setitem(app.config, "MAX_OPEN_UNPAID_ORDERS", 3)
    answers = order_at_once([customer] * 20, wish(flour))
    assert outcomes(answers) == {(201, None): 3, (409, "too_many_open_orders"): 17}
    refused = [answer.json for answer in answers if answer.status_code == 409]
    assert {(problem["limit"], problem["open_orders"]) for problem in refused} == {(3, 3)}
    assert count(run_sql, "orders") == 3
    assert run_sql("SELECT stock FROM products") == [(Decimal(997),)]
    assert other_customer.post("/orders/", json=wish(flour)).status_code == 201


def test_orders_that_are_paid_or_over_do_not_count_as_unpaid(
    customer: Caller, staff: Caller, flour: int, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_OPEN_UNPAID_ORDERS", 1)
    paid = place(customer, {flour: 1})
    assert customer.post("/orders/", json=wish(flour)).json["code"] == "too_many_open_orders"
    path = f"/orders/{paid['id']}/payments"
    assert staff.post(path, json={"amount": "188.99"}).status_code == 201
    assert customer.post("/orders/", json=wish(flour)).json["code"] == "too_many_open_orders"
    assert staff.post(path, json={"amount": "0.01"}).status_code == 201
    # Not paid at the door, which is between shop and customer; it is not open any more.
    move(staff, place(customer, {flour: 1}), "delivered", collected="0.00")
    cancelled = place(customer, {flour: 1})
    customer.post(f"/orders/{cancelled['id']}/cancel")
    shipped = place(customer, {flour: 1})
    move(staff, shipped, "shipped")
    answer = customer.post("/orders/", json=wish(flour))
    assert (answer.status_code, answer.json["open_orders"], answer.json["limit"]) == (409, 1, 1)


@pytest.mark.parametrize("limit", [0, 4])
def test_three_unpaid_orders_may_be_open_where_more_may(
    customer: Caller, flour: int, app: Flask, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setitem(app.config, "MAX_OPEN_UNPAID_ORDERS", limit)
    for _ in range(4):
        place(customer, {flour: 1})


def test_a_slot_past_its_cutoff_takes_no_order(customer: Caller, flour: int, run_sql: Sql) -> None:
    slot = make_slot(cutoff_at=datetime.now(UTC) - timedelta(seconds=1))
    for path in ("/orders/quote", "/orders/"):
        body = wish(flour, slot=slot)
        delivery = body["delivery"] if path == "/orders/" else {"slot_id": slot}
        answer = customer.post(path, json={**body, "delivery": delivery})
        assert (answer.status_code, answer.json["code"]) == (409, "slot_closed")
    assert (count(run_sql, "orders"), held(run_sql)) == (0, ([0], []))


def test_a_slot_that_was_deleted_since_it_was_chosen_is_not_found(
    customer: Caller, admin: Caller, flour: int, run_sql: Sql
) -> None:
    slot = make_slot()
    assert customer.post("/orders/quote", json={**wish(flour), "delivery": {"slot_id": slot}}).status_code == 200
    assert admin.delete(f"/delivery/slots/{slot}").status_code == 204
    answer = customer.post("/orders/", json=wish(flour, slot=slot))
    assert (answer.status_code, list(answer.json["errors"]["delivery"])) == (422, ["slot_id"])
    assert count(run_sql, "orders") == 0


def change_price(admin: Caller, flour: int, zone: int, promotion: int) -> TestResponse:
    return admin.patch(f"/products/{flour}", json={"price": "199.00"})


def change_fee(admin: Caller, flour: int, zone: int, promotion: int) -> TestResponse:
    return admin.put(f"/delivery/zones/{zone}", json={"name": "Town", "fee": "180.00"})


def change_promotion(admin: Caller, flour: int, zone: int, promotion: int) -> TestResponse:
    return admin.put(f"/promotions/{promotion}", json={"name": "Five", "kind": "percent", "value": "5.00"})


def delete_promotion(admin: Caller, flour: int, zone: int, promotion: int) -> TestResponse:
    return admin.delete(f"/promotions/{promotion}")


@pytest.mark.parametrize(
    ("change", "total"),
    [(change_price, "329.10"), (change_fee, "350.10"), (change_promotion, "329.55"), (delete_promotion, "339.00")],
)
def test_another_total_than_the_one_quoted_is_shown_before_it_is_ordered(
    customer: Caller, admin: Caller, flour: int, run_sql: Sql, change: Callable[..., TestResponse], total: str
) -> None:
    slot = make_slot(zone := make_zone(name="Town", fee_cents=150_00))
    promotion = make_promotion()
    quote = customer.post("/orders/quote", json={**wish(flour), "delivery": {"slot_id": slot}}).json
    assert quote["total"] == "320.10"
    assert change(admin, flour, zone, promotion).status_code in (200, 204)
    body = wish(flour, slot=slot, expected_total=quote["total"])
    refused = customer.post("/orders/", json=body)
    assert (refused.status_code, refused.json["code"]) == (409, "total_changed")
    assert (refused.json["expected_total"], refused.json["total"]) == ("320.10", total)
    assert (refused.json["quote"]["total"], refused.json["quote"]["is_orderable"]) == (total, True)
    assert (count(run_sql, "orders"), held(run_sql)[0]) == (0, [0])
    assert customer.post("/orders/", json={**body, "expected_total": total}).json["total"] == total


def test_a_product_that_was_withdrawn_or_sold_since_the_quote_is_refused(
    customer: Caller, other_customer: Caller, admin: Caller, flour: int, run_sql: Sql
) -> None:
    last = make_product(name="The last one", stock=1)
    assert customer.post("/orders/quote", json=wish(last)).json["is_orderable"] is True
    place(other_customer, {last: 1})
    sold = customer.post("/orders/", json=wish(last))
    assert (sold.status_code, sold.json["code"]) == (409, "out_of_stock")
    assert admin.patch(f"/products/{flour}", json={"is_active": False}).status_code == 200
    withdrawn = customer.post("/orders/", json=wish(flour))
    assert (withdrawn.status_code, withdrawn.json["code"]) == (409, "product_unavailable")
    assert withdrawn.json["product_ids"] == [flour]
    assert count(run_sql, "orders") == 1


def answer_to_order_while(run_sql: Sql, customer: Caller, body: dict[str, Any], *statements: str) -> TestResponse:
    """The answer to an order that was priced before these statements were committed, and waits for their locks."""
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as other:
        for statement in statements:
            other.exec_driver_sql(statement)
        answer = pool.submit(customer.post, "/orders/", json=body)
        wait_until_blocked(run_sql)
        other.commit()
        return answer.result()


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [
        ("DELETE FROM delivery_slots", 409, "slot_closed"),
        ("DELETE FROM delivery_zones", 422, "validation_failed"),
        ("DELETE FROM promotions", 409, "promotion_ended"),
        ("DELETE FROM products", 409, "product_unavailable"),
        ("UPDATE products SET is_active = false", 409, "product_unavailable"),
        ("UPDATE products SET stock = 0", 409, "out_of_stock"),
        ("UPDATE delivery_slots SET booked = capacity", 409, "slot_full"),
        ("UPDATE promotions SET usage_limit = 1, used_count = 1", 409, "promotion_ended"),
    ],
)
def test_what_goes_while_an_order_is_placed_is_refused_and_nothing_is_written(
    customer: Caller, flour: int, run_sql: Sql, statement: str, status: int, code: str
) -> None:
    slot = make_slot()
    make_promotion(usage_limit=1)
    answer = answer_to_order_while(run_sql, customer, wish(flour, slot=slot), statement)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    for table in ("orders", "order_lines", "order_history", "order_discounts", "notifications"):
        assert count(run_sql, table) == 0, table
    assert run_sql("SELECT count(*) FROM stock_movements WHERE reason = 'sold'") == [(0,)]


def test_a_zone_that_goes_while_an_order_is_placed_is_named(customer: Caller, flour: int, run_sql: Sql) -> None:
    make_zone(name="Town")
    body = {**wish(flour), "delivery": {"address": "Moi Avenue 12", "phone": "+254733000001"}}
    answer = answer_to_order_while(run_sql, customer, body, "DELETE FROM delivery_zones")
    assert (answer.status_code, list(answer.json["errors"]["delivery"])) == (422, ["zone_id"])
    assert count(run_sql, "orders") == 0


@pytest.mark.parametrize(("used_up", "code"), [("TEN", "coupon_used_up"), (None, "promotion_ended")])
def test_of_a_coupon_and_an_offer_the_one_that_was_used_up_meanwhile_is_named(
    customer: Caller, flour: int, run_sql: Sql, used_up: str | None, code: str
) -> None:
    make_promotion(code="TEN", usage_limit=1)
    make_promotion(name="Flour, less 1.00", kind="fixed", value=Decimal(1), product_ids=[flour], usage_limit=1)
    condition = "code = 'TEN'" if used_up else "code IS NULL"
    statement = f"UPDATE promotions SET used_count = usage_limit WHERE {condition}"
    answer = answer_to_order_while(run_sql, customer, wish(flour, coupon="TEN"), statement)
    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert count(run_sql, "orders") == 0


@pytest.mark.parametrize("wants", ["coupon", "slot"])
def test_an_order_and_the_deletion_of_its_product_do_not_deadlock_over_what_orders_hold(
    customer: Caller, other_customer: Caller, admin: Caller, flour: int, run_sql: Sql, wants: str
) -> None:
    zone = make_zone()
    slots = [make_slot(zone), make_slot(zone, hours=30)]
    make_promotion(code="TEN", usage_limit=5)
    for slot in slots:
        place(customer, {flour: 1}, coupon="TEN", delivery=wish(flour, slot=slot)["delivery"])
    chosen = {"coupon": "TEN"} if wants == "coupon" else {"slot": slots[0]}
    body = wish(flour, **chosen)
    body["delivery"] = body["delivery"] or {"zone_id": zone, "address": "Moi Avenue 12", "phone": "+254733000001"}
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding, db.engine.connect() as holding_too:
        # The order has seen the product before it is withdrawn, and goes on to write.
        holding.exec_driver_sql("SELECT FROM delivery_zones FOR UPDATE")
        order = pool.submit(other_customer.post, "/orders/", json=body)
        wait_until_blocked(run_sql)
        # The deletion has locked coupon and first slot, and is before the product.
        holding_too.exec_driver_sql("SELECT FROM delivery_slots WHERE id = %s FOR NO KEY UPDATE", (slots[1],))
        deletion = pool.submit(admin.delete, f"/products/{flour}")
        wait_until_blocked_by(run_sql, holding_too)
        holding.commit()
        wait_until_one_waits_for_another(run_sql)
        holding_too.commit()
        answers = [deletion.result(), order.result()]
    assert [answer.status_code for answer in answers] == [204, 409]
    assert answers[1].json["code"] == "product_unavailable"
    assert run_sql("SELECT DISTINCT status, customer_id FROM orders") == [("cancelled", customer.person.id)]
    assert held(run_sql) == ([0, 0], [0])
