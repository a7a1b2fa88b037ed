"""Keyset paging: a cursor names the last row seen, so that page 1,000 costs as much as page 1."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Response, request

from grocery.errors import InvalidError
from grocery.fields import Integer, Schema, Text

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

T = TypeVar("T")

#: For `headers=` of a list's `blp.response`.
NEXT_LINK = {"Link": {"schema": {"type": "string"}, "description": 'The next page, if any: `<…>; rel="next"`.'}}


@dataclass(frozen=True)
class Page:
    """Rows as JSON-ready data, and the cursor of the next page, if there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class PageArgsSchema(Schema):
    """The query arguments that every list takes."""

    limit = Integer(
        low=1, high=MAX_LIMIT, load_default=DEFAULT_LIMIT, metadata={"description": "Rows on a page, 1 to 100."}
    )
    cursor = Text(load_default=None, metadata={"description": "Where to go on; taken from the `Link` header."})


def encode_cursor(*key: Any) -> str:
    """The sort key of a row as an opaque word for an address."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """The sort key in a cursor; raises InvalidError when it is not one made for this list.

    A cursor is not signed: one that was made up can only name another place in the same list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError):
        raise _invalid_cursor() from None
    if not isinstance(key, list) or [type(part) for part in key] != list(types) or _is_unstorable(key):
        raise _invalid_cursor()
    return key


def decode_id(cursor: str | None) -> int | None:
    """The id in a cursor of a list that is sorted by it, None for the first page; raises InvalidError."""
    return decode_cursor(cursor, int)[0] if cursor is not None else None


def cut_page(found: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The rows of a page, and the cursor of the next page, if there is one: `found` was to have one row more."""
    page = found[:limit]
    return page, cursor_of(page[-1]) if len(found) > limit else None


def add_next_link(response: Response, cursor: str | None, **changed: str) -> Response:
    """Say in the `Link` header (RFC 8288) where the next page is, if there is one.

    It has the arguments of this request, but for those that are `changed`.
    """
    if cursor is not None:
        changed = {**changed, "cursor": cursor}
        arguments = [(name, value) for name, value in request.args.items(multi=True) if name not in changed]
        query = urlencode([*arguments, *changed.items()])
        response.headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
    return response


def _is_unstorable(key: list[Any]) -> bool:
    return any(
        (isinstance(part, str) and "\x00" in part) or (isinstance(part, int) and abs(part) >= 2**63) for part in key
    )


def _invalid_cursor() -> InvalidError:
    return InvalidError("The cursor is not one of this list.", errors={"cursor": ["Is not valid."]}, code="bad_cursor")
