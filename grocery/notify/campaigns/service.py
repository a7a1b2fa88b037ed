"""Campaigns: write one, try it, start it, hold it, call it off. Commits nothing."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import current_app
from marshmallow import ValidationError, validate
from sqlalchemy import text

from grocery.db import Row, db, name_subject
from grocery.errors import InvalidError
from grocery.notify.campaigns.errors import CampaignNotFoundError, IllegalTransitionError, NotDraftError
from grocery.notify.campaigns.holding import set_waiting
from grocery.notify.campaigns.states import allowed_actions, next_status
from grocery.notify.campaigns.wording import EVENT, check_texts, choose_language, text_context
from grocery.notify.policy import NEWS
from grocery.notify.service import Message, queue_messages
from grocery.phones import parse_phone
from grocery.queues import BULK, ring_after_commit

_CREATE = text("""
    INSERT INTO campaigns (name, channel, texts, created_by)
    VALUES (:name, :channel, CAST(:texts AS jsonb), :created_by) RETURNING id
""")

_REPLACE = text("""
    UPDATE campaigns SET name = :name, channel = :channel, texts = CAST(:texts AS jsonb)
    WHERE id = :id
""")

_DELETE = text("DELETE FROM campaigns WHERE id = :id")

# Waits for the batch that is being written: what comes next sees all of its messages. Those who write need not wait for
# each other's foreign keys.
_LOCK = text("SELECT * FROM campaigns WHERE id = :id FOR NO KEY UPDATE")

_MOVE = text("""
    UPDATE campaigns
    SET status = :status, started_at = coalesce(started_at, now()),
        finished_at = CASE WHEN :status = 'cancelled' THEN now() END
    WHERE id = :id
""")

_QUEUED = text("SELECT * FROM notifications WHERE dedupe_key = :dedupe_key")

_is_email = validate.Email()


def create_campaign(values: Mapping[str, Any], created_by: int | None = None) -> int:
    """Make a draft (WriteCampaignSchema) of an admin, or of a command, and answer its id.

    Raises InvalidError for texts that are too long or lack the shop's language, ShopUrlNeededError.
    """
    check_texts(values["channel"], values["texts"])
    campaign_id: int = db.session.execute(_CREATE, {**_storable(values), "created_by": created_by}).scalar_one()
    name_subject("campaign", campaign_id)
    return campaign_id


def replace_campaign(campaign_id: int, values: Mapping[str, Any]) -> None:
    """Change a draft (WriteCampaignSchema); raises as `create_campaign`, and CampaignNotFoundError, NotDraftError."""
    _lock_draft(campaign_id)
    check_texts(values["channel"], values["texts"])
    db.session.execute(_REPLACE, {**_storable(values), "id": campaign_id})


def delete_campaign(campaign_id: int) -> None:
    """Delete a draft; raises CampaignNotFoundError, NotDraftError."""
    _lock_draft(campaign_id)
    db.session.execute(_DELETE, {"id": campaign_id})


def move_campaign(campaign_id: int, action: str) -> None:
    """Start, pause, resume or cancel a campaign.

    A pause holds what waits to be sent, a cancellation deletes it; what a sender has in its hands still goes out.
    Raises CampaignNotFoundError, IllegalTransitionError, and at the start what `create_campaign` raises.
    """
    row = _lock(campaign_id)
    status = next_status(row["status"], action)
    if status is None:
        raise IllegalTransitionError(row["status"], action, allowed_actions(row["status"]))
    if action == "start":
        check_texts(row["channel"], row["texts"])
    db.session.execute(_MOVE, {"id": campaign_id, "status": status})
    set_waiting(campaign_id, status)
    if status == "running":
        ring_after_commit(BULK)


def send_test(campaign_id: int, recipient: str, language: str | None) -> Row:
    """Queue one message of the campaign to a phone number or e-mail address, and answer its row of the outbox.

    It goes out at once, at night and to a suppressed address too, since it was asked for; and it does not belong to
    the campaign: it is not counted, and its e-mail cannot unsubscribe the one who tries it. Raises
    CampaignNotFoundError, InvalidError for what is no address of the channel, ShopUrlNeededError.
    """
    row = _lock(campaign_id)
    channel, texts = row["channel"], row["texts"]
    check_texts(channel, texts)
    if language is not None and language not in texts:
        raise InvalidError("The campaign has no such text.", errors={"language": ["It has no text in this language."]})
    language = choose_language(texts, language)
    dedupe_key = f"{EVENT}_test:{campaign_id}:{uuid.uuid4()}"
    message = Message(
        channel=channel,
        event=EVENT,
        audience="customer",
        recipient=_read_recipient(channel, recipient),
        context=text_context(texts[language]),
        dedupe_key=dedupe_key,
        language=language,
        is_needed=True,
        priority=NEWS,
    )
    queue_messages([message])
    return db.session.execute(_QUEUED, {"dedupe_key": dedupe_key}).mappings().one()


def _lock_draft(campaign_id: int) -> None:
    row = _lock(campaign_id)
    if row["status"] != "draft":
        raise NotDraftError(row["status"])


def _lock(campaign_id: int) -> Row:
    row = db.session.execute(_LOCK, {"id": campaign_id}).mappings().one_or_none()
    if row is None:
        raise CampaignNotFoundError(campaign_id)
    return row


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "texts": json.dumps(values["texts"])}


def _read_recipient(channel: str, recipient: str) -> str:
    try:
        if channel == "sms":
            return parse_phone(recipient, current_app.config["DEFAULT_COUNTRY"])
        return str(_is_email(recipient)).lower()
    except (InvalidError, ValidationError):
        problem = "Is not a phone number." if channel == "sms" else "Is not an e-mail address."
        raise InvalidError("The test has no address.", errors={"recipient": [problem]}) from None
