"""Shopping lists and what is on them. Commits nothing.

Locks are taken in the order of the rest: the customer, then a list, then products.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row
from grocery.errors import InvalidError, UnauthenticatedError
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.changing import list_lines
from grocery.orders.checks import quantity_problem
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.lots import sum_quantities
from grocery.orders.reading import get_order
from grocery.orders.reordering import as_ordered, fill_cart
from grocery.orders.shopping_lists.errors import (
    ListExistsError,
    ListFullError,
    ListNotFoundError,
    TooManyListsError,
)
from grocery.products.errors import ProductNotFoundError, ProductUnavailableError

#: Lists of a customer.
MAX_LISTS = 50
#: Products on a list: as many as a cart has room for.
MAX_ITEMS = 200

_SUMMARIES = """
    SELECT list.*, (SELECT count(*) FROM shopping_list_items WHERE list_id = list.id) AS item_count
    FROM shopping_lists AS list WHERE customer_id = :customer_id
"""
_LIST = text(f"{_SUMMARIES} ORDER BY updated_at DESC, id DESC")
_ONE = text(f"{_SUMMARIES} AND id = :list_id")

_ITEMS = text("""
    SELECT item.product_id, item.quantity, item.added_at, product.name, product.unit, product.price_cents,
           product.is_active, product.in_stock
    FROM shopping_list_items AS item JOIN products AS product ON product.id = item.product_id
    WHERE item.list_id = :list_id ORDER BY item.added_at, item.product_id
""")

# Requests of one customer take turns, so that together they keep to the limit and to different names.
_LOCK_CUSTOMER = text("SELECT id FROM customers WHERE id = :customer_id FOR NO KEY UPDATE")
_COUNT = text("SELECT count(*) FROM shopping_lists WHERE customer_id = :customer_id")
_IS_TAKEN = text("""
    SELECT EXISTS (
        SELECT FROM shopping_lists
        WHERE customer_id = :customer_id AND lower(name) = lower(:name) AND id IS DISTINCT FROM :list_id
    )
""")

_CREATE = text("INSERT INTO shopping_lists (customer_id, name) VALUES (:customer_id, :name) RETURNING id")
_RENAME = text("UPDATE shopping_lists SET name = :name, updated_at = now() WHERE id = :list_id")
_DELETE = text("DELETE FROM shopping_lists WHERE id = :list_id AND customer_id = :customer_id RETURNING id")

# Touching it locks it, too: who puts things on it takes turns, and it cannot be deleted meanwhile.
_TOUCH = text("""
    UPDATE shopping_lists SET updated_at = now() WHERE id = :list_id AND customer_id = :customer_id RETURNING id
""")

_PRODUCT = text("SELECT unit, quantity_step, is_active FROM products WHERE id = :product_id FOR KEY SHARE")
_COUNT_OTHERS = text("SELECT count(*) FROM shopping_list_items WHERE list_id = :list_id AND product_id <> :product_id")
_PUT = text("""
    INSERT INTO shopping_list_items (list_id, product_id, quantity) VALUES (:list_id, :product_id, :quantity)
    ON CONFLICT (list_id, product_id) DO UPDATE SET quantity = excluded.quantity
""")
_DROP = text("DELETE FROM shopping_list_items WHERE list_id = :list_id AND product_id = :product_id")

# What is being deleted at this moment waits here, and is left out.
_COPY = text("""
    INSERT INTO shopping_list_items (list_id, product_id, quantity)
    SELECT :list_id, product.id, wanted.quantity
    FROM unnest(CAST(:product_ids AS bigint[]), CAST(:quantities AS numeric[])) AS wanted (product_id, quantity)
    JOIN products AS product ON product.id = wanted.product_id
    ORDER BY product.id FOR KEY SHARE OF product
""")


def list_lists(connection: Connection, customer_id: int) -> list[dict[str, Any]]:
    """The lists of a customer without what is on them, as JSON-ready data: the one changed last comes first."""
    return [_summary_json(row) for row in connection.execute(_LIST, {"customer_id": customer_id}).mappings()]


def get_list(connection: Connection | Session, list_id: int, customer_id: int) -> dict[str, Any]:
    """A list with its items as JSON-ready data; raises ListNotFoundError, also for another customer's."""
    row = _find(connection, list_id, customer_id)
    return {**_summary_json(row), "items": [_item_json(item) for item in _items(connection, list_id)]}


def create_list(session: Session, customer_id: int, *, name: str, order_id: int | None = None) -> dict[str, Any]:
    """Make a list, with what an order of the customer's had; the list as JSON-ready data.

    Raises ListExistsError, TooManyListsError, InvalidError for an order that is not theirs, and UnauthenticatedError
    for an account that is deleted meanwhile.
    """
    _lock_customer(session, customer_id)
    wanted = _wanted(session, order_id, customer_id) if order_id is not None else {}
    if session.execute(_COUNT, {"customer_id": customer_id}).scalar_one() >= MAX_LISTS:
        raise TooManyListsError(MAX_LISTS)
    _check_name(session, customer_id, name)
    list_id = session.execute(_CREATE, {"customer_id": customer_id, "name": name}).scalar_one()
    if wanted:
        parameters = {"list_id": list_id, "product_ids": list(wanted), "quantities": list(wanted.values())}
        session.execute(_COPY, parameters)
    return get_list(session, list_id, customer_id)


