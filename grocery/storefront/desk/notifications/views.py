"""The log of messages, and sending again what was given up."""

from typing import Any

from flask import Response
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.auth.people import normalize_email
from grocery.db import reader, transaction
from grocery.fields import Name, Phone
from grocery.notify import outbox
from grocery.notify.figures import read_figures
from grocery.notify.schemas import NotificationArgsSchema
from grocery.orders.access import current_actor
from grocery.orders.reading import list_orders
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.forms import REFUSALS, explain, first_of, written
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.words import (
    CHANNELS,
    EVENTS,
    STATES,
    WORDS,
    error_words,
    event_words,
    state_tag,
)
from grocery.storefront.pages import go_back, render, say

#: How far back "all that failed" reaches: what is older is no news any more.
_HOURS = 24


class _Recipient(Name):
    """A phone number in any usual writing, or an e-mail address, as messages have them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        return normalize_email(text) if "@" in text else Phone().deserialize(text)


class _FilterSchema(NotificationArgsSchema):
    recipient = _Recipient(load_default=None)
    order = Name(load_default=None)


@blp.get("/", strict_slashes=False)
@admin_required
def list_notifications() -> Response:
    """What was told to whom, the newest first."""
    filters, errors = read_filters(_FilterSchema())
    before_id, limit, number = decode_id(filters.pop("cursor")), filters.pop("limit"), filters.pop("order")
    if number:
        filters["order_id"] = _find_order(number)
    found = outbox.list_notifications(**filters, before_id=before_id, limit=limit + 1)
    messages, cursor = cut_page(found, limit, lambda row: encode_cursor(row["id"]))
    return render(
        "desk/notifications/list.html",
        messages=messages,
        errors=errors,
        figures=read_figures(),
        hours=_HOURS,
        channels=CHANNELS,
        events=EVENTS,
        states=STATES,
        event_words=event_words,
        error_words=error_words,
        state_tag=state_tag,
        next_address=next_address(cursor),
        first_address=first_address(),
    )


@blp.post("/<int:notification_id>/resend")
@admin_required
def resend_notification(notification_id: int) -> AnyResponse:
    """Send one message again. What waits already is not sent twice, however often the button is tapped."""
    try:
        with transaction():
            outbox.resend(notification_id)
    except REFUSALS as error:
        say(first_of(explain(error, WORDS)), "bad")
    else:
        say(gettext("The message waits to be sent."))
    return go_back("desk_notifications.list_notifications")


@blp.post("/resend-failed")
@admin_required
def resend_failed() -> AnyResponse:
    """Send again all that failed lately, of one channel if the form names it."""
    channel = written("channel") if written("channel") in CHANNELS else None
    with transaction():
        number = outbox.resend_failed(channel=channel, event=None, hours=_HOURS)
    say(ngettext("%(num)s message waits to be sent.", "%(num)s messages wait to be sent.", number))
    return go_back("desk_notifications.list_notifications")


def _find_order(number: str) -> int:
    """The id of the order with this number; 0, which none has, where there is none."""
    wanted = number.strip().upper()
    with reader() as connection:
        found, _ = list_orders(connection, current_actor(), limit=5, cursor=None, q=wanted)
    return next((order["id"] for order in found if order["number"] == wanted), 0)
