"""A customer who does not want a substitute gives it back before it leaves the shop."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.orders import notices, phrases
from grocery.orders.actors import Actor
from grocery.orders.changing import list_lines, lock_order
from grocery.orders.editing import find_line
from grocery.orders.fulfilment.errors import NotASubstituteError, TooLateError
from grocery.orders.lines import quantity_of
from grocery.orders.lots import allocate_lots, return_lots
from grocery.orders.reading import order_json
from grocery.orders.repricing import list_discounts, reprice
from grocery.orders.states import OPEN_STATUSES
from grocery.products.stock import lock_stock, return_stock
from grocery.web import check_version

_REFUSE = text("UPDATE order_lines SET picked_quantity = 0, short_reason = 'unwanted' WHERE id = :line_id")


def refuse_substitute(
    session: Session, order_id: int, line_id: int, actor: Actor, *, owner_id: int | None, version: int | None
) -> dict[str, Any]:
    """Take a substitute out of the bag; the order as JSON-ready data. Refused once more, it changes nothing.

    With `owner_id` only of this customer's order. Raises OrderNotFoundError, LineNotFoundError, StaleError,
    NotASubstituteError, TooLateError.
    """
    order, customer = lock_order(session, order_id, owner_id)
    check_version(order["version"], version)
    lines = list_lines(session, order_id)
    line = find_line(lines, line_id)
    if line["substitute_for"] is None:
        raise NotASubstituteError
    if not quantity_of(line):
        return order_json(order, lines, list_discounts(session, order_id), is_staff=actor.is_staff)
    if order["status"] not in (*OPEN_STATUSES, "packed"):
        raise TooLateError(order["status"])
    session.execute(_REFUSE, {"line_id": line_id})
    changed = {"refused": [{"name": line["name"]}]}
    left = list_lines(session, order_id)
    repriced, new_lines, discounts = reprice(session, order, left, actor, changed)
    notices.tell_changed(repriced, new_lines, discounts, customer, phrases.refused(line["name"]))
    # Its lots are changed with those of the others: together, as everyone locks them.
    lock_stock([one["product_id"] for one in lines if one["product_id"] is not None])
    if line["product_id"] is not None:
        return_stock({line["product_id"]: quantity_of(line)}, order_id=order_id, actor_id=actor.id)
    if order["status"] == "packed":
        # Which of the lots it came out of is known for the order, not for its lines: they are allocated anew.
        return_lots(order_id)
        allocate_lots(session, order_id, new_lines)
    return order_json(repriced, new_lines, discounts, is_staff=actor.is_staff)
