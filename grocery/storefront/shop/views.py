"""The pages on which one looks for something to buy."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, redirect, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy import Connection, Row
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person_or_none, optional_person
from grocery.db import transaction
from grocery.fields import storable
from grocery.limits import client_network, limiter
from grocery.orders.bought import list_bought
from grocery.orders.delivery.area import list_areas
from grocery.products.categories import read_category, read_tree
from grocery.products.errors import CategoryNotFoundError
from grocery.products.listing import list_products
from grocery.products.requests.schemas import RequestProductSchema
from grocery.products.requests.service import request_product as keep_request
from grocery.products.rows import listed_product_json
from grocery.products.schemas import ListArgsSchema
from grocery.products.search import vocabulary
from grocery.products.search.words import words_of
from grocery.products.shelves import list_best_offers, list_shelf
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.storefront.basket.current import current_basket
from grocery.storefront.looks import slug
from grocery.storefront.pages import StorePages, go, render, render_parts, say, wants_parts
from grocery.storefront.shop.narrowing import (
    SEARCH_SORTS,
    SORTS,
    TICKED,
    active_choices,
    asked_filters,
    is_narrowed,
    list_address,
    name_orders,
)
from grocery.storefront.shop.shelf import Shelf, read_shelf

blp = StorePages("shop", __name__)

#: Cards of a section of the home page: full rows of two, three, four and six.
_SECTION = 12
_AGAIN = 6

#: Longer ones nobody searches for.
_MAX_SEARCH = 100

# Whoever asks for more is no shopper.
_REQUESTS = "5/minute;20/hour"

# More than a section, since some of them stand in one above.
_NEWEST = ListArgsSchema().load({"sort": "newest", "in_stock": True, "limit": _AGAIN + 2 * _SECTION})


@blp.get("/")
@optional_person
@reads_catalogue
def home() -> Response:
    person = current_person_or_none()
    with catalogue_reader() as connection:
        areas = list_areas(connection, person.id if person else None, datetime.now(UTC))
        categories = read_tree(connection)
        again = list_bought(connection, person.id, _AGAIN) if person else []
        offers = list_best_offers(connection, _AGAIN + _SECTION)
        newest = list_products(connection, _NEWEST).rows
    sections = dict(zip(("again", "offers", "newest"), _distinct(again, offers, newest), strict=True))
    return render("shop/home.html", areas=areas, categories=categories, **sections)


@blp.get("/c/<int:category_id>-<name>")
@optional_person
@reads_catalogue
def show_category(category_id: int, name: str) -> AnyResponse:
    """Its products and those of the categories below it; in pieces for the script that puts them into the page."""
    filters = {**asked_filters(*SORTS), "category": category_id}
    with catalogue_reader() as connection:
        category = read_category(connection, category_id)
        address = url_for("shop.show_category", category_id=category_id, name=slug(category["name"]))
        if moved := moved_to(address):
            return moved
        shelf = read_shelf(connection, list_shelf, **filters)
        if wants_parts():
            return render_parts("shop/_shelf.html", shelf=shelf)
        areas = areas_before_the_first_add(connection)
    return render(
        "shop/category.html",
        category=category,
        shelf=shelf,
        filters=filters,
        orders=name_orders(*SORTS),
        areas=areas,
        is_narrowed=is_narrowed(filters, "category"),
        # What is ticked stands above.
        active=active_choices(address, {**filters, **dict.fromkeys(TICKED)}),
        narrow_address=list_address(f"{address}/filter"),
    )


@blp.get("/search")
@optional_person
@reads_catalogue
def search() -> Response:
    """What is found by words, or what a brand has; in pieces for the script."""
    q, filters = asked_words(), asked_filters(*SEARCH_SORTS)
    with catalogue_reader() as connection:
        shelf = _found(connection, q, filters)
        if shelf and wants_parts():
            return render_parts("shop/_shelf.html", shelf=shelf)
        is_found = shelf is not None and shelf.products
        categories = [] if is_found else read_tree(connection)
        category = name_of(connection, filters["category"])
    about = "" if q else "brand"
    return render(
        "shop/search.html",
        q=q,
        shelf=shelf,
        categories=categories,
        words=_known_words(q),
        filters=filters,
        active=active_choices(request.path, filters, category, about=about),
        is_narrowed=shelf is not None and is_narrowed(filters, about),
        narrow_address=list_address(url_for("shop.narrow_search")),
    )


@blp.post("/search/requests")
@optional_person
def request_product() -> AnyResponse:
    """Note what somebody looked for in vain, for those who buy for the shop."""
    limiter().hit(_REQUESTS, "product_request", client_network())
    person = current_person_or_none()
    words = request.form.get("words", "")
    try:
        body = RequestProductSchema().load({"words": words})
    except ValidationError:
        say(gettext("Write what you miss in up to 100 letters."), "bad")
        return go("shop.search", q=words[:_MAX_SEARCH])
    with transaction() as session:
        keep_request(session, body["words"], person.id if person else None)
    say(gettext("Thank you. We will see whether we can get %(words)s.", words=body["words"]))
    return go("shop.search", q=body["words"])


def moved_to(address: str) -> AnyResponse | None:
    """To the one address of what has been renamed, or was linked with another name; None when it is that one."""
    if request.script_root + request.path == address:
        return None
    # Not as arguments of url_for, some of which would change the host.
    query = urlencode([*request.args.items(multi=True)])
    return redirect(f"{address}?{query}" if query else address, 301)


def areas_before_the_first_add(connection: Connection) -> list[dict[str, Any]]:
    """What delivery costs, for those who have put nothing into their basket yet; the basket says it to the others."""
    basket = current_basket()
    if basket and basket["items"]:
        return []
    person = current_person_or_none()
    return list_areas(connection, person.id if person else None, datetime.now(UTC))


def asked_words() -> str:
    """What is searched for, as far as it may be long."""
    return " ".join(storable(request.args.get("q", "")).split())[:_MAX_SEARCH]


def name_of(connection: Connection, category_id: int | None) -> str | None:
    """The name of a category that a search is narrowed down to; None when there is none such."""
    if category_id is None:
        return None
    try:
        name: str = read_category(connection, category_id)["name"]
    except CategoryNotFoundError:
        return None
    return name


def _found(connection: Connection, q: str, filters: dict[str, Any]) -> Shelf | None:
    if q:
        return read_shelf(connection, list_products, **{**filters, "q": q})
    if filters["brand"]:
        return read_shelf(connection, list_shelf, **{**filters, "sort": filters["sort"] or SORTS[0]})
    return None


def _known_words(q: str) -> list[str]:
    """Those of several words that would find something alone."""
    words, known = dict.fromkeys(words_of(q)), vocabulary()
    return [word for word in words if known.uses_of(word)][:5] if len(words) > 1 else []


def _distinct(*sections: Sequence[Row]) -> Iterator[list[dict[str, Any]]]:
    """Sections of a page as JSON, each without what one before it shows: a product has one place in a page."""
    shown: set[int] = set()
    for rows in sections:
        fresh = [row for row in rows if row.id not in shown][:_SECTION]
        shown.update(row.id for row in fresh)
        yield [listed_product_json(row) for row in fresh]


@blp.app_template_global()
def canonical(endpoint: str, **values: Any) -> str:
    """The one address of a page for search engines, with the shop's own host."""
    return f"{current_app.config['SHOP_URL']}{url_for(endpoint, **values)}"
