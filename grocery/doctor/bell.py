"""Redis or Valkey: the doorbell. The shop goes on without it, but what workers do waits."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from grocery.doctor.asking import ANSWER_SECONDS
from grocery.doctor.confidential import password_in
from grocery.doctor.examining import Patient, first_line
from grocery.doctor.findings import Finding, failure, hint, ok, warning
from grocery.queues import connect

_OLDEST = (6, 2)
_SLOW_MILLISECONDS = 100
_FULL_SHARE = 0.9
_KEY = "grocery:doctor"
_WAITS = "messages, confirmations and imports wait, and the relay rings again when it is back."


def look(patient: Patient) -> Iterator[Finding]:
    with closing(connect(patient.engines.redis_url, answer_seconds=ANSWER_SECONDS)) as redis:
        try:
            started = time.monotonic()
            redis.ping()
            milliseconds = (time.monotonic() - started) * 1000
            facts: dict[str, Any] = redis.info()
        except (RedisError, OSError) as error:
            what = f"REDIS_URL: no answer ({first_line(error)}): {_WAITS}"
            yield failure(what, "Is the server up, and is the address right? (docs/troubleshooting.md)")
            return
        yield _version(facts, milliseconds)
        if milliseconds > _SLOW_MILLISECONDS:
            what = f"Redis took {milliseconds:.0f} ms to answer; requests wait 250 ms to connect at the most."
            yield warning(what, "Look for slow commands (SLOWLOG GET) and a busy network.")
        yield from _writing(redis, facts)
        yield from _memory(facts)
        yield from _keeping(facts)
    yield from _access(patient)


def _version(facts: dict[str, Any], milliseconds: float) -> Finding:
    name, version = (
        ("Valkey", facts["valkey_version"]) if "valkey_version" in facts else ("Redis", facts["redis_version"])
    )
    numbers = tuple(int(part) for part in str(version).split(".")[:2])
    if numbers < _OLDEST:
        return failure(f"{name} {version} is too old.", "Use Redis 6.2 or newer, or Valkey.")
    return ok(f"{name} {version} answers within {max(milliseconds, 0.1):.1f} ms.")


def _writing(redis: Redis, facts: dict[str, Any]) -> Iterator[Finding]:
    if facts.get("role") != "master":
        what = "REDIS_URL leads to a replica, which takes no rings."
        yield failure(what, "Set it to the primary, or to its Sentinels (docs/data.md).")
        return
    try:
        redis.set(_KEY, "seen", ex=5)
        redis.delete(_KEY)
    except RedisError as error:
        what = f"Redis refuses to write ({first_line(error)}): {_WAITS}"
        yield failure(what, "MISCONF and OOM: see docs/runbook.md, A full disk. NOPERM: see the ACL of its user.")


def _memory(facts: dict[str, Any]) -> Iterator[Finding]:
    limit, used, policy = facts.get("maxmemory", 0), facts.get("used_memory", 0), facts.get("maxmemory_policy", "")
    if limit and policy.startswith("allkeys"):
        what = f"maxmemory-policy is {policy}: when memory runs out, rings and workers are forgotten."
        yield warning(what, "Set maxmemory-policy noeviction, or volatile-lru.")
    if limit and used > limit * _FULL_SHARE:
        what = f"Redis has used {used / limit:.0%} of maxmemory; the shop needs a few MB."
        yield warning(what, "See who else uses it (redis-cli --bigkeys), or raise maxmemory.")


def _keeping(facts: dict[str, Any]) -> Iterator[Finding]:
    if facts.get("aof_enabled") and facts.get("aof_last_write_status") != "ok":
        yield failure("Redis could not write its append-only file.", "See docs/runbook.md, A full disk.")
    elif facts.get("rdb_last_bgsave_status") != "ok":
        yield warning("Redis could not save its snapshot.", "See docs/runbook.md, A full disk, and its log.")
    elif not facts.get("aof_enabled"):
        what = "appendonly is off: a restart of Redis forgets counts of sign-in tries and USSD sessions, no orders."
        yield hint(what, "Leave it, or set appendonly yes.")


def _access(patient: Patient) -> Iterator[Finding]:
    parts = urlsplit(patient.engines.redis_url)
    is_remote = parts.scheme != "unix" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
    if is_remote and not password_in(patient.engines.redis_url):
        what = "REDIS_URL has no password: whoever reaches it can stop the workers and lift limits."
        yield hint(what, "Set a password (requirepass or an ACL), or make sure that only the shop reaches it.")
