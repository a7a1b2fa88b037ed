"""Telling Sentry of unexpected errors. Without SENTRY_DSN nothing is loaded and nothing told."""

from importlib import import_module
from typing import Protocol


class Teller(Protocol):
    """What `grocery.faults.sentry` makes."""

    def flush(self) -> None: ...

    def stop(self) -> None: ...


_teller: Teller | None = None


def start(dsn: str, environment: str) -> None:
    """Tell Sentry of each error that this process logs with its stack, and of those of its forks.

    Called again (tests make many apps), it replaces what was.
    """
    global _teller  # errors are logged all over the program
    if _teller is not None:
        _teller.stop()
    _teller = None
    if dsn:
        _teller = import_module("grocery.faults.sentry").SentryTeller(dsn, environment)


def flush() -> None:
    """Send what was told, before a process ends without a word. Takes two seconds at the most."""
    if _teller is not None:
        _teller.flush()
