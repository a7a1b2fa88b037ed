from typing import Any

import pytest
import requests

from tests.e2e.shop import COMMANDS, PASSWORD, Shop
from tests.waiting import wait_until

_UNDER_WAY = """
    SELECT 1 FROM notifications WHERE next_attempt_at < now() + '10 s' OR status = 'sending'
    UNION ALL SELECT 1 FROM orders WHERE status = 'pending' AND process_at < now() + '10 s'
"""

_WORKERS = [name for name in COMMANDS if name.startswith("worker-")]

CUSTOMER = {"name": "Amina Otieno", "email": "amina@example.com", "password": PASSWORD, "phone": "0712 345 678"}


@pytest.fixture
def shop(shop_of_this_run: Shop) -> Shop:
    """The whole shop, running and empty but for its admin; whatever an earlier test did to it is mended."""
    shop = shop_of_this_run
    shop.valkey.restart_if_ended()
    for fake in (shop.sms, shop.smtp):
        fake.behave()
    shop.start(*(name for name in COMMANDS if not shop.is_running(name)))
    wait_until(lambda: len(waiting_workers(shop)) == len(_WORKERS), "all workers wait for jobs")
    wait_until(lambda: not shop.sql(_UNDER_WAY), "what an earlier test caused is over")
    empty(shop)
    return shop


def waiting_workers(shop: Shop) -> list[str]:
    """Ids of the connections on which a worker waits for a job."""
    return [client["id"] for client in shop.valkey.client.client_list() if client["cmd"] == "blmove"]


def without_workers(shop: Shop) -> Shop:
    """The same shop, in which nothing happens to orders but what a test does."""
    for name in list(shop.processes):
        if name not in ("api", "stream"):
            shop.end(name)
    shop.valkey.restart_if_ended()
    shop.start(*(name for name in ("api", "stream") if not shop.is_running(name)))
    empty(shop)
    return shop


def empty(shop: Shop) -> None:
    """But for its admin."""
    shop.sql("DELETE FROM customers WHERE role <> 'admin'")
    shop.sql("DELETE FROM notifications")
    shop.sql("DELETE FROM products")
    for fake in (shop.sms, shop.smtp):
        fake.clear()


@pytest.fixture
def admin(shop: Shop) -> dict[str, str]:
    return shop.sign_in("owner@shop.example")


@pytest.fixture
def product(shop: Shop, admin: dict[str, str]) -> dict[str, Any]:
    """A product with plenty in stock."""
    category_id = category_of(shop, admin, "Flour")
    body = {"name": "Maize Flour 2 kg", "category_id": category_id, "price": "189.00", "stock": 1000}
    answer = shop.post("/products/", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


def category_of(shop: Shop, admin: dict[str, str], name: str) -> int:
    """The id of the category with this name, which an earlier test may have left."""
    found = [one["id"] for one in shop.get("/categories/").json() if one["name"] == name]
    category_id: int = found[0] if found else shop.post("/categories/", json={"name": name}, headers=admin).json()["id"]
    return category_id


@pytest.fixture
def customer(shop: Shop) -> dict[str, str]:
    """Headers of a registered customer."""
    answer = shop.post("/auth/register", json=CUSTOMER)
    assert answer.status_code in (201, 409), answer.text
    forget_messages(shop)
    return shop.sign_in(CUSTOMER["email"])


def forget_messages(shop: Shop) -> None:
    """The mail that verifies the address of a new account is none that a test counts."""
    wait_until(lambda: not shop.sql(_UNDER_WAY), "the mail to a new customer is sent")
    shop.sql("DELETE FROM notifications")
    shop.smtp.clear()


def order(shop: Shop, customer: dict[str, str], product: dict[str, Any], quantity: int = 1) -> requests.Response:
    body = {"items": [{"product_id": product["id"], "quantity": quantity}]}
    return shop.post("/orders/", json=body, headers=customer)
