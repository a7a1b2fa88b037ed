"""Fixtures of campaigns."""

import time
from collections.abc import Callable

import pytest


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is true, 10 s at the most."""

    def wait(is_true: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 10
        while not is_true():
            assert time.monotonic() < give_up_at, "did not happen within 10 s"
            time.sleep(0.01)

    return wait
