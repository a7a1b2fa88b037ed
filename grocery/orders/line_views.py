"""Changing the lines of an order over HTTP, while it is not packed."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import staff_required
from grocery.db import db, transaction
from grocery.orders import editing
from grocery.orders.access import current_actor
from grocery.orders.basket import Item
from grocery.orders.examples import ORDER_EXAMPLE
from grocery.orders.schemas import AddLineSchema, OrderSchema, SetQuantitySchema
from grocery.web import sent_version

blp = Blueprint(
    "order-lines", __name__, url_prefix="/orders/<int:order_id>/lines", description="Changing what is in an order."
)

IF_MATCH_HEADER = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the order that was read: 412 when it has changed since.",
}

_CONFLICTS = (
    "The order is packed or finished (`not_editable`), or somebody else was faster (`order_changed`). Not enough in "
    "stock: `out_of_stock`; withdrawn from sale: `product_unavailable`."
)
_STALE = "The order has changed since the version in `If-Match`."


def _find_line(order_id: int, line_id: int) -> None:
    editing.check_line_exists(db.session(), order_id, line_id)


def _find_order(order_id: int) -> None:
    editing.check_order_exists(db.session(), order_id)


@blp.route("", methods=["POST"])
@staff_required
@blp.found_first(_find_order)
@blp.problems(
    _409=f"{_CONFLICTS} It has such a line already: `line_exists`.",
    _412=_STALE,
    _422="A field is not valid, or what is added, as the only one of `items`, is not there (`unknown_product`) or not "
    "sold in this quantity.",
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.arguments(AddLineSchema, example={"product_id": 15, "quantity": 1})
@blp.response(201, OrderSchema, description="The order as it is now.", example={**ORDER_EXAMPLE, "version": 2})
def add_order_line(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Add a product to an order

    At its price of now; the other lines keep theirs. Totals, VAT and stock are right at once, and the customer is told.
    """
    with transaction() as session:
        order = editing.add_line(session, order_id, Item(**body), current_actor(), version=sent_version())
    return jsonify(order), 201


@blp.route("/<int:line_id>", methods=["PATCH"])
@staff_required
@blp.found_first(_find_line)
@blp.problems(_409=_CONFLICTS, _412=_STALE, _422="A field is not valid, or `quantity` is none for this product.")
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.arguments(SetQuantitySchema, example={"quantity": 3})
@blp.response(200, OrderSchema, description="The order as it is now.", example={**ORDER_EXAMPLE, "version": 2})
def set_order_line_quantity(body: dict[str, Any], order_id: int, line_id: int) -> ResponseReturnValue:
    """Change the quantity of a line

    The line keeps its price, the order its promotions and its delivery.
    """
    with transaction() as session:
        order = editing.set_line_quantity(
            session, order_id, line_id, body["quantity"], current_actor(), version=sent_version()
        )
    return jsonify(order)


@blp.route("/<int:line_id>", methods=["DELETE"])
@staff_required
@blp.found_first(_find_line)
@blp.problems(
    _409="The order is packed or finished (`not_editable`), somebody else was faster (`order_changed`), or it is the "
    "only line (`last_line`): cancel the order instead.",
    _412=_STALE,
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.response(200, OrderSchema, description="The order as it is now.", example={**ORDER_EXAMPLE, "version": 2})
def remove_order_line(order_id: int, line_id: int) -> ResponseReturnValue:
    """Take a line out of an order

    Its goods go back on the shelf.
    """
    with transaction() as session:
        order = editing.remove_line(session, order_id, line_id, current_actor(), version=sent_version())
    return jsonify(order)
