"""Who did what to whom."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, current_app
from flask_babel import gettext
from marshmallow import fields

from grocery.auth.access import admin_required
from grocery.auth.audit.reading import list_entries as read_entries
from grocery.auth.audit.schemas import AuditArgsSchema
from grocery.auth.desk_reading import read_names
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.storefront.desk.audit.details import detail_words, field_words
from grocery.storefront.desk.audit.words import ACTIONS, ROLES, SUBJECTS, action_words, name_of
from grocery.storefront.desk.dates import stamped
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.pages import render

blp = DeskPages("desk_audit", __name__, url_prefix="/admin/audit")


class _FilterSchema(AuditArgsSchema):
    """Days, as people ask for them, in the place of moments."""

    first = fields.Date(data_key="from", load_default=None)
    last = fields.Date(data_key="until", load_default=None)


@blp.get("/", strict_slashes=False)
@admin_required
def list_entries() -> Response:
    """The log, the newest first."""
    filters, errors = read_filters(_FilterSchema())
    before_id, limit, action = decode_id(filters.pop("cursor")), filters.pop("limit"), filters.pop("action")
    first, last = filters.pop("first"), filters.pop("last")
    try:
        filters |= _moments(first, last)
    except OverflowError:
        errors["from"] = gettext("This filter makes no sense, so it was left out.")
    if action:
        filters["actions"] = _names_of(action)
    found = read_entries(filters, limit=limit + 1, before_id=before_id)
    entries, cursor = cut_page(found, limit, lambda entry: encode_cursor(entry["id"]))
    return render(
        "desk/audit/list.html",
        entries=entries,
        names=read_names(_people_in(entries)),
        errors=errors,
        actions=ACTIONS,
        stamped=stamped,
        roles=ROLES,
        subjects=SUBJECTS,
        action_words=action_words,
        detail_words=detail_words,
        field_words=field_words,
        next_address=next_address(cursor),
        first_address=first_address(),
    )


def _moments(first: date | None, last: date | None) -> dict[str, datetime]:
    """From the first day's beginning to the last one's end, in the shop's time; raises OverflowError."""
    zone = current_app.config["TIMEZONE"]
    moments = {}
    if first is not None:
        moments["after"] = datetime.combine(first, time(), zone)
    if last is not None:
        moments["before"] = datetime.combine(last + timedelta(days=1), time(), zone)
    return moments


def _names_of(action: str) -> list[str]:
    """The action by all of its names: that of the request, and those of the pages that do the same."""
    return [action, *[name for name in current_app.view_functions if "." in name and name_of(name) == action]]


def _people_in(entries: Any) -> set[int]:
    actors = {entry["actor_id"] for entry in entries}
    subjects = {entry["subject_id"] for entry in entries if entry["subject_type"] == "customer"}
    return (actors | subjects) - {None}
