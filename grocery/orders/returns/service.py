"""Taking goods back after delivery. A return is a document beside the order, which stays delivered."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.changing import list_lines, lock_order
from grocery.orders.lines import quantity_of
from grocery.orders.payments.service import record_payment
from grocery.orders.returns.amounts import Refund, refund_of
from grocery.orders.returns.errors import NotDeliveredError, ReturnItemsError
from grocery.orders.states import DELIVERED
from grocery.products.stock import adjust_stock, return_stock

_RETURNED = text("""
    SELECT line_id, sum(line.quantity) AS quantity
    FROM order_returns JOIN order_return_lines AS line ON line.return_id = order_returns.id
    WHERE order_id = :order_id GROUP BY line_id
""")

# Numbered within the order, whose lock is held: G-7K3M9Q-R1, G-7K3M9Q-R2.
_CREATE = text("""
    WITH made AS (
        INSERT INTO order_returns (order_id, number, reason, note, refund_cents, vat_cents, actor_id)
        SELECT :order_id, :order_number || '-R' || (SELECT count(*) + 1 FROM order_returns WHERE order_id = :order_id),
               :reason, :note, :refund_cents, :vat_cents, :actor_id
        RETURNING *
    ), lines AS (
        INSERT INTO order_return_lines (return_id, line_id, quantity, is_restocked, amount_cents, vat_cents)
        SELECT made.id, line.* FROM made, jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (
            line_id bigint, quantity numeric, is_restocked boolean, amount_cents bigint, vat_cents bigint
        )
    ), noted AS (
        INSERT INTO order_history (order_id, event, from_status, status, actor_id, actor_role, note, changed)
        SELECT order_id, 'returned', 'delivered', 'delivered', :actor_id, :actor_role, note, CAST(:changed AS jsonb)
        FROM made
    )
    SELECT * FROM made
""")

_TOUCH = text("UPDATE orders SET version = version + 1, updated_at = now() WHERE id = :order_id")

_LIST = text("""
    SELECT made.*, (
        SELECT json_agg(json_build_object(
            'line_id', back.line_id, 'name', line.name, 'quantity', CAST(back.quantity AS text),
            'is_restocked', back.is_restocked, 'amount_cents', back.amount_cents
        ) ORDER BY back.line_id)
        FROM order_return_lines AS back JOIN order_lines AS line ON line.id = back.line_id
        WHERE back.return_id = made.id
    )::text AS lines
    FROM order_returns AS made WHERE order_id = :order_id ORDER BY made.id
""")


def take_back(
    session: Session,
    order_id: int,
    items: Sequence[Mapping[str, Any]],
    actor: Actor,
    *,
    reason: str,
    note: str | None,
    is_paid_back: bool,
) -> dict[str, Any]:
    """Take goods back (`line_id`, `quantity`, `is_restocked`); the return as JSON-ready data.

    What is not put back on the shelf is written off. With `is_paid_back` the refund is noted as paid by the actor.
    Raises OrderNotFoundError, NotDeliveredError, ReturnItemsError, and what a refund raises.
    """
    order, _customer = lock_order(session, order_id)
    if order["status"] != DELIVERED:
        raise NotDeliveredError(order["status"])
    lines = {line["id"]: line for line in list_lines(session, order_id)}
    before = {row.line_id: row.quantity for row in session.execute(_RETURNED, {"order_id": order_id})}
    _check_items(items, lines, before)
    refunds = [_refund(lines[item["line_id"]], before, item) for item in items]
    refund_cents = sum(refund.amount_cents for refund in refunds)
    parameters = {
        "order_id": order_id,
        "order_number": order["number"],
        "reason": reason,
        "note": note or None,
        "refund_cents": refund_cents,
        "vat_cents": sum(refund.vat_cents for refund in refunds),
        "actor_id": actor.id,
        "actor_role": actor.role,
        "lines": orjson.dumps(
            [{**item, **vars(refund)} for item, refund in zip(items, refunds, strict=True)], default=str
        ).decode(),
        "changed": orjson.dumps({"returned": [_entry(item, lines) for item in items]}).decode(),
    }
    session.execute(_CREATE, parameters)
    session.execute(_TOUCH, {"order_id": order_id})
    if is_paid_back and refund_cents:
        record_payment(
            session, order_id, kind="refund", amount_cents=refund_cents, collector_id=None, actor=actor, note=reason
        )
    _move_stock(order_id, items, lines, actor)
    return list_returns(session.connection(), order_id)[-1]


def list_returns(connection: Connection, order_id: int) -> list[dict[str, Any]]:
    """What came back of an order, oldest first. The caller has made sure that the reader may see the order."""
    return [_return_json(row) for row in connection.execute(_LIST, {"order_id": order_id}).mappings()]


def _check_items(items: Sequence[Mapping[str, Any]], lines: Mapping[int, Row], before: Mapping[int, Decimal]) -> None:
    problems: dict[int, dict[str, list[str]]] = {}
    seen: set[int] = set()
    for index, item in enumerate(items):
        line = lines.get(item["line_id"])
        if line is None or item["line_id"] in seen:
            message = "The order has no such line." if line is None else "Each line once."
            problems[index] = {"line_id": [message]}
            continue
        seen.add(item["line_id"])
        left = quantity_of(line) - before.get(line["id"], Decimal(0))
        if line["unit"] == "each" and item["quantity"] % 1:
            problems[index] = {"quantity": ["Must be a whole number: the product is sold by piece."]}
        elif item["quantity"] > left:
            problems[index] = {"quantity": [f"No more than {quantity_number(left)} can come back."]}
    if problems:
        raise ReturnItemsError(problems)


def _refund(line: Row, before: Mapping[int, Decimal], item: Mapping[str, Any]) -> Refund:
    paid = line["line_total_cents"] - line["discount_cents"]
    returned = before.get(line["id"], Decimal(0))
    return refund_of(paid, line["vat_cents"], quantity_of(line), returned, item["quantity"])


def _move_stock(order_id: int, items: Sequence[Mapping[str, Any]], lines: Mapping[int, Row], actor: Actor) -> None:
    """Put all of it into the books, then write off what nobody can sell, product by product."""
    back: dict[int, Decimal] = {}
    spoiled: dict[int, Decimal] = {}
    for item in items:
        product_id = lines[item["line_id"]]["product_id"]
        if product_id is not None:
            back[product_id] = back.get(product_id, Decimal(0)) + item["quantity"]
            if not item["is_restocked"]:
                spoiled[product_id] = spoiled.get(product_id, Decimal(0)) + item["quantity"]
    return_stock(back, order_id=order_id, actor_id=actor.id, reason="returned")
    for product_id, quantity in sorted(spoiled.items()):
        adjust_stock(product_id, -quantity, reason="damaged", actor_id=actor.id, note="Returned by the customer")


def _entry(item: Mapping[str, Any], lines: Mapping[int, Row]) -> dict[str, Any]:
    return {"name": lines[item["line_id"]]["name"], "quantity": quantity_number(item["quantity"])}


def _return_json(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "order_id": row["order_id"],
        "number": row["number"],
        "reason": row["reason"],
        "note": row["note"],
        "refund": money.to_text(row["refund_cents"]),
        "vat": money.to_text(row["vat_cents"]),
        "items": [
            {
                "line_id": line["line_id"],
                "name": line["name"],
                "quantity": quantity_number(Decimal(line["quantity"])),
                "is_restocked": line["is_restocked"],
                "amount": money.to_text(line["amount_cents"]),
            }
            for line in orjson.loads(row["lines"] or "[]")
        ],
        "created_at": row["created_at"],
    }
