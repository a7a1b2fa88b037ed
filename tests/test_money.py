from decimal import Decimal

import pytest

from grocery import money


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (149_00, "149.00"), (-1_50, "-1.50")])
def test_cents_are_written_with_two_decimals(cents: int, text: str) -> None:
    assert money.to_text(cents) == text


def test_an_amount_with_fractions_of_a_cent_is_refused() -> None:
    assert money.to_cents(Decimal("149.00")) == 149_00
    with pytest.raises(ValueError, match="fractions of a cent"):
        money.to_cents(Decimal("1.005"))


@pytest.mark.parametrize(
    ("unit_price", "quantity", "total"),
    [
        (100, "3", 300),
        (100, "0.335", 34),  # 33.5 goes up
        (100, "0.334", 33),
        (199_99, "0.125", 25_00),  # 24.99875
        (1, "0.5", 1),
        (1, "0.499", 0),
    ],
)
def test_a_line_is_rounded_once_half_up(unit_price: int, quantity: str, total: int) -> None:
    assert money.line_total(unit_price, Decimal(quantity)) == total


@pytest.mark.parametrize(
    ("gross", "rate", "vat"), [(116_00, "16.00", 16_00), (100_00, "16.00", 13_79), (100_00, "0.00", 0), (0, "16.00", 0)]
)
def test_vat_is_taken_out_of_the_gross_amount(gross: int, rate: str, vat: int) -> None:
    assert money.vat_included(gross, Decimal(rate)) == vat


@pytest.mark.parametrize(
    ("cents", "shown"), [(1250_00, "KES 1,250"), (1250_50, "KES 1,250.50"), (5, "KES 0.05"), (-99_00, "KES -99")]
)
def test_amounts_for_people_leave_out_cents_that_are_zero(cents: int, shown: str) -> None:
    assert money.to_display(cents, "KES") == shown
