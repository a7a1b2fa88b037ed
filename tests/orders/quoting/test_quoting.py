"""POST /orders/quote: what an order would cost, and what stands in its way, without placing it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema

from grocery.db import Base
from grocery.orders.schemas import QuoteSchema
from tests.orders.cart.factories import HEADER, cart_of, change_products, put, quantities, visit
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.orders.quoting.factories import ask, items, notices_of_items, quote, save_address
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]

UNKNOWN = 999_999_999


def count_rows(run_sql: Sql) -> dict[str, int]:
    """The rows of all tables."""
    names = sorted(table.name for table in Base.metadata.sorted_tables)
    return {name: run_sql(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}


# What a quote and an order have in common.
AMOUNTS = ("subtotal", "discounts", "delivery_fee", "vat", "vat_classes", "total", "currency", "coupon")
OF_A_LINE = ("product_id", "sku", "name", "quantity", "unit", "unit_price", "line_total", "discount", "vat_rate")


def common(document: dict[str, Any]) -> dict[str, Any]:
    lines = [{name: item[name] for name in (*OF_A_LINE, "if_unavailable")} for item in document["items"]]
    delivery = {name: document["delivery"][name] for name in ("method", "zone_id", "slot_id")}
    return {**{name: document[name] for name in AMOUNTS}, "items": lines, "delivery": delivery}


def test_a_quote_is_a_breakdown_to_the_cent(client: FlaskClient, flour: int, soap: int, beef: int) -> None:
    zone = make_zone(fee_cents=150_00)
    slot = make_slot(zone, fee_cents=24_00)
    make_promotion(name="Flour days", product_ids=[flour], value=Decimal(5))
    make_promotion(name="Welcome", code="KARIBU", kind="fixed", value=Decimal("50.00"))
    quoted = quote(
        client, {beef: 0.75, flour: 2, soap: 1}, coupon="karibu", delivery={"zone_id": zone, "slot_id": slot}
    )
    # 89.93 + 378.00 + 116.00; 18.90 off the flour, then 50.00 off what is left: 89.93, 359.10, 116.00.
    lines = [(item["product_id"], item["line_total"], item["discount"]) for item in quoted.pop("items")]
    assert lines == [(beef, "89.93", "7.96"), (flour, "378.00", "50.68"), (soap, "116.00", "10.26")]
    assert quoted == {
        "subtotal": "583.93",
        "discounts": [
            {"code": None, "name": "Flour days", "amount": "18.90"},
            {"code": "KARIBU", "name": "Welcome", "amount": "50.00"},
        ],
        "delivery_fee": "174.00",
        # 14.59 of 105.74 for the soap, 24.00 of 174.00 for the delivery.
        "vat": "38.58",
        "vat_classes": [
            {"vat_class": "standard", "rate": "16.00", "gross": "279.74", "vat": "38.58"},
            {"vat_class": "zero", "rate": "0.00", "gross": "327.32", "vat": "0.00"},
            {"vat_class": "exempt", "rate": "0.00", "gross": "81.97", "vat": "0.00"},
        ],
        "total": "689.03",
        "currency": "KES",
        "coupon": "KARIBU",
        "delivery": {"method": "delivery", "zone_id": zone, "slot_id": slot},
        "notices": [],
        "is_orderable": True,
    }


def test_the_documented_fields_are_those_that_are_answered(client: FlaskClient, flour: int) -> None:
    def keys(schema: Schema) -> set[str]:
        return set(schema.fields)

    quoted, schema = quote(client, {flour: 1}), QuoteSchema()
    assert set(quoted) == keys(schema)
    assert set(quoted["items"][0]) == keys(schema.fields["items"].inner.schema)
    assert set(quoted["delivery"]) == keys(schema.fields["delivery"].schema)


@pytest.mark.parametrize("has_coupon", [True, False])
@pytest.mark.parametrize("way", ["pickup", "zone", "slot", "address"])
def test_an_order_costs_what_its_quote_says(
    customer: Caller, flour: int, soap: int, beef: int, way: str, has_coupon: bool
) -> None:
    zone = make_zone(fee_cents=149_99, free_from_cents=10_000_00)
    slot = make_slot(zone, fee_cents=33_33)
    make_promotion(name="3 for 2", kind="buy_x_get_y", buy_quantity=2, get_quantity=1, product_ids=[flour, soap])
    make_promotion(name="Welcome", code="KARIBU", value=Decimal("7.77"))
    make_promotion(name="Free ride", kind="free_delivery", min_basket_cents=10_00)
    delivery = {
        "pickup": None,
        "zone": {"zone_id": zone},
        "slot": {"slot_id": slot},
        "address": {"address_id": save_address(customer, zone_id=zone)},
    }[way]
    body = {"coupon": "KARIBU" if has_coupon else None}
    wanted = {beef: 1.75, soap: 2, flour: 3}
    quoted = quote(customer, wanted, **body, delivery=delivery)
    place = delivery and {"address": "Moi Avenue 12", "phone": "0712 345 678", **delivery}
    expected = {"expected_total": quoted["total"]}
    placed = customer.post("/orders/", json={"items": items(wanted), **body, "delivery": place, **expected})
    assert placed.status_code == 201, placed.json
    assert common(placed.json) == common(quoted)
    assert len(quoted["discounts"]) == 1 + has_coupon + (way != "pickup")


def test_an_order_of_the_cart_costs_what_cart_and_quote_say(customer: Caller, flour: int, beef: int) -> None:
    make_promotion(name="Flour days", product_ids=[flour], value=Decimal("3.33"))
    put(customer, beef, 0.75, if_unavailable="call")
    put(customer, flour, 7)
    change_products("price_cents = 199_99", [flour])
    cart, quoted = cart_of(customer), quote(customer)
    shared = [name for name in AMOUNTS if name != "coupon"]
    assert {name: cart[name] for name in (*shared, "items")} == {name: quoted[name] for name in (*shared, "items")}
    assert notices_of_items(quoted) == [[], [{"code": "price_changed", "from": "189.00", "to": "199.99"}]]
    placed = customer.post("/orders/", json={"expected_total": quoted["total"]})
    assert placed.status_code == 201, placed.json
    assert common(placed.json) == common(quoted)


def test_a_visitor_gets_a_quote_of_the_tokens_cart(client: FlaskClient, flour: int) -> None:
    visitor = visit(client)
    put(visitor, flour, 2)
    quoted = quote(visitor)
    assert (quantities(quoted), quoted["total"], quoted["is_orderable"]) == ({flour: 2}, "378.00", True)


def test_items_go_before_the_cart(client: FlaskClient, flour: int, soap: int) -> None:
    visitor = visit(client)
    put(visitor, flour, 2)
    assert quantities(quote(visitor, {soap: 1})) == {soap: 1}
    assert quantities(quote(visitor)) == {flour: 2}


def test_a_visitor_without_anything_gets_a_quote_of_nothing(client: FlaskClient, customer: Caller) -> None:
    zone = make_zone(fee_cents=150_00)
    make_promotion()
    for who in (client, customer):
        assert quote(who, delivery={}) == {
            "items": [],
            "subtotal": "0.00",
            "discounts": [],
            "delivery_fee": "0.00",
            "vat": "0.00",
            "vat_classes": [],
            "total": "0.00",
            "currency": "KES",
            "coupon": None,
            "delivery": {"method": "delivery", "zone_id": zone, "slot_id": None},
            "notices": [],
            "is_orderable": False,
        }


def test_a_product_asked_for_twice_is_quoted_in_the_sum(client: FlaskClient, flour: int) -> None:
    sent = {"items": [*items({flour: 2}), *items({flour: 3})]}
    quoted = client.post("/orders/quote", json=sent).json
    assert (quantities(quoted), quoted["total"]) == ({flour: 5}, "945.00")


def test_a_quote_writes_nothing(client: FlaskClient, customer: Caller, flour: int, run_sql: Sql) -> None:
    slot = make_slot()
    limited = make_promotion(code="KARIBU", usage_limit=5)
    put(customer, flour, 1)
    before = count_rows(run_sql)
    for who in (client, customer):
        wanted = {"coupon": "KARIBU", "delivery": {"slot_id": slot}}
        assert quote(who, {flour: 2}, **wanted)["is_orderable"] is True
        assert ask(who, **wanted).status_code == (200 if who is customer else 409)
        assert ask(who, {UNKNOWN: 1}).status_code == 422
    assert count_rows(run_sql) == before
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]
    assert run_sql("SELECT booked FROM delivery_slots") == [(0,)]
    assert run_sql("SELECT used_count FROM promotions WHERE id = :id", id=limited) == [(0,)]


def test_what_is_short_or_withdrawn_is_noted_and_not_orderable(
    client: FlaskClient, flour: int, soap: int, beef: int
) -> None:
    change_products("is_active = false", [soap])
    change_products("stock = 0", [beef])
    quoted = quote(client, {flour: 11, soap: 1, beef: 0.5})
    assert notices_of_items(quoted) == [
        [{"code": "not_enough_stock", "available": 10}],
        [{"code": "withdrawn"}],
        [{"code": "out_of_stock"}],
    ]
    assert [item["available"] for item in quoted["items"]] == [10, 0, 0]
    # 11 flour, and half a kilogram of beef; the soap counts nothing.
    assert (quoted["subtotal"], quoted["items"][1]["line_total"]) == ("2138.95", "0.00")
    assert quoted["is_orderable"] is False


@pytest.mark.parametrize("wanted", [{"flour": 11}, {"soap": 1}, {"flour": 1, "soap": 1}])
def test_one_item_that_is_short_or_withdrawn_is_enough(
    client: FlaskClient, flour: int, soap: int, wanted: dict[str, float]
) -> None:
    change_products("is_active = false", [soap])
    ids = {"flour": flour, "soap": soap}
    assert quote(client, {ids[name]: quantity for name, quantity in wanted.items()})["is_orderable"] is False
    assert quote(client, {flour: 10})["is_orderable"] is True


@pytest.mark.parametrize(
    ("product", "quantity"),
    [
        ("flour", 0),
        ("flour", -1),
        ("flour", 0.0001),
        ("flour", 10**9),
        ("flour", 1.5),
        ("flour", "2"),
        ("flour", True),
        ("flour", None),
        ("beef", 0.3),
    ],
)
def test_a_quantity_that_makes_no_sense_is_named_by_its_place(
    client: FlaskClient, flour: int, beef: int, soap: int, product: str, quantity: Any
) -> None:
    response = ask(client, {soap: 1, {"flour": flour, "beef": beef}[product]: quantity})
    assert_problem(response, 422, "validation_failed")
    assert list(response.json["errors"]["items"]) == ["1"]
    assert list(response.json["errors"]["items"]["1"]) == ["quantity"]


def test_an_unknown_product_is_named_by_its_place(client: FlaskClient, flour: int) -> None:
    response = ask(client, {flour: 1, UNKNOWN: 1})
    assert_problem(response, 422, "unknown_product")
    assert response.json["errors"] == {"items": {"1": {"product_id": ["Unknown product."]}}}


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": None, "coupon": ""},
        {"coupon": "x" * 41},
        {"coupon": 7},
        {"delivery": {"method": "drone"}},
        {"delivery": {"zone_id": "1"}},
        {"delivery": {"method": "pickup", "zone_id": 1}},
        {"delivery": {"method": "pickup", "slot_id": 1}},
        {"delivery": {"method": "pickup", "address_id": 1}},
        {"delivery": {"slot_id": 2**63}},
        {"delivery": []},
        {"total": "1.00"},
        [],
        None,
    ],
)
def test_a_body_that_makes_no_sense_is_refused(client: FlaskClient, body: Any) -> None:
    assert_problem(client.post("/orders/quote", json=body), 422, "validation_failed")


def test_a_token_that_is_none_gets_no_quote(client: FlaskClient, flour: int) -> None:
    response = client.post("/orders/quote", json={"items": items({flour: 1})}, headers={HEADER: "guessed"})
    assert_problem(response, 404, "cart_not_found")


def test_a_cart_with_a_quantity_that_is_no_longer_sold_is_quoted_and_cannot_be_ordered(
    customer: Caller, run_sql: Sql
) -> None:
    product = make_product(unit="kg", quantity_step=Decimal("0.25"))
    assert customer.put(f"/cart/items/{product}", json={"quantity": 0.75}).status_code == 200
    run_sql("UPDATE products SET quantity_step = 0.5")
    quoted = customer.post("/orders/quote", json={})
    assert quoted.status_code == 200
    assert quoted.json["items"][0]["notices"] == [{"code": "quantity_not_sold", "step": 0.5}]
    assert quoted.json["is_orderable"] is False
    assert customer.post("/orders/", json={}).status_code == 422


def test_who_has_free_delivery_by_a_promotion_is_not_told_to_buy_more_for_it(customer: Caller, run_sql: Sql) -> None:
    run_sql("INSERT INTO delivery_zones (name, fee_cents, free_from_cents) VALUES ('Town', 15000, 300000)")
    make_promotion(kind="free_delivery", value=0)
    items = [{"product_id": make_product(), "quantity": 1}]
    quoted = customer.post("/orders/quote", json={"items": items, "delivery": {"method": "delivery"}}).json
    assert (quoted["delivery_fee"], quoted["discounts"][0]["amount"], quoted["total"]) == ("150.00", "150.00", "100.00")
    assert quoted["notices"] == []
