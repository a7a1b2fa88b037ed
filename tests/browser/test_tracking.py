"""The tracking page in a real browser: it shows each status by itself, whatever is restarted meanwhile."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import CUSTOMER, category_of, order, without_workers
from tests.e2e.shop import Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

# What is asked for is one second; a test machine may be busy with other tests.
SOON_MS = 5_000
AFTER_RESTART_MS = 20_000


@pytest.fixture(scope="module")
def shop(browser: Browser, shop_of_this_run: Shop) -> Shop:
    return without_workers(shop_of_this_run)


@pytest.fixture(scope="module")
def admin(shop: Shop) -> dict[str, str]:
    return shop.sign_in("owner@shop.example")


@pytest.fixture(scope="module")
def product(shop: Shop, admin: dict[str, str]) -> dict[str, Any]:
    category_id = category_of(shop, admin, "Flour")
    body = {"name": "Maize Flour 2 kg", "category_id": category_id, "price": "189.00", "stock": 1000}
    product: dict[str, Any] = shop.post("/products/", json=body, headers=admin).json()
    return product


@pytest.fixture(scope="module")
def customer(shop: Shop) -> dict[str, str]:
    shop.post("/auth/register", json=CUSTOMER)
    return shop.sign_in(CUSTOMER["email"])


@pytest.fixture
def placed(shop: Shop, customer: dict[str, str], product: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = order(shop, customer, product, 2).json()
    return body


def link(shop: Shop, placed: dict[str, Any]) -> str:
    """The link in the message about the order."""
    [(body,)] = shop.sql(
        f"SELECT body FROM notifications WHERE order_id = {placed['id']} AND channel = 'sms' AND event = 'order_placed'"
    )
    return next(word for word in body.split() if "/t/" in word)


def move(shop: Shop, admin: dict[str, str], placed: dict[str, Any], status: str) -> None:
    answer = shop.patch(f"/orders/{placed['id']}/status", json={"status": status}, headers=admin)
    assert answer.status_code == 200, answer.text


def reached(page: Page) -> list[str | None]:
    """The steps that have a time, as they stand there."""
    steps = page.locator("#steps li.reached")
    assert all(step.locator("time").inner_text() for step in steps.all())
    return [step.get_attribute("data-step") for step in steps.all()]


def test_a_status_is_shown_at_once_and_none_is_missed_over_restarts(
    browser: Browser, shop: Shop, admin: dict[str, str], placed: dict[str, Any]
) -> None:
    page = browser.new_context().new_page()  # one that may complain: of connections that it loses
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.goto(link(shop, placed))
    status = page.locator("#status")
    expect(status).to_have_text("Received")
    expect(page.locator("#live")).to_be_visible()

    move(shop, admin, placed, "confirmed")
    expect(status).to_have_text("Confirmed", timeout=SOON_MS)
    assert reached(page) == ["pending", "confirmed"]

    shop.end("stream")
    shop.end("api")
    expect(page.locator("#live")).to_be_hidden()
    shop.start("api")
    move(shop, admin, placed, "packed")
    shop.start("stream")
    expect(status).to_have_text("Packed", timeout=AFTER_RESTART_MS)
    move(shop, admin, placed, "shipped")
    expect(status).to_have_text("Ready to collect", timeout=SOON_MS)
    move(shop, admin, placed, "delivered")
    expect(status).to_have_text("Collected", timeout=SOON_MS)
    assert reached(page) == ["pending", "confirmed", "packed", "shipped", "delivered"]
    expect(page.locator("#live")).to_be_hidden()
    wait_until(lambda: shop.stream_health()["streams"] == 0, "the page has left")
    assert len(loads) == 1
    page.context.close()


def test_what_changes_in_the_order_changes_on_the_page(
    page: Page, shop: Shop, admin: dict[str, str], placed: dict[str, Any]
) -> None:
    page.goto(link(shop, placed))
    expect(page.locator("#items")).to_have_text("2 × Maize Flour 2 kg")
    expect(page.locator("#live")).to_be_visible()
    line_id = placed["items"][0]["id"]
    shop.patch(f"/orders/{placed['id']}/lines/{line_id}", json={"quantity": 3}, headers=admin)
    expect(page.locator("#items")).to_have_text("3 × Maize Flour 2 kg", timeout=SOON_MS)
    move(shop, admin, placed, "cancelled")
    expect(page.locator("#status")).to_have_text("Cancelled", timeout=SOON_MS)
    expect(page.locator('[data-step="cancelled"]')).to_be_visible()
    assert reached(page) == ["pending", "cancelled"]


def test_a_page_without_javascript_shows_the_same(
    browser: Browser, shop: Shop, admin: dict[str, str], placed: dict[str, Any]
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(link(shop, placed))
    expect(page.locator("#status")).to_have_text("Received")
    move(shop, admin, placed, "shipped")
    page.reload()
    expect(page.locator("#status")).to_have_text("Ready to collect")
    assert reached(page) == ["pending", "confirmed", "packed", "shipped"]
    page.context.close()
