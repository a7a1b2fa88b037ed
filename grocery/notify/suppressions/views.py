"""The routes of /suppressions."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.db import transaction
from grocery.notify.access import admin_only
from grocery.notify.suppressions import service
from grocery.notify.suppressions.schemas import (
    SUPPRESSION_EXAMPLE,
    LiftArgsSchema,
    SuppressionArgsSchema,
    SuppressionSchema,
)
from grocery.paging import NEXT_LINK, add_next_link, cut_page, decode_cursor, encode_cursor

blp = Blueprint(
    "suppressions",
    __name__,
    url_prefix="/suppressions",
    description="Addresses that get nothing but what their holders ask for or need.",
)


@blp.route("/")
@admin_only
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(SuppressionArgsSchema, location="query")
@blp.response(200, SuppressionSchema(many=True), headers=NEXT_LINK, example=[SUPPRESSION_EXAMPLE])
def list_suppressions(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List suppressed addresses

    By channel and address. The next page stands in the header `Link`.
    """
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    after = None
    if cursor is not None:
        channel, address = decode_cursor(cursor, str, str)
        after = (channel, address)
    rows = service.list_suppressions(**arguments, after=after, limit=limit + 1)
    page, next_cursor = cut_page(rows, limit, lambda row: encode_cursor(row["channel"], row["address"]))
    return add_next_link(jsonify(SuppressionSchema(many=True).dump(page)), next_cursor)


@blp.route("/<channel>/<path:address>", methods=["DELETE"])
@admin_only
@blp.arguments(LiftArgsSchema, location="query")
@blp.problems(
    _404="The address is not on the list (`suppression_not_found`).",
    _409="Its holder said STOP, and comes back by START (`stopped_by_holder`).",
)
@blp.response(204)
def lift_suppression(arguments: dict[str, Any], channel: str, address: str) -> None:
    """Write to an address again

    For a number that the provider has unblocked, or a mailbox that is there again.
    """
    with transaction():
        service.lift_for_holder(channel, address, is_forced=arguments["force"])
