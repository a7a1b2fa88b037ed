"""The routes of /products that help to find something."""

from typing import Any

from flask import Response, jsonify

from grocery.answers import kept
from grocery.api import Blueprint, public
from grocery.products.browsing import examples
from grocery.products.browsing.facets import count_facets as read_facets
from grocery.products.browsing.schemas import FacetsSchema, SuggestArgsSchema, SuggestionSchema
from grocery.products.browsing.suggestions import suggest
from grocery.products.schemas import FilterArgsSchema
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.web import add_etag

blp = Blueprint("browsing", __name__, url_prefix="/products", description="Finding one's way in the catalogue.")

_UNCHANGED = "Nothing has changed since the answer with this ETag."
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match`."}}


@blp.route("/facets")
@public
@kept
@blp.problems(_422="A filter is not valid: `min_price`, `max_price`, `category`.")
@blp.arguments(FilterArgsSchema, location="query")
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, FacetsSchema, description="The counts.", headers=_ETAG, example=examples.FACETS)
@reads_catalogue
def count_facets(arguments: dict[str, Any]) -> Response:
    """Count products by category, brand, price, offer and stock

    Of those that `GET /products/` lists under the same filters. A category counts with all below it, a brand in any
    letter case, and a price band with both bounds: asking for one of them lists that many products.
    """
    with catalogue_reader() as connection:
        return add_etag(jsonify(read_facets(connection, arguments)))


@blp.route("/suggest")
@public
@kept
@blp.problems(_422="`q` is missing, empty or longer than 100 characters, or `limit` is not from 1 to 20.")
@blp.arguments(SuggestArgsSchema, location="query")
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, SuggestionSchema(many=True), description="Best first.", headers=_ETAG, example=examples.SUGGESTIONS)
@reads_catalogue
def suggest_products(arguments: dict[str, Any]) -> Response:
    """Suggest products, categories, brands and words while somebody types

    The last word may be unfinished, and accents and typing errors do not matter. Products in stock come before others.
    A `category` is for the filter of that name, a `brand` too, a `word` for `q`.
    """
    with catalogue_reader() as connection:
        return add_etag(jsonify(suggest(connection, arguments["q"], arguments["limit"])))
