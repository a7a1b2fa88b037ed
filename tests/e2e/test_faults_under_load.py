"""The long proof: orders keep coming while processes and engines are killed; nothing acknowledged is lost."""

import os
import random
import signal
import threading
import time
from typing import Any

import psycopg2
import pytest
import requests

from tests.e2e.conftest import order
from tests.e2e.shop import Shop
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.e2e]

KILLS = 40
BUYERS = 4


def buy_until(
    stop: threading.Event, shop: Shop, customer: dict[str, str], product: dict[str, Any], seen: list[Any]
) -> None:
    while not stop.is_set():
        try:
            answer = order(shop, customer, product)
            seen.append(
                (answer.status_code, answer.json().get("number"), answer.text if answer.status_code >= 500 else "")
            )
        except requests.ConnectionError:
            seen.append((None, None, ""))
        time.sleep(0.05)


def test_forty_kills_lose_no_order_and_no_message(
    shop: Shop, admin: dict[str, str], customer: dict[str, str], product: dict[str, Any]
) -> None:
    adjusted = shop.post(
        f"/products/{product['id']}/stock", json={"delta": 99_000, "reason": "received"}, headers=admin
    )
    assert adjusted.status_code == 200
    stop, seen, chance = threading.Event(), [], random.Random(7)
    buyers = [threading.Thread(target=buy_until, args=(stop, shop, customer, product, seen)) for _ in range(BUYERS)]
    for buyer in buyers:
        buyer.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.8))
            _kill_something(shop, chance)
    finally:
        stop.set()
        for buyer in buyers:
            buyer.join()
    numbers = {number for status, number, _ in seen if status == 201}
    assert len(numbers) > KILLS
    assert {status for status, _, _ in seen} <= {201, 503, None}

    placed = {number for (number,) in shop.sql("SELECT number FROM orders")}
    assert numbers <= placed

    # Leases of killed workers last a minute; here nobody waits for them.
    def is_all_sent() -> bool:
        shop.sql(
            "UPDATE notifications SET leased_until = now() WHERE status = 'sending' AND leased_until > now() + '40 s'"
        )
        return not shop.sql("SELECT 1 FROM notifications WHERE status <> 'sent' LIMIT 1")

    wait_until(is_all_sent, "every message is sent", 300)
    wait_until(lambda: not shop.sql("SELECT 1 FROM orders WHERE status = 'pending' LIMIT 1"), "all are confirmed")
    texts = " ".join(sms["message"] for sms in shop.sms.messages)
    untold = sorted(number for number in placed if number not in texts)
    assert untold == []
    [(stock, moved)] = shop.sql("""
        SELECT products.stock, (SELECT sum(delta) FROM stock_movements) FROM products
    """)
    assert stock == moved == 100_000 - len(placed)


def _ask(shop: Shop, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, as soon as PostgreSQL answers."""
    rows: list[tuple[Any, ...]] = []

    def is_answered() -> bool:
        try:
            rows[:] = shop.sql(statement)
        except psycopg2.OperationalError:
            return False
        return True

    wait_until(is_answered, "PostgreSQL answers")
    return rows


def _kill_something(shop: Shop, chance: random.Random) -> None:
    victim = chance.choice(["worker-orders", "worker-notify", "worker-notify", "relay", "valkey", "postgres"])
    if victim == "valkey":
        shop.valkey.stop()
        time.sleep(chance.uniform(0, 1))
        shop.valkey.start()
    elif victim == "postgres":
        [(pid,)] = _ask(shop, "SELECT pg_backend_pid()")
        with open(f"/proc/{pid}/stat") as stat:
            postmaster = int(stat.read().rpartition(")")[2].split()[1])
        os.kill(postmaster, signal.SIGQUIT)
        time.sleep(0.5)
        _ask(shop, "SELECT 1")
    else:
        shop.end(victim, signal.SIGKILL)
        shop.start(victim)
