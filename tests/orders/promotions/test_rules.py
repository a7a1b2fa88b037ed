"""Each rule of promotions to the cent."""

from decimal import Decimal

import pytest

from grocery.orders.promotions.rules import allocate, fits
from grocery.orders.promotions.terms import BUY_X_GET_Y, FIXED, FREE_DELIVERY, PERCENT, Terms
from tests.orders.baskets import assert_holds, buy_get, line, offer, offers
from tests.orders.promotions.applying import taken_off

FLOUR, SOAP, BEEF, MILK = 1, 2, 3, 4


def test_a_percentage_of_products_is_rounded_half_up_on_each_of_their_lines() -> None:
    lines = [line(99_90, 3, product=FLOUR), line(50_05, product=SOAP), line(10_00, product=MILK)]
    # 12.5 % of 299.70 are 37.4625, of 50.05 they are 6.25625.
    assert taken_off(lines, offer(PERCENT, "12.5", products=[FLOUR, SOAP])) == [(1, {0: 37_46, 1: 6_26}, 0)]


def test_half_a_cent_is_the_customers() -> None:
    assert taken_off([line(5)], offer(PERCENT, 10, products=[1])) == [(1, {0: 1}, 0)]
    assert taken_off([line(4)], offer(PERCENT, 10, products=[1])) == []


@pytest.mark.parametrize("category", [10, 20, 30, 40, 50])
def test_a_promotion_of_a_category_is_for_all_below_it(category: int) -> None:
    lines = [line(200_00, categories=[10, 20, 30, 40, 50]), line(80_00, categories=[11, 21])]
    assert taken_off(lines, offer(PERCENT, 25, categories=[category])) == [(1, {0: 50_00}, 0)]


def test_a_promotion_of_a_category_is_not_for_what_is_above_or_beside_it() -> None:
    lines = [line(200_00, categories=[10, 20]), line(80_00, categories=[10, 21]), line(30_00)]
    assert taken_off(lines, offer(PERCENT, 25, categories=[30])) == []
    assert taken_off(lines, offer(PERCENT, 25, categories=[20, 30])) == [(1, {0: 50_00}, 0)]


@pytest.mark.parametrize(
    "promotion",
    [
        offer(PERCENT, 100, products=[]),
        offer(FIXED, 100, products=[]),
        buy_get(1, 1, products=[]),
        offer(PERCENT, 100, categories=[]),
    ],
)
def test_a_promotion_whose_products_were_all_deleted_is_for_nothing(promotion: Terms) -> None:
    assert taken_off([line(10_00, 5), line(10_00, 5, product=SOAP)], promotion) == []


def test_of_two_percentages_a_line_has_the_larger() -> None:
    lines = [line(100_00, product=FLOUR, categories=[10]), line(60_00, product=SOAP, categories=[10])]
    ten, thirty = offer(PERCENT, 10, id=1, categories=[10]), offer(PERCENT, 30, id=2, products=[SOAP])
    assert taken_off(lines, ten, thirty) == [(1, {0: 10_00}, 0), (2, {1: 18_00}, 0)]


def test_an_amount_is_taken_off_once_and_shared_by_the_lines_it_is_for() -> None:
    lines = [line(100_00, 2, product=FLOUR), line(100_00, product=SOAP), line(500_00, product=MILK)]
    assert taken_off(lines, offer(FIXED, "50.00", products=[FLOUR, SOAP])) == [(1, {0: 33_33, 1: 16_67}, 0)]


def test_no_more_is_taken_off_products_than_they_cost() -> None:
    lines = [line(20_00, product=FLOUR), line(5_50, product=SOAP), line(500_00, product=MILK)]
    assert taken_off(lines, offer(FIXED, "1000.00", products=[FLOUR, SOAP])) == [(1, {0: 20_00, 1: 5_50}, 0)]


