"""The list of products: one statement whatever the filters, paged by the key of the last row seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, bindparam, func, select, tuple_

from grocery.paging import decode_cursor, encode_cursor
from grocery.products.filters import filter_conditions, filter_parameters, given_filters
from grocery.products.ranking import rank_products
from grocery.products.rows import PRODUCTS, select_products
from grocery.products.search import vocabulary
from grocery.products.search.query import Search, correct_words, parse_search

#: Of more products that match, those found first are put in the order of relevance: nobody looks at so many, and
#: ranking is what costs time. All other orders list all that match.
MAX_RANKED = 2000

# Of these, so many are looked at more closely.
_RANKED_CLOSELY = 300

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


@dataclass(frozen=True, eq=False)
class _Order:
    """Rows go by `key` and by id where keys are equal, both in the same direction."""

    key: Any  # a column or an expression; SQLAlchemy has no common type for them. None: the badness of a search
    key_type: type
    is_descending: bool = False


_LIMIT = bindparam("limit", type_=Integer)

_ORDERS = {
    "name": _Order(func.lower(PRODUCTS.c.name), str),
    "price": _Order(PRODUCTS.c.price_cents, int),
    "-price": _Order(PRODUCTS.c.price_cents, int, is_descending=True),
    "newest": _Order(PRODUCTS.c.id, int, is_descending=True),
}
_RELEVANCE = _Order(None, float)


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
    sort = arguments["sort"] or ("relevance" if search else "name")
    order = _RELEVANCE if search and sort == "relevance" else _ORDERS.get(sort, _ORDERS["name"])
    parameters = {**filter_parameters(arguments, search), "limit": arguments["limit"] + 1}
    if arguments["cursor"]:
        parameters["after_key"], parameters["after_id"] = decode_cursor(arguments["cursor"], order.key_type, int)
    given = given_filters(arguments, search)
    statement = _make_statement(order, given, is_active=arguments["is_active"], is_later=bool(arguments["cursor"]))
    rows = list(connection.execute(statement, parameters))
    if len(rows) <= arguments["limit"]:
        return Page(rows, None)
    last = rows[-2]
    return Page(rows[:-1], encode_cursor(last.sort_key, last.id))


@lru_cache(maxsize=1024)
def _make_statement(order: _Order, given: frozenset[str], *, is_active: bool, is_later: bool) -> Select:
    """The statement for these filters, for the first page or a later one; to make it takes longer than to run it."""
    conditions = [PRODUCTS.c.is_active if is_active else ~PRODUCTS.c.is_active, *filter_conditions(given)]
    make = _by_relevance if order is _RELEVANCE else _in_order
    return make(order, conditions, is_later=is_later)


def _in_order(order: _Order, conditions: list[ColumnElement[bool]], *, is_later: bool) -> Select:
    key, row_id = order.key, PRODUCTS.c.id
    if is_later:
        conditions = [*conditions, _is_after(order, key, row_id)]
    direction = "desc" if order.is_descending else "asc"
    return (
        select_products()
        .add_columns(key.label("sort_key"))
        .where(*conditions)
        .order_by(getattr(key, direction)(), getattr(row_id, direction)())
        .limit(_LIMIT)
    )


def _by_relevance(order: _Order, conditions: list[ColumnElement[bool]], *, is_later: bool) -> Select:
    """Ids in their order first, then the rows of the page."""
    ranked = rank_products(conditions, at_most=MAX_RANKED, closely=_RANKED_CLOSELY)
    page = select(ranked).order_by(ranked.c.badness, ranked.c.id).limit(_LIMIT)
    if is_later:
        page = page.where(_is_after(order, ranked.c.badness, ranked.c.id))
    best = page.subquery("best")
    return (
        select_products()
        .add_columns(best.c.badness.label("sort_key"))
        .join(best, best.c.id == PRODUCTS.c.id)
        .order_by(best.c.badness, best.c.id)
    )


def _is_after(order: _Order, key: Any, row_id: ColumnElement[int]) -> ColumnElement[bool]:
    last, here = tuple_(bindparam("after_key"), bindparam("after_id")), tuple_(key, row_id)
    return here < last if order.is_descending else here > last
