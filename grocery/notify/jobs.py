"""The job of the queue `notify`, and what the relay does for it."""

from collections.abc import Sequence
from typing import Any

from grocery.db import transaction
from grocery.notify.forgetting import forget_texts
from grocery.notify.inbound.service import answer_received
from grocery.notify.sending.claims import look
from grocery.notify.sending.records import expire_leases
from grocery.notify.sending.sender import send_due
from grocery.queues import NOTIFY, PeriodicTask, doorbell

_LOOK_SECONDS = 1.0
_DAY_SECONDS = 86_400.0


def send_notifications() -> None:
    """Send what is due. May run any number of times, in any number of workers at once."""
    doorbell().answer(NOTIFY)
    answer_received()
    # A campaign keeps this job busy for long; who writes meanwhile waits for an answer.
    send_due(meanwhile=answer_received)
    is_due, _ = look()
    if is_due:  # the time was over, or something has become due since
        doorbell().ring(NOTIFY)


def watch_outbox() -> None:
    """Ring for what is due, and free what a dead sender held. The relay's part; costs one query when all is well."""
    is_due, has_expired = look()
    if has_expired:
        with transaction():
            expire_leases()
    if is_due:
        doorbell().ring(NOTIFY)


def periodic_tasks(_app: Any) -> Sequence[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [
        PeriodicTask("notify.watch_outbox", _LOOK_SECONDS, watch_outbox),
        PeriodicTask("notify.forget_texts", _DAY_SECONDS, forget_texts),
    ]
