"""Lists of the desk: filters from the address, and the address of the next page."""

from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext
from marshmallow import Schema, ValidationError

from grocery.storefront.languages import ARGUMENT

_LONGEST_SEARCH = 100


def read_filters(schema: Schema) -> tuple[dict[str, Any], dict[str, str]]:
    """What the address asks for, as the schema has it, and what is said of filters that make no sense.

    Those are left out, as all that the schema does not know: a list is still of use without one.
    """
    names = {field.data_key or name for name, field in schema.fields.items()}
    given = {name: text for name, text in request.args.items() if name in names and text.strip()}
    # A mapping that is no dict is what the fields take for an address, where everything is text.
    try:
        return dict(schema.load(MappingProxyType(given))), {}
    except ValidationError as error:
        wrong = {str(name): gettext("This filter makes no sense, so it was left out.") for name in error.messages_dict}
    kept = {name: text for name, text in given.items() if name not in wrong}
    return dict(schema.load(MappingProxyType(kept))), wrong


def read_search() -> str:
    """What is searched for, of characters that can be: a scanner may send others."""
    asked = request.args.get("q", "")
    return " ".join("".join(one if one.isprintable() else " " for one in asked).split())[:_LONGEST_SEARCH]


def next_address(cursor: str | None) -> str | None:
    """The address of the next page of this list; None without one."""
    return _address(cursor=cursor) if cursor else None


def first_address() -> str | None:
    """The address of the list's first page; None there."""
    return _address() if "cursor" in request.args else None


def _address(**changed: str) -> str:
    kept = {name: text for name, text in request.args.items() if name not in ("cursor", ARGUMENT) and text}
    query = urlencode({**kept, **changed})
    return f"{request.path}?{query}" if query else request.path
