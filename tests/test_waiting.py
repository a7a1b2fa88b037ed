"""A time that is held must be held by whoever is slow, and not by a machine that stands still."""

import signal
import subprocess
import sys
import time

import pytest

from tests.waiting import stopwatch, wait_until, within

_MEASURES = """
from tests.waiting import stopwatch
with stopwatch() as watch:
    print("begun", flush=True)
    input()
print(watch.seconds)
"""


def test_who_is_slow_takes_too_long() -> None:
    with pytest.raises(AssertionError, match=r"^took 0\.[3-9]"), within(0.2):
        time.sleep(0.3)


def test_a_halt_is_not_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", _MEASURES], stdin=-1, stdout=-1, text=True) as measuring:
        assert measuring.stdout
        assert measuring.stdout.readline() == "begun\n"
        measuring.send_signal(signal.SIGSTOP)
        time.sleep(1)
        measuring.send_signal(signal.SIGCONT)
        said, _ = measuring.communicate("\n")
    assert float(said) < 0.7


def test_what_is_waited_for_is_given_and_what_does_not_come_is_said() -> None:
    assert wait_until(iter(["", 0, "there"]).__next__) == "there"
    with stopwatch() as watch, pytest.raises(AssertionError, match=r"^not within 0 s: the end of the world$"):
        wait_until(lambda: False, "the end of the world", 0.1)
    assert watch.seconds > 0.05
