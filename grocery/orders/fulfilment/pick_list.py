"""What there is to pick: by category, over one or many orders."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from grocery.fields import quantity_number
from grocery.orders.errors import OrderNotFoundError

# One who walks the aisles meets each category once, and each product in it once.
_LINES = """
    SELECT orders.id AS order_id, orders.number, orders.note, orders.slot_starts_at, line.id, line.product_id, line.sku,
           line.name, line.quantity, line.unit, line.category, line.picked_quantity, line.if_unavailable,
           line.substitute_for, line.short_reason
    FROM orders LEFT JOIN order_lines AS line ON line.order_id = orders.id
    WHERE {which}
    ORDER BY lower(line.category), lower(line.name), line.product_id, orders.slot_starts_at NULLS LAST, orders.id,
             line.id
"""

_ONE = text(_LINES.format(which="orders.id = :order_id"))

_MANY = text(
    _LINES.format(
        which="""orders.status IN ('pending', 'confirmed')
        AND (CAST(:slot_id AS bigint) IS NULL OR orders.slot_id = :slot_id)
        AND (CAST(:order_ids AS bigint[]) IS NULL OR orders.id = ANY(:order_ids))"""
    )
)


def get_pick_list(connection: Connection, order_id: int) -> dict[str, Any]:
    """The lines of one order in the order of the shelves; raises OrderNotFoundError."""
    rows = connection.execute(_ONE, {"order_id": order_id}).mappings().all()
    if not rows:
        raise OrderNotFoundError(order_id)
    lines = [_line_json(row) for row in rows if row["id"] is not None]
    return {"order_id": order_id, "number": rows[0]["number"], "note": rows[0]["note"], "items": lines}


def list_picks(
    connection: Connection, *, slot_id: int | None = None, order_ids: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """All that is to be picked for orders that are not packed: by product, with the orders that want it."""
    parameters = {"slot_id": slot_id, "order_ids": list(order_ids) if order_ids else None}
    rows = [row for row in connection.execute(_MANY, parameters).mappings() if row["id"] is not None]
    grouped = groupby(rows, key=lambda row: (row["category"], row["product_id"], row["name"], row["unit"]))
    return [_product_json(key, list(group)) for key, group in grouped]


def _product_json(key: tuple[str, int, str, str], rows: Sequence[RowMapping]) -> dict[str, Any]:
    category, product_id, name, unit = key
    return {
        "category": category,
        "product_id": product_id,
        "sku": rows[0]["sku"],
        "name": name,
        "unit": unit,
        "quantity": quantity_number(sum((row["quantity"] for row in rows), start=rows[0]["quantity"] * 0)),
        "lines": [
            {
                "order_id": row["order_id"],
                "number": row["number"],
                "line_id": row["id"],
                "quantity": quantity_number(row["quantity"]),
                "picked_quantity": _or_none(row["picked_quantity"]),
                "if_unavailable": row["if_unavailable"],
            }
            for row in rows
        ],
    }


def _line_json(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "product_id": row["product_id"],
        "sku": row["sku"],
        "name": row["name"],
        "quantity": quantity_number(row["quantity"]),
        "unit": row["unit"],
        "category": row["category"],
        "picked_quantity": _or_none(row["picked_quantity"]),
        "if_unavailable": row["if_unavailable"],
        "substitute_for": row["substitute_for"],
        "short_reason": row["short_reason"],
    }


def _or_none(quantity: Any) -> int | float | None:
    return None if quantity is None else quantity_number(quantity)
