"""The order of relevance: one number for each product found, as SQL.

Takes the `search_parameters`. The number is a double precision, which a cursor holds exactly.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Double, Subquery, bindparam, case, cast, func, select

from grocery.products.filters import has_code, tsquery
from grocery.products.rows import PRODUCTS

# Each step weighs more than all below it together.
_CODE, _IN_STOCK, _MAX_RANK = 1000.0, 10.0, 5.0

# Tried with the searches of test_search_quality.py. A word twice in a name is worth less than being what the thing is,
# and the shorter of two names says it more plainly.
_IS_CALLED, _IS_CALLED_JUST_SO, _PER_CHARACTER = 0.4, 0.2, 0.002


def rank_products(conditions: Collection[ColumnElement[bool]], *, at_most: int, closely: int) -> Subquery:
    """The `id` and the `badness` of products that a search finds, smallest first the best.

    Of more than `at_most`, those found first are ranked; the best `closely` of these by what their names say they are,
    which costs four times as much as all else. That can only let one rise, so the rest stays behind.
    """
    found = select(PRODUCTS.c.id, PRODUCTS.c.name, _rough_badness().label("rough")).where(*conditions)
    found_first = found.limit(at_most).subquery("found")
    place = func.row_number().over(order_by=(found_first.c.rough, found_first.c.id)).label("place")
    placed = select(found_first, place).subquery("placed")
    bonus = case((placed.c.place <= closely, _bonus(placed.c.name)), else_=0.0)
    return select(placed.c.id, (placed.c.rough - cast(bonus, Double)).label("badness")).subquery("ranked")


def _rough_badness() -> ColumnElement[float]:
    """By what costs little, below zero.

    The one whose SKU or barcode was typed stands before all, what is in stock before what is not; then counts how well
    the words fit: those of the name more than of brand, category and description.
    """
    rank = func.least(func.ts_rank(PRODUCTS.c.search, tsquery("q_ranks")), _MAX_RANK)
    goodness = (
        case((has_code(), _CODE), else_=0.0)
        + case((PRODUCTS.c.in_stock, _IN_STOCK), else_=0.0)
        + rank
        - func.length(PRODUCTS.c.name) * _PER_CHARACTER
    )
    return -cast(goodness, Double)


def _bonus(name: ColumnElement[str]) -> ColumnElement[float]:
    """For what is called what was searched for."""
    lower = func.lower(name)
    # A face wash with honey is no honey.
    is_called = func.split_part(lower, " with ", 1).regexp_match(bindparam("q_names"))
    is_called_just_so = func.starts_with(lower, bindparam("q_begins"))
    return case((is_called, _IS_CALLED + case((is_called_just_so, _IS_CALLED_JUST_SO), else_=0.0)), else_=0.0)
