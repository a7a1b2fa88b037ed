"""Who has taken on which order, so that two do not pick the same one. Once lines are picked, they say it themselves.

It is courtesy, not a lock: all of it can get lost with Redis, and then nobody is named. So nothing here fails.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from functools import cached_property

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from grocery.queues import connect

log = logging.getLogger(__name__)

#: A claim ends with the shift in which it was made.
CLAIM_SECONDS = 12 * 3600

_KEY = "grocery:picking:1"


class Claims:
    """`redis_url` is called at the first use. Safe to share between threads."""

    def __init__(self, redis_url: Callable[[], str]):
        self._redis_url = redis_url

    @cached_property
    def _redis(self) -> Redis:
        return connect(self._redis_url())

    def read(self) -> Mapping[int, int]:
        """The person's id by that of the order."""
        now = time.time()
        return {order_id: person_id for order_id, (person_id, until) in self._all().items() if until > now}

    def claim(self, order_ids: Collection[int], person_id: int) -> bool:
        """Note that a person takes these orders on, whoever had them before; whether it could be noted."""
        until = int(time.time()) + CLAIM_SECONDS
        try:
            old = [order_id for order_id, (_, ends) in self._all().items() if ends <= time.time()]
            with self._redis.pipeline() as pipeline:
                if old:
                    pipeline.hdel(_KEY, *map(str, old))
                pipeline.hset(_KEY, mapping={str(order_id): f"{person_id}:{until}" for order_id in order_ids})
                pipeline.expire(_KEY, CLAIM_SECONDS)
                pipeline.execute()
        except RedisError as error:
            log.warning("who picks what could not be kept: %s", error)
            return False
        return True

    def _all(self) -> dict[int, tuple[int, int]]:
        try:
            kept: dict[bytes, bytes] = self._redis.hgetall(_KEY)  # type: ignore[assignment]  # not the async client's
        except RedisError as error:
            log.warning("who picks what could not be read: %s", error)
            return {}
        pairs = {int(order_id): value.decode().partition(":") for order_id, value in kept.items()}
        return {order_id: (int(person_id), int(until)) for order_id, (person_id, _, until) in pairs.items()}


def picking_claims() -> Claims:
    """The current app's."""
    claims: Claims = current_app.extensions["picking_claims"]
    return claims