def rename_list(session: Session, list_id: int, customer_id: int, name: str) -> dict[str, Any]:
    """Give a list another name; raises ListNotFoundError, also for another customer's, and ListExistsError."""
    _lock_customer(session, customer_id)
    _touch(session, list_id, customer_id)
    _check_name(session, customer_id, name, list_id)
    session.execute(_RENAME, {"list_id": list_id, "name": name})
    return get_list(session, list_id, customer_id)


def delete_list(session: Session, list_id: int, customer_id: int) -> None:
    """Raises ListNotFoundError, also for another customer's."""
    if session.execute(_DELETE, {"list_id": list_id, "customer_id": customer_id}).scalar() is None:
        raise ListNotFoundError(list_id)


def put_item(session: Session, list_id: int, customer_id: int, product_id: int, *, quantity: Decimal) -> None:
    """Set how much of a product is on a list.

    Raises ListNotFoundError, also for another customer's, ProductNotFoundError, ProductUnavailableError,
    ListFullError, and InvalidError for a part of a piece and the like.
    """
    _touch(session, list_id, customer_id)
    product = session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        raise ProductNotFoundError
    if not product.is_active:
        raise ProductUnavailableError([product_id])
    if problem := quantity_problem(product.unit, product.quantity_step, quantity):
        raise InvalidError(problem, errors={"quantity": [problem]})
    item = {"list_id": list_id, "product_id": product_id}
    if session.execute(_COUNT_OTHERS, item).scalar_one() >= MAX_ITEMS:
        raise ListFullError(MAX_ITEMS)
    session.execute(_PUT, {**item, "quantity": quantity})


def drop_item(session: Session, list_id: int, customer_id: int, product_id: int) -> None:
    """Take a product off a list; one that is not on it is off already. Raises ListNotFoundError."""
    _touch(session, list_id, customer_id)
    session.execute(_DROP, {"list_id": list_id, "product_id": product_id})


def put_into_cart(
    session: Session, list_id: int, customer_id: int, *, if_unavailable: str = "remove"
) -> dict[str, Any]:
    """Put all that is on a list into the customer's cart; what is `missing` and `reduced`, as JSON-ready data.

    The cart then has at least as much of each product: asking twice doubles nothing. Raises ListNotFoundError, also
    for another customer's, and CartFullError.
    """
    _find(session, list_id, customer_id)
    lines = [_as_line(item, if_unavailable) for item in _items(session, list_id)]
    differences = fill_cart(session, customer_id, lines)
    return {name: differences[name] for name in ("missing", "reduced")}


def _find(connection: Connection | Session, list_id: int, customer_id: int) -> Row:
    parameters = {"list_id": list_id, "customer_id": customer_id}
    row = connection.execute(_ONE, parameters).mappings().one_or_none()
    if row is None:
        raise ListNotFoundError(list_id)
    return row


def _items(connection: Connection | Session, list_id: int) -> Sequence[Row]:
    return connection.execute(_ITEMS, {"list_id": list_id}).mappings().all()


def _lock_customer(session: Session, customer_id: int) -> None:
    if session.execute(_LOCK_CUSTOMER, {"customer_id": customer_id}).scalar() is None:
        raise UnauthenticatedError("This account is gone.")


def _touch(session: Session, list_id: int, customer_id: int) -> None:
    if session.execute(_TOUCH, {"list_id": list_id, "customer_id": customer_id}).scalar() is None:
        raise ListNotFoundError(list_id)


def _check_name(session: Session, customer_id: int, name: str, list_id: int | None = None) -> None:
    parameters = {"customer_id": customer_id, "name": name, "list_id": list_id}
    if session.execute(_IS_TAKEN, parameters).scalar_one():
        raise ListExistsError(name)


def _wanted(session: Session, order_id: int, customer_id: int) -> Mapping[int, Decimal]:
    """What was ordered of each product."""
    try:
        get_order(session.connection(), order_id, Actor(customer_id, "customer"))
    except OrderNotFoundError as error:
        raise InvalidError(error.detail, errors={"order_id": [error.detail]}) from None
    lines: Sequence[Row] = as_ordered(list_lines(session, order_id))
    return sum_quantities(lines)


def _as_line(item: Row, if_unavailable: str) -> dict[str, Any]:
    """An item as a line that would be ordered now."""
    return {
        "product_id": item["product_id"],
        "name": item["name"],
        "quantity": item["quantity"],
        "picked_quantity": None,
        "unit_price_cents": item["price_cents"],
        "if_unavailable": if_unavailable,
    }


def _summary_json(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "name", "item_count", "created_at", "updated_at")}


def _item_json(row: Row) -> dict[str, Any]:
    return {
        "product_id": row["product_id"],
        "name": row["name"],
        "unit": row["unit"],
        "quantity": quantity_number(row["quantity"]),
        "unit_price": money.to_text(row["price_cents"]),
        "is_active": row["is_active"],
        "in_stock": row["in_stock"],
        "added_at": row["added_at"],
    }
