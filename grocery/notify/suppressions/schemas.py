"""Suppressions as JSON."""

from marshmallow import validate

from grocery.fields import Boolean, Name, Schema, Text, Timestamp
from grocery.notify.models import CHANNELS
from grocery.paging import PageArgsSchema

REASONS = ("stop", "provider", "bounce")

SUPPRESSION_EXAMPLE = {
    "channel": "sms",
    "address": "+254712345678",
    "reason": "stop",
    "detail": None,
    "created_at": "2026-11-22T09:15:00Z",
}


class SuppressionArgsSchema(PageArgsSchema):
    """Filters of the list."""

    channel = Text(load_default=None, validate=validate.OneOf(CHANNELS))
    q = Name(max_length=100, load_default=None, metadata={"description": "A part of the address."})


class LiftArgsSchema(Schema):
    """How sure the caller is."""

    force = Boolean(
        load_default=False,
        metadata={"description": "True when the holder, who said STOP, has asked in another way to be written to."},
    )


class SuppressionSchema(Schema):
    """An address that gets nothing but what its holder asks for or needs."""

    channel = Text(required=True, validate=validate.OneOf(CHANNELS))
    address = Text(required=True, metadata={"description": "A phone number in E.164 or an e-mail address."})
    reason = Text(
        required=True,
        validate=validate.OneOf(REASONS),
        metadata={
            "description": "`stop`: the holder said so; `provider`: the network or the provider blocks it; "
            "`bounce`: the mailbox is gone."
        },
    )
    detail = Text(required=True, allow_none=True, metadata={"description": "What the provider said."})
    created_at = Timestamp(required=True)
