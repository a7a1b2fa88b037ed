"""Picking, refusing substitutes and checking in over HTTP."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import customer_required, staff_required
from grocery.db import db, reader, transaction
from grocery.orders import editing, reading
from grocery.orders.access import current_actor
from grocery.orders.examples import ORDER_EXAMPLE
from grocery.orders.fulfilment import pick_list
from grocery.orders.fulfilment.checking_in import check_in
from grocery.orders.fulfilment.examples import PICK_LIST_EXAMPLE, PICKS_EXAMPLE
from grocery.orders.fulfilment.picking import Pick, pick_line
from grocery.orders.fulfilment.refusing import refuse_substitute
from grocery.orders.fulfilment.schemas import (
    CheckInSchema,
    OrderPickListSchema,
    PickListArgsSchema,
    PickSchema,
    ProductPicksSchema,
)
from grocery.orders.line_views import IF_MATCH_HEADER
from grocery.orders.schemas import OrderSchema
from grocery.web import sent_version

blp = Blueprint("picking", __name__, description="Picking, weighing, substituting.")

_STALE = "The order has changed since the version in `If-Match`."


def _find_line(order_id: int, line_id: int) -> None:
    editing.check_line_exists(db.session(), order_id, line_id)


def _find_order(order_id: int) -> None:
    editing.check_order_exists(db.session(), order_id)


def _find_own_order(order_id: int, line_id: int) -> None:
    with reader() as connection:
        reading.get_order(connection, order_id, current_actor())
    _find_line(order_id, line_id)


@blp.route("/orders/<int:order_id>/pick-list")
@staff_required
@blp.response(200, OrderPickListSchema, example=PICK_LIST_EXAMPLE)
def get_pick_list(order_id: int) -> ResponseReturnValue:
    """What is to be picked for an order, by category"""
    with reader() as connection:
        return jsonify(pick_list.get_pick_list(connection, order_id))


@blp.route("/picking")
@staff_required
@blp.problems(_422="`slot_id` or `order_id` is not an id.")
@blp.arguments(PickListArgsSchema, location="query")
@blp.response(200, ProductPicksSchema(many=True), example=[PICKS_EXAMPLE])
def list_picks(arguments: dict[str, Any]) -> ResponseReturnValue:
    """What is to be picked for many orders, by product

    Of all orders that are not packed; with `slot_id` those of a slot, with `order_id` (several times) these.
    """
    with reader() as connection:
        picks = pick_list.list_picks(connection, slot_id=arguments["slot_id"], order_ids=arguments["order_id"])
    return jsonify(picks)


@blp.route("/orders/<int:order_id>/lines/<int:line_id>/pick", methods=["POST"])
@staff_required
@blp.found_first(_find_line)
@blp.problems(
    _409="The customer has to be asked first (`needs_approval`, with `reasons`), more pieces than ordered "
    "(`picked_too_much`), not enough in stock (`out_of_stock`), the order is packed (`not_editable`), or somebody else "
    "was faster (`order_changed`).",
    _412=_STALE,
    _422="A field is not valid, `picked_quantity` is missing or none for this product (of a weight far from what was "
    "ordered: `implausible_weight`), or `substitute_product_id` is no product that can be a substitute.",
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.arguments(PickSchema, example={"picked_quantity": 1.62})
@blp.response(200, OrderSchema, description="The order as it is now.", example={**ORDER_EXAMPLE, "version": 2})
def pick_order_line(body: dict[str, Any], order_id: int, line_id: int) -> ResponseReturnValue:
    """Note what was picked for a line

    The line costs what was really weighed or found; totals, VAT, promotions and stock are right at once. With
    `substitute_product_id`, that product stands in for what is missing of the line, and never costs more. The customer
    is told of all changes in one message when the order is packed.
    """
    pick = Pick(body["picked_quantity"], body["substitute_product_id"], body["reason"], body["approved"])
    with transaction() as session:
        order = pick_line(session, order_id, line_id, pick, current_actor(), version=sent_version())
    return jsonify(order)


@blp.route("/orders/<int:order_id>/lines/<int:line_id>/refuse", methods=["POST"])
@customer_required
@blp.found_first(_find_own_order)
@blp.problems(
    _409="The line is no substitute (`not_a_substitute`), or the order has left the shop (`too_late`).", _412=_STALE
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.response(200, OrderSchema, description="The order without it.", example={**ORDER_EXAMPLE, "version": 4})
def refuse_order_line(order_id: int, line_id: int) -> ResponseReturnValue:
    """Refuse a substitute

    The customer's own order, or any for staff; until it is shipped.
    """
    actor = current_actor()
    owner_id = None if actor.is_staff else actor.id
    with transaction() as session:
        order = refuse_substitute(session, order_id, line_id, actor, owner_id=owner_id, version=sent_version())
    return jsonify(order)


@blp.route("/orders/<int:order_id>/check-in", methods=["POST"])
@staff_required
@blp.found_first(_find_order)
@blp.problems(
    _409="It is no order whose delivery failed: `not_failed`.",
    _422="A field is not valid, or the `items` are not what went out.",
)
@blp.arguments(CheckInSchema, example={"items": [{"line_id": 1, "quantity": 2, "is_sellable": True}]})
@blp.response(200, OrderSchema, example={**ORDER_EXAMPLE, "status": "cancelled", "allowed_statuses": []})
def check_in_order(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Check in the goods of a delivery that failed

    What can still be sold goes back to the stock; the rest is written off. May be done in parts.
    """
    with transaction() as session:
        order = check_in(session, order_id, body["items"], current_actor())
    return jsonify(order)
