"""Asking the shop to stock something, and what it is asked for."""

from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

# Two requests of one customer take turns, so that the second finds the first.
_LOCK_CUSTOMER = text("SELECT id FROM customers WHERE id = :customer_id FOR NO KEY UPDATE")

_ADD = text("""
    INSERT INTO product_requests (customer_id, words) SELECT :customer_id, :words
    WHERE NOT EXISTS (
        SELECT FROM product_requests WHERE customer_id = :customer_id AND lower(words) = lower(:words)
    )
""")

# Visitors cannot be told apart: each of their requests is one. Those of a customer in other letter case are the same.
_LIST = text("""
    SELECT (array_agg(words ORDER BY id DESC))[1] AS words, count(*) AS requests,
           count(DISTINCT customer_id) AS customers, max(created_at) AS last_at
    FROM product_requests WHERE created_at > now() - make_interval(days => :days)
    GROUP BY lower(words) ORDER BY requests DESC, last_at DESC LIMIT :limit
""")


def request_product(session: Session, words: str, customer_id: int | None) -> None:
    """Note that somebody misses something (RequestProductSchema); a customer's same words once more change nothing."""
    if customer_id is not None:
        session.execute(_LOCK_CUSTOMER, {"customer_id": customer_id})
    session.execute(_ADD, {"customer_id": customer_id, "words": words})


def list_requests(connection: Connection | Session, *, days: int = 90, limit: int = 50) -> list[dict[str, Any]]:
    """What was asked for in the last days, most often first: `words`, `requests`, `customers`, `last_at`."""
    return [dict(row) for row in connection.execute(_LIST, {"days": days, "limit": limit}).mappings()]
