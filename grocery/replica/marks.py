"""Who has written something within the last seconds, so that all processes let them find it."""

import threading
import time
from collections.abc import Callable

from redis import Redis

from grocery.breaker import Breaker
from grocery.queues import connect

#: Twice what a replica that is read may be behind.
MARK_SECONDS = 10

# A page waits for the answer, and there is the primary to fall back to.
_ANSWER_SECONDS = 0.2


class Marks:
    """Marks in Redis that go by themselves. Safe to share between threads.

    When one could not be made, this process takes everyone for a writer until it would have gone. The others do so
    while they find Redis away; one that did not ask in between knows nothing of it.
    """

    def __init__(self, redis_url: Callable[[], str]):
        self._redis_url = redis_url
        self._breaker = Breaker("people who are signed in are answered by the primary")
        self._lock = threading.Lock()
        self._redis: Redis | None = None
        self._in_doubt_until = 0.0

    def note(self, person_id: int) -> None:
        """This person has just written something."""
        if not self._breaker.attempt(lambda: self._client().set(_key(person_id), 1, ex=MARK_SECONDS)):
            self._in_doubt_until = time.monotonic() + MARK_SECONDS

    def may_have_written(self, person_id: int) -> bool:
        """Whether this person has written something lately, as far as that is known."""
        if time.monotonic() < self._in_doubt_until:
            return True
        found: list[object] = []
        is_known = self._breaker.attempt(lambda: found.append(self._client().exists(_key(person_id))))
        return not is_known or bool(found[0])

    def _client(self) -> Redis:
        with self._lock:
            if self._redis is None:
                self._redis = connect(self._redis_url(), answer_seconds=_ANSWER_SECONDS)
            return self._redis


def _key(person_id: int) -> str:
    return f"grocery:wrote:{person_id}"
