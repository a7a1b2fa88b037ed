"""Telling who watches an order that something has become of it."""

from grocery.db import after_commit
from grocery.queues import doorbell
from grocery.tickets import CHANNEL


def tell_watchers(order_id: int) -> None:
    """Have the streams look at this order when the current `transaction()` has committed; once, however often called.

    For whoever writes to the history of an order that is there already; nobody can watch one before. It neither fails
    nor waits when Redis is away: the streams look at all that is watched now and then.
    """
    bell = doorbell()

    def tell() -> None:
        bell.tell(CHANNEL, str(order_id))

    after_commit(("watchers", order_id), tell)
