"""Queues and the doorbell: what is to be done is a row in PostgreSQL, Redis only says that there is something to do.

Nothing depends on a ring: work whose ring was lost (Redis away, a worker killed) is due until it is done, and the relay
rings for it again. So a ring may fail, may be repeated, and may find nothing to do.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from blinker import Namespace
from flask import Flask, current_app
from redis import Redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from grocery import tracing
from grocery.breaker import Breaker
from grocery.db import after_commit
from grocery.sentinels import make_client

T = TypeVar("T")

ORDERS = "orders"
NOTIFY = "notify"
BULK = "bulk"

# The allow-list: each queue has one job, which claims all that is due. Names, because imports point down.
JOBS: Mapping[str, str] = {
    ORDERS: "grocery.orders.jobs.process_orders",
    NOTIFY: "grocery.notify.jobs.send_notifications",
    BULK: "grocery.bulk.run_bulk",
}

# A job that has run for this long is stopped. Jobs should end by themselves well before and ring for the rest.
JOB_TIMEOUT_SECONDS = 50

# A failed job is kept this long, to be looked at with `rq info`; a finished one is not kept at all.
FAILED_JOB_SECONDS = 600

# How long a ring that was not answered (its worker was killed, or its enqueueing failed) holds back the next one.
TOKEN_SECONDS = 3

_signals = Namespace()

periodic_task = _signals.signal(
    "periodic-task",
    """Asks for the work that the relay does every so many seconds.

    Sent by the relay with the app as the sender. A receiver, connected in `create_app`, answers a list of
    `PeriodicTask`; the relay runs each in the app's context, one at a time, so it should be short or ring a bell:

        for _receiver, tasks in periodic_task.send(app):
            schedule.extend(tasks)
    """,
)


bulk_task = _signals.signal(
    "bulk-task",
    """Asks for the long work that waits in rows: imports, notices, upkeep of the search and the pictures.

    Sent with the app as the sender. A receiver, connected in `create_app`, answers a list of `BulkTask`.
    """,
)


@dataclass(frozen=True)
class BulkTask:
    """Long work in steps. What is to be done is a row, so that a killed worker loses nothing.

    `step` claims and does up to about 5 s of it, in transactions of its own, and answers whether more waits; it must be
    safe to run twice at once. `is_due` says cheaply whether any waits; the relay asks it every few seconds.
    """

    name: str
    is_due: Callable[[], bool]
    step: Callable[[], bool]


@dataclass(frozen=True)
class PeriodicTask:
    """A function for the relay to call about every `every_seconds`; never twice at the same time."""

    name: str
    every_seconds: float
    run: Callable[[], None]


def connect(redis_url: str, *, request_path: bool = True, answer_seconds: float = 0.5) -> Redis:
    """A Redis client that connects at its first command.

    On the request path it gives up at once: no retry, 0.25 s to connect, `answer_seconds` for an answer (redis-py's own
    defaults take 3.7 s for a refused connection). Elsewhere it is a little more patient.
    """
    return make_client(
        redis_url,
        socket_connect_timeout=0.25 if request_path else 3,
        # RQ's worker blocks for 5 s at a time on a connection made here.
        socket_timeout=answer_seconds if request_path else 15,
        retry=Retry(NoBackoff(), 0) if request_path else Retry(ConstantBackoff(0.1), 1),
    )


class Doorbell:
    """Tells the workers of a queue that work waits, without ever failing or delaying its caller for long.

    `redis_url` is called at the first use, since the address of the embedded Redis is known only when it runs. Safe to
    share between threads.
    """

    def __init__(
        self,
        redis_url: Callable[[], str],
        *,
        jobs: Mapping[str, str] = JOBS,
        pause_seconds: float = 1.0,
        token_seconds: int = TOKEN_SECONDS,
    ):
        self._redis_url = redis_url
        self._jobs = jobs
        self._token_seconds = token_seconds
        self._breaker = Breaker("the relay will ring later", pause_seconds=pause_seconds)
        self._lock = threading.Lock()
        self._redis: Redis | None = None

    def ring(self, queue: str) -> bool:
        """Have the queue's job run soon. True when it will, False when Redis is away; KeyError for an unknown queue.

        Many rings before the job starts make one job. Call it after the commit of what the job is to find.
        """
        job = self._jobs[queue]
        with tracing.child(f"ring {queue}", {"messaging.destination.name": queue}, kind="producer"):
            return self._try(lambda redis: self._ring(redis, queue, job))

    def answer(self, queue: str) -> None:
        """Let the next ring make a new job. The job calls this before its first claim.

        What is committed after that claim could be missed by the running job, so it must ring anew; what was committed
        before is seen by the claim.
        """
        self._try(lambda redis: redis.delete(_token(queue)))

    def tell(self, channel: str, message: str) -> bool:
        """Say something to whoever listens at this moment. True when Redis has heard it."""
        return self._try(lambda redis: redis.publish(channel, message))

    def count(self, name: str, kind: str) -> None:
        """Count one of a kind, for all processes together, as long as Redis keeps it."""
        self._try(lambda redis: redis.hincrby(name, kind, 1))

    def read_counts(self, name: str) -> dict[str, int]:
        """What `count` has counted, by kind; nothing while Redis is away."""
        found: dict[bytes, bytes] = {}
        self._try(lambda redis: found.update(redis.hgetall(name)))  # type: ignore[arg-type]  # not the async client
        return {kind.decode(): int(count) for kind, count in found.items()}

    def read(self, act: Callable[[Redis], T]) -> T | None:
        """What `act` finds out; None while Redis is away."""
        found: list[T] = []
        self._try(lambda redis: found.append(act(redis)))
        return found[0] if found else None

    def is_reachable(self) -> bool:
        """Whether Redis answers; False without asking in the pause after a failure."""
        return self._try(lambda redis: redis.ping())

    def depth(self, queue: str) -> int:
        """The number of jobs that wait in the queue; raises redis.RedisError when Redis is away."""
        return Queue(queue, connection=self._client()).count

    def close(self) -> None:
        """Drop the connections; the next use makes new ones."""
        if self._redis:
            self._redis.close()

    def _ring(self, redis: Redis, queue_name: str, job: str) -> None:
        queue = Queue(queue_name, connection=redis, serializer=JSONSerializer)
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.set(_token(queue_name), 1, nx=True, ex=self._token_seconds)
            pipeline.llen(queue.key)
            is_first, waiting = pipeline.execute()
        # A job that still waits will see this work too. Without this check, a queue without a worker would grow by one
        # job each time the token expires.
        if not is_first or waiting:
            return
        with redis.pipeline() as pipeline:
            queue.enqueue_call(
                job, timeout=JOB_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=FAILED_JOB_SECONDS, pipeline=pipeline
            )
            pipeline.execute()

    def _client(self) -> Redis:
        if self._redis is None:
            with self._lock:
                if self._redis is None:
                    self._redis = connect(self._redis_url())
        return self._redis

    def _try(self, act: Callable[[Redis], object]) -> bool:
        return self._breaker.attempt(lambda: act(self._client()))


def init_app(app: Flask, redis_url: Callable[[], str]) -> None:
    """Give the app its doorbell; `redis_url` is called when it is first used."""
    app.extensions["doorbell"] = Doorbell(redis_url)


def doorbell() -> Doorbell:
    """The current app's doorbell."""
    bell: Doorbell = current_app.extensions["doorbell"]
    return bell


def ring_after_commit(queue: str) -> None:
    """Ring once when the current `transaction()` has committed, however often this was called in it."""
    bell = doorbell()

    def ring() -> None:
        bell.ring(queue)

    after_commit(("ring", queue), ring)


def _token(queue: str) -> str:
    return f"grocery:ring:{queue}"
