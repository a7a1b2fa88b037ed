"""Orders to pay for, payments as if noted at another time, and what is in the tables then."""

from typing import Any

from sqlalchemy import text

from grocery.db import db
from tests.products.factories import make_order_row
from tests.products.ledger import select_rows

_SET = text("""
    UPDATE orders SET subtotal_cents = :total_cents, total_cents = :total_cents, status = :status WHERE id = :order_id
""")

_PAY = text("""
    WITH paid AS (
        UPDATE orders SET paid_cents = paid_cents + CASE :kind WHEN 'capture' THEN :amount ELSE -:amount END
        WHERE id = :order_id RETURNING number
    )
    INSERT INTO payments (order_id, order_number, method, kind, amount_cents, collector_id, at)
    SELECT :order_id, number, :method, :kind, :amount, :collector_id, CAST(:at AS timestamptz) FROM paid
""")

_ERASE = text("""
    WITH kept AS (
        INSERT INTO sales_ledger (order_number, placed_at, finished_at, currency, delivery_fee_cents, total_cents,
                                  vat_cents, vat, payment_method, cash_cents)
        SELECT number, placed_at, updated_at, currency, 0, total_cents, 0, '{}', payment_method, total_cents
        FROM orders WHERE id = :order_id AND status = 'delivered'
    )
    DELETE FROM customers WHERE id = (SELECT customer_id FROM orders WHERE id = :order_id)
""")


def make_order(total_cents: int, status: str = "shipped") -> int:
    """The id of an order that costs so much."""
    order_id = make_order_row()
    _execute(_SET, order_id=order_id, total_cents=total_cents, status=status)
    return order_id


def pay(
    order_id: int,
    amount: int,
    collector_id: int | None,
    at: str,
    *,
    kind: str = "capture",
    method: str = "cash_on_delivery",
) -> None:
    """A payment (cents) as it was noted at that moment."""
    _execute(_PAY, order_id=order_id, amount=amount, collector_id=collector_id, at=at, kind=kind, method=method)


def deliver(order_id: int) -> None:
    _execute(text("UPDATE orders SET status = 'delivered' WHERE id = :order_id"), order_id=order_id)


def erase_customer_of(order_id: int) -> None:
    """What is left when the customer of an order was deleted."""
    _execute(_ERASE, order_id=order_id)


def paid(order_id: int) -> int:
    return select_rows("SELECT paid_cents FROM orders WHERE id = :id", id=order_id)[0][0]


def payments_of(order_id: int) -> list[tuple]:
    """The payments of an order: kind, cents, collector, actor."""
    return select_rows(
        "SELECT kind, amount_cents, collector_id, actor_id FROM payments WHERE order_id = :id ORDER BY id", id=order_id
    )


def _execute(statement: Any, **parameters: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(statement, parameters)
