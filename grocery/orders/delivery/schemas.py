"""What is sent and answered about zones, slots, templates and addresses."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from grocery.fields import Boolean, Id, Instant, Integer, Money, Name, Phone, Schema, Text, Timestamp
from grocery.orders.delivery.weekly import WEEKDAYS
from grocery.paging import PageArgsSchema
from grocery.products.schemas import OptionalName, OptionalText

#: Orders in one window. More is a typing error.
MAX_CAPACITY = 10_000
MAX_WINDOW = timedelta(hours=24)
#: A week before the start.
MAX_CUTOFF_MINUTES = 10_080

# Whoever means another time has mistyped it; further out, clocks of other zones leave the calendar.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class Weekday(Text):
    """A day of the week by its English name, in any letter case; 0 for Monday inside."""

    def __init__(self, **kwargs: Any):
        super().__init__(metadata={"enum": list(WEEKDAYS)}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        word = super()._deserialize(value, attr, data, **kwargs).lower()
        if word not in WEEKDAYS:
            raise ValidationError(f"Must be one of: {', '.join(WEEKDAYS)}.")
        return WEEKDAYS.index(word)


class Clock(Text):
    """A time of day by the shop's clock: "09:30"."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        match = _CLOCK.fullmatch(super()._deserialize(value, attr, data, **kwargs))
        if match is None:
            raise ValidationError('Must be a time of day from "00:00" to "23:59".')
        return time(int(match[1]), int(match[2]))


class WriteZoneSchema(Schema):
    """All writable fields of a zone: what is missing gets its default."""

    name = Name(required=True, max_length=100)
    fee = Money(required=True, attribute="fee_cents")
    min_basket = Money(
        attribute="min_basket_cents",
        allow_none=True,
        load_default=None,
        metadata={"description": "Orders of less are not delivered there."},
    )
    free_from = Money(
        attribute="free_from_cents",
        allow_none=True,
        load_default=None,
        metadata={"description": "From that much on, delivery costs nothing."},
    )
    is_slot_required = Boolean(load_default=False, metadata={"description": "Whether an order must choose a slot."})


class ZoneSchema(Schema):
    """An area in which the shop delivers."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    fee = fields.String(required=True)
    min_basket = fields.String(required=True, allow_none=True)
    free_from = fields.String(required=True, allow_none=True)
    is_slot_required = Boolean(required=True)


class WriteSlotSchema(Schema):
    """All writable fields of a slot: what is missing gets its default."""

    zone_id = Id(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True, metadata={"example": "2026-12-01T02:00:00Z"})
    capacity = Integer(
        required=True, low=0, high=MAX_CAPACITY, metadata={"description": "How many orders it has room for."}
    )
    cutoff_at = Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "Until then it can be booked; by default its start."},
    )
    fee = Money(load_default=0, attribute="fee_cents", metadata={"description": "Added to the zone's."})

    @validates_schema
    def check_times(self, data: dict[str, Any], **_: Any) -> None:
        starts_at, ends_at = data["starts_at"], data["ends_at"]
        errors = {}
        if not _EARLIEST <= starts_at <= _LATEST:
            errors["starts_at"] = ["Must be between the years 2000 and 2100."]
        if not timedelta(0) < ends_at - starts_at <= MAX_WINDOW:
            errors["ends_at"] = ["Must be after the start, and at most 24 hours."]
        if data["cutoff_at"] is not None and not _EARLIEST <= data["cutoff_at"] <= ends_at:
            errors["cutoff_at"] = ["Must not be after the end."]
        if errors:
            raise ValidationError(errors)


class SlotSchema(Schema):
    """A window in which orders are delivered."""

    id = fields.Integer(required=True)
    zone_id = fields.Integer(required=True)
    starts_at = Timestamp(required=True)
    ends_at = Timestamp(required=True)
    capacity = fields.Integer(required=True)
    remaining = fields.Integer(required=True, metadata={"description": "How many orders it still has room for."})
    cutoff_at = Timestamp(required=True)
    is_open = Boolean(required=True, metadata={"description": "Whether it can be booked now."})
    fee = fields.String(required=True)


class SlotArgsSchema(PageArgsSchema):
    zone_id = Id(data_key="zone", load_default=None, metadata={"description": "Only of the zone with this id."})
    starts_from = Instant(
        data_key="from",
        load_default=None,
        metadata={"description": "Those that start from then on. By default, those that are not over yet."},
    )
    starts_until = Instant(
        data_key="until", load_default=None, metadata={"description": "Those that start before then."}
    )


class WriteTemplateSchema(Schema):
    """All writable fields of a template: what is missing gets its default."""

    zone_id = Id(required=True)
    weekday = Weekday(required=True)
    starts = Clock(required=True, metadata={"description": "By the shop's clock.", "example": "10:00"})
    ends = Clock(required=True, metadata={"example": "12:00"})
    capacity = Integer(required=True, low=0, high=MAX_CAPACITY)
    cutoff_minutes = Integer(
        low=0,
        high=MAX_CUTOFF_MINUTES,
        load_default=60,
        metadata={"description": "So many minutes before the start, its slots can no longer be booked."},
    )
    fee = Money(load_default=0, attribute="fee_cents")

    @validates_schema
    def check_times(self, data: dict[str, Any], **_: Any) -> None:
        if data["ends"] <= data["starts"]:
            raise ValidationError("Must be after the start, on the same day.", "ends")


class TemplateSchema(Schema):
    """A window of every week."""

    id = fields.Integer(required=True)
    zone_id = fields.Integer(required=True)
    weekday = fields.String(required=True, validate=validate.OneOf(WEEKDAYS))
    starts = fields.String(required=True)
    ends = fields.String(required=True)
    capacity = fields.Integer(required=True)
    cutoff_minutes = fields.Integer(required=True)
    fee = fields.String(required=True)
    made_until = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The last day whose slot was made; changes count for the days after it."},
    )


class WriteAddressSchema(Schema):
    """All writable fields of an address: what is missing gets its default."""

    label = OptionalName(max_length=60, metadata={"description": "The customer's own name for it: “Home”."})
    zone_id = Id(allow_none=True, load_default=None, metadata={"description": "The delivery zone it lies in."})
    address = OptionalName(max_length=300)
    landmark = OptionalName(max_length=300, metadata={"description": "Near what: “near Shell, blue gate”."})
    phone = Phone(allow_none=True, load_default=None, metadata={"description": "Whom the rider calls there."})
    note = OptionalText(max_length=500)
    is_default = Boolean(load_default=False, metadata={"description": "One may be; it takes the place of the other."})

    @validates_schema
    def check_place(self, data: dict[str, Any], **_: Any) -> None:
        if not (data["address"] or data["landmark"]):
            raise ValidationError("Needed: an address or a landmark.", "address")


class AddressSchema(Schema):
    """A place that a customer has saved."""

    id = fields.Integer(required=True)
    label = fields.String(required=True, allow_none=True)
    zone_id = fields.Integer(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    landmark = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    is_default = Boolean(required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
