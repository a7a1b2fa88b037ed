"""What comes in for orders, and the documentation of what goes out."""

from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Id, Instant, Integer, Money, Name, OneOf, Phone, Quantity, Schema, Text, Timestamp
from grocery.orders.payments.methods import METHODS as PAYMENT_METHODS
from grocery.orders.states import CANCELLED, DELIVERED, DELIVERY_FAILED, STATUSES
from grocery.paging import PageArgsSchema
from grocery.products.models import VAT_CLASSES

#: Lines of one order. The biggest baskets of restaurants stay below; ten thousand lines are an attack or a mistake.
MAX_LINES = 200

IF_UNAVAILABLE = ("remove", "substitute", "call")
METHODS = ("pickup", "delivery")


class OrderItemSchema(Schema):
    product_id = Id(required=True)
    quantity = Quantity(required=True, metadata={"description": "Pieces (whole) or kilograms (in `quantity_step`s)."})
    if_unavailable = OneOf(
        IF_UNAVAILABLE, load_default="remove", metadata={"description": "What to do when it is not on the shelf."}
    )


class DeliveryChoiceSchema(Schema):
    """How an order is to reach its customer, as far as it decides the price."""

    method = OneOf(METHODS, load_default="delivery")
    zone_id = Id(
        allow_none=True,
        metadata={"description": "Of `GET /delivery/zones`. Needed when the shop has several and no slot is named."},
    )
    slot_id = Id(allow_none=True, metadata={"description": "Of `GET /delivery/slots`."})
    address_id = Id(
        allow_none=True, metadata={"description": "A saved address; what is sent beside it goes before what it has."}
    )

    @validates_schema
    def check_pickup(self, data: dict[str, object], **_: object) -> None:
        for name in ("zone_id", "slot_id", "address_id"):
            if data.get("method") == "pickup" and data.get(name) is not None:
                raise ValidationError("Not for a pickup.", name)


class DeliveryArgsSchema(DeliveryChoiceSchema):
    address = Name(max_length=300)
    landmark = Name(max_length=300, metadata={"description": "Near what: “near Shell, blue gate”."})
    phone = Phone(metadata={"description": "Whom the rider calls; else the customer's own phone."})
    note = Text(validate=[validate.Length(max=500)])

    @validates_schema
    def check_place(self, data: dict[str, object], **_: object) -> None:
        places = ("address", "landmark", "address_id")
        if data.get("method") == "delivery" and not any(data.get(name) for name in places):
            raise ValidationError("Needed for a delivery: an address or a landmark.", "address")


class Coupon(Text):
    """A coupon's code, in any letter case."""

    def __init__(self) -> None:
        super().__init__(
            load_default=None,
            allow_none=True,
            validate=[validate.Length(min=1, max=40)],
            metadata={"description": "One for each order; in any letter case."},
        )

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        return super()._deserialize(value, attr, data, **kwargs).upper()  # type: ignore[arg-type]  # marshmallow's own


def _items_field() -> fields.List:
    return fields.List(
        fields.Nested(OrderItemSchema),
        load_default=None,
        validate=[validate.Length(min=1, max=MAX_LINES, error="An order has 1 to {max} items.")],
        metadata={"description": "Without it: what is in the cart."},
    )


class QuoteArgsSchema(Schema):
    items = _items_field()
    coupon = Coupon()
    delivery = fields.Nested(
        DeliveryChoiceSchema, load_default=None, allow_none=True, metadata={"description": "Without it: pickup."}
    )


class PlaceOrderSchema(Schema):
    items = _items_field()
    coupon = Coupon()
    delivery = fields.Nested(
        DeliveryArgsSchema, load_default=None, allow_none=True, metadata={"description": "Without it: pickup."}
    )
    payment_method = OneOf(tuple(PAYMENT_METHODS), load_default="cash_on_delivery")
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

    collected = Money(
        load_default=None,
        allow_none=True,
        metadata={"description": "Only with `delivered`: what was paid at the door. Without it: all that was due."},
    )
    collected_by = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "Only with `delivered`: the rider, a person of the staff. Without it: who says so."},
    )

    received_by = Name(
        max_length=100, load_default=None, allow_none=True, metadata={"description": "Only with `delivered`."}
    )
    reason = OneOf(
        (DELIVERY_FAILED,),
        load_default=None,
        allow_none=True,
        metadata={
            "description": "With `cancelled`, for an order that is `shipped` and came back. Its goods return to the "
            "stock as they are checked in."
        },
    )

    @validates_schema
    def check_fields(self, data: dict[str, object], **_: object) -> None:
        for name in ("collected", "collected_by", "received_by"):
            if data.get(name) is not None and data.get("status") != DELIVERED:
                raise ValidationError("Only for an order that is delivered.", name)
        if data.get("reason") is not None and data.get("status") != CANCELLED:
            raise ValidationError("Only for an order that is cancelled.", "reason")


class AddLineSchema(OrderItemSchema):
    pass


class SetQuantitySchema(Schema):
    quantity = Quantity(required=True, metadata={"description": "Pieces (whole) or kilograms."})


