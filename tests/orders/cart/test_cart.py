"""What is in a cart, as it is shown and changed."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from sqlalchemy import text

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from grocery.orders.cart.schemas import CartSchema
from tests.conftest import IsolatedClient
from tests.orders.cart.factories import HEADER, Visitor, cart_of, carts, change_products, fill, items, put, quantities
from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.orders.promotions.factories import make_promotion
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

EMPTY = {
    "items": [],
    "subtotal": "0.00",
    "discounts": [],
    "delivery_fee": "0.00",
    "vat": "0.00",
    "vat_classes": [],
    "total": "0.00",
    "currency": "KES",
    "notices": [],
    "is_orderable": False,
}


def notices(cart: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Those of each item."""
    return [item["notices"] for item in cart["items"]]


def test_a_visitor_is_given_a_token_and_an_empty_cart_that_leaves_no_row(client: FlaskClient) -> None:
    response = client.get("/cart")
    assert response.status_code == 200
    token = response.headers[HEADER]
    assert response.json == {"token": token, **EMPTY}
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get("/cart").headers[HEADER] != token
    assert client.get("/cart", headers={HEADER: token}).json == {"token": token, **EMPTY}
    assert (carts(), items()) == ([], [])


def test_a_customer_has_a_cart_without_a_token(customer: Caller, flour: int) -> None:
    response = customer.get("/cart")
    assert (response.json, HEADER in response.headers) == ({"token": None, **EMPTY}, False)
    assert carts() == []
    response = customer.put(f"/cart/items/{flour}", json={"quantity": 1})
    assert (response.status_code, response.json["token"], HEADER in response.headers) == (200, None, False)
    assert carts() == [(customer.person.id,)]


def test_putting_something_in_makes_the_row_and_answers_the_cart(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 2, if_unavailable="substitute")
    answered = visitor.put(f"/cart/items/{beef}", json={"quantity": 0.75})
    assert (answered.status_code, answered.headers[HEADER]) == (200, visitor.token)
    assert answered.json == {
        "token": visitor.token,
        "items": [
            {
                "product_id": flour,
                "sku": "FLR",
                "name": "Maize Flour 2 kg",
                "quantity": 2,
                "unit": "each",
                "unit_price": "189.00",
                "line_total": "378.00",
                "discount": "0.00",
                "vat_rate": "0.00",
                "if_unavailable": "substitute",
                "available": 10,
                "notices": [],
            },
            {
                "product_id": beef,
                "sku": "BEEF",
                "name": "Beef",
                "quantity": 0.75,
                "unit": "kg",
                "unit_price": "119.90",
                "line_total": "89.93",
                "discount": "0.00",
                "vat_rate": "16.00",
                "if_unavailable": "remove",
                "available": 5.5,
                "notices": [],
            },
        ],
        "subtotal": "467.93",
        "discounts": [],
        "delivery_fee": "0.00",
        "vat": "12.40",
        "vat_classes": [
            {"vat_class": "standard", "rate": "16.00", "gross": "89.93", "vat": "12.40"},
            {"vat_class": "zero", "rate": "0.00", "gross": "378.00", "vat": "0.00"},
        ],
        "total": "467.93",
        "currency": "KES",
        "notices": [],
        "is_orderable": True,
    }
    assert cart_of(visitor) == answered.json
    assert (carts(), items()) == ([(None,)], [(None, flour, 2, 189_00), (None, beef, Decimal("0.75"), 119_90)])


def test_the_documented_fields_are_those_that_are_answered(visitor: Visitor, flour: int) -> None:
    def keys(schema: Schema) -> set[str]:
        return set(schema.fields)

    cart, schema = put(visitor, flour, 1), CartSchema()
    assert set(cart) == keys(schema)
    assert set(cart["items"][0]) == keys(schema.fields["items"].inner.schema)


def test_a_visitor_without_a_token_is_given_one_with_the_first_thing_put_in(client: FlaskClient, flour: int) -> None:
    response = client.put(f"/cart/items/{flour}", json={"quantity": 2})
    assert (response.status_code, response.headers[HEADER]) == (200, response.json["token"])
    assert quantities(cart_of(Visitor(client, response.json["token"]))) == {flour: 2}
    assert carts() == [(None,)]


