"""What the relay does about prices: start and end what is due."""

import time
from datetime import UTC, datetime

from sqlalchemy import text

from grocery.db import transaction
from grocery.products.prices.settling import settle_prices
from grocery.queues import PeriodicTask

#: Products of one transaction: few enough not to hold up their sales.
BATCH = 100

# The relay does other work too; what is left is due again in a second. A sale of the whole shop takes a few turns.
_WORK_SECONDS = 2.0

_DUE = text("""
    SELECT product_id FROM price_changes WHERE status = 'scheduled' AND starts_at <= :now AND product_id > :after
    UNION
    SELECT product_id FROM price_changes WHERE status = 'active' AND ends_at <= :now AND product_id > :after
    ORDER BY product_id LIMIT :limit
""")


def apply_due_prices(now: datetime | None = None, *, work_seconds: float = _WORK_SECONDS) -> int:
    """Start and end what is due at `now` (None: this moment); answers for how many products it did so.

    Begins no transaction after `work_seconds`. Safe to run twice at once, to be killed, and to come late.
    """
    moment, begun = now or datetime.now(UTC), time.monotonic()
    done, after = 0, 0
    while True:
        with transaction() as session:
            product_ids = session.scalars(_DUE, {"now": moment, "after": after, "limit": BATCH}).all()
            if product_ids:
                settle_prices(product_ids, moment)
        done += len(product_ids)
        if not product_ids or time.monotonic() - begun >= work_seconds:
            return done
        after = product_ids[-1]


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    return [PeriodicTask("prices.apply_due", 1, _apply)]


def _apply() -> None:
    apply_due_prices()
