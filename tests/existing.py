"""Made-up requests about what is there: else nearly all that name something would end at "not found"."""

import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from sqlalchemy import text

from grocery.db import db

#: The tables that ids are of: by the part of an address before them, and by the field of a body.
TABLES = {
    "addresses": "addresses",
    "campaigns": "campaigns",
    "categories": "categories",
    "imports": "product_imports",
    "items": "products",
    "lines": "order_lines",
    "lists": "shopping_lists",
    "notifications": "notifications",
    "orders": "orders",
    "prices": "price_changes",
    "products": "products",
    "promotions": "promotions",
    "returns": "order_returns",
    "runs": "delivery_runs",
    "slots": "delivery_slots",
    "templates": "slot_templates",
    "users": "customers",
    "zones": "delivery_zones",
    "address_id": "addresses",
    "category_id": "categories",
    "category_ids": "categories",
    "collector_id": "customers",
    "line_id": "order_lines",
    "lot_id": "stock_lots",
    "order_ids": "orders",
    "parent_id": "categories",
    "product_id": "products",
    "product_ids": "products",
    "rider_id": "customers",
    "slot_id": "delivery_slots",
    "substitute_product_id": "products",
    "zone_id": "delivery_zones",
}
_ID_IN_ADDRESS = re.compile(rf"(?<=/)({'|'.join(TABLES)})/([1-9][0-9]{{0,17}})(?=/|$)")
_SECRET_IN_ADDRESS = re.compile(r"(?<=^/notify/)(sms|mail)/[^/]{2,}(?=/)")


class Existing:
    """Puts the id of a row that is there in the place of four in five made-up ids; the others stay not found.

    Only what is a good id becomes another good id: whether the schemas allow a request stays as it was.
    """

    def __init__(self, app: Flask, inner: WSGIApplication):
        self._app, self._inner = app, inner
        self._secrets = {"sms": app.config["AT_CALLBACK_SECRET"], "mail": app.config["MAIL_CALLBACK_SECRET"]}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        known = _Known(cache(self._ids))
        path = _ID_IN_ADDRESS.sub(lambda found: f"{found[1]}/{known.id(found[1], int(found[2]))}", environ["PATH_INFO"])
        environ["PATH_INFO"] = _SECRET_IN_ADDRESS.sub(lambda found: f"{found[1]}/{self._secrets[found[1]]}", path)
        if environ.get("CONTENT_TYPE") == "application/json" and environ.get("CONTENT_LENGTH"):
            body = _rewritten(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])), known)
            environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        return self._inner(environ, start_response)

    def _ids(self, table: str) -> Sequence[int]:
        with self._app.app_context(), db.engine.connect() as connection:
            return connection.scalars(text(f"SELECT id FROM {table} ORDER BY id")).all()


class _Known:
    """The ids that are there during one request; `ids` gives those of a table."""

    def __init__(self, ids: Callable[[str], Sequence[int]]):
        self._ids = ids

    def id(self, name: str, made_up: int) -> int:
        ids = [] if made_up % 5 == 4 else self._ids(TABLES[name])
        return ids[made_up % len(ids)] if ids else made_up

    def in_value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.in_value(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.in_value(name, inner) for inner in value]
        return self.id(name, value) if name in TABLES and type(value) is int and 0 < value < 2**63 else value


def _rewritten(body: bytes, known: _Known) -> bytes:
    try:
        return json.dumps(known.in_value("", json.loads(body)), allow_nan=False).encode()
    except (ValueError, RecursionError):
        return body