def test_a_cart_outlives_the_process(visitor: Visitor, customer: Caller, settings: Settings, flour: int) -> None:
    put(visitor, flour, 2)
    put(customer, flour, 3)
    restarted = create_app(settings)
    client = IsolatedClient(restarted, restarted.response_class)
    assert quantities(cart_of(Visitor(client, visitor.token))) == {flour: 2}
    assert quantities(cart_of(Caller(client, customer.person, customer.headers))) == {flour: 3}


def test_only_the_hash_of_a_token_is_kept(visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 1)
    [(kept,)] = select_rows("SELECT token_hash FROM carts")
    assert (len(kept), kept in visitor.token, visitor.token in kept) == (64, False, False)


def test_items_stand_in_the_order_in_which_they_were_put_in(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, beef, 1)
    put(visitor, flour, 1)
    put(visitor, beef, 2)
    assert list(quantities(cart_of(visitor)).items()) == [(beef, 2), (flour, 1)]


def test_prices_and_stock_are_those_of_now(visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    change_products("price_cents = 200_50, stock = 7, name = 'Maize Flour'", [flour])
    cart = cart_of(visitor)
    [item] = cart["items"]
    assert (item["name"], item["unit_price"], item["line_total"], item["available"]) == (
        "Maize Flour",
        "200.50",
        "401.00",
        7,
    )
    assert (cart["subtotal"], cart["total"]) == ("401.00", "401.00")
    assert (item["notices"], cart["is_orderable"]) == (
        [{"code": "price_changed", "from": "189.00", "to": "200.50"}],
        True,
    )


def test_automatic_promotions_are_in_the_cart(visitor: Visitor, flour: int) -> None:
    make_promotion(name="Ten off", product_ids=[flour])
    make_promotion(name="A coupon", code="KARIBU", value=Decimal(50))
    cart = put(visitor, flour, 2)
    assert cart["discounts"] == [{"code": None, "name": "Ten off", "amount": "37.80"}]
    assert (cart["items"][0]["discount"], cart["subtotal"], cart["total"]) == ("37.80", "378.00", "340.20")


def test_setting_the_quantity_again_takes_note_of_the_price(visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    change_products("price_cents = 150_00", [flour])
    assert notices(cart_of(visitor)) == [[{"code": "price_changed", "from": "189.00", "to": "150.00"}]]
    assert notices(put(visitor, flour, 2)) == [[]]
    assert items() == [(None, flour, 2, 150_00)]


def test_what_is_withdrawn_is_noted_and_counts_nothing(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 2)
    put(visitor, beef, 1)
    change_products("is_active = false", [flour])
    cart = cart_of(visitor)
    assert notices(cart) == [[{"code": "withdrawn"}], []]
    assert [(item["line_total"], item["available"]) for item in cart["items"]] == [("0.00", 0), ("119.90", 5.5)]
    assert (cart["subtotal"], cart["total"], cart["is_orderable"]) == ("119.90", "119.90", False)
    assert cart["vat_classes"] == [{"vat_class": "standard", "rate": "16.00", "gross": "119.90", "vat": "16.54"}]
    change_products("is_active = true", [flour])
    assert cart_of(visitor)["is_orderable"] is True


def test_what_is_not_there_is_noted(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 2)
    put(visitor, beef, 1)
    change_products("stock = 0", [flour])
    change_products("stock = 0.2", [beef])
    cart = cart_of(visitor)
    # 200 g are less than anyone can order.
    assert notices(cart) == [[{"code": "out_of_stock"}], [{"code": "out_of_stock"}]]
    assert (cart["total"], cart["is_orderable"]) == ("497.90", False)


def test_what_is_short_is_noted(visitor: Visitor, flour: int, beef: int) -> None:
    cart = put(visitor, flour, 11)
    assert notices(cart) == [[{"code": "not_enough_stock", "available": 10}]]
    assert (cart["total"], cart["is_orderable"]) == ("2079.00", False)
    assert notices(put(visitor, beef, 5.75))[1] == [{"code": "not_enough_stock", "available": 5.5}]
    put(visitor, flour, 10)
    cart = put(visitor, beef, 5.5)
    assert (notices(cart), cart["is_orderable"]) == ([[], []], True)


def test_a_product_can_be_dearer_and_gone(visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    change_products("price_cents = 199_00, stock = 1", [flour])
    assert notices(cart_of(visitor)) == [
        [
            {"code": "price_changed", "from": "189.00", "to": "199.00"},
            {"code": "not_enough_stock", "available": 1},
        ]
    ]


def test_a_quantity_that_a_product_is_no_longer_sold_in_cannot_be_ordered(visitor: Visitor, beef: int) -> None:
    put(visitor, beef, 0.75)
    change_products("quantity_step = 0.5", [beef])
    cart = cart_of(visitor)
    assert (notices(cart), cart["is_orderable"]) == ([[{"code": "quantity_not_sold", "step": 0.5}]], False)
    cart = put(visitor, beef, 1)
    assert (notices(cart), cart["is_orderable"]) == ([[]], True)


def test_a_cart_reserves_nothing(visitor: Visitor, customer: Caller, flour: int) -> None:
    put(visitor, flour, 10)
    place(customer, {flour: 10})
    assert notices(cart_of(visitor)) == [[{"code": "out_of_stock"}]]


def test_a_product_is_taken_out_once_or_twice(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 2)
    put(visitor, beef, 1)
    for _ in range(2):
        response = visitor.delete(f"/cart/items/{flour}")
        assert (response.status_code, response.data) == (204, b"")
        assert items() == [(None, beef, 1, 119_90)]
    assert visitor.delete("/cart/items/999999999").status_code == 204


def test_a_cart_is_emptied_once_or_twice(visitor: Visitor, customer: Caller, flour: int, beef: int) -> None:
    put(visitor, flour, 2)
    put(visitor, beef, 1)
    put(customer, flour, 3)
    for _ in range(2):
        response = visitor.delete("/cart")
        assert (response.status_code, response.data) == (204, b"")
        assert items() == [(customer.person.id, flour, 3, 189_00)]
    assert quantities(put(visitor, beef, 2)) == {beef: 2}


@pytest.mark.parametrize("path", ["/cart", "/cart/items/1"])
def test_taking_something_out_of_a_cart_that_never_was_leaves_no_row(
    client: FlaskClient, visitor: Visitor, customer: Caller, path: str
) -> None:
    for who in (client, visitor, customer):
        assert who.delete(path).status_code == 204
    assert carts() == []


def test_two_who_put_the_last_product_in_at_once_do_not_both_find_room(visitor: Visitor, flour: int, beef: int) -> None:
    put(visitor, flour, 1)
    fill(None, 198, make_category())
    other = make_product()
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda one: visitor.put(f"/cart/items/{one}", json={"quantity": 1}), (beef, other))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(items()) == 200


def test_the_same_product_put_in_many_times_at_once_is_in_once(visitor: Visitor, flour: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: visitor.put(f"/cart/items/{flour}", json={"quantity": n}), range(1, 9))
        assert {answer.status_code for answer in answers} == {200}
    assert len(carts()) == 1
    [(_, product, quantity, _)] = items()
    assert (product, 1 <= quantity <= 8) == (flour, True)


def test_a_deleted_product_is_in_no_cart(
    visitor: Visitor, customer: Caller, admin: Caller, flour: int, beef: int
) -> None:
    for who in (visitor, customer):
        put(who, flour, 1)
        put(who, beef, 1)
    assert admin.delete(f"/products/{flour}").status_code == 204
    assert items() == [(None, beef, 1, 119_90), (customer.person.id, beef, 1, 119_90)]
    assert quantities(cart_of(visitor)) == {beef: 1}


def test_a_product_that_is_deleted_while_it_is_put_in_is_not_found(visitor: Visitor, flour: int) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        answer = pool.submit(visitor.put, f"/cart/items/{flour}", json={"quantity": 1})
        wait_for_a_lock()
        deleting.commit()
        assert_problem(answer.result(60), 404, "not_found")
    assert carts() == []


def test_a_deleted_customers_cart_goes_with_them(
    customer: Caller, other_customer: Caller, admin: Caller, flour: int
) -> None:
    put(customer, flour, 1)
    put(other_customer, flour, 2)
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    assert items() == [(other_customer.person.id, flour, 2, 189_00)]


def test_a_customer_who_is_deleted_while_putting_something_in_leaves_no_cart(customer: Caller, flour: int) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM customers WHERE id = :id"), {"id": customer.person.id})
        answer = pool.submit(customer.put, f"/cart/items/{flour}", json={"quantity": 1})
        wait_for_a_lock()
        deleting.commit()
        assert answer.result(60).status_code == 401
    assert carts() == []


def test_staff_have_a_cart_of_their_own(staff: Caller, customer: Caller, flour: int) -> None:
    put(customer, flour, 1)
    assert cart_of(staff)["items"] == []
    assert quantities(put(staff, flour, 2)) == {flour: 2}
    assert quantities(cart_of(customer)) == {flour: 1}
