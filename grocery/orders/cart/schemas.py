"""What comes in for carts, and the documentation of what goes out."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import fields, validate

from grocery.fields import Id, OneOf, Quantity, Schema, Text
from grocery.orders.examples import QUOTE_EXAMPLE
from grocery.orders.schemas import IF_UNAVAILABLE, BreakdownSchema


class PutItemSchema(Schema):
    quantity = Quantity(required=True, metadata={"description": "Pieces (whole) or kilograms (in `quantity_step`s)."})
    if_unavailable = OneOf(
        IF_UNAVAILABLE, load_default="remove", metadata={"description": "What to do when it is not on the shelf."}
    )


class CartSchema(BreakdownSchema):
    """A cart. Built by hand in `grocery.orders.cart.service`; this documents it."""

    token = Text(allow_none=True, metadata={"description": "For visitors: what `X-Cart-Token` has to be."})


class _EntrySchema(MarshmallowSchema):
    product_id = Id(allow_none=True)
    name = Text()


class MissingEntrySchema(_EntrySchema):
    reason = Text(validate=[validate.OneOf(("withdrawn", "out_of_stock"))])


class ReducedEntrySchema(_EntrySchema):
    quantity = fields.Dict(metadata={"description": "`from` what was ordered `to` what is there."})


class RepricedEntrySchema(_EntrySchema):
    unit_price = fields.Dict(metadata={"description": "`from` what it cost `to` what it costs."})


class ReorderSchema(MarshmallowSchema):
    """The answer to a reorder. Built by hand in `grocery.orders.reordering`; this documents it."""

    cart = fields.Nested(CartSchema)
    missing = fields.List(fields.Nested(MissingEntrySchema))
    reduced = fields.List(fields.Nested(ReducedEntrySchema))
    repriced = fields.List(fields.Nested(RepricedEntrySchema))


CART_EXAMPLE = {
    "token": None,
    **{name: value for name, value in QUOTE_EXAMPLE.items() if name not in ("coupon", "delivery")},
    "discounts": [],
    "delivery_fee": "0.00",
    "vat": "0.00",
    "vat_classes": [{"vat_class": "zero", "rate": "0.00", "gross": "378.00", "vat": "0.00"}],
    "total": "378.00",
    "notices": [],
}

REORDER_EXAMPLE = {
    "cart": CART_EXAMPLE,
    "missing": [{"product_id": 31, "name": "Watermelon", "reason": "out_of_stock"}],
    "reduced": [{"product_id": 44, "name": "Eggs, tray of 30", "quantity": {"from": 3, "to": 1}}],
    "repriced": [{"product_id": 12, "name": "Maize Flour 2 kg", "unit_price": {"from": "179.00", "to": "189.00"}}],
}
