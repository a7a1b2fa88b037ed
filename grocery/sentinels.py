"""Clients of Redis or Valkey from its address, also from one of Sentinels: those follow the master wherever it goes.

A connection that is made asks a Sentinel first where the master is now. After a failover the connections to the old one
fail, are refused as those of a replica, or are dropped when they are next given back; nothing has to be restarted.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.maint_notifications import MaintNotificationsConfig
from redis.sentinel import Sentinel

from grocery.environ.sentinel import SentinelAddress, is_sentinel_url, read_sentinel_url


def make_client(redis_url: str, **options: Any) -> Redis:
    """A client that connects at its first command; `options` are those of a redis-py connection (time-outs, retry)."""
    # Valkey has no such notices; asking for them costs each new connection a round trip.
    options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    if not is_sentinel_url(redis_url):
        return Redis.from_url(redis_url, **options)
    address = read_sentinel_url(redis_url)
    sentinel = Sentinel(address.hosts, sentinel_kwargs=_of_sentinels(address, options))
    client: Redis = sentinel.master_for(address.service, **_of_master(address, options))
    return client


@asynccontextmanager
async def open_async_client(redis_url: str, **options: Any) -> AsyncIterator[AsyncRedis]:
    """As `make_client`, for asyncio; closed at the end, with its connections to the Sentinels."""
    if not is_sentinel_url(redis_url):
        async with AsyncRedis.from_url(redis_url, **options) as client:
            yield client
        return
    address = read_sentinel_url(redis_url)
    sentinel = AsyncSentinel(address.hosts, sentinel_kwargs=_of_sentinels(address, options))
    client = sentinel.master_for(address.service, **_of_master(address, options))
    try:
        yield client
    finally:
        await client.aclose()
        for each in sentinel.sentinels:
            await each.aclose()


def _of_sentinels(address: SentinelAddress, options: dict[str, Any]) -> dict[str, Any]:
    # One that is away must not cost more than it would cost to find the server itself away; the next one is asked then.
    return {**options, "username": address.sentinel_username, "password": address.sentinel_password}


def _of_master(address: SentinelAddress, options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "username": address.username, "password": address.password, "db": address.database}