def test_a_percentage_above_a_hundred_takes_no_more_than_there_is() -> None:
    assert taken_off([line(20_00)], offer(PERCENT, 250)) == [(1, {0: 20_00}, 0)]
    assert taken_off([line(20_00)], offer(PERCENT, 250, products=[FLOUR])) == [(1, {0: 20_00}, 0)]


def test_the_cheapest_of_three_is_free_across_several_products() -> None:
    lines = [line(90_00, product=FLOUR), line(120_00, product=SOAP), line(30_00, product=MILK)]
    assert taken_off(lines, buy_get(2, 1, products=[FLOUR, SOAP, MILK])) == [(1, {2: 30_00}, 0)]


def test_dear_pieces_are_put_together() -> None:
    lines = [line(10_00, 3, product=FLOUR), line(100_00, 4, product=SOAP)]
    # 100, 100, 100 | 100, 10, 10 | 10: not 100, 100, 10 | 100, 100, 10 | 10.
    assert taken_off(lines, buy_get(2, 1)) == [(1, {0: 10_00, 1: 100_00}, 0)]


@pytest.mark.parametrize(("pieces", "free"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2), (8, 2), (9, 3)])
def test_buy_two_get_one(pieces: int, free: int) -> None:
    assert taken_off([line(7_00, pieces)], buy_get(2, 1)) == ([(1, {0: free * 7_00}, 0)] if free else [])


@pytest.mark.parametrize(("pieces", "free"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (6, 4)])
def test_of_an_unfinished_group_all_beyond_the_bought_ones_are_free(pieces: int, free: int) -> None:
    assert taken_off([line(7_00, pieces)], buy_get(1, 2)) == ([(1, {0: free * 7_00}, 0)] if free else [])


def test_what_is_sold_by_weight_is_never_in_buy_x_get_y() -> None:
    by_weight = line(90_00, 3, product=BEEF, unit="kg", categories=[10])
    assert taken_off([by_weight], buy_get(2, 1)) == []
    assert taken_off([by_weight], buy_get(2, 1, products=[BEEF])) == []
    assert taken_off([by_weight], buy_get(2, 1, categories=[10])) == []
    assert not fits([by_weight], buy_get(2, 1), 0)
    # Nor does it count among the pieces, and it is left for other promotions.
    assert taken_off([by_weight, line(50_00, 2)], buy_get(2, 1), offer(PERCENT, 10, id=2, products=[BEEF])) == [
        (2, {0: 27_00}, 0)
    ]


def test_a_line_takes_part_in_one_promotion_of_goods_at_most() -> None:
    lines = [line(100_00, 3, product=FLOUR), line(100_00, product=SOAP)]
    third, ten = buy_get(2, 1, id=1, products=[FLOUR]), offer(PERCENT, 10, id=2, products=[FLOUR, SOAP])
    assert taken_off(lines, third, ten) == [(1, {0: 100_00}, 0), (2, {1: 10_00}, 0)]


def test_a_promotion_of_several_lines_has_all_of_them_or_none() -> None:
    lines = [line(100_00, 3, product=FLOUR), line(300_00, product=SOAP)]
    # Of the four pieces one for 100.00 is free; half of the soap alone saves more.
    third, half = buy_get(2, 1, id=1, products=[FLOUR, SOAP]), offer(PERCENT, 50, id=2, products=[SOAP])
    assert taken_off(lines, third, half) == [(2, {1: 150_00}, 0)]


def test_a_percentage_of_the_basket_is_of_what_other_promotions_leave() -> None:
    lines = [line(100_00, product=FLOUR), line(50_00, product=SOAP)]
    assert taken_off(lines, offer(PERCENT, 20, id=1, products=[FLOUR]), offer(PERCENT, 10, id=2)) == [
        (1, {0: 20_00}, 0),
        (2, {0: 8_00, 1: 5_00}, 0),
    ]


def test_a_percentage_of_the_basket_is_rounded_once() -> None:
    # 10 % of each line would be 0.00, of all of them it is 0.006.
    assert taken_off([line(2), line(2), line(2)], offer(PERCENT, 10)) == [(1, {0: 1}, 0)]


