"""The routes of /notifications."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.db import Row, transaction
from grocery.notify import outbox
from grocery.notify.access import admin_only
from grocery.notify.schemas import NOTIFICATION_EXAMPLE, NotificationArgsSchema, NotificationSchema
from grocery.paging import NEXT_LINK, add_next_link, cut_page, decode_id, encode_cursor

blp = Blueprint(
    "notifications", __name__, url_prefix="/notifications", description="What was told to whom by SMS and e-mail."
)


@blp.route("/")
@admin_only
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(NotificationArgsSchema, location="query")
@blp.response(200, NotificationSchema(many=True), headers=NEXT_LINK, example=[NOTIFICATION_EXAMPLE])
def list_notifications(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List messages, newest first

    With every attempt's outcome. The next page stands in the header `Link`.
    """
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    before_id = decode_id(cursor)
    rows = outbox.list_notifications(**arguments, before_id=before_id, limit=limit + 1)
    page, next_cursor = cut_page(rows, limit, lambda row: encode_cursor(row["id"]))
    return add_next_link(jsonify(NotificationSchema(many=True).dump(page)), next_cursor)


@blp.route("/<int:notification_id>/resend", methods=["POST"])
@admin_only
@blp.problems(_409="`not_resendable`: sent, about to be sent by itself, an offer, or to an address that gets no more.")
@blp.response(
    200,
    NotificationSchema,
    description="The message, waiting to be sent.",
    example={**NOTIFICATION_EXAMPLE, "status": "pending", "provider_id": None, "cost": None, "sent_at": None},
)
def resend_notification(notification_id: int) -> Row:
    """Send a message anew

    For one that failed, or of which nobody knows whether it arrived (`unknown`) and which is not tried any more.
    """
    with transaction():
        return outbox.resend(notification_id)
