"""Whether the work of this process is to end soon. Long work asks between two steps, and leaves the rest to others.

A worker's job runs in a fork, which the worker tells by a signal; else a job would go on for as long as there is work.
"""

import os
import signal
import threading
from types import FrameType

#: What a worker sends to its fork.
SIGNAL = signal.SIGUSR1

_is_told = threading.Event()


def is_told_to_end() -> bool:
    """Whether the rest is to be left to another process."""
    return _is_told.is_set()


def listen_in_forks() -> None:
    """Have the forks of this process note the signal. Set up before a fork, since it may come at the fork's birth."""
    parent = os.getpid()

    def note(_number: int, _frame: FrameType | None) -> None:
        # This process goes on, and its next forks would inherit what it had noted.
        if os.getpid() != parent:
            _is_told.set()

    signal.signal(SIGNAL, note)
