"""How long an account rests."""

import pytest

from grocery.auth.throttling.delays import delay_seconds


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (19, 0), (20, 1), (24, 1), (25, 2), (30, 4), (35, 8), (40, 16), (45, 30), (1_000_000, 30)],
)
def test_delay_grows_and_ends_at_half_a_minute(failures: int, seconds: int) -> None:
    assert delay_seconds(failures) == seconds
