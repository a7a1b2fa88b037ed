"""What is sent and answered about following an order."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import fields, validate

from grocery.fields import Id, Integer, Quantity, Schema, Text, Timestamp
from grocery.orders.states import CANCELLED, STATUSES


class StreamArgsSchema(Schema):
    last_event_id = Integer(
        low=0,
        load_default=None,
        metadata={"description": "The `id` of the last event that was seen; as the header `Last-Event-ID`."},
    )


class StepSchema(MarshmallowSchema):
    status = Text(validate=[validate.OneOf(STATUSES)])
    at = Timestamp(allow_none=True, metadata={"description": "null: not yet."})


class TrackedLineSchema(MarshmallowSchema):
    name = Text()
    quantity = Quantity(metadata={"description": "What was picked, as soon as it is."})
    unit = Text(validate=[validate.OneOf(("each", "kg"))])


class TrackedOrderSchema(MarshmallowSchema):
    """An order as anyone may see it who has its link. Built by hand; this documents it."""

    number = Text()
    status = Text(validate=[validate.OneOf(STATUSES)])
    delivery_method = Text(validate=[validate.OneOf(("pickup", "delivery"))])
    slot_starts_at = Timestamp(allow_none=True)
    slot_ends_at = Timestamp(allow_none=True)
    rider_phone = Text(allow_none=True, metadata={"description": "While it is on its way with a rider."})
    steps = fields.List(
        fields.Nested(StepSchema), metadata={"description": f"The five of every order; then `{CANCELLED}`, if it is."}
    )
    items = fields.List(fields.Nested(TrackedLineSchema))
    last_event_id = Id(metadata={"description": "Stream from here on, and nothing is missed."})
