import pytest

from grocery.orders.states import CANCELLED, FINAL_STATUSES, FLOW, STATUSES, allowed_statuses, steps


@pytest.mark.parametrize(
    ("status", "staff", "customer"),
    [
        ("pending", ["confirmed", "packed", "shipped", "delivered", "cancelled"], ["cancelled"]),
        ("confirmed", ["packed", "shipped", "delivered", "cancelled"], ["cancelled"]),
        ("packed", ["shipped", "delivered", "cancelled"], []),
        ("shipped", ["delivered"], []),
        ("delivered", [], []),
        ("cancelled", [], []),
    ],
)
def test_who_may_move_an_order_where(status: str, staff: list[str], customer: list[str]) -> None:
    assert allowed_statuses(status, is_staff=True) == staff
    assert allowed_statuses(status, is_staff=False) == customer


def test_a_jump_passes_every_step_in_between() -> None:
    assert steps("pending", "shipped") == ["confirmed", "packed", "shipped"]
    assert steps("packed", "shipped") == ["shipped"]
    assert steps("confirmed", "cancelled") == ["cancelled"]


def test_every_status_can_be_reached_and_nothing_leaves_the_final_ones() -> None:
    reached = {"pending"}
    while new := {to for status in reached for to in allowed_statuses(status, is_staff=True)} - reached:
        reached |= new
    assert reached == set(STATUSES)
    assert all(allowed_statuses(status, is_staff=True) == [] for status in FINAL_STATUSES)


def test_nothing_goes_back() -> None:
    for status in FLOW:
        for to in allowed_statuses(status, is_staff=True):
            assert to == CANCELLED or FLOW.index(to) > FLOW.index(status)
