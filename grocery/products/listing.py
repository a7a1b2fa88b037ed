"""The list of products: one statement whatever the filters, paged by the key of the last row seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, tuple_

from grocery.paging import decode_cursor, encode_cursor
from grocery.products.filters import filter_conditions
from grocery.products.ranking import badness
from grocery.products.rows import PRODUCTS, select_products
from grocery.products.search import vocabulary
from grocery.products.search.query import Search, correct_words, parse_search

#: Of more products that match, those found first are put in the order of relevance: nobody looks at so many, and
#: ranking is what costs time. All other orders list all that match.
MAX_RANKED = 3000

# A search that finds fewer was probably misspelt.
_FEW_FOUND = 3


@dataclass(frozen=True)
class Page:
    """Rows of `select_products()` and the cursor of the next page, if there is one.

    `suggested` is a better spelt search; with `is_corrected`, the rows are what that one finds.
    """

    rows: list[Row]
    next_cursor: str | None
    suggested: str | None = None
    is_corrected: bool = False


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
    if not typed:
        return _read_page(connection, arguments, None)
    search = parse_search(typed, vocabulary())
    if search is None:
        return Page([], None)
    page = _read_page(connection, arguments, search)
    if arguments["cursor"] or page.next_cursor or len(page.rows) >= _FEW_FOUND:
        return page
    return _with_correction(connection, arguments, search, page)


def _with_correction(connection: Connection, arguments: Mapping[str, Any], search: Search, page: Page) -> Page:
    """What was found with an offer of a better spelling, or what that finds when nothing was found."""
    words = correct_words(search.words, vocabulary())
    if words is None:
        return page
    suggested = " ".join(words)
    if page.rows:
        return replace(page, suggested=suggested)
    corrected = _read_page(connection, arguments, parse_search(suggested, vocabulary()))
    return replace(corrected, suggested=suggested, is_corrected=True) if corrected.rows else page


def _read_page(connection: Connection, arguments: Mapping[str, Any], search: Search | None) -> Page:
    is_listed = PRODUCTS.c.is_active if arguments["is_active"] else ~PRODUCTS.c.is_active
    conditions = [is_listed, *filter_conditions(arguments, search)]
    sort = arguments["sort"] or ("relevance" if search else "name")
    if search and sort == "relevance":
        statement = _by_relevance(search, conditions, arguments)
    else:
        statement = _in_order(_order(sort), conditions, arguments)
    rows = list(connection.execute(statement))
    if len(rows) <= arguments["limit"]:
        return Page(rows, None)
    last = rows[-2]
    return Page(rows[:-1], encode_cursor(last.sort_key, last.id))


def _in_order(order: _Order, conditions: list[ColumnElement[bool]], arguments: Mapping[str, Any]) -> Select:
    if arguments["cursor"]:
        conditions = [*conditions, _is_after(order, PRODUCTS.c.id, arguments["cursor"])]
    direction = "desc" if order.is_descending else "asc"
    return (
        select_products()
        .add_columns(order.key.label("sort_key"))
        .where(*conditions)
        .order_by(getattr(order.key, direction)(), getattr(PRODUCTS.c.id, direction)())
        .limit(arguments["limit"] + 1)
    )


def _by_relevance(search: Search, conditions: list[ColumnElement[bool]], arguments: Mapping[str, Any]) -> Select:
    """Scores first, with nothing but ids beside them; then the rows of the page."""
    score = badness(search).label("sort_key")
    found = select(PRODUCTS.c.id, score).where(*conditions).limit(MAX_RANKED).subquery("found")
    ranked = select(found).order_by(found.c.sort_key, found.c.id).limit(arguments["limit"] + 1)
    if arguments["cursor"]:
        ranked = ranked.where(_is_after(_Order(found.c.sort_key, float), found.c.id, arguments["cursor"]))
    best = ranked.subquery("best")
    return (
        select_products()
        .add_columns(best.c.sort_key)
        .join(best, best.c.id == PRODUCTS.c.id)
        .order_by(best.c.sort_key, best.c.id)
    )


def _order(sort: str) -> _Order:
    match sort:
        case "price":
            return _Order(PRODUCTS.c.price_cents, int)
        case "-price":
            return _Order(PRODUCTS.c.price_cents, int, is_descending=True)
        case "newest":
            return _Order(PRODUCTS.c.id, int, is_descending=True)
        case _:
            return _Order(func.lower(PRODUCTS.c.name), str)


def _is_after(order: _Order, row_id: ColumnElement[int], cursor: str) -> ColumnElement[bool]:
    last = tuple_(*decode_cursor(cursor, order.key_type, int))
    here = tuple_(order.key, row_id)
    return here < last if order.is_descending else here > last
