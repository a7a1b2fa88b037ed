"""What can be asked of reports, and what their rows have. The first fields say what a row is about, by `by`."""

from marshmallow import fields, validate

from grocery.fields import Integer, OneOf, Schema, Text
from grocery.orders.payments.schemas import FORMATS
from grocery.orders.reports.fulfilment import FULFILMENT, PICKERS, SHORTAGES, TIMES
from grocery.orders.reports.reading import DEFAULT_LIMIT, Report
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.slots import SLOTS
from grocery.orders.reports.stock import MOVEMENTS, STOCK, WASTE

MAX_LIMIT = 1000

_SPAN_DAY = "With `by=day`: a day of the shop."


def _by(report: Report) -> fields.Field:
    return OneOf(report.ways, load_default=report.ways[0], metadata={"description": "What a row is about."})


def _amount(description: str | None = None) -> fields.Field:
    return fields.String(required=True, metadata={"description": description} if description else {})


def _count(description: str | None = None) -> fields.Field:
    return fields.Integer(required=True, metadata={"description": description} if description else {})


def _key(field: type[fields.Field], description: str) -> fields.Field:
    return field(allow_none=True, metadata={"description": description})


class FormatArgsSchema(Schema):
    format = Text(
        load_default=None,
        validate=[validate.OneOf(FORMATS)],
        metadata={"description": "By default what the header `Accept` asks for, else `json`."},
    )


class PeriodArgsSchema(FormatArgsSchema):
    """Both days are included. A period has 5 years at most."""

    first = fields.Date(
        data_key="from",
        load_default=None,
        metadata={"description": "First day, in the shop's time; by default 29 days before `until`."},
    )
    last = fields.Date(
        data_key="until", load_default=None, metadata={"description": "Last day, included; by default today."}
    )


class LimitedArgsSchema(PeriodArgsSchema):
    limit = Integer(
        low=1,
        high=MAX_LIMIT,
        load_default=DEFAULT_LIMIT,
        metadata={"description": f"Rows at most, 1 to {MAX_LIMIT}: those with the highest value."},
    )


class SalesArgsSchema(PeriodArgsSchema):
    by = _by(SALES)


class StockArgsSchema(FormatArgsSchema):
    by = _by(STOCK)


class MovementsArgsSchema(PeriodArgsSchema):
    by = _by(MOVEMENTS)


class WasteArgsSchema(LimitedArgsSchema):
    by = _by(WASTE)


class FulfilmentArgsSchema(PeriodArgsSchema):
    by = _by(FULFILMENT)


class ShortagesArgsSchema(LimitedArgsSchema):
    by = _by(SHORTAGES)


class SlotsArgsSchema(PeriodArgsSchema):
    by = _by(SLOTS)


class TimesArgsSchema(PeriodArgsSchema):
    by = _by(TIMES)


class PickersArgsSchema(PeriodArgsSchema):
    by = _by(PICKERS)


class SpanRowSchema(Schema):
    """The keys of rows by time."""

    day = fields.Date(metadata={"description": _SPAN_DAY})
    month = fields.String(metadata={"description": "With `by=month`.", "example": "2026-11"})
    weekday = fields.Integer(metadata={"description": "With `by=weekday`: 0 is Monday."})
    hour = fields.Integer(metadata={"description": "With `by=hour`: 0 to 23, in the shop's time."})
    first = fields.Date(data_key="from", metadata={"description": "With `by=total`, the only row: the first day."})
    until = fields.Date(metadata={"description": "With `by=total`: the last day."})


class ProductRowSchema(Schema):
    """The keys of rows by product or category."""

    product_id = _key(fields.Integer, "With `by=product`; null: a product deleted since.")
    sku = _key(fields.String, "With `by=product`.")
    name = _key(fields.String, "With `by=product`; that of today.")
    category = _key(fields.String, "With `by=category` and `by=product`: the path of names.")
    unit = fields.String(metadata={"description": "`each` or `kg`; what quantities are in."})


class SalesRowSchema(SpanRowSchema, ProductRowSchema):
    """What was sold: delivered orders by their delivery, returns by the day on which the goods came back."""

    orders = _count("Delivered ones; with `by=product` and `by=category` those that had some of it.")
    quantity = fields.Float(metadata={"description": "With `by=product`: pieces or kilograms, as they were picked."})
    gross = _amount("What customers paid: VAT and delivery included, discounts taken off. Of a product: its lines.")
    discounts = _amount("What was taken off.")
    delivery_fees = fields.String(
        metadata={"description": "Part of `gross`. Not with `by=product` and `by=category`: delivery has neither."}
    )
    vat = _amount("Part of `gross`.")
    net = _amount("`gross` less `vat`.")
    returns = _amount("What was given back in this time, whenever it was sold; VAT included. Not taken off `net`.")
    returns_vat = _amount("Part of `returns`.")
    revenue = _amount("`net` less the net of `returns`.")
    currency = fields.String(required=True)


