"""The doctor in a whole shop that runs: nothing fails, and what is stopped is missed."""

import json
import subprocess
import sys
from typing import Any

import pytest
from rq import Worker

from tests.e2e.conftest import order
from tests.e2e.shop import ROOT, Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def examined(shop: Shop, *arguments: str) -> tuple[int, list[tuple[str, str, str]]]:
    """Exit code, and check, level and text of what is worse than a hint."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=shop.environ, capture_output=True, text=True, timeout=120)
    report = json.loads(done.stdout)
    found = [(name, finding["level"], finding["what"]) for name, findings in report.items() for finding in findings]
    return done.returncode, [one for one in found if one[1] in ("warning", "failure")]


def bury_workers(shop: Shop) -> None:
    """Of workers that earlier tests have killed, Redis knows nothing yet."""
    running = {process.pid for process in shop.processes.values()}
    for worker in Worker.all(connection=shop.valkey.client):
        if worker.pid not in running:
            worker.register_death()


def test_a_running_shop_is_healthy_and_a_stopped_part_is_missed(
    shop: Shop, customer: dict[str, str], product: dict[str, Any]
) -> None:
    bury_workers(shop)
    assert order(shop, customer, product).status_code == 201
    wait_until(lambda: shop.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") != [], "the relay is at work")
    assert examined(shop) == (0, [])
    shop.end("worker-orders")
    shop.end("relay")
    shop.end("stream")
    code, found = examined(shop, "--only", "queues", "--only", "relay", "--only", "streams")
    assert code == 1
    expected = {
        "queues": "orders: ",
        "relay": "No relay is at work",
        "streams": f"STREAM_URL ({shop.stream_url}) does not answer",
    }
    assert [name for name, _, _ in found] == list(expected)
    assert all(what.startswith(expected[name]) for name, _, what in found), found
