"""Orders as they were delivered, picked and brought back at a moment, written as rows."""

from itertools import count
from typing import Any

from sqlalchemy import text

from grocery.db import db
from tests.auth.factories import make_customer

_numbers = count(1)

_ORDER = text("""
    INSERT INTO orders (number, customer_id, status, subtotal_cents, discount_cents, delivery_fee_cents, vat_cents,
                        total_cents, currency, delivery_method, zone_id, placed_at, delivered_at, updated_at,
                        is_delivery_failed, process_at)
    VALUES (:number, :customer_id, :status, :subtotal, :discount, :fee, :vat, :subtotal - :discount + :fee, 'KES',
            :method, :zone_id, coalesce(CAST(:placed_at AS timestamptz), CAST(:at AS timestamptz)),
            CASE WHEN :status = 'delivered' THEN CAST(:at AS timestamptz) END, CAST(:at AS timestamptz),
            :failed, NULL)
    RETURNING id
""")

_LINE = text("""
    INSERT INTO order_lines (order_id, product_id, sku, name, category, unit, quantity, unit_price_cents,
                             line_total_cents, discount_cents, vat_class, vat_rate, vat_cents, picked_quantity,
                             short_reason, picked_at, picker_id, substitute_for)
    SELECT :order_id, product.id, sku, product.name, category.path, unit, :quantity, :price,
           round(:price * coalesce(CAST(:picked AS numeric), :quantity)), :discount, 'standard', 16, :vat, :picked,
           :reason, CAST(:picked_at AS timestamptz), :picker_id, :substitute_for
    FROM products AS product JOIN categories AS category ON category.id = category_id WHERE product.id = :product_id
    RETURNING id
""")

_RETURN = text("""
    INSERT INTO order_returns (order_id, number, reason, refund_cents, vat_cents, created_at)
    VALUES (:order_id, :number, 'unwanted', :refund, :vat, CAST(:at AS timestamptz)) RETURNING id
""")

_RETURN_LINE = text("""
    INSERT INTO order_return_lines (return_id, line_id, quantity, is_restocked, amount_cents, vat_cents)
    VALUES (:return_id, :line_id, :quantity, :is_restocked, :refund, :vat)
""")


def sell(at: str, **values: Any) -> int:
    """The id of an order that was delivered (or has another `status`) at that moment; amounts in cents."""
    given = {
        "number": f"R-{next(_numbers)}",
        "status": "delivered",
        "subtotal": 1000_00,
        "discount": 0,
        "fee": 0,
        "vat": 0,
        "method": "delivery",
        "zone_id": None,
        "placed_at": None,
        "failed": False,
        **values,
    }
    given.setdefault("customer_id", None)
    given["customer_id"] = given["customer_id"] or make_customer().id
    return _insert(_ORDER, at=at, **given)


def add_line(order_id: int, product_id: int, quantity: float = 1, **values: Any) -> int:
    """The id of a line that was added to an order."""
    given = {
        "price": 100_00,
        "discount": 0,
        "vat": 0,
        "picked": None,
        "reason": None,
        "picked_at": None,
        "picker_id": None,
        "substitute_for": None,
        **values,
    }
    return _insert(_LINE, order_id=order_id, product_id=product_id, quantity=quantity, **given)


def bring_back(
    order_id: int,
    at: str,
    refund: int,
    vat: int = 0,
    *,
    line_id: int | None = None,
    quantity: float = 1,
    is_restocked: bool = True,
) -> None:
    """A return of an order, of one of its lines if told."""
    return_id = _insert(_RETURN, order_id=order_id, number=f"C-{next(_numbers)}", refund=refund, vat=vat, at=at)
    if line_id is not None:
        with db.engine.begin() as connection:
            values = {"quantity": quantity, "is_restocked": is_restocked, "refund": refund, "vat": vat}
            connection.execute(_RETURN_LINE, {"return_id": return_id, "line_id": line_id, **values})


def _insert(statement: Any, **parameters: Any) -> int:
    with db.engine.begin() as connection:
        return connection.execute(statement, parameters).scalar_one()
