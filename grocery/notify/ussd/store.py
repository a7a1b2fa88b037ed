"""What Redis remembers of USSD sessions: what was shown last, what the menu needs next, and the phone's language.

All of it can get lost: the menu is then made anew of what was keyed in. So nothing here fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import orjson
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from grocery.config import LANGUAGES
from grocery.notify.receipts.oddities import oddities
from grocery.notify.ussd.forms import Step
from grocery.queues import connect

#: Networks end a session after three minutes.
SESSION_SECONDS = 180
LANGUAGE_SECONDS = 90 * 24 * 3600

# The number is that of the form below: a program with another one must not read what this one wrote.
_PREFIX = "grocery:ussd:1"


@dataclass(frozen=True)
class Shown:
    """The last step of a session: what had been keyed in by then, the whole answer, and the menu's state after it."""

    text: str
    answer: str
    language: str
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """What is known of a session and a phone; not `is_kept` when Redis is away or takes nothing."""

    shown: Shown | None = None
    language: str | None = None
    is_kept: bool = False


class SessionStore:
    """`redis_url` is called at the first use. Safe to share between threads."""

    def __init__(self, redis_url: Callable[[], str]):
        self._redis_url = redis_url

    @cached_property
    def _redis(self) -> Redis:
        return connect(self._redis_url())

    def recall(self, step: Step) -> Memory:
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                # One that is full, or a replica by now, answers and keeps nothing: it must not be relied on.
                pipeline.set(f"{_PREFIX}:keeps", 1, ex=SESSION_SECONDS)
                pipeline.mget(_session_key(step), _language_key(step))
                _, (shown, language) = pipeline.execute()
        except RedisError as error:
            oddities().note("USSD without Redis", f"the menu is made of what was keyed in: {error}")
            return Memory()
        chosen = next((word for word in LANGUAGES if word.encode() == language), None)
        return Memory(Shown(**orjson.loads(shown)) if shown else None, chosen, True)

    def keep(self, step: Step, shown: Shown, *, is_language_chosen: bool) -> None:
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(_session_key(step), orjson.dumps(asdict(shown)), ex=SESSION_SECONDS)
                if is_language_chosen:
                    pipeline.set(_language_key(step), shown.language, ex=LANGUAGE_SECONDS)
                pipeline.execute()
        except RedisError as error:
            oddities().note("USSD without Redis", f"a session could not be kept: {error}")


def session_store() -> SessionStore:
    """The current app's."""
    store: SessionStore = current_app.extensions["ussd_sessions"]
    return store


def _session_key(step: Step) -> str:
    return f"{_PREFIX}:session:{step.phone}:{step.session_id}"


def _language_key(step: Step) -> str:
    return f"{_PREFIX}:language:{step.phone}"
