"""Orders as they are after picking and returning, written as that is done elsewhere."""

from typing import Any

from tests.orders.delivery.factories import run_statement
from tests.products.ledger import select_rows

_LINE = """
    INSERT INTO order_lines (order_id, name, category, unit, quantity, picked_quantity, unit_price_cents,
                             line_total_cents, vat_class, vat_rate, vat_cents, substitute_for, short_reason)
    VALUES (:order_id, :name, :category, :unit, :quantity, :picked_quantity, :unit_price_cents, :line_total_cents,
            :vat_class, CASE :vat_class WHEN 'standard' THEN 16 ELSE 0 END, :vat_cents, :substitute_for, :short_reason)
"""

_SUMS = """
    UPDATE orders SET subtotal_cents = sums.subtotal, discount_cents = sums.discount, version = version + 1,
           total_cents = sums.subtotal - sums.discount + delivery_fee_cents, vat_cents = sums.vat
    FROM (SELECT sum(line_total_cents) AS subtotal, sum(discount_cents) AS discount, sum(vat_cents) AS vat
          FROM order_lines WHERE order_id = :order_id) AS sums
    WHERE id = :order_id
"""

_RETURN = """
    INSERT INTO order_returns (order_id, number, reason, refund_cents, vat_cents, created_at)
    VALUES (:order_id, :number, :reason, :refund_cents, :vat_cents, '2026-11-03T21:30:00Z')
"""

_RETURN_LINE = """
    INSERT INTO order_return_lines (return_id, line_id, quantity, is_restocked, amount_cents, vat_cents)
    SELECT id, :line_id, :quantity, false, :amount_cents, :vat_cents FROM order_returns WHERE number = :number
"""


def add_line(order: dict[str, Any], **values: Any) -> None:
    """A line more: one piece at 100.00, zero-rated, unless told."""
    defaults = {
        "name": "Line",
        "category": "Pantry",
        "unit": "each",
        "quantity": 1,
        "picked_quantity": None,
        "unit_price_cents": 100_00,
        "line_total_cents": 100_00,
        "vat_class": "zero",
        "vat_cents": 0,
        "substitute_for": None,
        "short_reason": None,
    }
    run_statement(_LINE, **{**defaults, **values}, order_id=order["id"])


def change_line(line: dict[str, Any], assignments: str) -> None:
    run_statement(f"UPDATE order_lines SET {assignments} WHERE id = :id", id=line["id"])


def change_order(order: dict[str, Any], assignments: str) -> None:
    run_statement(f"UPDATE orders SET {assignments} WHERE id = :id", id=order["id"])


def sum_up(order: dict[str, Any]) -> None:
    """The order's amounts as its lines are now."""
    run_statement(_SUMS, order_id=order["id"])


def make_return(order: dict[str, Any], number: str, parts: list[tuple[dict[str, Any], float, int, int]]) -> int:
    """The id of a return of parts of lines: line, quantity, amount and the VAT inside in cents."""
    refund, vat = sum(part[2] for part in parts), sum(part[3] for part in parts)
    run_statement(_RETURN, order_id=order["id"], number=number, reason="wrong_item", refund_cents=refund, vat_cents=vat)
    for line, quantity, amount, inside in parts:
        run_statement(
            _RETURN_LINE,
            number=number,
            line_id=line["id"],
            quantity=quantity,
            amount_cents=amount,
            vat_cents=inside,
        )
    return select_rows("SELECT id FROM order_returns WHERE number = :number", number=number)[0][0]
