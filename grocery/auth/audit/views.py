"""The route of the audit log."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import admin_required
from grocery.auth.audit.reading import list_entries
from grocery.auth.audit.schemas import AuditArgsSchema, AuditEntrySchema
from grocery.paging import NEXT_LINK, add_next_link, decode_cursor, encode_cursor

blp = Blueprint("audit-log", __name__, url_prefix="/audit-log", description="Who did what to whom, for admins.")

_EXAMPLE = {
    "id": 901,
    "at": "2026-03-02T08:15:00Z",
    "actor_id": 1,
    "actor_role": "admin",
    "action": "update_user",
    "subject_type": "customer",
    "subject_id": 42,
    "details": {"fields": ["role"], "role": "staff"},
    "request_id": "7f0c2f6e4a3b4c0e9d5d3f1b2a6c8e10",
}


@blp.route("/")
@admin_required
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(AuditArgsSchema, location="query")
@blp.response(200, AuditEntrySchema(many=True), description="The newest first.", headers=NEXT_LINK, example=[_EXAMPLE])
def list_audit_entries(arguments: dict[str, Any]) -> ResponseReturnValue:
    """Read the audit log

    Every change by staff, admins and commands, every sign-in and every failure of one. Nobody can change or delete an
    entry; after two years the shop forgets it. The next page stands in the header `Link`.
    """
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    before_id = decode_cursor(cursor, int)[0] if cursor is not None else None
    entries = list_entries(arguments, limit=limit + 1, before_id=before_id)
    page = entries[:limit]
    next_cursor = encode_cursor(page[-1]["id"]) if len(entries) > limit else None
    return add_next_link(jsonify(AuditEntrySchema(many=True).dump(page)), next_cursor)
