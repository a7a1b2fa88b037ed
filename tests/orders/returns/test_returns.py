"""Goods that come back after delivery: /orders/{id}/returns."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.db import transaction
from grocery.orders.actors import Actor
from grocery.orders.returns.service import take_back as take_back_goods
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.delivery.factories import make_zone
from tests.orders.documents.paper import text_of
from tests.orders.factories import move, place
from tests.orders.promotions.factories import make_promotion
from tests.problems import assert_problem
from tests.products.factories import make_product
from tests.products.inventory.factories import make_lot, remaining
from tests.products.ledger import movements_of, stock_of

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]
Order = dict[str, Any]


@pytest.fixture
def soap(context: None) -> int:
    return make_product("Home", name="Soap", price_cents=116_00)


@pytest.fixture
def beef(context: None) -> int:
    return make_product(
        "Meat", name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=119_90, vat_class="zero"
    )


@pytest.fixture
def order(customer: Caller, staff: Caller, soap: int, beef: int) -> Order:
    """Three pieces of soap and 1.25 kg of beef with 33.33 percent off, for 331.94 and 150.00 for the way; delivered.

    The soap costs 348.00 less 115.99, with 32.00 of VAT; the beef 149.88 less 49.95.
    """
    make_promotion(value=Decimal("33.33"))
    delivery = {"zone_id": make_zone(fee_cents=150_00), "address": "Moi Avenue 12"}
    return move(staff, place(customer, {soap: 3, beef: 1.25}, delivery=delivery), "delivered")


def line_of(order: Order, name: str) -> dict[str, Any]:
    [line] = [line for line in order["items"] if line["name"] == name]
    return line


def item(order: Order, name: str, quantity: float, **more: Any) -> dict[str, Any]:
    return {"line_id": line_of(order, name)["id"], "quantity": quantity, **more}


def send(staff: Caller, order: Order, *items: dict[str, Any], **more: Any) -> Any:
    return staff.post(f"/orders/{order['id']}/returns", json={"items": list(items), "reason": "spoiled", **more})


def take_back(staff: Caller, order: Order, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = send(staff, order, *items, **more)
    assert answer.status_code == 201, answer.json
    return answer.json


def counts(run_sql: Sql) -> list[tuple[Any, ...]]:
    """All that a refusal must leave as it was."""
    return run_sql("""
        SELECT (SELECT json_agg(orders ORDER BY id)::text FROM orders), (SELECT count(*) FROM order_returns),
               (SELECT count(*) FROM order_return_lines), (SELECT count(*) FROM order_history),
               (SELECT count(*) FROM payments), (SELECT count(*) FROM stock_movements)
    """)


def test_a_return_says_what_came_back_and_what_is_paid_for_it(
    staff: Caller, order: Order, soap: int, beef: int, run_sql: Sql
) -> None:
    assert [(line["line_total"], line["discount"]) for line in order["items"]] == [
        ("348.00", "115.99"),
        ("149.88", "49.95"),
    ]
    made = take_back(
        staff,
        order,
        item(order, "Soap", 1, is_restocked=True),
        item(order, "Beef", 0.5),
        reason="Wrong_Item",
        note="  Ordered bar soap  ",
    )
    soap_line, beef_line = line_of(order, "Soap")["id"], line_of(order, "Beef")["id"]
    # 232.01 / 3 = 77.336…, and 99.93 × 0.5 / 1.25 = 39.972.
    assert made == {
        "id": made["id"],
        "order_id": order["id"],
        "number": f"{order['number']}-R1",
        "reason": "wrong_item",
        "note": "Ordered bar soap",
        "refund": "117.31",
        "vat": "10.67",
        "items": [
            {"line_id": soap_line, "name": "Soap", "quantity": 1, "is_restocked": True, "amount": "77.34"},
            {"line_id": beef_line, "name": "Beef", "quantity": 0.5, "is_restocked": False, "amount": "39.97"},
        ],
        "created_at": made["created_at"],
    }
    assert run_sql("SELECT amount_cents, vat_cents FROM order_return_lines ORDER BY line_id") == [
        (77_34, 10_67),
        (39_97, 0),
    ]
    assert movements_of(soap)[1:] == [(Decimal(-3), "sold", order["id"]), (Decimal(1), "returned", order["id"])]
    assert movements_of(beef)[2:] == [(Decimal("0.5"), "returned", order["id"]), (Decimal("-0.5"), "damaged", None)]
    assert (stock_of(soap), stock_of(beef)) == (Decimal(8), Decimal("8.75"))


def test_parts_of_a_line_add_up_to_what_was_paid_for_it(staff: Caller, order: Order, run_sql: Sql) -> None:
    parts = [take_back(staff, order, item(order, "Soap", 1)) for _ in range(3)]
    assert [(part["refund"], part["vat"]) for part in parts] == [
        ("77.34", "10.67"),
        ("77.33", "10.66"),
        ("77.34", "10.67"),
    ]
    assert run_sql("SELECT sum(amount_cents), sum(vat_cents) FROM order_return_lines") == [(232_01, 32_00)]
    weighed = [take_back(staff, order, item(order, "Beef", kilograms)) for kilograms in (0.333, 0.001, 0.916)]
    assert [part["refund"] for part in weighed] == ["26.62", "0.08", "73.23"]
    assert send(staff, order, item(order, "Soap", 1)).status_code == 422
    assert send(staff, order, item(order, "Beef", 0.001)).status_code == 422


def test_the_order_stays_delivered_with_all_of_its_amounts(
    staff: Caller, customer: Caller, order: Order, run_sql: Sql
) -> None:
    before = run_sql("SELECT count(*) FROM notifications")
    made = take_back(staff, order, item(order, "Soap", 1), note="Wet")
    read = staff.get(f"/orders/{order['id']}").json
    assert read == {**order, "version": order["version"] + 1, "updated_at": read["updated_at"]}
    assert read["updated_at"] > order["updated_at"]
    entry = customer.get(f"/orders/{order['id']}/history").json[-1]
    assert {name: entry[name] for name in ("event", "from_status", "status", "actor_role", "note", "changed")} == {
        "event": "returned",
        "from_status": "delivered",
        "status": "delivered",
        "actor_role": "staff",
        "note": "Wet",
        "changed": {"returned": [{"name": "Soap", "quantity": 1}]},
    }
    assert run_sql("SELECT actor_id FROM order_returns") == [(staff.person.id,)]
    assert (made["number"], run_sql("SELECT count(*) FROM notifications")) == (f"{order['number']}-R1", before)


def test_returns_are_numbered_within_their_order(staff: Caller, customer: Caller, order: Order, soap: int) -> None:
    other = move(staff, place(customer, {soap: 1}), "delivered")
    numbers = [take_back(staff, one, item(one, "Soap", 1))["number"] for one in (order, other, order)]
    assert numbers == [f"{order['number']}-R1", f"{other['number']}-R1", f"{order['number']}-R2"]


def test_owner_and_staff_see_what_came_back_and_nobody_else(
    client: FlaskClient, staff: Caller, customer: Caller, other_customer: Caller, order: Order
) -> None:
    path = f"/orders/{order['id']}/returns"
    assert customer.get(path).json == []
    made = [take_back(staff, order, item(order, name, 1)) for name in ("Soap", "Beef")]
    assert customer.get(path).json == staff.get(path).json == made
    assert_problem(other_customer.get(path), 404, "not_found")
    assert client.get(path).status_code == 401
    assert customer.post(path, json={}).status_code == 403
    assert client.post(path, json={}).status_code == 401
    unknown = f"/orders/{2**63 - 1}/returns"
    assert_problem(staff.get(unknown), 404, "not_found")
    assert_problem(staff.post(unknown, json={"x": 1}), 404, "not_found")


def test_the_credit_note_says_what_the_return_does(
    staff: Caller, customer: Caller, other_customer: Caller, order: Order
) -> None:
    made = take_back(staff, order, item(order, "Soap", 1), item(order, "Beef", 0.5))
    text = text_of(customer, order, f"returns/{made['id']}/credit-note")
    for part in (
        f"Credit note {made['number']}",
        f"For invoice {order['number']}",
        "Soap 1 116.00 77.34",
        "Beef 0.5 kg 119.90 39.97",
        "Standard 16.00 % 77.34 10.67",
        "Refund KES 117.31",
    ):
        assert part in text, part
    path = f"/orders/{order['id']}/returns/{made['id']}/credit-note"
    assert_problem(other_customer.get(path), 404, "not_found")
    assert f"Credit note {made['number']} -117.31" in text_of(customer, order)


def test_a_refund_that_was_paid_is_in_the_days_cash(
    app: Flask, staff: Caller, admin: Caller, order: Order, run_sql: Sql
) -> None:
    made = take_back(admin, order, item(order, "Soap", 2), is_paid_back=True)
    assert (made["refund"], staff.get(f"/orders/{order['id']}").json["paid"]) == ("154.67", "327.27")
    [captured, refunded] = staff.get(f"/orders/{order['id']}/payments").json
    assert (captured["kind"], captured["amount"], captured["collector_id"]) == ("capture", "481.94", staff.person.id)
    assert {name: refunded[name] for name in ("kind", "amount", "collector_id", "actor_id", "note")} == {
        "kind": "refund",
        "amount": "154.67",
        "collector_id": admin.person.id,
        "actor_id": admin.person.id,
        "note": "spoiled",
    }
    day = datetime.fromisoformat(refunded["at"]).astimezone(app.config["TIMEZONE"]).date()
    entries = admin.get(f"/reports/cash-up?day={day}").json
    assert [(one["collector"], one["collected"], one["refunded"], one["difference"]) for one in entries] == [
        ("Mwangi Admin", "0.00", "154.67", "0.00"),
        ("Njeri Staff", "481.94", "0.00", "0.00"),
    ]


def test_without_a_word_no_money_is_noted(staff: Caller, order: Order) -> None:
    take_back(staff, order, item(order, "Soap", 2))
    assert len(staff.get(f"/orders/{order['id']}/payments").json) == 1
    assert staff.get(f"/orders/{order['id']}").json["paid"] == "481.94"


def test_no_payment_is_noted_for_goods_that_cost_nothing(staff: Caller, customer: Caller) -> None:
    make_promotion(value=Decimal(100))
    order = move(staff, place(customer, {make_product(name="Gift"): 1}), "delivered")
    made = take_back(staff, order, item(order, "Gift", 1), is_paid_back=True)
    assert (made["refund"], made["vat"]) == ("0.00", "0.00")
    assert staff.get(f"/orders/{order['id']}/payments").json == []


def test_no_more_is_paid_back_than_was_paid(staff: Caller, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = move(staff, place(customer, {soap: 3}), "delivered", collected="116.00")
    before = counts(run_sql)
    answer = send(staff, order, item(order, "Soap", 2), is_paid_back=True)
    assert_problem(answer, 409, "refund_exceeds_paid")
    assert (answer.json["paid"], counts(run_sql), stock_of(soap)) == ("116.00", before, Decimal(7))
    # It can come back all the same; the customer owes less.
    assert take_back(staff, order, item(order, "Soap", 2))["refund"] == "232.00"
    assert "Due 0.00" in text_of(customer, order)


@pytest.mark.parametrize("status", [None, "confirmed", "packed", "shipped", "cancelled"])
def test_nothing_comes_back_of_what_was_not_delivered(
    staff: Caller, customer: Caller, soap: int, status: str | None, run_sql: Sql
) -> None:
    order = place(customer, {soap: 1})
    if status:
        move(staff, order, status)
    before = counts(run_sql)
    answer = send(staff, order, item(order, "Soap", 1))
    assert_problem(answer, 409, "not_delivered")
    assert (answer.json["current"], counts(run_sql)) == (status or "pending", before)


def test_what_cannot_come_back_is_named_and_nothing_does(
    staff: Caller, customer: Caller, order: Order, soap: int, run_sql: Sql
) -> None:
    take_back(staff, order, item(order, "Soap", 2), item(order, "Beef", 1))
    other = move(staff, place(customer, {soap: 1}), "delivered")
    before = counts(run_sql)
    line, quantity = ["The order has no such line."], "quantity"
    cases = [
        ([item(order, "Soap", 2)], {"0": {quantity: ["No more than 1 can come back."]}}),
        ([item(order, "Beef", 0.251)], {"0": {quantity: ["No more than 0.25 can come back."]}}),
        ([item(order, "Soap", 1), item(order, "Soap", 1)], {"1": {"line_id": ["Each line once."]}}),
        ([item(order, "Beef", 0.1), item(other, "Soap", 1)], {"1": {"line_id": line}}),
        ([{"line_id": 2**63 - 1, quantity: 1}], {"0": {"line_id": line}}),
        (
            [item(order, "Soap", 0.5), item(order, "Beef", 0.1)],
            {"0": {quantity: ["Must be a whole number: the product is sold by piece."]}},
        ),
    ]
    for items, errors in cases:
        answer = send(staff, order, *items)
        assert_problem(answer, 422, "validation_failed")
        assert answer.json["errors"] == {"items": errors}
    assert counts(run_sql) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"line_id": 1, "quantity": 0}]}, "items"),
        ({"items": [{"line_id": 1, "quantity": -1}]}, "items"),
        ({"items": [{"line_id": 1}]}, "items"),
        ({"reason": None}, "reason"),
        ({"reason": "because"}, "reason"),
        ({"note": "x" * 501}, "note"),
        ({"is_paid_back": "yes"}, "is_paid_back"),
        ({"refund": "1.00"}, "refund"),
    ],
)
def test_a_return_that_makes_no_sense_is_refused(
    staff: Caller, order: Order, body: dict[str, Any], field: str, run_sql: Sql
) -> None:
    before = counts(run_sql)
    answer = staff.post(
        f"/orders/{order['id']}/returns", json={"items": [item(order, "Soap", 1)], "reason": "other", **body}
    )
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert counts(run_sql) == before


def test_only_what_was_picked_comes_back(staff: Caller, customer: Caller, soap: int, beef: int) -> None:
    order = place(customer, {soap: 3, beef: 1.25})
    for name, picked in (("Soap", 0), ("Beef", 1.3)):
        path = f"/orders/{order['id']}/lines/{line_of(order, name)['id']}/pick"
        assert staff.post(path, json={"picked_quantity": picked, "reason": "unwanted"}).status_code == 200
    move(staff, order, "delivered")
    answer = send(staff, order, item(order, "Soap", 1), item(order, "Beef", 1.301))
    assert answer.json["errors"]["items"] == {
        "0": {"quantity": ["No more than 0 can come back."]},
        "1": {"quantity": ["No more than 1.3 can come back."]},
    }
    # 1.3 kg at 119.90.
    assert take_back(staff, order, item(order, "Beef", 1.3, is_restocked=True))["refund"] == "155.87"
    assert (stock_of(soap), stock_of(beef)) == (Decimal(10), Decimal(10))


def test_what_is_written_off_is_not_taken_from_the_lots_on_the_shelf(staff: Caller, customer: Caller) -> None:
    milk = make_product(name="Milk", stock=0)
    lot = make_lot(milk, 10, days=5)
    order = move(staff, place(customer, {milk: 4}), "delivered")
    take_back(staff, order, item(order, "Milk", 3))
    assert (remaining(lot), stock_of(milk)) == ([Decimal(6)], Decimal(6))


def test_goods_of_a_product_that_was_deleted_come_back_to_no_stock(
    staff: Caller, admin: Caller, order: Order, soap: int, run_sql: Sql
) -> None:
    assert admin.delete(f"/products/{soap}").status_code == 204
    before = run_sql("SELECT count(*) FROM stock_movements")
    assert take_back(staff, order, item(order, "Soap", 1, is_restocked=True))["refund"] == "77.34"
    assert run_sql("SELECT count(*) FROM stock_movements") == before


def test_of_many_who_take_the_same_goods_back_at_once_one_does(
    staff: Caller, order: Order, soap: int, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda _: send(staff, order, item(order, "Soap", 2, is_restocked=True), is_paid_back=True), range(4)
        )
        assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 3}
    assert run_sql("SELECT number, refund_cents FROM order_returns") == [(f"{order['number']}-R1", 154_67)]
    assert (stock_of(soap), run_sql("SELECT paid_cents FROM orders")) == (Decimal(9), [(327_27,)])


def test_who_waits_for_a_return_sees_what_it_left(staff: Caller, order: Order, run_sql: Sql) -> None:
    first = {"line_id": line_of(order, "Soap")["id"], "quantity": Decimal(2), "is_restocked": True}
    actor = Actor(staff.person.id, "staff")
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            take_back_goods(session, order["id"], [first], actor, reason="other", note=None, is_paid_back=False)
            waiting = pool.submit(send, staff, order, item(order, "Soap", 1))
            wait_until_blocked(run_sql)
        answer = waiting.result()
    assert (answer.status_code, answer.json["number"], answer.json["refund"]) == (201, f"{order['number']}-R2", "77.34")


def test_the_books_keep_returns_of_customers_who_are_erased(
    staff: Caller, admin: Caller, customer: Caller, order: Order, run_sql: Sql
) -> None:
    first = take_back(staff, order, item(order, "Soap", 2), is_paid_back=True)
    second = take_back(staff, order, item(order, "Beef", 0.5), note="Amina says it smells")
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    kept = run_sql("SELECT number, order_number, currency, refund_cents, vat_cents FROM returns_ledger ORDER BY id")
    assert kept == [
        (first["number"], order["number"], "KES", 154_67, 21_33),
        (second["number"], order["number"], "KES", 39_97, 0),
    ]
    assert run_sql("SELECT order_number, total_cents, cash_cents FROM sales_ledger") == [
        (order["number"], 481_94, 327_27)
    ]
    assert run_sql("SELECT kind, amount_cents, order_id FROM payments ORDER BY id") == [
        ("capture", 481_94, None),
        ("refund", 154_67, None),
    ]
    for table in ("order_returns", "order_return_lines", "orders"):
        assert run_sql(f"SELECT FROM {table}") == []
    columns = run_sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'returns_ledger'")
    assert {name for (name,) in columns} == {
        "id",
        "number",
        "order_number",
        "currency",
        "refund_cents",
        "vat_cents",
        "created_at",
    }
