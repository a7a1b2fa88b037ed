"""What people wrote to the shop by SMS, and what was understood."""

from flask import Response

from grocery.auth.access import admin_required
from grocery.notify.inbound.reading import list_inbound
from grocery.notify.inbound.schemas import InboundSmsArgsSchema
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.words import INBOUND_STATES
from grocery.storefront.pages import render


@blp.get("/inbound")
@admin_required
def list_inbound_sms() -> Response:
    filters, errors = read_filters(InboundSmsArgsSchema())
    before_id, limit = decode_id(filters.pop("cursor")), filters.pop("limit")
    rows = list_inbound(**filters, before_id=before_id, limit=limit + 1)
    page, cursor = cut_page(rows, limit, lambda row: encode_cursor(row["id"]))
    return render(
        "desk/notifications/inbound.html",
        rows=page,
        errors=errors,
        states=INBOUND_STATES,
        next_address=next_address(cursor),
        first_address=first_address(),
    )
