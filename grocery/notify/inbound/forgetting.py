"""Deleting what people wrote once nobody needs it any more."""

from sqlalchemy import text

from grocery.db import delete_in_batches

KEPT_DAYS = 90
_BATCH = 1000

_FORGET = text("""
    DELETE FROM inbound_sms WHERE id IN (
        SELECT id FROM inbound_sms
        WHERE received_at < now() - make_interval(days => :days) AND status <> 'received'
        ORDER BY id LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
""")


def forget_old() -> None:
    """Delete SMS that are older than KEPT_DAYS, in short transactions. The relay's part."""
    delete_in_batches(_FORGET, _BATCH, days=KEPT_DAYS)
