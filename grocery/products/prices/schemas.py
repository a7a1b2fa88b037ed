"""What is sent and answered about prices over time."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Instant, Money, Schema, Text, Timestamp
from grocery.paging import PageArgsSchema
from grocery.products.prices.models import REASONS, STATUSES
from grocery.products.schemas import OptionalText, check_prices


class SchedulePriceSchema(Schema):
    """A price from a moment on; with `ends_at`, an offer until then."""

    price = Money(required=True, attribute="price_cents", metadata={"description": "VAT included, for 1 piece or kg."})
    compare_at_price = Money(
        attribute="compare_at_price_cents",
        allow_none=True,
        load_default=None,
        metadata={"description": "Above `price`. For an offer, by default the price before it."},
    )
    starts_at = Instant(allow_none=True, load_default=None, metadata={"description": "By default now."})
    ends_at = Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "Then the price before returns. Without: the price stays.", "example": None},
    )
    note = OptionalText(max_length=500)

    @validates_schema
    def check_together(self, data: dict[str, Any], **_: Any) -> None:
        check_prices(data.get("price_cents"), data.get("compare_at_price_cents"))
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if starts_at is not None and ends_at is not None and ends_at <= starts_at:
            raise ValidationError("Must be after the start.", "ends_at")


class PriceChangeSchema(Schema):
    """A change of a product's price that is to come, runs or is over."""

    id = fields.Integer(required=True)
    product_id = fields.Integer(required=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(STATUSES),
        metadata={
            "description": "`applied`: a change without an end took effect. `missed`: an offer that never ran, as its "
            "time passed while the shop stood still, or as the price had fallen to it."
        },
    )
    price = fields.String(required=True)
    compare_at_price = fields.String(required=True, allow_none=True)
    starts_at = Timestamp(required=True)
    ends_at = Timestamp(required=True, allow_none=True)
    started_at = Timestamp(required=True, allow_none=True, metadata={"description": "When it really took effect."})
    ended_at = Timestamp(required=True, allow_none=True)
    price_before = fields.String(
        required=True, allow_none=True, metadata={"description": "What returns after the offer; from its start on."}
    )
    compare_at_price_before = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    actor_id = fields.Integer(required=True, allow_none=True)
    created_at = Timestamp(required=True)


class PriceChangeArgsSchema(PageArgsSchema):
    status = Text(load_default=None, validate=[validate.OneOf(STATUSES)])


class PriceRecordSchema(Schema):
    """What a product cost from `changed_at` until the next record."""

    id = fields.Integer(required=True)
    price = fields.String(required=True)
    compare_at_price = fields.String(required=True, allow_none=True)
    changed_at = Timestamp(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(REASONS))
    actor_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: a command, or a schedule that came due."}
    )
    lowest_price_30_days = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The lowest price of the 30 days before this change: what an honest offer is compared with."
        },
    )