def test_an_amount_off_the_basket_is_at_most_what_is_left_of_it() -> None:
    lines = [line(100_00, product=FLOUR), line(50_00, product=SOAP)]
    half, much = offer(PERCENT, 50, id=1, products=[FLOUR]), offer(FIXED, "99999.99", id=2)
    assert taken_off(lines, half, much) == [(1, {0: 50_00}, 0), (2, {0: 50_00, 1: 50_00}, 0)]


def test_one_promotion_of_the_basket_is_given_the_one_that_saves_most() -> None:
    ten, sixty = offer(PERCENT, 10, id=1), offer(FIXED, "60.00", id=2)
    assert taken_off([line(500_00)], ten, sixty) == [(2, {0: 60_00}, 0)]
    assert taken_off([line(700_00)], ten, sixty) == [(1, {0: 70_00}, 0)]


def test_free_delivery_is_given_once_and_on_top() -> None:
    free, also_free, ten = offer(FREE_DELIVERY, id=1), offer(FREE_DELIVERY, id=2), offer(PERCENT, 10, id=3)
    assert taken_off([line(100_00)], free, also_free, ten, fee=150_00) == [(3, {0: 10_00}, 0), (1, {}, 150_00)]


def test_a_delivery_that_costs_nothing_needs_no_free_delivery() -> None:
    assert taken_off([line(100_00)], offer(FREE_DELIVERY)) == []
    assert not fits([line(100_00)], offer(FREE_DELIVERY), 0)
    assert fits([line(100_00)], offer(FREE_DELIVERY), 1)


def test_the_minimum_basket_is_of_the_goods_before_discounts() -> None:
    lines = [line(100_00, product=FLOUR), line(100_00, product=SOAP)]
    half = offer(PERCENT, 50, id=1, products=[FLOUR])
    assert taken_off(lines, half, offer(FIXED, 30, id=2, min_basket_cents=200_00)) == [
        (1, {0: 50_00}, 0),
        (2, {0: 10_00, 1: 20_00}, 0),
    ]
    assert taken_off(lines, half, offer(FIXED, 30, id=2, min_basket_cents=200_01)) == [(1, {0: 50_00}, 0)]


@pytest.mark.parametrize("minimum", [200_00, 200_01])
def test_the_minimum_basket_of_a_product_or_a_delivery_is_of_all_goods(minimum: int) -> None:
    lines = [line(50_00, product=FLOUR), line(150_00, product=SOAP)]
    third = buy_get(1, 1, id=3, products=[MILK], min_basket_cents=minimum)
    ten = offer(PERCENT, 10, id=1, products=[FLOUR], min_basket_cents=minimum)
    free = offer(FREE_DELIVERY, id=2, min_basket_cents=minimum)
    expected = [(1, {0: 5_00}, 0), (2, {}, 90_00)] if minimum == 200_00 else []
    assert taken_off(lines, ten, free, third, fee=90_00) == expected


RIVALS = {
    "percentages of a product": (offer(PERCENT, 10, products=[FLOUR]), offer(PERCENT, 10, categories=[10])),
    "amounts off a product": (offer(FIXED, 10, products=[FLOUR]), offer(FIXED, 10, categories=[10])),
    "pieces": (buy_get(9, 1, products=[FLOUR]), buy_get(9, 1)),
    "an amount and a percentage": (offer(FIXED, 10, products=[FLOUR]), offer(PERCENT, 10, products=[FLOUR])),
    "pieces and a percentage": (buy_get(9, 1), offer(PERCENT, 10, categories=[10])),
    "of the basket": (offer(PERCENT, 10), offer(FIXED, 10)),
    "of the delivery": (offer(FREE_DELIVERY), offer(FREE_DELIVERY)),
}


