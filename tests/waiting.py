"""Waiting for what other threads and processes do, and holding it to its time, on a machine that may stand still.

A machine that tests share stops for seconds now and then. So a wait is far longer than what is waited for takes, and
a time that the shop keeps is measured without the halts.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import requests

T = TypeVar("T")
PATIENCE_SECONDS = 60.0

_NAP_SECONDS = 0.01
_LONGEST_NAP_SECONDS = 0.05


def wait_until(holds: Callable[[], T], what: str = "what was waited for", seconds: float = PATIENCE_SECONDS) -> T:
    """The first true value of `holds`; a refused connection is not yet. Raises AssertionError when it takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(requests.ConnectionError, ConnectionError):
            if value := holds():
                return value
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(_NAP_SECONDS)


@dataclass
class Stopwatch:
    """`seconds` went by without those in which the machine let nobody run, `of_the_clock` with them."""

    seconds: float = 0.0
    of_the_clock: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure the block. What a nap of another thread takes longer than it should is a halt, and is not counted."""
    watch, is_over = Stopwatch(), threading.Event()

    def count() -> None:
        before, is_last = time.monotonic(), False
        while not is_last:
            is_last = is_over.wait(_NAP_SECONDS)
            now = time.monotonic()
            watch.seconds += min(now - before, _LONGEST_NAP_SECONDS)
            watch.of_the_clock += now - before
            before = now

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    try:
        yield watch
    finally:
        is_over.set()
        counting.join()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block must take less, halts of the machine apart. Raises AssertionError."""
    with stopwatch() as watch:
        yield
    assert watch.seconds < seconds, f"took {watch.seconds:.2f} s"
