"""The job of the queue `orders`, and what the relay does for orders."""

import time

from grocery.db import db, transaction
from grocery.ending import is_told_to_end
from grocery.orders.idempotency import forget_old_keys
from grocery.orders.processing import is_work_due, process_batch
from grocery.queues import ORDERS, PeriodicTask, doorbell

# Well below the job's timeout; what is left is rung for again.
_WORK_SECONDS = 30


def process_orders() -> None:
    """Confirm all orders that are due. Safe to run twice at once, to be killed, and to find nothing."""
    doorbell().answer(ORDERS)
    started = time.monotonic()
    while time.monotonic() - started < _WORK_SECONDS and not is_told_to_end():
        with transaction() as session:
            if not process_batch(session):
                return
    doorbell().ring(ORDERS)


def ring_if_due() -> None:
    """Ring again for orders whose ring was lost, or whose next attempt has come."""
    if is_work_due(db.session()):
        doorbell().ring(ORDERS)


def forget_keys() -> None:
    has_more = True
    while has_more:
        with transaction() as session:
            has_more = forget_old_keys(session)


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    return [
        PeriodicTask("orders.ring", 1.0, ring_if_due),
        PeriodicTask("orders.forget_keys", 600.0, forget_keys),
    ]
