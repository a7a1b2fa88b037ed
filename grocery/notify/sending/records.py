"""Writing down what became of messages, and telling the admins of those that nobody knows about."""

import logging
from collections.abc import Iterable
from random import SystemRandom

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.notify.outcome import SendResult
from grocery.notify.sending.claims import Claim
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.notify.verdicts import MAX_UNKNOWNS, judge

log = logging.getLogger(__name__)

# Told to nobody: an alarm about a lost alarm would never end.
_ALARM = "notification_unknown"

_RECORD = text(
    """
    UPDATE notifications
    SET status = :status, unknowns = :unknowns, leased_until = NULL,
        next_attempt_at = now() + make_interval(secs => :wait_seconds),
        sent_at = CASE WHEN :status = 'sent' THEN now() END,
        provider_id = :provider_id, cost = :cost, error = :error
    WHERE id = :id AND status = 'sending' AND attempts = :attempts
    RETURNING id
    """
)

_EXPIRE = text(
    """
    WITH dead AS MATERIALIZED (
        SELECT id FROM notifications WHERE status = 'sending' AND leased_until < now() FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications AS n
    SET status = 'unknown', unknowns = n.unknowns + 1, leased_until = NULL,
        next_attempt_at =
            CASE WHEN n.unknowns + 1 < :max_unknowns THEN now() + make_interval(secs => :wait_seconds) END,
        error = 'The sender died or hung before it could tell what became of it.'
    FROM dead
    WHERE n.id = dead.id
    RETURNING n.*
    """
)


def record_result(claim: Claim, result: SendResult) -> str:
    """Write the outcome of an attempt and answer the new status, or "lost" when the attempt was no longer its sender's.

    A message that was taken for dead may be in other hands, whose outcome counts.
    """
    verdict = judge(
        result,
        attempts=claim.attempts,
        max_attempts=claim.max_attempts,
        unknowns=claim.unknowns,
        unknown_wait=_unknown_wait(),
        chance=SystemRandom().random(),
    )
    values = {"provider_id": result.provider_id, "cost": result.cost, "error": result.error}
    written = db.session.execute(_RECORD, {**vars(verdict), **values, "id": claim.id, "attempts": claim.attempts})
    if written.first() is None:
        log.warning("notification %d is gone or taken over, attempt %d was not noted", claim.id, claim.attempts)
        return "lost"
    if verdict.status == "unknown" and verdict.wait_seconds is None:
        _tell_admins([(claim, result.error)])
    return verdict.status


def expire_leases() -> int:
    """Treat messages whose sender died as sent with an unknown outcome; answers how many."""
    parameters = {"max_unknowns": MAX_UNKNOWNS, "wait_seconds": _unknown_wait()}
    expired = [Claim.of(row) for row in db.session.execute(_EXPIRE, parameters)]
    for claim in expired:
        log.warning("notification %d was being sent by a worker that died", claim.id)
    # RETURNING answers the new count.
    _tell_admins((claim, "The sender died.") for claim in expired if claim.unknowns >= MAX_UNKNOWNS)
    return len(expired)


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
    )
