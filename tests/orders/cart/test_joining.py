"""A visitor's cart joins the customer's at sign-in, or with the first request of who is signed in already."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from tests.auth.factories import PASSWORD, bearer, sign_in
from tests.conftest import IsolatedClient
from tests.orders.cart.factories import (
    HEADER,
    Visitor,
    cart_of,
    carts,
    change_products,
    fill,
    items,
    put,
    quantities,
    visit,
)
from tests.orders.conftest import Caller
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def flour() -> int:
    return make_product("Flour", price_cents=189_00)


@pytest.fixture
def soap() -> int:
    return make_product("Home", price_cents=116_00)


def log_in(customer: Caller, token: str | None, password: str = PASSWORD) -> TestResponse:
    headers = {} if token is None else {HEADER: token}
    body = {"email": customer.person.email, "password": password}
    return customer.client.post("/auth/login", json=body, headers=headers)


def test_signing_in_brings_the_cart_along(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    put(visitor, flour, 2, if_unavailable="call")
    put(visitor, soap, 1)
    response = log_in(customer, visitor.token)
    assert response.status_code == 200
    answered = customer.client.get("/cart", headers=bearer(response.json["access_token"])).json
    assert quantities(answered) == {flour: 2, soap: 1}
    assert [item["if_unavailable"] for item in answered["items"]] == ["call", "remove"]
    assert carts() == [(customer.person.id,)]
    assert items() == [(customer.person.id, flour, 2, 189_00), (customer.person.id, soap, 1, 116_00)]


def test_what_both_carts_have_is_wanted_in_the_sum(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    rice = make_product(price_cents=300_00)
    put(customer, flour, 3)
    put(customer, soap, 1)
    put(visitor, flour, 2)
    put(visitor, rice, 4)
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {flour: 5, soap: 1, rice: 4}
    assert carts() == [(customer.person.id,)]


def test_the_price_and_the_choice_are_those_of_the_visitor(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(customer, flour, 1, if_unavailable="substitute")
    change_products("price_cents = 199_00", [flour])
    put(visitor, flour, 1, if_unavailable="call")
    change_products("price_cents = 209_00", [flour])
    log_in(customer, visitor.token)
    assert items() == [(customer.person.id, flour, 2, 199_00)]
    [item] = cart_of(customer)["items"]
    assert item["if_unavailable"] == "call"
    assert item["notices"] == [{"code": "price_changed", "from": "199.00", "to": "209.00"}]


def test_the_sum_is_at_most_what_a_quantity_may_be(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(customer, flour, 9_000)
    put(visitor, flour, 2_000)
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {flour: 10_000}


def test_kilograms_join_to_the_gram(customer: Caller, visitor: Visitor) -> None:
    beef = make_product(unit="kg", quantity_step=Decimal("0.05"))
    put(customer, beef, 0.35)
    put(visitor, beef, 0.1)
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {beef: 0.45}


def test_the_old_token_leads_to_an_empty_cart(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    put(visitor, flour, 2)
    log_in(customer, visitor.token)
    assert cart_of(visitor)["items"] == []
    assert carts() == [(customer.person.id,)]
    # What is put in with it from then on is a visitor's again, until it joins, too.
    put(visitor, soap, 1)
    assert quantities(cart_of(customer)) == {flour: 2}
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {flour: 2, soap: 1}


def test_signing_in_again_with_the_token_adds_nothing(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    for _ in range(3):
        assert log_in(customer, visitor.token).status_code == 200
        assert cart_of(Caller(customer.client, customer.person, {**customer.headers, HEADER: visitor.token}))
    assert quantities(cart_of(customer)) == {flour: 2}


@pytest.mark.parametrize("token", ["", "guessed.guessed", "x" * 10_000, "schlüssel", "'; --"])
def test_a_bad_token_does_not_stop_the_sign_in(customer: Caller, visitor: Visitor, flour: int, token: str) -> None:
    put(visitor, flour, 2)
    assert log_in(customer, token).status_code == 200
    assert items() == [(None, flour, 2, 189_00)]


def test_a_cart_of_another_secret_is_not_brought_along(customer: Caller, settings: Settings, flour: int) -> None:
    before = create_app(replace(settings, secret_key="x" * 32))
    visitor = visit(IsolatedClient(before, before.response_class))
    put(visitor, flour, 2)
    assert log_in(customer, visitor.token).status_code == 200
    assert items() == [(None, flour, 2, 189_00)]


def test_signing_in_without_a_cart_makes_none(customer: Caller, visitor: Visitor) -> None:
    for token in (None, visitor.token):
        assert log_in(customer, token).status_code == 200
    assert carts() == []


def test_a_refused_sign_in_joins_nothing(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    assert log_in(customer, visitor.token, "wrong horse").status_code == 401
    assert items() == [(None, flour, 2, 189_00)]
    assert quantities(cart_of(visitor)) == {flour: 2}


@pytest.mark.parametrize(
    "ask",
    [
        lambda who, headers: who.get("/cart", headers=headers),
        lambda who, headers: who.post("/orders/quote", json={}, headers=headers),
    ],
    ids=["cart", "quote"],
)
def test_the_first_request_of_who_is_signed_in_joins(
    customer: Caller,
    visitor: Visitor,
    flour: int,
    soap: int,
    ask: Callable[[Caller, dict[str, str]], TestResponse],
) -> None:
    put(customer, flour, 1)
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    for _ in range(2):
        response = ask(customer, {HEADER: visitor.token})
        assert (response.status_code, quantities(response.json)) == (200, {flour: 3, soap: 1})
        assert HEADER not in response.headers
    assert carts() == [(customer.person.id,)]
    assert cart_of(visitor)["items"] == []


def test_what_is_put_in_sets_the_quantity_after_the_carts_have_joined(
    customer: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    response = customer.put(f"/cart/items/{flour}", json={"quantity": 5}, headers={HEADER: visitor.token})
    assert quantities(response.json) == {flour: 5, soap: 1}
    assert response.json["token"] is None


def test_an_order_with_the_token_is_of_both_carts(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    put(customer, flour, 1)
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    response = customer.post("/orders/", json={}, headers={HEADER: visitor.token})
    assert (response.status_code, quantities(response.json)) == (201, {flour: 3, soap: 1})
    assert (carts(), items()) == ([(customer.person.id,)], [])


def test_an_order_that_is_refused_leaves_the_carts_joined(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 11)
    response = customer.post("/orders/", json={}, headers={HEADER: visitor.token})
    assert (response.status_code, response.json["code"]) == (409, "out_of_stock")
    assert items() == [(customer.person.id, flour, 11, 189_00)]


def test_an_order_of_items_joins_and_leaves_them_in_the_cart(
    customer: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    put(visitor, flour, 2)
    sent = {"items": [{"product_id": soap, "quantity": 1}]}
    response = customer.post("/orders/", json=sent, headers={HEADER: visitor.token})
    assert (response.status_code, quantities(response.json)) == (201, {soap: 1})
    assert items() == [(customer.person.id, flour, 2, 189_00)]


def test_two_joins_of_one_cart_at_once_do_not_double(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    for who in (customer, visitor):
        put(who, flour, 2)
    put(visitor, soap, 1)

    def ask(number: int) -> int:
        if number % 2:
            return customer.get("/cart", headers={HEADER: visitor.token}).status_code
        return log_in(customer, visitor.token).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, range(6))) == {200}
    assert quantities(cart_of(customer)) == {flour: 4, soap: 1}
    assert carts() == [(customer.person.id,)]


def test_of_two_customers_who_take_one_cart_along_at_once_one_has_it(
    customer: Caller, other_customer: Caller, visitor: Visitor, flour: int
) -> None:
    put(visitor, flour, 2)
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda who: who.get("/cart", headers={HEADER: visitor.token}), (customer, other_customer))
        assert sorted(str(quantities(answer.json)) for answer in answers) == [f"{{{flour}: 2}}", "{}"]
    assert len(items()) == 1


def test_carts_of_two_tokens_join_one_customers_at_once_without_a_deadlock(
    customer: Caller, client: FlaskClient, flour: int, soap: int
) -> None:
    visitors = [visit(client) for _ in range(6)]
    for number, visitor in enumerate(visitors):
        # Put in now in this order, now in the other.
        for product in (flour, soap) if number % 2 else (soap, flour):
            put(visitor, product, 1)
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda one: customer.get("/cart", headers={HEADER: one.token}).status_code, visitors)
        assert list(answers) == [200] * 6
    assert quantities(cart_of(customer)) == {flour: 6, soap: 6}


def test_what_is_put_in_while_the_cart_joins_is_not_lost(
    customer: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    put(visitor, flour, 2)
    # As a join that has locked the cart, and is not done yet.
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as joining:
        joining.execute(text("SELECT FROM carts FOR UPDATE"))
        joining.execute(text("DELETE FROM carts"))
        answer = pool.submit(visitor.put, f"/cart/items/{soap}", json={"quantity": 1})
        wait_for_a_lock()
        joining.commit()
        assert answer.result(60).status_code == 200
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {soap: 1}


def test_what_is_deleted_while_the_carts_join_is_left_out(
    customer: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    put(customer, soap, 1)
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        # Locked before what refers to it goes, as a deletion does it.
        deleting.execute(text("SELECT FROM products WHERE id = :id FOR UPDATE"), {"id": flour})
        answer = pool.submit(log_in, customer, visitor.token)
        wait_for_a_lock()
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        deleting.commit()
        assert answer.result(60).status_code == 200
    assert items() == [(customer.person.id, soap, 2, 116_00)]
    assert carts() == [(customer.person.id,)]


def test_what_was_deleted_before_is_not_brought_along(
    customer: Caller, admin: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    assert admin.delete(f"/products/{flour}").status_code == 204
    log_in(customer, visitor.token)
    assert quantities(cart_of(customer)) == {soap: 1}


def test_what_was_withdrawn_is_brought_along_and_noted(customer: Caller, visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    change_products("is_active = false", [flour])
    log_in(customer, visitor.token)
    cart = cart_of(customer)
    assert ([item["notices"] for item in cart["items"]], cart["total"]) == ([[{"code": "withdrawn"}]], "0.00")


def test_no_cart_has_more_than_200_products_by_joining(
    customer: Caller, visitor: Visitor, flour: int, soap: int
) -> None:
    category = make_category()
    put(customer, flour, 1)
    fill(customer.person.id, 149, category)
    put(visitor, soap, 1)
    fill(None, 98, category)
    put(visitor, flour, 2)
    log_in(customer, visitor.token)
    cart = quantities(cart_of(customer))
    # Nothing of the customer's is lost; of what the visitor has, what is in both first, then what was put in last.
    assert (len(cart), cart[flour], soap in cart) == (200, 3, False)
    assert carts() == [(customer.person.id,)]
    assert select_rows("SELECT count(*) FROM cart_items") == [(200,)]


def test_a_full_cart_takes_more_of_what_it_has(customer: Caller, visitor: Visitor, flour: int, soap: int) -> None:
    put(customer, flour, 1)
    fill(customer.person.id, 199, make_category())
    put(visitor, flour, 2)
    put(visitor, soap, 1)
    log_in(customer, visitor.token)
    cart = quantities(cart_of(customer))
    assert (len(cart), cart[flour], soap in cart) == (200, 3, False)


def test_staff_who_sign_in_bring_their_cart_along(staff: Caller, visitor: Visitor, flour: int) -> None:
    put(visitor, flour, 2)
    log_in(staff, visitor.token)
    assert items() == [(staff.person.id, flour, 2, 189_00)]


def test_a_customer_who_is_deleted_while_the_carts_join_leaves_the_visitors(
    customer: Caller, visitor: Visitor, flour: int
) -> None:
    put(visitor, flour, 2)
    headers: dict[str, Any] = {**sign_in(customer.person), HEADER: visitor.token}
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM customers WHERE id = :id"), {"id": customer.person.id})
        answer = pool.submit(customer.client.get, "/cart", headers=headers)
        wait_for_a_lock()
        deleting.commit()
        assert answer.result(60).status_code == 401
    assert items() == [(None, flour, 2, 189_00)]
