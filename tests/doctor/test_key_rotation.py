"""SECRET_KEY replaced as the runbook says, in a shop whose processes have the keys in either order meanwhile."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
import requests

from grocery.orders.tracking.links import make_token
from tests.e2e.conftest import category_of, order
from tests.e2e.shop import PASSWORD, Shop, free_port, running_shop
from tests.e2e.watching import Watcher

pytestmark = [pytest.mark.prove, pytest.mark.e2e]

OLD, NEW = "q7RZk1w9XcVb3Nm5As8Df2Gh6JkL4PoI0uYt", "Yt0uIoP4LkJ6hG2fD8sA5mN3bVcX9w1kZR7q"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Of the old order, with the new key as a fallback: step 1 of the runbook."""
    with running_shop(tmp_path, SECRET_KEY=OLD, SECRET_KEY_FALLBACKS=NEW, SHOP_URL="http://shop.example") as shop:
        shop.start("api", "stream")
        yield shop


def beside(shop: Shop, signing: str, older: str) -> Shop:
    """Other processes of the same shop, with these keys."""
    port, stream_port = free_port(), free_port()
    keys = {"SECRET_KEY": signing, "SECRET_KEY_FALLBACKS": older}
    environ = {**shop.environ, **keys, "PORT": str(port), "STREAM_URL": f"http://127.0.0.1:{stream_port}"}
    other = replace(shop, environ=environ, port=port, stream_port=stream_port, processes={})
    other.start("api", "stream")
    return other


def register(shop: Shop, email: str) -> dict[str, str]:
    body = {"name": "Amina Otieno", "email": email, "password": PASSWORD}
    assert shop.post("/auth/register", json=body).status_code == 201
    shop.sql(f"UPDATE customers SET email_verified_at = now() WHERE email = '{email}'")
    return shop.sign_in(email)


def check_visitor(maker: Shop, taker: Shop, *, is_taken: bool) -> None:
    """Cart and form."""
    cart = maker.get("/cart").headers["X-Cart-Token"]
    assert taker.get("/cart", headers={"X-Cart-Token": cart}).status_code == (200 if is_taken else 404)
    with requests.Session() as browser:
        page = browser.get(f"{maker.url}/sign-in/password", timeout=60).text
        [token] = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
        form = {"identifier": "nobody@example.com", "password": "wrong", "csrf_token": token}
        answer = browser.post(f"{taker.url}/sign-in/password", data=form, timeout=60)
    assert answer.status_code == (422 if is_taken else 403)


def check_links(maker: Shop, taker: Shop, order_id: int, who: dict[str, str], *, is_taken: bool) -> None:
    """The link to an order, and a ticket of a stream."""
    link = f"/t/{make_token(order_id, maker.environ['SECRET_KEY'])}"
    assert maker.get(link).status_code == 200
    assert taker.get(link).status_code == (200 if is_taken else 404)
    led = maker.get(f"/orders/{order_id}/stream", headers=who, allow_redirects=False)
    address = urlsplit(led.headers["Location"])
    watcher = Watcher(f"{taker.stream_url}{address.path}?{address.query}")
    assert watcher.answer.status_code == (200 if is_taken else 401)
    if is_taken:
        assert watcher.take(1)[0].kind == "order"
    watcher.leave()


def check_code(maker: Shop, taker: Shop, phone: str, *, is_taken: bool) -> None:
    token = maker.post("/auth/otp", json={"phone": phone}).json()["request_token"]
    [(body,)] = maker.sql(f"SELECT body FROM notifications WHERE recipient = '{phone}' ORDER BY id DESC LIMIT 1")
    [code] = re.findall(r"\b[0-9]{6}\b", body)
    sent = {"phone": phone, "code": code, "request_token": token, "name": "Juma"}
    assert taker.post("/auth/otp/login", json=sent).status_code == (200 if is_taken else 401)


def turn_on_totp(shop: Shop, email: str) -> pyotp.TOTP:
    who = register(shop, email)
    totp = pyotp.TOTP(shop.post("/auth/totp", json={}, headers=who).json()["secret"])
    assert shop.post("/auth/totp/confirm", json={"code": totp.now()}, headers=who).status_code == 200
    return totp


def signs_in(shop: Shop, email: str, totp: pyotp.TOTP) -> bool:
    # That of this step was spent on turning it on.
    body = {"email": email, "password": PASSWORD, "totp": totp.at(time.time(), counter_offset=1)}
    return shop.post("/auth/login", json=body).status_code == 200


def test_nobody_notices_a_new_secret_key_and_the_old_one_can_go(shop: Shop) -> None:
    admin, customer = shop.sign_in("owner@shop.example"), register(shop, "juma@example.com")
    body = {"name": "Maize Flour", "category_id": category_of(shop, admin, "Flour"), "price": "189.00", "stock": 1000}
    product = shop.post("/products/", json=body, headers=admin).json()
    order_id = order(shop, customer, product).json()["id"]
    swapped = beside(shop, NEW, OLD)
    try:
        for number, (maker, taker) in enumerate(((shop, swapped), (swapped, shop))):
            check_visitor(maker, taker, is_taken=True)
            check_links(maker, taker, order_id, customer, is_taken=True)
            check_code(maker, taker, f"+25471234567{number}", is_taken=True)
            totp = turn_on_totp(maker, f"amina{number}@example.com")
            assert signs_in(taker, f"amina{number}@example.com", totp)
        left = turn_on_totp(shop, "left@example.com")
        # The last sign-in across sealed one with the old key, whose processes still run; so did this enrolment.
        shop.end("api")
        assert swapped.flask("auth", "reseal") == "sealed anew: 2 as they should be: 1 not opened: 0\n"
        assert swapped.flask("auth", "reseal") == "sealed anew: 0 as they should be: 3 not opened: 0\n"
        shop.start("api")
        only_new = beside(shop, NEW, "")
        try:
            assert signs_in(only_new, "left@example.com", left)
            check_visitor(shop, only_new, is_taken=False)
            check_links(shop, only_new, order_id, customer, is_taken=False)
            check_code(shop, only_new, "+254712345679", is_taken=False)
        finally:
            only_new.end_all()
        logs = "".join(file.read_text() for file in shop.logs.iterdir())
        assert OLD not in logs
        assert NEW not in logs
    finally:
        swapped.end_all()
