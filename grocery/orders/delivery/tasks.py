"""What runs by itself: making the slots of the days to come (relay)."""

from flask import Flask

from grocery.db import transaction
from grocery.orders.delivery.templates import make_slots
from grocery.products.inventory.days import shop_now
from grocery.queues import PeriodicTask

_LOOK_SECONDS = 60.0


def periodic_tasks(_sender: Flask) -> list[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [PeriodicTask("delivery.make_slots", _LOOK_SECONDS, make_due_slots)]


def make_due_slots() -> None:
    """Make what a new day has added."""
    with transaction() as session:
        make_slots(session, shop_now())
