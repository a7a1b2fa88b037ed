"""The routes of prices over time, below /products/{product_id}."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint
from grocery.auth.access import admin_required, current_person, staff_required
from grocery.db import reader, transaction
from grocery.paging import NEXT_LINK, Page, PageArgsSchema, add_next_link
from grocery.products.prices import examples, service
from grocery.products.prices.history import list_history
from grocery.products.prices.schemas import (
    PriceChangeArgsSchema,
    PriceChangeSchema,
    PriceRecordSchema,
    SchedulePriceSchema,
)
from grocery.products.service import check_product_exists

blp = Blueprint("prices", __name__, url_prefix="/products", description="Offers, scheduled prices, history of prices.")

_BAD_PAGE = "An argument is not valid: `bad_cursor`."


@blp.route("/<int:product_id>/prices")
@admin_required
@blp.found_first(check_product_exists)
@blp.problems(_422=_BAD_PAGE)
@blp.arguments(PriceChangeArgsSchema, location="query")
@blp.response(
    200,
    PriceChangeSchema(many=True),
    description="A page, the latest start first.",
    headers=NEXT_LINK,
    example=[examples.CHANGE],
)
def list_price_changes(arguments: dict[str, Any], product_id: int) -> Response:
    """List a product's offers and scheduled prices

    Those to come, the offer that runs, and those that are over.
    """
    with reader() as connection:
        return _answer(service.list_price_changes(connection, product_id, **arguments), product_id)


@blp.route("/<int:product_id>/prices", methods=["POST"])
@admin_required
@blp.found_first(check_product_exists)
@blp.problems(
    _409="Another offer runs in that time (`offer_overlaps`, with its `change_id`), or too many changes are ahead "
    "(`too_many_price_changes`)."
)
@blp.problems(
    _422="A field is not valid, `price` is not below the price before, `compare_at_price` not above `price`, or"
    " `starts_at` and `ends_at` do not fit."
)
@blp.arguments(SchedulePriceSchema, example=examples.WANTED)
@blp.response(201, PriceChangeSchema, description="The change as it is scheduled.", example=examples.CHANGE)
def schedule_price(body: dict[str, Any], product_id: int) -> dict[str, Any]:
    """Schedule an offer or another price

    With `ends_at` it is an offer: while it runs, `price` is the offer's and `compare_at_price` the price before, which
    returns at the end. An offer must be below the price before. Without `ends_at` the price stays; while an offer runs,
    it is the one that returns, and one that is not above the offer's ends it.

    A price that is set by hand or imported while an offer runs ends it and stays.
    """
    with transaction():
        row = service.schedule_price(product_id, **body, actor_id=current_person().id, now=datetime.now(UTC))
    return service.change_json(row)


@blp.route("/<int:product_id>/prices/<int:change_id>", methods=["DELETE"])
@admin_required
@blp.problems(_409="It is neither ahead nor running: `price_change_over`.")
@blp.response(204, description="It is called off. It stays in the list.")
def cancel_price_change(product_id: int, change_id: int) -> None:
    """Call off a scheduled price, or end an offer

    An offer that runs ends at once: the price before returns.
    """
    with transaction():
        service.cancel_price_change(product_id, change_id, actor_id=current_person().id, now=datetime.now(UTC))


@blp.route("/<int:product_id>/price-history")
@staff_required
@blp.found_first(check_product_exists)
@blp.problems(_422=_BAD_PAGE)
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200, PriceRecordSchema(many=True), description="A page, newest first.", headers=NEXT_LINK, example=[examples.RECORD]
)
def list_price_history(arguments: dict[str, Any], product_id: int) -> Response:
    """List what a product has cost

    Each record has the lowest price of the 30 days before it.
    """
    with reader() as connection:
        return _answer(list_history(connection, product_id, **arguments), product_id)


def _answer(page: Page, product_id: int) -> Response:
    if not page.items:
        check_product_exists(product_id)
    return add_next_link(jsonify(page.items), page.next_cursor)
