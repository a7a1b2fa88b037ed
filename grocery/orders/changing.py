"""Changing an order: one function moves its status, and whatever changes it does so under the same locks.

Locks are taken in one order everywhere, customers, orders, promotions, slots, products, lots, each by id, so that
nothing deadlocks: a deletion holds the customer's row and waits for the orders, notifications need a share of the
customer's row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders import notices
from grocery.orders.actors import Actor
from grocery.orders.errors import IllegalTransitionError, OrderNotFoundError
from grocery.orders.holding import release_held
from grocery.orders.lots import allocate_lots, return_lots, sum_quantities
from grocery.orders.packing import close_lines, describe_picking
from grocery.orders.payments.service import settle_delivered
from grocery.orders.reading import order_json
from grocery.orders.repricing import list_discounts
from grocery.orders.states import CANCELLED, DELIVERED, DELIVERY_FAILED, allowed_statuses, steps, takes_goods
from grocery.orders.tracking.watchers import tell_watchers
from grocery.products.stock import return_stock
from grocery.web import check_version

_LOCK_CUSTOMER = text("""
    SELECT id, name, email, phone, language, notify_by FROM customers
    WHERE id = (SELECT customer_id FROM orders WHERE id = :order_id) FOR KEY SHARE
""")

_LOCK_ORDER = text("SELECT * FROM orders WHERE id = :order_id FOR UPDATE")

_LINES = text("SELECT * FROM order_lines WHERE order_id = :order_id ORDER BY id")

# The steps in between get history rows too; the last one carries the note and is what the notices refer to.
_MOVE = text("""
    WITH moved AS (
        UPDATE orders SET status = :status, version = version + 1, updated_at = now(), process_at = NULL,
               delivered_at = CASE WHEN :status = 'delivered' THEN now() END, received_by = :received_by,
               is_delivery_failed = :is_delivery_failed
        WHERE id = :order_id
        RETURNING *
    ), noted AS (
        INSERT INTO order_history (order_id, event, from_status, status, actor_id, actor_role, note)
        SELECT :order_id, 'status', step.from_status, step.status, :actor_id, :actor_role,
               CASE WHEN step.status = :status THEN :note END
        FROM unnest(CAST(:from_statuses AS text[]), CAST(:statuses AS text[])) WITH ORDINALITY
             AS step (from_status, status, position)
        ORDER BY step.position
        RETURNING id
    )
    SELECT moved.*, (SELECT max(id) FROM noted) AS history_id FROM moved
""")


@dataclass(frozen=True)
class Delivery:
    """What happened at the door: who took the goods, and what `collector_id` was paid.

    Without `collected_cents` all that was due, without `collector_id` to the one who says so.
    """

    received_by: str | None = None
    collected_cents: int | None = None
    collector_id: int | None = None


def change_status(
    session: Session,
    order_id: int,
    to: str,
    actor: Actor,
    *,
    note: str | None = None,
    version: int | None = None,
    owner_id: int | None = None,
    reason: str | None = None,
    delivery: Delivery = Delivery(),
) -> dict[str, Any]:
    """Move an order to another status; the order as JSON-ready data.

    With `version`, only if it is still the current one; with `owner_id`, only this customer's order. Packing closes the
    lines and allocates lots; cancelling gives back stock, slot and coupon, but for the goods of a delivery that failed
    (`reason`), which are checked in. Raises OrderNotFoundError, StaleError, IllegalTransitionError, LinesOpenError,
    NothingPickedError, PaymentExceedsTotalError, and InvalidError for a collector who is not of the staff.
    """
    order, customer = lock_order(session, order_id, owner_id)
    check_version(order["version"], version)
    allowed = allowed_statuses(order["status"], is_staff=actor.is_staff, reason=reason)
    if to not in allowed:
        raise IllegalTransitionError(order["status"], to, allowed)
    lines: Sequence[Row] = list_lines(session, order_id)
    discounts = list_discounts(session, order_id)
    is_packed_now = takes_goods(order["status"], to)
    if is_packed_now:
        lines = close_lines(session, order_id, lines)
    moved = move(session, order, to, actor, note, received_by=delivery.received_by, reason=reason)
    if to == DELIVERED:
        moved["paid_cents"] = settle_delivered(
            session,
            moved,
            collected_cents=delivery.collected_cents,
            collector_id=delivery.collector_id,
            actor=actor,
        )
    picking = describe_picking(lines) if is_packed_now else []
    notices.tell_status(moved, lines, discounts, customer, actor, picking=picking)
    if to == CANCELLED:
        release_held(session, [order_id])
        if reason != DELIVERY_FAILED:
            give_back(order_id, lines, actor)
    elif is_packed_now:
        allocate_lots(session, order_id, lines)
    return order_json(moved, lines, discounts, is_staff=actor.is_staff)


def lock_order(session: Session, order_id: int, owner_id: int | None = None) -> tuple[Row, Row]:
    """The order, locked for a change, and its customer, locked against deletion; raises OrderNotFoundError."""
    parameters = {"order_id": order_id}
    customer = session.execute(_LOCK_CUSTOMER, parameters).mappings().one_or_none()
    order = session.execute(_LOCK_ORDER, parameters).mappings().one_or_none()
    if order is None or customer is None or owner_id not in (None, order["customer_id"]):
        raise OrderNotFoundError(order_id)
    return order, customer


def list_lines(session: Session, order_id: int) -> list[Row]:
    return list(session.execute(_LINES, {"order_id": order_id}).mappings())


def move(
    session: Session,
    order: Row,
    to: str,
    actor: Actor,
    note: str | None,
    *,
    received_by: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Write a legal move of a locked order and its history; the order's row with `history_id` and `status_note`."""
    statuses = steps(order["status"], to)
    parameters = {
        "order_id": order["id"],
        "status": to,
        "statuses": statuses,
        "from_statuses": [order["status"], *statuses[:-1]],
        "actor_id": actor.id,
        "actor_role": actor.role,
        "note": note or None,
        "received_by": received_by,
        "is_delivery_failed": reason == DELIVERY_FAILED,
    }
    row = session.execute(_MOVE, parameters).mappings().one()
    tell_watchers(order["id"])
    return {**row, "status_note": note or None}


def give_back(order_id: int, lines: Sequence[Row], actor: Actor) -> None:
    """Put the stock of an order's lines back on the shelf, and into its lots; what was deleted meanwhile has none."""
    return_stock(sum_quantities(lines), order_id=order_id, actor_id=actor.id)
    return_lots(order_id)
