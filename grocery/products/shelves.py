"""Products in the order of a shop's shelves: what can be bought first, and what stands beside something."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Double, Row, cast, func

from grocery.products.listing import Page, list_products
from grocery.products.rows import PRODUCTS, select_products

# A cursor of what is sold out begins with this; no other does.
_SOLD_OUT = "."


def list_shelf(connection: Connection, arguments: Mapping[str, Any]) -> Page:
    """As `list_products`, but what is sold out stands last whatever the order; for lists without `q`.

    One statement for a page of what is in stock, two where that ends. Raises InvalidError for a cursor of another list.
    """
    cursor, limit = arguments["cursor"] or "", arguments["limit"]
    if arguments["in_stock"] is not None:
        return list_products(connection, arguments)
    if cursor.startswith(_SOLD_OUT):
        return _list_sold_out(connection, arguments, cursor.removeprefix(_SOLD_OUT), limit)
    page = list_products(connection, {**arguments, "in_stock": True})
    if page.next_cursor:
        return page
    room = limit - len(page.rows)
    rest = _list_sold_out(connection, arguments, "", max(room, 1))
    if room:
        return Page([*page.rows, *rest.rows], rest.next_cursor)
    return Page(page.rows, _SOLD_OUT if rest.rows else None)


def list_best_offers(connection: Connection, limit: int) -> list[Row]:
    """What can be bought for less than before, by how much less (rows of `select_products()`)."""
    share = cast(PRODUCTS.c.price_cents, Double) / PRODUCTS.c.compare_at_price_cents
    statement = (
        select_products()
        .where(PRODUCTS.c.is_active, PRODUCTS.c.in_stock, PRODUCTS.c.compare_at_price_cents.is_not(None))
        .order_by(share, PRODUCTS.c.id)
        .limit(limit)
    )
    return list(connection.execute(statement))


def list_similar(connection: Connection, product: Row, limit: int) -> list[Row]:
    """What else the product's category has in stock, nearest in price first (rows of `select_products()`)."""
    distance = func.abs(PRODUCTS.c.price_cents - product.price_cents)
    statement = (
        select_products()
        .where(
            PRODUCTS.c.is_active,
            PRODUCTS.c.in_stock,
            PRODUCTS.c.category_id == product.category_id,
            PRODUCTS.c.id != product.id,
        )
        .order_by(PRODUCTS.c.unit != product.unit, distance, PRODUCTS.c.id)
        .limit(limit)
    )
    return list(connection.execute(statement))


def _list_sold_out(connection: Connection, arguments: Mapping[str, Any], cursor: str, limit: int) -> Page:
    page = list_products(connection, {**arguments, "in_stock": False, "cursor": cursor or None, "limit": limit})
    return Page(page.rows, f"{_SOLD_OUT}{page.next_cursor}" if page.next_cursor else None)
