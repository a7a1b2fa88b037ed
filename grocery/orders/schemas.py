"""What comes in for orders, and the documentation of what goes out."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Id, Instant, Integer, Money, Name, Phone, Quantity, Schema, Text, Timestamp
from grocery.orders.states import STATUSES
from grocery.paging import PageArgsSchema

#: Lines of one order. The biggest baskets of restaurants stay below; ten thousand lines are an attack or a mistake.
MAX_LINES = 200

IF_UNAVAILABLE = ("remove", "substitute", "call")
PAYMENT_METHODS = ("cash_on_delivery",)


class OneOf(Text):
    """One of a few words, in any letter case."""

    def __init__(self, choices: tuple[str, ...], **kwargs: object):
        self._choices = choices
        super().__init__(validate=[validate.OneOf(choices)], **kwargs)  # type: ignore[arg-type]  # marshmallow's own

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()  # type: ignore[arg-type]


class OrderItemSchema(Schema):
    product_id = Id(required=True)
    quantity = Quantity(required=True, metadata={"description": "Pieces (whole) or kilograms (in `quantity_step`s)."})
    if_unavailable = OneOf(
        IF_UNAVAILABLE, load_default="remove", metadata={"description": "What to do when it is not on the shelf."}
    )


class DeliveryArgsSchema(Schema):
    method = OneOf(("pickup", "delivery"), load_default="delivery")
    address = Name(max_length=300)
    landmark = Name(max_length=300, metadata={"description": "Near what: “near Shell, blue gate”."})
    phone = Phone(metadata={"description": "Whom the rider calls; else the customer's own phone."})
    note = Text(validate=[validate.Length(max=500)])

    @validates_schema
    def check_place(self, data: dict[str, object], **_: object) -> None:
        if data.get("method") == "delivery" and not (data.get("address") or data.get("landmark")):
            raise ValidationError("Needed for a delivery: an address or a landmark.", "address")


class PlaceOrderSchema(Schema):
    items = fields.List(
        fields.Nested(OrderItemSchema),
        required=True,
        validate=[validate.Length(min=1, max=MAX_LINES, error="An order has 1 to {max} items.")],
    )
    delivery = fields.Nested(
        DeliveryArgsSchema, load_default=None, allow_none=True, metadata={"description": "Without it: pickup."}
    )
    payment_method = OneOf(PAYMENT_METHODS, load_default="cash_on_delivery")
    note = Text(load_default=None, allow_none=True, validate=[validate.Length(max=500)])
    expected_total = Money(
        load_default=None, metadata={"description": "The total shown to the customer; another one is a 409."}
    )


class ChangeStatusSchema(Schema):
    status = OneOf(STATUSES, required=True, metadata={"description": "In any letter case."})
    note = Text(
        load_default=None,
        allow_none=True,
        validate=[validate.Length(max=500)],
        metadata={"description": "Kept in the history and told to the customer."},
    )


class CancelSchema(Schema):
    note = Text(load_default=None, allow_none=True, validate=[validate.Length(max=500)])


class OrderListArgsSchema(PageArgsSchema):
    status = OneOf(STATUSES, load_default=None)
    customer_id = Id(load_default=None, metadata={"description": "Staff only; customers see their own orders."})
    placed_after = Instant(load_default=None)
    placed_before = Instant(load_default=None)
    q = Text(
        load_default=None,
        validate=[validate.Length(max=100)],
        metadata={"description": "An order number, the last digits of a phone, or a part of the customer's name."},
    )


class OrderLineSchema(MarshmallowSchema):
    id = Id()
    product_id = Id(allow_none=True, metadata={"description": "null once the product was deleted"})
    sku = Text(allow_none=True)
    name = Text()
    quantity = Quantity()
    unit = Text(validate=[validate.OneOf(("each", "kg"))])
    unit_price = Money()
    line_total = Money()
    vat_rate = fields.String(metadata={"description": "Percent, e.g. `16.00`; inside the price."})
    if_unavailable = Text(validate=[validate.OneOf(IF_UNAVAILABLE)])
    picked_quantity = Quantity(allow_none=True)
    substitute_for = Id(allow_none=True)


class DiscountSchema(MarshmallowSchema):
    code = Text(allow_none=True)
    name = Text()
    amount = Money()


class OrderDeliverySchema(MarshmallowSchema):
    method = Text(validate=[validate.OneOf(("pickup", "delivery"))])
    zone_id = Id(allow_none=True)
    slot_id = Id(allow_none=True)
    address = Text(allow_none=True)
    landmark = Text(allow_none=True)
    phone = Text(allow_none=True)
    note = Text(allow_none=True)


class OrderSchema(MarshmallowSchema):
    """An order. Built by hand in `grocery.orders.reading`; this documents it."""

    id = Id()
    number = Text(metadata={"description": "For people: short and unambiguous."})
    status = Text(validate=[validate.OneOf(STATUSES)])
    customer_id = Id()
    items = fields.List(fields.Nested(OrderLineSchema))
    subtotal = Money()
    discounts = fields.List(fields.Nested(DiscountSchema))
    delivery_fee = Money()
    vat = Money(metadata={"description": "The VAT inside `total`."})
    total = Money()
    currency = Text()
    coupon = Text(allow_none=True)
    delivery = fields.Nested(OrderDeliverySchema)
    payment_method = Text()
    note = Text(allow_none=True)
    placed_at = Timestamp()
    updated_at = Timestamp()
    version = Integer()
    allowed_statuses = fields.List(Text(), metadata={"description": "Where the reader may move it now."})


class HistoryEntrySchema(MarshmallowSchema):
    id = Id()
    event = Text(metadata={"description": "`placed`, `status` or `lines`."})
    from_status = Text(allow_none=True)
    status = Text()
    actor_id = Id(allow_none=True, metadata={"description": "For staff; null for the system."})
    actor_role = Text()
    note = Text(allow_none=True)
    changed = fields.Dict(allow_none=True)
    at = Timestamp()


ORDER_EXAMPLE = {
    "id": 1,
    "number": "G-7K3M9Q",
    "status": "pending",
    "customer_id": 5,
    "items": [
        {
            "id": 1,
            "product_id": 12,
            "sku": "FLR-MAIZE-2KG",
            "name": "Maize Flour 2 kg",
            "quantity": 2,
            "unit": "each",
            "unit_price": "189.00",
            "line_total": "378.00",
            "vat_rate": "0.00",
            "if_unavailable": "substitute",
            "picked_quantity": None,
            "substitute_for": None,
        }
    ],
    "subtotal": "378.00",
    "discounts": [],
    "delivery_fee": "0.00",
    "vat": "0.00",
    "total": "378.00",
    "currency": "KES",
    "coupon": None,
    "delivery": {
        "method": "delivery",
        "zone_id": None,
        "slot_id": None,
        "address": "Moi Avenue 12",
        "landmark": "near Shell, blue gate",
        "phone": "+254712345678",
        "note": None,
    },
    "payment_method": "cash_on_delivery",
    "note": None,
    "placed_at": "2026-11-01T08:15:00Z",
    "updated_at": "2026-11-01T08:15:00Z",
    "version": 1,
    "allowed_statuses": ["cancelled"],
}
