"""What products cost, and since when: written in the transaction of every change of a price, whoever makes it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, text

from grocery import money
from grocery.db import db
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor

# The moment is the clock's and not the transaction's: that may have waited for the product while others changed it.
_NOTE = text("""
    WITH ended AS (
        UPDATE price_changes SET status = 'ended', ended_at = clock_timestamp()
        WHERE status = 'active' AND product_id = ANY(:ids)
    )
    INSERT INTO price_history (product_id, price_cents, compare_at_price_cents, changed_at, actor_id, reason)
    SELECT id, price_cents, compare_at_price_cents, clock_timestamp(), :actor_id, :reason
    FROM products WHERE id = ANY(:ids) ORDER BY id
""")

# The price of 30 days ago is that of the last record before; ids grow with time, as the product is locked.
_PAGE = text("""
    SELECT record.*, (
        SELECT min(earlier.price_cents) FROM price_history AS earlier
        WHERE earlier.product_id = record.product_id AND earlier.id < record.id AND earlier.id >= coalesce((
            SELECT max(first.id) FROM price_history AS first
            WHERE first.product_id = record.product_id AND first.id < record.id
                  AND first.changed_at <= record.changed_at - interval '30 days'
        ), 0)
    ) AS lowest_before_cents
    FROM price_history AS record
    WHERE record.product_id = :product_id AND record.id < :before
    ORDER BY record.id DESC LIMIT :limit
""")


def note_prices(product_ids: Collection[int], reason: str, *, actor_id: int | None) -> None:
    """Write down the prices of products that this transaction has locked and changed.

    An offer that runs on one of them is over: the price that was set by hand stays. `reason` is one of REASONS.
    """
    if product_ids:
        db.session.execute(_NOTE, {"ids": list(product_ids), "reason": reason, "actor_id": actor_id})


def list_history(connection: Connection, product_id: int, *, limit: int, cursor: str | None) -> Page:
    """What a product cost, newest first. Raises InvalidError for a cursor of another list."""
    [before] = decode_cursor(cursor, int) if cursor else [2**63 - 1]
    parameters = {"product_id": product_id, "before": before, "limit": limit + 1}
    found = connection.execute(_PAGE, parameters).all()
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.id))
    return Page([_record_json(row) for row in rows], next_cursor)


def _record_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "price": money.to_text(row.price_cents),
        "compare_at_price": money.to_text_or_none(row.compare_at_price_cents),
        "changed_at": row.changed_at,
        "reason": row.reason,
        "actor_id": row.actor_id,
        "lowest_price_30_days": money.to_text_or_none(row.lowest_before_cents),
    }
