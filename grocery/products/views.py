"""The routes of /products."""

from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from grocery.answers import kept
from grocery.api import Blueprint
from grocery.auth.access import (
    admin_required,
    check_staff,
    current_person,
    current_person_or_none,
    optional_person,
)
from grocery.db import transaction
from grocery.paging import NEXT_LINK, add_next_link
from grocery.products import examples, service
from grocery.products.listing import list_products as read_page
from grocery.products.rows import listed_product_json, product_json
from grocery.products.schemas import (
    ListArgsSchema,
    ListedProductSchema,
    NewProductSchema,
    PatchProductSchema,
    ProductSchema,
    ReplaceProductSchema,
)
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.web import add_etag, revalidated, sent_version

blp = Blueprint("products", __name__, url_prefix="/products", description="The catalogue, its prices and its stock.")

_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` that was read: when somebody has changed the product since, nothing is done.",
}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match` and `If-Match`."}}
_SPELLING = {
    "X-Did-You-Mean": {
        "schema": {"type": "string"},
        "description": "When `q` found fewer than three products: a better spelling, percent-encoded UTF-8.",
    },
    "X-Search-Corrected": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "`q` found nothing; these are the products that `X-Did-You-Mean` finds.",
    },
}
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where the product is."}}
_TAKEN = "Another product has this SKU or barcode: `sku_taken`, `barcode_taken`."
_STALE = "The product was changed since it was read: `stale_version`."
_UNFIT_STOCK = "`fractional_stock`: it cannot be sold by piece while a part of one is in stock."

_UNFIT = (
    "A field is not valid (`sku`, `barcode`, `net_content`; more than 3 decimals: `stock`, `low_stock_threshold`), "
    "`category_id` is of no category, `country_of_origin` is no country, `image_url` no address, or `compare_at_price` "
    "or `quantity_step` does not fit the other fields."
)


@blp.route("/")
@optional_person
@kept
@blp.problems(
    _403="`is_active=false` is for staff.",
    _422="A filter, `limit` or `cursor` is not valid (`bad_cursor`), or `sort` is `relevance` without `q`.",
)
@blp.arguments(ListArgsSchema, location="query")
@blp.alt_response(304, description="Nothing has changed since the answer with this ETag.", success=True)
@blp.response(
    200,
    ListedProductSchema(many=True),
    description="A page of products for sale.",
    headers={**_ETAG, **NEXT_LINK, **_SPELLING},
    example=[examples.LISTED_PRODUCT],
)
@reads_catalogue
def list_products(arguments: dict[str, Any]) -> Response:
    """List products

    All filters must fit. `q` wants every word, a longer one that begins with it, or another name of the same thing, in
    name, brand, category or description; or it is an SKU or a barcode. The most relevant come first, those in stock
    before the others, 2,000 at the most. When it finds fewer than three products, `X-Did-You-Mean` has a better
    spelling, if there is one; when it finds none, the answer is what that one finds.

    The next page stands in the header `Link`. With the `ETag` of an earlier answer in `If-None-Match`, the answer is
    304 as long as nothing has changed.

    With `is_active=false`, staff get the products that are withdrawn from sale; 403 for others, 401 for visitors.
    """
    if not arguments["is_active"]:
        check_staff()
    with catalogue_reader() as connection:
        page = read_page(connection, arguments)
    response = jsonify([listed_product_json(row) for row in page.rows])
    if page.suggested is None:
        return add_etag(add_next_link(response, page.next_cursor))
    response.headers["X-Did-You-Mean"] = quote(page.suggested)
    if page.is_corrected:
        response.headers["X-Search-Corrected"] = "true"
    # The cursor is one of the corrected search.
    return add_etag(add_next_link(response, page.next_cursor, q=page.suggested))


@blp.route("/<int:product_id>")
@optional_person
@revalidated
@blp.alt_response(304, description="Nothing has changed since the answer with this ETag.", success=True)
@blp.response(200, ProductSchema, description="The product.", headers=_ETAG, example=examples.PRODUCT)
@reads_catalogue
def get_product(product_id: int) -> Response:
    """Read a product, with its stock

    One that is withdrawn from sale is found by staff only.
    """
    person = current_person_or_none()
    for_staff = person is not None and person.is_staff
    with catalogue_reader() as connection:
        row = service.get_product(connection, product_id, with_withdrawn=for_staff)
    return _answer(row, for_staff=for_staff)


@blp.route("/", methods=["POST"])
@admin_required
@blp.problems(_409=_TAKEN)
@blp.problems(_422=_UNFIT)
@blp.arguments(NewProductSchema, example=examples.NEW_PRODUCT)
@blp.response(
    201, ProductSchema, description="The new product.", headers={**_ETAG, **_LOCATION}, example=examples.PRODUCT
)
def create_product(body: dict[str, Any]) -> ResponseReturnValue:
    """Add a product

    `stock` is the opening stock. Later, `POST /products/{product_id}/stock` changes it.
    """
    with transaction():
        row = service.create_product(body, actor_id=current_person().id)
    return _answer(row), 201, {"Location": url_for("products.get_product", product_id=row.id)}


@blp.route("/<int:product_id>", methods=["PUT"])
@admin_required
@blp.found_first(service.check_product_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_409=f"{_TAKEN} {_UNFIT_STOCK}", _412=_STALE)
@blp.problems(_422=_UNFIT)
@blp.arguments(
    ReplaceProductSchema, example={key: value for key, value in examples.NEW_PRODUCT.items() if key != "stock"}
)
@blp.response(200, ProductSchema, description="The product as it is now.", headers=_ETAG, example=examples.PRODUCT)
def replace_product(body: dict[str, Any], product_id: int) -> Response:
    """Replace a product

    All that can be written is set; what is not sent gets its default. The stock stays.
    """
    version = sent_version()
    with transaction():
        row = service.replace_product(product_id, body, version=version, actor_id=current_person().id)
    return _answer(row)


@blp.route("/<int:product_id>", methods=["PATCH"])
@admin_required
@blp.found_first(service.check_product_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_409=f"{_TAKEN} {_UNFIT_STOCK}", _412=_STALE)
@blp.problems(_422=_UNFIT)
@blp.arguments(PatchProductSchema, example={"price": "62.50", "is_active": True})
@blp.response(200, ProductSchema, description="The product as it is now.", headers=_ETAG, example=examples.PRODUCT)
def change_product(body: dict[str, Any], product_id: int) -> Response:
    """Change some fields of a product

    `{"is_active": false}` withdraws it from sale.
    """
    version = sent_version()
    with transaction():
        row = service.change_product(product_id, body, version=version, actor_id=current_person().id)
    return _answer(row)


@blp.route("/<int:product_id>", methods=["DELETE"])
@admin_required
@blp.found_first(service.check_product_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_412=_STALE)
@blp.response(204, description="It is gone, from every order that is not packed yet too.")
def delete_product(product_id: int) -> None:
    """Delete a product

    Orders that are not packed yet lose the line, and their customers are told. Packed and finished ones keep their copy
    of name and price. To withdraw a product from sale only, set `is_active` to false.
    """
    version = sent_version()
    with transaction():
        service.withdraw_product(product_id, version=version)
    with transaction():
        service.delete_product(product_id, version=version, actor_id=current_person().id)


def _answer(row: Row, *, for_staff: bool = True) -> Response:
    return add_etag(jsonify(product_json(row, for_staff=for_staff)), row.version)
