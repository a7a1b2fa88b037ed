"""Visitors with a cart, and what is in the tables of carts."""

from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.db import db
from tests.orders.conftest import Caller
from tests.products.ledger import select_rows

HEADER = "X-Cart-Token"

_FILL = text("""
    WITH made AS (
        INSERT INTO products (name, price_cents, category_id, category_path, sku)
        SELECT 'Filler ' || n, 100, :category_id, 'Pantry', 'FILL-' || :cart_id || '-' || n
        FROM generate_series(1, :count) AS n
        RETURNING id, price_cents
    )
    INSERT INTO cart_items (cart_id, product_id, quantity, seen_price_cents)
    SELECT :cart_id, id, 1, price_cents FROM made
""")


class Visitor(Caller):
    """Somebody who is not signed in, and sends the token of a cart: `visitor.get("/cart")`."""

    def __init__(self, client: FlaskClient, token: str):
        super().__init__(client, None, {HEADER: token})
        self.token = token


def visit(client: FlaskClient) -> Visitor:
    """A new visitor, with an empty cart."""
    return Visitor(client, client.get("/cart").headers[HEADER])


def put(who: Caller, product_id: int, quantity: float, **body: Any) -> dict[str, Any]:
    """Set a quantity in the cart of a visitor or a customer; the answer."""
    response = who.put(f"/cart/items/{product_id}", json={"quantity": quantity, **body})
    assert response.status_code == 200, response.json
    return response.json


def cart_of(who: Caller) -> dict[str, Any]:
    response = who.get("/cart")
    assert response.status_code == 200, response.json
    return response.json


def quantities(cart: dict[str, Any]) -> dict[int, float]:
    """What is in an answered cart or quote: product ids → quantities."""
    return {item["product_id"]: item["quantity"] for item in cart["items"]}


def carts() -> list[tuple]:
    """All carts: whose they are, None for a visitor."""
    return select_rows("SELECT customer_id FROM carts ORDER BY id")


def items() -> list[tuple]:
    """All that is in any cart: customer (None for a visitor), product, quantity, the price (cents) that was seen."""
    return select_rows(
        "SELECT customer_id, product_id, quantity, seen_price_cents FROM cart_items JOIN carts ON id = cart_id"
        " ORDER BY id, product_id"
    )


def fill(customer_id: int | None, count: int, category_id: int) -> None:
    """Put so many new products into the one cart of a customer (None: of a visitor), each once."""
    [(cart_id,)] = select_rows("SELECT id FROM carts WHERE customer_id IS NOT DISTINCT FROM :id", id=customer_id)
    with db.engine.begin() as connection:
        connection.execute(_FILL, {"cart_id": cart_id, "count": count, "category_id": category_id})


def change_products(changes: str, ids: Sequence[int]) -> None:
    """As an admin changes them meanwhile; `changes` is SQL."""
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE products SET {changes} WHERE id = ANY(:ids)"), {"ids": list(ids)})
