"""Notifications as JSON."""

from marshmallow import fields, validate

from grocery.config import LANGUAGES
from grocery.fields import Id, Integer, Name, Schema, Text, Timestamp
from grocery.notify.models import CHANNELS, STATUSES
from grocery.notify.policy import PRIORITY_WORDS
from grocery.paging import PageArgsSchema

NOTIFICATION_EXAMPLE = {
    "id": 71,
    "channel": "sms",
    "event": "order_shipped",
    "recipient": "+254712345678",
    "subject": None,
    "body": "Mama Fresh: order G-7K3M9Q is on its way to you. Please keep your phone near. Total: KES 1,250.",
    "status": "sent",
    "attempts": 1,
    "provider_id": "ATXid_7f1c2d3e4b5a69788796a5b4c3d2e1f0",
    "cost": "KES 0.8000",
    "error": None,
    "order_id": 12,
    "language": "en",
    "priority": "news",
    "repeats": 0,
    "campaign_id": None,
    "fallback_for_id": None,
    "created_at": "2026-11-22T09:15:00Z",
    "sent_at": "2026-11-22T09:15:01Z",
    "delivered_at": None,
}


class NotificationArgsSchema(PageArgsSchema):
    """Filters of the list."""

    status = Text(load_default=None, validate=validate.OneOf(STATUSES))
    channel = Text(load_default=None, validate=validate.OneOf(CHANNELS))
    event = Name(max_length=50, load_default=None, metadata={"description": "Such as `order_placed`."})
    recipient = Name(
        max_length=254, load_default=None, metadata={"description": "A phone number in E.164 or an e-mail address."}
    )
    order_id = Id(load_default=None)
    campaign_id = Id(load_default=None)


class NotificationSchema(Schema):
    """A message to a person."""

    id = Integer(required=True)
    channel = Text(required=True, validate=validate.OneOf(CHANNELS))
    event = Text(required=True, metadata={"description": "What it tells: `order_placed`, `order_shipped` …"})
    recipient = Text(required=True, metadata={"description": "A phone number in E.164 or an e-mail address."})
    subject = Text(required=True, allow_none=True, metadata={"description": "Of an e-mail."})
    body = Text(required=True)
    status = Text(
        required=True,
        validate=validate.OneOf(STATUSES),
        metadata={"description": "`unknown`: it may or may not have arrived, no answer told."},
    )
    attempts = Integer(required=True)
    provider_id = Text(required=True, allow_none=True, metadata={"description": "The provider's id of the message."})
    cost = Text(required=True, allow_none=True, metadata={"description": "As the provider wrote it: `KES 0.8000`."})
    error = Text(required=True, allow_none=True, metadata={"description": "Why the last attempt was not successful."})
    order_id = Integer(required=True, allow_none=True)
    language = Text(required=True, validate=validate.OneOf(LANGUAGES))
    priority = fields.Function(
        lambda row: PRIORITY_WORDS[row["priority"]],
        required=True,
        metadata={
            "type": "string",
            "enum": list(PRIORITY_WORDS.values()),
            "description": "Codes go first, offers last.",
        },
    )
    repeats = Integer(
        required=True, metadata={"description": "How often it was sent although an earlier time may have arrived."}
    )
    campaign_id = Integer(required=True, allow_none=True)
    fallback_for_id = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The SMS in whose place this e-mail is sent if that does not arrive."},
    )
    created_at = Timestamp(required=True)
    sent_at = Timestamp(required=True, allow_none=True)
    delivered_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When the network has said that it arrived."}
    )
