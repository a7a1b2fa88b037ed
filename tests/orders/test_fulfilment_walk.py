"""The walk of an order over HTTP, from the basket to what comes back: every amount, movement, notice and paper."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.orders.conftest import Caller, caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.documents.paper import amounts_in, assert_invoice_is_order, text_of
from tests.orders.factories import move
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_walk import (
    AMINA_BY_EMAIL,
    AMINA_BY_SMS,
    OWNER,
    booked_and_used,
    entry_of,
    last_notice,
    told,
)
from tests.products.factories import make_product
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


def sums_of(order: dict[str, Any]) -> tuple[Any, ...]:
    """Subtotal, discount, delivery fee, VAT and total."""
    [discount] = order["discounts"]
    return order["subtotal"], discount["amount"], order["delivery_fee"], order["vat"], order["total"]


def lines_of(order: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("name", "quantity", "picked_quantity", "unit_price", "line_total", "discount", "short_reason")
    return [tuple(line[name] for name in names) for line in order["items"]]


def vat_classes_of(order: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["vat_class"], one["gross"], one["vat"]) for one in order["vat_classes"]]


def test_from_the_basket_to_the_door_and_partly_back(
    app: Flask, context: None, client: FlaskClient, customer: Caller, staff: Caller, admin: Caller, run_sql: Sql
) -> None:
    rider = caller(client, name="Otieno Rider", role="staff")
    flour = make_product("Flour", name="Maize Flour", price_cents=189_00, vat_class="zero")
    soap = make_product("Home", name="Soap", price_cents=116_00)
    bar = make_product("Home", name="Bar Soap", price_cents=120_00)
    step = Decimal("0.25")
    beef = make_product("Meat", name="Beef", unit="kg", quantity_step=step, price_cents=119_90, stock=Decimal("5.5"))
    make_promotion(code="TEN", usage_limit=5, product_ids=[flour, beef])
    slot = make_slot(make_zone(fee_cents=150_00), capacity=3, fee_cents=50_00)

    # Goods for 699.93, a tenth off flour and beef, 200.00 for the way. VAT: 32.00 + 11.16 for goods, 27.59 for the way.
    items = [
        {"product_id": flour, "quantity": 2},
        {"product_id": soap, "quantity": 2, "if_unavailable": "substitute"},
        {"product_id": beef, "quantity": 0.75},
    ]
    delivery = {"slot_id": slot, "address": "Moi Avenue 12", "landmark": "blue gate", "phone": AMINA_BY_SMS}
    body = {"items": items, "coupon": "TEN", "delivery": delivery, "expected_total": "853.14"}
    placed = customer.post("/orders/", json=body)
    assert placed.status_code == 201, placed.json
    order, path = placed.json, placed.headers["Location"]
    assert lines_of(order) == [
        ("Maize Flour", 2, None, "189.00", "378.00", "37.80", None),
        ("Soap", 2, None, "116.00", "232.00", "0.00", None),
        ("Beef", 0.75, None, "119.90", "89.93", "8.99", None),
    ]
    assert sums_of(order) == ("699.93", "46.79", "200.00", "70.75", "853.14")
    assert vat_classes_of(order) == [("standard", "512.94", "70.75"), ("zero", "340.20", "0.00")]
    assert booked_and_used(run_sql) == (1, 1)
    assert told(run_sql) == [
        ("order_placed", "email", AMINA_BY_EMAIL),
        ("order_placed", "email", OWNER),
        ("order_placed", "sms", AMINA_BY_SMS),
    ]
    assert_invoice_is_order(text_of(customer, order), order, due="853.14")

    # One flour is there; the soap is spoiled, and another one, that is dearer, costs no more; the beef weighs 0.8 kg.
    before = last_notice(run_sql)
    flour_line, soap_line, beef_line = (f"{path}/lines/{line['id']}/pick" for line in order["items"])
    picked = staff.post(flour_line, json={"picked_quantity": 1, "reason": "not_found"})
    assert (picked.status_code, sums_of(picked.json)) == (200, ("510.93", "27.89", "200.00", "70.75", "683.04"))
    picked = staff.post(soap_line, json={"picked_quantity": 2, "substitute_product_id": bar, "reason": "damaged"})
    assert (picked.status_code, sums_of(picked.json)) == (200, ("510.93", "27.89", "200.00", "70.75", "683.04"))
    picked = staff.post(beef_line, json={"picked_quantity": 0.8})
    assert (picked.status_code, picked.json["version"]) == (200, 4)
    order = customer.get(path).json
    assert lines_of(order) == [
        ("Maize Flour", 2, 1, "189.00", "189.00", "18.90", "not_found"),
        ("Soap", 2, 0, "116.00", "0.00", "0.00", "damaged"),
        ("Beef", 0.75, 0.8, "119.90", "95.92", "9.59", None),
        ("Bar Soap", 2, 2, "116.00", "232.00", "0.00", None),
    ]
    assert order["items"][3]["substitute_for"] == order["items"][1]["id"]
    assert sums_of(order) == ("516.92", "28.49", "200.00", "71.50", "688.43")
    assert vat_classes_of(order) == [("standard", "518.33", "71.50"), ("zero", "170.10", "0.00")]
    order_id = order["id"]
    assert movements_of(flour)[1:] == [
        (Decimal(-2), "sold", order_id),
        (Decimal(1), "cancelled", order_id),
        (Decimal(-9), "counted", None),
    ]
    assert movements_of(soap)[1:] == [
        (Decimal(-2), "sold", order_id),
        (Decimal(2), "cancelled", order_id),
        (Decimal(-2), "damaged", None),
    ]
    assert movements_of(bar)[1:] == [(Decimal(-2), "sold", order_id)]
    assert movements_of(beef)[1:] == [(Decimal("-0.75"), "sold", order_id), (Decimal("-0.05"), "sold", order_id)]
    assert told(run_sql, before) == []

    # What has changed is told once, when it is packed.
    packed = move(staff, order, "packed")
    assert (packed["version"], sums_of(packed)) == (5, sums_of(order))
    assert told(run_sql, before) == [
        ("order_changed", "email", AMINA_BY_EMAIL),
        ("order_changed", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]
    [(sms,)] = run_sql("SELECT body FROM notifications WHERE event = 'order_changed' AND channel = 'sms'")
    assert sms == (
        f"Test Grocer: order {order['number']} has changed. Only 1 x Maize Flour. 2 x Bar Soap instead of Soap. "
        "New total: KES 688.43."
    )
    slip = text_of(staff, order, "packing-slip")
    assert amounts_in(slip) == ["688.43"]
    for part in ("To collect KES 688.43", "Maize Flour", "instead of Soap", "0.8 kg", "blue gate"):
        assert part in slip, part

    # Otieno takes it along.
    before = last_notice(run_sql)
    planned = staff.post("/delivery/runs", json={"rider_id": rider.person.id, "order_ids": [order_id]})
    assert (planned.status_code, planned.json["to_collect"]) == (201, "688.43")
    run = rider.post(f"/delivery/runs/{planned.json['id']}/depart").json
    [stop] = run["stops"]
    assert {name: stop[name] for name in ("order_id", "status", "phone", "landmark", "items", "to_collect")} == {
        "order_id": order_id,
        "status": "shipped",
        "phone": AMINA_BY_SMS,
        "landmark": "blue gate",
        "items": 3,
        "to_collect": "688.43",
    }
    assert told(run_sql, before) == [
        ("order_shipped", "email", AMINA_BY_EMAIL),
        ("order_shipped", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]

    before = last_notice(run_sql)
    delivered = move(rider, order, "delivered", received_by="Wanjiru", collected="600.00")
    assert (delivered["paid"], delivered["delivery"]["received_by"], delivered["version"]) == ("600.00", "Wanjiru", 7)
    assert told(run_sql, before) == [
        ("order_delivered", "email", AMINA_BY_EMAIL),
        ("order_delivered", "sms", AMINA_BY_SMS),
        ("order_updated", "email", OWNER),
    ]
    assert_invoice_is_order(text_of(customer, order), delivered, due="88.43")
    assert rider.get(f"/delivery/runs/{run['id']}").json["to_collect"] == "88.43"

    # A bar of soap comes back, good as new, and 0.3 kg of beef that smell: half of 232.00, three eighths of 86.33.
    before = last_notice(run_sql)
    returned = staff.post(
        f"{path}/returns",
        json={
            "items": [
                {"line_id": order["items"][3]["id"], "quantity": 1, "is_restocked": True},
                {"line_id": order["items"][2]["id"], "quantity": 0.3},
            ],
            "reason": "spoiled",
            "is_paid_back": True,
        },
    )
    assert returned.status_code == 201
    made = returned.json
    assert (made["number"], made["refund"], made["vat"]) == (f"{order['number']}-R1", "148.37", "20.47")
    assert {line["name"]: line["amount"] for line in made["items"]} == {"Bar Soap": "116.00", "Beef": "32.37"}
    assert customer.get(f"{path}/returns").json == [made]
    assert told(run_sql, before) == []
    assert movements_of(bar)[2:] == [(Decimal(1), "returned", order_id)]
    assert movements_of(beef)[3:] == [(Decimal("0.3"), "returned", order_id), (Decimal("-0.3"), "damaged", None)]
    stocks = [stock_of(product_id) for product_id in (flour, soap, bar, beef)]
    assert stocks == [Decimal(0), Decimal(8), Decimal(9), Decimal("4.7")]

    # The invoice says what was delivered, less the credit note; still the 88.43 are due.
    final = customer.get(path).json
    assert (sums_of(final), final["paid"], final["version"]) == (sums_of(delivered), "451.63", 8)
    assert_invoice_is_order(text_of(customer, order), final, due="88.43", credit_note="-148.37")
    note = text_of(customer, order, f"returns/{made['id']}/credit-note")
    assert f"Credit note {made['number']}" in note
    assert f"For invoice {order['number']}" in note
    assert amounts_in(note) == sorted(
        ["116.00", "116.00", "119.90", "32.37", "16.00", "148.37", "20.47", "20.47", "148.37"]
    )

    assert [entry_of(entry) for entry in staff.get(f"{path}/history").json] == [
        ("placed", None, "pending", "customer", None, None),
        _picked("853.14", "683.04", picked=_entry("Maize Flour", 2, 1, "not_found")),
        _picked("683.04", "683.04", substituted={"name": "Soap", "by": "Bar Soap", "quantity": 2}),
        _picked("683.04", "688.43", picked=_entry("Beef", 0.75, 0.8, None)),
        ("status", "pending", "confirmed", "staff", None, None),
        ("status", "confirmed", "packed", "staff", None, None),
        ("status", "packed", "shipped", "staff", None, None),
        ("status", "shipped", "delivered", "staff", None, None),
        (
            "returned",
            "delivered",
            "delivered",
            "staff",
            None,
            {"returned": [{"name": "Bar Soap", "quantity": 1}, {"name": "Beef", "quantity": 0.3}]},
        ),
    ]
    actors = [entry["actor_id"] for entry in staff.get(f"{path}/history").json]
    assert actors == [customer.person.id, *[staff.person.id] * 5, *[rider.person.id] * 2, staff.person.id]

    captured, refunded = staff.get(f"{path}/payments").json
    assert (captured["kind"], captured["amount"], captured["collector_id"]) == ("capture", "600.00", rider.person.id)
    assert (refunded["kind"], refunded["amount"], refunded["collector_id"]) == ("refund", "148.37", staff.person.id)
    day = datetime.fromisoformat(captured["at"]).astimezone(app.config["TIMEZONE"]).date()
    cash = admin.get(f"/reports/cash-up?day={day}").json
    assert [(one["collector"], one["net"], one["expected"], one["difference"]) for one in cash] == [
        ("Njeri Staff", "-148.37", "0.00", "0.00"),
        ("Otieno Rider", "600.00", "688.43", "-88.43"),
    ]
    assert booked_and_used(run_sql) == (1, 1)
    assert run_sql("SELECT count(*) FROM notifications") == [(12,)]
    assert run_sql("SELECT count(*) FROM stock_movements") == [(4 + 3 + 3 + 2 + 4,)]


def _picked(before: str, after: str, **changed: dict[str, Any]) -> tuple[Any, ...]:
    """The entry of the history for a pick that changed the total."""
    entries = {name: [entry] for name, entry in changed.items()}
    return ("lines", "pending", "pending", "staff", None, {**entries, "total": {"from": before, "to": after}})


def _entry(name: str, ordered: float, picked: float, reason: str | None) -> dict[str, Any]:
    return {"name": name, "ordered": ordered, "picked": picked, "reason": reason}
