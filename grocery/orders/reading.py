"""Orders as clients see them: one place that turns rows into JSON, and the statements that read them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, text

from grocery import money
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.promotions.terms import FREE_DELIVERY
from grocery.orders.quote import VatAmount, sum_up_vat
from grocery.orders.quoting import vat_json
from grocery.orders.states import allowed_statuses
from grocery.paging import decode_cursor, encode_cursor

# Order and lines in one statement, so that nobody sees an order between two states.
_COLUMNS = """
    orders.*, line.id AS line_id, line.product_id, line.sku, line.name, line.category, line.unit, line.quantity,
    line.unit_price_cents, line.line_total_cents, line.discount_cents AS line_discount_cents, line.vat_class,
    line.vat_rate, line.vat_cents AS line_vat_cents, line.if_unavailable, line.picked_quantity, line.substitute_for,
    line.short_reason
"""

_WITH_DISCOUNTS = """
    SELECT orders.*, (
        SELECT json_agg(json_build_object('code', code, 'name', name, 'kind', kind, 'amount_cents', amount_cents)
                        ORDER BY id)
        FROM order_discounts WHERE order_id = orders.id
    )::text AS discounts
    FROM orders
"""

_ONE = text(f"""
    SELECT {_COLUMNS} FROM (
        {_WITH_DISCOUNTS}
        WHERE id = :order_id AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
    ) AS orders LEFT JOIN order_lines AS line ON line.order_id = orders.id
    ORDER BY line.id
""")  # noqa: S608  # built from constants only

#: A condition on `orders`: its number, the last digits of its phone, or a part of the customer's name is `:words`.
ORDER_MATCHES = """(
    orders.number ILIKE :words || '%' OR orders.phone LIKE '%' || :words
    OR orders.customer_id IN (SELECT id FROM customers WHERE name ILIKE '%' || :words || '%')
)"""

_HISTORY = text("SELECT * FROM order_history WHERE order_id = :order_id ORDER BY id")


def order_json(order: Row, lines: Sequence[Row], discounts: Iterable[Row], *, is_staff: bool) -> dict[str, Any]:
    """An order, its lines and its discounts (rows) as JSON-ready data, with what the reader may do next."""
    taken_off = [discount for discount in discounts if discount["amount_cents"]]
    return {
        "id": order["id"],
        "number": order["number"],
        "status": order["status"],
        "customer_id": order["customer_id"],
        "items": [line_json(line) for line in lines],
        "subtotal": money.to_text(order["subtotal_cents"]),
        "discounts": [
            {"code": one["code"], "name": one["name"], "amount": money.to_text(one["amount_cents"])}
            for one in taken_off
        ],
        "delivery_fee": money.to_text(order["delivery_fee_cents"]),
        "vat": money.to_text(order["vat_cents"]),
        "vat_classes": vat_json(vat_amounts(order, lines, taken_off)),
        "total": money.to_text(order["total_cents"]),
        "paid": money.to_text(order["paid_cents"]),
        "currency": order["currency"],
        "coupon": order["coupon"],
        "delivery": {
            "method": order["delivery_method"],
            "zone_id": order["zone_id"],
            "slot_id": order["slot_id"],
            "slot_starts_at": order["slot_starts_at"],
            "slot_ends_at": order["slot_ends_at"],
            "address": order["address"],
            "landmark": order["landmark"],
            "phone": order["phone"],
            "note": order["delivery_note"],
            "received_by": order["received_by"],
        },
        "payment_method": order["payment_method"],
        "note": order["note"],
        "placed_at": order["placed_at"],
        "updated_at": order["updated_at"],
        "version": order["version"],
        "allowed_statuses": allowed_statuses(order["status"], is_staff=is_staff),
    }


def line_json(line: Row) -> dict[str, Any]:
    picked = line["picked_quantity"]
    return {
        "id": line["id"],
        "product_id": line["product_id"],
        "sku": line["sku"],
        "name": line["name"],
        "quantity": quantity_number(line["quantity"]),
        "unit": line["unit"],
        "unit_price": money.to_text(line["unit_price_cents"]),
        "line_total": money.to_text(line["line_total_cents"]),
        "discount": money.to_text(line["discount_cents"]),
        "vat_rate": f"{line['vat_rate']:.2f}",
        "if_unavailable": line["if_unavailable"],
        "picked_quantity": None if picked is None else quantity_number(picked),
        "substitute_for": line["substitute_for"],
        "short_reason": line["short_reason"],
    }


def vat_amounts(order: Row, lines: Iterable[Row], discounts: Iterable[Row]) -> list[VatAmount]:
    """What was paid by VAT class and the VAT inside; the amounts add up to the order's total."""
    paid = [
        (line["vat_class"], line["vat_rate"], line["line_total_cents"] - line["discount_cents"], line["vat_cents"])
        for line in lines
    ]
    free = sum(discount["amount_cents"] for discount in discounts if discount["kind"] == FREE_DELIVERY)
    return sum_up_vat(paid, order["delivery_fee_cents"] - free)


