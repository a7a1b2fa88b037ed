"""What is sent and answered about payments and the day's cash."""

from marshmallow import fields, validate

from grocery.fields import Id, Money, Schema, Text, Timestamp
from grocery.orders.payments.methods import METHODS
from grocery.products.schemas import OptionalText

KINDS = ("capture", "refund")
FORMATS = ("json", "csv")


class RecordPaymentSchema(Schema):
    """Money that was taken for an order, or given back."""

    kind = Text(
        load_default="capture",
        validate=[validate.OneOf(KINDS)],
        metadata={"description": "`capture`: it came in. `refund`: it went back to the customer."},
    )
    amount = Money(required=True, low=1, high=999_999_999_99, attribute="amount_cents")
    collector_id = Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "The member of staff in whose hands the money was. By default who sends this."},
    )
    note = OptionalText(max_length=500)


class PaymentSchema(Schema):
    """Money that came in for an order, or went back."""

    id = fields.Integer(required=True)
    order_id = fields.Integer(required=True)
    order_number = fields.String(required=True)
    method = fields.String(required=True, validate=validate.OneOf(METHODS))
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    amount = fields.String(required=True, metadata={"description": "Above zero, for a refund too."})
    collector_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: a command, or someone deleted since."}
    )
    actor_id = fields.Integer(required=True, allow_none=True, metadata={"description": "Who has noted it."})
    note = fields.String(required=True, allow_none=True)
    at = Timestamp(required=True)


class CashUpArgsSchema(Schema):
    day = fields.Date(
        load_default=None,
        metadata={"description": "A day in the shop's time zone, by default today.", "example": "2026-11-26"},
    )
    format = Text(
        load_default=None,
        validate=[validate.OneOf(FORMATS)],
        metadata={"description": "By default what the header `Accept` asks for, else `json`."},
    )


class CashUpSchema(Schema):
    """What a collector took and gave back on a day."""

    collector_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: commands, and people deleted since."}
    )
    collector = fields.String(required=True, allow_none=True, metadata={"description": "The name."})
    orders = fields.Integer(required=True, metadata={"description": "How many orders it was for."})
    collected = fields.String(required=True)
    refunded = fields.String(required=True)
    net = fields.String(
        required=True, metadata={"description": "What the collector has to bring: `collected` less `refunded`."}
    )
    expected = fields.String(
        required=True,
        metadata={
            "description": "What was still due, before the collector's first payment of the day, on those orders that "
            "this collector took cash for and that are delivered."
        },
    )
    difference = fields.String(
        required=True,
        metadata={
            "description": "The net of the orders in `expected`, less `expected`. Below zero: not all that was due was "
            "collected, or some was given back."
        },
    )
    currency = fields.String(required=True)
