"""Deleting what people wrote once nobody needs it any more."""

from sqlalchemy import text

from grocery.db import db, transaction

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
    count = _BATCH
    while count >= _BATCH:  # a plan that runs the subquery twice takes more
        with transaction():
            parameters = {"days": KEPT_DAYS, "limit": _BATCH}
            count = db.session.execute(_FORGET, parameters).rowcount  # type: ignore[attr-defined]  # of a DELETE
