"""Narrowing a list of products down: the filters of an address, and the choices that are left, each with its number.

Every choice is a link to the list with one filter more, so that one tap is enough and no script is needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy import Connection

from grocery.fields import read_id, storable
from grocery.products.browsing.facets import count_facets
from grocery.products.schemas import FilterArgsSchema
from grocery.storefront.looks import money

#: The orders of a list to choose from; what is found stands by how well it fits at first.
SORTS = ("name", "price", "-price", "newest")
SEARCH_SORTS = (None, "price", "-price", "newest")

#: Names of filters: of the price, of boxes that are ticked, and all that are written.
PRICES = ("min_price", "max_price")
TICKED = ("in_stock", "on_offer")
_WRITTEN = ("brand", *PRICES)
_ARGUMENTS = FilterArgsSchema()

#: What of an address stays when a filter changes: all but the place in the list.
KEPT = ("q", "sort", "category", *_WRITTEN, *TICKED)


@dataclass(frozen=True)
class Choice:
    """One way on: a filter more, or one less."""

    label: str
    address: str
    count: int | None = None
    is_chosen: bool = False


@dataclass(frozen=True)
class Group:
    """Choices of one kind; `name` is for templates: brand, price, stock or category."""

    name: str
    choices: list[Choice]


@dataclass(frozen=True)
class Choices:
    """All that a list can be narrowed down by, and how many products it has now."""

    count: int
    groups: list[Group]


def asked_filters(*orders: str | None) -> dict[str, Any]:
    """The filters of the address, as ListArgsSchema takes them, and its order, one of `orders`; else the first.

    What no list can be filtered by is taken as not there.
    """
    sort = request.args.get("sort")
    return {
        "sort": sort if sort in orders else orders[0],
        "category": read_id(request.args.get("category")),
        **{name: _written(name) for name in _WRITTEN},
        **{name: True if request.args.get(name) else None for name in TICKED},
    }


def is_narrowed(filters: Mapping[str, Any], about: str) -> bool:
    """Whether there is a filter but the one that the page itself is `about`."""
    return any(filters[name] for name in ("category", *_WRITTEN, *TICKED) if name != about)


def list_address(path: str, **changes: str | None) -> str:
    """The address of the list at `path` with the filters of this request; None takes one away."""
    kept = {name: value for name in KEPT if (value := storable(request.args.get(name, "")))}
    given = {name: value for name, value in {**kept, **changes}.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def active_choices(
    path: str, filters: Mapping[str, Any], category: str | None = None, *, about: str = ""
) -> list[Choice]:
    """The filters that are set but the one that the page is `about`, each with the address of the list without it.

    `category` is the name of the one that is set.
    """
    active = []
    if category and filters["category"]:
        active.append(Choice(category, list_address(path, category=None)))
    if filters["brand"] and about != "brand":
        active.append(Choice(filters["brand"], list_address(path, brand=None)))
    if filters["min_price"] or filters["max_price"]:
        label = _prices(filters["min_price"], filters["max_price"])
        active.append(Choice(label, list_address(path, min_price=None, max_price=None)))
    if filters["in_stock"]:
        active.append(Choice(gettext("In stock"), list_address(path, in_stock=None)))
    if filters["on_offer"]:
        active.append(Choice(gettext("On offer"), list_address(path, on_offer=None)))
    return active


def name_orders(*orders: str | None) -> dict[str | None, str]:
    """What people call orders of a list."""
    names = {
        None: gettext("Best match"),
        "name": gettext("Name"),
        "price": gettext("Cheapest first"),
        "-price": gettext("Dearest first"),
        "newest": gettext("Newest first"),
    }
    return {order: names[order] for order in orders}


def orders_to_choose(path: str, filters: Mapping[str, Any]) -> list[Choice]:
    """The orders of what is found."""
    return [
        Choice(name, list_address(path, sort=order), is_chosen=filters["sort"] == order)
        for order, name in name_orders(*SEARCH_SORTS).items()
    ]


def count_choices(connection: Connection, path: str, filters: Mapping[str, Any], **about: Any) -> Choices:
    """What the list at `path` can be narrowed down by; `about` is what the page itself is about, as filters."""
    given = {name: value for name, value in {**filters, **about}.items() if name != "sort" and value is not None}
    facets = count_facets(connection, _ARGUMENTS.load(given))
    total = sum(one["count"] for one in facets["in_stock"])
    offered: dict[str, Iterable[Choice]] = {
        "category": () if "category" in about else _categories(path, facets["categories"], filters["category"]),
        "brand": () if filters["brand"] else _brands(path, facets["brands"]),
        "price": _bands(path, facets["price_bands"]),
        "stock": _truths(path, facets, filters),
    }
    # A choice that leaves everything as it is, is none.
    groups = [Group(name, [one for one in choices if one.count != total]) for name, choices in offered.items()]
    return Choices(total, [group for group in groups if group.choices])


def _written(name: str) -> str | None:
    value = request.args.get(name, "")
    try:
        is_some = _ARGUMENTS.fields[name].deserialize(value) is not None
    except ValidationError:
        return None
    return value if is_some else None


def _prices(low: str | None, high: str | None) -> str:
    if low and high:
        return gettext("%(low)s to %(high)s", low=money(low), high=money(high))
    if low:
        return gettext("From %(low)s", low=money(low))
    return gettext("Up to %(high)s", high=money(high or "0"))


def _categories(path: str, facets: list[dict[str, Any]], chosen: int | None) -> Iterator[Choice]:
    """Those right below the one that is chosen; the top ones where none is."""
    for one in facets:
        if one["parent_id"] == chosen and one["count"]:
            yield Choice(one["name"], list_address(path, category=str(one["id"])), one["count"])


def _brands(path: str, facets: list[dict[str, Any]]) -> Iterator[Choice]:
    for one in facets:
        yield Choice(one["brand"], list_address(path, brand=one["brand"]), one["count"])


def _bands(path: str, facets: list[dict[str, Any]]) -> Iterator[Choice]:
    for one in facets:
        low = None if one["min"] == "0.00" else one["min"]
        address = list_address(path, min_price=low, max_price=one["max"])
        yield Choice(_prices(low, one["max"]), address, one["count"])


def _truths(path: str, facets: Mapping[str, Any], filters: Mapping[str, Any]) -> Iterator[Choice]:
    labels = {"in_stock": gettext("In stock"), "on_offer": gettext("On offer")}
    for name, label in labels.items():
        count = next(one["count"] for one in facets[name] if one["value"])
        if count and not filters[name]:
            yield Choice(label, list_address(path, **{name: "1"}), count)
