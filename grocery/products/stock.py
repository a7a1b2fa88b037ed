"""The stock and its ledger: each function changes both in one statement, so that they cannot differ.

Quantities are pieces or kilograms. Rows are locked in the order of their ids, so that two orders of the same products
wait for each other and never deadlock. The stock of a product is not part of its `version`: a sale must not make an
admin's edit stale.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Row, text

from grocery.answers import catalogue_changed
from grocery.db import db
from grocery.errors import GroceryError, InvalidError
from grocery.products.errors import (
    InsufficientStockError,
    OutOfStockError,
    ProductNotFoundError,
    ProductUnavailableError,
    Shortage,
)
from grocery.products.rows import left

#: More than any shop has of one product; a typing error, and far below what the column holds.
MAX_STOCK = Decimal(10_000_000)

_LOCK = text("""
    SELECT id, name, stock, quantity_step, is_active FROM products WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
""")

# Locking and changing are two statements on purpose, sent as one. An UPDATE looks at the rows as they were when its
# statement began; those that the same statement has locked since, it must find again through the chain of their
# versions. Tried with orders and cancellations at once, that left rows out and deadlocked. A second statement begins
# with the locked rows.
_CHANGE = text("""
    SELECT FROM products WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE;
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:deltas AS numeric[])) AS wanted (id, delta)
    ), possible AS (
        SELECT wanted.* FROM wanted JOIN products AS product ON product.id = wanted.id
        WHERE product.stock + wanted.delta >= 0 AND (product.is_active OR NOT :is_sale)
    ), changed AS (
        UPDATE products AS product SET stock = product.stock + possible.delta
        FROM possible WHERE product.id = possible.id
                            AND (NOT :is_sale OR (SELECT count(*) FROM possible) = cardinality(CAST(:ids AS bigint[])))
        RETURNING product.id, possible.delta, product.stock, product.quantity_step
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, order_id, actor_id, stock_after)
        SELECT id, delta, :reason, :order_id, :actor_id, stock FROM changed ORDER BY id
    )
    SELECT id, delta, stock, quantity_step FROM changed
""")

_ADJUST = text("""
    WITH changed AS (
        UPDATE products SET stock = stock + :delta
        WHERE id = :product_id AND stock + :delta >= 0 AND (:delta < 0 OR stock + :delta <= :max_stock)
              AND (unit = 'kg' OR (stock + :delta) % 1 = 0)
        RETURNING id, stock
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, actor_id, note, lot_id, stock_after)
        SELECT changed.id, part.delta, :reason, :actor_id, :note, part.lot_id,
               changed.stock - :delta + sum(part.delta) OVER (ORDER BY part.position)
        FROM changed, unnest(CAST(:deltas AS numeric[]), CAST(:lot_ids AS bigint[])) WITH ORDINALITY
             AS part (delta, lot_id, position)
        ORDER BY part.position
    )
    SELECT stock FROM changed
""")

_PRODUCT = text("SELECT unit, stock FROM products WHERE id = :product_id FOR NO KEY UPDATE")


@dataclass(frozen=True)
class Part:
    """A part of a change of the stock: what came into a lot or out of it; without `lot_id`, stock that has no lot."""

    delta: Decimal
    lot_id: int | None = None


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
    deltas = {product_id: -quantity for product_id, quantity in wanted.items()}
    if not _change(deltas, "sold", order_id, actor_id, is_sale=True):
        raise _what_is_missing(wanted)


def return_stock(
    quantities: Mapping[int, Decimal], *, order_id: int | None, actor_id: int | None, reason: str = "cancelled"
) -> None:
    """Put back what an order had taken; products deleted meanwhile are skipped, withdrawn ones are not."""
    _check_positive(quantities)
    if quantities:
        _change(quantities, reason, order_id, actor_id, is_sale=False)


def adjust_stock(
    product_id: int,
    delta: Decimal,
    *,
    reason: str,
    actor_id: int | None,
    note: str | None = None,
    parts: Sequence[Part] = (),
) -> Decimal:
    """Add `delta` (negative: take away) and note why, each of its parts in a row of its own; answers the new stock.

    The lots themselves are the caller's business: `inventory.correcting` has what staff do. Raises
    ProductNotFoundError, InsufficientStockError when the stock would go below zero, and InvalidError for a part of a
    piece or a stock above MAX_STOCK.
    """
    noted = parts or [Part(delta)]
    parameters = {
        "product_id": product_id,
        "delta": delta,
        "reason": reason,
        "actor_id": actor_id,
        "note": note,
        "deltas": [part.delta for part in noted],
        "lot_ids": [part.lot_id for part in noted],
        "max_stock": MAX_STOCK,
    }
    stock = db.session.execute(_ADJUST, parameters).scalar()
    if stock is None:
        raise _refusal(product_id, delta)
    catalogue_changed()
    return Decimal(stock)


def lock_product(product_id: int) -> Row:
    """`unit` and `stock` of a product, locked for a change of the stock; raises ProductNotFoundError."""
    product = db.session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        raise ProductNotFoundError
    return product


def check_quantity(unit: str, quantity: Decimal, field: str) -> None:
    """Raise InvalidError about `field` for a part of a thing that is sold by piece."""
    if unit == "each" and quantity % 1:
        raise InvalidError("Sold by piece.", errors={field: ["Must be a whole number: the product is sold by piece."]})


def _change(
    deltas: Mapping[int, Decimal], reason: str, order_id: int | None, actor_id: int | None, *, is_sale: bool
) -> bool:
    """Lock and change rows and write the ledger, in one round trip; whether any were changed.

    A sale changes all or none, of products that are for sale; else those that are there.
    """
    parameters = {
        "ids": list(deltas.keys()),
        "deltas": list(deltas.values()),
        "reason": reason,
        "order_id": order_id,
        "actor_id": actor_id,
        "is_sale": is_sale,
    }
    rows = db.session.execute(_CHANGE, parameters).all()
    _note_what_is_shown(rows)
    return bool(rows)


def _what_is_missing(wanted: Mapping[int, Decimal]) -> GroceryError:
    """Why these could not be taken; the rows of those that are there are locked, and unchanged."""
    rows = db.session.execute(_LOCK, {"ids": list(wanted)}).all()
    if gone := wanted.keys() - {row.id for row in rows if row.is_active}:
        return ProductUnavailableError(gone)
    return OutOfStockError(
        Shortage(row.id, row.name, wanted[row.id], row.stock) for row in rows if row.stock < wanted[row.id]
    )


def _note_what_is_shown(rows: Iterable[Row]) -> None:
    """Tell of changes that lists show; most sales leave enough for lists to stay as they are."""
    for row in rows:
        before, after, step = row.stock - row.delta, row.stock, row.quantity_step
        if left(before, before >= step) != left(after, after >= step):
            catalogue_changed()


def _check_positive(quantities: Mapping[int, Decimal]) -> None:
    if any(quantity <= 0 for quantity in quantities.values()):
        raise ValueError("quantities must be above zero")


def _refusal(product_id: int, delta: Decimal) -> GroceryError:
    """Why the stock was not changed."""
    try:
        product = lock_product(product_id)
    except ProductNotFoundError as error:
        return error
    # The sum, not the delta: a cancelled order can bring a part back of what is sold by piece since.
    check_quantity(product.unit, product.stock + delta, "delta")
    if delta > 0:
        return InvalidError("Too much.", errors={"delta": [f"The stock would be above {MAX_STOCK}."]})
    return InsufficientStockError(product.stock)
