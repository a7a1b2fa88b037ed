"""Faults lose nothing that was acknowledged: Redis away, PostgreSQL restarted, workers killed in the middle."""

import os
import signal
from typing import Any

import pytest

from tests.e2e.conftest import order
from tests.e2e.shop import Shop
from tests.fakes.africastalking import Fault
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def unsent(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.sql("SELECT id, channel, status, error FROM notifications WHERE status <> 'sent'")


def wait_until_all_is_sent(shop: Shop, seconds: float = 30) -> None:
    wait_until(lambda: unsent(shop) == [], "every notification is sent", seconds)


def test_orders_are_taken_without_redis_and_told_when_it_is_back(
    shop: Shop, customer: dict[str, str], product: dict[str, Any]
) -> None:
    assert shop.get("/readyz").json()["redis"] == "ok"
    shop.valkey.stop()
    answers = [order(shop, customer, product) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 5
    ready = shop.get("/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (200, "degraded")
    assert shop.sms.messages == []
    shop.valkey.start()
    for name in ("worker-orders", "worker-notify"):
        if not shop.is_running(name):  # a supervisor starts a worker again that Redis' end has ended
            shop.start(name)
    wait_until_all_is_sent(shop)
    assert len(shop.sms.messages) == 5
    paths = [answer.headers["Location"] for answer in answers]
    wait_until(
        lambda: {shop.get(path, headers=customer).json()["status"] for path in paths} == {"confirmed"},
        "the orders are confirmed",
    )


def test_redis_killed_between_commit_and_ring_loses_no_message(
    shop: Shop, customer: dict[str, str], product: dict[str, Any]
) -> None:
    """Redis is frozen when the order commits: the ring times out, then Redis is gone and comes back empty."""
    shop.valkey.freeze()
    answer = order(shop, customer, product)
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() < 3
    shop.valkey.stop()
    shop.valkey.start()
    for name in ("worker-orders", "worker-notify"):
        if not shop.is_running(name):
            shop.start(name)
    wait_until_all_is_sent(shop)
    assert len(shop.sms.messages) == 1


def test_a_worker_killed_while_sending_loses_no_message(
    shop: Shop, customer: dict[str, str], product: dict[str, Any]
) -> None:
    """The provider hangs without having accepted; worker and horse are killed in the middle of the call."""
    shop.sms.misbehave(Fault.HANG_BEFORE_ACCEPTING, times=1)
    assert order(shop, customer, product).status_code == 201
    wait_until(lambda: shop.sms.attempts == 1, "the worker calls the provider")
    shop.end("worker-notify", signal.SIGKILL)
    assert [row[2] for row in unsent(shop) if row[1] == "sms"] == ["sending"]
    # The lease is a minute; nobody needs to wait for it here.
    shop.sql("UPDATE notifications SET leased_until = now() WHERE status = 'sending'")
    shop.start("worker-notify")
    wait_until_all_is_sent(shop)
    assert len(shop.sms.messages) == 1


def test_the_api_answers_503_without_postgresql_and_recovers_by_itself(
    shop: Shop, customer: dict[str, str], product: dict[str, Any]
) -> None:
    assert order(shop, customer, product).status_code == 201
    record = shop.stack.record
    assert record.postgres_pid
    os.kill(record.keeper_pid, signal.SIGSTOP)  # it would start PostgreSQL again at once
    try:
        os.kill(record.postgres_pid, signal.SIGINT)
        wait_until(lambda: shop.get("/readyz").status_code == 503, "readiness is off")
        for answer in (
            shop.get("/readyz"),
            shop.get("/products/"),
            order(shop, customer, product),
            shop.get("/auth/me", headers=customer),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["Retry-After"] == "2"
        assert shop.get("/healthz").status_code == 200
    finally:
        os.kill(record.keeper_pid, signal.SIGCONT)
    wait_until(lambda: shop.get("/readyz").status_code == 200, "readiness is back")
    assert order(shop, customer, product).status_code == 201
    wait_until_all_is_sent(shop)
