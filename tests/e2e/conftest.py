from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.shop import COMMANDS, PASSWORD, Shop, running_shop, wait_until

_UNDER_WAY = """
    SELECT 1 FROM notifications WHERE next_attempt_at < now() + '10 s' OR status = 'sending'
    UNION ALL SELECT 1 FROM orders WHERE status = 'pending' AND process_at < now() + '10 s'
"""

CUSTOMER = {"name": "Amina Otieno", "email": "amina@example.com", "password": PASSWORD, "phone": "0712 345 678"}


@pytest.fixture(scope="session")
def shop_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop"), SMS_UNKNOWN_WAIT="1") as shop:
        yield shop


@pytest.fixture
def shop(shop_of_this_run: Shop) -> Shop:
    """The whole shop, running and empty but for its admin; whatever an earlier test did to it is mended."""
    shop = shop_of_this_run
    shop.valkey.restart_if_ended()
    for fake in (shop.sms, shop.smtp):
        fake.behave()
    shop.start(*(name for name in COMMANDS if not shop.is_running(name)))
    wait_until(lambda: not shop.sql(_UNDER_WAY), 30, "what an earlier test caused is over")
    shop.sql("DELETE FROM customers WHERE role = 'customer'")
    shop.sql("DELETE FROM notifications")
    shop.sql("DELETE FROM products")
    for fake in (shop.sms, shop.smtp):
        fake.clear()
    return shop


@pytest.fixture
def admin(shop: Shop) -> dict[str, str]:
    return shop.sign_in("owner@shop.example")


@pytest.fixture
def product(shop: Shop, admin: dict[str, str]) -> dict[str, Any]:
    """A product with plenty in stock."""
    found = shop.get("/categories/").json()
    category = found[0] if found else shop.post("/categories/", json={"name": "Flour"}, headers=admin).json()
    body = {"name": "Maize Flour 2 kg", "category_id": category["id"], "price": "189.00", "stock": 1000}
    answer = shop.post("/products/", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


@pytest.fixture
def customer(shop: Shop) -> dict[str, str]:
    """Headers of a registered customer."""
    answer = shop.post("/auth/register", json=CUSTOMER)
    assert answer.status_code in (201, 409), answer.text
    forget_messages(shop)
    return shop.sign_in(CUSTOMER["email"])


def forget_messages(shop: Shop) -> None:
    """The mail that verifies the address of a new account is none that a test counts."""
    wait_until(lambda: not shop.sql(_UNDER_WAY), 30, "the mail to a new customer is sent")
    shop.sql("DELETE FROM notifications")
    shop.smtp.clear()


def order(shop: Shop, customer: dict[str, str], product: dict[str, Any], quantity: int = 1) -> requests.Response:
    body = {"items": [{"product_id": product["id"], "quantity": quantity}]}
    return shop.post("/orders/", json=body, headers=customer)
