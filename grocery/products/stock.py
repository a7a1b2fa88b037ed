"""The stock and its ledger: each function changes both in one statement, so that they cannot differ.

Quantities are pieces or kilograms. Rows are locked in the order of their ids, so that two orders of the same products
wait for each other and never deadlock. The stock of a product is not part of its `version`: a sale must not make an
admin's edit stale.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from sqlalchemy import text

from grocery.db import db
from grocery.errors import GroceryError, InvalidError
from grocery.products.errors import (
    InsufficientStockError,
    OutOfStockError,
    ProductNotFoundError,
    ProductUnavailableError,
    Shortage,
)

#: More than any shop has of one product; a typing error, and far below what the column holds.
MAX_STOCK = Decimal(10_000_000)

# Locking and changing are two statements on purpose. An UPDATE looks at the rows as they were when its statement began;
# those that the same statement has locked since, it must find again through the chain of their versions. Tried with
# orders and cancellations at once, that left rows out and deadlocked. A second statement begins with the locked rows.
_LOCK = text("SELECT id, name, stock, is_active FROM products WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

_CHANGE = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:deltas AS numeric[])) AS wanted (id, delta)
    ), changed AS (
        UPDATE products AS product SET stock = product.stock + wanted.delta
        FROM wanted WHERE product.id = wanted.id AND product.stock + wanted.delta >= 0
        RETURNING product.id, wanted.delta
    )
    INSERT INTO stock_movements (product_id, delta, reason, order_id, actor_id)
    SELECT id, delta, :reason, :order_id, :actor_id FROM changed ORDER BY id
    RETURNING product_id
""")

_ADJUST = text("""
    WITH changed AS (
        UPDATE products SET stock = stock + :delta
        WHERE id = :product_id AND stock + :delta BETWEEN 0 AND :max_stock AND (unit = 'kg' OR (stock + :delta) % 1 = 0)
        RETURNING id, stock
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, actor_id, note)
        SELECT id, :delta, :reason, :actor_id, :note FROM changed
    )
    SELECT stock FROM changed
""")

_PRODUCT = text("SELECT unit, stock FROM products WHERE id = :product_id FOR NO KEY UPDATE")


def lock_stock(product_ids: Collection[int]) -> None:
    """Lock products for several changes of their stock in one transaction, since those must not lock one by one."""
    db.session.execute(_LOCK, {"ids": list(product_ids)})


def take_stock(wanted: Mapping[int, Decimal], *, order_id: int, actor_id: int | None) -> None:
    """Take what an order needs, all or nothing, and note it in the ledger as sold.

    `wanted` maps product ids to quantities above zero. The rows stay locked until the transaction ends, so call it
    last. Raises ProductUnavailableError for products withdrawn or deleted meanwhile, else OutOfStockError; then nothing
    was changed.
    """
    _check_positive(wanted)
    if not wanted:
        return
    rows = db.session.execute(_LOCK, {"ids": list(wanted)}).all()
    if gone := wanted.keys() - {row.id for row in rows if row.is_active}:
        raise ProductUnavailableError(gone)
    if short := [row for row in rows if row.stock < wanted[row.id]]:
        raise OutOfStockError(Shortage(row.id, row.name, wanted[row.id], row.stock) for row in short)
    _change({product_id: -quantity for product_id, quantity in wanted.items()}, "sold", order_id, actor_id)


def return_stock(
    quantities: Mapping[int, Decimal], *, order_id: int | None, actor_id: int | None, reason: str = "cancelled"
) -> None:
    """Put back what an order had taken; products deleted meanwhile are skipped, withdrawn ones are not."""
    _check_positive(quantities)
    if not quantities:
        return
    rows = db.session.execute(_LOCK, {"ids": list(quantities)}).all()
    _change({row.id: quantities[row.id] for row in rows}, reason, order_id, actor_id)


def adjust_stock(
    product_id: int, delta: Decimal, *, reason: str, actor_id: int | None, note: str | None = None
) -> Decimal:
    """Add `delta` (negative: take away) and note why; answers the new stock.

    Raises ProductNotFoundError, InsufficientStockError when the stock would go below zero, and InvalidError for a part
    of a piece or a stock above MAX_STOCK.
    """
    parameters = {"product_id": product_id, "delta": delta, "reason": reason, "actor_id": actor_id, "note": note}
    stock = db.session.execute(_ADJUST, {**parameters, "max_stock": MAX_STOCK}).scalar()
    if stock is None:
        raise _refusal(product_id, delta)
    return Decimal(stock)


def count_stock(product_id: int, quantity: Decimal, *, actor_id: int | None, note: str | None = None) -> Decimal:
    """Set the stock to what was counted and note the difference, if there is one; answers the stock before.

    Raises ProductNotFoundError, and InvalidError for a part of a piece. `quantity` must be from 0 to MAX_STOCK.
    """
    product = db.session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        raise ProductNotFoundError
    check_quantity(product.unit, quantity, "quantity")
    if quantity != product.stock:
        adjust_stock(product_id, quantity - product.stock, reason="counted", actor_id=actor_id, note=note)
    return Decimal(product.stock)


def check_quantity(unit: str, quantity: Decimal, field: str) -> None:
    """Raise InvalidError about `field` for a part of a thing that is sold by piece."""
    if unit == "each" and quantity % 1:
        raise InvalidError("Sold by piece.", errors={field: ["Must be a whole number: the product is sold by piece."]})


def _change(deltas: Mapping[int, Decimal], reason: str, order_id: int | None, actor_id: int | None) -> None:
    """Change rows that this transaction has locked, and write the ledger."""
    if not deltas:
        return
    parameters = {"ids": list(deltas.keys()), "deltas": list(deltas.values()), "reason": reason}
    changed = db.session.execute(_CHANGE, {**parameters, "order_id": order_id, "actor_id": actor_id}).scalars().all()
    if len(changed) != len(deltas):
        raise RuntimeError(f"{len(changed)} of {len(deltas)} stock changes took place")


def _check_positive(quantities: Mapping[int, Decimal]) -> None:
    if any(quantity <= 0 for quantity in quantities.values()):
        raise ValueError("quantities must be above zero")


def _refusal(product_id: int, delta: Decimal) -> GroceryError:
    """Why the stock was not changed."""
    product = db.session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        return ProductNotFoundError()
    # The sum, not the delta: a cancelled order can bring a part back of what is sold by piece since.
    check_quantity(product.unit, product.stock + delta, "delta")
    if delta > 0:
        return InvalidError("Too much.", errors={"delta": [f"The stock would be above {MAX_STOCK}."]})
    return InsufficientStockError(product.stock)
