"""Emptying messages that nobody needs to read any more."""

from sqlalchemy import text

from grocery.db import db, transaction
from grocery.notify.policy import CODE_EVENTS

#: For how long it can be read what was told to whom: as long as people ask about it, at most.
KEPT_DAYS = 365
#: A code has run out after minutes, and nobody but its recipient should ever read it.
CODES_KEPT_DAYS = 1

_BATCH = 1000

# What stays is that a message went out, when, by which way and at what cost. The dedupe key has the address in it, and
# clients choose the ids of their requests. Rows are looked through in the order of their ids, each once: those that are
# empty already stay in the table.
_EMPTY = text("""
    WITH batch AS (
        SELECT id FROM notifications
        WHERE id > :after_id AND next_attempt_at IS NULL AND status <> 'sending' AND recipient <> ''
          AND created_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), emptied AS (
        UPDATE notifications
        SET subject = NULL, body = '', recipient = '', error = NULL, dedupe_key = 'forgotten:' || notifications.id,
            request_id = NULL, traceparent = NULL
        FROM batch WHERE notifications.id = batch.id
        RETURNING notifications.id
    )
    SELECT max(id) FROM emptied HAVING count(*) = :limit
""")
_EMPTY_CODES = text("""
    WITH batch AS (
        SELECT id FROM notifications
        WHERE id > :after_id AND next_attempt_at IS NULL AND status <> 'sending' AND body <> '' AND event = ANY(:codes)
          AND created_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), emptied AS (
        UPDATE notifications SET subject = NULL, body = '' FROM batch WHERE notifications.id = batch.id
        RETURNING notifications.id
    )
    SELECT max(id) FROM emptied HAVING count(*) = :limit
""")


def forget_texts() -> None:
    """Empty what is older than KEPT_DAYS, and codes after CODES_KEPT_DAYS, in short transactions. The relay's part."""
    for statement, days in ((_EMPTY, KEPT_DAYS), (_EMPTY_CODES, CODES_KEPT_DAYS)):
        after_id: int | None = 0
        while after_id is not None:
            with transaction():
                parameters = {"after_id": after_id, "days": days, "limit": _BATCH, "codes": sorted(CODE_EVENTS)}
                after_id = db.session.execute(statement, parameters).scalar()
