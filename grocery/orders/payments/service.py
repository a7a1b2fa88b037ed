"""Taking and giving back money for orders. Commits nothing."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row, reader
from grocery.errors import StaleError
from grocery.orders.actors import Actor
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.payments.booking import Handover
from grocery.orders.payments.errors import NotACollectorError
from grocery.orders.payments.methods import payment_method

#: Who may hold the shop's money.
COLLECTOR_ROLES = ("staff", "admin")

# All of the people that a payment names, in one go before the order, so that it cannot deadlock with a deletion.
_LOCK_PEOPLE = text("""
    SELECT id, role FROM customers
    WHERE id IN ((SELECT customer_id FROM orders WHERE id = :order_id), :collector_id, :actor_id)
    ORDER BY id FOR KEY SHARE
""")

_LOCK_ORDER = text("SELECT * FROM orders WHERE id = :order_id FOR UPDATE")

_LOCK_COLLECTOR = text("SELECT id, role FROM customers WHERE id = :collector_id FOR KEY SHARE")

# One statement says both: no row, no order; a row without a payment, nothing was paid.
_PAYMENTS = text("""
    SELECT payment.* FROM orders LEFT JOIN payments AS payment ON payment.order_id = orders.id
    WHERE orders.id = :order_id ORDER BY payment.id
""")

# The foreign keys would do it, too, but not for a person who took the money for an order of their own: when collector
# and actor have become null, PostgreSQL checks the order again, which is gone by then.
_CUT_LOOSE = text("UPDATE payments SET order_id = NULL WHERE order_id = ANY(:order_ids)")


def record_payment(
    session: Session,
    order_id: int,
    *,
    kind: str,
    amount_cents: int,
    collector_id: int | None,
    actor: Actor,
    note: str | None,
    seen_paid_cents: int | None = None,
) -> dict[str, Any]:
    """Note a `capture` or a `refund` that `collector_id` (None: the actor) has made; the payment as JSON-ready data.

    With `seen_paid_cents`, what was paid so far as the sender knows it, the same sent twice is booked once. Raises
    OrderNotFoundError, StaleError, NotACollectorError, and what the order's payment method raises.
    """
    collector_id = collector_id or actor.id
    parameters = {"order_id": order_id, "collector_id": collector_id, "actor_id": actor.id}
    roles = {person.id: person.role for person in session.execute(_LOCK_PEOPLE, parameters)}
    order = session.execute(_LOCK_ORDER, {"order_id": order_id}).mappings().one_or_none()
    if order is None:
        raise OrderNotFoundError(order_id)
    if seen_paid_cents not in (None, order["paid_cents"]):
        raise StaleError("Something was paid meanwhile.")
    _check_collector(collector_id, roles, "collector_id")
    method = payment_method(order["payment_method"])
    book = method.capture if kind == "capture" else method.refund
    return payment_json(book(session, order, Handover(amount_cents, collector_id, actor.id, note)))


def settle_delivered(
    session: Session, order: Row, *, collected_cents: int | None, collector_id: int | None, actor: Actor
) -> int:
    """Note what was collected with an order that is being delivered; what is paid for it then, in cents.

    None is all that is still due, 0 is nothing; no payment is written for nothing. The caller has locked the order and
    calls this before it locks products: the collector's row is locked here. Raises NotACollectorError,
    PaymentExceedsTotalError.
    """
    collector_id = collector_id or actor.id
    people = session.execute(_LOCK_COLLECTOR, {"collector_id": collector_id})
    _check_collector(collector_id, {person.id: person.role for person in people}, "collected_by")
    paid_cents: int = order["paid_cents"]
    amount_cents = order["total_cents"] - paid_cents if collected_cents is None else collected_cents
    if amount_cents <= 0:
        return paid_cents
    method = payment_method(order["payment_method"])
    method.capture(session, order, Handover(amount_cents, collector_id, actor.id))
    return paid_cents + amount_cents


def list_payments(connection: Connection, order_id: int) -> list[dict[str, Any]]:
    """What was paid for an order and paid back, oldest first; raises OrderNotFoundError."""
    rows = connection.execute(_PAYMENTS, {"order_id": order_id}).mappings().all()
    if not rows:
        raise OrderNotFoundError(order_id)
    return [payment_json(row) for row in rows if row["id"] is not None]


def keep_payments(session: Session, order_ids: Collection[int]) -> None:
    """Cut payments loose from orders that are about to be deleted; the day's cash has to add up without them."""
    session.execute(_CUT_LOOSE, {"order_ids": list(order_ids)})


def check_order_exists(order_id: int) -> None:
    """Raise OrderNotFoundError for an order that is not there."""
    with reader() as connection:
        list_payments(connection, order_id)


def payment_json(row: Row) -> dict[str, Any]:
    """A row of `payments` as staff see it."""
    return {
        "id": row["id"],
        "order_id": row["order_id"],
        "order_number": row["order_number"],
        "method": row["method"],
        "kind": row["kind"],
        "amount": money.to_text(row["amount_cents"]),
        "collector_id": row["collector_id"],
        "actor_id": row["actor_id"],
        "note": row["note"],
        "at": row["at"],
    }


def _check_collector(collector_id: int | None, roles: dict[int, str], field: str) -> None:
    if collector_id is not None and roles.get(collector_id) not in COLLECTOR_ROLES:
        raise NotACollectorError(collector_id, field)
