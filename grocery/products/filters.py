"""Which products the filters of a request leave, as SQL: what the list shows is what the facets count.

Conditions depend on which filters are given only; the values are parameters, so that a statement is made once.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, any_, bindparam, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from grocery.products.rows import CATEGORIES, PRODUCTS
from grocery.products.search.query import Search

_FILTERS = ("category", "brand", "min_price", "max_price", "in_stock", "on_offer", "is_low")


def given_filters(arguments: Mapping[str, Any], search: Search | None) -> frozenset[str]:
    """The names of the filters in `arguments`, those of FilterArgsSchema, and what a search is.

    The desk has one more, `is_low`: those that are watched and run low.
    """
    given = {name for name in _FILTERS if arguments.get(name) not in (None, "")}
    return frozenset(given) | search_filter(search)


def search_filter(search: Search | None) -> frozenset[str]:
    """What of `given_filters` a search is."""
    if search is None:
        return frozenset()
    return frozenset({"q and also" if search.also else "q"})


def filter_conditions(given: Collection[str]) -> list[ColumnElement[bool]]:
    """The conditions on products of the `given_filters`; they take `filter_parameters`."""
    conditions = {
        "q": is_found,
        "q and also": lambda: is_found(with_also=True),
        "category": lambda: PRODUCTS.c.category_id.in_(branch_ids(bindparam("category"))),
        "brand": lambda: func.lower(PRODUCTS.c.brand) == func.lower(bindparam("brand")),
        "min_price": lambda: PRODUCTS.c.price_cents >= bindparam("min_price"),
        "max_price": lambda: PRODUCTS.c.price_cents <= bindparam("max_price"),
        "in_stock": lambda: PRODUCTS.c.in_stock == bindparam("in_stock"),
        "on_offer": lambda: PRODUCTS.c.compare_at_price_cents.is_not(None) == bindparam("on_offer"),
        "is_low": lambda: PRODUCTS.c.stock <= PRODUCTS.c.low_stock_threshold,
    }
    return [make() for name, make in conditions.items() if name in given]


def filter_parameters(arguments: Mapping[str, Any], search: Search | None) -> dict[str, Any]:
    """The values of all filters and of the search."""
    return {**{name: arguments.get(name) for name in _FILTERS}, **(search_parameters(search) if search else {})}


def search_parameters(search: Search) -> dict[str, Any]:
    """The values of `is_found` and of the order by relevance."""
    typed = search.typed
    return {
        "q_barcode": typed,
        "q_skus": sorted({typed, typed.upper(), typed.lower()}),
        "q_matches": search.matches,
        "q_also": search.also,
        "q_ranks": search.ranks,
        "q_names": search.names,
        "q_begins": search.begins,
    }


def tsquery(parameter: str) -> ColumnElement[Any]:
    """A query of the configuration whose words the column `products.search` has."""
    return func.to_tsquery("grocery", bindparam(parameter))


def is_found(*, with_also: bool = False) -> ColumnElement[bool]:
    """Whether a search finds the product: by its words or as a code."""
    matches = PRODUCTS.c.search.bool_op("@@")
    has_words: ColumnElement[bool] = matches(tsquery("q_matches"))
    if with_also:
        # IS TRUE keeps it from the index: of the few products that the other words leave, it is looked up in each.
        has_words = and_(has_words, matches(tsquery("q_also")).is_(true()))
    return or_(has_words, has_code())


def has_code() -> ColumnElement[bool]:
    """Whether what was typed is the SKU, in the letter case of the shop or all in one, or the barcode."""
    skus = cast(bindparam("q_skus"), ARRAY(Text))
    return or_(PRODUCTS.c.sku == any_(skus), PRODUCTS.c.barcode == bindparam("q_barcode"))


def branch_ids(category_id: Any) -> Any:
    """The ids of a category and of all below it."""
    root, node = CATEGORIES.alias(), CATEGORIES.alias()
    is_below = func.starts_with(node.c.path, root.c.path + "/")
    return (
        select(node.c.id)
        .select_from(node.join(root, or_(node.c.id == root.c.id, is_below)))
        .where(root.c.id == category_id)
    )
