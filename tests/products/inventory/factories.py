"""Lots to test with, and what is in them, read outside of the session under test."""

from datetime import date, timedelta
from decimal import Decimal

from grocery.db import db, transaction
from grocery.products.inventory.days import shop_today
from grocery.products.inventory.lots import receive_lot
from grocery.products.stock import Part, adjust_stock
from tests.products.ledger import select_rows


def in_days(days: int) -> date:
    return shop_today() + timedelta(days=days)


def make_lot(product_id: int, quantity: float, *, days: int | None = None, code: str = "L-1") -> int:
    """The id of a new lot that expires in so many days (None: never), in stock and ledger; may have expired."""
    amount = Decimal(str(quantity))
    with transaction():
        expires_on = None if days is None else in_days(days)
        lot_id = receive_lot(product_id, amount, code=code, expires_on=expires_on, actor_id=None)
        parts = [Part(amount, lot_id)]
        adjust_stock(product_id, amount, reason="received", actor_id=None, parts=parts)
    db.session.remove()
    return lot_id


def remaining(*lot_ids: int) -> list[Decimal]:
    """What is left of these lots."""
    rows = dict(select_rows("SELECT id, remaining FROM stock_lots"))
    return [rows[lot_id] for lot_id in lot_ids]


def picks_of(order_id: int) -> dict[int, Decimal]:
    return dict(select_rows("SELECT lot_id, quantity FROM lot_picks WHERE order_id = :id", id=order_id))


def parts_of(product_id: int) -> list[tuple]:
    """The ledger of a product but its opening: delta, reason, lot, the stock after it."""
    return select_rows(
        "SELECT delta, reason, lot_id, stock_after FROM stock_movements"
        " WHERE product_id = :id AND reason <> 'opening' ORDER BY id",
        id=product_id,
    )


#: What must hold of every product at any time.
BROKEN = """
    SELECT product.id, product.stock, lots.remaining, open.quantity, ledger.total FROM products AS product,
        LATERAL (SELECT coalesce(sum(remaining), 0) AS remaining FROM stock_lots WHERE product_id = product.id) AS lots,
        LATERAL (SELECT coalesce(sum(line.quantity), 0) AS quantity FROM order_lines AS line
                 JOIN orders ON orders.id = line.order_id
                 WHERE line.product_id = product.id AND orders.status IN ('pending', 'confirmed')) AS open,
        LATERAL (SELECT coalesce(sum(delta), 0) AS total FROM stock_movements
                 WHERE product_id = product.id) AS ledger
    WHERE lots.remaining > product.stock + open.quantity OR product.stock <> ledger.total OR product.stock < 0
"""


def broken() -> list[tuple]:
    """Products whose lots hold more than there is, or whose stock is not the sum of the ledger."""
    return select_rows(BROKEN)
