"""What an order costs, to the cent; and what holds for any basket, with any promotions."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from hypothesis import strategies as st

from grocery.orders.promotions.terms import FIXED, FREE_DELIVERY, PERCENT, Terms
from grocery.orders.quote import DeliveryTerms, Quote, VatAmount, delivery_vat, make_quote, sum_up_vat
from tests.orders.baskets import Case, assert_holds, buy_get, cases, line, offer

SIXTEEN, NOTHING = Decimal("16.00"), Decimal("0.00")


def amounts(quote: Quote) -> dict[str, int]:
    """Its sums in cents."""
    names = ("subtotal", "discount", "delivery_fee", "vat", "total")
    return {name: getattr(quote, f"{name}_cents") for name in names}


def test_an_order_is_totalled_to_the_cent() -> None:
    lines = [
        line(189_00, 2, vat_class="zero"),
        line(116_00, 1),
        line(119_90, "0.750", unit="kg"),  # 89.925 → 89.93, of it VAT 12.404 → 12.40
        line(70_00, 1, vat_class="exempt"),
    ]
    quote = make_quote(lines, delivery=DeliveryTerms(200_00))
    assert [one.line.total_cents for one in quote.lines] == [378_00, 116_00, 89_93, 70_00]
    assert [one.vat_cents for one in quote.lines] == [0, 16_00, 12_40, 0]
    assert [one.net_cents for one in quote.lines] == [378_00, 116_00, 89_93, 70_00]
    # Of the 200.00 for the delivery 27.586 are VAT.
    assert amounts(quote) == {
        "subtotal": 653_93,
        "discount": 0,
        "delivery_fee": 200_00,
        "vat": 55_99,
        "total": 853_93,
    }
    assert quote.discounts == ()
    assert quote.vat_amounts == [
        VatAmount("standard", SIXTEEN, 405_93, 55_99),
        VatAmount("zero", NOTHING, 378_00, 0),
        VatAmount("exempt", NOTHING, 70_00, 0),
    ]


def test_nothing_costs_nothing_and_its_delivery_neither() -> None:
    offers = [offer(FIXED, 100, id=1), offer(PERCENT, 10, id=2), offer(FREE_DELIVERY, id=3), buy_get(1, 1, id=4)]
    quote = make_quote([], offers, DeliveryTerms(200_00))
    assert quote == Quote((), (), 0, 0, 0, 0, 0)
    assert quote.vat_amounts == []


@pytest.mark.parametrize(
    ("price", "quantity", "total"),
    [(119_90, "0.750", 89_93), (1, "0.5", 1), (1, "0.499", 0), (100_000_00, "0.001", 100_00), (33_33, "3", 99_99)],
)
def test_a_line_is_rounded_once_half_up(price: int, quantity: str, total: int) -> None:
    assert line(price, quantity, unit="kg").total_cents == total


def test_each_promotion_is_listed_with_what_it_takes_off() -> None:
    lines = [
        line(100_00, 3, product=1),
        line(250_00, product=2, vat_class="zero"),
        line(90_00, "1.5", product=3, unit="kg"),
    ]
    offers = [
        offer(PERCENT, 10, id=1),
        buy_get(2, 1, id=2, products=[1]),
        offer(PERCENT, 20, id=3, products=[2, 3], code="TWENTY"),
        offer(FREE_DELIVERY, id=4),
    ]
    quote = make_quote(lines, offers, DeliveryTerms(150_00, free_from_cents=1000_00))
    assert [(discount.terms.id, discount.amount_cents) for discount in quote.discounts] == [
        (2, 100_00),
        (3, 77_00),  # 50.00 of 250.00, and 27.00 of 135.00
        (1, 50_80),  # of 508.00, which are left
        (4, 150_00),
    ]
    assert [one.discount_cents for one in quote.lines] == [120_00, 70_00, 37_80]
    assert [one.net_cents for one in quote.lines] == [180_00, 180_00, 97_20]
    assert [one.vat_cents for one in quote.lines] == [24_83, 0, 13_41]
    assert amounts(quote) == {
        "subtotal": 685_00,
        "discount": 377_80,
        "delivery_fee": 150_00,
        "vat": 38_24,
        "total": 457_20,
    }
    assert quote.vat_amounts == [VatAmount("standard", SIXTEEN, 277_20, 38_24), VatAmount("zero", NOTHING, 180_00, 0)]


def test_vat_is_inside_of_what_is_paid_after_the_discount() -> None:
    quote = make_quote([line(116_00), line(116_00, vat_class="exempt")], [offer(FIXED, 116)])
    assert [(one.discount_cents, one.vat_cents) for one in quote.lines] == [(58_00, 8_00), (58_00, 0)]
    assert quote.vat_amounts == [VatAmount("standard", SIXTEEN, 58_00, 8_00), VatAmount("exempt", NOTHING, 58_00, 0)]


def test_a_discount_on_the_basket_is_shared_by_the_lines_to_the_cent() -> None:
    quote = make_quote([line(10_00), line(10_00), line(10_00)], [offer(FIXED, "10.00")])
    assert [one.discount_cents for one in quote.lines] == [3_34, 3_33, 3_33]
    assert (quote.discount_cents, quote.total_cents) == (10_00, 20_00)


def test_delivery_has_the_general_vat_rate_whatever_is_in_the_basket() -> None:
    quote = make_quote([line(500_00, vat_class="zero")], delivery=DeliveryTerms(116_00))
    assert quote.vat_cents == delivery_vat(116_00) == 16_00
    assert quote.vat_amounts == [VatAmount("standard", SIXTEEN, 116_00, 16_00), VatAmount("zero", NOTHING, 500_00, 0)]


def test_a_delivery_that_a_promotion_pays_has_no_vat() -> None:
    quote = make_quote([line(500_00, vat_class="zero")], [offer(FREE_DELIVERY)], DeliveryTerms(116_00))
    assert amounts(quote) == {
        "subtotal": 500_00,
        "discount": 116_00,
        "delivery_fee": 116_00,
        "vat": 0,
        "total": 500_00,
    }
    assert [one.discount_cents for one in quote.lines] == [0]
    assert quote.vat_amounts == [VatAmount("zero", NOTHING, 500_00, 0)]


@pytest.mark.parametrize(("price", "fee"), [(999_99, 150_00), (1000_00, 0), (1000_01, 0)])
def test_a_delivery_is_free_from_an_amount_of_goods_on(price: int, fee: int) -> None:
    quote = make_quote([line(price)], delivery=DeliveryTerms(150_00, free_from_cents=1000_00))
    assert (quote.delivery_fee_cents, quote.total_cents) == (fee, price + fee)


def test_goods_before_discounts_count_for_a_free_delivery() -> None:
    quote = make_quote([line(1000_00)], [offer(PERCENT, 50)], DeliveryTerms(150_00, free_from_cents=1000_00))
    assert (quote.delivery_fee_cents, quote.total_cents) == (0, 500_00)


def test_a_free_delivery_is_none_of_the_discounts() -> None:
    delivery = DeliveryTerms(150_00, free_from_cents=1000_00)
    assert make_quote([line(1000_00)], [offer(FREE_DELIVERY)], delivery).discounts == ()


def test_a_delivery_that_was_free_once_stays_so() -> None:
    quote = make_quote([line(10_00)], delivery=DeliveryTerms(150_00, free_from_cents=1000_00, is_free=True))
    assert (quote.delivery_fee_cents, quote.total_cents) == (0, 10_00)


def test_an_order_may_cost_nothing_but_its_delivery() -> None:
    quote = make_quote([line(100_00), line(50_00)], [offer(PERCENT, 100)], DeliveryTerms(58_00))
    assert amounts(quote) == {
        "subtotal": 150_00,
        "discount": 150_00,
        "delivery_fee": 58_00,
        "vat": 8_00,
        "total": 58_00,
    }
    assert quote.vat_amounts == [VatAmount("standard", SIXTEEN, 58_00, 8_00)]


def test_vat_is_summed_up_by_class_of_lines_that_were_rounded() -> None:
    lines = [("standard", SIXTEEN, 10, 1)] * 3 + [("exempt", NOTHING, 5, 0), ("zero", NOTHING, 7, 0)]
    assert sum_up_vat(lines, 0) == [
        VatAmount("standard", SIXTEEN, 30, 3),  # not 4, which are in 0.30
        VatAmount("zero", NOTHING, 7, 0),
        VatAmount("exempt", NOTHING, 5, 0),
    ]


def quote_of(case: Case, offers: list[Terms] | None = None) -> Quote:
    return make_quote(case.lines, case.offers if offers is None else offers, case.delivery)


def a_total_is_the_sum_of_its_parts(case: Case) -> None:
    quote = quote_of(case)
    free = sum(one.amount_cents for one in quote.discounts if one.terms.kind == FREE_DELIVERY)
    assert quote.subtotal_cents == sum(one.total_cents for one in case.lines)
    assert quote.discount_cents == sum(one.amount_cents for one in quote.discounts)
    assert quote.discount_cents == sum(one.discount_cents for one in quote.lines) + free
    assert quote.total_cents == quote.subtotal_cents - quote.discount_cents + quote.delivery_fee_cents
    assert quote.vat_cents == sum(one.vat_cents for one in quote.lines) + delivery_vat(quote.delivery_fee_cents - free)
    assert [one.line for one in quote.lines] == case.lines


def a_total_is_between_nothing_and_the_undiscounted_one(case: Case) -> None:
    quote = quote_of(case)
    assert 0 <= quote.total_cents <= quote_of(case, []).total_cents
    assert 0 <= quote.vat_cents <= quote.total_cents
    assert all(0 <= one.discount_cents <= one.line.total_cents for one in quote.lines)
    assert all(0 <= one.vat_cents <= one.net_cents for one in quote.lines)
    assert all(one.amount_cents > 0 for one in quote.discounts)
    for one in case.lines:
        assert abs(one.total_cents - one.unit_price_cents * one.quantity) <= Decimal("0.5")


def vat_classes_add_up(case: Case) -> None:
    quote = quote_of(case)
    assert sum(one.gross_cents for one in quote.vat_amounts) == quote.total_cents
    assert sum(one.vat_cents for one in quote.vat_amounts) == quote.vat_cents
    assert all(one.vat_cents == 0 for one in quote.vat_amounts if one.vat_class != "standard")


def the_order_of_promotions_does_not_matter(case: Case) -> None:
    quote = quote_of(case)
    assert quote_of(case, case.offers[::-1]) == quote
    assert quote_of(case, Random(len(case.offers)).sample(case.offers, len(case.offers))) == quote


def no_promotion_alone_saves_more_than_all_of_them(case: Case) -> None:
    """Holds for any number of rivals, whether or not all choices among them are tried."""
    total = quote_of(case).total_cents
    assert all(total <= quote_of(case, [terms]).total_cents for terms in case.offers)


def a_promotion_more_never_makes_it_dearer(case: Case) -> None:
    """Holds while the best of all choices is looked for: among twelve rivals at most."""
    totals = [quote_of(case, case.offers[:count]).total_cents for count in range(len(case.offers) + 1)]
    assert totals == sorted(totals, reverse=True)


ANY, FEW = cases(), cases(offers_at_most=12)

LAWS = [
    (a_total_is_the_sum_of_its_parts, ANY),
    (a_total_is_between_nothing_and_the_undiscounted_one, ANY),
    (vat_classes_add_up, ANY),
    (the_order_of_promotions_does_not_matter, ANY),
    (no_promotion_alone_saves_more_than_all_of_them, ANY),
    (a_promotion_more_never_makes_it_dearer, FEW),
]

for_each_law = pytest.mark.parametrize(("law", "values"), LAWS, ids=[law.__name__ for law, _ in LAWS])


@for_each_law
def test_of_random_baskets(law: Callable[[Case], None], values: st.SearchStrategy[Case]) -> None:
    assert_holds(law, values, examples=100)


@pytest.mark.prove
@for_each_law
def test_of_ten_thousand_random_baskets(law: Callable[[Case], None], values: st.SearchStrategy[Case]) -> None:
    assert_holds(law, values, examples=10_000)
