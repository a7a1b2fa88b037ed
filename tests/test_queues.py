"""The doorbell, on a Valkey that the tests stop, freeze and restart."""

import json
import logging
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from flask import Flask
from redis.exceptions import ConnectionError as RedisConnectionError

from grocery.db import transaction
from grocery.queues import JOBS, NOTIFY, ORDERS, Doorbell, ring_after_commit
from tests.valkey_process import ValkeyProcess
from tests.waiting import stopwatch

QUEUE_KEY = "rq:queue:orders"
TOKEN_KEY = "grocery:ring:orders"


@pytest.fixture
def bell(valkey: ValkeyProcess) -> Iterator[Doorbell]:
    with doorbell(valkey.url) as made:
        yield made


@contextmanager
def doorbell(url: str, **options: float) -> Iterator[Doorbell]:
    made = Doorbell(lambda: url, **options)
    yield made
    made.close()


@contextmanager
def seconds_between(low: float, high: float) -> Iterator[None]:
    with stopwatch() as watch:
        yield
    assert watch.of_the_clock >= low
    assert watch.seconds <= high


def test_hundred_rings_make_one_job(bell: Doorbell) -> None:
    assert [bell.ring(ORDERS) for _ in range(100)] == [True] * 100

    assert bell.depth(ORDERS) == 1
    assert bell.depth(NOTIFY) == 0


def test_queues_ring_for_themselves(bell: Doorbell) -> None:
    bell.ring(ORDERS)
    bell.ring(NOTIFY)

    assert (bell.depth(ORDERS), bell.depth(NOTIFY)) == (1, 1)


def test_job_is_json_without_arguments_and_does_not_stay_for_ever(bell: Doorbell, valkey: ValkeyProcess) -> None:
    bell.ring(ORDERS)

    job_id = valkey.client.lindex(QUEUE_KEY, 0).decode()
    job = valkey.client.hgetall(f"rq:job:{job_id}")
    assert json.loads(zlib.decompress(job[b"data"])) == [JOBS[ORDERS], None, [], {}]
    assert (job[b"timeout"], job[b"result_ttl"], job[b"failure_ttl"]) == (b"50", b"0", b"600")


def test_ring_between_taking_and_starting_a_job_makes_no_second_one(bell: Doorbell, valkey: ValkeyProcess) -> None:
    bell.ring(ORDERS)
    valkey.client.lpop(QUEUE_KEY)

    assert bell.ring(ORDERS) is True

    assert bell.depth(ORDERS) == 0


def test_ring_after_the_answer_makes_a_job(bell: Doorbell, valkey: ValkeyProcess) -> None:
    bell.ring(ORDERS)
    valkey.client.lpop(QUEUE_KEY)
    bell.answer(ORDERS)

    bell.ring(ORDERS)

    assert bell.depth(ORDERS) == 1


def test_queue_without_a_worker_does_not_grow(bell: Doorbell, valkey: ValkeyProcess) -> None:
    for _ in range(5):
        bell.ring(ORDERS)
        valkey.client.delete(TOKEN_KEY)  # as when it expires

    assert bell.depth(ORDERS) == 1


def test_ring_whose_worker_was_killed_holds_back_the_next_for_seconds_only(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url, token_seconds=1) as bell:
        bell.ring(ORDERS)
        valkey.client.lpop(QUEUE_KEY)
        bell.ring(ORDERS)
        assert bell.depth(ORDERS) == 0

        time.sleep(1.1)
        bell.ring(ORDERS)

        assert bell.depth(ORDERS) == 1


def test_ring_that_could_not_enqueue_is_false_and_holds_back_the_next_for_seconds_only(valkey: ValkeyProcess) -> None:
    valkey.client.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "-rpush")
    url = valkey.url.replace("unix://", "unix://limited:any@")
    with doorbell(url, token_seconds=1, pause_seconds=0.1) as bell:
        assert bell.ring(ORDERS) is False
        assert valkey.client.keys("rq:*") == []
        assert 0 < valkey.client.pttl(TOKEN_KEY) <= 1000

        valkey.client.execute_command("ACL", "SETUSER", "limited", "+rpush")
        time.sleep(1.1)

        assert bell.ring(ORDERS) is True
        assert bell.depth(ORDERS) == 1


def test_unknown_queue_is_an_error_of_the_program(bell: Doorbell) -> None:
    with pytest.raises(KeyError, match="oders"):
        bell.ring("oders")


