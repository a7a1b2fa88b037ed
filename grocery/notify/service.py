"""Queueing messages: rows of the outbox, written in the transaction of what they tell about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.notify.extension import state
from grocery.notify.policy import is_asked_for, priority_of
from grocery.notify.wording.texts import render
from grocery.origins import Origin, current_origin
from grocery.queues import NOTIFY, ring_after_commit

# One statement for any number of rows, and always the same text: SQLAlchemy compiles a list of VALUES anew at each use,
# and makes a statement of each row when there is an ON CONFLICT. What may not be sent is left out here, since asking
# before would cost each order a round trip. The e-mail in the place of an SMS waits for what becomes of that one,
# unless it was left out.
_INSERT = text(
    """
    WITH wanted AS (
        SELECT m.* FROM unnest(
            CAST(:dedupe_key AS text[]), CAST(:channel AS text[]), CAST(:event AS text[]), CAST(:recipient AS text[]),
            CAST(:subject AS text[]), CAST(:body AS text[]), CAST(:customer_id AS bigint[]),
            CAST(:order_id AS bigint[]), CAST(:priority AS smallint[]), CAST(:language AS text[]),
            CAST(:campaign_id AS bigint[]), CAST(:is_needed AS boolean[]), CAST(:fallback_for AS text[]),
            CAST(:request_id AS text[]), CAST(:traceparent AS text[])
        ) AS m (dedupe_key, channel, event, recipient, subject, body, customer_id, order_id, priority, language,
                campaign_id, is_needed, fallback_for, request_id, traceparent)
        WHERE m.is_needed OR NOT EXISTS (
            SELECT FROM suppressions AS s WHERE s.channel = m.channel AND s.address = m.recipient
        )
    ), first AS (
        INSERT INTO notifications
            (dedupe_key, channel, event, recipient, subject, body, customer_id, order_id, priority, language,
             campaign_id, is_needed, request_id, traceparent)
        SELECT dedupe_key, channel, event, recipient, subject, body, customer_id, order_id, priority, language,
               campaign_id, is_needed, request_id, traceparent
        FROM wanted WHERE fallback_for IS NULL
        ON CONFLICT (dedupe_key) DO NOTHING
        RETURNING id, dedupe_key
    )
    INSERT INTO notifications
        (dedupe_key, channel, event, recipient, subject, body, customer_id, order_id, priority, language, is_needed,
         request_id, traceparent, fallback_for_id, next_attempt_at)
    SELECT m.dedupe_key, m.channel, m.event, m.recipient, m.subject, m.body, m.customer_id, m.order_id, m.priority,
           m.language, m.is_needed, m.request_id, m.traceparent, first.id,
           CASE WHEN first.id IS NULL THEN now() ELSE now() + make_interval(mins => :fallback_minutes) END
    FROM wanted AS m LEFT JOIN first ON first.dedupe_key = m.fallback_for
    WHERE m.fallback_for IS NOT NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    """
)

_HOLD_OF = text(
    """
    SELECT FROM notifications
    WHERE customer_id = :customer_id OR order_id IN (SELECT id FROM orders WHERE customer_id = :customer_id)
    ORDER BY id FOR UPDATE
    """
)

_COLUMNS = (
    "dedupe_key",
    "channel",
    "event",
    "recipient",
    "customer_id",
    "order_id",
    "campaign_id",
    "fallback_for",
)


@dataclass(frozen=True)
class Message:
    """One message to queue: an event told to an audience ("customer" or "admin") on a channel ("sms" or "email").

    Of messages with the same `dedupe_key` only the first is ever sent; make it of what happened, channel and recipient.
    `language` is "en" or "sw", None for the shop's own; `priority` is the event's unless it is given. One that
    `is_needed` goes to a suppressed address, too.
    `fallback_for` is the dedupe key of the SMS, queued together with this e-mail, in whose place it is sent when the
    SMS does not arrive within SMS_FALLBACK_MINUTES. `origin` is what it goes back to, None for the present work.
    """

    channel: str
    event: str
    audience: str
    recipient: str
    context: Mapping[str, Any]
    dedupe_key: str
    customer_id: int | None = None
    order_id: int | None = None
    language: str | None = None
    is_needed: bool = False
    fallback_for: str | None = None
    campaign_id: int | None = None
    priority: int | None = None
    origin: Origin | None = None


def queue_messages(messages: Sequence[Message]) -> None:
    """Write the messages into the outbox, in one statement, and ring for the senders after the commit.

    Runs in the caller's `transaction()`: a roll-back takes the messages with it. Raises jinja2's errors for an event
    without a text and for a context that lacks a value.
    """
    if not messages:
        return
    # In the order of the unique index: two transactions with the same keys wait for each other, and never in a circle.
    ordered = sorted(messages, key=lambda message: message.dedupe_key)
    languages = [message.language or current_app.config["SHOP_LANGUAGE"] for message in ordered]
    texts = [
        render(message.event, message.audience, message.channel, message.context, language)
        for message, language in zip(ordered, languages, strict=True)
    ]
    columns: dict[str, Any] = {name: [getattr(message, name) for message in ordered] for name in _COLUMNS}
    present = current_origin()
    origins = [message.origin or present for message in ordered]
    columns |= {
        "request_id": [origin.request_id for origin in origins],
        "traceparent": [origin.traceparent for origin in origins],
        "subject": [written.subject for written in texts],
        "body": [written.body for written in texts],
        "language": languages,
        "priority": [
            priority_of(message.event) if message.priority is None else message.priority for message in ordered
        ],
        "is_needed": [message.is_needed or is_asked_for(message.event) for message in ordered],
        "fallback_minutes": current_app.config["SMS_FALLBACK_MINUTES"],
    }
    db.session.execute(_INSERT, columns)
    ring_after_commit(NOTIFY)


def hold_messages_of(customer_id: int) -> None:
    """Lock all messages to and about a customer, before their row goes and takes these along.

    They are locked by their ids, as senders do. The foreign keys would in the order in which they lie, and meet a
    sender that writes down what became of some.
    """
    db.session.execute(_HOLD_OF, {"customer_id": customer_id})


def admin_recipients(active_admins: Sequence[str] | None = None) -> list[str]:
    """The e-mail addresses that are told about orders: ADMIN_EMAILS, else those of all active admins.

    A caller who has read the latter already saves a round trip by passing them.
    """
    configured: tuple[str, ...] = current_app.config["ADMIN_EMAILS"]
    if configured:
        return list(configured)
    return state().find_admin_emails() if active_admins is None else list(active_admins)
