"""Taking messages out of the outbox, so that each has one sender at a time."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from flask import current_app
from sqlalchemy import Row, text

from grocery.db import db, reader
from grocery.notify.models import CHANNELS
from grocery.notify.policy import NEWS, OFFER, REFUSALS, is_quiet
from grocery.notify.sending.budget import IS_SAID_BY_MAIL, IS_USED_UP, budget_terms, is_used_up
from grocery.notify.sending.channels import Opening, open_channel, use_channel
from grocery.notify.sending.fallbacks import settle_fallbacks
from grocery.origins import Origin

#: Seconds after which a sender that has not reported is taken for dead. More than a job may run.
LEASE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this sender holds. `attempts` is its number of this attempt, by which its outcome is known.

    `is_repeat`: an earlier attempt may have arrived.
    """

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
    priority: int
    campaign_id: int | None
    fallback_for_id: int | None
    language: str
    created_at: datetime
    request_id: str | None
    traceparent: str | None
    is_repeat: bool

    @property
    def origin(self) -> Origin:
        """What the message goes back to."""
        return Origin(self.request_id, self.traceparent)

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        return cls(**{field.name: row._mapping[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Haul:
    """What one look into the outbox brought.

    `is_probe`: the message tries a channel that did not work. `wait_seconds` is when the rate will allow more, 0 when
    more may be there already, None when nothing is due that may be sent.
    """

    claims: list[Claim]
    is_probe: bool = False
    wait_seconds: float | None = None


_WAITING = """
        SELECT * FROM notifications
        WHERE channel = :channel AND priority = {priority} AND next_attempt_at <= now()
          AND status IN ('pending', 'unknown')
        ORDER BY next_attempt_at, id LIMIT {limit} FOR UPDATE SKIP LOCKED
"""

# A query for each priority, because an ordered walk over all of them would read every message that waits for its next
# attempt. They are run one after the other, and only as far as `due` asks for rows. That one is MATERIALIZED, because a
# subquery with LIMIT and SKIP LOCKED that is run a second time by a join takes further rows.
#
# What must not be sent any more is given up by the same statement: a row that is changed a second time in a transaction
# has its foreign keys checked, and a customer who is being deleted waits for their messages. Such are those whose
# address came onto the list when a sender had them in its hands, and SMS without a budget when an e-mail says the same.
_CLAIM = text(
    f"""
    WITH codes AS ({_WAITING.format(priority=0, limit=":limit")}),
    news AS ({_WAITING.format(priority=1, limit=":limit")}),
    offers AS ({_WAITING.format(priority=2, limit=":offer_limit")}),
    due AS MATERIALIZED (
        SELECT * FROM codes UNION ALL SELECT * FROM news UNION ALL SELECT * FROM offers LIMIT :limit
    ), held AS MATERIALIZED (
        SELECT due.id, due.status = 'unknown' AS is_repeat, COALESCE(
            CASE WHEN NOT due.is_needed THEN (
                SELECT s.reason FROM suppressions AS s WHERE s.channel = due.channel AND s.address = due.recipient
            ) END,
            CASE WHEN :has_no_budget AND due.priority = {NEWS} AND {IS_SAID_BY_MAIL} THEN 'budget' END
        ) AS refused_by
        FROM due
    )
    UPDATE notifications AS n
    SET status = CASE WHEN refused_by IS NULL THEN 'sending' WHEN is_repeat THEN 'unknown' ELSE 'failed' END,
        attempts = attempts + (refused_by IS NULL)::int,
        repeats = repeats + (refused_by IS NULL AND is_repeat)::int,
        attempted_at = CASE WHEN refused_by IS NULL THEN now() ELSE attempted_at END,
        leased_until = CASE WHEN refused_by IS NULL THEN now() + make_interval(secs => :lease_seconds) END,
        error = COALESCE(CAST(:refusals AS jsonb) ->> refused_by, error), next_attempt_at = NULL
    FROM held
    WHERE n.id = held.id
    RETURNING n.*, is_repeat
    """  # noqa: S608 — put together of constants
)

_REFUSALS = json.dumps(
    {
        **REFUSALS,
        "budget": "Not sent by SMS: the budget of the day is used up, and an e-mail says the same.",
    }
)

_GIVE_BACK = text(
    """
    UPDATE notifications AS n
    SET status = CASE WHEN held.is_repeat THEN 'unknown' ELSE 'pending' END,
        attempts = n.attempts - 1, repeats = n.repeats - held.is_repeat::int,
        next_attempt_at = now(), leased_until = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS integer[]), CAST(:repeats AS boolean[]))
        AS held (id, attempts, is_repeat)
    WHERE n.id = held.id AND n.status = 'sending' AND n.attempts = held.attempts
    """
)

# What a claim would take: of channels that are not paused, and no offers while they are held back.
_WAYS = f"""
    WITH ways AS (
        SELECT c.name, p.priority
        FROM unnest(CAST(:channels AS text[])) AS c (name) CROSS JOIN generate_series(0, 2) AS p (priority)
        WHERE NOT EXISTS (SELECT FROM channels AS known WHERE known.name = c.name AND known.paused_until > now())
          AND NOT (p.priority = 2 AND (:is_quiet OR (c.name = 'sms' AND {IS_USED_UP})))
    )
"""  # noqa: S608 — put together of constants
_DUE = """
    FROM notifications AS n
    WHERE n.channel = ways.name AND n.priority = ways.priority AND n.next_attempt_at <= now()
      AND n.status IN ('pending', 'unknown')
"""

# The order makes the planner walk the index; it would read the table in the hope of meeting one of many soon.
_LOOK = text(
    f"""
    {_WAYS}
    SELECT
        EXISTS (SELECT FROM ways CROSS JOIN LATERAL (SELECT {_DUE} ORDER BY n.next_attempt_at LIMIT 1) AS due),
        EXISTS (SELECT FROM notifications WHERE status = 'sending' AND leased_until < now())
    """  # noqa: S608 — put together of constants
)

_COUNT = text(
    f"{_WAYS} SELECT count(*) FROM ways CROSS JOIN LATERAL (SELECT {_DUE}) AS due"  # noqa: S608 — put together of constants
)


def claim_due(channel: str, wanted: int) -> Haul:
    """Take up to `wanted` due messages of a channel that may be sent now; senders never get the same one.

    Codes come before news and news before offers, and among them those that wait longest. Offers stay where they are in
    quiet hours, and SMS that are offers when the day's budget is used up. What must not be sent any more is given up.
    """
    opening = open_channel(channel, wanted)
    if opening.limit == 0:
        return Haul([], wait_seconds=opening.wait_seconds)
    has_no_budget = channel == "sms" and is_used_up()
    holds_offers = has_no_budget or _is_quiet()
    values = {
        "channel": channel,
        "limit": opening.limit,
        "offer_limit": 0 if holds_offers else min(opening.offer_limit, opening.limit),
        "lease_seconds": LEASE_SECONDS,
        "has_no_budget": has_no_budget,
        "refusals": _REFUSALS,
    }
    taken = db.session.execute(_CLAIM, values).all()
    settle_fallbacks({row.id: row.status for row in taken if row.status != "sending"})
    claims = sorted(
        (Claim.of(row) for row in taken if row.status == "sending"), key=lambda claim: (claim.priority, claim.id)
    )
    use_channel(opening, len(claims))
    return Haul(claims, opening.is_probe, _wait_seconds(opening, taken, holds_offers=holds_offers))


def _wait_seconds(opening: Opening, taken: Sequence[Row[Any]], *, holds_offers: bool) -> float | None:
    if opening.is_probe:
        return None  # what it meets decides
    if len(taken) == opening.limit:
        return opening.wait_seconds or 0.0
    offers = sum(row.priority == OFFER for row in taken)
    is_short = not holds_offers and offers == opening.offer_limit
    return opening.offer_wait_seconds if is_short else None


def give_back(claims: Collection[Claim]) -> None:
    """Return messages that were claimed and not tried: due at once, as if they had never been taken."""
    held = {
        "ids": [claim.id for claim in claims],
        "attempts": [claim.attempts for claim in claims],
        "repeats": [claim.is_repeat for claim in claims],
    }
    db.session.execute(_GIVE_BACK, held)


def look() -> tuple[bool, bool]:
    """Whether a message is due that may be sent now, and whether a sender has died with one in its hands."""
    with reader() as connection:
        is_due, has_expired = connection.execute(_LOOK, _terms()).one()
    return is_due, has_expired


def count_due() -> int:
    """How many messages are due that may be sent now."""
    with reader() as connection:
        return connection.execute(_COUNT, _terms()).scalar_one()


def _terms() -> dict[str, Any]:
    return {"channels": list(CHANNELS), "is_quiet": _is_quiet(), **budget_terms()}


def _is_quiet() -> bool:
    config = current_app.config
    return is_quiet(datetime.now(config["TIMEZONE"]).time(), config["QUIET_HOURS"])
