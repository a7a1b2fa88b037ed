"""Workers are replaced, politely and not, while orders and messages keep coming: nothing is lost, nothing doubled."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import requests

from tests.e2e.shop import PASSWORD, Shop, running_shop
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.prove]

WORKERS = ("worker-orders", "worker-notify", "worker-bulk")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with providers, of whose processes none runs yet."""
    limits = dict.fromkeys(("RATE_LIMIT_ORDERS", "RATE_LIMIT_LOGIN"), "none")
    with running_shop(tmp_path_factory.mktemp("shop"), **limits, SMS_UNKNOWN_WAIT="1") as shop:
        yield shop


@pytest.fixture
def open_shop(shop: Shop) -> Iterator[Shop]:
    """All of it at work, without an order yet."""
    shop.start("api", *WORKERS, "relay")
    shop.sql("DELETE FROM orders; DELETE FROM notifications")
    shop.sms.clear()
    shop.smtp.clear()
    yield shop
    shop.end_all()


@pytest.fixture
def product_id(open_shop: Shop) -> int:
    admin = open_shop.sign_in("owner@shop.example")
    category = open_shop.post("/categories/", json={"name": f"Flour {time.time()}"}, headers=admin).json()
    body = {"name": "Maize Flour 2 kg", "category_id": category["id"], "price": "189.00", "stock": 90_000}
    return int(open_shop.post("/products/", json=body, headers=admin).json()["id"])


@pytest.fixture
def emails(open_shop: Shop) -> list[str]:
    """Of two customers with a telephone."""
    emails = ["amina@example.com", "peter@example.com"]
    for number, email in enumerate(emails):
        body = {"name": "Amina", "email": email, "password": PASSWORD, "phone": f"071234567{number}"}
        assert open_shop.post("/auth/register", json=body).status_code in (201, 409)
    return emails


@contextmanager
def orders_keep_coming(shop: Shop, emails: Sequence[str], product_id: int) -> Iterator[list[str]]:
    """The numbers of orders that were acknowledged; each customer places one after the other."""
    stopping, numbers = threading.Event(), list[str]()

    def buy(email: str) -> None:
        headers = shop.sign_in(email, PASSWORD)
        with requests.Session() as session:
            while not stopping.wait(0.03):
                body = {"items": [{"product_id": product_id, "quantity": 1}]}
                answer = session.post(f"{shop.url}/orders/", json=body, headers=headers, timeout=30)
                assert answer.status_code == 201, answer.text
                numbers.append(answer.json()["number"])

    buyers = [threading.Thread(target=buy, args=(email,)) for email in emails]
    for buyer in buyers:
        buyer.start()
    try:
        wait_until(lambda: bool(numbers), "an order is placed")
        yield numbers
    finally:
        stopping.set()
        for buyer in buyers:
            buyer.join()


def wait_until_all_is_done(shop: Shop) -> None:
    wait_until(lambda: not shop.sql("SELECT 1 FROM orders WHERE status <> 'confirmed' LIMIT 1"), "all confirmed", 120)

    def is_sent() -> bool:
        # The lease of a worker that was killed lasts for a minute; here nobody waits for it.
        shop.sql(
            """
            UPDATE notifications SET leased_until = now() WHERE id IN (
                SELECT id FROM notifications WHERE status = 'sending' AND leased_until > now() + '40 s'
                FOR UPDATE SKIP LOCKED
            )
            """
        )
        return not shop.sql("SELECT 1 FROM notifications WHERE status <> 'sent' LIMIT 1")

    wait_until(is_sent, "every message is sent", 300)


def told_by_sms(shop: Shop) -> Counter[str]:
    """How many SMS there were about each order."""
    numbers = [number for (number,) in shop.sql("SELECT number FROM orders")]
    return Counter({number: sum(number in sms["message"] for sms in shop.sms.messages) for number in numbers})


def test_a_polite_roll_out_of_workers_loses_nothing_and_doubles_nothing(
    open_shop: Shop, emails: Sequence[str], product_id: int
) -> None:
    shop, codes = open_shop, list[int]()
    with orders_keep_coming(shop, emails, product_id) as numbers:
        for _ in range(6):
            for name in (*WORKERS, "relay"):
                process = shop.processes.pop(name)
                process.send_signal(signal.SIGTERM)
                shop.start(name)
                codes.append(process.wait(60))
    wait_until_all_is_done(shop)
    placed = told_by_sms(shop)
    print(f"{len(numbers)} orders, {len(codes)} processes replaced, {len(shop.smtp.mails)} mails")  # noqa: T201
    assert set(codes) == {0}
    assert sorted(placed) == sorted(numbers)
    assert set(placed.values()) == {1}
    assert shop.sql("SELECT count(*) FROM notifications WHERE attempts > 1") == [(0,)]
    [(mails,)] = shop.sql("SELECT count(*) FROM notifications WHERE channel = 'email'")
    assert len(shop.smtp.mails) == mails


def test_killed_workers_lose_nothing(open_shop: Shop, emails: Sequence[str], product_id: int) -> None:
    shop, chance = open_shop, random.Random(11)
    with orders_keep_coming(shop, emails, product_id) as numbers:
        for _ in range(8):
            for name in WORKERS:
                time.sleep(chance.uniform(0, 0.5))
                shop.end(name, signal.SIGKILL)
                shop.start(name)
    wait_until_all_is_done(shop)
    told = told_by_sms(shop)
    print(f"{len(numbers)} orders, 24 workers killed, {told.total() - len(told)} SMS doubled")  # noqa: T201
    assert sorted(told) == sorted(numbers)
    assert min(told.values()) == 1
