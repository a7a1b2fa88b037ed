"""The list of products: one statement whatever the filters, paged by the key of the last row seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Row, cast, func, tuple_

from grocery.paging import decode_cursor, encode_cursor
from grocery.products.filters import filter_conditions, tsquery
from grocery.products.rows import PRODUCTS, select_products
from grocery.products.search.query import prefix_query


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
    conditions = [is_listed, *filter_conditions(arguments, query)]
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
            return _Order(-cast(func.ts_rank(PRODUCTS.c.search, tsquery(query)), Double), float)
        case _:
            return _Order(func.lower(PRODUCTS.c.name), str)


def _is_after(order: _Order, cursor: str) -> ColumnElement[bool]:
    last = tuple_(*decode_cursor(cursor, order.key_type, int))
    here = tuple_(order.key, PRODUCTS.c.id)
    return here < last if order.is_descending else here > last
