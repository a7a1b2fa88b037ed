"""Ways to pay. Each is a PaymentMethod, known by its name in `orders.payment_method`; mobile money comes next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.payments.booking import Handover, book, check_capture, check_refund
from grocery.orders.payments.errors import TooManyOpenOrdersError, UnknownMethodError

# An order that was erased with its customer is known by its number alone; if it was delivered, the ledger has its
# total. What is due is that of the moment before the collector's first payment: what others took or gave back after
# it, or on another day, does not change what this one had to bring. Ids of one order's payments are in the order of
# time, since each is written under the order's lock.
_TAKEN = text("""
    WITH taken AS (
        SELECT collector_id, order_id, order_number, min(id) AS first_id,
               coalesce(sum(amount_cents) FILTER (WHERE kind = 'capture'), 0) AS collected_cents,
               coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0) AS refunded_cents
        FROM payments WHERE method = :method AND at >= :starts_at AND at < :ends_at
        GROUP BY collector_id, order_id, order_number
    ), compared AS (
        SELECT taken.*, finished.total_cents - earlier.paid_cents AS due_cents
        FROM taken LEFT JOIN LATERAL (
            SELECT total_cents FROM orders WHERE id = taken.order_id AND status = 'delivered'
            UNION ALL
            SELECT total_cents FROM sales_ledger
            WHERE taken.order_id IS NULL AND sales_ledger.order_number = taken.order_number
        ) AS finished ON taken.collected_cents > 0
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN kind = 'capture' THEN amount_cents ELSE -amount_cents END), 0) AS paid_cents
            FROM (
                SELECT id, kind, amount_cents FROM payments WHERE order_id = taken.order_id
                UNION ALL
                SELECT id, kind, amount_cents FROM payments
                WHERE taken.order_id IS NULL AND order_id IS NULL AND order_number = taken.order_number
            ) AS payment
            WHERE payment.id < taken.first_id
        ) AS earlier
    )
    SELECT collector_id, collector.name AS collector, count(*) AS orders,
           CAST(sum(collected_cents) AS bigint) AS collected_cents,
           CAST(sum(refunded_cents) AS bigint) AS refunded_cents,
           CAST(coalesce(sum(due_cents), 0) AS bigint) AS expected_cents,
           CAST(coalesce(sum(collected_cents - refunded_cents - due_cents), 0) AS bigint) AS difference_cents
    FROM compared LEFT JOIN customers AS collector ON collector.id = collector_id
    GROUP BY collector_id, collector.name
    ORDER BY lower(collector.name) NULLS LAST, collector_id
""")


class PaymentMethod(Protocol):
    """What orders ask of a way to pay. Nothing here commits."""

    name: str

    def authorize(self, *, open_unpaid_orders: int, limit: int) -> None:
        """Let an order be placed with this method, or raise; the customer has so many open ones not paid for.

        Asks nobody: the number is counted by the caller, in the statement that places the order.
        """

    def capture(self, session: Session, order: Row, handover: Handover) -> Row:
        """Take money for a locked order; the payment's row. Raises OrderCancelledError, PaymentExceedsTotalError."""

    def refund(self, session: Session, order: Row, handover: Handover) -> Row:
        """Give money back for a locked order; the payment's row. Raises RefundExceedsPaidError."""

    def reconcile(self, connection: Connection, starts_at: datetime, ends_at: datetime) -> Sequence[Row]:
        """What each collector took and gave back from one moment until before another, beside what was due."""


class CashOnDelivery:
    """Cash at the door or the counter: whoever collects it brings it to the shop."""

    name = "cash_on_delivery"

    def authorize(self, *, open_unpaid_orders: int, limit: int) -> None:
        """Raises TooManyOpenOrdersError unless there are fewer than `limit`; 0 is no limit."""
        if limit and open_unpaid_orders >= limit:
            raise TooManyOpenOrdersError(open_unpaid_orders, limit)

    def capture(self, session: Session, order: Row, handover: Handover) -> Row:
        check_capture(session, order, handover.amount_cents)
        return book(session, order, self.name, "capture", handover)

    def refund(self, session: Session, order: Row, handover: Handover) -> Row:
        check_refund(order, handover.amount_cents)
        return book(session, order, self.name, "refund", handover)

    def reconcile(self, connection: Connection, starts_at: datetime, ends_at: datetime) -> Sequence[Row]:
        """`due` counts for delivered orders only: what is still on its way may yet be paid."""
        parameters = {"method": self.name, "starts_at": starts_at, "ends_at": ends_at}
        return connection.execute(_TAKEN, parameters).mappings().all()


_METHODS: dict[str, PaymentMethod] = {method.name: method for method in (CashOnDelivery(),)}

#: The names, for schemas.
METHODS = tuple(_METHODS)


def payment_method(name: str) -> PaymentMethod:
    """The method of this name; raises UnknownMethodError."""
    if name not in _METHODS:
        raise UnknownMethodError(name, METHODS)
    return _METHODS[name]
