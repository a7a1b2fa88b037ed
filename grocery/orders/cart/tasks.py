"""What the relay does for carts."""

from grocery.db import transaction
from grocery.orders.cart.service import expire_carts
from grocery.queues import PeriodicTask


def forget_abandoned_carts() -> None:
    has_more = True
    while has_more:
        with transaction() as session:
            has_more = expire_carts(session)


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [PeriodicTask("carts.expire", 600.0, forget_abandoned_carts)]
