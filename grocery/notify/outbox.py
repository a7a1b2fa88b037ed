"""The outbox as admins see it: what was told to whom, and sending it anew."""

from typing import Any

from sqlalchemy import Table, inspect, select, text

from grocery.db import Row, db, reader
from grocery.notify.errors import NotificationNotFoundError, NotResendableError
from grocery.notify.models import Notification
from grocery.notify.verdicts import MAX_ATTEMPTS
from grocery.queues import NOTIFY, ring_after_commit

_table: Table = inspect(Notification).local_table  # type: ignore[assignment]  # typed for mapped subqueries too

# Checks and changes in one statement: no sender can take the message in between. Offers are not sent anew: who did not
# get one may have said since that none are wanted.
_RESEND = text(
    """
    UPDATE notifications
    SET status = 'pending', next_attempt_at = now(), unknowns = 0, max_attempts = attempts + :allowance
    WHERE id = :id AND campaign_id IS NULL AND (status = 'failed' OR (status = 'unknown' AND next_attempt_at IS NULL))
    RETURNING *
    """
)

_RESEND_FAILED = text(
    """
    UPDATE notifications
    SET status = 'pending', next_attempt_at = now(), unknowns = 0, max_attempts = attempts + :allowance
    WHERE status = 'failed' AND campaign_id IS NULL AND created_at > now() - make_interval(hours => :hours)
      AND (CAST(:channel AS text) IS NULL OR channel = :channel) AND (CAST(:event AS text) IS NULL OR event = :event)
    """
)

_REASONS = {
    "failed": "is an offer, which its reader may not want any more",
    "pending": "waits to be sent",
    "sending": "is being sent just now",
    "sent": "was sent, and is not sent twice",
    "delivered": "has arrived, and is not sent twice",
    "unknown": "may have arrived; if its report stays away it will be sent again by itself",
}


def list_notifications(*, limit: int, before_id: int | None = None, **filters: Any) -> list[Row]:
    """Notifications, the newest first, those before an id only; `filters` are columns and values, None for any."""
    statement = select(_table).order_by(_table.c.id.desc()).limit(limit)
    for name, value in filters.items():
        if value is not None:
            statement = statement.where(_table.c[name] == value)
    if before_id is not None:
        statement = statement.where(_table.c.id < before_id)
    with reader() as connection:
        return list(connection.execute(statement).mappings())


def get_notification(notification_id: int) -> Row:
    """Raises NotificationNotFoundError."""
    with reader() as connection:
        row = connection.execute(select(_table).where(_table.c.id == notification_id)).mappings().first()
    if row is None:
        raise NotificationNotFoundError(notification_id)
    return row


def resend(notification_id: int) -> Row:
    """Have a message that was given up sent anew, with as many attempts as a new one.

    Raises NotificationNotFoundError, and NotResendableError for one that was not given up.
    """
    parameters = {"id": notification_id, "allowance": MAX_ATTEMPTS}
    row = db.session.execute(_RESEND, parameters).mappings().first()
    if row is None:
        status = get_notification(notification_id)["status"]
        raise NotResendableError(notification_id, status, _REASONS.get(status, "has just changed; look again"))
    ring_after_commit(NOTIFY)
    return row


def resend_failed(*, channel: str | None, event: str | None, hours: int) -> int:
    """Have all failed messages of the last `hours` sent anew, of one channel or event if these are given; how many."""
    parameters = {"channel": channel, "event": event, "hours": hours, "allowance": MAX_ATTEMPTS}
    number: int = db.session.execute(_RESEND_FAILED, parameters).rowcount  # type: ignore[attr-defined]  # of an UPDATE
    ring_after_commit(NOTIFY)
    return number
