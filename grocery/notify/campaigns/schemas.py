"""Campaigns as JSON."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.config import LANGUAGES
from grocery.fields import Integer, Name, OneOf, Schema, Text, Timestamp
from grocery.notify.campaigns.models import CAMPAIGN_STATUSES
from grocery.notify.campaigns.states import ACTIONS
from grocery.notify.campaigns.wording import MAX_LINE
from grocery.notify.models import CHANNELS
from grocery.paging import PageArgsSchema

MAX_SUBJECT = 150
MAX_BODY = 20_000


def _check_lines(body: str) -> None:
    if any(len(line.strip()) > MAX_LINE for line in body.splitlines()):
        raise ValidationError(f"A line may have {MAX_LINE} characters at most; begin a new one.")


class CampaignTextSchema(Schema):
    """The words in one language."""

    subject = Name(
        max_length=MAX_SUBJECT, allow_none=True, load_default=None, metadata={"description": "Of an e-mail only."}
    )
    body = Text(
        required=True,
        validate=[validate.Length(min=1, max=MAX_BODY), _check_lines],
        metadata={
            "description": "The shop's name and how to have no more are added. SMS: one line, at most 3 SMS in all. "
            "E-mail: each line becomes a paragraph."
        },
    )


class CampaignTextsSchema(Schema):
    """The words by language; the shop's own language is needed."""

    en = fields.Nested(CampaignTextSchema)
    sw = fields.Nested(CampaignTextSchema)


class WriteCampaignSchema(Schema):
    """What can be written of a campaign."""

    name = Name(required=True, metadata={"description": "For the shop's own eyes."})
    channel = OneOf(CHANNELS, required=True)
    texts = fields.Nested(CampaignTextsSchema, required=True)

    @validates_schema(skip_on_field_errors=True)
    def check_subjects(self, data: dict[str, Any], **_: Any) -> None:
        is_email = data["channel"] == "email"
        problem = "An e-mail needs a subject." if is_email else "An SMS has no subject."
        errors = {
            language: {"subject": [problem]}
            for language, written in data["texts"].items()
            if is_email != bool(written["subject"])
        }
        if errors:
            raise ValidationError({"texts": errors})


class CampaignArgsSchema(PageArgsSchema):
    """Filters of the list."""

    status = Text(load_default=None, validate=validate.OneOf(CAMPAIGN_STATUSES))
    channel = Text(load_default=None, validate=validate.OneOf(CHANNELS))


class CountsSchema(Schema):
    """Messages by what became of them."""

    pending = Integer(required=True, metadata={"description": "Waiting, held by a pause, or being sent just now."})
    sent = Integer(required=True, metadata={"description": "Taken by the provider; of SMS a report may follow."})
    delivered = Integer(required=True)
    failed = Integer(required=True)
    unknown = Integer(required=True)  # type: ignore[assignment]  # marshmallow takes its fields out of the class


class CampaignSchema(Schema):
    """A text to all customers who want to hear of offers."""

    id = Integer(required=True)
    name = Text(required=True)
    channel = Text(required=True, validate=validate.OneOf(CHANNELS))
    texts = fields.Nested(CampaignTextsSchema, required=True)
    status = Text(required=True, validate=validate.OneOf(CAMPAIGN_STATUSES))
    allowed_actions = fields.List(Text(validate=validate.OneOf(ACTIONS)), required=True)
    audience = Integer(
        required=True,
        metadata={
            "description": "Customers who want offers this way now; those who have said STOP or share an address "
            "with others get no message of their own. Of a campaign that is over: the messages that were written."
        },
    )
    queued = Integer(required=True, metadata={"description": "Messages that were written so far."})
    counts = fields.Nested(
        CountsSchema,
        required=True,
        metadata={"description": "Of the messages that are still there: a customer's go with the customer."},
    )
    parts = fields.Dict(
        keys=Text(validate=validate.OneOf(LANGUAGES)),
        values=Integer(),
        required=True,
        allow_none=True,
        metadata={"description": "SMS that one message takes, by language; null for e-mail."},
    )
    most_parts = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "SMS to pay at the most: the audience times the longest text; null for e-mail."},
    )
    created_by = Integer(
        required=True, allow_none=True, metadata={"description": "The admin who wrote it; null for a command."}
    )
    created_at = Timestamp(required=True)
    started_at = Timestamp(required=True, allow_none=True)
    finished_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When the last message was sent, or it was cancelled."}
    )


class SendTestSchema(Schema):
    """Where to send the test, and in which language."""

    recipient = Name(
        required=True, max_length=254, metadata={"description": "A phone number or an e-mail address, by the channel."}
    )
    language = Text(
        allow_none=True,
        load_default=None,
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "By default the shop's own."},
    )
