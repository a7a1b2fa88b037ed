"""Which orders a change of the shop touches: asked before it is made, so that nobody is surprised."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text

from grocery.orders.states import FINAL_STATUSES, OPEN_STATUSES

#: More are counted and not named.
MAX_NAMED = 50

_COLUMNS = (
    "orders.id, orders.number, orders.status, orders.slot_starts_at, orders.slot_ends_at, customers.name AS customer"
)

_WITH_PRODUCT = text(f"""
    SELECT {_COLUMNS}, count(*) OVER () AS total FROM orders JOIN customers ON customers.id = orders.customer_id
    WHERE orders.status = ANY(:open)
          AND EXISTS (SELECT FROM order_lines AS line WHERE line.order_id = orders.id AND line.product_id = :product_id)
    ORDER BY orders.id LIMIT :limit
""")  # noqa: S608  # made of constants

_IN_SLOTS = text(f"""
    SELECT {_COLUMNS}, orders.slot_id FROM orders JOIN customers ON customers.id = orders.customer_id
    WHERE orders.slot_id = ANY(:slot_ids) AND NOT orders.status = ANY(:final)
    ORDER BY orders.slot_starts_at, orders.id
""")  # noqa: S608  # made of constants


def list_orders_with(connection: Connection, product_id: int) -> tuple[list[dict[str, Any]], int]:
    """The first MAX_NAMED orders that are not packed yet and have the product, and how many there are."""
    parameters = {"product_id": product_id, "open": list(OPEN_STATUSES), "limit": MAX_NAMED}
    rows = [dict(row) for row in connection.execute(_WITH_PRODUCT, parameters).mappings()]
    return rows, rows[0]["total"] if rows else 0


def list_orders_in_slots(connection: Connection, slot_ids: Collection[int]) -> list[dict[str, Any]]:
    """The orders that are neither delivered nor cancelled and hold one of these slots, by their time."""
    parameters = {"slot_ids": list(slot_ids), "final": list(FINAL_STATUSES)}
    return [dict(row) for row in connection.execute(_IN_SLOTS, parameters).mappings()]
