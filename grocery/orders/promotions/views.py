"""The routes of /promotions."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from grocery.api import Blueprint
from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.orders.promotions import examples, service
from grocery.orders.promotions.schemas import PromotionArgsSchema, PromotionSchema, WritePromotionSchema
from grocery.paging import NEXT_LINK, add_next_link
from grocery.web import add_etag, sent_version

blp = Blueprint("promotions", __name__, url_prefix="/promotions", description="Coupons and automatic promotions.")

_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` that was read: when somebody has changed the promotion since, nothing is done.",
}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match` and `If-Match`."}}
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where the promotion is."}}
_TAKEN = "Another promotion has this code: `code_taken`."
_LIMIT = "More orders hold it than `usage_limit` would allow: `limit_below_use`, with `used`."
_STALE = "The promotion was changed since it was read: `stale_version`."

_UNFIT = (
    "A field is not valid, does not fit the others (`value`, `code`, `scope`, `buy_quantity`, "
    "`get_quantity`, `usage_limit`, `starts_at`, `ends_at`), or is of nothing: `product_ids`, `category_ids`, "
    "`customer_id`."
)


@blp.route("/")
@admin_required
@blp.problems(_422="A filter, `limit` or `cursor` is not valid (`bad_cursor`), or `code` is none of a coupon.")
@blp.arguments(PromotionArgsSchema, location="query")
@blp.response(
    200,
    PromotionSchema(many=True),
    description="A page, newest first.",
    headers=NEXT_LINK,
    example=[examples.PROMOTION],
)
def list_promotions(arguments: dict[str, Any]) -> Response:
    """List promotions

    Those to come and those that are over, too; `state` says which.
    """
    with reader() as connection:
        page = service.list_promotions(connection, **arguments, now=datetime.now(UTC))
    return add_next_link(jsonify(page.items), page.next_cursor)


@blp.route("/", methods=["POST"])
@admin_required
@blp.problems(_409=_TAKEN)
@blp.problems(_422=_UNFIT)
@blp.arguments(WritePromotionSchema, example=examples.WANTED)
@blp.response(
    201,
    PromotionSchema,
    description="The new promotion.",
    headers={**_ETAG, **_LOCATION},
    example=examples.PROMOTION,
)
def create_promotion(body: dict[str, Any]) -> ResponseReturnValue:
    """Add a promotion

    With a `code` it is a coupon, which customers type; without, each order that it fits gets it. It is for the whole
    basket unless `product_ids` or `category_ids` are named. `free_delivery` is always for the whole basket.
    """
    with transaction():
        row = service.create_promotion(body)
    return _answer(row), 201, {"Location": url_for("promotions.get_promotion", promotion_id=row.id)}


@blp.route("/<int:promotion_id>")
@admin_required
@blp.alt_response(304, description="Nothing has changed since the answer with this ETag.", success=True)
@blp.response(200, PromotionSchema, description="The promotion.", headers=_ETAG, example=examples.PROMOTION)
def get_promotion(promotion_id: int) -> Response:
    """Read a promotion, with how often it is used"""
    with reader() as connection:
        return _answer(service.get_promotion(connection, promotion_id))


@blp.route("/<int:promotion_id>", methods=["PUT"])
@admin_required
@blp.found_first(service.check_promotion_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_409=f"{_TAKEN} {_LIMIT}", _412=_STALE)
@blp.problems(_422=_UNFIT)
@blp.arguments(WritePromotionSchema, example=examples.WANTED)
@blp.response(
    200, PromotionSchema, description="The promotion as it is now.", headers=_ETAG, example=examples.PROMOTION
)
def replace_promotion(body: dict[str, Any], promotion_id: int) -> Response:
    """Replace a promotion

    All that can be written is set; what is not sent gets its default. Orders that were placed keep the terms of their
    time.

    A promotion for products or categories becomes one for the whole basket only with `"scope": "basket"`: 422 when
    neither are named and `scope` is missing.
    """
    version = sent_version()
    with transaction():
        row = service.replace_promotion(promotion_id, body, version=version)
    return _answer(row)


@blp.route("/<int:promotion_id>", methods=["DELETE"])
@admin_required
@blp.found_first(service.check_promotion_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_412=_STALE)
@blp.response(204, description="It is gone.")
def delete_promotion(promotion_id: int) -> None:
    """Delete a promotion

    Orders that were placed keep the discount. To stop it only, set `is_active` to false.
    """
    version = sent_version()
    with transaction():
        service.delete_promotion(promotion_id, version=version)


def _answer(row: Row) -> Response:
    return add_etag(jsonify(service.promotion_json(row, datetime.now(UTC))), row.version)
