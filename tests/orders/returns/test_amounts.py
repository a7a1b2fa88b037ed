"""What a part of a line is refunded with."""

from decimal import Decimal

from hypothesis import strategies as st

from grocery import money
from grocery.orders.returns.amounts import Refund, refund_of
from tests.orders.baskets import assert_holds


def refunds(paid_cents: int, vat_cents: int, delivered: str, *parts: str) -> list[tuple[int, int]]:
    """What is refunded for parts of a line that come back one after the other: cents, and the VAT of them."""
    answers, before = [], Decimal(0)
    for part in map(Decimal, parts):
        refund = refund_of(paid_cents, vat_cents, Decimal(delivered), before, part)
        answers.append((refund.amount_cents, refund.vat_cents))
        before += part
    return answers


def test_all_of_a_line_is_refunded_with_all_that_was_paid() -> None:
    assert refund_of(303_33, 41_84, Decimal(3), Decimal(0), Decimal(3)) == Refund(303_33, 41_84)


def test_thirds_of_an_uneven_amount_add_up_to_it() -> None:
    # 33.33…, 66.67, 100.00 cents, and of the VAT 13.33…, 26.67, 40.
    assert refunds(100, 40, "3", "1", "1", "1") == [(33, 13), (34, 14), (33, 13)]


def test_halves_are_rounded_up_and_the_other_half_makes_up_for_it() -> None:
    assert refunds(1_01, 15, "2", "1", "1") == [(51, 8), (50, 7)]


def test_kilograms_come_back_by_the_gram() -> None:
    assert refunds(199_99, 27_58, "1.667", "0.5", "0.001", "1.166") == [(59_99, 8_27), (11, 2), (139_89, 19_29)]


def test_what_cost_nothing_is_refunded_with_nothing() -> None:
    assert refunds(0, 0, "2", "1", "1") == [(0, 0), (0, 0)]


@st.composite
def _lines(draw: st.DrawFn) -> tuple[int, int, Decimal, list[Decimal]]:
    """What was paid for a line, its VAT, the quantity, and the parts in which some or all of it comes back."""
    grams = draw(st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
    kept = draw(st.sampled_from([0, 0, 1, 700]))
    paid = draw(st.integers(0, 10**10))
    vat = money.round_half_up(Decimal(paid) * 16 / 116)
    return paid, vat, Decimal(sum(grams) + kept).scaleb(-3), [Decimal(part).scaleb(-3) for part in grams]


def test_parts_add_up_to_their_share_whatever_they_are_and_none_is_below_nothing() -> None:
    def law(line: tuple[int, int, Decimal, list[Decimal]]) -> None:
        paid, vat, delivered, parts = line
        answers = refunds(paid, vat, str(delivered), *map(str, parts))
        assert sum(amount for amount, _ in answers) == money.round_half_up(paid * sum(parts) / delivered)
        assert sum(of_it for _, of_it in answers) == money.round_half_up(vat * sum(parts) / delivered)
        assert all(amount >= 0 and of_it >= 0 for amount, of_it in answers)

    assert_holds(law, _lines(), examples=300)
