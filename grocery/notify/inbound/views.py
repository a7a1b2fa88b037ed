"""The provider's callback for an SMS that came in, and the list of them."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.db import transaction
from grocery.notify.access import admin_only
from grocery.notify.inbound.reading import list_inbound
from grocery.notify.inbound.receiving import keep_sms
from grocery.notify.inbound.schemas import (
    INBOUND_FORM_EXAMPLE,
    INBOUND_SMS_EXAMPLE,
    InboundSmsArgsSchema,
    InboundSmsFormSchema,
    InboundSmsSchema,
)
from grocery.notify.receipts.forms import callback
from grocery.paging import NEXT_LINK, add_next_link, cut_page, decode_id, encode_cursor

blp = Blueprint("inbound_sms", __name__, description="What people wrote to the shop by SMS.")


@blp.route("/notify/sms/<secret>/inbound", methods=["POST"])
@blp.response(200, description="Taken, or not to be sent again, as any form that cannot be read.")
@callback(InboundSmsFormSchema, INBOUND_FORM_EXAMPLE)
def take_inbound_sms(form: dict[str, Any]) -> None:
    """Take an SMS that a customer sent

    Kept at once, answered by SMS a moment later. The same one sent again changes nothing.
    """
    with transaction():
        keep_sms(form)


@blp.route("/inbound-sms/")
@admin_only
@blp.problems(_422="A filter, `limit` or `cursor` is not valid (`bad_cursor`), or `phone` is no number.")
@blp.arguments(InboundSmsArgsSchema, location="query")
@blp.response(200, InboundSmsSchema(many=True), headers=NEXT_LINK, example=[INBOUND_SMS_EXAMPLE])
def list_inbound_sms(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List what people wrote, newest first

    With `is_understood=false` what no command was found in: somebody should read it. The next page stands in the
    header `Link`.
    """
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    before_id = decode_id(cursor)
    rows = list_inbound(**arguments, before_id=before_id, limit=limit + 1)
    page, next_cursor = cut_page(rows, limit, lambda row: encode_cursor(row["id"]))
    return add_next_link(jsonify(InboundSmsSchema(many=True).dump(page)), next_cursor)
