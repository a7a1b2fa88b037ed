from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grocery.orders.numbers import ALPHABET, make_number
from grocery.orders.pricing import PricedLine, Totals, total_up

line_strategy = st.builds(
    PricedLine,
    unit_price_cents=st.integers(0, 10_000_000_00),
    quantity=st.decimals("0.001", "10000", places=3),
    vat_rate=st.sampled_from([Decimal("16.00"), Decimal("0.00")]),
)


def test_an_order_is_totalled_to_the_cent() -> None:
    lines = [
        PricedLine(189_00, Decimal(2), Decimal("0.00")),
        PricedLine(116_00, Decimal(1), Decimal("16.00")),
        PricedLine(119_90, Decimal("0.750"), Decimal("16.00")),  # 89.925 → 89.93, of it VAT 12.404 → 12.40
    ]
    assert total_up(lines, 200_00) == Totals(
        subtotal_cents=583_93, delivery_fee_cents=200_00, vat_cents=28_40, total_cents=783_93
    )


def test_nothing_costs_nothing() -> None:
    assert total_up([]) == Totals(0, 0, 0, 0)


@given(st.lists(line_strategy, max_size=30), st.integers(0, 1_000_00))
def test_a_total_is_the_sum_of_its_parts(lines: list[PricedLine], fee: int) -> None:
    totals = total_up(lines, fee)
    assert totals.total_cents == sum(line.total_cents for line in lines) + fee
    assert 0 <= totals.vat_cents <= totals.subtotal_cents
    assert all(abs(line.total_cents - line.unit_price_cents * line.quantity) <= Decimal("0.5") for line in lines)


def test_numbers_have_no_letters_that_are_taken_for_one_another() -> None:
    assert set(ALPHABET).isdisjoint("0O1IL2Z5S8BUV")
    assert len({make_number() for _ in range(1000)}) > 990
    assert all(number[:2] == "G-" and set(number[2:]) <= set(ALPHABET) for number in (make_number() for _ in range(50)))
