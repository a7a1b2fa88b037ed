"""What is odd about the provider's calls: each is counted, and one of a kind is logged in a minute.

Whoever knows the address could fill the log otherwise. `/metrics` has the counts of all processes, which Redis keeps.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from flask import current_app

from grocery.queues import doorbell

log = logging.getLogger(__name__)

#: Where Redis has the counts by kind.
TALLY = "grocery:oddities"

_QUIET_SECONDS = 60.0


class Oddities:
    """Kept in `app.extensions["oddities"]`. `counts` are by kind, since this process began; `tell` gets each, too."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, tell: Callable[[str], None] = lambda kind: None
    ) -> None:
        self._tell = tell
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, kind: str, detail: str) -> None:
        """Count one. `detail` says more for the log: no secret, no text, no whole phone number."""
        self._tell(kind)
        with self._lock:
            now = self._clock()
            self.counts[kind] += 1
            count = self.counts[kind]
            if now < self._quiet_until.get(kind, now):
                return
            self._quiet_until[kind] = now + _QUIET_SECONDS
        log.warning("%s: %s (%d since the start)", kind, detail, count)


def count_for_all(kind: str) -> None:
    """Count one where all processes count."""
    doorbell().count(TALLY, kind)


def oddities() -> Oddities:
    """The current app's."""
    known: Oddities = current_app.extensions["oddities"]
    return known


def masked(phone: str) -> str:
    """A phone number as logs may have it: "+254…678"."""
    return f"{phone[:4]}…{phone[-3:]}"
