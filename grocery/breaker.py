"""Doing without Redis while it is away: nothing that asks for it may fail or wait for long because of that."""

import logging
import threading
import time
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 60.0


class Breaker:
    """Tries what needs Redis, and stops trying for a while when it fails.

    After a failure nothing is tried for `pause_seconds`, or for four times what the failure took: a hanging Redis can
    take a fifth of a process's time at the most. `warning` says once a minute what that means. Safe to share between
    threads.
    """

    def __init__(self, warning: str, *, pause_seconds: float = 1.0):
        self._warning = warning
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._is_failing = False
        self._closed_until = 0.0
        self._quiet_until = 0.0

    def attempt(self, act: Callable[[], object]) -> bool:
        """Call `act`. True when it has succeeded, False when Redis is away or was a moment ago."""
        if not self._may_try():
            return False
        started = time.monotonic()
        try:
            act()
        except RedisError as error:
            self._note_failure(error, time.monotonic() - started)
            return False
        self._note_success()
        return True

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return False
            if self._is_failing:
                # One thread tries whether Redis is back; the others need not wait with it.
                self._closed_until = now + self._pause_seconds
            return True

    def _note_failure(self, error: RedisError, took_seconds: float) -> None:
        with self._lock:
            now = time.monotonic()
            self._is_failing = True
            self._closed_until = now + max(self._pause_seconds, 4 * took_seconds)
            is_quiet = now < self._quiet_until
            if not is_quiet:
                self._quiet_until = now + _LOG_EVERY_SECONDS
        if not is_quiet:
            log.warning("Redis is away, %s: %s", self._warning, error)

    def _note_success(self) -> None:
        if not self._is_failing:
            return
        with self._lock:
            self._is_failing = False
            self._closed_until = self._quiet_until = 0.0
        log.warning("Redis is back")
