"""Hearing which orders have changed: through Valkey, and by looking at all that are watched now and then.

What is said through Valkey can be lost: while it is away, or by one who changes an order just when it comes back. So
all orders that are watched are looked at every two seconds while it is away and a little longer, every ten after that.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from grocery.sentinels import open_async_client
from grocery.stream.hub import Hub
from grocery.tickets import CHANNEL

log = logging.getLogger(__name__)

_AWAY_SECONDS = 2.0
_CALM_EVERY = 5
# Others give a Valkey that has failed them a few seconds before they try it again.
_CALM_AFTER_SECONDS = 10.0

_RECONNECT_SECONDS = 1.0
# A Valkey that hangs does not close its connections: it is asked whether it lives when nothing has come for so long.
_SILENCE_SECONDS = 2.0


class News:
    """Tells the hub; `redis_url` is called for each connection."""

    def __init__(self, redis_url: Callable[[], str], hub: Hub):
        self._redis_url = redis_url
        self._hub = hub
        self._heard_since: float | None = None
        self._is_away_noted = False

    @property
    def is_heard(self) -> bool:
        """Whether Valkey answers."""
        return self._heard_since is not None

    async def run(self) -> None:
        """Listen and look, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen_on())
            tasks.create_task(self._look())

    async def _look(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(_AWAY_SECONDS)
            turn += 1
            if not self._is_calm() or turn % _CALM_EVERY == 0:
                self._hub.look_at_all()

    def _is_calm(self) -> bool:
        return self._heard_since is not None and time.monotonic() - self._heard_since > _CALM_AFTER_SECONDS

    async def _listen_on(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                self._heard_since = None
                if not self._is_away_noted:
                    self._is_away_noted = True
                    log.warning("Valkey is away, the database is asked every %g s: %s", _AWAY_SECONDS, error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Pass on what is said until the connection is lost: RedisError, OSError."""
        url = await asyncio.to_thread(self._redis_url)
        patience = {"socket_connect_timeout": 3, "socket_timeout": 3, "retry": Retry(NoBackoff(), 0)}
        async with open_async_client(url, **patience) as client, client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            while True:
                self._take(await _next_message(subscription))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._heard_since = time.monotonic()
            self._hub.look_at_all()  # for what was said before
            if self._is_away_noted:
                self._is_away_noted = False
                log.warning("Valkey is back")
        elif message["type"] == "message" and message["data"].isdigit():
            self._hub.look_at([int(message["data"])])


async def _next_message(subscription: Any) -> dict[str, Any]:
    """What comes next, if only the answer to being asked; TimeoutError when there is none."""
    message = await subscription.get_message(timeout=_SILENCE_SECONDS)
    if message is None:
        await subscription.ping()
        message = await subscription.get_message(timeout=_SILENCE_SECONDS)
    if message is None:
        raise TimeoutError("it does not answer")
    answer: dict[str, Any] = message
    return answer
