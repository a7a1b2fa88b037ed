"""Orders over HTTP."""

from typing import Any

from flask import Response, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required, staff_required
from grocery.db import reader, transaction
from grocery.orders import idempotency, placing, reading
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status
from grocery.orders.schemas import (
    ORDER_EXAMPLE,
    CancelSchema,
    ChangeStatusSchema,
    HistoryEntrySchema,
    OrderListArgsSchema,
    OrderSchema,
    PlaceOrderSchema,
)
from grocery.paging import NEXT_LINK, add_next_link
from grocery.web import add_etag, idempotency_key, sent_version

blp = Blueprint("orders", __name__, url_prefix="/orders", description="Placing, following and changing orders.")

_KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Of your making (a UUID): the same order sent again with the same key is placed once.",
}
_IF_MATCH_HEADER = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the order that was read: 412 when it has changed since.",
}


def _reader() -> Actor:
    person = current_person()
    return Actor(person.id, person.role)


def _find_order(order_id: int) -> None:
    with reader() as connection:
        reading.get_order(connection, order_id, _reader())


@blp.route("/", methods=["POST"])
@customer_required
@blp.problems(
    _409="Not enough in stock (`out_of_stock`, with `items`), withdrawn from sale (`product_unavailable`), another "
    "total than `expected_total` (`total_changed`), or the same key is being worked on (`request_in_progress`)."
)
@blp.doc(parameters=[_KEY_HEADER])
@blp.arguments(
    PlaceOrderSchema,
    example={
        "items": [{"product_id": 12, "quantity": 2, "if_unavailable": "substitute"}],
        "delivery": {"method": "delivery", "address": "Moi Avenue 12", "landmark": "near Shell, blue gate"},
    },
)
@blp.response(201, OrderSchema, description="The order as it was placed.", example=ORDER_EXAMPLE)
def place_order(body: dict[str, Any]) -> ResponseReturnValue:
    """Place an order

    Prices, VAT and totals are the server's. The stock is taken with the order or not at all. Send an
    `Idempotency-Key`, so that an order whose answer was lost can be sent again without being placed twice.
    """
    key = idempotency_key()
    customer = current_person()
    with transaction() as session:
        if key:
            stored = idempotency.claim_key(session, customer.id, key, idempotency.fingerprint(request.get_json()))
            if stored:
                return _placed(stored)
        order = placing.place_order(session, customer, **body, currency=current_app.config["CURRENCY"])
        answer = current_app.json.dumps(order)
        if key:
            idempotency.store_answer(session, customer.id, key, order["id"], answer)
    return _placed(answer)


def _placed(answer: str) -> Response:
    response = Response(answer, status=201, mimetype="application/json")
    response.headers["Location"] = url_for("orders.get_order", order_id=current_app.json.loads(answer)["id"])
    return response


@blp.route("/")
@customer_required
@blp.arguments(OrderListArgsSchema, location="query")
@blp.response(200, OrderSchema(many=True), headers=NEXT_LINK, example=[ORDER_EXAMPLE])
def list_orders(filters: dict[str, Any]) -> ResponseReturnValue:
    """List orders, newest first

    Customers see their own orders, staff see all.
    """
    with reader() as connection:
        page, cursor = reading.list_orders(connection, _reader(), **filters)
    return add_next_link(jsonify(page), cursor)


@blp.route("/<int:order_id>")
@customer_required
@blp.response(200, OrderSchema, example=ORDER_EXAMPLE)
def get_order(order_id: int) -> ResponseReturnValue:
    """Read an order

    Another customer's order is a 404.
    """
    with reader() as connection:
        order = reading.get_order(connection, order_id, _reader())
    return add_etag(jsonify(order), order["version"])


@blp.route("/<int:order_id>/status", methods=["PATCH"])
@staff_required
@blp.found_first(_find_order)
@blp.problems(
    _409="The order cannot go there from where it is: `illegal_transition`, with `allowed`.",
    _412="The order has changed since the version in `If-Match`.",
)
@blp.doc(parameters=[_IF_MATCH_HEADER])
@blp.arguments(ChangeStatusSchema, example={"status": "shipped", "note": "Rider: Otieno"})
@blp.response(200, OrderSchema, example={**ORDER_EXAMPLE, "status": "shipped", "version": 3})
def set_order_status(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Move an order to another status

    Staff may jump forward; the steps passed over are written to the history, and the customer gets one message.
    Cancelling puts the stock back.
    """
    with transaction() as session:
        order = change_status(session, order_id, body["status"], _reader(), note=body["note"], version=sent_version())
    return jsonify(order)


@blp.route("/<int:order_id>/cancel", methods=["POST"])
@customer_required
@blp.found_first(_find_order)
@blp.problems(
    _409="It is too late: `illegal_transition`.", _412="The order has changed since the version in `If-Match`."
)
@blp.doc(parameters=[_IF_MATCH_HEADER])
@blp.arguments(CancelSchema, required=False, example={"note": "Ordered twice by mistake"})
@blp.response(200, OrderSchema, example={**ORDER_EXAMPLE, "status": "cancelled", "version": 2, "allowed_statuses": []})
def cancel_order(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Cancel one's own order

    While it is pending or confirmed. The stock goes back on the shelf.
    """
    person = current_person()
    with transaction() as session:
        order = change_status(
            session,
            order_id,
            "cancelled",
            Actor(person.id, "customer"),
            note=body["note"],
            version=sent_version(),
            owner_id=person.id,
        )
    return jsonify(order)


@blp.route("/<int:order_id>/history")
@customer_required
@blp.response(
    200,
    HistoryEntrySchema(many=True),
    example=[
        {
            "id": 1,
            "event": "placed",
            "from_status": None,
            "status": "pending",
            "actor_id": 5,
            "actor_role": "customer",
            "note": None,
            "changed": None,
            "at": "2026-11-01T08:15:00Z",
        }
    ],
)
def list_order_history(order_id: int) -> ResponseReturnValue:
    """Every change of an order, oldest first"""
    with reader() as connection:
        return jsonify(reading.list_history(connection, order_id, _reader()))