def get_order(connection: Connection, order_id: int, reader: Actor) -> dict[str, Any]:
    """An order as `reader` may see it; raises OrderNotFoundError, also for another customer's order."""
    parameters = {"order_id": order_id, "customer_id": None if reader.is_staff else reader.id}
    rows = connection.execute(_ONE, parameters).mappings().all()
    if not rows:
        raise OrderNotFoundError(order_id)
    return order_json(rows[0], _lines_of(rows), _discounts_of(rows[0]), is_staff=reader.is_staff)


def list_orders(
    connection: Connection,
    reader: Actor,
    *,
    limit: int,
    cursor: str | None,
    status: str | None = None,
    customer_id: int | None = None,
    slot_id: int | None = None,
    placed_after: datetime | None = None,
    placed_before: datetime | None = None,
    q: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Newest first, with the cursor of the next page. Customers see their own orders, whatever they ask for."""
    wanted: dict[str, tuple[str, Any]] = {
        "orders.customer_id = :owner_id": ("owner_id", None if reader.is_staff else reader.id),
        "orders.customer_id = :customer_id": ("customer_id", customer_id),
        "orders.slot_id = :slot_id": ("slot_id", slot_id),
        "orders.status = :status": ("status", status),
        "orders.placed_at >= :placed_after": ("placed_after", placed_after),
        "orders.placed_at < :placed_before": ("placed_before", placed_before),
        "orders.id < :before_id": ("before_id", decode_cursor(cursor, int)[0] if cursor else None),
        ORDER_MATCHES: ("words", escape_like(q) if q else None),
    }
    conditions = [condition for condition, (_, value) in wanted.items() if value is not None]
    parameters = {name: value for name, value in wanted.values() if value is not None} | {"limit": limit + 1}
    rows = connection.execute(_list_statement(conditions), parameters).mappings().all()
    orders = [list(group) for _, group in groupby(rows, key=lambda row: row["id"])]
    page = [
        order_json(group[0], _lines_of(group), _discounts_of(group[0]), is_staff=reader.is_staff)
        for group in orders[:limit]
    ]
    return page, encode_cursor(page[-1]["id"]) if len(orders) > limit else None


def list_history(connection: Connection, order_id: int, reader: Actor) -> list[dict[str, Any]]:
    """Every change of an order, oldest first. Customers see the role of who made it, not the person."""
    get_order(connection, order_id, reader)
    return [history_json(row, reader) for row in connection.execute(_HISTORY, {"order_id": order_id}).mappings()]


def history_json(row: Row, reader: Actor) -> dict[str, Any]:
    """A row of `order_history` as `reader` may see it."""
    return {
        "id": row["id"],
        "event": row["event"],
        "from_status": row["from_status"],
        "status": row["status"],
        "actor_id": row["actor_id"] if reader.is_staff or row["actor_id"] == reader.id else None,
        "actor_role": row["actor_role"],
        "note": row["note"],
        "changed": row["changed"],
        "at": row["at"],
    }


def _list_statement(conditions: list[str]) -> Any:
    return text(f"""
        SELECT {_COLUMNS}
        FROM (
            {_WITH_DISCOUNTS}
            WHERE {" AND ".join(["true", *conditions])} ORDER BY orders.id DESC LIMIT :limit
        ) AS orders
        LEFT JOIN order_lines AS line ON line.order_id = orders.id
        ORDER BY orders.id DESC, line.id
    """)  # noqa: S608  # the conditions are constants of this module; values are bound


def _lines_of(rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "id": row["line_id"],
            "discount_cents": row["line_discount_cents"],
            "vat_cents": row["line_vat_cents"],
        }
        for row in rows
        if row["line_id"] is not None
    ]


def _discounts_of(row: RowMapping) -> list[dict[str, Any]]:
    return orjson.loads(row["discounts"]) if row["discounts"] else []


def escape_like(words: str) -> str:
    """Words of a search for the `:words` of `ORDER_MATCHES`."""
    return words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
