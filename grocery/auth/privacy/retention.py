"""Deleting what nobody needs any more: the relay's part, once a day, in short transactions.

What is kept for how long, and why, stands in docs/privacy.md; a test compares them.
"""

from sqlalchemy import text

from grocery.db import delete_in_batches

CODES_DAYS = 1
DEVICES_DAYS = 400
AUDIT_DAYS = 730

_BATCH = 1000

# Not before their day is over: they count against what a number and the shop may get of them in a day.
_CODES = text("""
    DELETE FROM one_time_codes WHERE id IN (
        SELECT id FROM one_time_codes
        WHERE created_at < now() - make_interval(days => :days) AND expires_at < now() - make_interval(days => :days)
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")

_DEVICES = text("""
    DELETE FROM known_devices WHERE token_hash IN (
        SELECT token_hash FROM known_devices WHERE used_at < now() - make_interval(days => :days)
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")

# The trigger lets nobody delete but who says so in the same transaction. By id, which follows time: the oldest come
# first, and the first that is young enough ends it.
_AUDIT_LOG = text("""
    DELETE FROM audit_log WHERE id IN (
        SELECT id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT :limit) AS oldest
        WHERE at < now() - make_interval(days => :days)
    )
""")
_IS_RETENTION = text("SET LOCAL grocery.retention = 'on'")


def forget_old() -> None:
    """Delete codes, devices and entries of the audit log that are older than they may get."""
    for statement, days in ((_CODES, CODES_DAYS), (_DEVICES, DEVICES_DAYS), (_AUDIT_LOG, AUDIT_DAYS)):
        delete_in_batches(statement, _BATCH, first=_IS_RETENTION, days=days)
