"""Changes of a cart that are refused: they change nothing, and say why."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.orders.cart.factories import Visitor, carts, change_products, fill, items, put, quantities
from tests.orders.conftest import Caller
from tests.problems import assert_problem
from tests.products.factories import make_category
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    ("product", "quantity"),
    [
        ("flour", 0),
        ("flour", -1),
        ("flour", 0.0001),
        ("flour", 10**9),
        ("flour", 10_001),
        ("flour", 1.5),
        ("flour", "2"),
        ("flour", True),
        ("flour", None),
        ("flour", [2]),
        ("flour", 10**18),
        ("beef", 0.3),
        ("beef", 0.001),
        ("beef", 1.1),
    ],
)
def test_a_quantity_that_makes_no_sense_changes_nothing(
    visitor: Visitor, customer: Caller, flour: int, beef: int, product: str, quantity: Any
) -> None:
    path = f"/cart/items/{ {'flour': flour, 'beef': beef}[product] }"
    assert_refused(customer.put(path, json={"quantity": quantity}), "quantity")
    assert (carts(), items()) == ([], [])
    put(visitor, flour, 2)
    put(visitor, beef, 1)
    before = items()
    assert_refused(visitor.put(path, json={"quantity": quantity, "if_unavailable": "call"}), "quantity")
    assert items() == before
    assert select_rows("SELECT DISTINCT if_unavailable FROM cart_items") == [("remove",)]


def assert_refused(response: Any, *fields: str) -> None:
    assert_problem(response, 422, "validation_failed")
    assert sorted(response.json["errors"]) == sorted(fields)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["quantity"]),
        ({"quantity": 1, "if_unavailable": "pray"}, ["if_unavailable"]),
        ({"quantity": 1, "price": "1.00"}, ["price"]),
        ({"quantity": 1, "product_id": 7}, ["product_id"]),
        ([], ["_schema"]),
    ],
)
def test_a_body_that_makes_no_sense_changes_nothing(visitor: Visitor, flour: int, body: Any, fields: list[str]) -> None:
    assert_refused(visitor.put(f"/cart/items/{flour}", json=body), *fields)
    assert (carts(), items()) == ([], [])


@pytest.mark.parametrize("product_id", [999_999_999, 2**63, 10**30])
@pytest.mark.parametrize("body", [{"quantity": 1}, {"quantity": -1}, {}, None])
def test_an_unknown_product_is_told_before_what_is_wrong_with_the_body(
    visitor: Visitor, product_id: int, body: Any
) -> None:
    assert_problem(visitor.put(f"/cart/items/{product_id}", json=body), 404, "not_found")
    assert carts() == []


def test_what_is_withdrawn_cannot_be_put_in(visitor: Visitor, flour: int) -> None:
    change_products("is_active = false", [flour])
    response = visitor.put(f"/cart/items/{flour}", json={"quantity": 1})
    assert_problem(response, 409, "product_unavailable")
    assert response.json["product_ids"] == [flour]
    assert carts() == []


def test_a_withdrawn_product_can_be_taken_out(visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 1)
    change_products("is_active = false", [flour])
    assert visitor.delete(f"/cart/items/{flour}").status_code == 204
    assert items() == []


def test_a_cart_has_room_for_200_products(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 1)
    fill(None, 199, make_category())
    response = visitor.put(f"/cart/items/{beef}", json={"quantity": 1})
    assert_problem(response, 409, "cart_full")
    assert response.json["limit"] == 200
    assert len(items()) == 200
    # What is in already can be changed, and what goes makes room.
    assert quantities(put(visitor, flour, 2))[flour] == 2
    visitor.delete(f"/cart/items/{flour}")
    assert len(put(visitor, beef, 1)["items"]) == 200


def test_a_bad_access_token_is_refused_and_not_taken_for_a_visitor(client: FlaskClient, app: Flask) -> None:
    response = client.get("/cart", headers={"Authorization": "Bearer a.b.c"})
    assert (response.status_code, response.json["code"]) == (401, "invalid_token")
