"""What the relay does for requests of products."""

from sqlalchemy import text

from grocery.db import delete_in_batches
from grocery.queues import PeriodicTask

#: What people wanted a year ago says nothing of what to buy now, and words that anyone typed may name somebody.
KEPT_DAYS = 400

_BATCH = 1000

_DELETE = text("""
    DELETE FROM product_requests WHERE id IN (
        SELECT id FROM product_requests WHERE created_at < now() - make_interval(days => :days)
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")


def forget_old_requests() -> None:
    """Delete those that are older than KEPT_DAYS, in short transactions."""
    delete_in_batches(_DELETE, _BATCH, days=KEPT_DAYS)


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [PeriodicTask("product_requests.forget_old", 86_400.0, forget_old_requests)]
