"""The sign of life of a process that serves no HTTP, for `python -m grocery.probe`: a file that it keeps fresh.

It tells of the process alone, never of what it needs: a process that waits for PostgreSQL or Redis is alive, and
starting it again would not help.
"""

import logging
import time
from pathlib import Path

log = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0


class Liveness:
    """Keeps the file of LIVENESS_FILE; does nothing without one. Never raises: a full disk must not end a process."""

    def __init__(self, path: Path | None):
        self._path = path
        self._beaten_at = -_EVERY_SECONDS
        self._has_complained = False

    def beat(self) -> None:
        """Say that the process is alive; more than once a second costs nothing."""
        now = time.monotonic()
        if self._path is None or now < self._beaten_at + _EVERY_SECONDS:
            return
        self._beaten_at = now
        self._write("")

    def point_to(self, url: str) -> None:
        """Have the probe ask this address instead of looking at the file's age."""
        if self._path is not None:
            self._write(f"{url}\n")

    def _write(self, text: str) -> None:
        try:
            if self._path is not None:
                self._path.write_text(text)
        except OSError as error:
            if not self._has_complained:
                log.warning("the sign of life cannot be written, probes will fail: %s", error)
            self._has_complained = True
