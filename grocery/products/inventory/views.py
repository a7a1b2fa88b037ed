"""The routes of the stock: changes, ledger, lots, what expires and what runs low."""

from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint
from grocery.auth.access import current_person, staff_required
from grocery.db import reader, transaction
from grocery.paging import NEXT_LINK, Page, add_next_link
from grocery.products.inventory import correcting, examples, listing
from grocery.products.inventory.days import shop_today
from grocery.products.inventory.low import list_low
from grocery.products.inventory.schemas import (
    ChangeStockSchema,
    ExpiringArgsSchema,
    ExpiringLotSchema,
    LotArgsSchema,
    LotSchema,
    LowArgsSchema,
    LowProductSchema,
    MovementArgsSchema,
    MovementSchema,
    StockSchema,
)
from grocery.products.service import check_product_exists

blp = Blueprint("stock", __name__, description="The stock: its changes, its lots, what expires and what runs low.")

_TOO_LITTLE = (
    "The stock would go below 0: `insufficient_stock`; or the lot: `insufficient_lot`. `available` is what is there."
)
_CHANGES = {
    "correction": {"value": examples.CORRECTION},
    "delivery": {"value": examples.DELIVERY},
    "write_off": {"value": examples.WRITE_OFF},
    "count": {"value": examples.COUNT},
}
_UNFIT = (
    "A field is not valid, or does not fit the others: there is not one of `delta` and `quantity`, or `reason`, `lot` "
    "or `lot_id` does not go with it, or is of no lot."
)
_BAD_PAGE = "A filter, `limit` or `cursor` is not valid: `bad_cursor`."


@blp.route("/products/<int:product_id>/stock", methods=["POST"])
@staff_required
@blp.found_first(check_product_exists)
@blp.problems(_409=_TOO_LITTLE)
@blp.problems(_422=_UNFIT)
@blp.arguments(ChangeStockSchema, examples=_CHANGES)
@blp.response(200, StockSchema, description="The stock now.", example=examples.STOCK)
def change_stock(body: dict[str, Any], product_id: int) -> dict[str, Any]:
    """Change the stock of a product

    `delta` is added to it and noted with the reason. With `quantity` and the reason `counted`, the difference to what
    was counted is noted. What orders take and give back is noted by itself.

    What is received may come as a `lot` with an expiry date. What goes is taken from the lot `lot_id`; without it, from
    the lots that expire first.
    """
    with transaction():
        return correcting.change_stock(product_id, body, actor_id=current_person().id)


@blp.route("/products/<int:product_id>/movements")
@staff_required
@blp.found_first(check_product_exists)
@blp.problems(_422=_BAD_PAGE)
@blp.arguments(MovementArgsSchema, location="query")
@blp.response(
    200,
    MovementSchema(many=True),
    description="A page of the ledger.",
    headers=NEXT_LINK,
    example=[examples.MOVEMENT],
)
def list_movements(arguments: dict[str, Any], product_id: int) -> Response:
    """List what has changed the stock of a product, newest first"""
    with reader() as connection:
        page = listing.list_movements(connection, product_id, arguments)
    if not page.items:
        check_product_exists(product_id)
    return _answer(page)


@blp.route("/products/<int:product_id>/lots")
@staff_required
@blp.found_first(check_product_exists)
@blp.problems(_422=_BAD_PAGE)
@blp.arguments(LotArgsSchema, location="query")
@blp.response(200, LotSchema(many=True), description="A page of lots.", headers=NEXT_LINK, example=[examples.LOT])
def list_lots(arguments: dict[str, Any], product_id: int) -> Response:
    """List the lots of a product, in the order in which they are picked

    First expired first; what never expires comes last.
    """
    with reader() as connection:
        page = listing.list_lots(connection, product_id, arguments)
    if not page.items:
        check_product_exists(product_id)
    return _answer(page)


@blp.route("/stock/expiring")
@staff_required
@blp.problems(_422="`days`, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(ExpiringArgsSchema, location="query")
@blp.response(
    200,
    ExpiringLotSchema(many=True),
    description="A page of lots.",
    headers=NEXT_LINK,
    example=[examples.EXPIRING_LOT],
)
def list_expiring(arguments: dict[str, Any]) -> Response:
    """List what expires soon or has expired, soonest first

    Lots of which something is left. Days are those of the shop's time zone.
    """
    with reader() as connection:
        return _answer(listing.list_expiring(connection, arguments, today=shop_today()))


@blp.route("/stock/low")
@staff_required
@blp.problems(_422=_BAD_PAGE)
@blp.arguments(LowArgsSchema, location="query")
@blp.response(
    200, LowProductSchema(many=True), description="A page of products.", headers=NEXT_LINK, example=[examples.LOW]
)
def list_low_stock(arguments: dict[str, Any]) -> Response:
    """List products for sale that run low, the worst first

    Those whose stock is at their `low_stock_threshold` or below it. Products without one are not watched.
    """
    with reader() as connection:
        page = list_low(
            connection,
            limit=arguments["limit"],
            cursor=arguments["cursor"],
            with_out=arguments["include"] == "out",
        )
    return _answer(page)


def _answer(page: Page) -> Response:
    return add_next_link(jsonify(page.items), page.next_cursor)
