"""Redis, workers, the relay, and the work that they should have done."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from grocery.config import Settings
from grocery.doctor import queues, relay
from grocery.doctor.findings import Level
from grocery.embedded import Stack
from grocery.queues import JOBS, ORDERS, Doorbell
from grocery.relay import LOCK_KEY
from tests.doctor.looking import bad, look, said
from tests.e2e.shop import free_port
from tests.notify.factories import make_notification
from tests.orders.conftest import caller
from tests.orders.factories import place
from tests.products.factories import make_product
from tests.running_worker import environment, running_worker
from tests.valkey_process import ValkeyProcess
from tests.waiting import within

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def with_valkey(settings: Settings, valkey: ValkeyProcess) -> Settings:
    """The settings of a shop on a Valkey of the test's own."""
    return replace(settings, redis_url=valkey.url)


def test_a_valkey_that_is_all_right(app: Flask, with_valkey: Settings) -> None:
    findings = look(app, "redis", with_valkey)
    assert bad(findings) == []
    assert said(findings, Level.OK)[0].startswith("Valkey 9.")


def test_a_redis_that_is_away(app: Flask, settings: Settings) -> None:
    settings = replace(settings, redis_url=f"redis://:canary@127.0.0.1:{free_port()}/0")
    [finding] = look(app, "redis", settings)
    assert (finding.level, finding.what.startswith("REDIS_URL: no answer")) == ("failure", True)
    [finding] = look(app, "queues", settings)
    assert finding.what.startswith("Not looked at, since Redis is away")


def test_a_redis_that_hangs_holds_nothing_up(app: Flask, with_valkey: Settings, valkey: ValkeyProcess) -> None:
    valkey.freeze()
    with within(20):
        [finding] = look(app, "redis", with_valkey)
    assert finding.level is Level.FAILURE
    valkey.unfreeze()


def test_a_redis_that_forgets_what_it_should_keep(app: Flask, with_valkey: Settings, valkey: ValkeyProcess) -> None:
    valkey.client.config_set("maxmemory", "100mb")
    valkey.client.config_set("maxmemory-policy", "allkeys-lru")
    assert any("maxmemory-policy is allkeys-lru" in what for _, what in bad(look(app, "redis", with_valkey)))
    valkey.client.config_set("maxmemory", "1kb")
    valkey.client.config_set("maxmemory-policy", "noeviction")
    found = bad(look(app, "redis", with_valkey))
    assert ("failure", True) in [(level, "Redis refuses to write" in what) for level, what in found], found
    assert any("of maxmemory" in what for _, what in found)


def test_a_redis_that_is_a_replica(app: Flask, with_valkey: Settings, valkey: ValkeyProcess) -> None:
    valkey.client.replicaof("127.0.0.1", str(free_port()))
    assert ("failure", "REDIS_URL leads to a replica, which takes no rings.") in bad(look(app, "redis", with_valkey))


def test_a_redis_without_a_password_and_with_a_wrong_one(
    app: Flask, with_valkey: Settings, valkey: ValkeyProcess
) -> None:
    valkey.client.config_set("requirepass", "right")
    [finding] = look(app, "redis", with_valkey)
    assert finding.level is Level.FAILURE
    assert "no answer" in finding.what
    valkey.client.close()


def test_queues_without_workers_are_found(app: Flask, with_valkey: Settings) -> None:
    findings = look(app, "queues", with_valkey)
    assert [what.split(":")[0] for what in said(findings, Level.FAILURE)] == list(JOBS)


