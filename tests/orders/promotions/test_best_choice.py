"""The best choice among promotions, beside all that the rules allow."""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import strategies as st

from grocery.orders.lines import PricedLine
from grocery.orders.promotions.rules import allocate, apply_promotions
from grocery.orders.promotions.terms import BASKET, BUY_X_GET_Y, FIXED, FREE_DELIVERY, PERCENT, Terms
from tests.orders.baskets import Case, assert_holds, cases, line, offer
from tests.orders.promotions.applying import taken_off


def shares_fit(weights_and_part: tuple[list[int], float]) -> None:
    weights, part = weights_and_part
    amount = int(sum(weights) * part)
    shares = allocate(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert not weight or abs(share - Fraction(amount * weight, sum(weights))) < 1


SHARES = st.tuples(st.lists(st.integers(0, 10**9), max_size=30), st.floats(0, 1))


def best_saving(case: Case) -> int:
    """The most that can be saved: by trying all that the rules allow."""
    lines, fee = case.lines, case.delivery.price_cents if case.delivery else 0
    subtotal = sum(one.total_cents for one in lines)
    allowed = [terms for terms in case.offers if terms.min_basket_cents <= subtotal]
    percentages = [
        max([percent_of(one.total_cents, terms) for terms in allowed if is_percentage_for(terms, one)], default=0)
        for one in lines
    ]
    several = [(saved_by_several(terms, lines), lines_for(terms, lines)) for terms in allowed if is_for_several(terms)]
    best = 0
    for count in range(len(several) + 1):
        for chosen in combinations(several, count):
            claimed = [index for _, indexes in chosen for index in indexes]
            if len(claimed) == len(set(claimed)):
                off_goods = sum(saved for saved, _ in chosen) + sum(percentages)
                off_goods -= sum(percentages[index] for index in claimed)
                off_basket = max([saved_on_basket(terms, subtotal - off_goods) for terms in allowed], default=0)
                best = max(best, off_goods + off_basket)
    return best + (fee if any(terms.kind == FREE_DELIVERY for terms in allowed) else 0)


def is_for_several(terms: Terms) -> bool:
    return terms.kind == BUY_X_GET_Y or (terms.kind == FIXED and terms.scope != BASKET)


def lines_for(terms: Terms, lines: list[PricedLine]) -> list[int]:
    return [
        index
        for index, one in enumerate(lines)
        if (terms.kind != BUY_X_GET_Y or one.unit == "each")
        and (terms.scope == BASKET or one.product_id in terms.product_ids or terms.category_ids & one.category_ids)
    ]


def saved_by_several(terms: Terms, lines: list[PricedLine]) -> int:
    chosen = [lines[index] for index in lines_for(terms, lines)]
    if terms.kind == FIXED:
        return min(int(terms.value * 100), sum(one.total_cents for one in chosen))
    prices = sorted((one.unit_price_cents for one in chosen for _ in range(int(one.quantity))), reverse=True)
    group = terms.buy_quantity + terms.get_quantity
    return sum(price for index, price in enumerate(prices) if index % group >= terms.buy_quantity)


def is_percentage_for(terms: Terms, one: PricedLine) -> bool:
    return terms.kind == PERCENT and terms.scope != BASKET and bool(lines_for(terms, [one]))


def percent_of(cents: int, terms: Terms) -> int:
    return min(cents, int(Fraction(terms.value) * cents / 100 + Fraction(1, 2)))


def saved_on_basket(terms: Terms, left: int) -> int:
    if terms.scope != BASKET or terms.kind not in (PERCENT, FIXED):
        return 0
    return percent_of(left, terms) if terms.kind == PERCENT else min(int(terms.value * 100), left)


def the_best_choice_is_found(case: Case) -> None:
    fee = case.delivery.price_cents if case.delivery else 0
    applied = apply_promotions(case.lines, case.offers, fee)
    best = best_saving(case)
    assert sum(one.amount_cents for one in applied) == best
    assert all(one.amount_cents > 0 for one in applied)
    assert_allowed(case, [one.terms for one in applied], [set(one.shares) for one in applied])
    without_coupons = case._replace(offers=[terms for terms in case.offers if terms.code is None])
    if best_saving(without_coupons) == best:
        assert all(one.terms.code is None for one in applied)


def assert_allowed(case: Case, chosen: list[Terms], touched: list[set[int]]) -> None:
    """Rule by rule."""
    subtotal = sum(one.total_cents for one in case.lines)
    assert all(terms.min_basket_cents <= subtotal for terms in chosen)
    assert sum(terms.kind == FREE_DELIVERY for terms in chosen) <= 1
    assert sum(terms.scope == BASKET and terms.kind in (PERCENT, FIXED) for terms in chosen) <= 1
    claimed: list[int] = []
    for terms, indexes in zip(chosen, touched, strict=True):
        if is_for_several(terms):
            claimed += lines_for(terms, case.lines)
        elif terms.kind == PERCENT and terms.scope != BASKET:
            claimed += indexes
        assert indexes <= set(lines_for(terms, case.lines))
    assert len(claimed) == len(set(claimed))


def what_applies_is_allowed(case: Case) -> None:
    applied = apply_promotions(case.lines, case.offers, 100_00)
    assert_allowed(case, [one.terms for one in applied], [set(one.shares) for one in applied])


@st.composite
def with_rivals(draw: st.DrawFn, *, at_least: int, at_most: int, others: int) -> Case:
    """A line of each of six products, and amounts off some of them, so that most want the same lines."""
    products = range(1, 7)
    case = draw(cases(lines_at_most=3, offers_at_most=others))
    bought = [line(100_00, draw(st.integers(1, 3)), product=product, categories=[1]) for product in products]
    rivals = [
        offer(FIXED, draw(st.integers(10, 60)), id=10**7 + number, products=draw(st.sets(st.sampled_from(products))))
        for number in range(draw(st.integers(at_least, at_most)))
    ]
    return case._replace(lines=bought + case.lines, offers=rivals + case.offers)


FEW = cases(lines_at_most=5, offers_at_most=6) | with_rivals(at_least=2, at_most=6, others=2)

#: So many rivals that not all choices are tried.
MANY = with_rivals(at_least=14, at_most=20, others=6)


def test_the_best_of_all_choices_is_found() -> None:
    assert_holds(the_best_choice_is_found, FEW, examples=200)


def test_what_applies_is_allowed_among_many_rivals_too() -> None:
    assert_holds(what_applies_is_allowed, MANY, examples=60)


def test_shares_fit() -> None:
    assert_holds(shares_fit, SHARES, examples=200)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("law", "values"),
    [(the_best_choice_is_found, FEW), (what_applies_is_allowed, MANY), (shares_fit, SHARES)],
)
def test_all_of_that_holds_for_ten_thousand(law: Callable[[Any], None], values: st.SearchStrategy[Any]) -> None:
    assert_holds(law, values, examples=10_000)


def test_of_more_than_twelve_rivals_those_that_save_most_are_taken_first() -> None:
    products = range(1, 15)
    lines = [line(100_00, product=product) for product in products]
    pairs = [offer(FIXED, 10 + product, id=product, products=[product, product % 14 + 1]) for product in products]
    # 24.00 for 14 and 1, then 22.00 for 12 and 13, and so on.
    chosen = {entry[0]: sum(entry[1].values()) for entry in taken_off(lines, *pairs)}
    assert chosen == {number: (10 + number) * 100 for number in (14, 12, 10, 8, 6, 4, 2)}
