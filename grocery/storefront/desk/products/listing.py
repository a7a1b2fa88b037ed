"""The list of products: found by words, category and state; changed on the spot."""

from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import ValidationError
from sqlalchemy import Connection

from grocery.auth.access import staff_required
from grocery.db import reader
from grocery.errors import InvalidError
from grocery.products.inventory.counting import ledger_mark
from grocery.products.listing import Page
from grocery.products.listing import list_products as read_page
from grocery.products.requests.service import list_requests
from grocery.products.schemas import ListArgsSchema
from grocery.storefront.desk.filters import read_search
from grocery.storefront.desk.pages import with_camera
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.desk.products.rows import category_choices, row_json
from grocery.storefront.pages import render

#: Products of a page.
_LIMIT = 40

#: What the list can be cut to, and the filters for it.
STATES: dict[str, dict[str, Any]] = {
    "sale": {},
    "low": {"is_low": True},
    "out": {"in_stock": False},
    "withdrawn": {"is_active": False},
}


@blp.get("/", strict_slashes=False)
@staff_required
def list_products() -> Response:
    asked = request.args.get("state")
    state = asked if asked in STATES else "sale"
    q = read_search()
    with reader() as connection:
        mark = ledger_mark(connection)  # before the rows: who counts in between has not counted what they show
        page = _read(connection, q, state)
        categories = category_choices(connection, "")
    response = render(
        "desk/products/list.html",
        products=[row_json(row, mark) for row in page.rows],
        next_address=_address(cursor=page.next_cursor) if page.next_cursor else None,
        state=state,
        states={name: _address(state=name, cursor=None) for name in STATES},
        q=q,
        category=request.args.get("category", ""),
        categories=categories,
        suggested=page.suggested if page.is_corrected else None,
    )
    return with_camera(response)


@blp.get("/requests")
@staff_required
def show_requests() -> Response:
    """What customers have asked for, most often first."""
    with reader() as connection:
        return render("desk/products/requests.html", requests=list_requests(connection))


def _read(connection: Connection, q: str, state: str) -> Page:
    """The page that the address asks for; what it has that no list has is taken as not there."""
    asked = {"q": q, "category": request.args.get("category"), "cursor": request.args.get("cursor")}
    given = {name: value for name, value in asked.items() if value}
    try:
        return read_page(connection, _load(state, given))
    except (InvalidError, ValidationError):
        return read_page(connection, _load(state, {"q": q} if q else {}))


def _load(state: str, given: dict[str, Any]) -> dict[str, Any]:
    category = given.get("category", "")
    # The schema takes numbers as JSON has them.
    typed = {**given, "category": int(category) if category.isdecimal() else category} if category else given
    return {**ListArgsSchema().load({**typed, "limit": _LIMIT}), **STATES[state]}


def _address(**changes: Any) -> str:
    """The address of this request with other arguments."""
    arguments = {**request.args.to_dict(), **changes}
    return f"{request.path}?{urlencode({name: value for name, value in arguments.items() if value})}"
