"""The routes of imports and of the export."""

from typing import Any

from flask import Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import admin_required, current_person
from grocery.auth.throttling.tries import limit_costly
from grocery.db import transaction
from grocery.limits import TOO_MANY
from grocery.paging import NEXT_LINK, PageArgsSchema, add_next_link, cut_page, decode_cursor, decode_id, encode_cursor
from grocery.products.imports import listing
from grocery.products.imports.downloads import catalogue_file
from grocery.products.imports.schemas import (
    CANCELLED_EXAMPLE,
    EXPORT_EXAMPLE,
    IMPORT_EXAMPLE,
    LISTED_IMPORT_EXAMPLE,
    WAITING_EXAMPLE,
    ExportArgsSchema,
    ImportArgsSchema,
    ImportSchema,
    ListedImportSchema,
    RefusalSchema,
)
from grocery.products.imports.staging import check_upload, store_import
from grocery.products.imports.uploads import UPLOAD_BODY, csv_body, received_file

blp = Blueprint("imports", __name__, description="The catalogue as CSV: import and export.")

_DISPOSITION = {
    "Content-Disposition": {"schema": {"type": "string"}, "description": "A name for the file, with the date."}
}
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where to ask how far the import is."}}


@blp.route("/products/import", methods=["POST"])
@admin_required
@csv_body
@blp.doc(requestBody=UPLOAD_BODY)
@blp.problems(
    _400="The file broke off while it was sent.",
    _411="`text/csv` without `Content-Length`.",
    _413="The file has more than 64 MiB.",
    _415="Neither `text/csv` nor `multipart/form-data`.",
    _429=TOO_MANY,
    _422="Nothing of the file can be used: `bad_file` (not UTF-8, a column missing …), `too_many_rows`; or"
    " `map` is not valid.",
)
@blp.arguments(ImportArgsSchema, location="query")
@blp.response(
    202, ImportSchema, description="The import, waiting for its turn.", headers=_LOCATION, example=WAITING_EXAMPLE
)
def import_products(arguments: dict[str, Any]) -> ResponseReturnValue:
    """Import products from a CSV file

    UTF-8, with `,` or `;` between the cells and the names of columns in the first row; `name`, `category` and `price`
    are needed. The work is done in the background: ask at `Location` how far it is.

    Good rows are applied and bad ones listed with the reason; with `strict`, all rows or none (10,000 rows at most).
    """
    mapping, strict = arguments["map"], arguments["strict"]
    limit_costly(current_person().id, "import")
    with received_file() as (path, filename):
        checked = check_upload(path, mapping, strict=strict)
        with transaction():
            import_id = store_import(
                path,
                checked,
                filename=filename,
                mapping=mapping,
                dry_run=arguments["dry_run"],
                strict=strict,
                actor_id=current_person().id,
            )
    location = url_for("imports.get_import", import_id=import_id)
    return jsonify(listing.get_import(import_id)), 202, {"Location": location}


@blp.route("/products/export")
@admin_required
@blp.problems(_422="`bom` is not valid.", _429=TOO_MANY)
@blp.arguments(ExportArgsSchema, location="query")
@blp.response(
    200,
    {"type": "string"},
    content_type="text/csv",
    description="All products, withdrawn ones too.",
    headers=_DISPOSITION,
    example=EXPORT_EXAMPLE,
)
def export_products(arguments: dict[str, Any]) -> Response:
    """Export all products as CSV

    With the columns of an import: exported, changed in a spreadsheet, imported again. A cell that a spreadsheet would
    run as a formula has an apostrophe before it, which an import takes away again.
    """
    limit_costly(current_person().id, "products-export")
    return catalogue_file(bom=arguments["bom"])


@blp.route("/imports/")
@admin_required
@blp.problems(_422="`limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200,
    ListedImportSchema(many=True),
    description="A page of imports.",
    headers=NEXT_LINK,
    example=[LISTED_IMPORT_EXAMPLE],
)
def list_imports(arguments: dict[str, Any]) -> Response:
    """List imports, newest first

    They are kept for 90 days. The next page stands in the header `Link`.
    """
    cursor, limit = arguments["cursor"], arguments["limit"]
    before_id = decode_id(cursor)
    found = listing.list_imports(before_id, limit + 1)
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.id))
    return add_next_link(jsonify([listing.import_json(row) for row in rows]), next_cursor)


@blp.route("/imports/<int:import_id>")
@admin_required
@blp.response(200, ImportSchema, description="The import as it is now.", example=IMPORT_EXAMPLE)
def get_import(import_id: int) -> Response:
    """Read an import: how far it is, and what became of the rows so far"""
    return jsonify(listing.get_import(import_id))


@blp.route("/imports/<int:import_id>/refusals")
@admin_required
@blp.found_first(listing.check_import_exists)
@blp.problems(_422="`limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200,
    RefusalSchema(many=True),
    description="A page of refusals.",
    headers=NEXT_LINK,
    example=IMPORT_EXAMPLE["refusals"],
)
def list_refusals(arguments: dict[str, Any], import_id: int) -> Response:
    """List the rows of an import that were refused, with the reasons

    In the order of the file. The next page stands in the header `Link`.
    """
    cursor, limit = arguments["cursor"], arguments["limit"]
    after_row = decode_cursor(cursor, int)[0] if cursor is not None else 0
    found = listing.list_refusals(import_id, after_row, limit + 1)
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.row))
    return add_next_link(jsonify([listing.refusal_json(row) for row in rows]), next_cursor)


@blp.route("/imports/<int:import_id>/cancel", methods=["POST"])
@admin_required
@blp.problems(_409="It is over already: `import_finished`.")
@blp.response(200, ImportSchema, description="The import, cancelled.", example=CANCELLED_EXAMPLE)
def cancel_import(import_id: int) -> Response:
    """Cancel an import

    What was applied before stays, as the counts say; of a strict import that is nothing.
    """
    with transaction():
        listing.cancel_import(import_id)
    return jsonify(listing.get_import(import_id))
