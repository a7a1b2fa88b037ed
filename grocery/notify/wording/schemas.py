"""Texts as JSON."""

from typing import Any

from marshmallow import fields, validate

from grocery.config import LANGUAGES
from grocery.fields import Boolean, Id, Integer, Name, Schema, Text, Timestamp
from grocery.notify.models import CHANNELS
from grocery.notify.wording.overrides import MAX_SOURCE_LENGTH

AUDIENCES = ("customer", "admin")

KEY_EXAMPLE = {"event": "order_delivered", "audience": "customer", "channel": "sms", "language": "en"}
SOURCE_EXAMPLE = "{{ shop|short(30) }}: order {{ order.number }} is with you. Karibu tena!"
PREVIEW_EXAMPLE: dict[str, Any] = {
    **KEY_EXAMPLE,
    "previews": [
        {
            "variant": "usual",
            "subject": None,
            "body": "Mama Fresh: order G-7K3M9Q is with you. Karibu tena!",
            "encoding": "GSM-7",
            "length": 52,
            "parts": 1,
            "outside_gsm7": [],
        }
    ],
    "warnings": [],
}
SUMMARY_EXAMPLE = {**KEY_EXAMPLE, "is_overridden": True, "problem": None, "updated_at": "2026-11-26T09:15:00Z"}
TEXT_EXAMPLE = {
    **SUMMARY_EXAMPLE,
    **PREVIEW_EXAMPLE,
    "source": SOURCE_EXAMPLE,
    "built_in_source": "{{ shop|short(30) }}: order {{ order.number }} was delivered. Thank you!",
    "updated_by": 3,
}


def _source(**kwargs: Any) -> Text:
    description = (
        "A template: `{{ order.number }}` stands for a value, `{% if order.slot %} … {% endif %}` for a choice. "
        'That of an e-mail begins with a line `Subject: …` and an empty line. See "The shop\'s own texts" in the guide.'
    )
    return Text(validate=validate.Length(min=1, max=MAX_SOURCE_LENGTH), metadata={"description": description}, **kwargs)


class SetTextSchema(Schema):
    """A text in the shop's own words."""

    source = _source(required=True)


class _KeySchema(Schema):
    event = Name(max_length=50, required=True, metadata={"description": "Such as `order_placed`."})
    audience = Text(required=True, validate=validate.OneOf(AUDIENCES))
    channel = Text(required=True, validate=validate.OneOf(CHANNELS))
    language = Text(required=True, validate=validate.OneOf(LANGUAGES))


class AskPreviewSchema(_KeySchema):
    """Which text to look at; with a source: how it would be."""

    source = _source(load_default=None)


class PreviewSchema(Schema):
    """A text with the values of one variant."""

    variant = Text(required=True, metadata={"description": "`usual`, `pickup`, `slot`, `note` …; `bare` lacks all."})
    subject = Text(required=True, allow_none=True, metadata={"description": "Of an e-mail."})
    body = Text(required=True)
    encoding = Text(
        required=True, allow_none=True, metadata={"description": "`GSM-7`, or `UCS-2` with 70 characters to the SMS."}
    )
    length = Integer(required=True, allow_none=True, metadata={"description": "In units of the encoding."})
    parts = Integer(required=True, allow_none=True, metadata={"description": "How many SMS it takes."})
    outside_gsm7 = fields.List(
        Text(), required=True, allow_none=True, metadata={"description": "The characters that force UCS-2."}
    )


class PreviewsSchema(_KeySchema):
    """How a text reads."""

    previews = fields.List(fields.Nested(PreviewSchema), required=True)
    warnings = fields.List(Text(), required=True, metadata={"description": "What makes an SMS dear."})


class TextSummarySchema(_KeySchema):
    """A text, and whether the shop has its own in its place."""

    is_overridden = Boolean(required=True)
    problem = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Why the own text is not used: it does not work any more. The program's is."},
    )
    updated_at = Timestamp(required=True, allow_none=True)


class TextSchema(TextSummarySchema, PreviewsSchema):
    """A text with all that there is about it."""

    source = Text(required=True)
    built_in_source = Text(required=True, metadata={"description": "What comes with the program."})
    updated_by = Id(required=True, allow_none=True)
