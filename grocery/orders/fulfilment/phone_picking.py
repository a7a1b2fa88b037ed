"""Picking with a phone that is off the network now and then: what it sends may be late, and may come twice.

A pick says what is in the bag, not what to add to it, so the same one again changes nothing. It also says how its
sender saw the line (a mark). A late one is taken while the line still is like that, or is already as the pick wants it;
when somebody else was there meanwhile, nothing is changed and the sender is told.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status, list_lines, lock_order
from grocery.orders.editing import find_line, substitutes_of
from grocery.orders.errors import LinesOpenError
from grocery.orders.fulfilment.errors import LineChangedError
from grocery.orders.fulfilment.picking import Pick, pick_line
from grocery.orders.states import OPEN_STATUSES


def mark_of(line: Row, substitutes: Sequence[Row]) -> str:
    """How a line is just now: what of it is in the bag, why not all, and what stands in for the rest."""
    picked = line["picked_quantity"]
    parts = ["-" if picked is None else str(quantity_number(picked)), line["short_reason"] or "-"]
    parts += [f"{one['product_id']}x{quantity_number(one['picked_quantity'] or Decimal(0))}" for one in substitutes]
    return "/".join(parts)


def pick_as_seen(
    session: Session, order_id: int, line_id: int, pick: Pick, actor: Actor, *, seen: str
) -> dict[str, Any]:
    """Note a pick of a line that is still as `seen` (its mark); the order as JSON-ready data.

    Raises LineChangedError, and what `pick_line` raises.
    """
    lock_order(session, order_id)
    lines = list_lines(session, order_id)
    line = find_line(lines, line_id)
    substitutes = substitutes_of(line, lines)
    if mark_of(line, substitutes) not in (seen, _wanted_mark(line, pick)):
        raise LineChangedError
    return pick_line(session, order_id, line_id, pick, actor, version=None)


def pack_picked(session: Session, order_id: int, actor: Actor, *, version: int | None) -> dict[str, Any]:
    """Pack an order of which every line was picked; it as JSON-ready data.

    Raises LinesOpenError, and what `change_status` raises.
    """
    order, _customer = lock_order(session, order_id)
    untouched = [line["id"] for line in list_lines(session, order_id) if line["picked_quantity"] is None]
    if untouched and order["status"] in OPEN_STATUSES:
        raise LinesOpenError(untouched)
    return change_status(session, order_id, "packed", actor, version=version)


def _wanted_mark(line: Row, pick: Pick) -> str:
    """What a line's mark is once the pick is done."""
    if pick.substitute_product_id is None:
        reason = pick.reason if pick.quantity < line["quantity"] else None
        return mark_of({"picked_quantity": pick.quantity, "short_reason": reason}, ())
    substitute = {"product_id": pick.substitute_product_id, "picked_quantity": pick.quantity}
    kept = line["picked_quantity"] or Decimal(0)
    return mark_of({"picked_quantity": kept, "short_reason": pick.reason or line["short_reason"]}, [substitute])
