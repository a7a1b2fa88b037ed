"""Answers of facets and suggestions."""

from marshmallow import fields, validate

from grocery.fields import Integer, Schema, Text

#: Kinds of suggestions.
KINDS = ("product", "category", "brand", "word")


class CategoryFacetSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    path = fields.String(required=True)
    parent_id = fields.Integer(required=True, allow_none=True)
    count = fields.Integer(required=True, metadata={"description": "With those in the categories below it."})


class BrandFacetSchema(Schema):
    brand = fields.String(required=True)
    count = fields.Integer(required=True)


class PriceBandSchema(Schema):
    min = fields.String(required=True, metadata={"description": "For `min_price`."})
    max = fields.String(required=True, allow_none=True, metadata={"description": "For `max_price`; null: and more."})
    count = fields.Integer(required=True)


class TruthFacetSchema(Schema):
    value = fields.Boolean(required=True)
    count = fields.Integer(required=True)


class FacetsSchema(Schema):
    """Numbers of products by what filters can ask for."""

    currency = fields.String(required=True, metadata={"description": "Of the price bands."})
    categories = fields.List(
        fields.Nested(CategoryFacetSchema),
        required=True,
        metadata={"description": "Siblings by `position`, then by name."},
    )
    brands = fields.List(
        fields.Nested(BrandFacetSchema), required=True, metadata={"description": "The 50 with the most products."}
    )
    price_bands = fields.List(
        fields.Nested(PriceBandSchema), required=True, metadata={"description": "At most 8, without empty ones."}
    )
    on_offer = fields.List(fields.Nested(TruthFacetSchema), required=True)
    in_stock = fields.List(fields.Nested(TruthFacetSchema), required=True)


class SuggestArgsSchema(Schema):
    q = Text(
        required=True,
        validate=[validate.Length(min=1, max=100)],
        metadata={"description": "What was typed so far, one letter or more."},
    )
    limit = Integer(low=1, high=20, load_default=8, metadata={"description": "Suggestions, 1 to 20."})


class SuggestionSchema(Schema):
    """One suggestion. What is not of its kind is missing."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    text = fields.String(required=True, metadata={"description": "To show; for `q`, if it is a `word`."})
    id = fields.Integer(metadata={"description": "Of the product or category."})
    category = fields.String(metadata={"description": "The path of the product's category, or of the category."})
    price = fields.String()
    currency = fields.String()
    in_stock = fields.Boolean()
    image_url = fields.String(allow_none=True)
