"""The whole shop on a Valkey that Sentinels watch, while its master is killed, and while it hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grocery.queues import connect
from tests.data.sentinels import Group, sentinel_group
from tests.data.trade import Trade, crowd, start_all
from tests.e2e.shop import COMMANDS, ROOT, Shop, running_shop
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.e2e]


@pytest.fixture(scope="module")
def group() -> Iterator[Group]:
    with sentinel_group() as running:
        yield running


@pytest.fixture(scope="module")
def shop(group: Group, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop"), REDIS_URL=group.url, RATE_LIMIT_ORDERS="none") as shop:
        start_all(shop)
        yield shop


@pytest.fixture(scope="module")
def trade(shop: Shop) -> Trade:
    return Trade(shop)


def test_the_master_hangs_and_then_is_killed_without_a_restart_of_anything(
    group: Group, shop: Shop, trade: Trade
) -> None:
    wait_until(lambda: shop.stream_health()["redis"] == "ok", "streams hear through Valkey")
    started = _pids(shop)
    with crowd(trade, lookers=1) as people:
        hanging = group.master()
        group.signal(hanging, signal.SIGSTOP)
        group.wait_for_failover(hanging)
        _is_at_work(shop, trade)
        group.signal(hanging, signal.SIGCONT)
        demoted = group.client(hanging)
        wait_until(lambda: demoted.role()[0] == "slave", "the old master is a replica")
        wait_until(lambda: demoted.info("replication")["master_link_status"] == "up", "it follows the new one")
        second = group.master()
        group.kill(second)
        group.wait_for_failover(second)
        _is_at_work(shop, trade)
    assert people.failed == {}
    assert people.count(201) > 50
    trade.check_books()
    assert _pids(shop) == started


def _pids(shop: Shop) -> dict[str, int]:
    """Processes that run; the relay is stopped by the test itself."""
    running = {name: process.pid for name, process in shop.processes.items() if process.poll() is None}
    return {name: pid for name, pid in running.items() if name != "relay"}


def _is_at_work(shop: Shop, trade: Trade) -> None:
    """Rings reach the workers through the new master, not only when the relay looks; streams hear of it, too."""
    wait_until(lambda: shop.stream_health()["redis"] == "ok", "streams hear through Valkey again")
    wait_until(lambda: shop.get("/readyz").json()["redis"] == "ok", "the API finds it")
    shop.end("relay")

    def is_confirmed_at_once() -> bool:
        number = trade.place()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if shop.sql(f"SELECT 1 FROM orders WHERE number = '{number}' AND status = 'confirmed'"):
                return True
            time.sleep(0.05)
        return False

    wait_until(is_confirmed_at_once, "a ring reaches a worker without the relay")
    shop.start("relay")


def test_rq_info_finds_the_workers(group: Group, shop: Shop) -> None:
    command = [sys.executable, "-m", "rq.cli", "info", "--worker-class", "grocery.worker.Worker"]
    environ = {**os.environ, **shop.environ}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "3 workers" in done.stdout


def test_limits_are_counted_at_the_new_master(group: Group) -> None:
    connect(group.url).set("x", 1)
    assert group.client(group.master()).get("x") == "1"


def test_a_worker_refuses_another_redis_than_that_of_the_shop(shop: Shop, tmp_path: Path) -> None:
    command = [sys.executable, *COMMANDS["worker-orders"], "--url", "redis://127.0.0.1:1"]
    done = subprocess.run(command, cwd=ROOT, env=shop.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "set REDIS_URL instead" in done.stderr
