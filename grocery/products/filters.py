"""Which products the filters of a request leave, as SQL: what the list shows is what the facets count."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from grocery.products.rows import CATEGORIES, PRODUCTS
from grocery.products.search.query import Search


def filter_conditions(arguments: Mapping[str, Any], search: Search | None) -> list[ColumnElement[bool]]:
    """The conditions on products that fit `arguments`, those of FilterArgsSchema.

    `search` is what `q` means; None: no search.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(is_found(search))
    if arguments["category"] is not None:
        conditions.append(PRODUCTS.c.category_id.in_(branch_ids(arguments["category"])))
    if arguments["brand"]:
        conditions.append(func.lower(PRODUCTS.c.brand) == func.lower(arguments["brand"]))
    if arguments["min_price"] is not None:
        conditions.append(PRODUCTS.c.price_cents >= arguments["min_price"])
    if arguments["max_price"] is not None:
        conditions.append(PRODUCTS.c.price_cents <= arguments["max_price"])
    if arguments["in_stock"] is not None:
        conditions.append(PRODUCTS.c.in_stock == arguments["in_stock"])
    if arguments["on_offer"] is not None:
        conditions.append(PRODUCTS.c.compare_at_price_cents.is_not(None) == arguments["on_offer"])
    return conditions


def tsquery(query: str) -> ColumnElement[Any]:
    """A query of the configuration whose words the column `products.search` has."""
    return func.to_tsquery("grocery", query)


def is_found(search: Search) -> ColumnElement[bool]:
    """Whether a search finds the product: by its words or as a code."""
    return or_(PRODUCTS.c.search.bool_op("@@")(tsquery(search.matches)), has_code(search))


def has_code(search: Search) -> ColumnElement[bool]:
    """Whether what was typed is the SKU, in the letter case of the shop or all in one, or the barcode."""
    typed = search.typed
    skus = sorted({typed, typed.upper(), typed.lower()})
    return or_(PRODUCTS.c.sku.in_(skus), PRODUCTS.c.barcode == typed)


def branch_ids(category_id: int) -> Any:
    """The ids of a category and of all below it."""
    root, node = CATEGORIES.alias(), CATEGORIES.alias()
    is_below = func.starts_with(node.c.path, root.c.path + "/")
    return (
        select(node.c.id)
        .select_from(node.join(root, or_(node.c.id == root.c.id, is_below)))
        .where(root.c.id == category_id)
    )
