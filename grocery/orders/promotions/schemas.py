"""What is sent and answered about promotions."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from grocery.fields import Boolean, Id, Instant, Integer, Money, Name, OneOf, Schema, Text, Timestamp
from grocery.orders.promotions.terms import (
    BASKET,
    BUY_X_GET_Y,
    CATEGORIES,
    FIXED,
    FREE_DELIVERY,
    PERCENT,
    PRODUCTS,
)
from grocery.paging import PageArgsSchema

KINDS = (PERCENT, FIXED, BUY_X_GET_Y, FREE_DELIVERY)
SCOPES = (BASKET, PRODUCTS, CATEGORIES)
STATES = ("scheduled", "active", "ended", "used_up", "off")

#: Products or categories of one promotion.
MAX_NAMED = 1000

MAX_PIECES = 1000
MAX_USES = 1_000_000

_MISSING = "Missing data for required field."

_CODE = re.compile(r"[A-Za-z0-9_-]{3,40}")


class Code(Text):
    """What customers type for a coupon, in any letter case; capital letters inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        code = super()._deserialize(value, attr, data, **kwargs)
        if not _CODE.fullmatch(code):
            raise ValidationError("Must be 3 to 40 letters from A to Z, digits, _ or -.")
        return code.upper()


class Ids(fields.List):
    """Ids, each once; null is the same as none."""

    def __init__(self, **kwargs: Any):
        super().__init__(Id(), allow_none=True, load_default=list, validate=[validate.Length(max=MAX_NAMED)], **kwargs)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return sorted(set(super().deserialize(value, *args, **kwargs) or ()))


def _check_year(moment: datetime) -> None:
    # The first and the last day that a computer knows do not exist in every time zone.
    if not 2000 <= moment.year < 2200:
        raise ValidationError("Must be within the years 2000 to 2199. Leave it out when there is none.")


class WritePromotionSchema(Schema):
    """All writable fields of a promotion: what is missing gets its default."""

    name = Name(required=True, metadata={"description": "Customers see it beside the amount."})
    code = Code(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "With one it is a coupon: 3 to 40 letters (in any case), digits, `_` or `-`. Without: "
            "automatic."
        },
    )
    kind = OneOf(KINDS, required=True)
    value = Money(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "`percent`: above 0, up to 100. `fixed`: an amount above 0. Else without meaning.",
            "example": "10.00",
        },
    )
    buy_quantity = Integer(
        low=1,
        high=MAX_PIECES,
        allow_none=True,
        load_default=None,
        metadata={"description": "For `buy_x_get_y`, as is `get_quantity`: buy 2, get 1."},
    )
    get_quantity = Integer(low=1, high=MAX_PIECES, allow_none=True, load_default=None)
    product_ids = Ids(metadata={"description": "It is for these products only."})
    category_ids = Ids(metadata={"description": "It is for what is in these categories, and below them, only."})
    scope = OneOf(
        SCOPES,
        allow_none=True,
        load_default=None,
        metadata={
            "description": "By default what is named: products, categories or neither (`basket`). To make one that was "
            "for products or categories one for the whole basket, `basket` must be sent."
        },
    )
    min_basket = Money(
        attribute="min_basket_cents",
        allow_none=True,
        load_default=None,
        metadata={"description": "Of the goods, before all discounts."},
    )
    usage_limit = Integer(
        low=1,
        high=MAX_USES,
        allow_none=True,
        load_default=None,
        metadata={"description": "In how many orders it may be. One that is cancelled gives its use back."},
    )
    usage_limit_per_customer = Integer(low=1, high=MAX_USES, allow_none=True, load_default=None)
    customer_id = Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "A coupon of this customer only; it needs a `code`.", "example": None},
    )
    starts_at = Instant(allow_none=True, load_default=None, validate=_check_year)
    ends_at = Instant(allow_none=True, load_default=None, validate=_check_year)
    is_active = Boolean(load_default=True, metadata={"description": "false: switched off."})

    @validates_schema
    def check_together(self, data: dict[str, Any], **_: Any) -> None:
        errors = {**_value_errors(data), **_quantity_errors(data), **_scope_errors(data)}
        if data["customer_id"] is not None and data["code"] is None:
            errors["code"] = ["A coupon of one customer needs a code."]
        if data["starts_at"] is not None and data["ends_at"] is not None and data["ends_at"] <= data["starts_at"]:
            errors["ends_at"] = ["Must be after the start."]
        if errors:
            raise ValidationError(errors)

    @post_load
    def make_decimal(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "value": Decimal(data["value"] or 0).scaleb(-2)}


class PromotionSchema(Schema):
    """A promotion as admins see it."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    value = fields.String(required=True, metadata={"description": "Percent, or an amount."})
    buy_quantity = fields.Integer(required=True, allow_none=True)
    get_quantity = fields.Integer(required=True, allow_none=True)
    scope = fields.String(
        required=True,
        validate=validate.OneOf(SCOPES),
        metadata={
            "description": "What it is for. It stays `products` (or `categories`) when all of them were deleted, and "
            "is for nothing then."
        },
    )
    product_ids = fields.List(fields.Integer(), required=True)
    category_ids = fields.List(fields.Integer(), required=True)
    min_basket = fields.String(required=True, allow_none=True)
    usage_limit = fields.Integer(required=True, allow_none=True)
    usage_limit_per_customer = fields.Integer(required=True, allow_none=True)
    customer_id = fields.Integer(required=True, allow_none=True)
    starts_at = Timestamp(required=True, allow_none=True)
    ends_at = Timestamp(required=True, allow_none=True)
    is_active = fields.Boolean(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "As of now. `off`: `is_active` is false. `used_up`: `used` has reached the limit."},
    )
    used = fields.Integer(
        required=True, metadata={"description": "How many orders hold it; those that were cancelled do not count."}
    )
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = fields.Integer(required=True)


class PromotionArgsSchema(PageArgsSchema):
    is_active = Boolean(load_default=None)
    code = Code(load_default=None, metadata={"description": "The whole code, in any letter case."})
    kind = OneOf(KINDS, load_default=None)


def _value_errors(data: Mapping[str, Any]) -> dict[str, list[str]]:
    kind, hundredths = data["kind"], data["value"]
    if kind not in (PERCENT, FIXED):
        return {}
    if hundredths is None:
        return {"value": [_MISSING]}
    if kind == PERCENT and not 0 < hundredths <= 100_00:
        return {"value": ["Must be above 0, and 100 at most."]}
    return {} if hundredths else {"value": ["Must be above 0."]}


def _quantity_errors(data: Mapping[str, Any]) -> dict[str, list[str]]:
    names = ("buy_quantity", "get_quantity")
    if data["kind"] == BUY_X_GET_Y:
        return {name: [_MISSING] for name in names if data[name] is None}
    return {name: [f"Is for {BUY_X_GET_Y} only."] for name in names if data[name] is not None}


def _scope_errors(data: Mapping[str, Any]) -> dict[str, list[str]]:
    named = [name for name in ("product_ids", "category_ids") if data[name]]
    if len(named) == 2:
        return {"category_ids": ["A promotion is for products or for categories, not for both."]}
    sent = data["scope"]
    if data["kind"] == FREE_DELIVERY:
        wrong = named if sent in (None, BASKET) else [*named, "scope"]
        return {name: ["Free delivery is for the whole basket."] for name in wrong}
    if named and sent is not None:
        fitting = PRODUCTS if named == ["product_ids"] else CATEGORIES
        return {} if sent == fitting else {"scope": [f"Must be {fitting} when {named[0]} are sent."]}
    return {}
