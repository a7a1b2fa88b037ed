"""How long an account rests between tries when it is being guessed at."""

#: Failures are counted for so long.
WINDOW_SECONDS = 3600

# Nobody forgets a password that often within an hour.
_FREE_FAILURES = 20
_FAILURES_PER_STEP = 5
_MAX_DELAY_SECONDS = 30


def delay_seconds(failures: int) -> int:
    """Seconds between two tries after so many failures in an hour: 0, from the 20th on 1, 2, 4 … 30."""
    if failures < _FREE_FAILURES:
        return 0
    steps = (failures - _FREE_FAILURES) // _FAILURES_PER_STEP
    return min(2 ** min(steps, 10), _MAX_DELAY_SECONDS)
