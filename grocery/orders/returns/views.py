"""Returns over HTTP."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import customer_required, staff_required
from grocery.db import reader, transaction
from grocery.orders import reading
from grocery.orders.access import current_actor
from grocery.orders.returns import service
from grocery.orders.returns.schemas import RETURN_EXAMPLE, ReturnSchema, TakeBackSchema

blp = Blueprint(
    "returns", __name__, url_prefix="/orders/<int:order_id>/returns", description="Goods that come back, and refunds."
)


def _find_order(order_id: int) -> None:
    with reader() as connection:
        reading.get_order(connection, order_id, current_actor())


@blp.route("")
@customer_required
@blp.response(200, ReturnSchema(many=True), example=[RETURN_EXAMPLE])
def list_returns(order_id: int) -> ResponseReturnValue:
    """List what came back of an order, oldest first"""
    with reader() as connection:
        reading.get_order(connection, order_id, current_actor())
        return jsonify(service.list_returns(connection, order_id))


@blp.route("", methods=["POST"])
@staff_required
@blp.found_first(_find_order)
@blp.problems(
    _409="The order was not delivered (`not_delivered`), or less was paid than is to be paid back "
    "(`refund_exceeds_paid`).",
    _422="A field is not valid, or the `items` are not what was delivered.",
)
@blp.arguments(
    TakeBackSchema,
    example={
        "items": [{"line_id": 1, "quantity": 1, "is_restocked": False}],
        "reason": "spoiled",
        "is_paid_back": True,
    },
)
@blp.response(201, ReturnSchema, description="The return, with the amount to refund.", example=RETURN_EXAMPLE)
def take_back(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Take goods back after delivery

    The customer gets what was paid for them. The order stays delivered; the return has a credit note of its own.
    """
    with transaction() as session:
        made = service.take_back(session, order_id, actor=current_actor(), **body)
    return jsonify(made), 201
