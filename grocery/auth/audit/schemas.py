"""What admins ask the audit log, and what it answers."""

from marshmallow import fields, validate

from grocery.fields import Id, Instant, Schema, Text, Timestamp
from grocery.paging import PageArgsSchema

#: Who may have done something, beside the roles of people.
ACTOR_ROLES = ("customer", "staff", "admin", "visitor", "command")

_ACTION = "The `operationId` of the request, the words of the command, or `signed_in`, `sign_in_failed`."


class AuditArgsSchema(PageArgsSchema):
    actor_id = Id(load_default=None, metadata={"description": "Who did it."})
    actor_role = Text(load_default=None, validate=validate.OneOf(ACTOR_ROLES))
    action = Text(load_default=None, validate=validate.Length(max=100), metadata={"description": _ACTION})
    subject_type = Text(load_default=None, validate=validate.Length(max=100))
    subject_id = Id(load_default=None)
    after = Instant(load_default=None, metadata={"description": "From this moment on."})
    before = Instant(load_default=None, metadata={"description": "Up to this moment, without it."})


class AuditEntrySchema(Schema):
    """One line of the audit log. It outlives whom it speaks of, and has nothing but ids of them."""

    id = Id(required=True)
    at = Timestamp(required=True)
    actor_id = Id(required=True, allow_none=True, metadata={"description": "Null for visitors and commands."})
    actor_role = Text(required=True, validate=validate.OneOf(ACTOR_ROLES))
    action = Text(required=True, metadata={"description": _ACTION})
    subject_type = Text(required=True, allow_none=True, metadata={"description": "`customer`, `product`, `order` …"})
    subject_id = Id(required=True, allow_none=True)
    details = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "Further ids, and the names of the fields that were sent; never what people wrote."},
    )
    request_id = Text(required=True, allow_none=True, metadata={"description": "The `X-Request-ID`."})
