"""The main job from outside: register, sign in, browse, order, be told, ship, follow, sign out."""

from typing import Any

import pytest
import redis

from tests.e2e.conftest import CUSTOMER, forget_messages, order
from tests.e2e.shop import PASSWORD, Shop
from tests.waiting import wait_until, within

pytestmark = pytest.mark.e2e

#: It takes a tenth of a second; the processors are shared with other tests.
NOTICE_SECONDS = 5


def test_from_registration_to_sign_out(shop: Shop, admin: dict[str, str], product: dict[str, Any]) -> None:
    newcomer = {**CUSTOMER, "email": "newcomer@example.com"}
    registered = shop.post("/auth/register", json=newcomer)
    assert registered.status_code == 201
    assert "password" not in registered.text
    forget_messages(shop)
    me = shop.sign_in(newcomer["email"])

    found = shop.get("/products/?q=maize+flo&in_stock=true").json()
    assert product["id"] in [one["id"] for one in found]

    with within(NOTICE_SECONDS):
        placed = shop.post(
            "/orders/",
            json={"items": [{"product_id": product["id"], "quantity": 2}], "expected_total": "378.00"},
            headers={**me, "Idempotency-Key": "first-order"},
        )
        assert placed.status_code == 201, placed.text
        number, path = placed.json()["number"], placed.headers["Location"]
        shop.sms.wait_for(1)
        shop.smtp.wait_for(2)
    assert [(sms["to"], number in sms["message"]) for sms in shop.sms.messages] == [("+254712345678", True)]
    assert {mail.to for mail in shop.smtp.mails[:2]} >= {"newcomer@example.com"} or len(shop.smtp.mails) > 2

    wait_until(lambda: shop.get(path, headers=me).json()["status"] == "confirmed", "the worker confirms the order")
    shipped = shop.patch(f"{path}/status", json={"status": "Shipped"}, headers=admin)
    assert (shipped.status_code, shipped.json()["status"]) == (200, "shipped")
    assert shop.get(path, headers=me).json()["status"] == "shipped"
    shop.sms.wait_for(2)
    shop.smtp.wait_for(5)
    told = sorted((mail.to, number in mail.subject) for mail in shop.smtp.mails)
    assert told == [("newcomer@example.com", True)] * 3 + [("owner@shop.example", True)] * 2
    assert [sms["to"] for sms in shop.sms.messages] == ["+254712345678"] * 2

    assert shop.post("/auth/logout", headers=me).status_code == 204
    redis.Redis.from_url(shop.environ["REDIS_URL"]).flushall()
    for answer in (
        shop.get("/auth/me", headers=me),
        shop.get("/orders/", headers=me),
        shop.get(path, headers=me),
        shop.post("/orders/", json={}, headers=me),
        shop.post("/auth/logout", headers=me),
        shop.patch(f"{path}/status", json={"status": "delivered"}, headers=me),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")


def test_the_refresh_token_dies_with_the_sign_out(shop: Shop, customer: dict[str, str]) -> None:
    pair = shop.post("/auth/login", json={"email": CUSTOMER["email"], "password": PASSWORD}).json()
    access = {"Authorization": f"Bearer {pair['access_token']}"}
    refresh = {"Authorization": f"Bearer {pair['refresh_token']}"}
    assert shop.post("/auth/logout", headers=access).status_code == 204
    assert shop.post("/auth/refresh", headers=refresh).status_code == 401


def test_both_api_processes_serve(shop: Shop, customer: dict[str, str], product: dict[str, Any]) -> None:
    """Connections of their own, so that both pre-forked workers get some: each must know the same tokens."""
    assert {order(shop, customer, product).status_code for _ in range(12)} == {201}
    assert {shop.get("/auth/me", headers=customer).status_code for _ in range(20)} == {200}
