"""Files to take home: the catalogue as CSV, and the rows of an import that were refused."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice

from flask import Flask, Response, current_app

from grocery.products import exports
from grocery.products.imports import listing
from grocery.products.imports.formulas import escape
from grocery.running import running_app

#: Refusals that are read at once.
_BATCH = 1000


def catalogue_file(*, bom: bool) -> Response:
    """All products as CSV, streamed; `bom` is what Excel needs."""
    blocks = exports.export_products(bom=bom)
    # The header and the first products before the answer begins: a database that is away is still a 503.
    started = list(islice(blocks, 2))
    body = chain((block.text for block in started), _streamed(running_app(), blocks))
    response = Response(body, mimetype="text/csv")
    today = datetime.now(current_app.config["TIMEZONE"]).date()
    response.headers["Content-Disposition"] = f'attachment; filename="products-{today}.csv"'
    return response


def refusals_file(import_id: int) -> Response:
    """The refused rows of an import as CSV, with the reasons; raises NotFoundError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["row", "reason"])
    after_row = 0
    while rows := listing.list_refusals(import_id, after_row, _BATCH):
        # A reason may quote the file.
        writer.writerows([row.row, escape(row.reason)] for row in rows)
        after_row = rows[-1].row
    response = Response(text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{import_id}-refused.csv"'
    return response


def _streamed(app: Flask, blocks: Iterator[exports.Block]) -> Iterator[str]:
    """The text of blocks that are made when the server asks for them, after the request's own context has ended."""
    while True:
        with app.app_context():
            block = next(blocks, None)
        if block is None:
            return
        yield block.text
