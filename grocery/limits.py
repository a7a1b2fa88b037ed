"""How often something may be done: counted in Redis for all processes, by each alone while Redis is away.

Built on `limits`, the library inside of Flask-Limiter. The extension itself wants the address of Redis when the app is
made (that of the embedded one is known later), decides before a view runs (what has failed is known after it, and whom
it was about stands in the body), and has no limit that grows.
"""

import hashlib
import math
import re
import threading
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from flask import Flask, current_app, request
from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage

from grocery.breaker import Breaker
from grocery.errors import TooManyRequestsError
from grocery.keys import keys_of
from grocery.queues import connect

T = TypeVar("T")
Storage = RedisStorage | MemoryStorage

#: For `problems(_429=…)` of the routes that are limited.
TOO_MANY = "Too often: `too_many_requests`."

# An answer takes well under a millisecond. A customer waits for it, and there is the memory to fall back to.
_ANSWER_SECONDS = 0.2

# About 10 MB of the memory that stands in for Redis: a flood of addresses must not take all that the process has.
_MAX_KEPT = 20_000

_WITH_PORT = re.compile(r"\[(?P<ipv6>[^]]+)\](:[0-9]+)?|(?P<ipv4>[0-9.]+):[0-9]+")


class Limiter:
    """Counts in windows that begin with the first thing counted. Safe to share between threads.

    A `name` and a `key` say what is counted. Of the key, often an address of a person, only a hash leaves the process.
    `redis_url` is called at the first use. While Redis is away each process counts by itself.

    The names are made with `secret`. What processes with one of the `older` secrets have counted, and still count, is
    added up with it: a new SECRET_KEY gives nobody new tries.
    """

    def __init__(
        self, redis_url: Callable[[], str], secret: str, older: tuple[str, ...] = (), *, pause_seconds: float = 1.0
    ):
        self._redis_url = redis_url
        self._secrets = [hashlib.sha256(key.encode()).digest() for key in (secret, *older)]
        self._breaker = Breaker("each process counts its limits alone", pause_seconds=pause_seconds)
        self._lock = threading.Lock()
        self._redis: RedisStorage | None = None
        self._memory: MemoryStorage | None = None

    def hit(self, rates: str, name: str, *key: str) -> None:
        """Count one; raises TooManyRequestsError when that is more than `rates` ("10/minute;60/hour") allow."""
        for rate in parse_many(rates):
            counters = [rate.key_for(counter) for counter in self._counters(name, key)]
            if self._increase(counters, rate.get_expiry()) > rate.amount:
                raise self._refusal(counters)

    def check(self, rates: str, name: str, *key: str) -> None:
        """Raise TooManyRequestsError when `rates` are used up, without counting."""
        for rate in parse_many(rates):
            counters = [rate.key_for(counter) for counter in self._counters(name, key)]
            if self._read(counters) >= rate.amount:
                raise self._refusal(counters)

    def take_turn(self, seconds: int, name: str, *key: str) -> None:
        """Raise TooManyRequestsError when another had the turn in the last so many seconds (those of that turn)."""
        counters = self._counters(name, key)
        if self._increase(counters, seconds) > 1:
            raise self._refusal(counters)

    def add(self, seconds: int, name: str, *key: str) -> None:
        """Count one, for so many seconds from the first one on."""
        self._increase(self._counters(name, key), seconds)

    def count(self, name: str, *key: str) -> int:
        """How many `add` has counted."""
        return self._read(self._counters(name, key))

    def _counters(self, name: str, key: tuple[str, ...]) -> list[str]:
        """Under each secret the name of what is counted; the first one is ours to increase."""
        text = "\0".join(key).encode()
        return [f"{name}/{hashlib.blake2b(text, key=secret, digest_size=16).hexdigest()}" for secret in self._secrets]

    def _increase(self, counters: list[str], seconds: int) -> int:
        # First counted, then the others read: of two processes that count at once under two keys, none misses both.
        return self._ask(lambda storage: storage.incr(counters[0], seconds) + _total(storage, counters[1:]))

    def _read(self, counters: list[str]) -> int:
        return self._ask(lambda storage: _total(storage, counters))

    def _refusal(self, counters: list[str]) -> TooManyRequestsError:
        ends_at = self._ask(lambda storage: max(storage.get_expiry(counter) for counter in counters))
        # Redis rounds to whole seconds: half a second more, so that who waits as long as told has waited enough.
        return TooManyRequestsError(max(1, math.ceil(ends_at - time.time() + 0.5)))

    def _ask(self, act: Callable[[Storage], T]) -> T:
        answers: list[T] = []
        if self._breaker.attempt(lambda: answers.append(act(self._shared()))):
            return answers[0]
        with self._lock:
            return act(self._own())

    def _shared(self) -> RedisStorage:
        if self._redis is None:
            pool = connect(self._redis_url(), answer_seconds=_ANSWER_SECONDS).connection_pool
            self._redis = RedisStorage("redis://", connection_pool=pool, key_prefix="grocery:limit")
        return self._redis

    def _own(self) -> MemoryStorage:
        # It starts a thread, so not before it is needed.
        if self._memory is None or len(self._memory.storage) >= _MAX_KEPT:
            self._memory = MemoryStorage()
        return self._memory


def init_app(app: Flask, redis_url: Callable[[], str]) -> None:
    """Give the app its limiter; `redis_url` is called when it is first used."""
    keys = keys_of(app.config)
    app.extensions["limiter"] = Limiter(redis_url, keys.signing, keys.older)


def limiter() -> Limiter:
    """The current app's limiter."""
    found: Limiter = current_app.extensions["limiter"]
    return found


def limit(setting: str, name: str, *key: str, times: int = 1) -> None:
    """Count one against the rates of a setting, or `times` as many; raises TooManyRequestsError beyond."""
    rates = current_app.config[setting]
    if rates:
        limiter().hit(_multiply(rates, times), name, *key)


def client_network() -> str:
    """Where the request comes from, as far as one client can be told from another by it."""
    return network_of(request.remote_addr or "")


def network_of(address: str) -> str:
    """The address without its port, which some proxies write behind it; of IPv6 the /64, the least that a client has.

    What is none ("unknown") is taken as it is.
    """
    with_port = _WITH_PORT.fullmatch(address)
    try:
        ip = ip_address(with_port["ipv6"] or with_port["ipv4"] if with_port else address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64))


def _total(storage: Storage, counters: list[str]) -> int:
    return sum(storage.get(counter) for counter in counters)


def _multiply(rates: str, times: int) -> str:
    return ";".join(f"{rate.amount * times}/{rate.GRANULARITY.name}" for rate in parse_many(rates))
