"""Workers that are killed in the middle of sending: nothing is lost, and what is doubled was counted as a repeat."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from grocery.notify.jobs import watch_outbox
from grocery.queues import NOTIFY
from tests.fakes.africastalking import FakeAfricasTalking
from tests.notify.factories import make_notification
from tests.notify.sending.processes import horses, kill, running_worker, sms_settings
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]

# What a provider takes for a text: long enough that each kill finds some on their way, with and without an answer.
PROVIDER_SECONDS = 0.03


@pytest.fixture
def provider() -> Iterator[FakeAfricasTalking]:
    with FakeAfricasTalking(delay=PROVIDER_SECONDS) as fake:
        yield fake


class Killing:
    """Two workers of which one is killed and started again, and the relay that the test is meanwhile."""

    def __init__(self, environ: dict[str, str], directory: Path, run_sql: RunSql, stack: ExitStack) -> None:
        self._environ = environ
        self._directory = directory
        self._run_sql = run_sql
        self._stack = stack
        self._redis = Redis.from_url(environ["REDIS_URL"])
        self._starts = 0
        self._workers: list[subprocess.Popen] = []

    def start(self) -> None:
        self._starts += 1
        log = self._directory / f"worker-{self._starts}"
        self._workers.append(self._stack.enter_context(running_worker(self._environ, log, is_awaited=False)))

    def kill(self, *, is_worker_spared: bool) -> None:
        """End the one that has a job, the older one if both have."""
        wait_until(lambda: any(map(horses, self._workers)), "a job")
        worker = next(worker for worker in self._workers if horses(worker))
        kill(worker, is_worker_spared=is_worker_spared)
        # Whoever held these is dead: nobody needs to wait for a minute here, nor until the bell may ring again.
        self._redis.delete(f"grocery:ring:{NOTIFY}")
        self._run_sql("UPDATE notifications SET leased_until = now() WHERE status = 'sending'")
        watch_outbox()
        self._run_sql("UPDATE notifications SET next_attempt_at = now() WHERE status = 'unknown' AND unknowns < 3")
        if not is_worker_spared:
            self._workers.remove(worker)
            self.start()

    def drain_until(self, holds: Callable[[], object], what: str) -> None:
        def watch_and_ask() -> object:
            watch_outbox()
            return holds()

        wait_until(watch_and_ask, what)


def prove_killing(
    environ: dict[str, str], provider: FakeAfricasTalking, directory: Path, run_sql: RunSql, *, kills: int, number: int
) -> None:
    for index in range(number):
        make_notification(body=f"Text {index}")
    with ExitStack() as stack:
        killing = Killing({**environ, **sms_settings(provider.url)}, directory, run_sql, stack)
        killing.start()
        killing.start()
        for turn in range(kills):
            wanted = (turn + 1) * number // (kills + 1)
            killing.drain_until(lambda: len(provider.messages) >= wanted, "the provider")  # noqa: B023 — called at once
            killing.kill(is_worker_spared=turn % 2 == 1)
        killing.drain_until(
            lambda: not run_sql("SELECT 1 FROM notifications WHERE status NOT IN ('sent') LIMIT 1"), "the rest"
        )
    check_copies(provider, run_sql, number)


def check_copies(provider: FakeAfricasTalking, run_sql: RunSql, number: int) -> None:
    copies = Counter(message["message"] for message in provider.messages)
    repeats = dict(run_sql("SELECT body, repeats FROM notifications WHERE channel = 'sms'"))
    assert set(copies) == {f"Text {index}" for index in range(number)}, "a message was lost"
    doubled = {text: count - 1 for text, count in copies.items() if count > 1}
    assert {text: count for text, count in doubled.items() if count > repeats[text]} == {}
    assert sum(doubled.values()) <= sum(repeats.values())
    assert sum(repeats.values()) > 0, "no kill has met a message on its way"


def test_nothing_is_lost_when_worker_and_job_are_killed_again_and_again(
    environ: dict[str, str], provider: FakeAfricasTalking, tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    prove_killing(environ, provider, tmp_path, run_sql, kills=5, number=300)


@pytest.mark.prove
def test_nothing_is_lost_when_worker_and_job_are_killed_a_hundred_times(
    environ: dict[str, str], provider: FakeAfricasTalking, tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    prove_killing(environ, provider, tmp_path, run_sql, kills=100, number=5000)
