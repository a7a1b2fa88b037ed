"""What the package knows of a person, for the copy that they may have of it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, TextClause, text

from grocery import money
from grocery.db import Row, db
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.delivery.addresses import list_addresses
from grocery.orders.payments.service import payment_json
from grocery.orders.reading import history_json, list_orders
from grocery.orders.returns.service import list_returns

_PAGE = 100

_HISTORY = text("""
    SELECT entry.* FROM order_history AS entry JOIN orders ON orders.id = entry.order_id
    WHERE orders.customer_id = :customer_id ORDER BY entry.id
""")
_PAYMENTS = text("""
    SELECT payment.* FROM payments AS payment JOIN orders ON orders.id = payment.order_id
    WHERE orders.customer_id = :customer_id ORDER BY payment.id
""")
_RETURNED = text("""
    SELECT DISTINCT orders.id FROM orders JOIN order_returns AS document ON document.order_id = orders.id
    WHERE orders.customer_id = :customer_id
""")
_CART = text("""
    SELECT item.product_id, product.name, item.quantity, item.if_unavailable, item.seen_price_cents, item.added_at
    FROM carts JOIN cart_items AS item ON item.cart_id = carts.id
    JOIN products AS product ON product.id = item.product_id
    WHERE carts.customer_id = :customer_id ORDER BY item.added_at, item.product_id
""")
_DRAFT = text("SELECT draft, updated_at FROM carts WHERE customer_id = :customer_id AND draft IS NOT NULL")
_COUPONS = text("SELECT name, code, starts_at, ends_at FROM promotions WHERE customer_id = :customer_id ORDER BY id")
_KEYS = text("""
    SELECT key, order_id, created_at FROM idempotency_keys WHERE customer_id = :customer_id ORDER BY created_at, key
""")


def export_orders(_sender: object, *, customer_id: int) -> dict[str, Any]:
    """The answer to `customer_exporting`. Who of the staff did something is their own affair: of them the role."""
    connection = db.session().connection()
    person = {"customer_id": customer_id}
    return {
        "orders": list(_orders(connection, customer_id)),
        "addresses": list_addresses(connection, customer_id),
        "cart": [_cart_item(row) for row in connection.execute(_CART, person).mappings()],
        "checkout_draft": [dict(row) for row in connection.execute(_DRAFT, person).mappings()],
        "personal_coupons": [dict(row) for row in connection.execute(_COUPONS, person).mappings()],
        "idempotency_keys": [dict(row) for row in connection.execute(_KEYS, person).mappings()],
    }


def _orders(connection: Connection, customer_id: int) -> Iterator[dict[str, Any]]:
    """The newest first, each with its history, payments and returns."""
    owner = Actor(customer_id, "customer")
    histories = _by_order(connection, _HISTORY, customer_id)
    payments = _by_order(connection, _PAYMENTS, customer_id)
    returned = set(connection.execute(_RETURNED, {"customer_id": customer_id}).scalars())
    for order in _pages(connection, owner):
        yield {
            **order,
            "history": [history_json(row, owner) for row in histories[order["id"]]],
            "payments": [_payment(row) for row in payments[order["id"]]],
            "returns": list_returns(connection, order["id"]) if order["id"] in returned else [],
        }


def _pages(connection: Connection, owner: Actor) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        orders, cursor = list_orders(connection, owner, limit=_PAGE, cursor=cursor)
        yield from orders
        if cursor is None:
            return


def _by_order(connection: Connection, statement: TextClause, customer_id: int) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in connection.execute(statement, {"customer_id": customer_id}).mappings():
        rows[row["order_id"]].append(row)
    return rows


def _payment(row: Row) -> dict[str, Any]:
    of_staff = ("collector_id", "actor_id")
    return {name: value for name, value in payment_json(row).items() if name not in of_staff}


def _cart_item(row: Row) -> dict[str, Any]:
    return {
        "product_id": row["product_id"],
        "name": row["name"],
        "quantity": quantity_number(row["quantity"]),
        "if_unavailable": row["if_unavailable"],
        "seen_price": money.to_text(row["seen_price_cents"]),
        "added_at": row["added_at"],
    }
