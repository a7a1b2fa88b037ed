"""POST /orders/{id}/reorder: what an order had goes into the cart again."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from sqlalchemy import text

from grocery.db import db
from grocery.orders.cart.schemas import ReorderSchema
from tests.orders.cart.factories import cart_of, carts, change_products, fill, items, put, quantities
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.orders.fulfilment.factories import pick
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows, stock_of, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

NOTHING = {"missing": [], "reduced": [], "repriced": []}


@pytest.fixture
def flour() -> int:
    return make_product("Flour", name="Maize Flour", price_cents=189_00, stock=Decimal(20))


@pytest.fixture
def soap() -> int:
    return make_product("Home", name="Soap", price_cents=116_00, stock=Decimal(20))


@pytest.fixture
def beef() -> int:
    kilograms = {"unit": "kg", "quantity_step": Decimal("0.25"), "stock": Decimal("5.5")}
    return make_product("Meat", name="Beef", price_cents=119_90, **kilograms)


def reorder(who: Caller, placed: dict[str, Any]) -> dict[str, Any]:
    response = who.post(f"/orders/{placed['id']}/reorder")
    assert response.status_code == 200, response.json
    return response.json


def differences(answered: dict[str, Any]) -> dict[str, Any]:
    return {name: answered[name] for name in NOTHING}


def test_an_order_goes_into_the_cart_again(customer: Caller, flour: int, beef: int) -> None:
    sent = [
        {"product_id": flour, "quantity": 2, "if_unavailable": "substitute"},
        {"product_id": beef, "quantity": 0.75, "if_unavailable": "call"},
    ]
    placed = customer.post("/orders/", json={"items": sent}).json
    answered = reorder(customer, placed)
    assert differences(answered) == NOTHING
    assert answered["cart"] == cart_of(customer)
    lines = [(item["product_id"], item["quantity"], item["if_unavailable"]) for item in answered["cart"]["items"]]
    assert sorted(lines) == [(flour, 2, "substitute"), (beef, 0.75, "call")]
    assert (answered["cart"]["total"], answered["cart"]["token"]) == ("467.93", None)
    assert items() == [(customer.person.id, flour, 2, 189_00), (customer.person.id, beef, Decimal("0.75"), 119_90)]
    assert select_rows("SELECT count(*) FROM orders") == [(1,)]
    assert stock_of(flour) == 18


def test_what_was_ordered_counts_not_what_was_picked(customer: Caller, staff: Caller, soap: int, beef: int) -> None:
    placed = place(customer, {soap: 1, beef: 2})
    lines = [item["product_id"] for item in placed["items"]]
    other = make_product("Home", name="Cheap Soap", price_cents=90_00)
    pick(staff, placed, 1.9, index=lines.index(beef))
    pick(staff, placed, 1, index=lines.index(soap), substitute_product_id=other, approved=True)
    assert differences(reorder(customer, placed)) == NOTHING
    assert quantities(cart_of(customer)) == {soap: 1, beef: 2}


def test_the_documented_fields_are_those_that_are_answered(customer: Caller, flour: int, soap: int, beef: int) -> None:
    def keys(schema: Schema) -> set[str]:
        return set(schema.fields)

    placed = place(customer, {flour: 5, soap: 1, beef: 1})
    change_products("stock = 2, price_cents = 1", [flour])
    change_products("stock = 0", [soap])
    answered, schema = reorder(customer, placed), ReorderSchema()
    assert set(answered) == keys(schema)
    for name in NOTHING:
        assert set(answered[name][0]) == keys(schema.fields[name].inner.schema)


def test_what_was_reordered_can_be_ordered(customer: Caller, flour: int, beef: int) -> None:
    placed = place(customer, {flour: 2, beef: 1.25})
    again = customer.post("/orders/", json={"expected_total": reorder(customer, placed)["cart"]["total"]})
    assert again.status_code == 201
    assert (again.json["id"] != placed["id"], again.json["total"]) == (True, placed["total"])
    assert quantities(again.json) == {flour: 2, beef: 1.25}


@pytest.mark.parametrize("status", ["confirmed", "packed", "shipped", "delivered", "cancelled"])
def test_an_order_in_any_status_can_be_ordered_again(customer: Caller, staff: Caller, flour: int, status: str) -> None:
    placed = place(customer, {flour: 2})
    move(staff, placed, status)
    assert quantities(reorder(customer, placed)["cart"]) == {flour: 2}


def test_only_ones_own_order_can_be_ordered_again(
    customer: Caller, other_customer: Caller, staff: Caller, admin: Caller, flour: int
) -> None:
    placed = place(customer, {flour: 2})
    for who in (other_customer, staff, admin):
        assert_problem(who.post(f"/orders/{placed['id']}/reorder"), 404, "not_found")
    for unknown in (999_999_999, 10**30):
        assert_problem(customer.post(f"/orders/{unknown}/reorder"), 404, "not_found")
    assert carts() == []
    own = place(staff, {flour: 3})
    assert quantities(reorder(staff, own)["cart"]) == {flour: 3}


def test_a_visitor_has_no_orders(client: FlaskClient, customer: Caller, flour: int) -> None:
    placed = place(customer, {flour: 2})
    assert_problem(client.post(f"/orders/{placed['id']}/reorder"), 401, "missing_token")
    assert carts() == []


def test_asked_twice_it_doubles_nothing(customer: Caller, flour: int, beef: int) -> None:
    placed = place(customer, {flour: 2, beef: 0.5})
    first = reorder(customer, placed)
    assert reorder(customer, placed) == first
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: reorder(customer, placed), range(4))) == [first] * 4
    assert quantities(cart_of(customer)) == {flour: 2, beef: 0.5}


def test_the_cart_has_at_least_as_much_as_the_order_had(customer: Caller, flour: int, soap: int, beef: int) -> None:
    placed = place(customer, {flour: 2, soap: 3})
    put(customer, flour, 5, if_unavailable="call")
    put(customer, soap, 1, if_unavailable="call")
    put(customer, beef, 1)
    cart = reorder(customer, placed)["cart"]
    assert quantities(cart) == {flour: 5, soap: 3, beef: 1}
    # What has to be set has what the order said; the rest stays as it is.
    assert [item["if_unavailable"] for item in cart["items"]] == ["call", "remove", "remove"]


def test_two_orders_again_are_not_added_up(customer: Caller, flour: int, soap: int) -> None:
    first, second = place(customer, {flour: 2}), place(customer, {flour: 3, soap: 1})
    reorder(customer, first)
    assert quantities(reorder(customer, second)["cart"]) == {flour: 3, soap: 1}
    assert quantities(reorder(customer, first)["cart"]) == {flour: 3, soap: 1}


def test_what_is_missing_is_named_with_its_reason(customer: Caller, flour: int, soap: int, beef: int) -> None:
    placed = place(customer, {flour: 2, soap: 1, beef: 1})
    change_products("is_active = false", [flour])
    change_products("stock = 0", [soap])
    # Less than anyone can order.
    change_products("stock = 0.249", [beef])
    answered = reorder(customer, placed)
    assert differences(answered) == {
        "missing": [
            {"product_id": flour, "name": "Maize Flour", "reason": "withdrawn"},
            {"product_id": soap, "name": "Soap", "reason": "out_of_stock"},
            {"product_id": beef, "name": "Beef", "reason": "out_of_stock"},
        ],
        "reduced": [],
        "repriced": [],
    }
    assert (answered["cart"]["items"], items()) == ([], [])


def test_what_is_short_is_reduced_to_what_is_there(customer: Caller, flour: int, beef: int) -> None:
    placed = place(customer, {flour: 5, beef: 2})
    change_products("stock = 3", [flour])
    change_products("stock = 1.6", [beef])
    answered = reorder(customer, placed)
    assert differences(answered) == {
        "missing": [],
        "reduced": [
            {"product_id": flour, "name": "Maize Flour", "quantity": {"from": 5, "to": 3}},
            {"product_id": beef, "name": "Beef", "quantity": {"from": 2, "to": 1.5}},
        ],
        "repriced": [],
    }
    assert quantities(answered["cart"]) == {flour: 3, beef: 1.5}
    assert answered["cart"]["is_orderable"] is True


def test_what_is_dearer_or_cheaper_is_named(customer: Caller, flour: int, soap: int, beef: int) -> None:
    placed = place(customer, {flour: 1, soap: 1, beef: 1})
    change_products("price_cents = 199_00", [flour])
    change_products("price_cents = 99_50", [soap])
    answered = reorder(customer, placed)
    assert differences(answered) == {
        "missing": [],
        "reduced": [],
        "repriced": [
            {"product_id": flour, "name": "Maize Flour", "unit_price": {"from": "189.00", "to": "199.00"}},
            {"product_id": soap, "name": "Soap", "unit_price": {"from": "116.00", "to": "99.50"}},
        ],
    }
    assert answered["cart"]["total"] == "418.40"
    # It is in the cart at the price of now, so nothing has changed there.
    assert [item["notices"] for item in answered["cart"]["items"]] == [[], [], []]


def test_what_is_short_and_dearer_is_both(customer: Caller, flour: int) -> None:
    placed = place(customer, {flour: 5})
    change_products("stock = 3, price_cents = 199_00, name = 'Flour'", [flour])
    assert differences(reorder(customer, placed)) == {
        "missing": [],
        # By the name that the customer knows.
        "reduced": [{"product_id": flour, "name": "Maize Flour", "quantity": {"from": 5, "to": 3}}],
        "repriced": [{"product_id": flour, "name": "Maize Flour", "unit_price": {"from": "189.00", "to": "199.00"}}],
    }


def test_a_deleted_product_is_missing(customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int) -> None:
    placed = place(customer, {flour: 2, soap: 1})
    # Lines of orders that are not packed would go with it.
    move(staff, placed, "delivered")
    assert admin.delete(f"/products/{flour}").status_code == 204
    answered = reorder(customer, placed)
    assert differences(answered) == {
        "missing": [{"product_id": None, "name": "Maize Flour", "reason": "withdrawn"}],
        "reduced": [],
        "repriced": [],
    }
    assert quantities(answered["cart"]) == {soap: 1}
    assert admin.delete(f"/products/{soap}").status_code == 204
    answered = reorder(customer, placed)
    assert [entry["name"] for entry in answered["missing"]] == ["Maize Flour", "Soap"]
    assert answered["cart"]["items"] == []


def test_kilograms_are_ordered_in_the_steps_of_now(customer: Caller, beef: int) -> None:
    placed = place(customer, {beef: 1.25})
    change_products("quantity_step = 0.5", [beef])
    answered = reorder(customer, placed)
    assert answered["reduced"] == [{"product_id": beef, "name": "Beef", "quantity": {"from": 1.25, "to": 1}}]
    assert (quantities(answered["cart"]), answered["cart"]["is_orderable"]) == ({beef: 1}, True)


def test_what_was_weighed_is_ordered_in_steps(customer: Caller, beef: int) -> None:
    placed = place(customer, {beef: 1})
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE order_lines SET quantity = 0.985"))
    answered = reorder(customer, placed)
    assert answered["reduced"] == [{"product_id": beef, "name": "Beef", "quantity": {"from": 0.985, "to": 0.75}}]
    assert quantities(answered["cart"]) == {beef: 0.75}


def test_two_lines_of_one_product_are_one_in_the_sum(customer: Caller, flour: int, soap: int) -> None:
    placed = place(customer, {flour: 2, soap: 3})
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE order_lines SET product_id = :id"), {"id": flour})
    change_products("stock = 4", [flour])
    answered = reorder(customer, placed)
    assert answered["reduced"] == [{"product_id": flour, "name": "Maize Flour", "quantity": {"from": 5, "to": 4}}]
    assert quantities(answered["cart"]) == {flour: 4}


def test_a_cart_without_room_stays_as_it_is(customer: Caller, flour: int, soap: int) -> None:
    placed = place(customer, {flour: 2, soap: 1})
    put(customer, flour, 1)
    fill(customer.person.id, 199, make_category())
    before = items()
    assert_problem(customer.post(f"/orders/{placed['id']}/reorder"), 409, "cart_full")
    assert items() == before


def test_a_product_that_is_deleted_meanwhile_is_waited_for(customer: Caller, flour: int, soap: int) -> None:
    placed = place(customer, {flour: 2, soap: 1})
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        answer = pool.submit(reorder, customer, placed)
        wait_for_a_lock()
        deleting.commit()
        answered = answer.result(60)
    assert [(entry["name"], entry["reason"]) for entry in answered["missing"]] == [("Maize Flour", "withdrawn")]
    assert quantities(answered["cart"]) == {soap: 1}
