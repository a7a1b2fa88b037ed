"""Whole walks over HTTP, each amount, movement, notice and entry of the history checked on the way."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.auth.factories import PASSWORD
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move
from tests.orders.promotions.factories import make_promotion
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]

AMINA_BY_EMAIL, AMINA_BY_SMS, OWNER = "amina@example.com", "+254733000001", "owner@shop.example"


@pytest.fixture
def slot(context: None) -> int:
    return make_slot(make_zone(name="Town", fee_cents=150_00, min_basket_cents=300_00), capacity=3, fee_cents=50_00)


def told(run_sql: Sql, after_id: int = 0) -> list[tuple[Any, ...]]:
    """Event, channel and recipient of the notices that came after this one."""
    return run_sql(
        "SELECT event, channel, recipient FROM notifications WHERE id > :id ORDER BY event, channel, recipient",
        id=after_id,
    )


def last_notice(run_sql: Sql) -> int:
    return run_sql("SELECT coalesce(max(id), 0) FROM notifications")[0][0]


def booked_and_used(run_sql: Sql) -> tuple[int, int]:
    [(booked,)], [(used,)] = run_sql("SELECT booked FROM delivery_slots"), run_sql("SELECT used_count FROM promotions")
    return booked, used


def fill_cart(client: FlaskClient, quantities: dict[int, float]) -> dict[str, str]:
    """A visitor's cart with these products; the header that opens it."""
    empty = client.get("/cart")
    visitor = {"X-Cart-Token": empty.headers["X-Cart-Token"]}
    assert (empty.json["items"], empty.json["total"], empty.json["is_orderable"]) == ([], "0.00", False)
    for product_id, quantity in quantities.items():
        answer = client.put(f"/cart/items/{product_id}", json={"quantity": quantity}, headers=visitor)
        assert answer.status_code == 200, answer.json
    return visitor


def sign_in_over_http(customer: Caller, visitor: dict[str, str]) -> None:
    """Sign in with e-mail and password, with the visitor's cart."""
    answer = customer.client.post("/auth/login", json={"email": AMINA_BY_EMAIL, "password": PASSWORD}, headers=visitor)
    assert answer.status_code == 200
    customer.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}


def entry_of(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("event", "from_status", "status", "actor_role", "note", "changed"))