class StockRowSchema(ProductRowSchema):
    """What is on the shelves now, and its value at today's prices."""

    products = fields.Integer(metadata={"description": "How many products. Not with `by=product`."})
    low = fields.Integer(metadata={"description": "For sale, at their threshold or below it, and not out."})
    out = fields.Integer(metadata={"description": "For sale, and nothing left that could be sold."})
    quantity = fields.Float(metadata={"description": "With `by=product`."})
    price = fields.String(metadata={"description": "With `by=product`."})
    level = fields.String(validate=validate.OneOf(("ok", "low", "out")), metadata={"description": "With `by=product`."})
    value = _amount("Quantity × price, VAT included: cost prices are not known.")
    currency = fields.String(required=True)


class MovementsRowSchema(ProductRowSchema):
    """How stock came and went."""

    reason = fields.String(required=True)
    movements = _count()
    quantity = fields.Float(required=True, metadata={"description": "Below zero: it went."})
    value = _amount("At today's prices.")
    currency = fields.String(required=True)


class WasteRowSchema(ProductRowSchema):
    """What was thrown away of a product, and what came back."""

    damaged = fields.Float(required=True)
    expired = fields.Float(required=True)
    returned = fields.Float(required=True, metadata={"description": "What customers brought back."})
    written_off = fields.Float(required=True, metadata={"description": "Of `returned`, what is not for sale again."})
    value = _amount("Of what was damaged or expired, at today's price.")
    refunded = _amount("For what was returned.")
    currency = fields.String(required=True)


class FulfilmentRowSchema(SpanRowSchema):
    """What became of the orders that were placed in this time. Of erased customers, none are counted."""

    placed = _count("`open` + `delivered` + `cancelled` + `failed`.")
    open = _count()
    delivered = _count()
    cancelled = _count()
    failed = _count("Deliveries that failed.")
    lines = _count("Lines that were picked; a substitute counts with the line which it is for.")
    short = _count("Of them, those with less than was ordered.")
    substituted = _count("Of `short`, those with a substitute.")
    weighed_over = _count("Weighed, and more than ordered.")
    weighed_under = _count("Weighed, and less than ordered, but not short.")


class ShortagesRowSchema(ProductRowSchema):
    """What was picked short of the orders placed in this time, the highest value first."""

    lines = _count("Lines that were short.")
    missing = fields.Float(metadata={"description": "With `by=product`: ordered less picked."})
    value = _amount("Of what was missing, at the price of the order.")
    currency = fields.String(required=True)
    not_found = _count()
    damaged = _count()
    unwanted = _count()
    other = _count("Without a reason.")
    substituted = _count("Lines for which something else was brought.")


class SlotsRowSchema(SpanRowSchema):
    """How full delivery slots are that begin in this time."""

    slot_id = fields.Integer(metadata={"description": "With `by=slot`."})
    zone_id = fields.Integer(metadata={"description": "With `by=slot` and `by=zone`."})
    zone = fields.String(metadata={"description": "With `by=slot` and `by=zone`."})
    starts = fields.String(metadata={"description": "With `by=slot`, in the shop's time, as `day` is."})
    ends = fields.String(metadata={"description": "With `by=slot`."})
    slots = fields.Integer(metadata={"description": "How many. Not with `by=slot`."})
    capacity = _count()
    booked = _count()
    used_percent = fields.Float(required=True, allow_none=True, metadata={"description": "null: no capacity."})


class TimesRowSchema(SpanRowSchema):
    """How long orders took to the door, by the moment of their delivery; those picked up are not counted."""

    zone_id = _key(fields.Integer, "With `by=zone`; null: none.")
    zone = _key(fields.String, "With `by=zone`.")
    deliveries = _count()
    median_hours = fields.Float(
        required=True, allow_none=True, metadata={"description": "From placing to the door; half took longer."}
    )
    p90_hours = fields.Float(required=True, allow_none=True, metadata={"description": "One in ten took longer."})


class PickersRowSchema(Schema):
    """What somebody picked."""

    picker_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: closed by packing, or someone deleted since."}
    )
    picker = fields.String(required=True, allow_none=True, metadata={"description": "The name."})
    hour = fields.Integer(metadata={"description": "With `by=hour`: of the day, in the shop's time."})
    lines = _count()
    orders = _count()
    hours = _count("Clock hours in which something was picked.")
    lines_per_hour = fields.Float(required=True)
