"""Bounces and complaints as JSON."""

from marshmallow import validate

from grocery.fields import Boolean, Integer, Name, OneOf, Schema

BOUNCE_TYPES = ("permanent", "transient", "complaint")

BOUNCE_EXAMPLE = {
    "recipient": "amina@example.com",
    "type": "permanent",
    "message_id": "<notification-71.1795338900.5d0c2f7b9a1e4638@mamafresh.example>",
    "reason": "550 5.1.1 No such user",
}
NOTED_EXAMPLE = {"notification_id": 71, "is_suppressed": True}


# Also says in OpenAPI what no text may hold: a pattern of its own is all that a field has there.
_PART = r"[^@\s\u0000-\u001f\u007f-\u009f]+"


class BounceSchema(Schema):
    """A mail that came back, or was called spam."""

    recipient = Name(
        max_length=254, required=True, validate=[validate.Regexp(f"^{_PART}@{_PART}$", error="Not an e-mail address.")]
    )
    type = OneOf(
        BOUNCE_TYPES,
        required=True,
        metadata={
            "description": "`permanent`: there is no such mailbox. `transient`: it may work another time. "
            "`complaint`: the person called the mail spam."
        },
    )
    message_id = Name(
        max_length=998,
        load_default=None,
        allow_none=True,
        metadata={"description": "The mail's header `Message-ID`, with or without its angle brackets."},
    )
    reason = Name(max_length=2000, load_default="no reason given")


class NotedSchema(Schema):
    """What came of it."""

    notification_id = Integer(
        required=True, allow_none=True, metadata={"description": "The message that it was about; null if not known."}
    )
    is_suppressed = Boolean(
        required=True, metadata={"description": "Whether the address gets nothing any more but what it needs."}
    )
