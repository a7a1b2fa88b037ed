"""The outbox as admins see it: what was told to whom, and sending it anew."""

from typing import Any

from sqlalchemy import Table, inspect, select, text

from grocery.db import Row, db, name_subject, reader
from grocery.notify.errors import NotificationNotFoundError, NotResendableError
from grocery.notify.models import Notification
from grocery.notify.policy import CODE
from grocery.notify.verdicts import MAX_ATTEMPTS
from grocery.queues import NOTIFY, ring_after_commit

_table: Table = inspect(Notification).local_table  # type: ignore[assignment]  # typed for mapped subqueries too

# Of those who get nothing: a message that was given up is older than what they have said since.
_MAY_GO = """(is_needed OR NOT EXISTS (
        SELECT FROM suppressions AS s WHERE s.channel = notifications.channel AND s.address = recipient
    ))"""

# Checks and changes in one statement: no sender can take the message in between. Offers are not sent anew: who did not
# get one may have said since that none are wanted.
_RESEND = text(
    f"""
    UPDATE notifications
    SET status = 'pending', next_attempt_at = now(), unknowns = 0, max_attempts = attempts + :allowance
    WHERE id = :id AND campaign_id IS NULL AND (status = 'failed' OR (status = 'unknown' AND next_attempt_at IS NULL))
      AND {_MAY_GO}
    RETURNING *
    """  # noqa: S608 — put together of constants
)

# Codes have run out by now, and who needs one has asked for another.
_RESEND_FAILED = text(
    f"""
    UPDATE notifications
    SET status = 'pending', next_attempt_at = now(), unknowns = 0, max_attempts = attempts + :allowance
    WHERE status = 'failed' AND campaign_id IS NULL AND created_at > now() - make_interval(hours => :hours)
      AND (CAST(:channel AS text) IS NULL OR channel = :channel) AND (CAST(:event AS text) IS NULL OR event = :event)
      AND priority <> {CODE} AND {_MAY_GO}
    """  # noqa: S608 — put together of constants
)

# A sign-in code that was sent to one admin is none of another's business.
_CODE_TEXT = "…"

_REASONS = {
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
        return [_without_code(row) for row in connection.execute(statement).mappings()]


def get_notification(notification_id: int) -> Row:
    """Raises NotificationNotFoundError."""
    with reader() as connection:
        row = connection.execute(select(_table).where(_table.c.id == notification_id)).mappings().first()
    if row is None:
        raise NotificationNotFoundError(notification_id)
    return _without_code(row)


def resend(notification_id: int) -> Row:
    """Have a message that was given up sent anew, with as many attempts as a new one.

    Raises NotificationNotFoundError, and NotResendableError for one that was not given up, for an offer, and for one to
    somebody who gets no such messages any more.
    """
    name_subject("notification", notification_id)
    parameters = {"id": notification_id, "allowance": MAX_ATTEMPTS}
    row = db.session.execute(_RESEND, parameters).mappings().first()
    if row is None:
        refused = get_notification(notification_id)
        raise NotResendableError(notification_id, refused["status"], _why_not(refused))
    ring_after_commit(NOTIFY)
    return _without_code(row)


def _without_code(row: Row) -> Row:
    return {**row, "body": _CODE_TEXT} if row["priority"] == CODE else row


def _why_not(row: Row) -> str:
    is_given_up = row["status"] == "failed" or (row["status"] == "unknown" and row["next_attempt_at"] is None)
    if not is_given_up:
        return _REASONS[row["status"]]
    if row["campaign_id"] is not None:
        return "is an offer, which its reader may not want any more"
    return "is for an address that gets no such messages any more; see `notify suppressions`"


def resend_failed(*, channel: str | None, event: str | None, hours: int) -> int:
    """Have all failed messages of the last `hours` sent anew, of one channel or event if these are given; how many.

    Neither codes, nor what goes to those who get nothing any more.
    """
    parameters = {"channel": channel, "event": event, "hours": hours, "allowance": MAX_ATTEMPTS}
    number: int = db.session.execute(_RESEND_FAILED, parameters).rowcount  # type: ignore[attr-defined]  # of an UPDATE
    ring_after_commit(NOTIFY)
    return number
