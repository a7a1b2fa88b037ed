"""What is in the tables, read outside of the session under test."""

from decimal import Decimal
from typing import Any

from sqlalchemy import text

from grocery.db import db
from tests.waiting import wait_until


def select_rows(statement: str, **parameters: Any) -> list[tuple]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), parameters)]


def stock_of(product_id: int) -> Decimal:
    return select_rows("SELECT stock FROM products WHERE id = :id", id=product_id)[0][0]


def movements_of(product_id: int) -> list[tuple]:
    """The ledger of a product: delta, reason, order."""
    return select_rows(
        "SELECT delta, reason, order_id FROM stock_movements WHERE product_id = :id ORDER BY id", id=product_id
    )


def unbalanced() -> list[tuple]:
    """Products whose stock is not the sum of their movements."""
    return select_rows(
        "SELECT id, stock FROM products p WHERE stock <>"
        " (SELECT coalesce(sum(delta), 0) FROM stock_movements WHERE product_id = p.id)"
    )


def wait_for_a_lock() -> None:
    """Return when somebody waits for a row that another transaction has locked."""
    wait_until(lambda: select_rows("SELECT FROM pg_locks WHERE NOT granted"), "somebody waits for a lock")
