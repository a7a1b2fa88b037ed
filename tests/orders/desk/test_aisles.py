"""What is cold comes last, by the words of the shelves."""

import pytest

from grocery.orders.desk.aisles import AMBIENT, CHILLED, FROZEN, cold_of, walk_key


@pytest.mark.parametrize(
    ("category", "cold"),
    [
        ("Flour/Maize", AMBIENT),
        ("Household", AMBIENT),
        ("Dairy/Fresh milk", CHILLED),
        ("Meat & Fish/Beef", CHILLED),
        ("Frozen/Vegetables", FROZEN),
        ("Dairy/Ice cream", FROZEN),
        ("Meaty pet food", AMBIENT),
    ],
)
def test_cold_of_a_category(category: str, cold: int) -> None:
    assert cold_of(category) == cold


def test_walk_ends_with_the_freezer() -> None:
    lines = [("Frozen", "Peas", 1), ("Dairy", "Milk", 2), ("tea", "Black", 3), ("Rice", "Basmati", 4)]
    assert [number for _, _, number in sorted(lines, key=lambda line: walk_key(*line))] == [4, 3, 2, 1]
