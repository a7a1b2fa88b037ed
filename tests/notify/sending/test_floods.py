"""Thousands of messages at once: Redis lost in the middle, codes and orders between offers, memory."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.fakes.fast_africastalking import counts, fast_africastalking
from tests.notify.factories import make_notification, pick
from tests.notify.sending.processes import horses, memory_mb, running_relay, running_worker, sms_settings
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until, within

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]

OFFER = 2


def queue(run_sql: RunSql, number: int, *, priority: int = 1) -> None:
    run_sql(
        "INSERT INTO notifications (dedupe_key, channel, event, recipient, body, priority) "
        "SELECT 'flood:' || n, 'sms', 'campaign', '+2547' || lpad(n::text, 8, '0'), 'Text ' || n, :priority "
        "FROM generate_series(1, :number) AS n",
        number=number,
        priority=priority,
    )


def count_sent(run_sql: RunSql) -> int:
    [(number,)] = run_sql("SELECT count(*) FROM notifications WHERE status = 'sent'")
    return int(number)


def settings_of(environ: dict[str, str], origin: str, **more: str) -> dict[str, str]:
    return {**environ, **sms_settings(origin), "SMS_RATE": "100000", "LOG_LEVEL": "WARNING", **more}


def test_redis_that_is_killed_restarted_and_emptied_loses_and_doubles_nothing(
    environ: dict[str, str], valkey: ValkeyProcess, tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    number = 2500
    queue(run_sql, number)
    with fast_africastalking() as origin, ExitStack() as stack:
        settings = settings_of(environ, origin, REDIS_URL=valkey.url)
        stack.enter_context(running_relay(settings, tmp_path / "relay", is_awaited=False))
        for name in ("first", "second"):
            stack.enter_context(running_worker(settings, tmp_path / name, is_awaited=False))

        wait_until(lambda: count_sent(run_sql) > number // 10, "the beginning")
        valkey.stop()
        time.sleep(0.5)
        valkey.start()
        wait_until(lambda: count_sent(run_sql) > number // 3, "the third after the restart")
        valkey.client.flushall()
        wait_until(lambda: count_sent(run_sql) == number, "the rest")
        taken = counts(origin)

    assert (taken["accepted"], taken["duplicates"]) == (number, 0)
    assert run_sql("SELECT status, attempts, repeats, count(*) FROM notifications GROUP BY 1, 2, 3") == [
        ("sent", 1, 0, number)
    ]


def prove_order_between_offers(environ: dict[str, str], directory: Path, run_sql: RunSql, number: int) -> None:
    queue(run_sql, number, priority=OFFER)
    with fast_africastalking(20) as origin, ExitStack() as stack:
        settings = settings_of(environ, origin)
        stack.enter_context(running_relay(settings, directory / "relay", is_awaited=False))
        stack.enter_context(running_worker(settings, directory / "worker", is_awaited=False))
        wait_until(lambda: count_sent(run_sql) > 100, "the campaign to begin")

        for _ in range(3):
            order = make_notification()
            with within(2):
                wait_until(lambda: pick(order, "status") == {"status": "sent"}, "the order's SMS")  # noqa: B023 — called at once

        assert count_sent(run_sql) < number, "the campaign was over too soon to be in the way"


def test_sms_of_an_order_goes_out_between_offers_within_two_seconds(
    environ: dict[str, str], tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    prove_order_between_offers(environ, tmp_path, run_sql, 4000)


@pytest.mark.prove
def test_sms_of_an_order_goes_out_between_fifty_thousand_offers_within_two_seconds(
    environ: dict[str, str], tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    prove_order_between_offers(environ, tmp_path, run_sql, 50_000)


@pytest.mark.prove
def test_fifty_thousand_messages_drain_without_memory_growing(
    environ: dict[str, str], tmp_path: Path, run_sql: RunSql, app: Flask
) -> None:
    number = 50_000
    queue(run_sql, number)
    jobs: list[float] = []
    relays: list[float] = []
    with fast_africastalking() as origin, ExitStack() as stack:
        settings = settings_of(environ, origin)
        relay = stack.enter_context(running_relay(settings, tmp_path / "relay"))
        workers = [stack.enter_context(running_worker(settings, tmp_path / name)) for name in ("first", "second")]
        started = time.monotonic()

        def measure() -> bool:
            jobs.extend(filter(None, (memory_mb(pid) for worker in workers for pid in horses(worker))))
            relays.append(memory_mb(relay.pid))
            time.sleep(0.5)
            return count_sent(run_sql) == number

        wait_until(measure, "all of them", 600)
        rate = number / (time.monotonic() - started)
        taken = counts(origin)

    assert (taken["accepted"], taken["duplicates"]) == (number, 0)
    for values in (jobs, relays):
        third = len(values) // 3
        assert max(values[-third:]) <= max(values[:third]) * 1.1 + 1
    assert rate > 300


@pytest.mark.prove
@pytest.mark.parametrize(("delay", "number", "least"), [(0, 6000, 300), (100, 2400, 60)])
def test_two_workers_send_as_fast_as_they_should(
    environ: dict[str, str], tmp_path: Path, run_sql: RunSql, app: Flask, delay: float, number: int, least: int
) -> None:
    with fast_africastalking(delay) as origin, ExitStack() as stack:
        settings = settings_of(environ, origin)
        for name in ("first", "second"):
            stack.enter_context(running_worker(settings, tmp_path / name))
        queue(run_sql, number)
        started = time.monotonic()
        stack.enter_context(running_relay(settings, tmp_path / "relay"))
        wait_until(lambda: count_sent(run_sql) == number, "all of them", 120)

    assert number / (time.monotonic() - started) > least
