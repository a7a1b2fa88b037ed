"""Writing down what became of messages, and telling the admins of those that nobody knows about."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.notify.outcome import SendResult
from grocery.notify.sending.budget import note_costs
from grocery.notify.sending.claims import Claim
from grocery.notify.sending.fallbacks import settle_fallbacks
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.notify.verdicts import MAX_UNKNOWNS, Verdict, judge

log = logging.getLogger(__name__)

# Told to nobody: an alarm about a lost alarm would never end.
_ALARM = "notification_unknown"

_random = SystemRandom()

# The rows are locked in the order of their ids, as everyone does who takes several. The provider's id stays when a
# later attempt has none: a report may still name it. One that was taken for dead, as after a jump of the clock, knows
# better what became of its message as long as no other attempt has begun.
_RECORD = text(
    """
    WITH results AS MATERIALIZED (
        SELECT r.* FROM unnest(
            CAST(:id AS bigint[]), CAST(:attempts AS integer[]), CAST(:status AS text[]), CAST(:unknowns AS integer[]),
            CAST(:wait_seconds AS double precision[]), CAST(:is_counted AS boolean[]), CAST(:provider_id AS text[]),
            CAST(:cost AS text[]), CAST(:error AS text[])
        ) AS r (id, attempts, status, unknowns, wait_seconds, is_counted, provider_id, cost, error)
        JOIN notifications AS n ON n.id = r.id AND n.attempts = r.attempts
            AND (n.status = 'sending' OR n.status = 'unknown' AND r.status <> 'unknown')
        ORDER BY r.id FOR UPDATE OF n
    )
    UPDATE notifications AS n
    SET status = r.status, unknowns = r.unknowns, leased_until = NULL,
        max_attempts = n.max_attempts + (NOT r.is_counted)::int,
        next_attempt_at = now() + make_interval(secs => r.wait_seconds),
        sent_at = CASE WHEN r.status = 'sent' THEN now() END,
        provider_id = COALESCE(r.provider_id, n.provider_id), cost = COALESCE(r.cost, n.cost), error = r.error
    FROM results AS r
    WHERE n.id = r.id
    RETURNING n.id
    """
)

# An alarm names its person, which locks their row, and people come before messages.
_HOLD_PEOPLE = text("SELECT FROM customers WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE")
_PEOPLE_OF_DEAD = text(
    """
    SELECT customer_id FROM notifications
    WHERE status = 'sending' AND leased_until < now() AND unknowns + 1 >= :max_unknowns AND customer_id IS NOT NULL
    """
)

_EXPIRE = text(
    """
    WITH dead AS MATERIALIZED (
        SELECT id FROM notifications WHERE status = 'sending' AND leased_until < now()
        ORDER BY leased_until LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications AS n
    SET status = 'unknown', unknowns = n.unknowns + 1, leased_until = NULL,
        next_attempt_at =
            CASE WHEN n.unknowns + 1 < :max_unknowns THEN now() + make_interval(secs => :wait_seconds) END,
        error = 'The sender died or hung before it could tell what became of it.'
    FROM dead
    WHERE n.id = dead.id
    RETURNING n.*, true AS is_repeat
    """
)

_EXPIRE_LIMIT = 1000


@dataclass(frozen=True)
class Answered:
    """A claim whose attempt is over, and how long that took."""

    claim: Claim
    result: SendResult
    milliseconds: float = 0.0


def record_results(answered: Sequence[Answered]) -> list[str]:
    """Write the outcomes of attempts; answers the new status of each, or "lost" when it was no longer its sender's.

    A message that was taken for dead may be in other hands, whose outcome counts then. What it cost counts in any case.
    """
    verdicts = [_judge(one) for one in answered]
    _hold_people(
        one.claim.customer_id
        for one, verdict in zip(answered, verdicts, strict=True)
        if verdict.status == "unknown" and verdict.wait_seconds is None
    )
    written = set(db.session.execute(_RECORD, _columns(answered, verdicts)).scalars())
    own = [pair for pair in zip(answered, verdicts, strict=True) if pair[0].claim.id in written]
    ended = [(one, verdict) for one, verdict in own if verdict.wait_seconds is None]
    settle_fallbacks({one.claim.id: verdict.status for one, verdict in ended if one.claim.channel == "sms"})
    _tell_admins((one.claim, one.result.error) for one, verdict in ended if verdict.status == "unknown")
    note_costs(one.result.cost for one in answered if one.claim.channel == "sms")
    for one in answered:
        if one.claim.id not in written:
            log.warning("notification %d is gone or taken over, its attempt was not noted", one.claim.id)
    return [
        verdict.status if one.claim.id in written else "lost" for one, verdict in zip(answered, verdicts, strict=True)
    ]


def _judge(one: Answered) -> Verdict:
    return judge(
        one.result,
        attempts=one.claim.attempts,
        max_attempts=one.claim.max_attempts,
        unknowns=one.claim.unknowns,
        unknown_wait=_unknown_wait(),
        chance=_random.random(),
    )


def _columns(answered: Sequence[Answered], verdicts: Sequence[Verdict]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "id": [one.claim.id for one in answered],
        "attempts": [one.claim.attempts for one in answered],
    }
    for name in ("status", "unknowns", "wait_seconds", "is_counted"):
        columns[name] = [getattr(verdict, name) for verdict in verdicts]
    for name in ("provider_id", "cost", "error"):
        columns[name] = [getattr(one.result, name) for one in answered]
    return columns


def expire_leases() -> int:
    """Treat messages whose sender died as sent with an unknown outcome; answers how many, a thousand at the most."""
    parameters = {"max_unknowns": MAX_UNKNOWNS, "wait_seconds": _unknown_wait(), "limit": _EXPIRE_LIMIT}
    _hold_people(db.session.execute(_PEOPLE_OF_DEAD, {"max_unknowns": MAX_UNKNOWNS}).scalars())
    expired = [Claim.of(row) for row in db.session.execute(_EXPIRE, parameters)]
    for claim in expired:
        log.warning("notification %d was being sent by a worker that died", claim.id)
    # RETURNING answers the new count.
    given_up = [claim for claim in expired if claim.unknowns >= MAX_UNKNOWNS]
    settle_fallbacks({claim.id: "unknown" for claim in given_up if claim.channel == "sms"})
    _tell_admins((claim, "The sender died.") for claim in given_up)
    return len(expired)


def _hold_people(customer_ids: Iterable[int | None]) -> None:
    ids = sorted({customer_id for customer_id in customer_ids if customer_id is not None})
    if ids:
        db.session.execute(_HOLD_PEOPLE, {"ids": ids})


def _unknown_wait() -> int:
    wait: int = current_app.config["SMS_UNKNOWN_WAIT"]
    return wait


def _tell_admins(given_up: Iterable[tuple[Claim, str | None]]) -> None:
    told = [(claim, error) for claim, error in given_up if claim.event != _ALARM]
    recipients = admin_recipients() if told else []
    queue_messages([_alarm(claim, error, recipient) for claim, error in told for recipient in recipients])


def _alarm(claim: Claim, error: str | None, recipient: str) -> Message:
    notification = {
        "id": claim.id,
        "channel": claim.channel,
        "event": claim.event,
        "recipient": claim.recipient,
        "attempts": claim.attempts,
        "error": error,
        "order_id": claim.order_id,
    }
    config = current_app.config
    return Message(
        channel="email",
        event=_ALARM,
        audience="admin",
        recipient=recipient,
        context={"shop": config["SHOP_NAME"], "url": config["SHOP_URL"] or None, "notification": notification},
        # With the attempt, so that one that was sent anew and is lost again is told again.
        dedupe_key=f"{_ALARM}:{claim.id}:{claim.attempts}:email:{recipient}",
        # It holds the person's address, so it goes when the person goes.
        customer_id=claim.customer_id,
        order_id=claim.order_id,
        origin=claim.origin,
    )
