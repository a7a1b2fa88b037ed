"""Price bands with round bounds: 1, 2 and 5 times a power of ten (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

#: Bands that an answer has at most.
MAX_BANDS = 8

#: The lower bounds in cents, from 0.10 to the highest price that there can be.
BOUNDS = (0, *(digit * 10**zeros for zeros in range(1, 9) for digit in (1, 2, 5)), 10**9)


@dataclass(frozen=True)
class Band:
    """Products of prices from `low_cents` to less than `high_cents`; None: and more."""

    low_cents: int
    high_cents: int | None
    count: int


def band_sql(column: str) -> str:
    """SQL for the number of the band of a price, its place in BOUNDS.

    As a tree of comparisons, five for each price: `width_bucket` takes three times as long.
    """
    return _tree(column, 0, len(BOUNDS) - 1)


def make_bands(counts: Mapping[int, int]) -> list[Band]:
    """The bands that have products; where there are too many, those at the thinner end become one.

    `counts` are by number of the band.
    """
    numbers = sorted(number for number, count in counts.items() if count)
    bands = [Band(BOUNDS[number], _upper_bound(number), counts[number]) for number in numbers]
    while len(bands) > MAX_BANDS:
        if bands[0].count < bands[-1].count:
            bands[:2] = [_join(bands[0], bands[1])]
        else:
            bands[-2:] = [_join(bands[-2], bands[-1])]
    if bands:
        bands[-1] = Band(bands[-1].low_cents, None, bands[-1].count)
    return bands


def _tree(column: str, first: int, last: int) -> str:
    if first == last:
        return str(first)
    middle = (first + last + 1) // 2
    below, above = _tree(column, first, middle - 1), _tree(column, middle, last)
    return f"CASE WHEN {column} < {BOUNDS[middle]} THEN {below} ELSE {above} END"


def _upper_bound(number: int) -> int | None:
    return BOUNDS[number + 1] if number + 1 < len(BOUNDS) else None


def _join(lower: Band, upper: Band) -> Band:
    return Band(lower.low_cents, upper.high_cents, lower.count + upper.count)
