"""Lists of products as pages show them, with "Show more" that Back finds again.

An address has the cursor at which its list begins and the number of `pages` shown from there. So each is the list that
was looked at, whether a script has put pages below each other or the link was followed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import ValidationError
from sqlalchemy import Connection

from grocery.errors import InvalidError
from grocery.products.listing import Page
from grocery.products.rows import listed_product_json
from grocery.products.schemas import ListArgsSchema

#: Products of a page: what three screens of a phone show.
PAGE_SIZE = 24

#: Pages below each other in one address: what a list gives at once.
_MAX_PAGES = 4

_ARGUMENTS = ListArgsSchema()

Lister = Callable[[Connection, dict[str, Any]], Page]


@dataclass(frozen=True)
class Shelf:
    """Products as JSON, and where the list goes on: `next_address` for the link, None at its end."""

    products: list[dict[str, Any]]
    next_address: str | None
    is_first: bool
    suggested: str | None = None
    is_corrected: bool = False


def read_shelf(connection: Connection, lister: Lister, **filters: Any) -> Shelf:
    """The list that the address of this request asks for. What it has that no list has is taken as not there."""
    pages, cursor = _asked_pages(), request.args.get("cursor")
    limit = PAGE_SIZE * pages
    try:
        page = lister(connection, _load(filters, limit=limit, cursor=cursor))
    except (InvalidError, ValidationError):  # a cursor of another list, or one cut off by a messenger
        page, cursor = lister(connection, _load(filters, limit=limit)), None
    return Shelf(
        products=[listed_product_json(row) for row in page.rows],
        next_address=_address(cursor=page.next_cursor, q=page.suggested) if page.next_cursor else None,
        is_first=cursor is None,
        suggested=page.suggested,
        is_corrected=page.is_corrected,
    )


def _load(filters: dict[str, Any], **paging: Any) -> dict[str, Any]:
    given = {name: value for name, value in {**filters, **paging}.items() if value is not None}
    arguments: dict[str, Any] = _ARGUMENTS.load(given)
    return arguments


def _asked_pages() -> int:
    asked = request.args.get("pages", "1")
    return min(int(asked), _MAX_PAGES) if asked in ("1", "2", "3", "4") else 1


def _address(**changes: Any) -> str:
    """The address of this request with other arguments."""
    kept = {name: value for name, value in request.args.items() if name not in ("cursor", "pages")}
    changed = {name: value for name, value in changes.items() if value is not None}
    return f"{request.path}?{urlencode({**kept, **changed})}"