@pytest.mark.parametrize("is_swapped", [False, True])
@pytest.mark.parametrize("rivals", RIVALS.values(), ids=RIVALS)
def test_of_two_that_save_the_same_the_automatic_one_then_the_older_is_given(
    rivals: tuple[Terms, Terms], is_swapped: bool
) -> None:
    lines = [line(10_00, 10, product=FLOUR, categories=[10])]
    one, other = reversed(rivals) if is_swapped else rivals
    older, younger = Terms(**{**vars(one), "id": 1}), Terms(**{**vars(other), "id": 2})
    assert [entry[0] for entry in taken_off(lines, younger, older, fee=10_00)] == [1]
    coupon = Terms(**{**vars(one), "id": 1, "code": "SAVE"})
    assert [entry[0] for entry in taken_off(lines, coupon, younger, fee=10_00)] == [2]


def test_a_coupon_is_not_spent_where_other_promotions_save_as_much_together() -> None:
    lines = [line(100_00, product=FLOUR), line(100_00, product=SOAP)]
    both = offer(FIXED, 30, id=3, products=[FLOUR, SOAP])
    apart = offer(FIXED, 20, id=1, products=[FLOUR])
    coupon = offer(FIXED, 10, id=2, products=[SOAP], code="SAVE")
    assert taken_off(lines, apart, coupon, both) == [(3, {0: 15_00, 1: 15_00}, 0)]
    # Nor where an amount off the basket takes all that is left anyway.
    gift = offer(FIXED, 1000, id=4)
    assert taken_off(lines, coupon, gift) == [(4, {0: 100_00, 1: 100_00}, 0)]


def test_the_best_choice_is_not_always_the_one_that_saves_most_by_itself() -> None:
    lines = [line(100_00, product=FLOUR), line(100_00, product=SOAP), line(100_00, product=MILK)]
    all_of_them = offer(FIXED, 50, id=1, products=[FLOUR, SOAP, MILK])
    apart = [offer(FIXED, 20, id=2 + index, products=[product]) for index, product in enumerate((FLOUR, SOAP, MILK))]
    assert taken_off(lines, all_of_them, *apart) == [(2, {0: 20_00}, 0), (3, {1: 20_00}, 0), (4, {2: 20_00}, 0)]
    assert taken_off(lines, all_of_them, *apart[:2]) == [(1, {0: 16_67, 1: 16_67, 2: 16_66}, 0)]


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1, 1, 1], [1, 1, 1]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [333, 333, 334], [3, 3, 4]),
        (100, [50, 0, 50], [50, 0, 50]),
        (7, [3, 0, 6], [2, 0, 5]),
        (0, [3, 4], [0, 0]),
        (5, [0, 0], [0, 0]),
        (5, [], []),
    ],
)
def test_an_amount_is_allocated_to_the_cent(amount: int, weights: list[int], shares: list[int]) -> None:
    assert allocate(min(amount, sum(weights)), weights) == shares


def terms_survive_json(promotions: list[Terms]) -> None:
    for terms in promotions:
        assert Terms.from_json(terms.to_json()) == terms


def test_terms_are_kept_as_json_and_read_back() -> None:
    terms = Terms(
        id=7,
        name="Soap week",
        kind=BUY_X_GET_Y,
        code="SOAP",
        scope="products",
        value=Decimal("12.50"),
        buy_quantity=2,
        get_quantity=1,
        product_ids=frozenset({9, 3}),
        category_ids=frozenset({5}),
        min_basket_cents=500_00,
    )
    assert terms.to_json() == {
        "id": 7,
        "name": "Soap week",
        "kind": "buy_x_get_y",
        "code": "SOAP",
        "scope": "products",
        "value": "12.50",
        "buy_quantity": 2,
        "get_quantity": 1,
        "product_ids": [3, 9],
        "category_ids": [5],
        "min_basket_cents": 500_00,
    }
    assert_holds(terms_survive_json, offers(at_most=5), examples=50)


def test_terms_that_an_order_holds_have_no_minimum_any_more() -> None:
    terms = offer(FIXED, 30, min_basket_cents=200_00)
    assert taken_off([line(100_00)], terms) == []
    assert taken_off([line(100_00)], terms.as_held()) == [(1, {0: 30_00}, 0)]
