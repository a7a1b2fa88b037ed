"""What the main pages weigh for a real browser: the budgets of a cheap phone, with a photo on every product."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from grocery.db import db, transaction
from grocery.products.images.encoding import read_picture
from grocery.products.images.service import set_picture
from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.pictures import picture
from tests.browser.wire import Wire, on_wire, slow_down
from tests.products.ledger import select_rows

KB = 1000

# Those that home and the category show first: what is on offer, and what is in the category.
_SHOWN = """
    SELECT id FROM products WHERE compare_at_price_cents IS NOT NULL OR category_path LIKE 'Fruit & Vegetables/%'
    ORDER BY compare_at_price_cents IS NULL, id LIMIT 60
"""


@pytest.fixture(scope="module")
def pictured(migrated_app: Flask, full_shop: FullShop) -> FullShop:
    """Each product that is shown has a photo of its own."""
    with migrated_app.app_context():
        for number, (product_id,) in enumerate(select_rows(_SHOWN)):
            with transaction():
                set_picture(product_id, read_picture(BytesIO(picture(number))), version=None, actor_id=None)
        db.session.remove()
    return full_shop


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """Without the service worker, which loads later what it keeps, mostly from the browser's own store."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, service_workers="block")
    yield context
    context.close()


def load(page: Page, address: str) -> Wire:
    with on_wire(page) as wire:
        answer = page.goto(address, wait_until="networkidle")
        assert answer
        assert answer.status in (200, 304)
    return wire


@pytest.mark.parametrize("name", ["home", "category"])
def test_first_pages_are_light(phone: BrowserContext, pictured: FullShop, name: str) -> None:
    page = phone.new_page()
    slow_down(page)  # where a browser loads more of what is not in sight yet
    path = {"home": "/", "category": f"/c/{pictured.ids['category']}-fruit-vegetables"}[name]
    wire = load(page, pictured.address + path)
    if name == "category":
        assert page.locator("li.card").count() == 24
        assert wire.size("Image") > 0
    assert wire.size("Document", "Stylesheet") <= 14 * KB, str(wire)
    assert wire.size("Script") <= 10 * KB, str(wire)
    assert wire.size() <= 100 * KB, str(wire)
    assert wire.requests <= 15, str(wire)

    again = load(page, pictured.address + path)
    assert again.size() <= 15 * KB, str(again)


def test_checkout_is_light(migrated_app: Flask, phone: BrowserContext, pictured: FullShop) -> None:
    sign_in(migrated_app, phone, pictured.address, pictured.people["customer"])
    page = phone.new_page()
    page.goto(f"{pictured.address}/p/{pictured.ids['product']}-x")
    page.locator("main .amount button").first.click()
    page.locator(".bar").wait_for()
    other = phone.new_page()  # as if it were the first page of the day
    other.context.clear_cookies(name="said")
    wire = load(other, f"{pictured.address}/checkout")
    assert_at_work(wire)


def test_picking_is_light(migrated_app: Flask, phone: BrowserContext, pictured: FullShop) -> None:
    sign_in(migrated_app, phone, pictured.address, pictured.people["staff"])
    wire = load(phone.new_page(), f"{pictured.address}/admin/picking/{pictured.orders['confirmed']['id']}")
    assert_at_work(wire)


def assert_at_work(wire: Wire) -> None:
    assert wire.size("Document", "Stylesheet") <= 14 * KB, str(wire)
    assert wire.size("Script") <= 10 * KB, str(wire)
    assert wire.size() <= 40 * KB, str(wire)
    assert wire.requests <= 6, str(wire)
