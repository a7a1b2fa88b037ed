"""One's own orders: the list, the page of each, and what can still be done about it."""

from typing import Any

from flask import Response, current_app, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.errors import InvalidError
from grocery.fields import MAX_ID
from grocery.orders import reading, reordering
from grocery.orders.actors import Actor
from grocery.orders.cart.errors import CartFullError
from grocery.orders.changing import change_status
from grocery.orders.errors import IllegalTransitionError
from grocery.orders.fulfilment.errors import NotASubstituteError, TooLateError
from grocery.orders.fulfilment.refusing import refuse_substitute
from grocery.orders.schemas import CancelSchema
from grocery.orders.states import CANCELLED
from grocery.orders.tracking.reading import check_readable
from grocery.orders.tracking.streams import lead_to_stream
from grocery.storefront.following.order_page import read_order_page
from grocery.storefront.following.words import difference_words, entry_words, names_in_words, next_words, state_words
from grocery.storefront.pages import PrivatePages, go, render, say

blp = PrivatePages("following", __name__, url_prefix="/account/orders")

_PAGE = 10

for words in (state_words, next_words, entry_words, names_in_words):
    blp.add_app_template_global(words)


@blp.get("")
@customer_required
def list_orders() -> AnyResponse:
    cursor = request.args.get("cursor")
    try:
        with reader() as connection:
            orders, next_cursor = reading.list_orders(connection, own_actor(), limit=_PAGE, cursor=cursor)
    except InvalidError:  # an address that was cut short, or made up
        return go("following.list_orders")
    return render("following/orders.html", orders=orders, next_cursor=next_cursor, is_first=cursor is None)


@blp.get("/<int:order_id>")
@customer_required
def show_order(order_id: int) -> Response:
    with reader() as connection:
        page = read_order_page(connection, order_id, own_actor())
    return render("following/order.html", **page)


@blp.get("/<int:order_id>/stream")
@customer_required
def stream(order_id: int) -> Response:
    """To the events of the order, for the page's script: a ticket takes the place of the cookies."""
    with reader() as connection:
        check_readable(connection, order_id, own_actor())
    seen = request.args.get("last_event_id", type=int)
    return lead_to_stream(order_id, seen if seen is not None and 0 <= seen <= MAX_ID else None, is_public=False)


@blp.post("/<int:order_id>/reorder")
@customer_required
def reorder(order_id: int) -> AnyResponse:
    """Put what it had into the basket, which says what is not as it was."""
    person = current_person()
    try:
        with transaction() as session:
            reading.get_order(session.connection(), order_id, own_actor())
            differences = reordering.reorder(session, order_id, person.id)
    except CartFullError as error:
        say(gettext("Your basket is full: it has room for %(limit)s products.", limit=error.members["limit"]), "bad")
        return go("basket.show")
    say_differences(differences)
    return go("basket.show")


@blp.get("/<int:order_id>/cancel")
@customer_required
def confirm_cancel(order_id: int) -> AnyResponse:
    order = _read(order_id)
    if CANCELLED in order["allowed_statuses"]:
        return render("following/cancel.html", order=order, note="", errors={})
    return _too_late(order_id, order["status"], order["delivery"]["method"])


@blp.post("/<int:order_id>/cancel")
@customer_required
def cancel(order_id: int) -> AnyResponse:
    person, note = current_person(), request.form.get("note", "")
    order = _read(order_id)
    try:
        body = CancelSchema().load({"note": note})
    except ValidationError:
        errors = {"note": gettext("Write up to 500 letters.")}
        response = render("following/cancel.html", order=order, note=note, errors=errors)
        response.status_code = 422
        return response
    try:
        with transaction() as session:
            change_status(session, order_id, CANCELLED, own_actor(), note=body["note"], owner_id=person.id)
    except IllegalTransitionError as error:
        return _too_late(order_id, error.members["current"], order["delivery"]["method"])
    say(gettext("The order is cancelled."))
    return go("following.show_order", order_id=order_id)


@blp.post("/<int:order_id>/lines/<int:line_id>/refuse")
@customer_required
def refuse(order_id: int, line_id: int) -> AnyResponse:
    """Do without a substitute; refused once more, nothing changes."""
    try:
        with transaction() as session:
            refuse_substitute(session, order_id, line_id, own_actor(), owner_id=current_person().id, version=None)
    except TooLateError:
        say(gettext("It has left the shop. You can give it back to the rider and do not pay for it."), "note")
    except NotASubstituteError:
        say(gettext("This is what you ordered. Call us to change your order."), "note")
    else:
        say(gettext("Taken out of your order. You do not pay for it."))
    return go("following.show_order", order_id=order_id)


def say_differences(differences: dict[str, Any]) -> None:
    """What of an order or a list is in the basket now, and what is not as it was."""
    sentences = difference_words(differences)
    if not sentences:
        say(gettext("Everything is in your basket."))
    for sentence in sentences:
        say(sentence, "note")


def own_actor() -> Actor:
    """The person behind this request; staff are customers here, since these pages are about one's own orders."""
    return Actor(current_person().id, "customer")


def _read(order_id: int) -> dict[str, Any]:
    with reader() as connection:
        return reading.get_order(connection, order_id, own_actor())


def _too_late(order_id: int, status: str, method: str) -> AnyResponse:
    """Say why it cannot be cancelled any more, and what to do instead."""
    if status == CANCELLED:
        say(gettext("The order was cancelled before."), "note")
    else:
        state, phone = state_words(status, method), current_app.config["SHOP_PHONE"]
        say(gettext("It is too late to cancel. State of the order: %(state)s.", state=state), "bad")
        if phone:
            say(gettext("Call us: %(phone)s", phone=phone), "note")
    return go("following.show_order", order_id=order_id)
