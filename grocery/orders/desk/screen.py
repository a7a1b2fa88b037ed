"""What a picker's phone shows of an order: its lines in the order of the walk, and what is in the bag by now."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.desk.aisles import cold_of, walk_key
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.fulfilment.phone_picking import mark_of

_ORDER = text("""
    SELECT orders.*, customer.name AS customer, customer.phone AS customer_phone
    FROM orders JOIN customers AS customer ON customer.id = orders.customer_id WHERE orders.id = :order_id
""")

_LINES = text("""
    SELECT line.*, product.barcode, product.allergens, product.is_age_restricted, product.stock
    FROM order_lines AS line LEFT JOIN products AS product ON product.id = line.product_id
    WHERE line.order_id = :order_id ORDER BY line.id
""")


def read_screen(connection: Connection, order_id: int) -> dict[str, Any]:
    """The order with its `lines`; what stands in for a line is in its `substitutes`. Raises OrderNotFoundError."""
    order = connection.execute(_ORDER, {"order_id": order_id}).mappings().one_or_none()
    if order is None:
        raise OrderNotFoundError(order_id)
    rows = connection.execute(_LINES, {"order_id": order_id}).mappings().all()
    known = {row["id"] for row in rows}
    own = [row for row in rows if row["substitute_for"] not in known]
    own.sort(key=lambda row: walk_key(row["category"], row["name"], row["id"]))
    lines = [_line(row, rows) for row in own]
    return {
        "id": order["id"],
        "number": order["number"],
        "status": order["status"],
        "version": order["version"],
        "customer": order["customer"],
        "phone": order["phone"] or order["customer_phone"],
        "note": order["note"],
        "slot_starts_at": order["slot_starts_at"],
        "slot_ends_at": order["slot_ends_at"],
        "method": order["delivery_method"],
        "lines": lines,
        "open": [line for line in lines if not line["is_done"]],
        "done": sum(line["is_done"] for line in lines),
    }


def _line(row: Row, rows: Any) -> dict[str, Any]:
    substitutes = [one for one in rows if one["substitute_for"] == row["id"]]
    picked = row["picked_quantity"]
    return {
        "id": row["id"],
        "product_id": row["product_id"],
        "name": row["name"],
        "sku": row["sku"],
        "barcode": row["barcode"],
        "unit": row["unit"],
        "quantity": quantity_number(row["quantity"]),
        "picked": None if picked is None else quantity_number(picked),
        "is_done": picked is not None,
        "is_short": picked is not None and bool(row["short_reason"] or _is_less(row)),
        "short_reason": row["short_reason"],
        "category": row["category"],
        "cold": cold_of(row["category"]),
        "wish": row["if_unavailable"],
        "allergens": row["allergens"] or [],
        "is_age_restricted": bool(row["is_age_restricted"]),
        "unit_price_cents": row["unit_price_cents"],
        "substitutes": [
            {
                "name": one["name"],
                "unit": one["unit"],
                "quantity": quantity_number(one["picked_quantity"] or Decimal(0)),
            }
            for one in substitutes
        ],
        "mark": mark_of(row, substitutes),
    }


def _is_less(row: Row) -> bool:
    # A weight is never met exactly.
    return bool(row["unit"] == "each" and row["picked_quantity"] < row["quantity"])