def test_a_worker_is_seen_and_missed_when_it_dies(
    app: Flask, with_valkey: Settings, valkey: ValkeyProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_worker(valkey, tmp_path / "log") as worker:
        worker.wait_for_line("worker ready for queue")
        [seen] = said(look(app, "queues", with_valkey), Level.OK)
        assert seen.startswith("orders: 1 at work (")
        assert f"pid {worker.process.pid}" in seen
        worker.kill()
        monkeypatch.setattr(queues, "_DEAD_AFTER_SECONDS", 0)
        assert said(look(app, "queues", with_valkey), Level.OK) == []


def test_a_ring_that_nobody_takes_and_a_job_that_failed_are_found(
    app: Flask, with_valkey: Settings, valkey: ValkeyProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_OLD_RING_SECONDS", -1)
    assert Doorbell(lambda: valkey.url).ring(ORDERS)
    assert any("orders: a ring has waited" in what for _, what in bad(look(app, "queues", with_valkey)))
    # As one that was started without our class: it cannot read what it is given.
    _run_a_plain_worker(valkey, tmp_path)
    findings = look(app, "queues", with_valkey)
    assert any(what.startswith("orders: 1 jobs failed lately") for what in said(findings, Level.WARNING)), findings


def _run_a_plain_worker(valkey: ValkeyProcess, directory: Path) -> None:
    """RQ's own class takes the job, and fails at it."""
    environ = {key: value for key, value in environment(valkey).items() if key != "RQ_WORKER_CLASS"}
    command = [sys.executable, "-m", "rq.cli", "worker", "--burst", "orders"]
    with (directory / "plain").open("wb") as log:
        subprocess.run(command, env=environ, stdout=log, stderr=log, timeout=120)


def test_suspended_workers_are_found(app: Flask, with_valkey: Settings, valkey: ValkeyProcess) -> None:
    valkey.client.set("rq:suspended", 1)
    assert "Workers are told to do nothing (rq suspend)." in said(look(app, "queues", with_valkey), Level.FAILURE)


def test_the_relay_is_known_by_its_lock(
    app: Flask, settings: Settings, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [what.split(":")[0] for _, what in bad(look(app, "relay", settings))] == ["No relay is at work"]
    with closing(psycopg2.connect(stack.database_url)) as holder:
        holder.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
            [finding] = look(app, "relay", settings)
            assert finding.level is Level.OK
            monkeypatch.setattr(relay, "_SILENT_SECONDS", -1)
            [finding] = look(app, "relay", settings)
            assert "it hangs in a task" in finding.what


def test_work_that_is_done_is_all_right(app: Flask, settings: Settings, context: None) -> None:
    make_notification(status="pending", next_attempt_at="now() - interval '4 minutes'")
    make_notification(status="pending", priority=2, next_attempt_at="now() - interval '9 hours'")
    assert [finding.level for finding in look(app, "work", settings)] == [Level.OK]


def test_work_that_is_overdue_is_found(
    app: Flask, settings: Settings, context: None, client: Any, run_sql: Sql
) -> None:
    place(caller(client, phone="+254712345678"), {make_product(): 1})
    run_sql("UPDATE orders SET process_at = now() - interval '3 min', placed_at = now() - interval '3 min'")
    run_sql("UPDATE orders SET process_attempts = 1")
    run_sql("DELETE FROM notifications")
    make_notification(status="pending", next_attempt_at="now() - interval '6 minutes'")
    make_notification(status="sending", next_attempt_at=None, leased_until="now() - interval '6 minutes'")
    for _ in range(10):
        make_notification(channel="email", status="failed", next_attempt_at=None)
    run_sql(
        "INSERT INTO channels (name, tokens, refilled_at, failures, paused_until, error) VALUES"
        " ('sms', 1, now(), 2, now() + interval '1 min', '401 wrong key')"
        " ON CONFLICT (name) DO UPDATE SET failures = 2, paused_until = excluded.paused_until, error = excluded.error"
    )
    run_sql(
        "INSERT INTO product_imports (dry_run, strict, mapping, delimiter, ignored_columns, size, created_at)"
        " VALUES (false, false, '{}', ',', '{}', 1, now() - interval '11 min')"
    )
    assert bad(look(app, "work", settings)) == [
        ("failure", "1 orders should be confirmed by now, the oldest since 3 min."),
        ("warning", "1 orders could not be confirmed yet, although a worker has tried."),
        ("failure", "1 messages by sms are late, the oldest by 6 min."),
        ("failure", "Nothing is sent by sms since the provider cannot be used: 401 wrong key"),
        ("failure", "1 messages were left by workers that died, and nobody takes them up."),
        ("warning", "Of 10 messages by email in a day, 10 failed and 0 are in doubt."),
        ("warning", "1 imports wait to begin, 0 were left by a worker that died."),
    ]


def test_stock_that_is_not_the_sum_of_its_movements_is_found(
    app: Flask, settings: Settings, context: None, run_sql: Sql
) -> None:
    right, wrong = make_product(name="Rice"), make_product(name="Beans")
    assert bad(look(app, "stock", settings)) == []
    assert bad(look(app, "stock", settings, is_deep=True)) == []
    run_sql("UPDATE products SET stock = 12 WHERE id = :id", id=wrong)
    for is_deep in (False, True):
        assert bad(look(app, "stock", settings, is_deep=is_deep)) == [
            (
                "failure",
                f"The stock of 1 products is not the sum of its movements: Beans (id {wrong}): 12.000, moved 10.000.",
            )
        ]
    assert right != wrong


def test_a_key_of_the_doctor_does_not_stay(app: Flask, with_valkey: Settings, valkey: ValkeyProcess) -> None:
    look(app, "redis", with_valkey)
    look(app, "queues", with_valkey)
    assert valkey.client.keys("*") == []


def test_the_queues_of_a_plain_client_are_read_as_json(valkey: ValkeyProcess) -> None:
    """What `look` reads is what the doorbell writes."""
    Doorbell(lambda: valkey.url).ring(ORDERS)
    connection: Redis = valkey.client
    [job_id] = Queue(ORDERS, connection=connection, serializer=JSONSerializer).get_job_ids()
    assert job_id