def test_stopped_redis_answers_false_at_once_and_is_left_alone_for_the_pause(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url, pause_seconds=0.4) as bell:
        assert bell.is_reachable() is True
        valkey.stop()
        with seconds_between(0, 0.1):
            assert bell.ring(ORDERS) is False
        valkey.start()
        assert bell.ring(ORDERS) is False
        assert bell.is_reachable() is False
        assert bell.depth(ORDERS) == 0

        time.sleep(0.45)

        assert bell.ring(ORDERS) is True
        assert bell.depth(ORDERS) == 1


def test_restart_of_an_idle_redis_costs_no_ring(bell: Doorbell, valkey: ValkeyProcess) -> None:
    bell.ring(ORDERS)
    valkey.stop()
    valkey.start()

    assert bell.ring(ORDERS) is True

    assert bell.depth(ORDERS) == 1


def test_hanging_redis_delays_one_ring_by_half_a_second_and_then_none_for_two(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url, pause_seconds=0.1) as bell:
        bell.is_reachable()
        valkey.freeze()
        with seconds_between(0.4, 0.7):
            assert bell.ring(ORDERS) is False
        time.sleep(0.3)
        with seconds_between(0, 0.05):
            assert [bell.ring(ORDERS) for _ in range(100)] == [False] * 100
        valkey.unfreeze()


def test_hanging_redis_is_tried_by_one_thread_only(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url, pause_seconds=0.1) as bell:
        valkey.freeze()
        bell.ring(ORDERS)
        time.sleep(2.2)
        waits: list[float] = []

        def ring() -> None:
            with stopwatch() as watch:
                bell.ring(ORDERS)
            waits.append(watch.seconds)

        threads = [threading.Thread(target=ring) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        valkey.unfreeze()

    assert sorted(wait > 0.05 for wait in waits) == [False] * 7 + [True]


def test_outage_is_two_lines_in_the_log(valkey: ValkeyProcess, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "grocery.queues")
    with doorbell(valkey.url, pause_seconds=0.0) as bell:
        valkey.stop()
        for _ in range(20):
            bell.ring(ORDERS)
            time.sleep(0.005)  # more than the pause after a failure
        valkey.start()
        bell.ring(ORDERS)
        bell.ring(ORDERS)

    lines = [record.getMessage().split(":")[0] for record in caplog.records]
    assert lines == ["Redis is away, the relay will ring later", "Redis is back"]
    assert all(record.exc_info is None for record in caplog.records)


def test_depth_of_an_unreachable_redis_is_an_error(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url) as bell:
        valkey.stop()
        with pytest.raises(RedisConnectionError):
            bell.depth(ORDERS)


def test_answer_survives_a_redis_that_is_away(valkey: ValkeyProcess) -> None:
    with doorbell(valkey.url) as bell:
        valkey.stop()
        bell.answer(ORDERS)
        assert bell.is_reachable() is False


class TestRingAfterCommit:
    @pytest.fixture
    def rings(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        rung: list[str] = []

        class RecordingDoorbell(Doorbell):
            def ring(self, queue: str) -> bool:
                rung.append(queue)
                return True

        monkeypatch.setitem(app.extensions, "doorbell", RecordingDoorbell(lambda: "unused"))
        with app.app_context():
            yield rung

    def test_rings_once_for_each_queue_and_only_after_the_commit(self, rings: list[str]) -> None:
        with transaction():
            for queue in (ORDERS, NOTIFY, ORDERS, NOTIFY, NOTIFY):
                ring_after_commit(queue)
            assert rings == []

        assert rings == [ORDERS, NOTIFY]

    def test_rolled_back_transaction_does_not_ring(self, rings: list[str]) -> None:
        def ring_and_fail() -> None:
            with transaction():
                ring_after_commit(ORDERS)
                raise ValueError("after the ring")

        with pytest.raises(ValueError, match="after the ring"):
            ring_and_fail()

        with transaction():
            pass

        assert rings == []

    def test_next_transaction_rings_again(self, rings: list[str]) -> None:
        for _ in range(2):
            with transaction():
                ring_after_commit(ORDERS)

        assert rings == [ORDERS, ORDERS]


def test_every_queue_has_its_job() -> None:
    for path in JOBS.values():
        module, _, function = path.rpartition(".")
        assert callable(getattr(import_module(module), function))
