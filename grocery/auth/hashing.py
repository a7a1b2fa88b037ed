"""How many passwords are hashed at once, so that a flood of sign-ins cannot eat the machine.

A hash takes 19 MiB and about 30 ms of a processor. The threads that hash are as many as half of the processors, and
give way to all others: browsing goes on while they are busy. Who is not signed in stands in line for them before
anything else is done (`grocery.lanes`); who is, waits here, in the midst of a request.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from flask import Flask, current_app, has_app_context

from grocery.auth.errors import HashingBusyError
from grocery.lanes import Line

#: What anyone may send and always hashes a password.
HASHING_PATHS = ("/auth/login", "/auth/register")

#: Seconds until someone who waits is told to try again.
MAX_WAIT_SECONDS = 3.0
_STEPS = 6

# Of Linux's 19 steps; at this one a thread that gives way gets a tenth of what another gets.
_NICENESS = 10

Result = TypeVar("Result")


class Hashers:
    """The threads that hash, and those who wait for them, of one process."""

    def __init__(self, at_once: int, waiting: int, max_wait_seconds: float = MAX_WAIT_SECONDS):
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="hashing", initializer=_give_way)
        self._max_wait_seconds = max_wait_seconds
        self._of_thread = threading.local()

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises; raises HashingBusyError when too many wait, or its turn does not come in time.

        What has begun is waited for: it is paid already.
        """
        if not self._places.acquire(blocking=False):
            raise HashingBusyError
        try:
            running = self._threads.submit(self._rested, work)
        except RuntimeError:  # the process is ending
            self._places.release()
            raise HashingBusyError from None
        running.add_done_callback(lambda _: self._places.release())
        # In steps, so that a machine that stood still counts as one of them, and not as a long line.
        for _ in range(_STEPS):
            if wait([running], self._max_wait_seconds / _STEPS).done:
                break
        if running.cancel():
            raise HashingBusyError
        return running.result()

    def _rested(self, work: Callable[[], Result]) -> Result:
        # A hash goes through so much memory that it slows down the other processors, too, which no priority prevents:
        # each thread rests for as long as it has worked. Only who comes right after another waits for that.
        time.sleep(max(0.0, getattr(self._of_thread, "rests_until", 0.0) - time.monotonic()))
        started = time.thread_time()
        try:
            return work()
        finally:
            self._of_thread.rests_until = time.monotonic() + time.thread_time() - started


def init_app(app: Flask) -> None:
    at_once = max(1, (os.cpu_count() or 1) // 2)
    # The statements of one more go beside the hashing.
    signing_in = at_once + 1
    app.extensions["sign_in_line"] = Line(signing_in, app.config["PASSWORDS_WAITING"])
    # Of the requests that are worked on at once, no more than half may be of those who wait here.
    others = app.config["REQUESTS_AT_ONCE"] // 2
    app.extensions["hashers"] = Hashers(at_once, waiting=signing_in + others - at_once)


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
