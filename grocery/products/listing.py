"""The list of products: one statement whatever the filters, paged by the key of the last row seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Row, cast, func, or_, select, tuple_

from grocery.paging import decode_cursor, encode_cursor
from grocery.products.rows import CATEGORIES, PRODUCTS, select_products
from grocery.products.search import prefix_query


@dataclass(frozen=True)
class Page:
    """Rows of `select_products()` and the cursor of the next page, if there is one."""

    rows: list[Row]
    next_cursor: str | None


@dataclass(frozen=True)
class _Order:
    """Rows go by `key` and by id where keys are equal, both in the same direction."""

    key: Any  # a column or an expression; SQLAlchemy has no common type for them
    key_type: type
    is_descending: bool = False


def list_products(connection: Connection, arguments: Mapping[str, Any]) -> Page:
    """A page of the products for sale, or of those withdrawn from sale.

    `arguments` are those of ListArgsSchema. Raises InvalidError for a cursor of another list.
    """
    typed = arguments["q"]
    query = prefix_query(typed) if typed else None
    order = _order(arguments["sort"] or ("relevance" if query else "name"), query)
    is_listed = PRODUCTS.c.is_active if arguments["is_active"] else ~PRODUCTS.c.is_active
    conditions = [is_listed, *_conditions(arguments, query)]
    if arguments["cursor"]:
        conditions.append(_is_after(order, arguments["cursor"]))
    if typed and not query:
        return Page([], None)

    direction = "desc" if order.is_descending else "asc"
    statement = (
        select_products()
        .add_columns(order.key.label("sort_key"))
        .where(*conditions)
        .order_by(getattr(order.key, direction)(), getattr(PRODUCTS.c.id, direction)())
        .limit(arguments["limit"] + 1)
    )
    rows = list(connection.execute(statement))
    if len(rows) <= arguments["limit"]:
        return Page(rows, None)
    last = rows[-2]
    return Page(rows[:-1], encode_cursor(last.sort_key, last.id))


def _conditions(arguments: Mapping[str, Any], query: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query:
        conditions.append(PRODUCTS.c.search.bool_op("@@")(_tsquery(query)))
    if arguments["category"] is not None:
        conditions.append(PRODUCTS.c.category_id.in_(_branch(arguments["category"])))
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


def _order(sort: str, query: str | None) -> _Order:
    match sort:
        case "price":
            return _Order(PRODUCTS.c.price_cents, int)
        case "-price":
            return _Order(PRODUCTS.c.price_cents, int, is_descending=True)
        case "newest":
            return _Order(PRODUCTS.c.id, int, is_descending=True)
        case "relevance" if query:
            # As a double precision, which a cursor holds exactly; negative, so that the best comes first.
            return _Order(-cast(func.ts_rank(PRODUCTS.c.search, _tsquery(query)), Double), float)
        case _:
            return _Order(func.lower(PRODUCTS.c.name), str)


def _is_after(order: _Order, cursor: str) -> ColumnElement[bool]:
    last = tuple_(*decode_cursor(cursor, order.key_type, int))
    here = tuple_(order.key, PRODUCTS.c.id)
    return here < last if order.is_descending else here > last


def _branch(category_id: int) -> Any:
    """The ids of a category and of all below it."""
    root, node = CATEGORIES.alias(), CATEGORIES.alias()
    is_below = func.starts_with(node.c.path, root.c.path + "/")
    return (
        select(node.c.id)
        .select_from(node.join(root, or_(node.c.id == root.c.id, is_below)))
        .where(root.c.id == category_id)
    )


def _tsquery(query: str) -> ColumnElement[Any]:
    return func.to_tsquery("grocery", query)
