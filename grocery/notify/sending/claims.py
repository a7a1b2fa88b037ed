"""Taking messages out of the outbox, so that each has one sender at a time."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Row, text

from grocery.db import db, reader

#: Seconds after which a sender that has not reported is taken for dead. More than a job may run.
LEASE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this sender holds. `attempts` is its number of this attempt, by which its outcome is known."""

    id: int
    channel: str
    event: str
    recipient: str
    subject: str | None
    body: str
    attempts: int
    max_attempts: int
    unknowns: int
    customer_id: int | None
    order_id: int | None
    created_at: datetime

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        return cls(**{field.name: row._mapping[field.name] for field in fields(cls)})


# MATERIALIZED, because a subquery with LIMIT and SKIP LOCKED that is run a second time by a join takes further rows.
_CLAIM = text(
    """
    WITH due AS MATERIALIZED (
        SELECT id FROM notifications
        WHERE channel = :channel AND next_attempt_at <= now() AND status IN ('pending', 'unknown')
        ORDER BY next_attempt_at, id
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications AS n
    SET status = 'sending', attempts = attempts + 1, next_attempt_at = NULL,
        leased_until = now() + make_interval(secs => :lease_seconds)
    FROM due
    WHERE n.id = due.id
    RETURNING n.*
    """
)

_GIVE_BACK = text(
    """
    UPDATE notifications AS n
    SET status = 'pending', attempts = n.attempts - 1, next_attempt_at = now(), leased_until = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS integer[])) AS held (id, attempts)
    WHERE n.id = held.id AND n.status = 'sending' AND n.attempts = held.attempts
    """
)

_LOOK = text(
    """
    SELECT
        EXISTS (SELECT FROM notifications WHERE channel IN ('sms', 'email') AND next_attempt_at <= now()),
        EXISTS (SELECT FROM notifications WHERE status = 'sending' AND leased_until < now())
    """
)

_COUNT = text("SELECT count(*) FROM notifications WHERE channel IN ('sms', 'email') AND next_attempt_at <= now()")


def claim_due(channel: str, limit: int) -> list[Claim]:
    """Take up to `limit` due messages of a channel, those that wait longest first; senders never get the same one."""
    claim = {"channel": channel, "limit": limit, "lease_seconds": LEASE_SECONDS}
    rows = db.session.execute(_CLAIM, claim)
    return sorted(map(Claim.of, rows), key=lambda claim: claim.id)


def give_back(claims: Collection[Claim]) -> None:
    """Return messages that were claimed and not tried: due at once, as if they had never been taken."""
    held = {"ids": [claim.id for claim in claims], "attempts": [claim.attempts for claim in claims]}
    db.session.execute(_GIVE_BACK, held)


def look() -> tuple[bool, bool]:
    """Whether a message is due, and whether a sender has died with one in its hands."""
    with reader() as connection:
        is_due, has_expired = connection.execute(_LOOK).one()
    return is_due, has_expired


def count_due() -> int:
    with reader() as connection:
        return connection.execute(_COUNT).scalar_one()
