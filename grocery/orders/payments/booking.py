"""Writing payments: what holds for every method. The caller has the order's row locked; commits nothing."""

from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.payments.errors import OrderCancelledError, PaymentExceedsTotalError, RefundExceedsPaidError
from grocery.orders.states import CANCELLED

# The version stays: whoever is about to change the order has not missed anything of it.
_BOOK = text("""
    WITH paid AS (
        UPDATE orders SET paid_cents = paid_cents + CASE :kind WHEN 'capture' THEN :amount_cents ELSE -:amount_cents END
        WHERE id = :order_id
        RETURNING id, number
    )
    INSERT INTO payments (order_id, order_number, method, kind, amount_cents, collector_id, actor_id, note)
    SELECT id, number, :method, :kind, :amount_cents, :collector_id, :actor_id, :note FROM paid
    RETURNING *
""")

# What was credited for goods that came back is not to be collected a second time.
_CREDITED = text("SELECT coalesce(sum(refund_cents), 0) FROM order_returns WHERE order_id = :order_id")


@dataclass(frozen=True)
class Handover:
    """Money that changes hands: how much, in cents, which collector takes or gives it, and who notes that."""

    amount_cents: int
    collector_id: int | None
    actor_id: int | None
    note: str | None = None


def check_capture(session: Session, order: Row, amount_cents: int) -> None:
    """Raise OrderCancelledError or PaymentExceedsTotalError unless so much may be taken for a locked order."""
    if order["status"] == CANCELLED:
        raise OrderCancelledError(order["number"])
    credited_cents = int(session.execute(_CREDITED, {"order_id": order["id"]}).scalar_one())
    due_cents = max(0, order["total_cents"] - credited_cents - order["paid_cents"])
    if amount_cents > due_cents:
        raise PaymentExceedsTotalError(amount_cents, due_cents, order["currency"])


def check_refund(order: Row, amount_cents: int) -> None:
    """Raise RefundExceedsPaidError unless so much was paid; a cancelled order is paid back like any other."""
    if amount_cents > order["paid_cents"]:
        raise RefundExceedsPaidError(amount_cents, order["paid_cents"], order["currency"])


def book(session: Session, order: Row, method: str, kind: str, handover: Handover) -> Row:
    """Write a `capture` or `refund` that was checked, and what is paid for the order then; the payment's row."""
    parameters = {"order_id": order["id"], "method": method, "kind": kind, **asdict(handover)}
    return session.execute(_BOOK, parameters).mappings().one()