class CancelSchema(Schema):
    note = Text(load_default=None, allow_none=True, validate=[validate.Length(max=500)])


class OrderListArgsSchema(PageArgsSchema):
    status = OneOf(STATUSES, load_default=None)
    customer_id = Id(load_default=None, metadata={"description": "Staff only; customers see their own orders."})
    slot_id = Id(load_default=None, metadata={"description": "Those of a delivery slot."})
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
    discount = Money(metadata={"description": "This line's share of the order's discounts."})
    vat_rate = fields.String(metadata={"description": "Percent, e.g. `16.00`; inside the price."})
    if_unavailable = Text(validate=[validate.OneOf(IF_UNAVAILABLE)])
    picked_quantity = Quantity(allow_none=True)
    substitute_for = Id(allow_none=True, metadata={"description": "The line that this one stands in for."})
    short_reason = Text(allow_none=True, metadata={"description": "Why less was picked than ordered."})


class DiscountSchema(MarshmallowSchema):
    code = Text(allow_none=True)
    name = Text()
    amount = Money()


class VatAmountSchema(MarshmallowSchema):
    vat_class = Text(validate=[validate.OneOf(VAT_CLASSES)])
    rate = fields.String(metadata={"description": "Percent, e.g. `16.00`."})
    gross = Money(metadata={"description": "What is paid for goods and delivery of this class."})
    vat = Money(metadata={"description": "The VAT inside."})


class OrderDeliverySchema(MarshmallowSchema):
    method = Text(validate=[validate.OneOf(METHODS)])
    zone_id = Id(allow_none=True)
    slot_id = Id(allow_none=True)
    slot_starts_at = Timestamp(allow_none=True)
    slot_ends_at = Timestamp(allow_none=True)
    address = Text(allow_none=True)
    landmark = Text(allow_none=True)
    phone = Text(allow_none=True)
    note = Text(allow_none=True)
    received_by = Text(allow_none=True, metadata={"description": "Who took it at the door."})


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
    vat_classes = fields.List(fields.Nested(VatAmountSchema))
    total = Money(metadata={"description": "`subtotal` less `discounts` plus `delivery_fee`."})
    paid = Money(metadata={"description": "What was paid so far, less what was paid back."})
    currency = Text()
    coupon = Text(allow_none=True)
    delivery = fields.Nested(OrderDeliverySchema)
    payment_method = Text()
    note = Text(allow_none=True)
    placed_at = Timestamp()
    updated_at = Timestamp()
    version = Integer()
    allowed_statuses = fields.List(Text(), metadata={"description": "Where the reader may move it now."})


class QuoteLineSchema(MarshmallowSchema):
    product_id = Id()
    sku = Text(allow_none=True)
    name = Text()
    quantity = Quantity()
    unit = Text(validate=[validate.OneOf(("each", "kg"))])
    unit_price = Money()
    line_total = Money(metadata={"description": "`0.00` for what is withdrawn from sale."})
    discount = Money()
    vat_rate = fields.String()
    if_unavailable = Text(validate=[validate.OneOf(IF_UNAVAILABLE)])
    available = Quantity(metadata={"description": "What could be ordered now."})
    notices = fields.List(
        fields.Dict(),
        metadata={
            "description": "`price_changed` (with `from`, `to`), `withdrawn`, `out_of_stock`, "
            "`not_enough_stock` (with `available`), `quantity_not_sold` (with the `step` of now)."
        },
    )


class BreakdownSchema(MarshmallowSchema):
    """What cart and quote have in common. Built by hand in `grocery.orders.quoting`; this documents it."""

    items = fields.List(fields.Nested(QuoteLineSchema))
    subtotal = Money()
    discounts = fields.List(fields.Nested(DiscountSchema))
    delivery_fee = Money()
    vat = Money(metadata={"description": "The VAT inside `total`."})
    vat_classes = fields.List(fields.Nested(VatAmountSchema))
    total = Money(metadata={"description": "`subtotal` less `discounts` plus `delivery_fee`."})
    currency = Text()
    notices = fields.List(
        fields.Dict(),
        metadata={
            "description": "`below_minimum_basket` and `free_delivery_from` (with `missing`), "
            "`coupon_not_needed`: other offers save as much."
        },
    )
    is_orderable = fields.Boolean(metadata={"description": "Whether an order of this could be placed now."})


class QuoteDeliverySchema(MarshmallowSchema):
    method = Text(validate=[validate.OneOf(METHODS)])
    zone_id = Id(allow_none=True)
    slot_id = Id(allow_none=True)


class QuoteSchema(BreakdownSchema):
    coupon = Text(allow_none=True, metadata={"description": "The coupon, if it takes something off."})
    delivery = fields.Nested(QuoteDeliverySchema)


class HistoryEntrySchema(MarshmallowSchema):
    id = Id()
    event = Text(metadata={"description": "`placed`, `status`, `lines`, `checked_in` or `returned`."})
    from_status = Text(allow_none=True)
    status = Text()
    actor_id = Id(allow_none=True, metadata={"description": "For staff; null for the system."})
    actor_role = Text()
    note = Text(allow_none=True)
    changed = fields.Dict(allow_none=True)
    at = Timestamp()
