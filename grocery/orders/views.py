"""Orders over HTTP."""

from typing import Any

from flask import Response, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required, optional_person, staff_required
from grocery.db import reader, transaction
from grocery.limits import TOO_MANY, limit
from grocery.orders import idempotency, placing, reading, reordering
from grocery.orders.access import current_actor
from grocery.orders.actors import Actor
from grocery.orders.basket import Source, merge_items
from grocery.orders.cart.access import TOKEN_PARAMETER, cart_owner
from grocery.orders.cart.schemas import REORDER_EXAMPLE, ReorderSchema
from grocery.orders.cart.service import CartOwner, read_cart
from grocery.orders.changing import Delivery, change_status
from grocery.orders.examples import HISTORY_EXAMPLE, ORDER_EXAMPLE, QUOTE_EXAMPLE
from grocery.orders.line_views import IF_MATCH_HEADER
from grocery.orders.quoting import read_quote
from grocery.orders.schemas import (
    CancelSchema,
    ChangeStatusSchema,
    HistoryEntrySchema,
    OrderListArgsSchema,
    OrderSchema,
    PlaceOrderSchema,
    QuoteArgsSchema,
    QuoteSchema,
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

_UNFIT = (
    "A field is not valid (of `items`: a quantity of more than 3 decimals), or what it names is not there: "
    "`unknown_product`, `unknown_coupon`, or a field of `delivery`; `empty_cart`; or "
    "`Idempotency-Key` is not valid."
)


def _find_order(order_id: int) -> None:
    with reader() as connection:
        reading.get_order(connection, order_id, current_actor())


@blp.route("/quote", methods=["POST"])
@optional_person
@blp.problems(
    _404="The cart token is none of this shop: `cart_not_found`.",
    _409="The slot is full or closed (`slot_full`, `slot_closed`), or the coupon is not for this order now "
    "(`coupon_expired`, `coupon_used_up`, `coupon_below_minimum` and the like).",
)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.problems(_422=_UNFIT)
@blp.arguments(
    QuoteArgsSchema,
    example={
        "items": [{"product_id": 12, "quantity": 2}],
        "coupon": "KARIBU",
        "delivery": {"zone_id": 1, "slot_id": 40},
    },
)
@blp.response(200, QuoteSchema, description="What it would cost.", example=QUOTE_EXAMPLE)
def quote_order(body: dict[str, Any]) -> ResponseReturnValue:
    """See what an order would cost

    The full breakdown, without placing anything. What is short or withdrawn, and a basket below the zone's minimum, are
    no errors here: `notices` name them, and `is_orderable` is false.
    """
    owner = cart_owner()
    source = owner.source if body["items"] is None else Source(merge_items(body["items"]))
    with reader() as connection:
        quote = read_quote(
            connection,
            source,
            customer_id=owner.customer_id,
            coupon=body["coupon"],
            delivery=body["delivery"],
            currency=current_app.config["CURRENCY"],
        )
    return jsonify(quote)


@blp.route("/", methods=["POST"])
@customer_required
@blp.problems(
    _404="The cart token is none of this shop: `cart_not_found`.",
    _409="Not enough in stock (`out_of_stock`, with `items`), withdrawn from sale (`product_unavailable`), another "
    "total than `expected_total` (`total_changed`, with the new `quote`), the slot is full or closed (`slot_full`, "
    "`slot_closed`), the coupon is not for this order now (`coupon_expired`, `coupon_used_up` and the like), the "
    "basket is below the zone's minimum (`below_minimum_basket`), too many orders wait for payment "
    "(`too_many_open_orders`), or the same key is being worked on (`request_in_progress`).",
    _429=TOO_MANY,
)
@blp.doc(parameters=[_KEY_HEADER, TOKEN_PARAMETER])
@blp.problems(_422=_UNFIT)
@blp.arguments(
    PlaceOrderSchema,
    example={
        "items": [{"product_id": 12, "quantity": 2, "if_unavailable": "substitute"}],
        "delivery": {"zone_id": 1, "slot_id": 40, "address": "Moi Avenue 12", "landmark": "near Shell, blue gate"},
        "coupon": "KARIBU",
        "expected_total": "490.20",
    },
)
@blp.response(201, OrderSchema, description="The order as it was placed.", example=ORDER_EXAMPLE)
def place_order(body: dict[str, Any]) -> ResponseReturnValue:
    """Place an order

    Of the items sent, or of the cart, which is emptied of them. Prices, discounts, VAT and totals are the server's.
    Stock, slot and coupon are taken with the order or not at all. Send an `Idempotency-Key`, so that an order whose
    answer was lost can be sent again without being placed twice.
    """
    limit("RATE_LIMIT_ORDERS", "orders", str(current_person().id))
    key = idempotency.make_key(idempotency_key(), request.get_json())
    owner, items = cart_owner(), body.pop("items")
    source = owner.source if items is None else Source(merge_items(items))
    with transaction() as session:
        placed = placing.place_order(session, current_person(), placing.Wish(source, **body), key)
    response = Response(placed.answer, status=201, mimetype="application/json")
    response.headers["Location"] = url_for("orders.get_order", order_id=placed.order_id)
    return response


@blp.route("/")
@customer_required
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(OrderListArgsSchema, location="query")
@blp.response(200, OrderSchema(many=True), headers=NEXT_LINK, example=[ORDER_EXAMPLE])
def list_orders(filters: dict[str, Any]) -> ResponseReturnValue:
    """List orders, newest first

    Customers see their own orders, staff see all.
    """
    with reader() as connection:
        page, cursor = reading.list_orders(connection, current_actor(), **filters)
    return add_next_link(jsonify(page), cursor)


@blp.route("/<int:order_id>")
@customer_required
@blp.response(200, OrderSchema, example=ORDER_EXAMPLE)
def get_order(order_id: int) -> ResponseReturnValue:
    """Read an order

    Another customer's order is a 404.
    """
    with reader() as connection:
        order = reading.get_order(connection, order_id, current_actor())
    return add_etag(jsonify(order), order["version"])


@blp.route("/<int:order_id>/status", methods=["PATCH"])
@staff_required
@blp.found_first(_find_order)
@blp.problems(
    _409="The order cannot go there from where it is (`illegal_transition`, with `allowed`), or more was collected "
    "than was due (`payment_exceeds_total`).",
    _412="The order has changed since the version in `If-Match`.",
    _422="A field is not valid, `collected_by` is nobody of the staff, or there is `collected`, `collected_by`, "
    "`received_by` or `reason` for another status than theirs.",
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.arguments(ChangeStatusSchema, example={"status": "shipped", "note": "Rider: Otieno"})
@blp.response(200, OrderSchema, example={**ORDER_EXAMPLE, "status": "shipped", "version": 3})
def set_order_status(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Move an order to another status

    Staff may jump forward; the steps passed over are written to the history, and the customer gets one message.
    Cancelling puts the stock back and frees slot and coupon. With `delivered` it is noted what was paid at the door.
    """
    with transaction() as session:
        order = change_status(
            session,
            order_id,
            body["status"],
            current_actor(),
            note=body["note"],
            version=sent_version(),
            reason=body["reason"],
            delivery=Delivery(body["received_by"], body["collected"], body["collected_by"]),
        )
    return jsonify(order)


@blp.route("/<int:order_id>/cancel", methods=["POST"])
@customer_required
@blp.found_first(_find_order)
@blp.problems(
    _409="It is too late: `illegal_transition`.", _412="The order has changed since the version in `If-Match`."
)
@blp.doc(parameters=[IF_MATCH_HEADER])
@blp.arguments(CancelSchema, required=False, example={"note": "Ordered twice by mistake"})
@blp.response(200, OrderSchema, example={**ORDER_EXAMPLE, "status": "cancelled", "version": 2, "allowed_statuses": []})
def cancel_order(body: dict[str, Any], order_id: int) -> ResponseReturnValue:
    """Cancel one's own order

    While it is pending or confirmed. The stock goes back on the shelf, slot and coupon are free again.
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


@blp.route("/<int:order_id>/reorder", methods=["POST"])
@customer_required
@blp.problems(_409="The cart has no room for so many different products: `cart_full`.")
@blp.response(200, ReorderSchema, description="The cart, and what is not as it was.", example=REORDER_EXAMPLE)
def reorder(order_id: int) -> ResponseReturnValue:
    """Put what an order had into the cart again

    One's own order, in any status. What cannot be bought now is `missing`, what is short `reduced`, what has another
    price `repriced`. The cart has at least as much of each product as the order had: asking twice doubles nothing.
    """
    person, currency = current_person(), current_app.config["CURRENCY"]
    with transaction() as session:
        reading.get_order(session.connection(), order_id, Actor(person.id, "customer"))
        differences = reordering.reorder(session, order_id, person.id)
        cart = read_cart(session, CartOwner(person.id), currency)
    return jsonify({"cart": cart, **differences})


@blp.route("/<int:order_id>/history")
@customer_required
@blp.response(
    200,
    HistoryEntrySchema(many=True),
    example=[HISTORY_EXAMPLE],
)
def list_order_history(order_id: int) -> ResponseReturnValue:
    """Every change of an order, oldest first"""
    with reader() as connection:
        return jsonify(reading.list_history(connection, order_id, current_actor()))
