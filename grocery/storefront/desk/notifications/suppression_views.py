"""Addresses that get nothing but what their holders ask for or need."""

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import transaction
from grocery.notify.suppressions import service
from grocery.notify.suppressions.errors import SuppressionNotFoundError
from grocery.notify.suppressions.schemas import SuppressionArgsSchema
from grocery.paging import cut_page, decode_cursor, encode_cursor
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.forms import REFUSALS, explain, first_of, is_ticked, written
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.words import CHANNELS, REASONS, WORDS
from grocery.storefront.pages import go, render, say

_CAUGHT: tuple[type[Exception], ...] = (*REFUSALS, SuppressionNotFoundError)


@blp.get("/suppressions")
@admin_required
def list_suppressions() -> Response:
    filters, errors = read_filters(SuppressionArgsSchema())
    cursor, limit = filters.pop("cursor"), filters.pop("limit")
    after = _position(cursor) if cursor is not None else None
    rows = service.list_suppressions(**filters, after=after, limit=limit + 1)
    page, next_cursor = cut_page(rows, limit, lambda row: encode_cursor(row["channel"], row["address"]))
    return render(
        "desk/notifications/suppressions.html",
        rows=page,
        errors=errors,
        channels=CHANNELS,
        reasons=REASONS,
        next_address=next_address(next_cursor),
        first_address=first_address(),
    )


@blp.post("/suppressions/lift")
@admin_required
def lift_suppression() -> AnyResponse:
    """Write to an address again; to one whose holder said STOP only when they have asked for it."""
    channel, address = written("channel"), written("address")
    try:
        with transaction():
            service.lift_for_holder(channel, address, is_forced=is_ticked("is_forced"))
    except _CAUGHT as error:
        say(first_of(explain(error, WORDS)), "bad")
    else:
        say(gettext("%(address)s gets messages again.", address=address))
    return go("desk_notifications.list_suppressions")


def _position(cursor: str) -> tuple[str, str]:
    channel, address = decode_cursor(cursor, str, str)
    return channel, address
