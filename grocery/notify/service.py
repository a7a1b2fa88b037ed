"""Queueing messages: rows of the outbox, written in the transaction of what they tell about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.notify.extension import state
from grocery.notify.wording.texts import render
from grocery.queues import NOTIFY, ring_after_commit

# One statement for any number of rows, and always the same text: SQLAlchemy compiles a list of VALUES anew at each use,
# and makes a statement of each row when there is an ON CONFLICT.
_INSERT = text(
    """
    INSERT INTO notifications (dedupe_key, channel, event, recipient, subject, body, customer_id, order_id)
    SELECT * FROM unnest(
        CAST(:dedupe_key AS text[]), CAST(:channel AS text[]), CAST(:event AS text[]), CAST(:recipient AS text[]),
        CAST(:subject AS text[]), CAST(:body AS text[]), CAST(:customer_id AS bigint[]), CAST(:order_id AS bigint[])
    )
    ON CONFLICT (dedupe_key) DO NOTHING
    """
)


@dataclass(frozen=True)
class Message:
    """One message to queue: an event told to an audience ("customer" or "admin") on a channel ("sms" or "email").

    Of messages with the same `dedupe_key` only the first is ever sent; make it of what happened, channel and recipient.
    """

    channel: str
    event: str
    audience: str
    recipient: str
    context: dict[str, Any]
    dedupe_key: str
    customer_id: int | None = None
    order_id: int | None = None


def queue_messages(messages: Sequence[Message]) -> None:
    """Write the messages into the outbox, in one statement, and ring for the senders after the commit.

    Runs in the caller's `transaction()`: a roll-back takes the messages with it. Raises jinja2's errors for an event
    without a text and for a context that lacks a value.
    """
    if not messages:
        return
    # In the order of the unique index: two transactions with the same keys wait for each other, and never in a circle.
    ordered = sorted(messages, key=lambda message: message.dedupe_key)
    texts = [render(message.event, message.audience, message.channel, message.context) for message in ordered]
    columns: dict[str, list[Any]] = {
        name: [getattr(message, name) for message in ordered]
        for name in ("dedupe_key", "channel", "event", "recipient", "customer_id", "order_id")
    }
    columns |= {"subject": [written.subject for written in texts], "body": [written.body for written in texts]}
    db.session.execute(_INSERT, columns)
    ring_after_commit(NOTIFY)


def admin_recipients(active_admins: Sequence[str] | None = None) -> list[str]:
    """The e-mail addresses that are told about orders: ADMIN_EMAILS, else those of all active admins.

    A caller who has read the latter already saves a round trip by passing them.
    """
    configured: tuple[str, ...] = current_app.config["ADMIN_EMAILS"]
    if configured:
        return list(configured)
    return state().find_admin_emails() if active_admins is None else list(active_admins)
