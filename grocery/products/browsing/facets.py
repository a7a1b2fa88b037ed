"""How many products there would be under each further filter: one statement, counted in one pass."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Connection, Integer, Select, cast, func, literal_column, select, text, tuple_

from grocery import money
from grocery.products.browsing.bands import Band, band_sql, make_bands
from grocery.products.filters import filter_conditions, filter_parameters, given_filters
from grocery.products.rows import PRODUCTS
from grocery.products.search import vocabulary
from grocery.products.search.query import Search, correct_words, parse_search

# Price band, offer and stock as one number: the fewer columns there are to group by, the faster it goes.
_CELL: ColumnElement[Any] = literal_column(
    f"({band_sql('products.price_cents')}) * 4"
    " + CASE WHEN products.compare_at_price_cents IS NULL THEN 0 ELSE 2 END"
    " + CASE WHEN products.in_stock THEN 1 ELSE 0 END"
)

# Each product counts in its category and in all above. GROUPING() has a bit for each column that is not grouped by.
_CATEGORIES: ColumnElement[Any] = literal_column("""(
    WITH RECURSIVE line AS (
        SELECT category_id AS id, n FROM totals WHERE grouped = 3
        UNION ALL
        SELECT category.parent_id, line.n FROM line JOIN categories AS category ON category.id = line.id
        WHERE category.parent_id IS NOT NULL
    ) SELECT coalesce(json_agg(json_build_object(
        'id', id, 'name', name, 'path', path, 'parent_id', parent_id, 'count', n
    ) ORDER BY position, lower(name), id), '[]')
    FROM (SELECT id, sum(n) AS n FROM line GROUP BY id) AS counted JOIN categories USING (id)
)""")

# The 50 most frequent. Of several spellings in other letter case, the most frequent one.
_BRANDS: ColumnElement[Any] = literal_column("""(
    SELECT coalesce(json_agg(json_build_object('brand', brand, 'count', n)), '[]') FROM (
        SELECT (array_agg(brand ORDER BY n DESC, brand))[1] AS brand, sum(n) AS n FROM totals
        WHERE grouped = 5 AND brand IS NOT NULL GROUP BY lower(brand) ORDER BY 2 DESC, lower(brand) LIMIT 50
    ) AS counted
)""")

_CELLS: ColumnElement[Any] = literal_column("""(
    SELECT coalesce(json_agg(json_build_array(cell, n)), '[]') FROM totals WHERE grouped = 6
)""")


def count_facets(connection: Connection, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Counts by category, brand, price band, offer and stock of the products for sale.

    `arguments` are those of FilterArgsSchema; the products are those that the list has under the same ones,
    those of a better spelling when `q` finds none.
    """
    typed = arguments["q"]
    if not typed:
        return _count(connection, arguments, None)
    search = parse_search(typed, vocabulary())
    if search is None:
        return _facets_json(arguments, [], [], [])
    facets = _count(connection, arguments, search)
    if not facets["categories"] and (words := correct_words(search.words, vocabulary())):
        return _count(connection, arguments, parse_search(" ".join(words), vocabulary()))
    return facets


def _count(connection: Connection, arguments: Mapping[str, Any], search: Search | None) -> dict[str, Any]:
    statement = _make_statement(given_filters(arguments, search))
    row = connection.execute(statement, filter_parameters(arguments, search)).one()
    return _facets_json(arguments, row.categories, row.brands, row.cells)


@lru_cache(maxsize=256)
def _make_statement(given: frozenset[str]) -> Select:
    """Counts by all facets together, and of these few groups the totals by each."""
    cells = (
        select(PRODUCTS.c.category_id, PRODUCTS.c.brand, _CELL.label("cell"), cast(func.count(), Integer).label("n"))
        .where(PRODUCTS.c.is_active, *filter_conditions(given))
        .group_by(PRODUCTS.c.category_id, PRODUCTS.c.brand, text("cell"))
        .cte("cells")
    )
    facets = (cells.c.category_id, cells.c.brand, cells.c.cell)
    totals = (
        select(*facets, cast(func.sum(cells.c.n), Integer).label("n"), func.grouping(*facets).label("grouped"))
        .group_by(func.grouping_sets(*map(tuple_, facets)))
        .cte("totals")
    )
    return select(_CATEGORIES.label("categories"), _BRANDS.label("brands"), _CELLS.label("cells")).add_cte(totals)


def _facets_json(
    arguments: Mapping[str, Any], categories: list[Any], brands: list[Any], cells: list[tuple[int, int]]
) -> dict[str, Any]:
    bands, offers, stocks = Counter[int](), Counter[bool](), Counter[bool]()
    for cell, count in cells:
        bands[cell // 4] += count
        offers[bool(cell & 2)] += count
        stocks[bool(cell & 1)] += count
    return {
        "currency": current_app.config["CURRENCY"],
        "categories": categories,
        "brands": brands,
        "price_bands": [_band_json(band, arguments["min_price"], arguments["max_price"]) for band in make_bands(bands)],
        "on_offer": _truths_json(offers),
        "in_stock": _truths_json(stocks),
    }


def _band_json(band: Band, min_cents: int | None, max_cents: int | None) -> dict[str, Any]:
    """With bounds for `min_price` and `max_price`, both included, inside of those that were asked for."""
    lowest = max(band.low_cents, min_cents or 0)
    highest = max_cents if band.high_cents is None else band.high_cents - 1
    if highest is not None and max_cents is not None:
        highest = min(highest, max_cents)
    return {
        "min": money.to_text(lowest),
        "max": None if highest is None else money.to_text(highest),
        "count": band.count,
    }


def _truths_json(counts: Counter[bool]) -> list[dict[str, Any]]:
    return [{"value": value, "count": counts[value]} for value in (True, False)]
