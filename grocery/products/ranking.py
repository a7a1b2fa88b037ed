"""The order of relevance: one number for each product found, as SQL."""

from sqlalchemy import ColumnElement, Double, case, cast, func

from grocery.products.filters import has_code, tsquery
from grocery.products.rows import PRODUCTS
from grocery.products.search.query import Search

# Each step weighs more than all below it together.
_CODE, _IN_STOCK, _MAX_RANK = 1000.0, 10.0, 5.0

# Tried with the searches of test_search_quality.py. A word twice in a name is worth less than being what the thing is,
# and the shorter of two names says it more plainly.
_IS_CALLED, _IS_CALLED_JUST_SO, _PER_CHARACTER = 0.4, 0.2, 0.002


def badness(search: Search) -> ColumnElement[float]:
    """How far down a product belongs: as a double precision, which a cursor holds exactly; below zero, smallest first.

    The one whose SKU or barcode was typed stands before all, what is in stock before what is not; then counts how well
    the words fit: those of the name more than of brand, category and description, and most what the thing is called.
    """
    name = func.lower(PRODUCTS.c.name)
    rank = func.least(func.ts_rank(PRODUCTS.c.search, tsquery(search.ranks)), _MAX_RANK)
    # A face wash with honey is no honey.
    is_called = func.split_part(name, " with ", 1).regexp_match(search.names)
    is_called_just_so = func.starts_with(name, search.begins)
    goodness = (
        case((has_code(search), _CODE), else_=0.0)
        + case((PRODUCTS.c.in_stock, _IN_STOCK), else_=0.0)
        + rank
        + case((is_called, _IS_CALLED + case((is_called_just_so, _IS_CALLED_JUST_SO), else_=0.0)), else_=0.0)
        - func.length(name) * _PER_CHARACTER
    )
    return -cast(goodness, Double)
