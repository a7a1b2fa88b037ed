"""What comes in for picking and runs, and the documentation of what goes out."""

from decimal import Decimal

from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Boolean, Id, Money, OneOf, Quantity, Schema, Text, Timestamp
from grocery.orders.fulfilment.picking import SHORT_REASONS
from grocery.orders.fulfilment.runs import MAX_STOPS
from grocery.orders.schemas import IF_UNAVAILABLE, MAX_LINES
from grocery.paging import PageArgsSchema


class PickSchema(Schema):
    picked_quantity = Quantity(
        required=True,
        low=Decimal(0),
        metadata={"description": "What is in the bag: pieces, or real kilograms; of the substitute, if there is one."},
    )
    substitute_product_id = Id(load_default=None, allow_none=True)
    reason = OneOf(
        SHORT_REASONS,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Why less than ordered: `not_found` sets the stock to 0, `damaged` writes the rest off; "
            "else it goes back to the stock."
        },
    )
    approved = Boolean(load_default=False, metadata={"description": "The customer has said yes."})


class PickListArgsSchema(Schema):
    slot_id = Id(load_default=None)
    order_id = fields.List(Id(), load_default=None, metadata={"description": "May be given several times."})


class PickItemSchema(MarshmallowSchema):
    id = Id()
    product_id = Id(allow_none=True)
    sku = Text(allow_none=True)
    name = Text()
    quantity = Quantity()
    unit = Text()
    category = Text()
    picked_quantity = Quantity(allow_none=True)
    if_unavailable = Text(validate=[validate.OneOf(IF_UNAVAILABLE)])
    substitute_for = Id(allow_none=True)
    short_reason = Text(allow_none=True)


class OrderPickListSchema(MarshmallowSchema):
    order_id = Id()
    number = Text()
    note = Text(allow_none=True)
    items = fields.List(fields.Nested(PickItemSchema))


class PickedLineSchema(MarshmallowSchema):
    order_id = Id()
    number = Text()
    line_id = Id()
    quantity = Quantity()
    picked_quantity = Quantity(allow_none=True)
    if_unavailable = Text()


class ProductPicksSchema(MarshmallowSchema):
    category = Text()
    product_id = Id(allow_none=True)
    sku = Text(allow_none=True)
    name = Text()
    unit = Text()
    quantity = Quantity(metadata={"description": "Of all lines together."})
    lines = fields.List(fields.Nested(PickedLineSchema))


class WriteRunSchema(Schema):
    rider_id = Id(required=True, metadata={"description": "A person of the staff."})
    order_ids = fields.List(
        Id(), load_default=list, validate=[validate.Length(max=MAX_STOPS, error="A run has {max} stops at most.")]
    )
    note = Text(load_default=None, allow_none=True, validate=[validate.Length(max=300)])

    @validates_schema
    def check_order_ids(self, data: dict[str, list[int]], **_: object) -> None:
        if len(set(data.get("order_ids", ()))) < len(data.get("order_ids", ())):
            raise ValidationError("Each order once.", "order_ids")


class RunArgsSchema(PageArgsSchema):
    rider_id = Id(load_default=None)


class StopSchema(MarshmallowSchema):
    order_id = Id()
    number = Text()
    status = Text()
    customer = Text()
    phone = Text(allow_none=True)
    address = Text(allow_none=True)
    landmark = Text(allow_none=True)
    note = Text(allow_none=True)
    slot_starts_at = Timestamp(allow_none=True)
    slot_ends_at = Timestamp(allow_none=True)
    items = fields.Integer(metadata={"description": "Lines that are in the bag."})
    to_collect = Money()
    currency = Text()


class RunSchema(MarshmallowSchema):
    id = Id()
    rider_id = Id(allow_none=True)
    rider = Text(allow_none=True)
    note = Text(allow_none=True)
    created_at = Timestamp()
    departed_at = Timestamp(allow_none=True)
    stops = fields.List(fields.Nested(StopSchema))
    to_collect = Money(metadata={"description": "Of all stops together."})


class CheckInItemSchema(Schema):
    line_id = Id(required=True)
    quantity = Quantity(required=True)
    is_sellable = Boolean(load_default=True, metadata={"description": "`false`: written off as damaged."})


class CheckInSchema(Schema):
    items = fields.List(
        fields.Nested(CheckInItemSchema), required=True, validate=[validate.Length(min=1, max=MAX_LINES)]
    )
