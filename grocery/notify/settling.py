"""After a restore: messages that the backup holds as waiting have long been sent by the shop that was lost."""

from datetime import datetime

from sqlalchemy import text

from grocery.db import db

# "Unknown" and not tried again is what such a message is: it may have arrived, and `notify resend` can send it anew.
_SETTLE = text("""
    UPDATE notifications
    SET status = 'unknown', next_attempt_at = NULL, leased_until = NULL,
        error = 'It waited when the backup was made, so it may have been sent since.'
    WHERE created_at < :before
      AND (status IN ('pending', 'sending') OR (status = 'unknown' AND next_attempt_at IS NOT NULL))
""")


def settle(before: datetime) -> int:
    """Send nothing any more of what waits and was written before then; how many messages that are."""
    number: int = db.session.execute(_SETTLE, {"before": before}).rowcount  # type: ignore[attr-defined]  # of an UPDATE
    return number
