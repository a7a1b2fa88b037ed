"""The order of relevance: a close look at the best lets one rise, and leaves the rest behind them in their order."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from grocery.db import reader
from grocery.products.filters import filter_conditions, search_parameters
from grocery.products.ranking import rank_products
from grocery.products.search import vocabulary
from grocery.products.search.query import parse_search
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def ranked() -> Callable[..., list[int]]:
    def rank(*, at_most: int, closely: int) -> list[int]:
        found = rank_products(filter_conditions({"q"}), at_most=at_most, closely=closely)
        statement = select(found.c.id).order_by(found.c.badness, found.c.id)
        search = parse_search("rice", vocabulary())
        assert search is not None
        with reader() as connection:
            return list(connection.execute(statement, search_parameters(search)).scalars())

    return rank


def test_only_so_many_are_looked_at_closely_and_the_rest_stays_behind(ranked: Callable[..., list[int]]) -> None:
    cake = make_product(name="Rice Cake", stock=5)
    cooker = make_product(name="Rice Cooker", stock=5)
    basmati = make_product(name="Basmati Rice", stock=5)
    best = make_product(name="Sunrise Long Grain Rice", stock=5)
    assert ranked(at_most=10, closely=4) == [basmati, best, cake, cooker]
    assert ranked(at_most=10, closely=3) == [basmati, cake, cooker, best]
    assert ranked(at_most=10, closely=0) == [cake, cooker, basmati, best]


def test_no_more_are_ranked_than_asked_for(ranked: Callable[..., list[int]]) -> None:
    products = {make_product(name=f"Rice {number}") for number in range(4)}
    found = ranked(at_most=3, closely=3)
    assert len(found) == 3
    assert set(found) < products
