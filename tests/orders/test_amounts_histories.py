"""Random histories of a small shop: after each step all amounts, and all that orders hold, fit together."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.orders.histories import Step, go_through, so_many, steps
from tests.orders.small_shop import COUPONS, Shop

pytestmark = pytest.mark.usefixtures("context")


def _place(customer: int, slot: int) -> Step:
    wanted = {0: 3, 1: 2, 2: 4}
    return "place", {"customer": customer, "wanted": wanted, "is_coupon": True, "slot": slot, "is_delivery": True}


#: The coupon is used three times, one of them by an account that is erased after its delivery. Then a slot is full, and
#: in the other one the coupon is used up, until an order that has both is cancelled.
RARE = [
    _place(0, 0),
    ("deliver", {"order": 0}),
    ("erase", {"order": 0}),
    _place(0, 0),
    _place(1, 0),
    _place(2, 0),
    _place(2, 1),
    ("move", {"order": 0, "to": "packed"}),
    ("delete", {"goods": 0}),
    ("move", {"order": 0, "to": "cancelled"}),
    _place(2, 0),
]


def run(histories: int, *, is_proof: bool = False) -> None:
    """So many histories of 10 to 30 steps each."""

    @so_many(histories, is_proof=is_proof)
    @given(
        coupon=st.sampled_from(COUPONS),
        stock=st.integers(3, 30),
        history=st.integers(10, 30).flatmap(lambda size: st.lists(steps(), min_size=size, max_size=size)),
    )
    @example(coupon=COUPONS[0], stock=30, history=RARE)
    def unfold(coupon: dict[str, Any], stock: int, history: list[Step]) -> None:
        go_through(history, Shop(coupon, stock))

    unfold()


def test_amounts_and_all_that_orders_hold_fit_together_through_random_histories() -> None:
    run(20)


@pytest.mark.prove
@pytest.mark.parametrize("block", range(100))
def test_they_fit_together_through_ten_thousand_random_histories(block: int) -> None:
    run(100, is_proof=True)
