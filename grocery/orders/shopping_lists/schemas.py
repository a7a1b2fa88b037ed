"""What is sent and answered about shopping lists."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import fields, validate

from grocery.fields import Boolean, Id, Integer, Money, Name, Quantity, Schema, Text, Timestamp
from grocery.orders.cart.schemas import REORDER_EXAMPLE, CartSchema, MissingEntrySchema, ReducedEntrySchema

#: Letters of a name: it stands on a button, and in a choice on a phone.
MAX_NAME = 60


class RenameListSchema(Schema):
    name = Name(required=True, max_length=MAX_NAME, metadata={"description": "No other list of yours has it."})


class MakeListSchema(RenameListSchema):
    order_id = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "An order of yours: what it had and is still in the catalogue is on the list."},
    )


class PutListItemSchema(Schema):
    quantity = Quantity(required=True, metadata={"description": "Pieces (whole) or kilograms (in `quantity_step`s)."})


class ListSchema(MarshmallowSchema):
    """A list without what is on it. Built by hand in `grocery.orders.shopping_lists.service`; this documents it."""

    id = Id()
    name = Text()
    item_count = Integer(metadata={"description": "Different products."})
    created_at = Timestamp()
    updated_at = Timestamp()


class ListItemSchema(MarshmallowSchema):
    product_id = Id()
    name = Text()
    unit = Text(validate=[validate.OneOf(("each", "kg"))])
    quantity = Quantity()
    unit_price = Money(metadata={"description": "As it is now."})
    is_active = Boolean(metadata={"description": "Whether it is sold."})
    in_stock = Boolean()
    added_at = Timestamp()


class FullListSchema(ListSchema):
    items = fields.List(fields.Nested(ListItemSchema), metadata={"description": "As they were put on it."})


class ToCartSchema(MarshmallowSchema):
    """As the answer to a reorder; what a list puts in has no other price than now."""

    cart = fields.Nested(CartSchema)
    missing = fields.List(fields.Nested(MissingEntrySchema))
    reduced = fields.List(fields.Nested(ReducedEntrySchema))


LIST_EXAMPLE = {
    "id": 3,
    "name": "Every week",
    "item_count": 1,
    "created_at": "2026-11-26T08:00:00Z",
    "updated_at": "2026-11-26T08:05:00Z",
}

FULL_LIST_EXAMPLE = {
    **LIST_EXAMPLE,
    "items": [
        {
            "product_id": 12,
            "name": "Maize Flour 2 kg",
            "unit": "each",
            "quantity": 2,
            "unit_price": "189.00",
            "is_active": True,
            "in_stock": True,
            "added_at": "2026-11-26T08:05:00Z",
        }
    ],
}

TO_CART_EXAMPLE = {name: value for name, value in REORDER_EXAMPLE.items() if name != "repriced"}