def test_from_a_visitors_cart_to_a_changed_and_cancelled_order(
    client: FlaskClient,
    customer: Caller,
    staff: Caller,
    flour: int,
    soap: int,
    beef: int,
    slot: int,
    run_sql: Sql,
) -> None:
    make_promotion(code="TEN", usage_limit=5)

    # A visitor gathers goods of 583.93, of which 28.40 is VAT.
    visitor = fill_cart(client, {flour: 2, soap: 1, beef: 0.75})
    cart = client.get("/cart", headers=visitor).json
    assert [(item["product_id"], item["quantity"], item["line_total"]) for item in cart["items"]] == [
        (flour, 2, "378.00"),
        (soap, 1, "116.00"),
        (beef, 0.75, "89.93"),
    ]
    assert (cart["subtotal"], cart["discounts"], cart["vat"], cart["total"]) == ("583.93", [], "28.40", "583.93")
    assert cart["token"] == visitor["X-Cart-Token"]

    # Signing in brings the cart along; the token opens nothing any more.
    sign_in_over_http(customer, visitor)
    joined = customer.get("/cart").json
    assert (joined["items"], joined["total"], joined["token"]) == (cart["items"], "583.93", None)
    assert client.get("/cart", headers=visitor).json["items"] == []

    # A tenth less is 37.80 + 11.60 + 8.99, taken off by the cent; the delivery comes on top.
    choice = {"slot_id": slot}
    quote = customer.post("/orders/quote", json={"coupon": "ten", "delivery": choice}).json
    discounts = [{"code": "TEN", "name": "Ten percent", "amount": "58.39"}]
    assert [item["discount"] for item in quote["items"]] == ["37.80", "11.60", "8.99"]
    assert (quote["subtotal"], quote["discounts"], quote["delivery_fee"]) == ("583.93", discounts, "200.00")
    vat_classes = [
        # 104.40, 80.94 and 200.00 with 14.40, 11.16 and 27.59 of VAT.
        {"vat_class": "standard", "rate": "16.00", "gross": "385.34", "vat": "53.15"},
        {"vat_class": "zero", "rate": "0.00", "gross": "340.20", "vat": "0.00"},
    ]
    assert (quote["vat"], quote["vat_classes"], quote["total"]) == ("53.15", vat_classes, "725.54")
    assert (quote["coupon"], quote["notices"], quote["is_orderable"]) == ("TEN", [], True)
    assert (run_sql("SELECT FROM orders"), booked_and_used(run_sql), told(run_sql)) == ([], (0, 0), [])

    # What was quoted is what is placed.
    place = {"address": "Moi Avenue 12", "landmark": "near Shell, blue gate", "phone": "0733 000 001"}
    body = {"coupon": "TEN", "delivery": {**choice, **place}, "expected_total": quote["total"]}
    placed = customer.post("/orders/", json=body, headers={"Idempotency-Key": "walk"})
    assert placed.status_code == 201
    order, path = placed.json, placed.headers["Location"]
    for name in ("subtotal", "discounts", "delivery_fee", "vat", "vat_classes", "total", "coupon", "currency"):
        assert order[name] == quote[name], name
    assert (order["status"], order["paid"], order["version"]) == ("pending", "0.00", 1)
    assert (order["delivery"]["phone"], order["delivery"]["slot_id"]) == (AMINA_BY_SMS, slot)
    assert customer.get("/cart").json["items"] == []
    assert booked_and_used(run_sql) == (1, 1)
    assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"])]
    assert movements_of(soap)[1:] == [(Decimal(-1), "sold", order["id"])]
    assert movements_of(beef)[1:] == [(Decimal("-0.75"), "sold", order["id"])]
    assert told(run_sql) == [
        ("order_placed", "email", AMINA_BY_EMAIL),
        ("order_placed", "email", OWNER),
        ("order_placed", "sms", AMINA_BY_SMS),
    ]
    placed_entry = ("placed", None, "pending", "customer", None, None)
    assert [entry_of(entry) for entry in customer.get(f"{path}/history").json] == [placed_entry]

    # Staff add a piece of flour, and the customer learns what it costs now.
    before = last_notice(run_sql)
    line = next(item for item in order["items"] if item["product_id"] == flour)
    etag = staff.get(path).headers["ETag"]
    answer = staff.patch(f"{path}/lines/{line['id']}", json={"quantity": 3}, headers={"If-Match": etag})
    assert answer.status_code == 200
    changed = customer.get(path).json
    assert [(item["quantity"], item["line_total"], item["discount"]) for item in changed["items"]] == [
        (3, "567.00", "56.70"),
        (1, "116.00", "11.60"),
        (0.75, "89.93", "8.99"),
    ]
    assert (changed["subtotal"], changed["delivery_fee"]) == ("772.93", "200.00")
    assert changed["discounts"] == [{"code": "TEN", "name": "Ten percent", "amount": "77.29"}]
    assert (changed["vat"], changed["total"], changed["version"]) == ("53.15", "895.64", 2)
    assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(-1), "sold", order["id"])]
    assert (stock_of(flour), stock_of(soap), stock_of(beef)) == (Decimal(7), Decimal(9), Decimal("4.75"))
    assert booked_and_used(run_sql) == (1, 1)
    assert told(run_sql, before) == [
        ("order_changed", "email", AMINA_BY_EMAIL),
        ("order_changed", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]
    quantities = [{"name": "Maize Flour", "quantity": {"from": 2, "to": 3}}]
    changed_entry = (
        "lines",
        "pending",
        "pending",
        "staff",
        None,
        {"quantities": quantities, "total": {"from": "725.54", "to": "895.64"}},
    )
    assert [entry_of(entry) for entry in customer.get(f"{path}/history").json] == [placed_entry, changed_entry]

    # The customer wants none of it any more: all goes back, once.
    before = last_notice(run_sql)
    cancelled = customer.post(f"{path}/cancel", json={"note": "We are away"})
    assert (cancelled.status_code, cancelled.json["status"], cancelled.json["version"]) == (200, "cancelled", 3)
    assert (cancelled.json["total"], cancelled.json["allowed_statuses"]) == ("895.64", [])
    for product_id, taken, there in ((flour, 3, 10), (soap, 1, 10), (beef, "0.75", "5.5")):
        assert movements_of(product_id)[-1] == (Decimal(taken), "cancelled", order["id"])
        assert stock_of(product_id) == Decimal(there)
    assert booked_and_used(run_sql) == (0, 0)
    assert told(run_sql, before) == [
        ("order_cancelled", "email", AMINA_BY_EMAIL),
        ("order_cancelled", "email", OWNER),
        ("order_cancelled", "sms", AMINA_BY_SMS),
    ]
    cancelled_entry = ("status", "pending", "cancelled", "customer", "We are away", None)
    history = customer.get(f"{path}/history").json
    assert [entry_of(entry) for entry in history] == [placed_entry, changed_entry, cancelled_entry]
    assert [entry["actor_id"] for entry in history] == [customer.person.id, None, customer.person.id]

    # Sent again by a phone that had lost the answer: still the same order, and nothing else happens.
    again = customer.post("/orders/", json=body, headers={"Idempotency-Key": "walk"})
    assert (again.status_code, again.data) == (201, placed.data)
    assert customer.post(f"{path}/cancel").status_code == 409
    assert (booked_and_used(run_sql), stock_of(flour)) == ((0, 0), Decimal(10))
    assert run_sql("SELECT count(*) FROM notifications") == [(9,)]
    assert run_sql("SELECT count(*) FROM stock_movements") == [(3 + 3 + 1 + 3,)]


def test_from_a_visitors_cart_to_the_door_and_the_days_cash(
    client: FlaskClient,
    customer: Caller,
    staff: Caller,
    admin: Caller,
    flour: int,
    soap: int,
    slot: int,
    app: Flask,
    run_sql: Sql,
) -> None:
    make_promotion(name="Soap, 16.00 less", kind="fixed", value=Decimal(16), product_ids=[soap], usage_limit=5)

    # The token comes with the first request after signing in.
    visitor = fill_cart(client, {flour: 2, soap: 1})
    cart = customer.get("/cart", headers=visitor).json
    assert [(item["quantity"], item["discount"]) for item in cart["items"]] == [(2, "0.00"), (1, "16.00")]
    # Of the 100.00 for the soap 13.79 is VAT.
    assert (cart["subtotal"], cart["vat"], cart["total"]) == ("494.00", "13.79", "478.00")

    quote = customer.post("/orders/quote", json={"delivery": {"slot_id": slot}}).json
    assert (quote["delivery_fee"], quote["vat"], quote["total"]) == ("200.00", "41.38", "678.00")
    delivery = {"slot_id": slot, "landmark": "near Shell, blue gate", "phone": AMINA_BY_SMS}
    placed = customer.post("/orders/", json={"delivery": delivery, "expected_total": "678.00"})
    assert placed.status_code == 201
    order, path = placed.json, placed.headers["Location"]
    assert booked_and_used(run_sql) == (1, 1)

    # Confirmed and packed are told by e-mail only.
    before = last_notice(run_sql)
    assert move(staff, order, "confirmed")["version"] == 2
    assert move(staff, order, "packed")["version"] == 3
    assert told(run_sql, before) == [
        ("order_confirmed", "email", AMINA_BY_EMAIL),
        ("order_packed", "email", AMINA_BY_EMAIL),
        ("order_updated", "email", OWNER),
        ("order_updated", "email", OWNER),
    ]
    assert customer.post(f"{path}/cancel").json["code"] == "illegal_transition"
    refused = staff.post(f"{path}/lines", json={"product_id": flour, "quantity": 1})
    assert (refused.status_code, refused.json["code"]) == (409, "not_editable")

    before = last_notice(run_sql)
    move(staff, order, "shipped", note="Rider: Otieno")
    assert told(run_sql, before) == [
        ("order_shipped", "email", AMINA_BY_EMAIL),
        ("order_shipped", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]

    # More than is due is not taken; less is, and shows in the day's cash.
    path_of_status = f"{path}/status"
    too_much = staff.patch(path_of_status, json={"status": "delivered", "collected": "678.01"})
    assert (too_much.status_code, too_much.json["code"], too_much.json["due"]) == (
        409,
        "payment_exceeds_total",
        "678.00",
    )
    before = last_notice(run_sql)
    delivered = move(admin, order, "delivered", collected="670.00", collected_by=staff.person.id)
    assert (delivered["status"], delivered["paid"], delivered["total"]) == ("delivered", "670.00", "678.00")
    assert (delivered["version"], delivered["allowed_statuses"]) == (5, [])
    assert told(run_sql, before) == [
        ("order_delivered", "email", AMINA_BY_EMAIL),
        ("order_delivered", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]

    history = staff.get(f"{path}/history").json
    assert [entry_of(entry) for entry in history] == [
        ("placed", None, "pending", "customer", None, None),
        ("status", "pending", "confirmed", "staff", None, None),
        ("status", "confirmed", "packed", "staff", None, None),
        ("status", "packed", "shipped", "staff", "Rider: Otieno", None),
        ("status", "shipped", "delivered", "admin", None, None),
    ]
    assert [entry["actor_id"] for entry in history] == [
        customer.person.id,
        *[staff.person.id] * 3,
        admin.person.id,
    ]

    [payment] = staff.get(f"{path}/payments").json
    assert (payment["kind"], payment["amount"], payment["order_number"]) == ("capture", "670.00", order["number"])
    assert (payment["collector_id"], payment["actor_id"]) == (staff.person.id, admin.person.id)
    day = datetime.fromisoformat(payment["at"]).astimezone(app.config["TIMEZONE"]).date()
    assert admin.get(f"/reports/cash-up?day={day}").json == [
        {
            "collector_id": staff.person.id,
            "collector": "Njeri Staff",
            "orders": 1,
            "collected": "670.00",
            "refunded": "0.00",
            "net": "670.00",
            "expected": "678.00",
            "difference": "-8.00",
            "currency": "KES",
        }
    ]

    # The goods are gone, the place and the offer stay used, and the amounts are those that were quoted.
    read = customer.get(path).json
    for name in ("subtotal", "discounts", "delivery_fee", "vat", "vat_classes", "total"):
        assert read[name] == quote[name], name
    assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"])]
    assert movements_of(soap)[1:] == [(Decimal(-1), "sold", order["id"])]
    assert (stock_of(flour), stock_of(soap), booked_and_used(run_sql)) == (Decimal(8), Decimal(9), (1, 1))
    assert run_sql("SELECT count(*) FROM notifications") == [(3 + 4 + 3 + 3,)]
