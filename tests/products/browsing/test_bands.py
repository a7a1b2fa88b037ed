"""Price bands with round bounds."""

from itertools import pairwise

import pytest

from grocery.products.browsing.bands import BOUNDS, MAX_BANDS, Band, make_bands


def number_of(cents: int) -> int:
    return max(number for number, bound in enumerate(BOUNDS) if bound <= cents)


def test_the_bounds_are_1_2_and_5_from_ten_cents_to_the_highest_price() -> None:
    assert BOUNDS[:8] == (0, 10, 20, 50, 1_00, 2_00, 5_00, 10_00)
    assert BOUNDS[-3:] == (2_000_000_00, 5_000_000_00, 10_000_000_00)


def test_no_products_have_no_bands() -> None:
    assert make_bands({}) == []
    assert make_bands({3: 0}) == []


def test_empty_bands_are_left_out_and_the_last_has_no_end() -> None:
    counts = {number_of(15_00): 3, number_of(700_00): 2, number_of(60_00): 4}
    assert make_bands(counts) == [
        Band(10_00, 20_00, 3), Band(50_00, 100_00, 4), Band(500_00, None, 2)
    ]  # fmt: skip


def test_too_many_bands_are_joined_at_the_thinner_end() -> None:
    first = number_of(1_00)
    counts = {first + step: count for step, count in enumerate((1, 2, 9, 9, 9, 9, 9, 9, 9, 8, 4))}
    bands = make_bands(counts)
    assert len(bands) == MAX_BANDS == 8
    assert bands[0] == Band(1_00, 10_00, 12)
    assert bands[-1] == Band(1000_00, None, 12)
    assert [band.count for band in bands[1:-1]] == [9] * 6
    assert [band.low_cents for band in bands] == [1_00, 10_00, 20_00, 50_00, 100_00, 200_00, 500_00, 1000_00]


@pytest.mark.parametrize("numbers", [range(len(BOUNDS)), range(0, len(BOUNDS), 2), range(5, 14)])
def test_bands_touch_no_product_twice(numbers: range) -> None:
    bands = make_bands({number: number + 1 for number in numbers})
    assert sum(band.count for band in bands) == sum(number + 1 for number in numbers)
    assert len(bands) <= MAX_BANDS
    for lower, upper in pairwise(bands):
        assert lower.high_cents is not None
        assert lower.high_cents <= upper.low_cents
