"""Closing the lines of an order that is being packed, and what the customer is told of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders import phrases
from grocery.orders.errors import LinesOpenError, NothingPickedError
from grocery.orders.lines import quantity_of

_CLOSE = text("""
    UPDATE order_lines SET picked_quantity = quantity, picked_at = now()
    WHERE order_id = :order_id AND picked_quantity IS NULL
""")


def close_lines(session: Session, order_id: int, lines: Sequence[Row]) -> list[dict[str, Any]]:
    """Take lines that nobody touched as picked in full; the lines as they are then.

    Raises LinesOpenError where the shop wants every line picked (REQUIRE_PICKING), and NothingPickedError when nothing
    is in the bag.
    """
    untouched = [line["id"] for line in lines if line["picked_quantity"] is None]
    if untouched and current_app.config["REQUIRE_PICKING"]:
        raise LinesOpenError(untouched)
    closed = [{**line, "picked_quantity": quantity_of(line)} for line in lines]
    if not any(line["picked_quantity"] for line in closed):
        raise NothingPickedError
    if untouched:
        session.execute(_CLOSE, {"order_id": order_id})
    return closed


def describe_picking(lines: Sequence[Row]) -> list[phrases.Phrase]:
    """What is not as ordered, for the customer. That weights differ a little is no news."""
    substitutes = {line["substitute_for"]: line for line in lines if line["substitute_for"] and quantity_of(line)}
    return [
        phrase
        for line in lines
        if line["substitute_for"] is None and (phrase := _describe(line, substitutes.get(line["id"])))
    ]


def _describe(line: Row, substitute: Row | None) -> phrases.Phrase | None:
    picked = quantity_of(line)
    if substitute is not None:
        return phrases.replaced(quantity_of(substitute), substitute["unit"], substitute["name"], line["name"])
    if not picked:
        return phrases.missing(line["name"])
    # A weight is never met exactly; a tenth less was picked short.
    is_short = picked < line["quantity"] * (Decimal("0.9") if line["unit"] == "kg" else 1)
    if is_short:
        return phrases.short(picked, line["unit"], line["name"])
    return None
