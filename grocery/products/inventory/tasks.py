"""What runs by itself: telling customers what is back (queue `bulk`), and admins what is low (relay)."""

from flask import Flask

from grocery.db import db, transaction
from grocery.products.inventory.alerts import BATCH, is_alert_due, tell_batch
from grocery.products.inventory.days import shop_now
from grocery.products.inventory.digest import is_digest_due, queue_digest
from grocery.queues import BulkTask, PeriodicTask

_LOOK_SECONDS = 60.0


def bulk_tasks(_sender: Flask) -> list[BulkTask]:
    """The answer to the signal `bulk_task`."""
    return [BulkTask("inventory.alerts", lambda: is_alert_due(db.session()), tell_alerts)]


def periodic_tasks(_sender: Flask) -> list[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [PeriodicTask("inventory.digest", _LOOK_SECONDS, send_digest)]


def tell_alerts() -> bool:
    """One batch; whether more may wait."""
    with transaction() as session:
        return tell_batch(session) == BATCH


def send_digest() -> None:
    """Queue the morning's e-mail about low stock if it is time and nobody has."""
    now = shop_now()
    with transaction() as session:
        if is_digest_due(session, now):
            queue_digest(session, now)
