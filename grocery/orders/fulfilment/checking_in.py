"""Goods of a delivery that failed come back to the shop: what is good goes back on the shelf."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.changing import list_lines, lock_order
from grocery.orders.fulfilment.errors import CheckInError, NotFailedError
from grocery.orders.lines import quantity_of
from grocery.orders.reading import order_json
from grocery.orders.repricing import list_discounts
from grocery.products.stock import adjust_stock, return_stock

_CHECK_IN = text("""
    UPDATE order_lines SET checked_in_quantity = coalesce(checked_in_quantity, 0) + :quantity WHERE id = :line_id
""")

_TOUCH = text("UPDATE orders SET version = version + 1, updated_at = now() WHERE id = :order_id RETURNING *")

_NOTE = text("""
    INSERT INTO order_history (order_id, event, from_status, status, actor_id, actor_role, changed)
    VALUES (:order_id, 'checked_in', :status, :status, :actor_id, :actor_role, CAST(:changed AS jsonb))
""")


def check_in(session: Session, order_id: int, items: Sequence[Mapping[str, Any]], actor: Actor) -> dict[str, Any]:
    """Note what came back (`line_id`, `quantity`, `is_sellable`); the order as JSON-ready data.

    What cannot be sold any more is written off as damaged. Raises OrderNotFoundError, NotFailedError, CheckInError.
    """
    order, _customer = lock_order(session, order_id)
    if not order["is_delivery_failed"]:
        raise NotFailedError
    lines = {line["id"]: line for line in list_lines(session, order_id)}
    _check_items(items, lines)
    good: dict[int, Decimal] = {}
    bad: dict[int, Decimal] = {}
    for item in items:
        session.execute(_CHECK_IN, {"line_id": item["line_id"], "quantity": item["quantity"]})
        product_id = lines[item["line_id"]]["product_id"]
        if product_id is not None:
            kind = good if item["is_sellable"] else bad
            kind[product_id] = kind.get(product_id, Decimal(0)) + item["quantity"]
    changed = orjson.dumps({"checked_in": [_entry(item, lines[item["line_id"]]) for item in items]}).decode()
    noted = {"order_id": order_id, "status": order["status"], "actor_id": actor.id, "actor_role": actor.role}
    session.execute(_NOTE, {**noted, "changed": changed})
    order = session.execute(_TOUCH, {"order_id": order_id}).mappings().one()
    returned = {
        product_id: good.get(product_id, Decimal(0)) + bad.get(product_id, Decimal(0))
        for product_id in sorted(good | bad)
    }
    return_stock(returned, order_id=order_id, actor_id=actor.id, reason="returned")
    for product_id, quantity in sorted(bad.items()):
        adjust_stock(product_id, -quantity, reason="damaged", actor_id=actor.id, note="Delivery failed")
    return order_json(order, list_lines(session, order_id), list_discounts(session, order_id), is_staff=True)


def _check_items(items: Sequence[Mapping[str, Any]], lines: Mapping[int, Row]) -> None:
    """Raise CheckInError for lines of other orders, and for more than went out."""
    problems: dict[int, str] = {}
    left = {line_id: quantity_of(line) - (line["checked_in_quantity"] or 0) for line_id, line in lines.items()}
    for index, item in enumerate(items):
        line = lines.get(item["line_id"])
        if line is None:
            problems[index] = "The order has no such line."
        elif line["unit"] == "each" and item["quantity"] % 1:
            problems[index] = "Must be a whole number: the product is sold by piece."
        elif item["quantity"] > left[item["line_id"]]:
            problems[index] = f"No more than {left[item['line_id']]:f} can still come back."
        else:
            left[item["line_id"]] -= item["quantity"]
    if problems:
        raise CheckInError(problems)


def _entry(item: Mapping[str, Any], line: Row) -> dict[str, Any]:
    return {
        "name": line["name"],
        "quantity": quantity_number(item["quantity"]),
        "is_sellable": item["is_sellable"],
    }
