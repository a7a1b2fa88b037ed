"""Import of a file: tried first, then applied, watched while it goes; and the export."""

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person
from grocery.auth.throttling.tries import limit_costly
from grocery.db import reader, transaction
from grocery.errors import InvalidError, MalformedError
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.products.imports import listing, staging
from grocery.products.imports.downloads import catalogue_file, refusals_file
from grocery.products.imports.uploads import received_file
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.pages import go, refused, render, render_parts, say, wants_parts

#: Imports of a page of the history.
_LIMIT = 20

STATUSES = {
    "waiting": lazy_gettext("waiting for its turn"),
    "running": lazy_gettext("running"),
    "done": lazy_gettext("done"),
    "failed": lazy_gettext("broke off"),
    "cancelled": lazy_gettext("stopped"),
}

_WORDS = {"file": lazy_gettext("Choose a CSV file first.")}


@blp.get("/import")
@admin_required
def show_import() -> Response:
    return _page({})


@blp.post("/import")
@admin_required
def start_import() -> AnyResponse:
    """Take a file and try it: nothing is written until its outcome was seen."""
    limit_costly(current_person().id, "import")
    try:
        import_id = _store(is_strict=forms.is_ticked("strict"))
    except forms.REFUSALS as error:
        errors = forms.explain(error, _WORDS)
        # What is wrong with the file as a whole, the service says best: it names columns and rows.
        return _refused({"file": errors.get("file") or errors.get(forms.FORM, "")})
    except MalformedError:
        return _refused({"file": gettext("The file broke off while it was sent. Send it again.")})
    return go("desk_products.show_one_import", import_id=import_id)


@blp.get("/imports/<int:import_id>")
@admin_required
def show_one_import(import_id: int) -> Response:
    """How far it is and what became of it; for the script only what changes."""
    found = listing.get_import(import_id)
    with reader() as connection:
        can_apply = found["dry_run"] and found["status"] == "done" and staging.has_file(connection, import_id)
    values = {
        "found": found,
        "words": str(STATUSES[found["status"]]),
        "is_open": found["status"] in ("waiting", "running"),
        "can_apply": can_apply,
    }
    if wants_parts():
        return render_parts("desk/imports/_progress.html", **values)
    return render("desk/imports/one.html", **values)


@blp.post("/imports/<int:import_id>/apply")
@admin_required
def apply_import(import_id: int) -> AnyResponse:
    """Import in earnest what was tried."""
    listing.check_import_exists(import_id)
    try:
        with transaction():
            new_id = staging.apply_dry_run(import_id, actor_id=current_person().id)
    except forms.REFUSALS:
        say(gettext("This file was imported already, or was tried too long ago. Send it again."), "bad")
        return go("desk_products.show_import")
    return go("desk_products.show_one_import", import_id=new_id)


@blp.post("/imports/<int:import_id>/cancel")
@admin_required
def cancel_import(import_id: int) -> AnyResponse:
    try:
        with transaction():
            listing.cancel_import(import_id)
    except forms.REFUSALS:
        say(gettext("It is over already."), "note")
    else:
        say(gettext("Stopped. What was done before stays."))
    return go("desk_products.show_one_import", import_id=import_id)


@blp.get("/imports/<int:import_id>/refused.csv")
@admin_required
def download_refusals(import_id: int) -> Response:
    return refusals_file(import_id)


@blp.get("/export.csv")
@admin_required
def export_products() -> Response:
    """All products, as an import takes them; with what Excel needs to read accents."""
    limit_costly(current_person().id, "products-export")
    return catalogue_file(bom=True)


def _store(*, is_strict: bool) -> int:
    with received_file() as (path, filename):
        if not filename:
            raise InvalidError("The form has no file.", errors={"file": ["Must be a CSV file."]})
        checked = staging.check_upload(path, {}, strict=is_strict)
        with transaction():
            return staging.store_import(
                path,
                checked,
                filename=filename,
                mapping={},
                dry_run=True,
                strict=is_strict,
                actor_id=current_person().id,
            )


def _refused(errors: dict[str, str]) -> AnyResponse:
    return refused(_page(errors))


def _page(errors: dict[str, str]) -> Response:
    rows = listing.list_imports(_asked_before(), _LIMIT + 1)
    shown, next_cursor = cut_page(rows, _LIMIT, lambda row: encode_cursor(row.id))
    return render(
        "desk/imports/list.html", imports=[_listed(row) for row in shown], next_cursor=next_cursor, errors=errors
    )


def _asked_before() -> int | None:
    try:
        return decode_id(request.args.get("cursor"))
    except InvalidError:
        return None


def _listed(row: Any) -> dict[str, Any]:
    found = listing.import_json(row)
    return {**found, "words": str(STATUSES[found["status"]])}
