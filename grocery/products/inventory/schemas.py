"""Bodies, query arguments and answers of the stock, its lots and alerts."""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Boolean, Id, Instant, Integer, Name, Quantity, Schema, Text, Timestamp
from grocery.paging import PageArgsSchema
from grocery.products.models import MOVEMENT_REASONS, UNITS
from grocery.products.schemas import OptionalText
from grocery.products.stock import MAX_STOCK

#: Why staff change a stock by hand. Sales and cancellations note themselves.
CHANGE_REASONS = ("received", "returned", "damaged", "expired", "counted")

#: Ten years: nothing on a grocer's shelf lasts longer.
MAX_DAYS = 3650


class NewLotSchema(Schema):
    code = Name(required=True, max_length=64, metadata={"description": "What stands on the box or the delivery note."})
    expires_on = fields.Date(
        allow_none=True, load_default=None, metadata={"description": "The last day on which it may be sold."}
    )


class ChangeStockSchema(Schema):
    """What came or went (`delta`), or what was counted (`quantity`)."""

    delta = Quantity(low=-MAX_STOCK, high=MAX_STOCK, metadata={"description": "What comes; below zero: what goes."})
    quantity = Quantity(
        low=Decimal(0),
        high=MAX_STOCK,
        metadata={"description": "With the reason `counted`, instead of `delta`: what is there."},
    )
    reason = Text(required=True, validate=[validate.OneOf(CHANGE_REASONS)])
    note = OptionalText(max_length=500)
    lot = fields.Nested(NewLotSchema, metadata={"description": "With the reason `received`: the lot that came."})
    lot_id = Id(metadata={"description": "With `delta` below zero: the lot that it is taken from."})

    @validates_schema
    def check_together(self, data: dict[str, Any], **_: Any) -> None:
        if ("delta" in data) == ("quantity" in data):
            raise ValidationError("Send either delta or quantity.", "delta")
        if data.get("delta") == 0:
            raise ValidationError("Must not be 0.", "delta")
        if "quantity" in data and data["reason"] != "counted":
            raise ValidationError("A quantity is what was counted: the reason must be counted.", "reason")
        delta = data.get("delta", Decimal(0))
        if "lot" in data and not (data["reason"] == "received" and delta > 0):
            raise ValidationError("Only what is received makes a lot: with a delta above 0.", "lot")
        if "lot_id" in data and delta >= 0:
            raise ValidationError("Only for what goes: with a delta below 0.", "lot_id")


class StockSchema(Schema):
    """The stock of a product after a change."""

    product_id = fields.Integer()
    stock = Quantity()
    lot_id = fields.Integer(metadata={"description": "The lot that was made, if one was."})


class MovementArgsSchema(PageArgsSchema):
    reason = Text(load_default=None, validate=[validate.OneOf(MOVEMENT_REASONS)])
    starts_at = Instant(data_key="from", load_default=None, metadata={"description": "RFC 3339: from then on."})
    ends_at = Instant(data_key="to", load_default=None, metadata={"description": "RFC 3339: before then."})


class MovementSchema(Schema):
    """A row of the ledger. The sum of all of a product is its stock."""

    id = fields.Integer(required=True)
    delta = Quantity(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(MOVEMENT_REASONS))
    stock_after = Quantity(allow_none=True)
    order_id = fields.Integer(allow_none=True)
    lot_id = fields.Integer(allow_none=True)
    actor_id = fields.Integer(allow_none=True, metadata={"description": "null: the system, or someone deleted since."})
    note = fields.String(allow_none=True)
    created_at = Timestamp(required=True)


class LotArgsSchema(PageArgsSchema):
    include = Text(
        load_default=None,
        validate=[validate.OneOf(["empty"])],
        metadata={"description": "`empty`: those of which nothing is left, too."},
    )


class LotSchema(Schema):
    id = fields.Integer(required=True)
    product_id = fields.Integer(required=True)
    code = fields.String(required=True)
    expires_on = fields.Date(allow_none=True)
    received_quantity = Quantity(required=True)
    remaining = Quantity(required=True)
    received_at = Timestamp(required=True)
    actor_id = fields.Integer(allow_none=True)


class ExpiringArgsSchema(PageArgsSchema):
    days = Integer(low=0, high=MAX_DAYS, load_default=7, metadata={"description": "Within so many days from today."})


class ExpiringLotSchema(Schema):
    lot_id = fields.Integer(required=True)
    code = fields.String(required=True)
    expires_on = fields.Date(required=True)
    days_left = fields.Integer(required=True, metadata={"description": "Below zero: it has expired."})
    remaining = Quantity(required=True)
    product_id = fields.Integer(required=True)
    sku = fields.String(allow_none=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))


class LowArgsSchema(PageArgsSchema):
    include = Text(
        load_default=None,
        validate=[validate.OneOf(["out"])],
        metadata={"description": "`out`: products without a threshold that are out of stock, too."},
    )


class LowProductSchema(Schema):
    product_id = fields.Integer(required=True)
    sku = fields.String(allow_none=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))
    stock = Quantity(required=True)
    low_stock_threshold = Quantity(allow_none=True)


class AlertSchema(Schema):
    """A product that a customer waits for."""

    product_id = fields.Integer(required=True)
    name = fields.String(required=True)
    is_active = Boolean(required=True, metadata={"description": "false: withdrawn from sale for now."})
    in_stock = Boolean(required=True)
    created_at = Timestamp(required=True)
