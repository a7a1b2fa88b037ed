"""Whole ways to an order: a newcomer, a customer who comes back, and somebody whose browser runs no script."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.walking import code_for, order_number, rows

_OF = """
    SELECT customers.name, orders.landmark, orders.slot_starts_at IS NOT NULL FROM orders
    JOIN customers ON customers.id = orders.customer_id WHERE number = :number
"""

_TAPS = """
    window.taps = Number(sessionStorage.taps ?? 0);
    addEventListener("click", (event) => {
        if (event.isTrusted) { taps += 1; sessionStorage.taps = taps; }
    }, true);
    addEventListener("input", (event) => {
        const isTyped = event.target.matches("input:not([type=radio], [type=checkbox]), textarea");
        if (isTyped) { sessionStorage.typed = "yes"; }
    }, true);
"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context
    context.close()


def shop_and_check_out(page: Page, shop: FullShop) -> None:
    """From the home page by a category into the basket and on to the checkout."""
    page.goto(shop.address)
    page.get_by_role("link", name="Fruit & Vegetables").first.click()
    page.locator("li.card .amount button").first.click()
    page.get_by_role("link", name="View basket").click()
    page.get_by_role("link", name="Checkout").first.click()
    expect(page.get_by_role("heading", name="Checkout")).to_be_visible()


def order_as_newcomer(page: Page, app: Flask, phone: str, written: str) -> str:
    """Fill in the checkout, give phone, code and name, and order; the number of the order."""
    page.get_by_label("Your phone number").fill(written)
    page.get_by_label("Landmark").fill("near Shell, blue gate")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_for(app, phone))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Your name").fill("Achieng Atieno")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Landmark")).to_have_value("near Shell, blue gate")
    page.get_by_role("button", name="Place order").click()
    return order_number(page)


def test_a_newcomer_registers_by_phone_and_orders(
    phone: BrowserContext, migrated_app: Flask, full_shop: FullShop
) -> None:
    page = phone.new_page()
    shop_and_check_out(page, full_shop)
    number = order_as_newcomer(page, migrated_app, "+254711222333", "0711 222 333")
    assert rows(migrated_app, _OF, number=number) == [("Achieng Atieno", "near Shell, blue gate", True)]
    page.get_by_role("link", name="Follow your order").click()
    expect(page.locator("#status")).to_have_text("Received")


def test_a_shopper_without_script_orders(browser: Browser, migrated_app: Flask, full_shop: FullShop) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    shop_and_check_out(page, full_shop)
    number = order_as_newcomer(page, migrated_app, "+254711222444", "+254 711 222 444")
    assert rows(migrated_app, _OF, number=number) == [("Achieng Atieno", "near Shell, blue gate", True)]
    context.close()


def test_a_customer_orders_again_in_six_taps_without_typing(
    phone: BrowserContext, migrated_app: Flask, full_shop: FullShop
) -> None:
    sign_in(migrated_app, phone, full_shop.address, full_shop.people["customer"])
    phone.add_init_script(_TAPS)
    page = phone.new_page()
    page.goto(full_shop.address)
    page.get_by_role("link", name="Account").tap()
    page.get_by_role("link", name="Orders", exact=True).tap()
    page.get_by_role("button", name="Order again").last.tap()
    page.get_by_role("link", name="Checkout").first.tap()
    page.get_by_role("button", name="Place order").tap()
    number = order_number(page)
    assert page.evaluate("taps") <= 6
    assert page.evaluate("sessionStorage.typed") is None
    [(name, _, has_slot)] = rows(migrated_app, _OF, number=number)
    assert (name, has_slot) == ("Amina Otieno", True)
