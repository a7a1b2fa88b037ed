"""What is odd about the provider's calls: each is counted, and one of a kind is logged in a minute.

Whoever knows the address could fill the log otherwise. The counts are of this process only.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from flask import current_app

log = logging.getLogger(__name__)

_QUIET_SECONDS = 60.0


class Oddities:
    """Kept in `app.extensions["oddities"]`. `counts` are by kind, since the process began."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, kind: str, detail: str) -> None:
        """Count one. `detail` says more for the log: no secret, no text, no whole phone number."""
        with self._lock:
            now = self._clock()
            self.counts[kind] += 1
            count = self.counts[kind]
            if now < self._quiet_until.get(kind, now):
                return
            self._quiet_until[kind] = now + _QUIET_SECONDS
        log.warning("%s: %s (%d since the start)", kind, detail, count)


def oddities() -> Oddities:
    """The current app's."""
    known: Oddities = current_app.extensions["oddities"]
    return known


def masked(phone: str) -> str:
    """A phone number as logs may have it: "+254…678"."""
    return f"{phone[:4]}…{phone[-3:]}"
