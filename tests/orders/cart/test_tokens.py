"""A token opens the cart of whoever has it, and nobody can make one up."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import Signer, URLSafeSerializer

from grocery.app import create_app
from grocery.config import Settings
from grocery.orders.cart.tokens import is_genuine, make_token
from tests.conftest import IsolatedClient
from tests.orders.cart.factories import HEADER, Visitor, cart_of, carts, items, put, quantities, visit
from tests.orders.conftest import Caller
from tests.problems import assert_problem
from tests.products.factories import make_product
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

SECRET = "secret-for-tests-only-0123456789abcdef"


@pytest.fixture
def flour() -> int:
    return make_product(price_cents=189_00)


@pytest.fixture
def visitor(client: FlaskClient, flour: int) -> Visitor:
    """With flour in the cart."""
    visitor = visit(client)
    put(visitor, flour, 2)
    return visitor


def requests_with(token: str, flour: int) -> list[dict[str, Any]]:
    """All that takes a token, as a visitor asks it."""
    headers = {HEADER: token}
    return [
        {"method": "GET", "path": "/cart", "headers": headers},
        {"method": "PUT", "path": f"/cart/items/{flour}", "json": {"quantity": 1}, "headers": headers},
        {"method": "DELETE", "path": f"/cart/items/{flour}", "headers": headers},
        {"method": "DELETE", "path": "/cart", "headers": headers},
        {"method": "POST", "path": "/orders/quote", "json": {}, "headers": headers},
    ]


def forgeries(genuine: str) -> dict[str, str]:
    name, signature = genuine.rsplit(".", 1)
    other = make_token(SECRET).rsplit(".", 1)
    return {
        "empty": "",
        "blank": " ",
        "a number": "1",
        "a guess": "AAAAAAAAAAAAAAAAAAAAAA",
        "without its signature": name,
        "with an empty signature": f"{name}.",
        "only a signature": f".{signature}",
        "another name under the signature": f"{other[0]}.{signature}",
        "another signature": f"{name}.{other[1]}",
        "in capital letters": genuine.upper(),
        "with something behind": f"{genuine}x",
        "twice": f"{genuine}, {genuine}",
        "signed with another secret": make_token(SECRET[::-1]),
        "signed for something else": Signer(SECRET, salt="session").sign(name).decode(),
        "of another kind": str(URLSafeSerializer(SECRET, salt="cart-token").dumps(1)),
        "10,000 characters": "x" * 10_000,
        "10,000 dots": "." * 10_000,
        "long and signed by us but for its end": f"{'x' * 10_000}.{signature}",
        "not ASCII": "schlüssel.ßß",
        "SQL": "' OR token_hash IS NOT NULL --",
        "null": "null",
    }


@pytest.mark.parametrize("kind", forgeries("a.b"))
def test_a_token_that_is_none_opens_nothing_and_leaves_no_row(
    client: FlaskClient, customer: Caller, visitor: Visitor, flour: int, kind: str
) -> None:
    token = forgeries(visitor.token)[kind]
    put(customer, flour, 3)
    before = (carts(), items())
    for request in requests_with(token, flour):
        response = client.open(**request)
        assert_problem(response, 404, "cart_not_found")
        assert HEADER not in response.headers
    assert (carts(), items()) == before


def test_the_tokens_of_another_secret_are_none(settings: Settings, visitor: Visitor) -> None:
    other = create_app(replace(settings, secret_key="x" * 32))
    client = IsolatedClient(other, other.response_class)
    assert_problem(client.get("/cart", headers={HEADER: visitor.token}), 404, "cart_not_found")
    assert not is_genuine(make_token("x" * 32), SECRET)


def test_a_genuine_token_that_was_never_used_leads_to_an_empty_cart(client: FlaskClient, app: Flask) -> None:
    token = make_token(app.config["SECRET_KEY"])
    assert client.get("/cart", headers={HEADER: token}).json["items"] == []
    assert carts() == []


def test_no_two_tokens_are_alike() -> None:
    tokens = {make_token(SECRET) for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {66}
    assert all(is_genuine(token, SECRET) for token in tokens)


def test_one_visitor_never_sees_anothers_cart(client: FlaskClient, visitor: Visitor, flour: int) -> None:
    other = visit(client)
    assert cart_of(other)["items"] == []
    put(other, flour, 5)
    assert quantities(cart_of(visitor)) == {flour: 2}
    other.delete(f"/cart/items/{flour}")
    other.delete("/cart")
    assert quantities(cart_of(visitor)) == {flour: 2}
    assert cart_of(other)["items"] == []


def test_no_token_opens_a_customers_cart(client: FlaskClient, customer: Caller, visitor: Visitor, flour: int) -> None:
    put(customer, flour, 7)
    [(cart_id, token_hash)] = select_rows("SELECT id, token_hash FROM carts WHERE customer_id IS NOT NULL")
    assert token_hash is None
    for token in ("", str(cart_id), str(customer.person.id), "None", "null"):
        for request in requests_with(token, flour):
            assert client.open(**request).status_code == 404
    visitor.delete("/cart")
    assert items() == [(customer.person.id, flour, 7, 189_00)]


def test_a_customer_with_a_bad_token_is_told(customer: Caller, flour: int) -> None:
    put(customer, flour, 1)
    bad = {HEADER: "guessed.guessed"}
    for response in (
        customer.get("/cart", headers=bad),
        customer.post("/orders/", json={}, headers=bad),
        customer.post("/orders/quote", json={}, headers=bad),
    ):
        assert_problem(response, 404, "cart_not_found")
    assert select_rows("SELECT FROM orders") == []
    assert quantities(cart_of(customer)) == {flour: 1}


def test_a_token_is_in_no_answer_but_that_of_its_visitor(client: FlaskClient, visitor: Visitor) -> None:
    quoted = visitor.post("/orders/quote", json={})
    assert quantities(quoted.json)
    assert visitor.token not in json.dumps(quoted.json)
    assert HEADER not in quoted.headers
