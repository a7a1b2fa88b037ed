"""Pick lists: in the order of the shelves, for one order or for many at once."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.fulfilment.factories import pick
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour(context: None) -> int:
    return make_product("flour/Maize", name="Maize Flour", sku="FLR", price_cents=189_00)


@pytest.fixture
def beef(context: None) -> int:
    return make_product("Meat", name="Beef", sku="BEEF", unit="kg", quantity_step=Decimal("0.25"))


def to_pick(staff: Caller, query: str = "") -> Any:
    response = staff.get(f"/picking{query}")
    assert response.status_code == 200, response.json
    return response.json


def names(picks: list[dict[str, Any]]) -> list[str]:
    return [product["name"] for product in picks]


def test_the_list_of_an_order_goes_by_category_and_name(
    customer: Caller, staff: Caller, soap: int, flour: int, beef: int
) -> None:
    brush = make_product("Home", name="brush", sku="BRUSH")
    order = place(customer, {soap: 3, beef: 0.5, flour: 1, brush: 2}, note="Ripe, please")
    by_product = {line["product_id"]: line["id"] for line in order["items"]}
    untouched = {
        "picked_quantity": None,
        "if_unavailable": "remove",
        "substitute_for": None,
        "short_reason": None,
    }
    response = staff.get(f"/orders/{order['id']}/pick-list")
    assert response.status_code == 200
    assert response.json == {
        "order_id": order["id"],
        "number": order["number"],
        "note": "Ripe, please",
        "items": [
            {
                "id": by_product[product_id],
                "product_id": product_id,
                "sku": sku,
                "name": name,
                "quantity": quantity,
                "unit": unit,
                "category": category,
                **untouched,
            }
            for product_id, sku, name, quantity, unit, category in (
                (flour, "FLR", "Maize Flour", 1, "each", "flour/Maize"),
                (brush, "BRUSH", "brush", 2, "each", "Home"),
                (soap, "SOAP", "Soap", 3, "each", "Home"),
                (beef, "BEEF", "Beef", 0.5, "kg", "Meat"),
            )
        ],
    }


def test_what_was_picked_is_shown(customer: Caller, staff: Caller, soap: int, flour: int) -> None:
    order = place(customer, {soap: 3})
    pick(staff, order, 1, reason="damaged")
    pick(staff, order, 1, substitute_product_id=flour, approved=True)
    substitute, original = staff.get(f"/orders/{order['id']}/pick-list").json["items"]
    assert (original["picked_quantity"], original["short_reason"], original["substitute_for"]) == (1, "damaged", None)
    assert (substitute["name"], substitute["picked_quantity"]) == ("Maize Flour", 1)
    assert substitute["substitute_for"] == original["id"] == order["items"][0]["id"]


def test_a_packed_order_keeps_its_list(customer: Caller, staff: Caller, soap: int) -> None:
    order = place(customer, {soap: 3})
    move(staff, order, "packed")
    [line] = staff.get(f"/orders/{order['id']}/pick-list").json["items"]
    assert (line["quantity"], line["picked_quantity"]) == (3, 3)


def test_only_staff_see_pick_lists(client: FlaskClient, customer: Caller, staff: Caller, soap: int) -> None:
    order = place(customer, {soap: 1})
    for path in (f"/orders/{order['id']}/pick-list", "/picking"):
        assert client.get(path).status_code == 401
        assert customer.get(path).status_code == 403
    assert staff.get("/orders/999999999/pick-list").status_code == 404


def test_many_orders_are_picked_product_by_product(
    customer: Caller, other_customer: Caller, staff: Caller, soap: int, flour: int, beef: int
) -> None:
    first = place(customer, {soap: 3, beef: 0.5})
    second = place(other_customer, {soap: 2, flour: 1, beef: 0.75})
    move(staff, second, "confirmed")
    pick(staff, second, 1)
    picks = to_pick(staff)
    assert picks == [
        {
            "category": "flour/Maize",
            "product_id": flour,
            "sku": "FLR",
            "name": "Maize Flour",
            "unit": "each",
            "quantity": 1,
            "lines": [line_of(second, 1, None)],
        },
        {
            "category": "Home",
            "product_id": soap,
            "sku": "SOAP",
            "name": "Soap",
            "unit": "each",
            "quantity": 5,
            "lines": [line_of(first, 0, None), line_of(second, 0, 1)],
        },
        {
            "category": "Meat",
            "product_id": beef,
            "sku": "BEEF",
            "name": "Beef",
            "unit": "kg",
            "quantity": 1.25,
            "lines": [line_of(first, 1, None), line_of(second, 2, None)],
        },
    ]


def line_of(order: dict[str, Any], index: int, picked: float | None) -> dict[str, Any]:
    line = order["items"][index]
    return {
        "order_id": order["id"],
        "number": order["number"],
        "line_id": line["id"],
        "quantity": line["quantity"],
        "picked_quantity": picked,
        "if_unavailable": "remove",
    }


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled"])
def test_what_is_packed_or_over_is_not_to_be_picked(
    customer: Caller, staff: Caller, soap: int, flour: int, status: str
) -> None:
    packed = place(customer, {soap: 3})
    place(customer, {flour: 1})
    move(staff, packed, status)
    assert names(to_pick(staff)) == ["Maize Flour"]
    assert to_pick(staff, f"?order_id={packed['id']}") == []


def test_the_orders_of_a_slot_or_chosen_ones(customer: Caller, staff: Caller, soap: int, flour: int, beef: int) -> None:
    slot = make_slot(make_zone())
    delivered = place(customer, {soap: 1}, delivery={"slot_id": slot, "address": "Moi Avenue 12"})
    second = place(customer, {flour: 1})
    third = place(customer, {beef: 0.5, soap: 1})
    assert names(to_pick(staff, f"?slot_id={slot}")) == ["Soap"]
    assert names(to_pick(staff, f"?order_id={second['id']}")) == ["Maize Flour"]
    [_, both] = to_pick(staff, f"?order_id={second['id']}&order_id={delivered['id']}")
    assert (both["name"], both["quantity"]) == ("Soap", 1)
    assert names(to_pick(staff, f"?slot_id={slot}&order_id={third['id']}")) == []
    assert names(to_pick(staff, "?slot_id=999999999")) == []
    assert len(to_pick(staff)[1]["lines"]) == 2


def test_earlier_slots_come_first_within_a_product(customer: Caller, staff: Caller, soap: int) -> None:
    zone = make_zone()
    orders = [
        place(customer, {soap: 1}),
        *(
            place(customer, {soap: 1}, delivery={"slot_id": make_slot(zone, hours=hours), "address": "Moi Avenue 12"})
            for hours in (30, 24)
        ),
    ]
    [product] = to_pick(staff)
    assert [line["order_id"] for line in product["lines"]] == [orders[2]["id"], orders[1]["id"], orders[0]["id"]]


@pytest.mark.parametrize("query", ["?slot_id=x", "?order_id=x", "?order_id=1&order_id=0", "?slot_id=-1"])
def test_filters_that_are_no_ids_are_refused(staff: Caller, query: str) -> None:
    assert staff.get(f"/picking{query}").status_code == 422


def test_nothing_to_pick_is_an_empty_list(staff: Caller) -> None:
    assert to_pick(staff) == []


def test_the_command_prints_the_list(app: Flask, customer: Caller, staff: Caller, soap: int, beef: int) -> None:
    order = place(customer, {soap: 3, beef: 0.5})
    pick(staff, order, 1)
    result = app.test_cli_runner().invoke(args=["orders", "pick-list", order["number"].lower()])
    assert (result.exit_code, [" ".join(line.split()) for line in result.stdout.splitlines()]) == (
        0,
        [
            "QUANTITY UNIT PRODUCT CATEGORY PICKED IF UNAVAILABLE",
            "3 each Soap Home 1 remove",
            "0.5 kg Beef Meat remove",
        ],
    )


def test_the_command_prints_json(app: Flask, customer: Caller, staff: Caller, soap: int) -> None:
    order = place(customer, {soap: 3})
    result = app.test_cli_runner().invoke(args=["orders", "pick-list", order["number"], "--json"])
    assert json.loads(result.stdout) == staff.get(f"/orders/{order['id']}/pick-list").json


def test_the_command_says_that_there_is_no_such_order(app: Flask, context: None) -> None:
    result = app.test_cli_runner().invoke(args=["orders", "pick-list", "G-000000"])
    assert (result.exit_code, result.stderr) == (1, "Error: There is no order G-000000.\n")
