"""All the pages and forms of shoppers, from the routes and templates that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from grocery import storefront
from grocery.auth.pages import Pages

_TEMPLATES = Path(storefront.__file__).parent / "templates"
_NAMED = re.compile(r'\bname="([a-z_]+)"|\bfield\("([a-z_]+)"')
_NOT_FIELDS = {"csrf_token", "viewport", "description", "robots"}


def shopper_rules(app: Flask, method: str) -> Iterator[Rule]:
    """Of pages for shoppers and of the public page of an order, not of the desk."""
    for rule in app.url_map.iter_rules():
        name = rule.endpoint.partition(".")[0]
        is_page = isinstance(app.blueprints.get(name), Pages) or rule.endpoint == "tracking.show_tracked_order"
        if is_page and method in (rule.methods or ()) and not name.startswith("desk"):
            yield rule


def address_of(rule: Rule, number: str = "1", word: str = "x") -> str:
    return re.sub(r"<int:\w+>", number, re.sub(r"<(?!int:)(\w+:)?\w+>", word, rule.rule))


def field_names() -> list[str]:
    found = {
        match[1] or match[2]
        for path in _TEMPLATES.rglob("*.html")
        if "desk" not in path.parts
        for match in _NAMED.finditer(path.read_text())
    }
    return sorted(found - _NOT_FIELDS)
