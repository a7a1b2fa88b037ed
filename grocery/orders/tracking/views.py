"""The routes of following an order: to its stream, and its public page."""

from typing import Any

from flask import Response, current_app, jsonify, make_response, render_template, request

from grocery.api import Blueprint, public
from grocery.auth.access import customer_required
from grocery.db import reader
from grocery.errors import PROBLEM_TYPE
from grocery.keys import keys_of
from grocery.orders.access import current_actor
from grocery.orders.states import FINAL_STATUSES
from grocery.orders.tracking.errors import LinkNotFoundError
from grocery.orders.tracking.examples import TRACKED_EXAMPLE
from grocery.orders.tracking.links import read_token
from grocery.orders.tracking.reading import check_readable, get_tracked_order
from grocery.orders.tracking.schemas import StreamArgsSchema, TrackedOrderSchema
from grocery.orders.tracking.streams import PRIVATE, lead_to_stream

blp = Blueprint("tracking", __name__, description="Following an order live, and by its public link.")

_TO_STREAM = {
    "description": "The address of the stream, good for a minute.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}},
}

_AS_PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}
_NO_ORDER = {
    "description": "There is no order behind the link. A web page, too, unless JSON is asked for.",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}, **_AS_PAGE["content"]},
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'{stream}; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def _check_order(order_id: int) -> None:
    with reader() as connection:
        check_readable(connection, order_id, current_actor())


@blp.route("/orders/<int:order_id>/stream")
@customer_required
@blp.found_first(_check_order)
@blp.problems(_422="`last_event_id` is not a number.")
@blp.arguments(StreamArgsSchema, location="query")
@blp.response(307, **_TO_STREAM)
def stream_order(arguments: dict[str, Any], order_id: int) -> Response:
    """Follow an order live

    One's own order; staff follow any. Leads to server-sent events (`text/event-stream`). Each change is an event
    `order` with the history id as `id` and `{"id", "status", "changed", "at"}` as `data`; first comes the current
    state, or what came after `Last-Event-ID`. An event `end` is the last one, after `delivered` or `cancelled`; who
    comes back after it gets 204.
    """
    _check_order(order_id)
    return lead_to_stream(order_id, arguments["last_event_id"], is_public=False)


@blp.route("/t/<token>")
@public
@blp.response(
    200, TrackedOrderSchema, description="With `Accept: application/json`; else a web page.", example=TRACKED_EXAMPLE
)
@blp.doc(responses={"200": _AS_PAGE, "404": _NO_ORDER})
def show_tracked_order(token: str) -> Response:
    """See how far an order is, by its public link

    Without a sign-in: status and items, nothing about the person. The link is in the messages about the order.
    """
    is_json = request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"
    try:
        order = _read_order(token)
    except LinkNotFoundError:
        if is_json:
            raise
        return _page(None, 404)
    if not is_json:
        return _page(order, 200, token)
    answer = jsonify(order)
    answer.headers.update({**PRIVATE, "Vary": "Accept"})
    return answer


@blp.route("/t/<token>/stream")
@public
@blp.problems(_422="`last_event_id` is not a number.")
@blp.arguments(StreamArgsSchema, location="query")
@blp.response(307, **_TO_STREAM)
def stream_tracked_order(arguments: dict[str, Any], token: str) -> Response:
    """Follow an order live by its public link

    As `GET /orders/{order_id}/stream`, without what the order costs: `changed` is `{}` where something has changed.
    """
    order_id = read_token(token, *keys_of(current_app.config).newest_first)
    return lead_to_stream(order_id, arguments["last_event_id"], is_public=True)


def _read_order(token: str) -> dict[str, Any]:
    order_id = read_token(token, *keys_of(current_app.config).newest_first)
    with reader() as connection:
        return get_tracked_order(connection, order_id)


def _page(order: dict[str, Any] | None, status: int, token: str = "") -> Response:
    # The template is the storefront's: the page looks and speaks like those of the shop.
    is_final = order is not None and order["status"] in FINAL_STATUSES
    page = render_template("following/tracking.html", order=order, token=token, is_final=is_final)
    response = make_response(page, status)
    stream_url = current_app.config["STREAM_URL"]
    policy = _POLICY.format(stream=f" {stream_url}" if stream_url else "")
    response.headers.update({**PRIVATE, "Vary": "Accept", "Content-Security-Policy": policy})
    return response
