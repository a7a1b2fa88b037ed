"""How many passwords are hashed at once, so that a flood of sign-ins cannot eat the machine.

A hash takes 19 MiB and about 30 ms of a processor. The threads that hash are as many as half of the processors, and
give way to all others: browsing goes on while they are busy. Whoever waits for one holds a thread of the server, so
only a few may wait.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask, current_app, has_app_context

from grocery.auth.errors import HashingBusyError

#: Seconds until someone who waits is told to try again.
MAX_WAIT_SECONDS = 3.0

# Of Linux's 19 steps; at this one a thread that gives way gets a tenth of what another gets.
_NICENESS = 10

Result = TypeVar("Result")


class Hashers:
    """The threads that hash, and those who wait for them, of one process."""

    def __init__(self, at_once: int, waiting: int, max_wait_seconds: float = MAX_WAIT_SECONDS):
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="hashing", initializer=_give_way)
        self._max_wait_seconds = max_wait_seconds

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises; raises HashingBusyError when too many wait, or it has waited for too long."""
        if not self._places.acquire(blocking=False):
            raise HashingBusyError
        running = self._threads.submit(work)
        running.add_done_callback(lambda _: self._places.release())
        try:
            return running.result(timeout=self._max_wait_seconds)
        except TimeoutError:
            running.cancel()
            raise HashingBusyError from None


def init_app(app: Flask) -> None:
    app.extensions["hashers"] = Hashers(max(1, (os.cpu_count() or 1) // 2), app.config["PASSWORDS_WAITING"])


def run_hash(work: Callable[[], Result]) -> Result:
    """Do it in one of the threads that hash; at once where there is no application, and so no requests."""
    if not has_app_context():
        return work()
    hashers: Hashers = current_app.extensions["hashers"]
    return hashers.run(work)


def _give_way() -> None:
    # Elsewhere than on Linux the niceness is that of the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
