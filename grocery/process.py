"""This process: which of the shop's roles it has, and what is still done at its end."""

import atexit
from collections.abc import Callable
from multiprocessing.util import Finalize

_role: str | None = None


def current_role() -> str | None:
    """What logs and traces call this process: `api`, `relay`, `worker-orders`, …; None before that is known."""
    return _role


def set_role(role: str) -> None:
    """Say what this process is for."""
    global _role  # a process has one, whichever part of it asks
    _role = role


def call_at_end(callback: Callable[[], object]) -> None:
    """Have `callback` called when this process ends by itself. It may be called twice.

    Processes of a server are forked by `multiprocessing`, and those end without the functions of `atexit`.
    """
    atexit.register(callback)
    Finalize(None, callback, exitpriority=10)
