"""Bodies, query arguments and answers of categories and products."""

import re
from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import phonenumbers
from flask import current_app
from marshmallow import ValidationError, fields, missing, validate, validates_schema

from grocery.fields import Boolean, Id, Integer, Money, Name, Quantity, Schema, Text, Timestamp
from grocery.paging import PageArgsSchema
from grocery.products.images.addresses import WIDTHS, stored_address
from grocery.products.models import UNITS, VAT_CLASSES
from grocery.products.stock import MAX_STOCK

SORTS = ("name", "price", "-price", "newest", "relevance")

MAX_STEP = Decimal(1000)

_IMAGE_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*|/(?!/)\S*")


class OptionalText(Text):
    """A text that may be missing; an empty one is the same as none."""

    def __init__(self, *, max_length: int, **kwargs: Any):
        kwargs.setdefault("validate", []).append(validate.Length(max=max_length))
        super().__init__(allow_none=True, load_default=None, **kwargs)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super().deserialize(value, *args, **kwargs)
        return None if text == "" else text


class OptionalName(OptionalText):
    """A short text on one line that may be missing."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        return " ".join(super()._deserialize(value, attr, data, **kwargs).split())


class Barcode(OptionalText):
    def __init__(self, **kwargs: Any):
        super().__init__(max_length=14, metadata={"description": "8 to 14 digits (EAN, UPC, GTIN)."}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text and not re.fullmatch(r"[0-9]{8,14}", text):
            raise ValidationError("Must be 8 to 14 digits.")
        return text


class Country(OptionalText):
    def __init__(self, **kwargs: Any):
        super().__init__(max_length=2, metadata={"description": "ISO 3166 alpha-2, such as KE."}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).upper()
        if text and text not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError("Must be a country code of two letters, such as KE.")
        return text


class ImageAddress(OptionalText):
    def __init__(self, **kwargs: Any):
        metadata = {"description": "An http(s) address, or a path of this shop. `POST …/image` sets it by an upload."}
        super().__init__(max_length=2000, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text and not _IMAGE_ADDRESS.fullmatch(text):
            raise ValidationError("Must be an http(s) address or a path that begins with /.")
        return stored_address(text, current_app.config["MEDIA_URL"])


class ReplaceProductSchema(Schema):
    """All writable fields of a product, for `PUT`: what is missing gets its default."""

    sku = OptionalName(max_length=64)
    barcode = Barcode()
    name = Name(required=True)
    description = OptionalText(max_length=5000)
    brand = OptionalName(max_length=100)
    category_id = Id(required=True)
    price = Money(required=True, attribute="price_cents", metadata={"description": "VAT included, for 1 piece or kg."})
    compare_at_price = Money(
        attribute="compare_at_price_cents",
        allow_none=True,
        load_default=None,
        metadata={"description": "The price before the offer; above `price`."},
    )
    unit = Text(load_default="each", validate=[validate.OneOf(UNITS)])
    quantity_step = Quantity(
        high=MAX_STEP, metadata={"description": "Sold in multiples of this; by default 1 piece or 0.1 kg."}
    )
    net_content = OptionalName(max_length=50, metadata={"description": "`500 g`, `6 x 330 ml`, `30 pcs`."})
    vat_class = Text(load_default="standard", validate=[validate.OneOf(VAT_CLASSES)])
    low_stock_threshold = Quantity(
        low=Decimal(0),
        high=MAX_STOCK,
        allow_none=True,
        load_default=None,
        metadata={"description": "From this stock downwards it is listed as low; null: not watched."},
    )
    is_active = Boolean(load_default=True, metadata={"description": "false: withdrawn from sale."})
    image_url = ImageAddress()
    ingredients = OptionalText(max_length=5000)
    allergens = fields.List(Name(max_length=50), load_default=list, validate=validate.Length(max=30))
    country_of_origin = Country()
    is_age_restricted = Boolean(load_default=False)

    @validates_schema
    def check_together(self, data: dict[str, Any], **_: Any) -> None:
        check_prices(data.get("price_cents"), data.get("compare_at_price_cents"))
        check_step(data.get("unit"), data.get("quantity_step"))


class NewProductSchema(ReplaceProductSchema):
    """A product to be made, with its opening stock."""

    stock = Quantity(low=Decimal(0), high=MAX_STOCK, load_default=Decimal(0))

    @validates_schema
    def check_stock(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("unit") == "each" and data.get("stock", Decimal(0)) % 1:
            raise ValidationError("Must be a whole number: the product is sold by piece.", "stock")


def check_prices(price_cents: int | None, compare_at_price_cents: int | None) -> None:
    """Raise ValidationError unless the price before the offer is above the price."""
    if price_cents is not None and compare_at_price_cents is not None and compare_at_price_cents <= price_cents:
        raise ValidationError("Must be above the price.", "compare_at_price")


def check_step(unit: str | None, quantity_step: Decimal | None) -> None:
    """Raise ValidationError for a part of a piece."""
    if unit == "each" and quantity_step is not None and quantity_step % 1:
        raise ValidationError("Must be a whole number for what is sold by piece.", "quantity_step")


def optional_fields(schema: type[Schema]) -> dict[str, fields.Field]:
    """The fields of a schema for when some are sent only: none is required, none has a default."""
    copies = deepcopy(schema._declared_fields)
    for field in copies.values():
        field.required, field.load_default = False, missing
    return copies


# The fields of a product to change; the others stay. The rules between fields are checked by the service, which knows
# the other fields.
PatchProductSchema = Schema.from_dict(optional_fields(ReplaceProductSchema), name="PatchProductSchema")


class UnitPriceSchema(Schema):
    amount = fields.String(metadata={"example": "298.00"})
    per = fields.String(validate=validate.OneOf(["kg", "l", "pcs"]))


#: The picture by width in pixels, each with its own address.
ImagesSchema = Schema.from_dict({str(width): fields.String(required=True) for width in WIDTHS}, name="ImagesSchema")


class ListedProductSchema(Schema):
    """A product in a list."""

    id = fields.Integer(required=True)
    sku = fields.String(allow_none=True)
    barcode = fields.String(allow_none=True)
    name = fields.String(required=True)
    description = fields.String(allow_none=True)
    brand = fields.String(allow_none=True)
    category_id = fields.Integer(required=True)
    category = fields.String(required=True, metadata={"description": "The path of names: `Drinks/Juice`."})
    price = fields.String(required=True)
    compare_at_price = fields.String(allow_none=True)
    currency = fields.String(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))
    quantity_step = Quantity(required=True)
    net_content = fields.String(allow_none=True)
    price_per_unit = fields.Nested(UnitPriceSchema, allow_none=True)
    vat_class = fields.String(required=True, validate=validate.OneOf(VAT_CLASSES))
    vat_rate = fields.String(required=True, metadata={"description": "Percent; included in the price."})
    in_stock = fields.Boolean(required=True, metadata={"description": "Whether one `quantity_step` can be bought."})
    left = Quantity(allow_none=True, metadata={"description": "A number only when 5 or fewer are left."})
    is_active = fields.Boolean(required=True)
    image_url = fields.String(
        allow_none=True,
        metadata={"description": "640 pixels wide when it was uploaded here; may be a path of this shop."},
    )
    images = fields.Nested(
        ImagesSchema, allow_none=True, metadata={"description": "null without a picture that was uploaded here."}
    )
    ingredients = fields.String(allow_none=True)
    allergens = fields.List(fields.String(), required=True)
    country_of_origin = fields.String(allow_none=True)
    is_age_restricted = fields.Boolean(required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = fields.Integer(required=True)


class BreadcrumbSchema(Schema):
    """A category on the way to something."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)


