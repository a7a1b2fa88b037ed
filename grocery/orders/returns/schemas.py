"""What comes in for returns, and the documentation of what goes out."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import fields, validate

from grocery.fields import Boolean, Id, Money, OneOf, Quantity, Schema, Text, Timestamp
from grocery.orders.returns.models import REASONS
from grocery.orders.schemas import MAX_LINES


class ReturnItemSchema(Schema):
    line_id = Id(required=True)
    quantity = Quantity(required=True)
    is_restocked = Boolean(
        load_default=False, metadata={"description": "Whether it can be sold again; else it is written off."}
    )


class TakeBackSchema(Schema):
    items = fields.List(
        fields.Nested(ReturnItemSchema), required=True, validate=[validate.Length(min=1, max=MAX_LINES)]
    )
    reason = OneOf(REASONS, required=True)
    note = Text(load_default=None, allow_none=True, validate=[validate.Length(max=500)])
    is_paid_back = Boolean(
        load_default=False, metadata={"description": "The refund was paid in cash by who sends this."}
    )


class ReturnedItemSchema(MarshmallowSchema):
    line_id = Id()
    name = Text()
    quantity = Quantity()
    is_restocked = fields.Boolean()
    amount = Money()


class ReturnSchema(MarshmallowSchema):
    """A return. Built by hand in `grocery.orders.returns.service`; this documents it."""

    id = Id()
    order_id = Id()
    number = Text(metadata={"description": "Of the credit note."})
    reason = Text(validate=[validate.OneOf(REASONS)])
    note = Text(allow_none=True)
    refund = Money(metadata={"description": "What was paid for the goods, less their share of the discounts."})
    vat = Money(metadata={"description": "The VAT inside `refund`."})
    items = fields.List(fields.Nested(ReturnedItemSchema))
    created_at = Timestamp()


RETURN_EXAMPLE = {
    "id": 1,
    "order_id": 1,
    "number": "G-7K3M9Q-R1",
    "reason": "spoiled",
    "note": None,
    "refund": "170.10",
    "vat": "0.00",
    "items": [{"line_id": 1, "name": "Maize Flour 2 kg", "quantity": 1, "is_restocked": False, "amount": "170.10"}],
    "created_at": "2026-11-02T08:15:00Z",
}
