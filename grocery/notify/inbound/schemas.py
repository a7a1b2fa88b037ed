"""SMS that come in: the provider's form, and the list of them as JSON."""

import unicodedata
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Boolean, Integer, Name, Phone, Schema, Text, Timestamp
from grocery.notify.inbound.models import INBOUND_STATUSES
from grocery.notify.receipts.forms import FormSchema, SenderPhone
from grocery.paging import PageArgsSchema

# More than any phone lets people write in one go; what is longer is cut, not refused.
_TEXT_LENGTH = 2000

INBOUND_FORM_EXAMPLE = {
    "from": "+254712345678",
    "to": "22384",
    "text": "STATUS G-7K3M9Q",
    "date": "2026-11-22 09:20:31",
    "id": "d5f2c1a0-3b7e-4b57-9d7e-0c4e9f4b8a11",
    "linkId": "SampleLinkId123",
}

INBOUND_SMS_EXAMPLE = {
    "id": 9,
    "phone": "+254712345678",
    "short_code": "22384",
    "text": "STATUS G-7K3M9Q",
    "status": "answered",
    "command": "status",
    "error": None,
    "customer_id": 4,
    "received_at": "2026-11-22T09:20:31Z",
}


class Sender(SenderPhone):
    """Who sent it, in E.164; None when it is no phone number, but a name such as SAFARICOM."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError:
            return None


class Written(fields.String):
    """What somebody wrote, with a space for each character that cannot be kept, and without those that have no width:
    phones put them into words that are copied."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        seen = (char for char in text if unicodedata.category(char) != "Cf")
        return "".join(char if char.isprintable() or char == "\n" else " " for char in seen)[:_TEXT_LENGTH].strip()


class InboundSmsFormSchema(FormSchema):
    """Source: http://docs.africastalking.com/sms/notifications, Incoming Messages."""

    phone = Sender(required=True, data_key="from")
    short_code = Name(load_default=None, data_key="to", metadata={"description": "The shop's short code."})
    body = Written(required=True, data_key="text")
    date = Name(load_default=None, metadata={"description": "When it was sent."})
    id = Name(load_default=None, metadata={"description": "The provider's id of the SMS; it comes once."})
    link_id = Name(load_default=None, data_key="linkId")

    @validates_schema
    def _check_identity(self, form: dict[str, Any], **_: Any) -> None:
        if not (form.get("id") or form.get("date")):
            raise ValidationError("An id or a date must tell it from others.", "id")


class InboundSmsArgsSchema(PageArgsSchema):
    """Filters of the list."""

    phone = Phone(load_default=None)
    status = Text(load_default=None, validate=validate.OneOf(INBOUND_STATUSES))
    is_understood = Boolean(
        load_default=None, metadata={"description": "`false`: those in which no command was found; people read them."}
    )


class InboundSmsSchema(Schema):
    """What somebody wrote to the shop."""

    id = Integer(required=True)
    phone = Text(required=True, metadata={"description": "Who wrote, in E.164."})
    short_code = Text(required=True, allow_none=True, metadata={"description": "Where it was sent to."})
    text = Text(required=True, attribute="body")
    status = Text(
        required=True,
        validate=validate.OneOf(INBOUND_STATUSES),
        metadata={
            "description": "`received` waits for its answer, `ignored` gets none, `failed` was given up; see `error`."
        },
    )
    command = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What it was understood as: `status`, `cancelled`, `stopped` …; null for nothing."},
    )
    error = Text(required=True, allow_none=True, metadata={"description": "Why it was not answered."})
    customer_id = Integer(required=True, allow_none=True)
    received_at = Timestamp(required=True)
