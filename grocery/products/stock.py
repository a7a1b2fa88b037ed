"""The stock and its ledger: each function changes both in one statement, so that they cannot differ.

Quantities are pieces or kilograms. Rows are locked in the order of their ids, so that two orders of the same products
wait for each other and never deadlock. The stock of a product is not part of its `version`: a sale must not make an
admin's edit stale.
"""

from collections.abc import Mapping
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

# SELECT … FOR UPDATE waits for other takers and yields the rows as they left them, while an UPDATE alone would look at
# the rows as they were when the statement began. So `locked` has the true stock, `verdict` judges all rows before the
# first is changed, and what is missing is known without a second query. MATERIALIZED: the locks come first, in order.
_TAKE = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[])) AS wanted (id, quantity)
    ), locked AS MATERIALIZED (
        SELECT product.id, product.name, product.stock, product.is_active, wanted.quantity
        FROM products AS product JOIN wanted USING (id)
        ORDER BY product.id
        FOR NO KEY UPDATE OF product
    ), verdict AS MATERIALIZED (
        SELECT count(*) = cardinality(CAST(:ids AS bigint[])) AND bool_and(is_active AND stock >= quantity) AS is_enough
        FROM locked
    ), taken AS (
        UPDATE products AS product SET stock = product.stock - locked.quantity
        FROM locked, verdict
        WHERE verdict.is_enough AND product.id = locked.id AND product.stock >= locked.quantity
        RETURNING product.id, locked.quantity
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, order_id, actor_id)
        SELECT id, -quantity, 'sold', :order_id, :actor_id FROM taken ORDER BY id
    )
    SELECT verdict.is_enough, locked.id, locked.name, locked.stock, locked.is_active
    FROM verdict LEFT JOIN locked ON NOT verdict.is_enough
    ORDER BY locked.id
""")

_RETURN = text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[])) AS given (id, quantity)
    ), locked AS MATERIALIZED (
        SELECT product.id, given.quantity FROM products AS product JOIN given USING (id)
        ORDER BY product.id
        FOR NO KEY UPDATE OF product
    ), returned AS (
        UPDATE products AS product SET stock = product.stock + locked.quantity
        FROM locked WHERE product.id = locked.id
        RETURNING product.id, locked.quantity
    )
    INSERT INTO stock_movements (product_id, delta, reason, order_id, actor_id)
    SELECT id, quantity, :reason, :order_id, :actor_id FROM returned ORDER BY id
""")

_ADJUST = text("""
    WITH changed AS (
        UPDATE products SET stock = stock + :delta
        WHERE id = :product_id AND stock + :delta BETWEEN 0 AND :max_stock AND (unit = 'kg' OR :delta % 1 = 0)
        RETURNING id, stock
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, actor_id, note)
        SELECT id, :delta, :reason, :actor_id, :note FROM changed
    )
    SELECT stock FROM changed
""")

_PRODUCT = text("SELECT unit, stock FROM products WHERE id = :product_id")

_COUNT = text("""
    WITH locked AS MATERIALIZED (
        SELECT id, stock FROM products WHERE id = :product_id AND (unit = 'kg' OR :quantity % 1 = 0) FOR NO KEY UPDATE
    ), changed AS (
        UPDATE products AS product SET stock = :quantity FROM locked
        WHERE product.id = locked.id AND locked.stock <> :quantity
    ), noted AS (
        INSERT INTO stock_movements (product_id, delta, reason, actor_id, note)
        SELECT id, :quantity - stock, 'counted', :actor_id, :note FROM locked WHERE stock <> :quantity
    )
    SELECT stock FROM locked
""")


def take_stock(wanted: Mapping[int, Decimal], *, order_id: int, actor_id: int | None) -> None:
    """Take what an order needs, all or nothing, and note it in the ledger as sold.

    `wanted` maps product ids to quantities above zero. The rows stay locked until the transaction ends, so call it
    last. Raises ProductUnavailableError for products withdrawn or deleted meanwhile, else OutOfStockError; then nothing
    was changed.
    """
    if not wanted:
        return
    rows = db.session.execute(_TAKE, {**_arrays(wanted), "order_id": order_id, "actor_id": actor_id}).all()
    if rows[0].is_enough:
        return
    for_sale = {row.id for row in rows if row.is_active}
    if gone := wanted.keys() - for_sale:
        raise ProductUnavailableError(gone)
    raise OutOfStockError(
        Shortage(row.id, row.name, wanted[row.id], row.stock) for row in rows if row.stock < wanted[row.id]
    )


def return_stock(
    quantities: Mapping[int, Decimal], *, order_id: int | None, actor_id: int | None, reason: str = "cancelled"
) -> None:
    """Put back what an order had taken; products deleted meanwhile are skipped, withdrawn ones are not."""
    if not quantities:
        return
    parameters = {**_arrays(quantities), "reason": reason, "order_id": order_id, "actor_id": actor_id}
    db.session.execute(_RETURN, parameters)


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
    parameters = {"product_id": product_id, "quantity": quantity, "actor_id": actor_id, "note": note}
    before = db.session.execute(_COUNT, parameters).scalar()
    if before is None:
        raise _refusal(product_id, quantity)
    return Decimal(before)


def check_quantity(unit: str, quantity: Decimal, field: str) -> None:
    """Raise InvalidError about `field` for a part of a thing that is sold by piece."""
    if unit == "each" and quantity % 1:
        raise InvalidError("Sold by piece.", errors={field: ["Must be a whole number: the product is sold by piece."]})


def _arrays(quantities: Mapping[int, Decimal]) -> dict[str, list[int] | list[Decimal]]:
    if any(quantity <= 0 for quantity in quantities.values()):
        raise ValueError("quantities must be above zero")
    return {"ids": list(quantities.keys()), "quantities": list(quantities.values())}


def _refusal(product_id: int, delta: Decimal) -> GroceryError:
    """Why the stock was not changed."""
    product = db.session.execute(_PRODUCT, {"product_id": product_id}).one_or_none()
    if product is None:
        return ProductNotFoundError()
    check_quantity(product.unit, delta, "delta")
    if delta > 0:
        return InvalidError("Too much.", errors={"delta": [f"The stock would be above {MAX_STOCK}."]})
    return InsufficientStockError(product.stock)