class ProductSchema(ListedProductSchema):
    """A product, with its stock."""

    stock = Quantity(required=True)
    breadcrumbs = fields.List(
        fields.Nested(BreadcrumbSchema), required=True, metadata={"description": "From the top to its category."}
    )
    low_stock_threshold = Quantity(allow_none=True, metadata={"description": "Shown to staff only."})


class FilterArgsSchema(Schema):
    """The query arguments that choose products."""

    q = OptionalText(max_length=200, metadata={"description": "Words or their beginnings, in name, brand or text."})
    category = Id(load_default=None, metadata={"description": "The id of a category; those below it count too."})
    brand = OptionalName(max_length=100, metadata={"description": "In any letter case."})
    min_price = Money(load_default=None)
    max_price = Money(load_default=None)
    in_stock = Boolean(load_default=None)
    on_offer = Boolean(load_default=None, metadata={"description": "Whether there is a `compare_at_price`."})


class ListArgsSchema(FilterArgsSchema, PageArgsSchema):
    is_active = Boolean(load_default=True, metadata={"description": "false: those withdrawn from sale; for staff."})
    sort = Text(
        load_default=None,
        validate=[validate.OneOf(SORTS)],
        metadata={"description": "By default `relevance` with `q`, else `name`."},
    )

    @validates_schema
    def check_sort(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("sort") == "relevance" and not data.get("q"):
            raise ValidationError("relevance needs q.", "sort")


class WriteCategorySchema(Schema):
    name = Name(required=True, max_length=100, validate=[validate.ContainsNoneOf("/", error="Must not have a /.")])
    parent_id = Id(allow_none=True, load_default=None, metadata={"description": "Without: at the top."})
    position = Integer(low=0, high=10**6, load_default=0, metadata={"description": "Order among its siblings."})


class CategorySchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    parent_id = fields.Integer(required=True, allow_none=True)
    path = fields.String(required=True)
    position = fields.Integer(required=True)


class CategoryTreeSchema(CategorySchema):
    """A category with those below it."""

    children = fields.List(fields.Nested(lambda: CategoryTreeSchema()), required=True)


class CategoryPageSchema(CategorySchema):
    """A category with the way to it, those right below it and the number of its products."""

    breadcrumbs = fields.List(fields.Nested(BreadcrumbSchema), required=True)
    children = fields.List(fields.Nested(CategorySchema), required=True)
    product_count = fields.Integer(required=True)
