"""What orders hold besides goods: limited promotions and delivery slots. Taken when they are placed, released once.

Locks are taken in the order promotions, slots, each by id: after those of orders and before those of products.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

# The share of all that are held makes who sets a limit, and counts, wait for this transaction.
_LOCK = """
    SELECT FROM promotions
    WHERE id IN (SELECT promotion_id FROM order_discounts WHERE order_id = ANY(:order_ids)) ORDER BY id FOR KEY SHARE;
    SELECT FROM promotions
    WHERE id IN (SELECT promotion_id FROM order_discounts WHERE order_id = ANY(:order_ids)) AND usage_limit IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE;
    SELECT FROM delivery_slots WHERE id IN (SELECT slot_id FROM orders WHERE id = ANY(:order_ids))
    ORDER BY id FOR NO KEY UPDATE
"""

_RELEASE_PROMOTIONS = """;
    UPDATE promotions SET used_count = greatest(used_count - held.uses, 0)
    FROM (
        SELECT promotion_id, count(*) AS uses FROM order_discounts WHERE order_id = ANY(:unused_ids) GROUP BY 1
    ) AS held
    WHERE promotions.id = held.promotion_id AND usage_limit IS NOT NULL
"""

_RELEASE_SLOTS = """;
    UPDATE delivery_slots SET booked = greatest(booked - held.places, 0)
    FROM (SELECT slot_id, count(*) AS places FROM orders WHERE id = ANY(:order_ids) GROUP BY 1) AS held
    WHERE delivery_slots.id = held.slot_id
"""

_LOCK_HELD = text(_LOCK)
_RELEASE = text(_LOCK + _RELEASE_PROMOTIONS + _RELEASE_SLOTS)


def lock_held(session: Session, order_ids: Collection[int]) -> None:
    """Lock what these orders hold, for those who will lock products before they know which of them are cancelled."""
    session.execute(_LOCK_HELD, {"order_ids": list(order_ids)})


def release_held(session: Session, order_ids: Collection[int], *, finished_ids: Collection[int] = ()) -> None:
    """Give back what these orders hold, which end now. The caller holds their locks and does this once for each.

    Of orders that were delivered (`finished_ids`), which go with their customer's account, the use of a coupon stays
    used.
    """
    unused = set(order_ids) - set(finished_ids)
    if order_ids:
        session.execute(_RELEASE, {"order_ids": list(order_ids), "unused_ids": list(unused)})
