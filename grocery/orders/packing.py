"""Closing the lines of an order that is being packed, and what the customer is told of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.fields import quantity_number
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


def describe_picking(lines: Sequence[Row]) -> str | None:
    """What is not as ordered, for the customer; None when all is. That weights differ a little is no news."""
    substitutes = {line["substitute_for"]: line for line in lines if line["substitute_for"] and quantity_of(line)}
    sentences = [
        sentence
        for line in lines
        if line["substitute_for"] is None and (sentence := _describe(line, substitutes.get(line["id"])))
    ]
    return " ".join(sentences) or None


def _describe(line: Row, substitute: Row | None) -> str | None:
    picked = quantity_of(line)
    if substitute is not None:
        return f"{_amount(substitute, quantity_of(substitute))} {substitute['name']} instead of {line['name']}."
    if not picked:
        return f"Not available: {line['name']}."
    # A weight is never met exactly; a tenth less was picked short.
    is_short = picked < line["quantity"] * (Decimal("0.9") if line["unit"] == "kg" else 1)
    if is_short:
        return f"Only {_amount(line, picked)} {line['name']}."
    return None


def _amount(line: Row, quantity: Decimal) -> str:
    return f"{quantity_number(quantity)} {'kg' if line['unit'] == 'kg' else 'x'}"
