"""Counts by a list that was made a while ago: what was sold since stays sold, and what was counted counts once."""

from decimal import Decimal

from sqlalchemy import Connection, text

from grocery.db import db
from grocery.errors import StaleError
from grocery.products.inventory.correcting import correct_stock, lock_actor
from grocery.products.stock import lock_product

# Of all products: the index of the ids has it at once, and a list has many products.
_LAST = text("SELECT coalesce(max(id), 0) FROM stock_movements")

_COUNTED_SINCE = text("""
    SELECT EXISTS (
        SELECT FROM stock_movements WHERE product_id = :product_id AND id > :since AND reason = 'counted'
    )
""")


def ledger_mark(connection: Connection) -> int:
    """How far the ledger of stocks is: a list that is made now has everything up to there."""
    return int(connection.execute(_LAST).scalar_one())


def count_listed(product_id: int, counted: Decimal, *, listed: Decimal, since: int, actor_id: int) -> None:
    """Note a count that is not what a list had, `listed`, which was made when the ledger was at `since`.

    Raises StaleError when somebody has counted something else meanwhile, and what `correct_stock` raises.
    """
    lock_actor(actor_id)
    product = lock_product(product_id)
    if db.session.execute(_COUNTED_SINCE, {"product_id": product_id, "since": since}).scalar_one():
        if product.stock != counted:
            raise StaleError("Somebody has counted this meanwhile.")
    else:
        correct_stock(product_id, counted - listed, reason="counted", actor_id=actor_id)
